//! Tokens in files: one each, named by its key, for its owner alone.
//!
//! A file holds the taxpayer beside the token, so that sessions can be listed
//! without an index that could disagree with them. It is replaced as a whole:
//! a reader sees the old content or the new. Locks of the operating system,
//! which end with their process, keep several processes apart.

use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{BoxError, SavedToken, TAXPAYER_TERMS, TaxpayerId, TokenKey, TokenStore};
use crate::{BoxFuture, Error, ErrorKind, Token, field, regular_file, values::Gstin};

/// While another process writes, it is tried again after this time.
const LOCKED: Duration = Duration::from_millis(5);
/// How the name of a file begins that is being written.
const NEW: &str = ".new";
/// Bytes of a file that are read. A token and its taxpayer take a few hundred.
const LONGEST: u64 = 1024 * 1024;

/// Stores tokens as files in a folder that only its owner can access, for
/// any number of processes on one machine. The command `sandbox` stores its sessions in one.
///
/// Tokens are not encrypted: anyone who can read the files has the sessions.
///
/// ```
/// use std::sync::Arc;
/// use sandbox_client::{Client, FileStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("sessions");
/// let store = FileStore::open(folder)?;
/// store.check_writable()?; // before a person is asked for an OTP
/// let client =
///     Client::builder().key("key_test_0000000000000000").token_store(Arc::new(store)).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
pub struct FileStore {
    folder: PathBuf,
    failure: OnceLock<String>,
    claims: Mutex<HashMap<TokenKey, fs::File>>,
}

/// A taxpayer's session in a [`FileStore`], for any key and host.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredSession {
    /// Whose it is.
    pub taxpayer: TaxpayerId,
    /// The [`TokenKey::id`] that it is stored under, and the name of its file.
    pub id: String,
    /// The token with its times.
    pub token: SavedToken,
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
    #[serde(deserialize_with = "Gstin::deserialize_unchecked")]
    gstin: Gstin,
    username: String,
}

impl FileStore {
    /// Opens a folder. Creates it with mode 0700 if it does not exist.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the field `folder` if it cannot be created,
    /// is not a folder, or is accessible to other users of the machine.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        create_private(&folder)
            .map_err(|error| Error::config(field::FOLDER, "cannot be made").with_source(error))?;
        if let Some(mode) = mode_for_others(&folder) {
            let reason = format!("is accessible to other users (mode {mode:03o})");
            return Err(Error::config(field::FOLDER, reason).with_advice("close it with chmod 700"));
        }
        let store = Self { folder, failure: OnceLock::new(), claims: Mutex::default() };
        store.clean();
        Ok(store)
    }

    /// Deletes what a process that was killed was writing: there is a token in it.
    /// Who writes has the lock.
    fn clean(&self) {
        let Ok(Some(_lock)) = fs::File::open(&self.folder).and_then(locked) else { return };
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if file.file_name().to_str().is_some_and(|name| name.starts_with(NEW)) {
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Fails if no token could be written now. A disk can still be full later.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`], with the operating system's reason as the source.
    pub fn check_writable(&self) -> Result<(), Error> {
        let written = self.new_file(b"a token could stand here");
        written.map(drop).map_err(|error| {
            let folder = self.folder.display();
            Error::new(ErrorKind::Store, format!("sessions cannot be saved in {folder}: {error}"))
                .with_source(error)
                .with_advice("see that there is space and that the folder can be written")
        })
    }

    /// The first reason, since the store was opened, why a token could not be
    /// written or removed. Clients continue with the tokens that they have in memory.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Every taxpayer's session, expired ones too, by GSTIN and user name.
    /// Files that cannot be read are skipped: the next login replaces them.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn sessions(&self) -> io::Result<Vec<StoredSession>> {
        let mut sessions = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let Some(id) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Ok(Some(Content { taxpayer: Some(taxpayer), token })) = read(&path) else { continue };
            let Ok(token) = SavedToken::from_exposed(&token) else { continue };
            let taxpayer = TaxpayerId { gstin: taxpayer.gstin, username: taxpayer.username };
            let token = token.clamped(TAXPAYER_TERMS.longest, SystemTime::now());
            sessions.push(StoredSession { taxpayer, id: id.to_owned(), token });
        }
        sessions.sort_by(|one, other| {
            let key = |session: &StoredSession| (session.taxpayer.gstin, session.taxpayer.username.clone());
            key(one).cmp(&key(other))
        });
        Ok(sessions)
    }

    fn path(&self, key: &TokenKey) -> PathBuf {
        self.folder.join(key.id()).with_extension("json")
    }

    /// Who has the lock of this file may renew the token.
    fn claim_path(&self, key: &TokenKey) -> PathBuf {
        self.folder.join(key.id()).with_extension("claim")
    }

    fn claims(&self) -> MutexGuard<'_, HashMap<TokenKey, fs::File>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn saved(&self, key: &TokenKey) -> Result<Option<SavedToken>, BoxError> {
        let Some(content) = read(&self.path(key))? else { return Ok(None) };
        Ok(Some(SavedToken::from_exposed(&content.token)?))
    }

    /// Made with mode 0600, in the same folder so that the renaming cannot fail half way.
    fn new_file(&self, content: &[u8]) -> io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(&self.folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    fn write(&self, key: &TokenKey, token: &SavedToken) -> Result<(), BoxError> {
        let taxpayer = key.taxpayer().map(|id| Taxpayer { gstin: id.gstin, username: id.username.clone() });
        let content = Content { taxpayer, token: token.expose_secret() };
        let content = serde_json::to_vec(&content)?;
        let written = self.new_file(&content).and_then(|file| Ok(file.persist(self.path(key))?));
        self.note(written.map(drop))?;
        Ok(())
    }

    fn delete(&self, key: &TokenKey) -> Result<(), BoxError> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(self.note(Err(error))?),
            _ => Ok(()),
        }
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.failure.get_or_init(|| format!("{}: {error}", self.folder.display()));
        }
        result
    }

    /// The right to change files, which one process has at a time. Given back
    /// when it is dropped.
    async fn lock(&self) -> io::Result<Option<fs::File>> {
        loop {
            match fs::File::open(&self.folder).and_then(locked) {
                Ok(None) => tokio::time::sleep(LOCKED).await,
                // Gone, or on a system without such locks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                lock => return self.note(lock),
            }
        }
    }
}

fn read(path: &Path) -> Result<Option<Content>, BoxError> {
    match regular_file::open(path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(LONGEST).read_to_end(&mut bytes)?;
            Ok(Some(serde_json::from_slice(&bytes)?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder that its owner alone may enter.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The permission bits, if others than the owner have some.
#[cfg(unix)]
fn mode_for_others(path: &Path) -> Option<u32> {
    let permissions = fs::metadata(path).ok()?.permissions();
    let mode = std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// The folders of a user are private there already.
#[cfg(not(unix))]
fn mode_for_others(_: &Path) -> Option<u32> {
    None
}

/// The file or folder, locked; `None` while another has the lock.
#[cfg(unix)]
fn locked(file: fs::File) -> io::Result<Option<fs::File>> {
    use rustix::fs::{FlockOperation, flock};
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The file, made and locked; `None` while another has the lock. It ends with
/// its process, so that a file that is left behind is in nobody's way.
#[cfg(unix)]
fn claimed(path: &Path) -> io::Result<Option<fs::File>> {
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    loop {
        let file = fs::File::options().append(true).create(true).mode(0o600).open(path)?;
        let Some(claim) = locked(file)? else { return Ok(None) };
        // Who had it before has deleted it: it is of no use if that was after it was opened.
        let own = claim.metadata()?;
        match fs::metadata(path) {
            Ok(there) if (there.dev(), there.ino()) == (own.dev(), own.ino()) => return Ok(Some(claim)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

#[cfg(not(unix))]
fn claimed(_: &Path) -> io::Result<Option<fs::File>> {
    Err(io::ErrorKind::NotFound.into())
}

/// Without a lock: std has some from Rust 1.89 on.
#[cfg(not(unix))]
fn locked(_: fs::File) -> io::Result<Option<fs::File>> {
    Err(io::ErrorKind::NotFound.into())
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("folder", &self.folder).finish_non_exhaustive()
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
            let _lock = self.lock().await?;
            // One that cannot be read is replaced.
            if let Ok(Some(known)) = self.saved(key)
                && known.is_later_than(token)
            {
                return Ok(false);
            }
            self.write(key, token)?;
            Ok(true)
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            let _lock = self.lock().await?;
            if self.saved(key)?.is_none_or(|known| known.token != *old) {
                return Ok(false);
            }
            self.write(key, token)?;
            Ok(true)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            let _lock = self.lock().await?;
            self.delete(key)
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let _lock = self.lock().await?;
            // One that cannot be read is of no use to others either.
            match self.saved(key) {
                Ok(Some(saved)) if saved.token != *token => Ok(()),
                _ => self.delete(key),
            }
        })
    }

    fn claim<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            match claimed(&self.claim_path(key)) {
                Ok(Some(claim)) => {
                    self.claims().insert(key.clone(), claim);
                    Ok(true)
                }
                Ok(None) => Ok(false),
                // On a system without such locks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn release(&self, key: &TokenKey) {
        if let Some(claim) = self.claims().remove(key) {
            // While it is locked: so it is no file of another.
            let _ = fs::remove_file(self.claim_path(key));
            drop(claim);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::token::PLATFORM;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A folder in a folder, so that it can be taken away.
    struct Place {
        _outer: tempfile::TempDir,
        folder: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let outer = tempfile::tempdir().unwrap();
            let folder = outer.path().join("tokens");
            Self { _outer: outer, folder }
        }

        fn open(&self) -> FileStore {
            FileStore::open(&self.folder).unwrap()
        }
    }

    fn key() -> TokenKey {
        TokenKey::new("http://host", "key", PLATFORM, None)
    }

    fn saved(name: &str) -> SavedToken {
        SavedToken::new(Token::new(name).unwrap(), HOUR)
    }

    #[tokio::test]
    async fn one_at_a_time_may_renew_a_token() {
        let place = Place::new();
        let (one, other) = (place.open(), place.open());
        let key = key();
        assert!(one.claim(&key).await.unwrap());
        assert!(!other.claim(&key).await.unwrap());
        one.release(&key);
        assert!(other.claim(&key).await.unwrap());
        assert!(!one.claim(&key).await.unwrap());
    }

    #[tokio::test]
    async fn the_file_of_a_claim_is_for_its_owner_alone_and_goes_with_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = Place::new();
        let (store, key) = (place.open(), key());
        assert!(store.claim(&key).await.unwrap());
        let file = fs::metadata(store.claim_path(&key)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        store.release(&key);
        assert!(!store.claim_path(&key).exists());
    }

    /// Whoever opens the file just before its holder deletes it gets a lock of a file
    /// that is gone, while another makes a new one.
    #[test]
    fn claims_that_are_given_back_all_the_time_are_held_by_one() {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
        let place = Place::new();
        let (held, granted) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    let (store, key) = (place.open(), key());
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    while granted.load(Ordering::SeqCst) < 500 {
                        if runtime.block_on(store.claim(&key)).unwrap() {
                            assert!(!held.swap(true, Ordering::SeqCst), "two hold it");
                            granted.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            held.store(false, Ordering::SeqCst);
                            store.release(&key);
                        }
                    }
                });
            }
        });
    }

    #[tokio::test]
    async fn what_is_no_file_cannot_be_claimed_or_removed_and_that_is_told() {
        let place = Place::new();
        let (store, key) = (place.open(), key());
        store.remove(&key).await.unwrap();
        assert_eq!(store.failure(), None, "nothing was there");
        fs::create_dir(store.path(&key)).unwrap();
        fs::create_dir(store.claim_path(&key)).unwrap();
        assert!(store.claim(&key).await.is_err());
        assert!(store.remove(&key).await.is_err());
        assert!(store.failure().is_some_and(|reason| reason.starts_with(place.folder.to_str().unwrap())));
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_has_nothing_to_remove_and_cannot_be_written() {
        let place = Place::new();
        let (store, key) = (place.open(), key());
        store.check_writable().unwrap();
        fs::remove_dir(&place.folder).unwrap();
        store.remove(&key).await.unwrap();
        assert_eq!(store.failure(), None);
        assert_eq!(store.check_writable().unwrap_err().kind(), ErrorKind::Store);
        assert!(store.put_if_newer(&key, &saved("a")).await.is_err());
        assert!(store.failure().is_some());
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_locked_is_told() {
        let place = Place::new();
        let store = place.open();
        fs::remove_dir(&place.folder).unwrap();
        symlink(&place.folder, &place.folder).unwrap();
        assert!(store.lock().await.is_err());
        assert!(store.failure().is_some());
    }
}
