//! What a slot and its store have to do with each other, where other processes
//! may use the store too.

use std::{
    sync::PoisonError,
    time::{Duration, SystemTime},
};

use super::{SavedToken, Slot};
use crate::Token;

/// While another process renews, the store is asked again after this time,
/// and up to as much again so that not all ask at once.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Slot {
    /// The token that the store has, if it is alive and not the one held.
    pub async fn reread(&self) -> Option<Token> {
        self.take(self.look().await?)
    }

    /// A living token, from the store or held: another call may have read the
    /// store meanwhile and taken what it has.
    pub async fn find(&self) -> Option<Token> {
        self.reread().await.or_else(|| self.alive().0)
    }

    /// What the store has, if it is alive and not the one held.
    async fn look(&self) -> Option<SavedToken> {
        let Ok(saved) = self.store.get(&self.key).await else {
            store_failed();
            return None;
        };
        saved
            .filter(|saved| saved.expires_at > SystemTime::now())
            .filter(|saved| self.held().as_ref().is_none_or(|held| held.saved.token != saved.token))
    }

    /// Takes what the store has, unless the server has refused it.
    fn take(&self, saved: SavedToken) -> Option<Token> {
        let dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        let token = saved.token.clone();
        if dead.as_ref() == Some(&token) {
            return None;
        }
        self.adopt(saved);
        Some(token)
    }

    /// Takes the store's token in place of a living one, if it lives longer.
    pub(super) async fn renewed_by_another(&self) -> bool {
        let Some(saved) = self.look().await else { return false };
        let longer = self.held().as_ref().is_none_or(|held| held.saved.expires_at < saved.expires_at);
        longer && self.take(saved).is_some()
    }

    /// The right to renew, among all processes that share the store. `None`
    /// where another has it. A store that fails cannot forbid it.
    pub(super) async fn claim(&self) -> Option<Claim<'_>> {
        let Ok(granted) = self.store.claim(&self.key).await else {
            store_failed();
            return Some(Claim(None));
        };
        if granted { Some(Claim(Some(self))) } else { None }
    }

    /// The server refused `token`. Gives the one to try in its place, if
    /// another had already replaced it here or in the store.
    pub async fn refused(&self, token: &Token) -> Option<Token> {
        if let Some(other) = self.other_than(token) {
            return Some(other);
        }
        *self.dead.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        if let Some(other) = self.reread().await.or_else(|| self.other_than(token)) {
            return Some(other);
        }
        {
            let mut held = self.held();
            match &*held {
                Some(other) if other.saved.token != *token => return Some(other.saved.token.clone()),
                _ => *held = None,
            }
        }
        if self.store.remove_if(&self.key, token).await.is_err() {
            store_failed();
        }
        None
    }

    fn other_than(&self, token: &Token) -> Option<Token> {
        self.held().as_ref().map(|held| held.saved.token.clone()).filter(|held| held != token)
    }
}

/// The right to renew; given back, if the store granted it, when the renewal
/// has ended or was given up.
pub(super) struct Claim<'a>(Option<&'a Slot>);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.store.release(&slot.key);
        }
    }
}

pub(super) fn store_failed() {
    tracing::warn!(target: "sandbox_client", "the token store failed; going on with tokens in memory");
}
