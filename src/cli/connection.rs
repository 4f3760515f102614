//! The client that a command works with: the real service by environment or
//! configuration file, or the built-in server.

use std::{env, io, sync::Arc, time::Duration};

use sandbox_client::{
    Client, ClientBuilder, Environment, Error, FileStore, Polling, Session, StoredSession, TaxpayerId, Token,
    field, values::Gstin,
};

use super::{
    arguments::{Select, Shared},
    config::ConfigFile,
    failure::{Exit, Failure, exit_of},
    folders,
    mock::{DemoServer, Memory},
    table::shown,
};

/// The limit that the account has, where it is not the documented one.
pub const REQUESTS_PER_MINUTE: &str = "SANDBOX_REQUESTS_PER_MINUTE";

/// A client, and the sessions that it can use.
pub struct Connection {
    pub client: Client,
    /// Requests a minute, where there is a limit of our own.
    pub per_minute: Option<u32>,
    sessions: Sessions,
    /// The caller gave a token of a taxpayer's session himself.
    own_token: bool,
}

enum Sessions {
    Files(Arc<FileStore>),
    /// On the built-in server; dropped it would stop.
    Mock(DemoServer),
}

impl Connection {
    pub async fn open(shared: &Shared) -> Result<Self, Failure> {
        Self::with_memory(shared, Memory::default()).await
    }

    /// The same, for documents that are made: the built-in server remembers them.
    pub async fn for_documents(shared: &Shared) -> Result<Self, Failure> {
        Self::with_memory(shared, Memory { documents: true, ..Memory::default() }).await
    }

    /// The same, for returns: the built-in server remembers how far they are.
    pub async fn for_returns(shared: &Shared) -> Result<Self, Failure> {
        Self::with_memory(shared, Memory { returns: true, ..Memory::default() }).await
    }

    async fn with_memory(shared: &Shared, memory: Memory) -> Result<Self, Failure> {
        if shared.mock { Self::mock(shared, memory).await } else { Self::real(shared) }
    }

    fn real(shared: &Shared) -> Result<Self, Failure> {
        // Not by clap: it looks for --mock only on the side of the subcommand that has the option.
        if shared.mock_taxpayers.is_some() {
            return Err(Failure::usage("--mock-taxpayers needs --mock"));
        }
        if !shared.mock_faults.is_empty() {
            return Err(Failure::usage("--mock-faults needs --mock"));
        }
        let (builder, chosen_limit) = builder()?;
        let store = Arc::new(file_store()?);
        let client = with_store(builder, &store)?.build().map_err(name_source)?;
        let documented = client.environment().unwrap_or(Environment::Test).requests_per_minute();
        Ok(Self {
            client,
            per_minute: Some(chosen_limit.unwrap_or(documented).max(1)),
            sessions: Sessions::Files(store),
            own_token: env::var_os("SANDBOX_ACCESS_TOKEN").is_some(),
        })
    }

    async fn mock(shared: &Shared, memory: Memory) -> Result<Self, Failure> {
        let demo = DemoServer::start(0, shared, memory).await?;
        let client = demo.client()?;
        demo.sign_in(&client, &demo.taxpayers).await?;
        Ok(Self { client, per_minute: None, sessions: Sessions::Mock(demo), own_token: false })
    }

    /// What tells one service from another in a checkpoint.
    pub fn service(&self) -> &str {
        match &self.sessions {
            Sessions::Files(_) => self.client.base_url(),
            Sessions::Mock(_) => "mock",
        }
    }

    /// The built-in server, if that is what answers.
    pub fn demo(&self) -> Option<&DemoServer> {
        match &self.sessions {
            Sessions::Files(_) => None,
            Sessions::Mock(demo) => Some(demo),
        }
    }

    /// Taxpayers with a saved session of this key and host, alive or not.
    pub fn taxpayers(&self) -> Result<Vec<TaxpayerId>, Failure> {
        match &self.sessions {
            Sessions::Mock(demo) => Ok(demo.taxpayers.clone()),
            Sessions::Files(_) => Ok(self.entries()?.into_iter().map(|entry| entry.taxpayer).collect()),
        }
    }

    /// The saved sessions of this key and host.
    pub fn entries(&self) -> Result<Vec<StoredSession>, Failure> {
        let Sessions::Files(store) = &self.sessions else { return Ok(Vec::new()) };
        let mut entries = store.sessions().map_err(|error| {
            let folder = folders::sessions()
                .map_or_else(|_| "the sessions".to_owned(), |path| path.display().to_string());
            Failure::new(Exit::Other, format!("cannot read {folder}: {error}"))
        })?;
        entries.retain(|entry| {
            let TaxpayerId { gstin, username } = entry.taxpayer.clone();
            self.client.taxpayer(gstin, username).is_ok_and(|taxpayer| taxpayer.token_key().id() == entry.id)
        });
        Ok(entries)
    }

    /// Fails if no session can be saved: to be asked before an OTP is used up.
    pub fn can_keep(&self) -> Result<(), Failure> {
        match &self.sessions {
            Sessions::Files(store) => Ok(store.check_writable()?),
            Sessions::Mock(_) => Ok(()),
        }
    }

    /// Fails if a session could not be saved: it would end with this command.
    pub fn ensure_saved(&self) -> Result<(), Failure> {
        self.ensure("sessions cannot be saved in")
    }

    /// Fails if a session could not be forgotten: it is there for the next command.
    pub fn ensure_forgotten(&self) -> Result<(), Failure> {
        self.ensure("sessions cannot be removed from")
    }

    fn ensure(&self, otherwise: &str) -> Result<(), Failure> {
        if let Sessions::Files(store) = &self.sessions
            && let Some(reason) = store.failure()
        {
            return Err(Failure::new(Exit::Other, format!("{otherwise} {reason}"))
                .hint("Check the free space and the permissions of the folder."));
        }
        Ok(())
    }

    /// The session that the flags, or else what is saved, name.
    pub async fn session(&self, select: &Select) -> Result<Session, Failure> {
        if self.own_token && select.gstin.is_none() && select.username.is_none() {
            return Ok(self.client.taxpayer_session()?);
        }
        let TaxpayerId { gstin, username } = self.select(select)?;
        let session = self.client.taxpayer(gstin, username.clone())?.restore().await?;
        session.ok_or_else(|| {
            Failure::new(Exit::OtpNeeded, format!("no valid session of {gstin} is saved"))
                .hint(format!("A new OTP is needed: sandbox login --gstin {gstin} --username '{username}'"))
        })
    }

    /// A token of a kind of session that the command cannot open: from the
    /// built-in server, or from the environment variable of that name.
    pub fn token(&self, kind: &str) -> Result<Token, Failure> {
        if let Some(demo) = self.demo() {
            return Ok(demo.server.token(kind).parse()?);
        }
        let name = format!("SANDBOX_{}", kind.to_uppercase());
        let token = variable(&name)?.ok_or_else(|| {
            Failure::new(Exit::OtpNeeded, format!("this operation needs a token of the kind {kind}"))
                .hint(format!("Set {name} to one that you have."))
        })?;
        Ok(token.parse()?)
    }

    /// The one taxpayer that the flags, or else what is saved, name.
    pub fn select(&self, select: &Select) -> Result<TaxpayerId, Failure> {
        let gstin = select.gstin.as_deref().map(|text| self.gstin(text)).transpose()?;
        if let (Some(gstin), Some(username)) = (gstin, &select.username) {
            return Ok(TaxpayerId { gstin, username: username.clone() });
        }
        let mut saved = self.taxpayers()?;
        // Without flags the built-in server means its first, the documented sample.
        if self.demo().is_some() && gstin.is_none() && select.username.is_none() {
            saved.truncate(1);
        }
        saved.retain(|taxpayer| {
            gstin.is_none_or(|gstin| taxpayer.gstin == gstin)
                && select.username.as_ref().is_none_or(|username| taxpayer.username == *username)
        });
        match saved.as_slice() {
            [taxpayer] => Ok(taxpayer.clone()),
            [] => Err(Failure::new(Exit::OtpNeeded, "no matching session is saved")
                .hint("Open one: sandbox login --gstin … --username …")),
            several => {
                let names = several.iter().take(10).map(|id| format!("\n  {}  {}", id.gstin, id.username));
                Err(Failure::usage(format!("{} saved sessions match", several.len()))
                    .hint(format!("Choose with --gstin and --username:{}", names.collect::<String>())))
            }
        }
    }

    /// How a job is waited for. The built-in server is done at the second question.
    pub fn polling(&self, minutes: u16) -> Polling {
        let polling = Polling::default().deadline(Duration::from_secs(u64::from(minutes) * 60));
        match &self.sessions {
            Sessions::Files(_) => polling,
            Sessions::Mock(_) => polling.first_pause(Duration::from_millis(100)),
        }
    }

    /// A GSTIN as it was typed. The provider's samples for its test
    /// environment have wrong check digits, so only live insists on them.
    pub fn gstin(&self, text: &str) -> Result<Gstin, Failure> {
        match (Gstin::new(text), self.client.environment()) {
            (Ok(gstin), _) => Ok(gstin),
            (Err(error), Some(Environment::Live)) => Err(error.into()),
            (Err(_), _) => Ok(Gstin::unchecked(text)?),
        }
    }
}

/// Says where a setting comes from that the client refuses.
fn name_source(error: Error) -> Failure {
    let variable = match error.field() {
        Some(field::KEY) => "SANDBOX_API_KEY",
        Some(field::SECRET) => "SANDBOX_API_SECRET",
        Some(field::TAXPAYER_TOKEN) => "SANDBOX_ACCESS_TOKEN",
        Some(field::BASE_URL) => "SANDBOX_BASE_URL",
        _ => return error.into(),
    };
    let source = if env::var_os(variable).is_some() {
        variable.to_owned()
    } else {
        folders::config_file().map_or_else(|_| "config.toml".to_owned(), |path| path.display().to_string())
    };
    Failure::new(exit_of(&error), format!("{source}: {error}"))
}

/// Settings from the environment, or from the file where it names no key.
/// Also the limit that either sets.
fn builder() -> Result<(ClientBuilder, Option<u32>), Failure> {
    let (builder, limit) = environment_or_file()?;
    let Some(text) = variable(REQUESTS_PER_MINUTE)? else { return Ok((builder, limit)) };
    let limit = text.trim().parse().ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| {
        Failure::configuration(format!(
            "{REQUESTS_PER_MINUTE} must be a positive integer, found `{}`",
            shown(&text)
        ))
    })?;
    Ok((builder.requests_per_minute(limit), Some(limit)))
}

fn environment_or_file() -> Result<(ClientBuilder, Option<u32>), Failure> {
    if env::var_os("SANDBOX_API_KEY").is_some() {
        return Ok((ClientBuilder::from_env()?, None));
    }
    let path = folders::config_file()?;
    let Some(file) = ConfigFile::read(&path)? else {
        return Err(Failure::configuration("no API key").hint(format!(
            "Try the sample data with `sandbox --mock counts`; or set SANDBOX_API_KEY and\n\
             SANDBOX_API_SECRET, or write api_key and api_secret to\n{}",
            path.display()
        )));
    };
    let limit = file.requests_per_minute();
    let mut builder = file.builder();
    if let Some(base_url) = variable("SANDBOX_BASE_URL")? {
        builder = builder.base_url(base_url);
    }
    if let Some(token) = variable("SANDBOX_ACCESS_TOKEN")? {
        builder = builder.taxpayer_token(token);
    }
    Ok((builder, limit))
}

/// Sessions in files, shared with other machines where the environment names a server.
#[cfg(feature = "redis")]
fn with_store(builder: ClientBuilder, files: &Arc<FileStore>) -> Result<ClientBuilder, Failure> {
    use super::shared_store::SharedStore;
    let files = Arc::clone(files);
    Ok(match sandbox_client::redis::Redis::from_env()? {
        None => builder.token_store(files),
        Some(redis) => builder.redis(redis.clone()).token_store(Arc::new(SharedStore { files, redis })),
    })
}

#[cfg(not(feature = "redis"))]
fn with_store(builder: ClientBuilder, files: &Arc<FileStore>) -> Result<ClientBuilder, Failure> {
    if env::var_os("SANDBOX_REDIS_URL").is_some() {
        return Err(without_redis("SANDBOX_REDIS_URL is set"));
    }
    Ok(builder.token_store(Arc::clone(files) as _))
}

/// Who asks for sharing must not go on alone, unnoticed.
#[cfg(not(feature = "redis"))]
pub fn without_redis(asked: &str) -> Failure {
    Failure::configuration(format!("{asked}, but this command was built without the feature redis"))
        .hint("Install it with the feature: cargo install --path . --features cli,redis")
}

/// The files of saved sessions.
fn file_store() -> Result<FileStore, Failure> {
    let folder = folders::sessions()?;
    folders::create_private(&folder)
        .map_err(|error| Failure::configuration(format!("cannot make {}: {error}", folder.display())))?;
    folders::refuse_public(&folder)?;
    Ok(FileStore::open(folder)?)
}

fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::configuration(format!("{name} is not valid text"))),
    }
}

/// A line from standard input, without its end.
pub fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
