//! Tokens in files: one each, named by its key, for its owner alone.
//!
//! A file holds the taxpayer beside the token, so that sessions can be listed
//! without an index that could disagree with them. It is replaced as a whole:
//! a reader sees the old content or the new.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use sandbox_client::{
    BoxError, BoxFuture, SavedToken, TaxpayerId, Token, TokenKey, TokenStore, values::Gstin,
};
use serde::{Deserialize, Serialize};

use super::{failure::Failure, folders};

/// A folder of tokens.
pub struct FileStore {
    folder: PathBuf,
    failure: OnceLock<String>,
}

/// The content of a file. `token` is what [`SavedToken::expose_secret`] wrote.
#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    taxpayer: Option<Taxpayer>,
    token: String,
}

#[derive(Serialize, Deserialize)]
struct Taxpayer {
    gstin: Gstin,
    username: String,
}

/// A session in the folder, of whichever key and host.
pub struct Entry {
    pub taxpayer: TaxpayerId,
    /// The name of its file, which is its [`TokenKey::id`].
    pub id: String,
    pub token: SavedToken,
}

impl FileStore {
    /// Opens the folder, and makes it if need be. Refuses one that others may enter.
    pub fn open(folder: PathBuf) -> Result<Self, Failure> {
        folders::create_private(&folder)
            .map_err(|error| Failure::configuration(format!("cannot make {}: {error}", folder.display())))?;
        folders::refuse_public(&folder)?;
        Ok(Self { folder, failure: OnceLock::new() })
    }

    /// The first reason, since the start, why a file could not be written or
    /// removed. The library goes on with what it has in memory.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    fn note<T>(&self, result: Result<T, BoxError>) -> Result<T, BoxError> {
        if let Err(error) = &result {
            self.failure.get_or_init(|| format!("{}: {error}", self.folder.display()));
        }
        result
    }

    /// Every taxpayer's session, by GSTIN and user name. What cannot be read
    /// is left out: it is of no use, and the next login replaces it.
    pub fn sessions(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let Some(id) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Ok(Some(Content { taxpayer: Some(taxpayer), token })) = read(&path) else { continue };
            let Ok(token) = SavedToken::from_exposed(&token) else { continue };
            let taxpayer = TaxpayerId { gstin: taxpayer.gstin, username: taxpayer.username };
            entries.push(Entry { taxpayer, id: id.to_owned(), token });
        }
        entries.sort_by(|one, other| {
            let key = |entry: &Entry| (entry.taxpayer.gstin, entry.taxpayer.username.clone());
            key(one).cmp(&key(other))
        });
        Ok(entries)
    }

    fn path(&self, key: &TokenKey) -> PathBuf {
        self.folder.join(key.id()).with_extension("json")
    }

    fn saved(&self, key: &TokenKey) -> Result<Option<SavedToken>, BoxError> {
        let Some(content) = read(&self.path(key))? else { return Ok(None) };
        Ok(Some(SavedToken::from_exposed(&content.token)?))
    }

    fn write(&self, key: &TokenKey, token: &SavedToken) -> Result<(), BoxError> {
        let taxpayer = key.taxpayer().map(|id| Taxpayer { gstin: id.gstin, username: id.username.clone() });
        let content = Content { taxpayer, token: token.expose_secret() };
        // Made with mode 0600, in the same folder so that the renaming cannot fail half way.
        let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(&content)?)?;
        file.as_file().sync_all()?;
        file.persist(self.path(key))?;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<Content>, BoxError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Files of a few hundred bytes: reading and writing them takes less than
/// handing the work to another thread would.
impl TokenStore for FileStore {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async { self.saved(key) })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            // One that cannot be read is replaced.
            if let Ok(Some(known)) = self.saved(key)
                && known.issued_at() > token.issued_at()
            {
                return Ok(false);
            }
            self.note(self.write(key, token))?;
            Ok(true)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            match fs::remove_file(self.path(key)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => self.note(Err(error.into())),
                _ => Ok(()),
            }
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            // One that cannot be read is of no use to others either.
            match self.saved(key) {
                Ok(Some(saved)) if saved.token() != token => Ok(()),
                _ => self.remove(key).await,
            }
        })
    }
}
