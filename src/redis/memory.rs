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
    copies: Mutex<Copies>,
    claims: Mutex<HashMap<TokenKey, Claim>>,
}

#[derive(Default)]
struct Copies {
    tokens: HashMap<TokenKey, Copy>,
    /// How many there may be before the dead ones are swept out.
    room: usize,
}

#[derive(Clone)]
pub(super) struct Copy {
    pub token: SavedToken,
    /// The number that orders writes; 0 where the server gave none yet.
    pub fence: u64,
    /// Whether the server has been told.
    pub told: bool,
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

    pub fn copy(&self, key: &TokenKey) -> Option<SavedToken> {
        let copies = lock(&self.copies);
        copies
            .tokens
            .get(key)
            .map(|copy| copy.token.clone())
            .filter(|token| token.expires_at > SystemTime::now())
    }

    pub fn keep(&self, key: &TokenKey, copy: Copy) {
        let mut copies = lock(&self.copies);
        if copies.tokens.len() >= copies.room {
            let now = SystemTime::now();
            copies.tokens.retain(|_, copy| copy.token.expires_at > now);
            copies.room = (2 * copies.tokens.len()).max(64);
        }
        copies.tokens.insert(key.clone(), copy);
    }

    pub fn forget(&self, key: &TokenKey) {
        lock(&self.copies).tokens.remove(key);
    }

    fn all(&self) -> Vec<(TokenKey, Copy)> {
        lock(&self.copies).tokens.iter().map(|(key, copy)| (key.clone(), copy.clone())).collect()
    }

    /// Takes note of the generation that the server has. Those that it was not
    /// told, or not since it lost everything.
    pub fn untold(&self, generation: &str) -> Vec<(TokenKey, Copy)> {
        let mut known = lock(&self.known);
        let lost = !known.is_empty() && *known != generation;
        generation.clone_into(&mut known);
        if lost {
            lock(&self.copies).tokens.values_mut().for_each(|copy| copy.told = false);
        }
        self.all().into_iter().filter(|(_, copy)| !copy.told).collect()
    }

    /// The server was told, and keeps it under this number.
    pub fn told(&self, key: &TokenKey, told: &Copy, fence: u64) {
        let mut copies = lock(&self.copies);
        let copy = copies.tokens.get_mut(key).filter(|copy| copy.token.token == told.token.token);
        if let Some(copy) = copy {
            (copy.fence, copy.told) = (fence.max(told.fence), true);
        }
    }

    /// The number of the claim that this worker has; 0 for none.
    pub fn fence(&self, key: &TokenKey) -> u64 {
        lock(&self.claims).get(key).map_or(0, |claim| claim.fence)
    }

    /// The number under which the server keeps the token that is known here; 0 for none.
    pub fn fence_of_copy(&self, key: &TokenKey) -> u64 {
        lock(&self.copies).tokens.get(key).map_or(0, |copy| copy.fence)
    }

    pub fn claimed(&self, key: &TokenKey, claim: Claim) {
        lock(&self.claims).insert(key.clone(), claim);
    }

    pub fn end_claim(&self, key: &TokenKey) -> Option<Claim> {
        lock(&self.claims).remove(key)
    }
}
