//! How a client is built.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::{
    Client, bounded,
    http::{FileHosts, Http, HttpSource, Safety},
    state::{ClientState, Policy, RateLimit, Shared},
};
use crate::{
    Environment, Error, MemoryStore, RateLimiter, RetryPolicy, SavedToken, Token, TokenKey, TokenStore,
    credentials::{self, ApiKey},
    environment::BaseUrl,
    generated::OPERATIONS,
    observe::{AttemptReport, CallReport, Observers},
    rate_limit::SlidingWindow,
    retry::Budget,
    token::{self, Guard, PLATFORM_TERMS, SessionAuth, Slot, TokenSource, platform_lifetime},
};

/// Settings of a [`Client`]; see [`Client::builder`].
///
/// [`build`](ClientBuilder::build) checks the settings. It sends nothing.
#[must_use]
pub struct ClientBuilder {
    key: Option<SecretString>,
    pub(super) secret: Option<SecretString>,
    platform_token: Option<SecretString>,
    pub(super) taxpayer_token: Option<SecretString>,
    environment: Option<Environment>,
    pub(super) base_url: Option<String>,
    mixed_environments: bool,
    http: Option<HttpSource>,
    transfer_http: Option<reqwest::ClientBuilder>,
    connect_timeout: Duration,
    policy: Policy,
    max_in_flight: usize,
    rate_limit: RateLimitSetting,
    store: Option<Arc<dyn TokenStore>>,
    #[cfg(feature = "redis")]
    redis: Option<crate::redis::Redis>,
    application: Option<String>,
    observers: Observers,
}

enum RateLimitSetting {
    Documented,
    PerMinute(u32),
    Unlimited,
    Custom(Arc<dyn RateLimiter>),
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
            transfer_http: None,
            connect_timeout: Duration::from_secs(5),
            policy: Policy::default(),
            max_in_flight: 100,
            rate_limit: RateLimitSetting::Documented,
            store: None,
            #[cfg(feature = "redis")]
            redis: None,
            application: None,
            observers: Observers::default(),
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
    /// The API key. Its prefix, `key_live_` or `key_test_`, chooses the host.
    ///
    /// Credentials are not trimmed: a leading or trailing space or line
    /// break, for example from a file, is refused.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into().into());
        self
    }

    /// The API secret, sent only to `/authenticate`.
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
    /// hours after it was issued. A leading `Bearer ` is removed.
    pub fn taxpayer_token(mut self, token: impl Into<String>) -> Self {
        self.taxpayer_token = Some(token.into().into());
        self
    }

    /// The environment, if it should not follow from the key. It must not
    /// contradict the key.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// A base URL other than the environment's: a gateway, or a mock server.
    ///
    /// It must use `https`, or `http` on a loopback address, and have no user, query or
    /// fragment. A trailing slash is dropped; a path is prepended to the path of every
    /// operation.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Allows a key of one environment on the host of the other, and keys and secrets
    /// without a known prefix on either. Off by default, since it is almost always a
    /// mistake.
    pub fn allow_mixed_environments(mut self) -> Self {
        self.mixed_environments = true;
        self
    }

    /// A reqwest builder with your own proxy, certificates, DNS or pool.
    ///
    /// The safety settings override it: no redirects, no `Referer`, https only, TLS 1.2
    /// or newer with verified certificates, no logging of traffic. They could not be
    /// applied to a finished client, so this method does not accept one. Its connect
    /// timeout, total timeout and user agent are replaced by
    /// [`connect_timeout`](ClientBuilder::connect_timeout),
    /// [`attempt_timeout`](ClientBuilder::attempt_timeout) and
    /// [`user_agent`](ClientBuilder::user_agent); a read timeout and the settings of the
    /// pool are kept.
    ///
    /// The client pings idle HTTP/2 connections after a quarter of the
    /// [`attempt_timeout`](ClientBuilder::attempt_timeout), at most 10 s, and closes them
    /// if no answer arrives within the same time.
    ///
    /// Proxies from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) apply to
    /// https unless the builder overrides them, and never to plain http, whatever the
    /// builder sets.
    ///
    /// A connection whose peer answers only pings is replaced only if the client can
    /// build new connections: with [`http_with`](ClientBuilder::http_with), or without
    /// your own builder.
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(HttpSource::Builder(Box::new(http)));
        self
    }

    /// Like [`http`](ClientBuilder::http), with a function that returns the builder. The
    /// client calls it again if no request was answered for a whole
    /// [`attempt_timeout`](ClientBuilder::attempt_timeout), so that further requests use
    /// new connections. It should return quickly.
    ///
    /// ```
    /// # fn main() -> Result<(), sandbox_client::Error> {
    /// let client = sandbox_client::Client::builder()
    ///     .key("key_test_0000000000000000")
    ///     .http_with(|| reqwest::Client::builder().pool_max_idle_per_host(8))
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_with(mut self, make: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        self.http = Some(HttpSource::Function(Box::new(make)));
        self
    }

    /// A reqwest builder for the hosts of signed URLs, which
    /// [`transfers`](Client::transfers) use: your own proxy or certificates. The builder
    /// of [`http`](ClientBuilder::http) is not used there, since its default headers may
    /// be meant only for the API. The same safety settings apply, and bodies are not
    /// decompressed.
    pub fn transfer_http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.transfer_http = Some(http);
        self
    }

    /// Your application in the `User-Agent` header, in front of this crate's
    /// name: `my-erp/2.1 sandbox-client/0.2.0`.
    pub fn user_agent(mut self, application: impl Into<String>) -> Self {
        self.application = Some(application.into());
        self
    }

    /// Timeout for opening a connection. Default 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = bounded(timeout);
        self
    }

    /// Timeout of one attempt, from sending the request to the last byte of
    /// its answer. Default 30 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = bounded(timeout);
        self
    }

    /// Timeout of a whole call: waiting for the rate limit, all attempts and
    /// the pauses between them. Default 90 s.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.policy.call_timeout = bounded(timeout);
        self
    }

    /// When and how often failed requests are retried; see [`RetryPolicy`].
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.policy.retry = retry;
        self
    }

    /// Maximum size of an answer's body, after decompression. Default 16
    /// MiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.policy.max_body_bytes = bytes;
        self
    }

    /// Maximum number of requests in flight for this client and its clones. Further
    /// requests wait in order of arrival. It is also the maximum number of idle
    /// connections, unless [`http`](ClientBuilder::http) configures a pool. Default 100;
    /// zero counts as one.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Requests that this client and its clones send in any 60 seconds,
    /// retries included. Default: the lowest number that the provider documents,
    /// [`Environment::requests_per_minute`]. Zero counts as one.
    pub fn requests_per_minute(mut self, limit: u32) -> Self {
        self.rate_limit = RateLimitSetting::PerMinute(limit);
        self
    }

    /// Disables the client-side rate limit. The provider still answers 429.
    pub fn no_rate_limit(mut self) -> Self {
        self.rate_limit = RateLimitSetting::Unlimited;
        self
    }

    /// Your own rate limiter, for example one that several machines share.
    pub fn rate_limiter(mut self, rate_limit: Arc<dyn RateLimiter>) -> Self {
        self.rate_limit = RateLimitSetting::Custom(rate_limit);
        self
    }

    /// Reports every call to `observer` when it ends, for metrics: once for
    /// each call, even if the caller drops its future. It runs in the task of the
    /// call and should return quickly.
    ///
    /// ```
    /// # use sandbox_client::Client;
    /// let builder = Client::builder().on_call_end(|report| {
    ///     println!("{} took {:?}", report.operation.id, report.duration);
    /// });
    /// # let _ = builder;
    /// ```
    pub fn on_call_end(mut self, observer: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        self.observers.call = Some(Arc::new(observer));
        self
    }

    /// Reports every attempt that got an answer or failed to `observer`,
    /// retries included. It runs in the task of the call and should return quickly.
    ///
    /// ```
    /// # use sandbox_client::Client;
    /// let builder = Client::builder().on_attempt_end(|report| {
    ///     println!("attempt {} of {}: {:?}", report.attempt, report.operation.id, report.error);
    /// });
    /// # let _ = builder;
    /// ```
    pub fn on_attempt_end(mut self, observer: impl Fn(&AttemptReport) + Send + Sync + 'static) -> Self {
        self.observers.attempt = Some(Arc::new(observer));
        self
    }

    /// The store for tokens. Default: in memory, for this client and its clones.
    pub fn token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Shares tokens and rate limit with other workers over a Redis or Valkey
    /// server; see [`redis`](crate::redis). A [`token_store`](ClientBuilder::token_store)
    /// or [`rate_limiter`](ClientBuilder::rate_limiter) of your own takes
    /// precedence, and with [`no_rate_limit`](ClientBuilder::no_rate_limit) only tokens are shared.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, redis: crate::redis::Redis) -> Self {
        self.redis = Some(redis);
        self
    }

    /// Checks all settings and builds the client. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with
    /// [`Error::field`] naming the setting, never its value.
    pub fn build(self) -> Result<Client, Error> {
        let key = self.key.ok_or_else(|| {
            Error::config("key", "is missing")
                .with_advice("set it with `ClientBuilder::key` or SANDBOX_API_KEY")
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
                    .with_advice("copy it again, or name the environment"));
            }
        };
        let platform_token =
            self.platform_token.map(|token| Token::for_field("platform_token", token)).transpose()?;
        let taxpayer_token =
            self.taxpayer_token.map(|token| Token::for_field("taxpayer_token", token)).transpose()?;
        if self.policy.max_body_bytes == 0 {
            return Err(Error::config("max_body_bytes", "is zero; no answer could be read"));
        }
        let http = self.http.unwrap_or_else(|| {
            let idle = self.max_in_flight;
            HttpSource::Function(Box::new(move || reqwest::Client::builder().pool_max_idle_per_host(idle)))
        });
        let timeouts = (self.connect_timeout, self.policy.attempt_timeout);
        let safety = Safety { plain: base_url.plain, timeouts, application: self.application };
        let http = Arc::new(Http::new(http, safety)?);

        let limit = environment.unwrap_or(Environment::Test).requests_per_minute();
        let key_header = credentials::sensitive(credentials.key.clone());
        let token_key =
            TokenKey::new(base_url.as_str(), credentials.key.expose_secret(), token::PLATFORM, None);
        let counted = |limit| -> Result<RateLimit, Error> {
            #[cfg(feature = "redis")]
            if let Some(redis) = &self.redis {
                return Ok(RateLimit::Custom(Arc::new(redis.rate_limiter(&token_key, limit)?)));
            }
            Ok(RateLimit::Local(SlidingWindow::new(limit)))
        };
        let rate_limit = match self.rate_limit {
            RateLimitSetting::Documented => counted(limit)?,
            RateLimitSetting::PerMinute(limit) => counted(limit)?,
            RateLimitSetting::Unlimited => RateLimit::Unlimited,
            RateLimitSetting::Custom(rate_limit) => RateLimit::Custom(rate_limit),
        };
        let store = self.store;
        #[cfg(feature = "redis")]
        let store = store.or_else(|| self.redis.clone().map(|redis| Arc::new(redis) as Arc<dyn TokenStore>));
        let store = store.unwrap_or_else(|| Arc::new(MemoryStore::default()));
        let store = Arc::new(Guard::new(store));
        let platform = Arc::new(Slot::new(token_key, Arc::clone(&store), PLATFORM_TERMS));
        if let Some(token) = platform_token {
            platform.adopt(SavedToken::new(token.clone(), platform_lifetime(&token, None)));
        }
        let addresses = OPERATIONS.iter().map(|operation| base_url.with_path(operation.path)).collect();
        let shared = Shared {
            http,
            files: FileHosts::new(self.transfer_http, timeouts)?,
            base_url,
            addresses,
            environment,
            credentials: Arc::new(credentials),
            key_header,
            store,
            platform,
            sessions: Mutex::default(),
            permits: Semaphore::new(self.max_in_flight),
            rate_limit,
            budget: Budget::default(),
            #[cfg(feature = "redis")]
            redis: self.redis,
            observers: self.observers,
        };
        let auth = taxpayer_token.map(|token| SessionAuth::new(token::TAXPAYER, TokenSource::Fixed(token)));
        Ok(Client { state: ClientState { shared: Arc::new(shared), policy: Arc::new(self.policy), auth } })
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
            .with_advice("take both from the same pair"));
    }
    if let (Some(key), Some(chosen)) = (of_key, environment)
        && key != chosen
    {
        return Err(Error::config("environment", format!("is {chosen}, and the key is one of {key}"))
            .with_advice(ADVICE));
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
        .with_advice(ADVICE));
    }
    let known_host = host.is_some() || base_url.is_none();
    if known_host && credentials.secret.is_some() && credentials.secret_environment().is_none() {
        return Err(Error::config("secret", "starts with neither `secret_live_` nor `secret_test_`")
            .with_advice("copy it again, or use `allow_mixed_environments`"));
    }
    Ok(())
}
