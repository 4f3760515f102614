//! What this process knows of the tokens itself: for the time without the
//! server, and to put back what that has lost.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::task::AbortHandle;

use crate::{SavedToken, Token, TokenKey, token::LONGEST_LIFE};

#[derive(Default)]
pub(super) struct Tokens {
    known: Mutex<String>,
    cache: Mutex<Cache>,
    claims: Mutex<HashMap<TokenKey, Claim>>,
    ends: Mutex<HashMap<TokenKey, End>>,
}

/// The end of a session by this worker.
#[derive(Clone, Copy)]
struct End {
    at: Instant,
    /// Whether the server knows.
    reported: bool,
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
    /// The number that orders writes; 0 if the server gave none yet.
    pub fence: u64,
    /// Whether the server has it.
    pub reported: bool,
    /// How long its session had been open, and when that was.
    pub open_for: (Duration, Instant),
}

impl CachedToken {
    /// How long its session has been open: by the clock or without it, whichever
    /// is longer. A clock may be set back, and a machine may sleep.
    pub fn open_for(&self) -> Duration {
        let (before, since) = self.open_for;
        let by_the_clock = SystemTime::now().duration_since(self.token.opened()).unwrap_or_default();
        by_the_clock.max(before + since.elapsed())
    }
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

    /// How long the session of the token that is known here has been open.
    pub fn open_for(&self, key: &TokenKey) -> Option<Duration> {
        lock(&self.cache).tokens.get(key).map(CachedToken::open_for)
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

    /// Forgets this token, and none that came later.
    pub fn forget_if(&self, key: &TokenKey, token: &Token) {
        let mut cache = lock(&self.cache);
        if cache.tokens.get(key).is_some_and(|cached| cached.token.token == *token) {
            cache.tokens.remove(key);
        }
    }

    /// This worker ends the session; when that was.
    pub fn end(&self, key: &TokenKey) -> Instant {
        self.forget(key);
        let at = Instant::now();
        let mut ends = lock(&self.ends);
        // An end is remembered for as long as any token lives.
        ends.retain(|_, end| end.at.elapsed() < LONGEST_LIFE);
        ends.insert(key.clone(), End { at, reported: false });
        at
    }

    pub fn unreported_ends(&self) -> Vec<(TokenKey, Instant)> {
        let ends = lock(&self.ends);
        ends.iter().filter(|(_, end)| !end.reported).map(|(key, end)| (key.clone(), end.at)).collect()
    }

    /// The server knows that the session was ended then.
    pub fn end_reported(&self, key: &TokenKey, at: Instant) {
        if let Some(end) = lock(&self.ends).get_mut(key).filter(|end| end.at == at) {
            end.reported = true;
        }
    }

    fn all(&self) -> Vec<(TokenKey, CachedToken)> {
        lock(&self.cache).tokens.iter().map(|(key, cached)| (key.clone(), cached.clone())).collect()
    }

    /// Takes note of the generation that the server has. The tokens that it was
    /// never sent, or not since it lost everything; of ends it knows no more either.
    pub fn unreported(&self, generation: &str) -> Vec<(TokenKey, CachedToken)> {
        let mut known = lock(&self.known);
        let lost = !known.is_empty() && *known != generation;
        generation.clone_into(&mut known);
        if lost {
            lock(&self.cache).tokens.values_mut().for_each(|cached| cached.reported = false);
            lock(&self.ends).values_mut().for_each(|end| end.reported = false);
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
