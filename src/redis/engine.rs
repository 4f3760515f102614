//! The connection, and whether it works.
//!
//! A failure is not an error for those who ask: they get nothing, and have a way
//! of their own to go on. While the engine is down it is tried once a second
//! by one of them, so that nobody else waits for it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    Client, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, ScriptInvocation,
    ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{Error, field};

/// Limit for making a connection, TLS and login included.
const CONNECT: Duration = Duration::from_secs(2);
/// Limit for one answer. What is asked takes well below a millisecond.
const ANSWER: Duration = Duration::from_secs(1);
/// While it is down, it is tried again after this time.
pub(crate) const TRY_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Engine {
    client: Client,
    /// Made on first use, since that needs a runtime.
    manager: Mutex<Option<ConnectionManager>>,
    health: Mutex<Health>,
}

enum Health {
    Up,
    Down { try_at: Instant },
}

impl Engine {
    pub fn new(url: &str) -> Result<Self, Error> {
        let unusable = |reason: &str| {
            Error::config(field::REDIS_URL, reason)
                .with_advice("write it as redis://user:password@host:6379/0, or rediss:// for TLS")
        };
        // The reason of the library may quote the address, password and all.
        let info =
            url.into_connection_info().map_err(|_| unusable("is not the address of a Redis server"))?;
        let client = Client::open(info).map_err(|_| unusable("cannot be used"))?;
        Ok(Self { client, manager: Mutex::default(), health: Mutex::new(Health::Up) })
    }

    pub fn is_up(&self) -> bool {
        matches!(*self.health(), Health::Up)
    }

    /// Runs a script; `None` while the engine is down.
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        if !self.may_try() {
            return None;
        }
        match self.send(script).await {
            Ok(answer) => {
                self.works();
                Some(answer)
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    async fn send<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> RedisResult<T> {
        let mut manager = self.manager()?;
        match script.invoke_async(&mut manager).await {
            // Closed while nobody used it, as servers and balancers do: the
            // manager has begun to reconnect.
            Err(error) if error.is_unrecoverable_error() && !error.is_timeout() => {
                script.invoke_async(&mut manager).await
            }
            result => result,
        }
    }

    fn manager(&self) -> RedisResult<ConnectionManager> {
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manager) = &*manager {
            return Ok(manager.clone());
        }
        crate::environment::install_tls_provider();
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(0);
        let new = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(manager.insert(new).clone())
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_try(&self) -> bool {
        match &mut *self.health() {
            Health::Up => true,
            Health::Down { try_at } if *try_at <= Instant::now() => {
                *try_at = Instant::now() + TRY_AGAIN;
                true
            }
            Health::Down { .. } => false,
        }
    }

    fn works(&self) {
        let before = std::mem::replace(&mut *self.health(), Health::Up);
        if matches!(before, Health::Down { .. }) {
            tracing::info!(target: "sandbox_client", "Redis is back; tokens and rate limit are shared again");
        }
    }

    fn failed(&self, error: &RedisError) {
        // The next attempt begins with a new connection: the manager connects
        // again by itself after a broken one, not after one that was refused.
        *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let down = Health::Down { try_at: Instant::now() + TRY_AGAIN };
        let before = std::mem::replace(&mut *self.health(), down);
        if matches!(before, Health::Up) {
            tracing::warn!(
                target: "sandbox_client",
                reason = reason(error),
                "Redis does not work; going on with tokens in memory and this worker's part of the limit"
            );
        }
    }
}

/// In our words: those of the library and the server may hold addresses.
fn reason(error: &RedisError) -> &'static str {
    match error.kind() {
        _ if error.is_timeout() => "no answer in time",
        _ if error.code() == Some("OOM") => "its memory is full",
        _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS")) => "it does not accept user or password",
        ErrorKind::AuthenticationFailed => "it does not accept user or password",
        ErrorKind::Server(ServerErrorKind::NoPerm) => "the user may not do what is needed",
        ErrorKind::Server(ServerErrorKind::ReadOnly) => "it is a read-only replica",
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "it is starting",
        ErrorKind::InvalidClientConfig => "the address or TLS cannot be used",
        ErrorKind::Io => "it cannot be reached",
        _ => "it refused a script; Redis 6.2 or newer, or Valkey, is needed",
    }
}
