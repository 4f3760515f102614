//! The HTTP client inside, with the safety settings on top of the caller's.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::{Duration, Instant},
};

use reqwest::{header::HeaderValue, redirect};

use super::connecting::Noting;
use crate::{Error, environment::install_tls_provider};

const USER_AGENT: &str = concat!("sandbox-client/", env!("CARGO_PKG_VERSION"));

/// Longest silence of an HTTP/2 connection before it is asked for a sign of life.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// Puts the safety settings on top of whatever the caller has set. `plain` is
/// for loopback addresses by http alone.
pub(super) fn safe_http(
    builder: reqwest::ClientBuilder,
    plain: bool,
    (connect_timeout, attempt_timeout): (Duration, Duration),
    application: Option<&str>,
) -> Result<reqwest::Client, Error> {
    install_tls_provider();
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config("http", "has no TLS provider").with_advice(
            "turn on the feature `ring`, or install a provider in rustls before building the client",
        ));
    }
    let user_agent = application.map_or(Ok(HeaderValue::from_static(USER_AGENT)), |application| {
        Some(application.trim())
            .filter(|application| !application.is_empty())
            .and_then(|application| HeaderValue::from_str(&format!("{application} {USER_AGENT}")).ok())
            .ok_or_else(|| {
                Error::config("user_agent", "is empty or cannot stand in a header: use visible ASCII")
            })
    })?;
    // A connection whose other end is gone is left within half an attempt, so
    // that the next attempt has a new one. While idle too, since a call may
    // have less time than that.
    let silence = (attempt_timeout / 4).min(LONGEST_SILENCE);
    let builder = builder
        .http2_keep_alive_interval(silence)
        .http2_keep_alive_timeout(silence)
        .http2_keep_alive_while_idle(true)
        .connector_layer(Noting)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connection_verbose(false)
        .tls_danger_accept_invalid_certs(false)
        .tls_danger_accept_invalid_hostnames(false)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .connect_timeout(connect_timeout)
        .user_agent(user_agent);
    // Plain http is for loopback alone: no proxy may see the key in it, and
    // the system's certificates need not be there.
    let builder = if plain { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
    builder.build().map_err(|error| {
        Error::config("http", "is not a usable configuration of reqwest")
            .with_source(error.without_url())
            .with_advice(
                "see the error's source; on Linux the CA certificates of the system must be installed \
             (package ca-certificates)",
            )
    })
}

/// The HTTP client of the API with its connections, and how others are made.
///
/// A request over HTTP/2 that is not answered leaves its connection in the
/// pool, and the next would wait on the same one. A ping finds out whether the
/// other end is there, not whether anybody answers: a balancer acknowledges it.
pub(crate) struct Http {
    connections: RwLock<Arc<Connections>>,
    /// A builder that was given can be used once, a function any number of times.
    make: Option<MakeBuilder>,
    safety: Safety,
}

pub(super) type MakeBuilder = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// Where the builders of reqwest come from.
pub(super) enum HttpSource {
    Builder(Box<reqwest::ClientBuilder>),
    Function(MakeBuilder),
}

/// What is put on top of a builder; see [`safe_http`].
pub(super) struct Safety {
    pub plain: bool,
    pub timeouts: (Duration, Duration),
    pub application: Option<String>,
}

impl Safety {
    fn client(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
        safe_http(builder, self.plain, self.timeouts, self.application.as_deref())
    }
}

/// The connections of one HTTP client.
pub(crate) struct Connections {
    pub client: reqwest::Client,
    answered: Mutex<Option<Instant>>,
}

impl Connections {
    fn of(client: reqwest::Client) -> Arc<Self> {
        Arc::new(Self { client, answered: Mutex::default() })
    }

    /// The head of an answer has come.
    pub fn answered(&self) {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn silent_since(&self, moment: Instant) -> bool {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|last| last < moment)
    }
}

impl Http {
    pub(super) fn new(source: HttpSource, safety: Safety) -> Result<Self, Error> {
        let (first, make) = match source {
            HttpSource::Builder(builder) => (*builder, None),
            HttpSource::Function(make) => (make(), Some(make)),
        };
        let connections = RwLock::new(Connections::of(safety.client(first)?));
        Ok(Self { connections, make, safety })
    }

    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request that was sent at `begun` was not answered in time. If nothing
    /// was since then, further requests go over new connections. Those in
    /// flight stay on the old ones.
    pub fn unanswered(&self, connections: &Arc<Connections>, begun: Instant) {
        let Some(make) = self.make.as_ref().filter(|_| connections.silent_since(begun)) else { return };
        let mut current = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        // Of many requests that end so, the first changes them.
        if Arc::ptr_eq(&current, connections)
            && let Ok(client) = self.safety.client(make())
        {
            *current = Connections::of(client);
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// HTTP clients for the hosts of signed URLs, made when they are first needed.
///
/// Not the client of the API: these hosts are others, and nothing that a caller
/// has set for the API, such as default headers, is theirs. Bodies are files,
/// which are kept as they are sent.
pub(super) struct FileHosts {
    /// For making a connection, and for an attempt.
    timeouts: (Duration, Duration),
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
}

impl FileHosts {
    /// With the caller's settings for https, where there are any.
    pub(super) fn new(
        http: Option<reqwest::ClientBuilder>,
        timeouts: (Duration, Duration),
    ) -> Result<Self, Error> {
        let secure = match http {
            Some(http) => OnceLock::from(safe_http(http.no_gzip(), false, timeouts, None)?),
            None => OnceLock::new(),
        };
        Ok(Self { timeouts, plain: OnceLock::new(), secure })
    }

    pub(super) fn client(&self, plain: bool) -> Result<&reqwest::Client, Error> {
        let made = if plain { &self.plain } else { &self.secure };
        if let Some(client) = made.get() {
            return Ok(client);
        }
        let client = safe_http(reqwest::Client::builder().no_gzip(), plain, self.timeouts, None)?;
        Ok(made.get_or_init(|| client))
    }
}
