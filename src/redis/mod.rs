#![doc = include_str!("README.md")]

mod engine;
mod maintenance;
mod memory;
mod rate_limit;
mod seal;
mod tokens;
#[cfg(feature = "ims")]
mod work_queue;

use std::{
    env, fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use crate::{Error, TokenKey, field};
use engine::Engine;
#[cfg(feature = "ims")]
pub(crate) use engine::TRY_AGAIN;
use maintenance::Maintenance;
use memory::Tokens;
use rate_limit::Shared;
pub(crate) use rate_limit::SharedRateLimiter;
pub use seal::EncryptionKey;
use seal::Seal;
#[cfg(feature = "ims")]
pub(crate) use work_queue::{Entry, HEARTBEAT, WorkQueue};

/// A script, with what all scripts have in front.
macro_rules! script {
    ($name:literal) => {
        std::sync::LazyLock::new(|| {
            redis::Script::new(concat!(
                include_str!("scripts/clock.lua"),
                include_str!("scripts/generation.lua"),
                include_str!(concat!("scripts/", $name, ".lua"))
            ))
        })
    };
}
use script;

/// A Redis or Valkey server that several workers share; see the
/// [module](self) for what it does.
///
/// Cheap to clone; clones share one connection. It
/// implements [`TokenStore`](crate::TokenStore), so you can put your own store in front of it.
///
/// ```
/// use sandbox_client::{Client, redis::{EncryptionKey, Redis}};
///
/// # fn main() -> Result<(), sandbox_client::Error> {
/// let key = EncryptionKey::from_base64("m1hVQ0Yk3aUO1zkn0lq2P8XbHnLSt9yyYzq9CwB5o2s=")?;
/// let redis = Redis::new("rediss://worker:password@redis.example:6379", &key, 3)?;
/// let client = Client::builder().key("key_test_0000000000000000").redis(redis).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    engine: Engine,
    seal: Seal,
    workers: u32,
    tokens: Tokens,
    rate_limiters: Mutex<Vec<Weak<Shared>>>,
    maintenance: Maintenance,
}

impl Redis {
    /// Creates a handle from the URL of the server, the key that encrypts tokens, and the
    /// maximum number of workers: while the server is unreachable, each worker uses its
    /// share of the rate limit. Sends nothing.
    ///
    /// The URL is `redis://user:password@host:6379/0`; `rediss://` for TLS
    /// with the system's certificates (or those that `SSL_CERT_FILE` names).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the field
    /// `redis_url` or `redis_workers`, never its value.
    pub fn new(url: &str, key: &EncryptionKey, workers: u32) -> Result<Self, Error> {
        if workers == 0 {
            return Err(
                Error::config(field::REDIS_WORKERS, "is zero").with_advice("name how many workers there are")
            );
        }
        Ok(Self(Arc::new(Inner {
            engine: Engine::new(url)?,
            seal: Seal::new(key),
            workers,
            tokens: Tokens::default(),
            rate_limiters: Mutex::default(),
            maintenance: Maintenance::default(),
        })))
    }

    /// Reads the server from the environment; `None` if it names none.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `SANDBOX_REDIS_URL` | the URL |
    /// | `SANDBOX_REDIS_KEY` | the encryption key, 32 bytes in base64 |
    /// | `SANDBOX_REDIS_WORKERS` | how many workers there are at most |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable
    /// that is missing, empty or malformed; never its value.
    pub fn from_env() -> Result<Option<Self>, Error> {
        const NAMES: [&str; 3] = ["SANDBOX_REDIS_URL", "SANDBOX_REDIS_KEY", "SANDBOX_REDIS_WORKERS"];
        if NAMES.iter().all(|name| env::var_os(name).is_none()) {
            return Ok(None);
        }
        let variable = |name: &'static str| {
            crate::environment::variable(name)?.ok_or_else(|| {
                Error::config(name, "is not set").with_advice(
                    "sharing over Redis needs SANDBOX_REDIS_URL, SANDBOX_REDIS_KEY and SANDBOX_REDIS_WORKERS",
                )
            })
        };
        let [url, key, workers] = NAMES.map(variable);
        let key = EncryptionKey::from_base64(&key?).map_err(|error| error.with_field(NAMES[1]))?;
        let workers = workers?
            .trim()
            .parse()
            .map_err(|_| Error::config(NAMES[2], "is not a number").with_advice("such as 3"))?;
        let redis = Self::new(&url?, &key, workers).map_err(|error| {
            let workers = error.field() == Some(field::REDIS_WORKERS);
            error.with_field(if workers { NAMES[2] } else { NAMES[0] })
        })?;
        Ok(Some(redis))
    }

    /// Whether the server answered the last command. If `false`, calls continue with the
    /// tokens in memory and this worker's share of the rate limit, until the server is
    /// back. `true` before the first command.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.engine.is_up()
    }

    /// The shared rate limit of an API key, named by the key of its platform token.
    pub(crate) fn rate_limiter(&self, key: &TokenKey, limit: u32) -> Result<SharedRateLimiter, Error> {
        let part = limit.max(1) / self.0.workers;
        if part == 0 {
            return Err(Error::config(field::REDIS_WORKERS, "is above the requests a minute").with_advice(
                "fewer workers, or more requests a minute: without the server each worker has its part",
            ));
        }
        let limiter = SharedRateLimiter::new(Arc::clone(&self.0), &key.id(), limit.max(1), part);
        let mut rate_limiters = self.0.rate_limiters.lock().unwrap_or_else(PoisonError::into_inner);
        rate_limiters.retain(|limiter| limiter.strong_count() > 0);
        rate_limiters.push(limiter.downgrade());
        Ok(limiter)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("is_up", &self.is_up())
            .field("workers", &self.0.workers)
            .finish_non_exhaustive()
    }
}

/// All names begin with this.
const PREFIX: &str = "sandbox-client";

fn generation_name() -> String {
    format!("{PREFIX}:generation")
}

/// As scripts take it.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
