//! A renewal in flight, and what other processes that use the store have to
//! do with it.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tracing::Instrument as _;

use super::{
    SavedToken, Slot,
    guard::StoreFailure,
    slot::{LONGEST_RENEWAL, Renewal, landed},
    state::{Aim, Landed, Moment, RENEWAL_PAUSE, Refused, Start},
};
use crate::{Error, Token};

/// While another process renews, the store is asked again after this time,
/// and up to as much again so that not all ask at once.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the store has.
pub(super) enum Look {
    Empty,
    /// What is held already, or cannot be used.
    Nothing,
    Found(SavedToken),
}

/// What the store made of a token that was written.
pub(super) enum Written {
    Kept,
    /// It failed, or does not give back what it was given.
    Unknown,
    /// It has another token, which came later.
    Other(SavedToken),
    /// The token in whose place this one was to be was removed.
    Removed,
}

impl Slot {
    /// Runs a renewal as a task of its own.
    pub(super) fn fly(self: &Arc<Self>, start: Start, how: Arc<dyn Renewal>) {
        let landing = Landing { slot: Arc::clone(self), number: start.number };
        let task = async move {
            let slot = &landing.slot;
            let outcome = slot.flight(&start, &*how).await;
            if let Err(error) = &outcome
                && start.aim == Aim::Early
            {
                let error = error.to_string();
                tracing::warn!(target: "sandbox_client", error, "early renewal of a token failed; going on with it");
                slot.state().postpone(Instant::now(), RENEWAL_PAUSE);
            }
            // First over, then told: who is told may start the next.
            slot.state().landed(start.number);
            start.outcome.send_replace(Some(outcome));
        };
        tokio::spawn(task.in_current_span());
    }

    async fn flight(&self, start: &Start, how: &dyn Renewal) -> Result<Landed, Error> {
        let mut waited = false;
        let mut failure = None;
        let _claim = loop {
            if let Some(landed) = self.search(start, how, waited, &mut failure).await? {
                return Ok(landed);
            }
            match self.claim().await {
                // The one before may have finished since the store was read.
                Some(claim) => match self.search(start, how, waited, &mut failure).await? {
                    Some(landed) => return Ok(landed),
                    None => break claim,
                },
                None if start.aim == Aim::Early => {
                    let mut state = self.state();
                    state.postpone(Instant::now(), LOOK_AGAIN);
                    let token = state.alive(Instant::now()).map(|(token, _)| token.clone());
                    return token.map(|token| Landed { token, new: false }).ok_or_else(|| how.over());
                }
                None => {
                    waited = true;
                    tokio::time::sleep(LOOK_AGAIN.mul_f64(1.0 + fastrand::f64())).await;
                }
            }
        };
        let (current, opened_at) = {
            let state = self.state();
            if state.has_ended_since(start.moment) {
                return Err(how.over());
            }
            let current = state.alive(Instant::now()).map(|(token, _)| token.clone());
            if state.is_void(start.moment) {
                return current.map(|token| Landed { token, new: false }).ok_or_else(|| how.over());
            }
            // A login of its own goes on with nothing.
            let opened_at =
                state.saved().filter(|_| current.is_some() && !how.opens()).map(SavedToken::opened);
            (current, opened_at)
        };
        let known = current.is_some();
        let fresh = how.renew(current).await.map_err(|error| match failure {
            // That there is no session is not known.
            Some(failure) if error.is_session_expired() && !known => Error::from(failure),
            _ => error,
        })?;
        self.keep(fresh, opened_at, how, |state, saved, margin| {
            state.renewed(start.moment, saved, margin, Instant::now())
        })
        .await
    }

    /// The token that makes a renewal needless, as far as the store has one.
    async fn search(
        &self,
        start: &Start,
        how: &dyn Renewal,
        waited: bool,
        failure: &mut Option<StoreFailure>,
    ) -> Result<Option<Landed>, Error> {
        let looked = self.look().await;
        // One who wants a new token takes what another process has just
        // renewed, and renews what was there before.
        let enough = start.aim != Aim::New || waited;
        if enough && let Some(token) = self.state().suffices(start, Instant::now()) {
            return Ok(Some(Landed { token, new: false }));
        }
        let found = match looked {
            Ok(Look::Found(found)) => found,
            Ok(Look::Nothing) => return Ok(None),
            Ok(Look::Empty) => return self.notice_removal(how).map(|()| None),
            Err(error) => {
                *failure = Some(error);
                return Ok(None);
            }
        };
        let longer = self.state().saved().is_none_or(|held| held.expires_at < found.expires_at);
        if start.aim == Aim::Early && !longer {
            return Ok(None);
        }
        let token = found.token.clone();
        let taken = self.take(start.moment, found);
        if self.state().has_ended_since(start.moment) {
            return Err(how.over());
        }
        Ok((taken && enough).then_some(Landed { token, new: false }))
    }

    /// The store has nothing. Where it had the token that is held, another
    /// process has ended the session, and a renewal would revive it; a token
    /// that needs no person to be had is stored again.
    fn notice_removal(&self, how: &dyn Renewal) -> Result<(), Error> {
        let mut state = self.state();
        if how.opens() {
            state.stored = None;
            return Ok(());
        }
        let Some(stored) = state.stored.clone() else { return Ok(()) };
        if state.ended_elsewhere(&stored) { Err(how.over()) } else { Ok(()) }
    }

    /// What the store has, if it can be used and is not what is held.
    pub(super) async fn look(&self) -> Result<Look, StoreFailure> {
        let Some(found) = self.store.get(&self.key).await? else { return Ok(Look::Empty) };
        let now = SystemTime::now();
        let found = found.clamped(self.terms.longest, now);
        let state = self.state();
        let known =
            state.is_spent(&found.token) || state.saved().is_some_and(|held| held.token == found.token);
        Ok(if known || found.expires_at <= now { Look::Nothing } else { Look::Found(found) })
    }

    /// Takes what the store has; whether that may be.
    pub(super) fn take(&self, moment: Moment, found: SavedToken) -> bool {
        self.state().found(moment, found, self.terms.margin, Instant::now())
    }

    /// Writes a new token into the store, in the place of the one that it is
    /// known to have, and reads it back. What came from the server now is
    /// newer, whatever the times say that are stored.
    pub(super) async fn write(&self, saved: &SavedToken, stored: Option<Token>) -> Written {
        let renewed = stored.is_some();
        let mut old = stored;
        for _ in 0..3 {
            let kept = match &old {
                Some(old) => self.store.replace(&self.key, old, saved).await,
                None => self.store.put_if_newer(&self.key, saved).await,
            };
            let Ok(kept) = kept else { return Written::Unknown };
            let Ok(found) = self.store.get(&self.key).await else { return Written::Unknown };
            match found {
                Some(found) if found.token == saved.token => return Written::Kept,
                Some(_) if kept => break,
                None if kept || !renewed => break,
                None => return Written::Removed,
                Some(found) => {
                    let now = SystemTime::now();
                    let later = found.issued_at <= saved.issued_at && found.expires_at > now;
                    if later && !self.state().is_spent(&found.token) {
                        return Written::Other(found.clamped(self.terms.longest, now));
                    }
                    old = Some(found.token);
                }
            }
        }
        self.store.lies("it does not give back the token that was put into it");
        Written::Unknown
    }

    /// The right to renew, among all processes that share the store. `None`
    /// where another has it. A store that fails cannot forbid it.
    async fn claim(&self) -> Option<Claim<'_>> {
        match self.store.claim(&self.key).await {
            Ok(true) => Some(Claim(Some(self))),
            Ok(false) => None,
            Err(_) => Some(Claim(None)),
        }
    }

    /// The server refused `token`. Gives the one to try in its place, if there
    /// is one here or in the store, or will be in a moment: while it is being
    /// renewed, here or by another process, that is waited for.
    pub async fn refused(&self, token: &Token) -> Option<Token> {
        let deadline = tokio::time::Instant::now() + LONGEST_RENEWAL;
        let moment = self.moment();
        loop {
            let refused = self.state().refused(token);
            match refused {
                Refused::Replaced(other) => return Some(other),
                Refused::Wait(mut outcome) => {
                    if tokio::time::timeout_at(deadline, landed(&mut outcome)).await.is_err() {
                        break;
                    }
                }
                Refused::Alone => break,
            }
        }
        let _claim = loop {
            if let Ok(Look::Found(found)) = self.look().await {
                let other = found.token.clone();
                if self.take(moment, found) {
                    return Some(other);
                }
            }
            match self.claim().await {
                Some(claim) => break Some(claim),
                None if tokio::time::Instant::now() >= deadline => break None,
                None => tokio::time::sleep(LOOK_AGAIN.mul_f64(1.0 + fastrand::f64())).await,
            }
        };
        let _writing = self.writing.lock().await;
        let other = self.state().drop_refused(token);
        if other.is_none() {
            // The store has told already, should it fail.
            let _ = self.store.remove_if(&self.key, token).await;
        }
        other
    }
}

/// The right to renew; given back, if the store granted it, when the renewal
/// has ended or was given up.
struct Claim<'a>(Option<&'a Slot>);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.store.release(&slot.key);
        }
    }
}

/// Whatever becomes of the task of a renewal, it is not in flight after it.
struct Landing {
    slot: Arc<Slot>,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.slot.state();
        if state.landed(self.number) {
            // It panicked, or its runtime has ended.
            state.postpone(Instant::now(), RENEWAL_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;
