//! One token, shared by everyone who needs it.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    SavedToken, TokenKey, TokenStore,
    shared::{LOOK_AGAIN, store_failed},
};
use crate::{Error, Token};

/// After a failed early renewal, the next is tried no sooner than this.
const RENEWAL_PAUSE: Duration = Duration::from_secs(60);

/// An early renewal that takes longer is given up for now.
const LONGEST_RENEWAL: Duration = Duration::from_secs(10);

/// A place for one token: platform or one taxpayer's.
pub(crate) struct Slot {
    pub(super) key: TokenKey,
    pub(super) store: Arc<dyn TokenStore>,
    /// Longest time before its end at which a token is renewed.
    margin: Duration,
    held: Mutex<Option<Held>>,
    /// The token that the server refused last: a store that others share may
    /// give it once more while it is being removed.
    pub(super) dead: Mutex<Option<Token>>,
    /// Held by the one that renews; the others wait for its result.
    flight: tokio::sync::Mutex<Option<Error>>,
    flights: AtomicU64,
}

#[derive(Clone)]
pub(super) struct Held {
    pub(super) saved: SavedToken,
    renew_at: Instant,
    expires_at: Instant,
}

/// A token to use now.
pub(crate) struct Lease {
    pub token: Token,
    /// Had from the server for this very call: should it be refused, another
    /// would be refused too.
    pub new: bool,
}

impl Slot {
    pub fn new(key: TokenKey, store: Arc<dyn TokenStore>, margin: Duration) -> Self {
        Self {
            key,
            store,
            margin,
            held: Mutex::default(),
            dead: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
            flights: AtomicU64::new(0),
        }
    }

    pub fn key(&self) -> &TokenKey {
        &self.key
    }

    pub(super) fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token with its times, dead or alive.
    pub fn saved(&self) -> Option<SavedToken> {
        self.held().as_ref().map(|held| held.saved.clone())
    }

    /// Takes a token that was kept elsewhere.
    pub fn adopt(&self, saved: SavedToken) {
        let life = saved.expires_at.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        self.hold(saved, life);
    }

    fn hold(&self, saved: SavedToken, life: Duration) {
        let now = Instant::now();
        // A tenth of the whole life, not of what is left: a session that was
        // restored shortly before its end is due at once.
        let whole = saved.expires_at.duration_since(saved.issued_at).unwrap_or(life);
        let margin = self.margin.min(whole / 10);
        let held = Held { saved, renew_at: now + life.saturating_sub(margin), expires_at: now + life };
        *self.held() = Some(held);
    }

    /// Takes a token that the server has just given, and keeps it in the
    /// store. Should the store have a newer one, that is the one to use.
    pub async fn put(&self, token: Token, life: Duration, session_expires_at: Option<SystemTime>) {
        let saved = SavedToken { session_expires_at, ..SavedToken::new(token, life) };
        self.hold(saved.clone(), life);
        match self.store.put_if_newer(&self.key, &saved).await {
            Ok(true) => {}
            Ok(false) => drop(self.reread().await),
            Err(_) => store_failed(),
        }
    }

    /// Forgets the token, here and in the store.
    pub async fn forget(&self) {
        *self.held() = None;
        if self.store.remove(&self.key).await.is_err() {
            store_failed();
        }
    }

    /// The token, if it lives and need not be renewed yet.
    pub fn fresh(&self) -> Option<Lease> {
        match self.alive() {
            (Some(token), false) => Some(Lease { token, new: false }),
            _ => None,
        }
    }

    /// A token to use now, had with `renew` where there is none that lives.
    ///
    /// Near its end a token is renewed by one caller, while the others go on
    /// with it; should that fail, so does the one. Where none lives, all wait
    /// for one renewal and share its result. `renew` keeps what it gets by [`put`](Slot::put).
    pub async fn token<F: Future<Output = Result<(), Error>>>(
        &self,
        renew: impl FnOnce(Option<Token>) -> F,
    ) -> Result<Option<Lease>, Error> {
        let (current, due) = self.alive();
        if let Some(token) = current {
            if !due {
                return Ok(Some(Lease { token, new: false }));
            }
            let Ok(mut flight) = self.flight.try_lock() else { return Ok(Some(Lease { token, new: false })) };
            if let (Some(token), false) = self.alive() {
                return Ok(Some(Lease { token, new: false }));
            }
            // Another process may have renewed it, or be at it.
            let mut claim = if self.renewed_by_another().await { None } else { self.claim().await };
            // The one before may have finished since the store was read.
            if claim.is_some() && self.renewed_by_another().await {
                claim = None;
            }
            let Some(_claim) = claim else {
                if let Some(held) = self.held().as_mut() {
                    held.renew_at = held.renew_at.max(Instant::now() + LOOK_AGAIN);
                }
                return Ok(self.alive().0.map(|token| Lease { token, new: false }));
            };
            let renewal = self.fly(&mut flight, renew(Some(token)));
            let failed = match tokio::time::timeout(self.patience(), renewal).await {
                Ok(result) => result.is_err(),
                Err(_) => true,
            };
            if failed {
                tracing::warn!(target: "sandbox_client", "early renewal of a token failed; going on with it");
                if let Some(held) = self.held().as_mut() {
                    held.renew_at = Instant::now() + RENEWAL_PAUSE;
                }
            }
            return Ok(self.alive().0.map(|token| Lease { token, new: false }));
        }

        let seen = self.flights.load(Ordering::SeqCst);
        let mut flight = self.flight.lock().await;
        if let (Some(token), _) = self.alive() {
            return Ok(Some(Lease { token, new: false }));
        }
        if self.flights.load(Ordering::SeqCst) != seen
            && let Some(error) = flight.as_ref()
        {
            return Err(error.clone());
        }
        let _claim = loop {
            if let Some(token) = self.find().await {
                return Ok(Some(Lease { token, new: false }));
            }
            match self.claim().await {
                // The one before may have finished since the store was read.
                Some(claim) => match self.find().await {
                    Some(token) => return Ok(Some(Lease { token, new: false })),
                    None => break claim,
                },
                None => tokio::time::sleep(LOOK_AGAIN.mul_f64(1.0 + fastrand::f64())).await,
            }
        };
        self.fly(&mut flight, renew(None)).await?;
        Ok(self.saved().map(|saved| Lease { token: saved.token, new: true }))
    }

    /// How long a call waits for an early renewal: not so long that the token
    /// it could have used dies meanwhile.
    fn patience(&self) -> Duration {
        let left = self
            .held()
            .as_ref()
            .map_or(Duration::ZERO, |held| held.expires_at.saturating_duration_since(Instant::now()));
        (left / 2).min(LONGEST_RENEWAL)
    }

    async fn fly(
        &self,
        flight: &mut Option<Error>,
        renewal: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let result = renewal.await;
        *flight = result.as_ref().err().cloned();
        self.flights.fetch_add(1, Ordering::SeqCst);
        result
    }

    pub fn is_alive(&self) -> bool {
        self.alive().0.is_some()
    }

    /// The token if it lives, and whether it should be renewed.
    pub(super) fn alive(&self) -> (Option<Token>, bool) {
        let now = Instant::now();
        match &*self.held() {
            Some(held) if now < held.expires_at => (Some(held.saved.token.clone()), now >= held.renew_at),
            _ => (None, true),
        }
    }
}
