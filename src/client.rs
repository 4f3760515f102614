//! How a client is made, and what its clones share.

use std::{
    collections::HashMap,
    env, fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use reqwest::{Url, header::HeaderValue, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    Environment, Error, MemoryStore, RateGate, RetryPolicy, SavedToken, TaxpayerId, Token, TokenKey,
    TokenStore,
    credentials::{self, ApiKey},
    environment::BaseUrl,
    generated::{Client, ClientInfo, OPERATIONS},
    operation::Operation,
    session::{Slot, platform_lifetime},
    transport::{Budget, CallReport, Observer, SlidingWindow},
};

/// How long before its end a platform token is renewed, at the earliest.
const PLATFORM_MARGIN: Duration = Duration::from_secs(5 * 60);
/// How long before its end a taxpayer token is refreshed, at the earliest.
const TAXPAYER_MARGIN: Duration = Duration::from_secs(30 * 60);
const USER_AGENT: &str = concat!("sandbox-client/", env!("CARGO_PKG_VERSION"));

/// What one client carries: what all clones share, and what is its own.
#[derive(Clone)]
pub struct Scope {
    shared: Arc<Shared>,
    policy: Arc<Policy>,
    taxpayer: Option<Access>,
}

/// How a client gets at a taxpayer's token.
#[derive(Clone)]
pub(crate) enum Access {
    /// A token that the caller has, for as long as the server takes it.
    Fixed(Token),
    /// A session that is kept alive.
    Session(Arc<Slot>),
}

struct Shared {
    base_url: BaseUrl,
    /// Of each operation in the order of the table, to be copied for a request.
    /// Those with a path parameter stand here as templates and are not copied.
    addresses: Vec<Url>,
    environment: Option<Environment>,
    credentials: Arc<ApiKey>,
    key_header: HeaderValue,
    store: Arc<dyn TokenStore>,
    platform: Slot,
    taxpayers: Mutex<Taxpayers>,
    places: Semaphore,
    gate: Gate,
    budget: Budget,
    #[cfg(feature = "redis")]
    redis: Option<crate::redis::Redis>,
    observer: Option<Observer>,
}

/// The slots that are in use. A slot lives as long as a handle or a client
/// that uses it, since the token store keeps the session: thousands of
/// taxpayers, one after another, cost no memory.
#[derive(Default)]
struct Taxpayers {
    slots: HashMap<TaxpayerId, Weak<Slot>>,
    /// How many entries there may be before the dead ones are swept out.
    room: usize,
}

impl Taxpayers {
    fn slot(&mut self, taxpayer: TaxpayerId, new: impl FnOnce(TaxpayerId) -> Slot) -> Arc<Slot> {
        if let Some(slot) = self.slots.get(&taxpayer).and_then(Weak::upgrade) {
            return slot;
        }
        if self.slots.len() >= self.room {
            self.slots.retain(|_, slot| slot.strong_count() > 0);
            self.room = (2 * self.slots.len()).max(64);
        }
        let slot = Arc::new(new(taxpayer.clone()));
        self.slots.insert(taxpayer, Arc::downgrade(&slot));
        slot
    }
}

enum Gate {
    Unlimited,
    Local(SlidingWindow),
    Custom(Arc<dyn RateGate>),
}

/// Limits of one call.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub retry: RetryPolicy,
    pub attempt_timeout: Duration,
    pub call_timeout: Duration,
    pub max_body_bytes: usize,
    /// Whether the call's time stands still while it waits for a token and
    /// for the rate limit.
    pub patient: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            attempt_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(90),
            max_body_bytes: 16 * 1024 * 1024,
            patient: false,
        }
    }
}

impl Scope {
    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.shared.base_url
    }

    /// The address of an operation whose path has no parameter.
    pub(crate) fn address(&self, operation: &str) -> Url {
        let position = Operation::position(operation).expect("the table holds every generated operation");
        self.shared.addresses[position].clone()
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn observer(&self) -> Option<&Observer> {
        self.shared.observer.as_ref()
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    pub(crate) fn key_header(&self) -> HeaderValue {
        self.shared.key_header.clone()
    }

    pub(crate) fn credentials(&self) -> &Arc<ApiKey> {
        &self.shared.credentials
    }

    pub(crate) fn has_secret(&self) -> bool {
        self.shared.credentials.secret.is_some()
    }

    pub(crate) fn secret_header(&self) -> Option<HeaderValue> {
        self.shared.credentials.secret.clone().map(credentials::sensitive)
    }

    pub(crate) fn platform(&self) -> &Slot {
        &self.shared.platform
    }

    pub(crate) fn taxpayer(&self) -> Option<&Access> {
        self.taxpayer.as_ref()
    }

    /// The one place of a taxpayer's token, for all clones of a client.
    pub(crate) fn slot_of(&self, taxpayer: TaxpayerId) -> Arc<Slot> {
        let shared = &self.shared;
        let mut taxpayers = shared.taxpayers.lock().unwrap_or_else(PoisonError::into_inner);
        taxpayers.slot(taxpayer, |taxpayer| {
            let key = shared.credentials.key.expose_secret();
            let key = TokenKey::new(shared.base_url.as_str(), key, Some(taxpayer));
            Slot::new(key, Arc::clone(&shared.store), TAXPAYER_MARGIN)
        })
    }

    /// The same scope with another way to a taxpayer's token.
    pub(crate) fn with_access(&self, access: Access) -> Self {
        Self { taxpayer: Some(access), ..self.clone() }
    }

    /// Waits for a place among the requests under way and then for the rate
    /// limit, until the deadline at most. The place is kept until the answer
    /// is there; it comes first, so that a request is sent when it is counted.
    pub(crate) async fn acquire(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Error> {
        let place = if let Ok(place) = self.shared.places.try_acquire() {
            place
        } else {
            tokio::time::timeout_at(deadline.into(), self.shared.places.acquire())
                .await
                .map_err(|_| crate::transport::too_slow(None))?
                .expect("never closed")
        };
        match &self.shared.gate {
            Gate::Unlimited => {}
            Gate::Local(window) => window.acquire(deadline).await?,
            Gate::Custom(gate) => tokio::time::timeout_at(deadline.into(), gate.acquire())
                .await
                .map_err(|_| crate::transport::too_slow(None))?,
        }
        Ok(place)
    }

    pub(crate) fn pause(&self, wait: Duration) {
        match &self.shared.gate {
            Gate::Unlimited => {}
            Gate::Local(window) => window.pause(wait),
            Gate::Custom(gate) => gate.pause(wait),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("environment", &self.shared.environment)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Starts a client. At least a key is needed.
    ///
    /// ```
    /// use sandbox_client::Client;
    ///
    /// # fn main() -> Result<(), sandbox_client::Error> {
    /// let client = Client::builder()
    ///     .key("key_test_0000000000000000")
    ///     .taxpayer_token("token of a taxpayer's session".replace(' ', "-"))
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client from the environment.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `SANDBOX_API_KEY` | the API key, required; names live or test by its prefix |
    /// | `SANDBOX_API_SECRET` | the API secret |
    /// | `SANDBOX_ACCESS_TOKEN` | token of a taxpayer's session that you already have |
    /// | `SANDBOX_BASE_URL` | another address, for a gateway or a mock server |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable
    /// that is missing, empty, not text or malformed; never its value.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build().map_err(|error| {
            let variable = match error.field() {
                Some("key") => "SANDBOX_API_KEY",
                Some("secret") => "SANDBOX_API_SECRET",
                Some("taxpayer_token") => "SANDBOX_ACCESS_TOKEN",
                Some("base_url") => "SANDBOX_BASE_URL",
                _ => return error,
            };
            error.with_field(variable)
        })
    }

    /// The environment of the key. `None` for a key without a known prefix,
    /// which only a base URL of your own lets through.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        self.inner().shared.environment
    }

    /// The address that calls go to.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.baseurl()
    }

    /// The same client for another taxpayer's token. Connections, rate limit
    /// and retry budget stay shared.
    #[must_use]
    pub fn with_taxpayer_token(&self, token: Token) -> Self {
        self.with_access(Access::Fixed(token))
    }

    /// The same client with another retry policy, for one call or many.
    ///
    /// ```
    /// # use sandbox_client::{Client, RetryPolicy};
    /// # fn example(client: &Client) {
    /// let impatient = client.with_retry(RetryPolicy::none());
    /// # let _ = impatient;
    /// # }
    /// ```
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        self.with_policy(|policy| policy.retry = retry)
    }

    /// The same client with another limit for a whole call, pauses and
    /// retries included.
    #[must_use]
    pub fn with_call_timeout(&self, timeout: Duration) -> Self {
        self.with_policy(|policy| policy.call_timeout = bounded(timeout))
    }

    /// The same client with another limit for the size of an answer.
    #[must_use]
    pub fn with_max_body_bytes(&self, bytes: usize) -> Self {
        self.with_policy(|policy| policy.max_body_bytes = bytes)
    }

    /// The same client with a call timeout that the wait for a token and for
    /// the rate limit does not count against, as long as that may be.
    #[must_use]
    pub(crate) fn patient(&self) -> Self {
        self.with_policy(|policy| policy.patient = true)
    }

    /// The server that this client shares with other workers, if there is one:
    /// ask it whether it [is up](crate::redis::Redis::is_up).
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(&self) -> Option<&crate::redis::Redis> {
        self.inner().shared.redis.as_ref()
    }

    /// How long a call made now would wait for the rate limit.
    #[must_use]
    pub fn estimated_wait(&self) -> Duration {
        match &self.inner().shared.gate {
            Gate::Unlimited => Duration::ZERO,
            Gate::Local(window) => window.estimated_wait(),
            Gate::Custom(gate) => gate.estimated_wait(),
        }
    }

    pub(crate) fn with_access(&self, access: Access) -> Self {
        let mut client = self.clone();
        client.inner = self.inner.with_access(access);
        client
    }

    fn with_policy(&self, change: impl FnOnce(&mut Policy)) -> Self {
        let mut client = self.clone();
        change(Arc::make_mut(&mut client.inner.policy));
        client
    }
}

/// Longest timeout that is taken; more would overflow clocks on some systems.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

fn bounded(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(1), LONGEST)
}

/// Settings of a [`Client`]; see [`Client::builder`].
///
/// Nothing is checked before [`build`](ClientBuilder::build), and nothing is sent by it.
#[must_use]
pub struct ClientBuilder {
    key: Option<SecretString>,
    secret: Option<SecretString>,
    platform_token: Option<SecretString>,
    taxpayer_token: Option<SecretString>,
    environment: Option<Environment>,
    base_url: Option<String>,
    mixed_environments: bool,
    http: Option<reqwest::ClientBuilder>,
    connect_timeout: Duration,
    policy: Policy,
    max_in_flight: usize,
    gate: GateSetting,
    store: Option<Arc<dyn TokenStore>>,
    #[cfg(feature = "redis")]
    redis: Option<crate::redis::Redis>,
    observer: Option<Observer>,
}

enum GateSetting {
    Documented,
    PerMinute(u32),
    Unlimited,
    Custom(Arc<dyn RateGate>),
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            key: None,
            secret: None,
            platform_token: None,
            taxpayer_token: None,
            environment: None,
            base_url: None,
            mixed_environments: false,
            http: None,
            connect_timeout: Duration::from_secs(5),
            policy: Policy::default(),
            max_in_flight: 100,
            gate: GateSetting::Documented,
            store: None,
            #[cfg(feature = "redis")]
            redis: None,
            observer: None,
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("connect_timeout", &self.connect_timeout)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// A builder with everything that the environment names, for settings on
    /// top of it; see [`Client::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable
    /// that is missing, empty or not text. What else is wrong with a value is
    /// told by [`build`](ClientBuilder::build).
    pub fn from_env() -> Result<Self, Error> {
        let key = variable("SANDBOX_API_KEY")?.ok_or_else(|| {
            Error::config("SANDBOX_API_KEY", "is not set")
                .advice("set it to the API key, or use `Client::builder`")
        })?;
        let mut builder = Self::default().key(key);
        builder.secret = variable("SANDBOX_API_SECRET")?.map(SecretString::from);
        builder.taxpayer_token = variable("SANDBOX_ACCESS_TOKEN")?.map(SecretString::from);
        builder.base_url = variable("SANDBOX_BASE_URL")?;
        Ok(builder)
    }

    /// The API key. Its prefix, `key_live_` or `key_test_`, chooses the host.
    ///
    /// No credential is trimmed: one with a space or a line break around it,
    /// as from a file, is refused.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into().into());
        self
    }

    /// The API secret, sent to `/authenticate` and nowhere else.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into().into());
        self
    }

    /// A platform token that you already have. A leading `Bearer ` is removed.
    pub fn platform_token(mut self, token: impl Into<String>) -> Self {
        self.platform_token = Some(token.into().into());
        self
    }

    /// A token of a taxpayer's session that you already have, valid for six
    /// hours from its making. A leading `Bearer ` is removed.
    pub fn taxpayer_token(mut self, token: impl Into<String>) -> Self {
        self.taxpayer_token = Some(token.into().into());
        self
    }

    /// The environment, where it should not follow from the key. One that
    /// contradicts the key is refused.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Another address than the environment's: a gateway, or a mock server.
    ///
    /// `https` only, `http` for loopback addresses; no user, query or
    /// fragment. A trailing slash is dropped, a path is put in front of every
    /// operation's own.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Lets a key of one environment go to the other's host, and keys and
    /// secrets without a known prefix go to either. Off by default, since it
    /// is a mistake nearly always.
    pub fn allow_mixed_environments(mut self) -> Self {
        self.mixed_environments = true;
        self
    }

    /// A builder of reqwest with your own proxy, certificates, DNS or pool.
    ///
    /// The safety settings are put on top of it: no redirects, no `Referer`,
    /// https only, TLS 1.2 or newer with verified certificates, no logging of
    /// traffic. A finished client could not be made safe any more, which is
    /// why none is taken.
    ///
    /// Proxies that the environment names (`HTTPS_PROXY`, `ALL_PROXY`,
    /// `NO_PROXY`) are used for https unless the builder says otherwise, and
    /// never for plain http, whatever the builder says.
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(http);
        self
    }

    /// Limit for making a connection. Default 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = bounded(timeout);
        self
    }

    /// Limit for one try, from its sending to the last byte of its answer.
    /// Default 30 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = bounded(timeout);
        self
    }

    /// Limit for a whole call: waiting for the rate limit, all tries and the
    /// pauses between them. Default 90 s.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.policy.call_timeout = bounded(timeout);
        self
    }

    /// How failures are repeated; see [`RetryPolicy`].
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.policy.retry = retry;
        self
    }

    /// Most bytes of an answer's body that are read, after decompression.
    /// Default 16 MiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.policy.max_body_bytes = bytes;
        self
    }

    /// Most requests of this client and its clones that are under way at once.
    /// Further ones wait in order of arrival. As many connections are kept
    /// open without work, unless [`http`](ClientBuilder::http) brings a pool
    /// of its own. Default 100; zero counts as one.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Requests that this client and its clones send in any 60 seconds,
    /// retries included. Default: the lowest number that the provider names,
    /// [`Environment::requests_per_minute`]. Zero counts as one.
    pub fn requests_per_minute(mut self, limit: u32) -> Self {
        self.gate = GateSetting::PerMinute(limit);
        self
    }

    /// No limit of our own: the provider's 429 alone slows us down.
    pub fn no_rate_limit(mut self) -> Self {
        self.gate = GateSetting::Unlimited;
        self
    }

    /// A rate limit that is kept elsewhere, shared by several machines.
    pub fn rate_gate(mut self, gate: Arc<dyn RateGate>) -> Self {
        self.gate = GateSetting::Custom(gate);
        self
    }

    /// Tells `observer` of every call when it ends, for metrics. It is called
    /// in the task of the call and should be quick. For single tries, listen to
    /// the `tracing` events of target `sandbox_client`.
    ///
    /// ```
    /// # use sandbox_client::Client;
    /// let builder = Client::builder().on_call_end(|report| {
    ///     println!("{} took {:?}", report.operation.id, report.duration);
    /// });
    /// # let _ = builder;
    /// ```
    pub fn on_call_end(mut self, observer: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Where tokens are kept. Default: in memory, for this client and its clones.
    pub fn token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Shares tokens and rate limit with other workers over a Redis or Valkey
    /// server; see [`redis`](crate::redis). A [`token_store`](ClientBuilder::token_store)
    /// or [`rate_gate`](ClientBuilder::rate_gate) of your own comes first, and
    /// with [`no_rate_limit`](ClientBuilder::no_rate_limit) only tokens are shared.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, redis: crate::redis::Redis) -> Self {
        self.redis = Some(redis);
        self
    }

    /// Checks everything and makes the client. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with
    /// [`Error::field`] naming the setting, never its value.
    pub fn build(self) -> Result<Client, Error> {
        let key = self.key.ok_or_else(|| {
            Error::config("key", "is missing").advice("set it with `ClientBuilder::key` or SANDBOX_API_KEY")
        })?;
        let credentials = ApiKey::new(key, self.secret)?;
        let base_url = self.base_url.as_deref().map(BaseUrl::parse).transpose()?;
        let environment = self.environment.or(credentials.environment());
        if !self.mixed_environments {
            refuse_mixed(&credentials, environment, base_url.as_ref())?;
        }
        let base_url = match (base_url, environment) {
            (Some(base_url), _) => base_url,
            (None, Some(environment)) => BaseUrl::parse(environment.base_url())?,
            (None, None) => {
                return Err(Error::config("key", "starts with neither `key_live_` nor `key_test_`")
                    .advice("copy it again, or name the environment"));
            }
        };
        let platform_token =
            self.platform_token.map(|token| Token::for_field("platform_token", token)).transpose()?;
        let taxpayer_token =
            self.taxpayer_token.map(|token| Token::for_field("taxpayer_token", token)).transpose()?;
        if self.policy.max_body_bytes == 0 {
            return Err(Error::config("max_body_bytes", "is zero; no answer could be read"));
        }
        let http = self
            .http
            .unwrap_or_else(|| reqwest::Client::builder().pool_max_idle_per_host(self.max_in_flight));
        let http = safe_http(http, &base_url, self.connect_timeout)?;

        let limit = environment.unwrap_or(Environment::Test).requests_per_minute();
        let address = base_url.as_str().to_owned();
        let key_header = credentials::sensitive(credentials.key.clone());
        let token_key = TokenKey::new(&address, credentials.key.expose_secret(), None);
        let counted = |limit| -> Result<Gate, Error> {
            #[cfg(feature = "redis")]
            if let Some(redis) = &self.redis {
                return Ok(Gate::Custom(Arc::new(redis.pace(&token_key, limit)?)));
            }
            Ok(Gate::Local(SlidingWindow::new(limit)))
        };
        let gate = match self.gate {
            GateSetting::Documented => counted(limit)?,
            GateSetting::PerMinute(limit) => counted(limit)?,
            GateSetting::Unlimited => Gate::Unlimited,
            GateSetting::Custom(gate) => Gate::Custom(gate),
        };
        let store = self.store;
        #[cfg(feature = "redis")]
        let store = store.or_else(|| self.redis.clone().map(|redis| Arc::new(redis) as Arc<dyn TokenStore>));
        let store = store.unwrap_or_else(|| Arc::new(MemoryStore::default()));
        let platform = Slot::new(token_key, Arc::clone(&store), PLATFORM_MARGIN);
        if let Some(token) = platform_token {
            platform.adopt(SavedToken::new(token.clone(), platform_lifetime(&token, None)));
        }
        let addresses = OPERATIONS.iter().map(|operation| base_url.with_path(operation.path)).collect();
        let shared = Shared {
            base_url,
            addresses,
            environment,
            credentials: Arc::new(credentials),
            key_header,
            store,
            platform,
            taxpayers: Mutex::default(),
            places: Semaphore::new(self.max_in_flight),
            gate,
            budget: Budget::default(),
            #[cfg(feature = "redis")]
            redis: self.redis,
            observer: self.observer,
        };
        let taxpayer = taxpayer_token.map(Access::Fixed);
        let scope = Scope { shared: Arc::new(shared), policy: Arc::new(self.policy), taxpayer };
        Ok(Client::new_with_client(&address, http, scope))
    }
}

/// Refuses a key that would go to the other environment's host.
fn refuse_mixed(
    credentials: &ApiKey,
    environment: Option<Environment>,
    base_url: Option<&BaseUrl>,
) -> Result<(), Error> {
    const ADVICE: &str = "use the key of the environment, or `allow_mixed_environments`";
    let of_key = credentials.environment();
    if let (Some(key), Some(secret)) = (of_key, credentials.secret_environment())
        && key != secret
    {
        return Err(Error::config("secret", format!("is one of {secret}, and the key one of {key}"))
            .advice("take both from the same pair"));
    }
    if let (Some(key), Some(chosen)) = (of_key, environment)
        && key != chosen
    {
        return Err(
            Error::config("environment", format!("is {chosen}, and the key is one of {key}")).advice(ADVICE)
        );
    }
    let host = base_url.and_then(|base_url| base_url.environment);
    if let Some(host) = host
        && environment != Some(host)
    {
        return Err(match environment {
            Some(environment) => {
                Error::config("base_url", format!("is the {host} host, and the key is one of {environment}"))
            }
            None => Error::config("key", "starts with neither `key_live_` nor `key_test_`"),
        }
        .advice(ADVICE));
    }
    let known_host = host.is_some() || base_url.is_none();
    if known_host && credentials.secret.is_some() && credentials.secret_environment().is_none() {
        return Err(Error::config("secret", "starts with neither `secret_live_` nor `secret_test_`")
            .advice("copy it again, or use `allow_mixed_environments`"));
    }
    Ok(())
}

/// Puts the safety settings on top of whatever the caller has set.
fn safe_http(
    builder: reqwest::ClientBuilder,
    base_url: &BaseUrl,
    connect_timeout: Duration,
) -> Result<reqwest::Client, Error> {
    install_tls_provider();
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config("http", "has no TLS provider").advice(
            "turn on the feature `ring`, or install a provider in rustls before building the client",
        ));
    }
    let builder = builder
        .redirect(redirect::Policy::none())
        .referer(false)
        .connection_verbose(false)
        .tls_danger_accept_invalid_certs(false)
        .tls_danger_accept_invalid_hostnames(false)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .connect_timeout(connect_timeout)
        .user_agent(USER_AGENT);
    // Plain http is for loopback alone: no proxy may see the key in it, and
    // the system's certificates need not be there.
    let builder =
        if base_url.plain { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
    builder.build().map_err(|error| {
        Error::config("http", "is not a usable configuration of reqwest")
            .with_source(error.without_url())
            .advice(
                "see the error's source; on Linux the CA certificates of the system must be installed \
             (package ca-certificates)",
            )
    })
}

/// Chooses ring where the program has chosen nothing: rustls wants one choice
/// for the whole process, and the program's comes first.
#[cfg(feature = "ring")]
pub(crate) fn install_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(not(feature = "ring"))]
pub(crate) fn install_tls_provider() {}

/// A variable's text; `None` if it is not set.
pub(crate) fn variable(name: &'static str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) if value.is_empty() => {
            Err(Error::config(name, "is set but empty").advice("unset it or give it a value"))
        }
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::config(name, "is not valid text")),
    }
}
