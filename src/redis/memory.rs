//! What this process knows of the tokens itself: for the time without the
//! server, and to put back what that has lost.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::task::AbortHandle;

use crate::{SavedToken, TokenKey};

#[derive(Default)]
pub(super) struct Tokens {
    known: Mutex<String>,
    cache: Mutex<Cache>,
    claims: Mutex<HashMap<TokenKey, Claim>>,
}

#[derive(Default)]
struct Cache {
    tokens: HashMap<TokenKey, CachedToken>,
    /// How many there may be before expired ones are removed.
    room: usize,
}

#[derive(Clone)]
pub(super) struct CachedToken {
    pub token: SavedToken,
    /// The number that orders writes; 0 where the server gave none yet.
    pub fence: u64,
    /// Whether the server has it.
    pub reported: bool,
}

pub(super) struct Claim {
    pub owner: String,
    pub fence: u64,
    pub extending: AbortHandle,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tokens {
    /// The generation that this worker has last put its tokens into.
    pub fn known(&self) -> String {
        lock(&self.known).clone()
    }

    pub fn cached(&self, key: &TokenKey) -> Option<SavedToken> {
        let cache = lock(&self.cache);
        cache
            .tokens
            .get(key)
            .map(|cached| cached.token.clone())
            .filter(|token| token.expires_at > SystemTime::now())
    }

    pub fn keep(&self, key: &TokenKey, cached: CachedToken) {
        let mut cache = lock(&self.cache);
        if cache.tokens.len() >= cache.room {
            let now = SystemTime::now();
            cache.tokens.retain(|_, cached| cached.token.expires_at > now);
            cache.room = (2 * cache.tokens.len()).max(64);
        }
        cache.tokens.insert(key.clone(), cached);
    }

    pub fn forget(&self, key: &TokenKey) {
        lock(&self.cache).tokens.remove(key);
    }

    fn all(&self) -> Vec<(TokenKey, CachedToken)> {
        lock(&self.cache).tokens.iter().map(|(key, cached)| (key.clone(), cached.clone())).collect()
    }

    /// Takes note of the generation that the server has. Those that it was never
    /// sent, or not since it lost everything.
    pub fn unreported(&self, generation: &str) -> Vec<(TokenKey, CachedToken)> {
        let mut known = lock(&self.known);
        let lost = !known.is_empty() && *known != generation;
        generation.clone_into(&mut known);
        if lost {
            lock(&self.cache).tokens.values_mut().for_each(|cached| cached.reported = false);
        }
        self.all().into_iter().filter(|(_, cached)| !cached.reported).collect()
    }

    /// The server has it, and keeps it under this number.
    pub fn reported(&self, key: &TokenKey, sent: &CachedToken, fence: u64) {
        let mut cache = lock(&self.cache);
        let cached = cache.tokens.get_mut(key).filter(|cached| cached.token.token == sent.token.token);
        if let Some(cached) = cached {
            (cached.fence, cached.reported) = (fence.max(sent.fence), true);
        }
    }

    /// The number of the claim that this worker has; 0 for none.
    pub fn fence(&self, key: &TokenKey) -> u64 {
        lock(&self.claims).get(key).map_or(0, |claim| claim.fence)
    }

    /// The number under which the server keeps the token that is known here; 0 for none.
    pub fn fence_of_cached(&self, key: &TokenKey) -> u64 {
        lock(&self.cache).tokens.get(key).map_or(0, |cached| cached.fence)
    }

    pub fn claimed(&self, key: &TokenKey, claim: Claim) {
        lock(&self.claims).insert(key.clone(), claim);
    }

    pub fn end_claim(&self, key: &TokenKey) -> Option<Claim> {
        lock(&self.claims).remove(key)
    }
}
