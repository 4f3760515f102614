//! One token, shared by everyone who needs it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
use secrecy::SecretString;
use tokio::sync::watch;

use super::{
    Guard, SavedToken, Terms, TokenKey,
    flight::{Look, Written},
    guard::StoreFailure,
    state::{Accepted, Asked, Landed, Moment, State},
};
use crate::{BoxFuture, Error, ErrorKind, Token};

/// An early renewal, and one that a refused call waits for, is waited for so
/// long at most. It goes on by itself.
pub(super) const LONGEST_RENEWAL: Duration = Duration::from_secs(10);

/// How a token is obtained and ended: what a kind of session tells its slot.
pub(crate) trait Renewal: Send + Sync + 'static {
    /// Whether a token can be obtained without a person.
    fn opens(&self) -> bool;

    /// A new token, in exchange for a valid one; or else without any.
    fn renew(&self, current: Option<Token>) -> BoxFuture<'static, Result<Fresh, Error>>;

    /// Ends a token at the provider that nobody will use.
    fn end(&self, token: Token) -> BoxFuture<'static, ()>;

    /// Why there is no token.
    fn over(&self) -> Error;
}

/// A token that the server has just given.
pub(crate) struct Fresh {
    pub token: Token,
    pub life: Duration,
    /// The provider's `session_expiry`.
    pub session_expires_at: Option<SystemTime>,
}

/// A token to use now.
pub(crate) struct Lease {
    pub token: Token,
    /// Obtained from the server for this very call: should it be refused,
    /// another would be refused too.
    pub new: bool,
}

impl From<Landed> for Lease {
    fn from(landed: Landed) -> Self {
        Self { token: landed.token, new: landed.new }
    }
}

/// A place for one token: of the platform, or of one session.
pub(crate) struct Slot {
    pub(super) key: TokenKey,
    pub(super) store: Arc<Guard>,
    pub(super) terms: Terms,
    pub(super) state: Mutex<State>,
    /// Held while the store is written, so that what was decided last is
    /// written last.
    pub(super) writing: tokio::sync::Mutex<()>,
    /// What the SDK logs in with by itself, for kinds that have such a thing.
    #[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
    credential: Mutex<Option<Arc<SecretString>>>,
}

impl Slot {
    pub fn new(key: TokenKey, store: Arc<Guard>, terms: Terms) -> Self {
        Self {
            key,
            store,
            terms,
            state: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            #[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
            credential: Mutex::default(),
        }
    }

    pub fn key(&self) -> &TokenKey {
        &self.key
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret that the SDK logs in with by itself. In memory only.
    #[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
    pub fn credential(&self) -> Option<Arc<SecretString>> {
        self.credential.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
    pub fn set_credential(&self, secret: SecretString) {
        *self.credential.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(secret));
    }

    /// The token with its times, expired or not.
    pub fn saved(&self) -> Option<SavedToken> {
        self.state().saved().cloned()
    }

    pub fn is_alive(&self) -> bool {
        self.state().alive(Instant::now()).is_some()
    }

    /// The moment that something begins which [`open`](Slot::open) will end.
    pub fn moment(&self) -> Moment {
        self.state().moment()
    }

    /// Takes a token that the caller has kept.
    pub fn adopt(&self, saved: SavedToken) {
        let saved = saved.clamped(self.terms.longest, SystemTime::now());
        self.state().resumed(saved, self.terms.margin, Instant::now());
    }

    /// The token, if it is valid and need not be renewed yet.
    pub fn fresh(&self) -> Option<Lease> {
        let state = self.state();
        let (token, due) = state.alive(Instant::now())?;
        (!due).then(|| Lease { token: token.clone(), new: false })
    }

    /// A token to use now.
    ///
    /// Near its end a token is renewed for one caller, who waits for that a
    /// while, and the others go on with it. Where none is valid, all wait for one
    /// renewal and share its result. The renewal is a task of its own: nothing
    /// is lost if the caller goes away.
    pub async fn token(self: &Arc<Self>, how: Arc<dyn Renewal>) -> Result<Lease, Error> {
        loop {
            let asked = self.state().ask(Instant::now());
            let (mut outcome, own) = match asked {
                Asked::Use(token) => return Ok(Lease { token, new: false }),
                Asked::Join(outcome) => (outcome, false),
                Asked::Start(start) => {
                    let outcome = start.joined.clone();
                    self.fly(start, Arc::clone(&how));
                    (outcome, true)
                }
            };
            let patience = self.patience();
            let landed = if patience > Duration::ZERO {
                // A token is valid: what the renewal brings is welcome, not needed.
                match tokio::time::timeout(patience, landed(&mut outcome)).await {
                    Ok(Some(Ok(landed))) => Some(Ok(landed)),
                    _ if self.is_alive() => continue,
                    _ => None,
                }
            } else {
                landed(&mut outcome).await
            };
            match landed {
                Some(result) => return result.map(Lease::from),
                None if own => return Err(lost()),
                None => {}
            }
        }
    }

    /// A new token although one is valid. Those who ask at once share one.
    pub async fn renew(self: &Arc<Self>, how: Arc<dyn Renewal>) -> Result<(), Error> {
        loop {
            let asked = self.state().ask_for_new();
            let (mut outcome, own) = match asked {
                Asked::Start(start) => {
                    let outcome = start.joined.clone();
                    self.fly(start, Arc::clone(&how));
                    (outcome, true)
                }
                Asked::Join(outcome) => (outcome, false),
                Asked::Use(_) => return Ok(()),
            };
            match landed(&mut outcome).await {
                Some(result) => return result.map(drop),
                None if own => return Err(lost()),
                None => {}
            }
        }
    }

    /// How long a call waits for an early renewal: not so long that the token
    /// it could have used expires meanwhile.
    fn patience(&self) -> Duration {
        (self.state().left(Instant::now()) / 2).min(LONGEST_RENEWAL)
    }

    /// Takes a token that the server has just given to a login that began at
    /// `moment`, and stores it.
    ///
    /// # Errors
    ///
    /// The session was ended meanwhile; the token is ended too.
    pub async fn open(&self, moment: Moment, fresh: Fresh, how: &dyn Renewal) -> Result<(), Error> {
        let accept = |state: &mut State, saved, margin| state.opened(moment, saved, margin, Instant::now());
        self.keep(fresh, None, how, accept).await.map(drop)
    }

    /// Holds and stores what the server gave, unless it came too late. `opened_at`
    /// is when its session was opened, if it is not new.
    pub(super) async fn keep(
        &self,
        fresh: Fresh,
        opened_at: Option<SystemTime>,
        how: &dyn Renewal,
        accept: impl FnOnce(&mut State, SavedToken, Duration) -> Accepted,
    ) -> Result<Landed, Error> {
        let token = fresh.token.clone();
        let saved = SavedToken {
            session_expires_at: fresh.session_expires_at,
            opened_at,
            key: Some(self.key.id()),
            ..SavedToken::new(fresh.token, fresh.life)
        };
        let writing = self.writing.lock().await;
        let (accepted, stored, moment) = {
            let mut state = self.state();
            let accepted = accept(&mut state, saved.clone(), self.terms.margin);
            (accepted, state.stored.clone(), state.moment())
        };
        match accepted {
            Accepted::Held => {}
            Accepted::Ended => {
                drop(writing);
                how.end(token).await;
                return Err(how.over());
            }
            Accepted::Superseded => {
                let held = self.state().saved().map(|saved| saved.token.clone());
                return held.map(|token| Landed { token, new: false }).ok_or_else(|| how.over());
            }
        }
        let written = self.write(&saved, stored).await;
        let landed = {
            let mut state = self.state();
            if state.has_ended_since(moment) {
                None
            } else {
                match written {
                    Written::Kept => {
                        state.stored = Some(token.clone());
                        Some(Landed { token: token.clone(), new: true })
                    }
                    Written::Unknown => Some(Landed { token: token.clone(), new: true }),
                    Written::Other(other) => {
                        let found = other.token.clone();
                        state.found(moment, other, self.terms.margin, Instant::now());
                        Some(Landed { token: found, new: false })
                    }
                    Written::Removed if how.opens() => {
                        state.stored = None;
                        Some(Landed { token: token.clone(), new: true })
                    }
                    Written::Removed => {
                        state.ended_elsewhere(&token);
                        None
                    }
                }
            }
        };
        drop(writing);
        let Some(landed) = landed else {
            how.end(token).await;
            return Err(how.over());
        };
        Ok(landed)
    }

    /// Forgets the token, here and in the store. What is on its way is dropped.
    ///
    /// # Errors
    ///
    /// The store failed and may still have it. It is not taken from there.
    pub async fn forget(&self) -> Result<(), StoreFailure> {
        // At once, before anything is waited for.
        self.state().ended();
        let _writing = self.writing.lock().await;
        self.store.remove(&self.key).await
    }

    /// Whether a token is valid, here or in the store.
    pub async fn find(&self) -> Result<bool, Error> {
        if self.is_alive() {
            return Ok(true);
        }
        let moment = self.moment();
        let found = match self.look().await? {
            Look::Found(found) => self.take(moment, found),
            Look::Empty | Look::Nothing => false,
        };
        Ok(found || self.is_alive())
    }
}

/// The outcome of a renewal; `None` if its task ended without any.
pub(super) async fn landed(
    outcome: &mut watch::Receiver<Option<Result<Landed, Error>>>,
) -> Option<Result<Landed, Error>> {
    let outcome = outcome.wait_for(Option::is_some).await.ok()?;
    outcome.clone()
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Transport,
        "the renewal of the token ended without a result: its task panicked or was shut down",
    )
}
