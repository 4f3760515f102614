//! What a client carries: what all clones share, and what is its own.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use reqwest::{Url, header::HeaderValue};
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::http::{FileHosts, Http};
use crate::{
    Environment, Error, RateLimiter, RetryPolicy, TaxpayerId, TokenKey,
    credentials::{self, ApiKey},
    environment::BaseUrl,
    observe::Observers,
    rate_limit::{self, SlidingWindow},
    retry::Budget,
    token::{Guard, SessionAuth, Slot, Terms},
};

/// What one client carries: what all clones share, and what is its own.
#[derive(Clone)]
pub struct ClientState {
    pub(super) shared: Arc<Shared>,
    pub(super) policy: Arc<Policy>,
    pub(super) auth: Option<SessionAuth>,
}

pub(super) struct Shared {
    pub(super) http: Arc<Http>,
    pub(super) files: FileHosts,
    pub(super) base_url: BaseUrl,
    /// Of each operation in the order of the table, to be copied for a request.
    /// Those with a path parameter stand here as templates and are not copied.
    pub(super) addresses: Vec<Url>,
    pub(super) environment: Option<Environment>,
    pub(super) credentials: Arc<ApiKey>,
    pub(super) key_header: HeaderValue,
    pub(super) store: Arc<Guard>,
    pub(super) platform: Arc<Slot>,
    pub(super) sessions: Mutex<Sessions>,
    pub(super) permits: Semaphore,
    pub(super) rate_limit: RateLimit,
    pub(super) budget: Budget,
    #[cfg(feature = "redis")]
    pub(super) redis: Option<crate::redis::Redis>,
    pub(super) observers: Observers,
}

/// The slots that are in use. A slot lives as long as a handle or a client
/// that uses it, since the token store keeps the session: thousands of
/// taxpayers, one after another, cost no memory.
#[derive(Default)]
pub(super) struct Sessions {
    slots: HashMap<SlotOf, Weak<Slot>>,
    /// How many entries there may be before the dead ones are swept out.
    room: usize,
}

/// Kind of session, server where it is not the first, and whose it is.
type SlotOf = (&'static str, Option<&'static str>, TaxpayerId);

impl Sessions {
    fn slot(&mut self, of: SlotOf, new: impl FnOnce(TaxpayerId) -> Slot) -> Arc<Slot> {
        if let Some(slot) = self.slots.get(&of).and_then(Weak::upgrade) {
            return slot;
        }
        if self.slots.len() >= self.room {
            self.slots.retain(|_, slot| slot.strong_count() > 0);
            self.room = (2 * self.slots.len()).max(64);
        }
        let slot = Arc::new(new(of.2.clone()));
        self.slots.insert(of, Arc::downgrade(&slot));
        slot
    }
}

pub(super) enum RateLimit {
    Unlimited,
    Local(SlidingWindow),
    Custom(Arc<dyn RateLimiter>),
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
    pub wait_outside_deadline: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            attempt_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(90),
            max_body_bytes: 16 * 1024 * 1024,
            wait_outside_deadline: false,
        }
    }
}

impl ClientState {
    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.shared.base_url
    }

    /// The address of the operation at this place of the table. Where its path
    /// has parameters, this is still the template.
    pub(crate) fn address(&self, operation: usize) -> &Url {
        &self.shared.addresses[operation]
    }

    pub(crate) fn http(&self) -> &Arc<Http> {
        &self.shared.http
    }

    /// The HTTP client for signed URLs, by plain http or https.
    pub(crate) fn file_http(&self, plain: bool) -> Result<&reqwest::Client, Error> {
        self.shared.files.client(plain)
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.shared.observers
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

    pub(crate) fn platform(&self) -> &Arc<Slot> {
        &self.shared.platform
    }

    pub(crate) fn auth(&self) -> Option<&SessionAuth> {
        self.auth.as_ref()
    }

    /// The one place of the token of a session, for all clones of a client.
    pub(crate) fn slot_of(
        &self,
        kind: &'static str,
        terms: Terms,
        of: TaxpayerId,
        server: Option<&'static str>,
    ) -> Arc<Slot> {
        let shared = &self.shared;
        let mut sessions = shared.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.slot((kind, server, of), |of| {
            let key = shared.credentials.key.expose_secret();
            let key = TokenKey::new(shared.base_url.as_str(), key, kind, Some(of)).on(server);
            Slot::new(key, Arc::clone(&shared.store), terms)
        })
    }

    /// The same state with another session.
    pub(crate) fn with_auth(&self, auth: SessionAuth) -> Self {
        Self { auth: Some(auth), ..self.clone() }
    }

    pub(crate) fn with_policy(&self, change: impl FnOnce(&mut Policy)) -> Self {
        let mut state = self.clone();
        change(Arc::make_mut(&mut state.policy));
        state
    }

    pub(crate) fn environment(&self) -> Option<Environment> {
        self.shared.environment
    }

    #[cfg(feature = "redis")]
    pub(crate) fn redis(&self) -> Option<&crate::redis::Redis> {
        self.shared.redis.as_ref()
    }

    pub(crate) fn estimated_wait(&self) -> Duration {
        match &self.shared.rate_limit {
            RateLimit::Unlimited => Duration::ZERO,
            RateLimit::Local(window) => window.estimated_wait(),
            RateLimit::Custom(rate_limit) => rate_limit.estimated_wait(),
        }
    }

    /// Waits for a permit among the requests in flight and then for the rate
    /// limit, until the deadline at most. The permit is held until the answer
    /// is there; it comes first, so that a request is sent when it is counted.
    pub(crate) async fn acquire(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Error> {
        let permit = if let Ok(permit) = self.shared.permits.try_acquire() {
            permit
        } else {
            tokio::time::timeout_at(deadline.into(), self.shared.permits.acquire())
                .await
                .map_err(|_| rate_limit::too_slow(None, self.paused_for()))?
                .expect("never closed")
        };
        match &self.shared.rate_limit {
            RateLimit::Unlimited => {}
            RateLimit::Local(window) => window.acquire(deadline).await?,
            RateLimit::Custom(rate_limit) => tokio::time::timeout_at(deadline.into(), rate_limit.acquire())
                .await
                .map_err(|_| rate_limit::too_slow(None, rate_limit.paused_for()))?,
        }
        Ok(permit)
    }

    /// How long the pause goes on that the provider asked for.
    pub(crate) fn paused_for(&self) -> Duration {
        match &self.shared.rate_limit {
            RateLimit::Unlimited => Duration::ZERO,
            RateLimit::Local(window) => window.paused_for(),
            RateLimit::Custom(rate_limit) => rate_limit.paused_for(),
        }
    }

    pub(crate) fn pause(&self, wait: Duration) {
        match &self.shared.rate_limit {
            RateLimit::Unlimited => {}
            RateLimit::Local(window) => window.pause(wait),
            RateLimit::Custom(rate_limit) => rate_limit.pause(wait),
        }
    }
}

impl fmt::Debug for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientState")
            .field("environment", &self.shared.environment)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
