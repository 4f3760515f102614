//! Tokens of all workers: kept until their end, renewed by one worker at a time.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use redis::Script;
use tokio::{runtime::Handle, task::AbortHandle, time::sleep};

use super::{Inner, PREFIX, Redis, generation_name, script, seal::unique};
use crate::{BoxError, BoxFuture, SavedToken, Token, TokenKey, TokenStore};

/// After this time without a word from its holder, a claim is over.
const CLAIM: Duration = Duration::from_secs(10);
/// What a worker that has lost nothing waits for those that put tokens back.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

static GET: LazyLock<Script> = script!("get");
static PUT: LazyLock<Script> = script!("put");
static REMOVE: LazyLock<Script> = script!("remove");
static CLAIM_IT: LazyLock<Script> = script!("claim");
static EXTEND: LazyLock<Script> = script!("extend");

/// What this process knows itself: for the time without the server.
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
struct Copy {
    token: SavedToken,
    /// The number that orders writes; 0 where the server gave none yet.
    fence: u64,
    /// Whether the server has been told.
    told: bool,
}

struct Claim {
    owner: String,
    fence: u64,
    extending: AbortHandle,
}

/// What `get.lua` answers: generation, time left for others to put back,
/// sealed value, age, rest of life, fence.
type Found = (String, u64, Option<Vec<u8>>, u64, u64, u64);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn since(moment: SystemTime) -> Duration {
    SystemTime::now().duration_since(moment).unwrap_or_default()
}

fn until(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::now()).unwrap_or_default()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Tokens {
    /// The generation that this worker has last put its tokens into.
    pub fn known(&self) -> String {
        lock(&self.known).clone()
    }

    fn copy(&self, key: &TokenKey) -> Option<SavedToken> {
        let copies = lock(&self.copies);
        copies
            .tokens
            .get(key)
            .map(|copy| copy.token.clone())
            .filter(|token| token.expires_at > SystemTime::now())
    }

    fn keep(&self, key: &TokenKey, copy: Copy) {
        let mut copies = lock(&self.copies);
        if copies.tokens.len() >= copies.room {
            let now = SystemTime::now();
            copies.tokens.retain(|_, copy| copy.token.expires_at > now);
            copies.room = (2 * copies.tokens.len()).max(64);
        }
        copies.tokens.insert(key.clone(), copy);
    }

    fn forget(&self, key: &TokenKey) {
        lock(&self.copies).tokens.remove(key);
    }

    fn all(&self) -> Vec<(TokenKey, Copy)> {
        lock(&self.copies).tokens.iter().map(|(key, copy)| (key.clone(), copy.clone())).collect()
    }

    fn has_untold(&self) -> bool {
        lock(&self.copies).tokens.values().any(|copy| !copy.told)
    }

    /// Nothing is known to be there any more.
    fn untell(&self) {
        lock(&self.copies).tokens.values_mut().for_each(|copy| copy.told = false);
    }
}

impl Inner {
    fn token_name(&self, key: &TokenKey) -> String {
        format!("{PREFIX}:token:{}:{}", key.id(), self.seal.mark)
    }

    fn claim_name(&self, key: &TokenKey) -> String {
        format!("{PREFIX}:claim:{}:{}", key.id(), self.seal.mark)
    }

    /// The server answered with this generation: if it is another than before,
    /// the tokens that were there are gone, and ours are put back, as those are
    /// that it was never told. Whether there were any.
    pub async fn met(&self, generation: &str) -> bool {
        {
            let mut known = lock(&self.tokens.known);
            if !known.is_empty() && *known != generation {
                self.tokens.untell();
            }
            generation.clone_into(&mut known);
        }
        let needed = self.tokens.has_untold();
        for (key, copy) in self.tokens.all().into_iter().filter(|(_, copy)| !copy.told) {
            let Some(fence) = self.write(&key, &copy.token, copy.fence, "back").await else { break };
            let mut copies = lock(&self.tokens.copies);
            let known = copies.tokens.get_mut(&key);
            if let Some(known) = known.filter(|known| known.token.token == copy.token.token) {
                (known.fence, known.told) = (fence.max(copy.fence), true);
            }
        }
        needed
    }

    /// The fence under which it was kept, 0 if a newer token is there.
    async fn write(&self, key: &TokenKey, token: &SavedToken, fence: u64, how: &str) -> Option<u64> {
        let name = self.token_name(key);
        let sealed = self.seal.close(&name, &token.expose_secret());
        let (age, life) = (since(token.issued_at), until(token.expires_at));
        let mut put = PUT.prepare_invoke();
        put.key(name).arg(fence).arg(sealed).arg(millis(age)).arg(millis(life).max(1)).arg(how);
        self.engine.run(&put).await
    }

    /// `Err` while the server is out of reach.
    async fn read(&self, key: &TokenKey) -> Result<(Found, Option<SavedToken>), ()> {
        let name = self.token_name(key);
        let mut get = GET.prepare_invoke();
        get.key(generation_name()).key(&name).arg(self.tokens.known()).arg(unique());
        let found: Found = self.engine.run(&get).await.ok_or(())?;
        let text = found.2.as_ref().and_then(|sealed| self.seal.open(&name, sealed));
        let token = text.and_then(|text| SavedToken::from_exposed(&text).ok()).map(|token| {
            // Ages by the server's clock are turned into times by ours.
            let now = SystemTime::now();
            SavedToken {
                issued_at: now.checked_sub(Duration::from_millis(found.3)).unwrap_or(now),
                expires_at: now.checked_add(Duration::from_millis(found.4)).unwrap_or(now),
                ..token
            }
        });
        Ok((found, token))
    }

    async fn get(&self, key: &TokenKey) -> Option<SavedToken> {
        loop {
            let Ok((found, token)) = self.read(key).await else { return self.tokens.copy(key) };
            let (generation, hold, ..) = &found;
            if let Some(token) = token {
                self.met(generation).await;
                self.tokens.keep(key, Copy { token: token.clone(), fence: found.5, told: true });
                return Some(token);
            }
            if self.met(generation).await {
                continue;
            }
            if *hold == 0 {
                // Gone for all: refused, logged out or over.
                self.tokens.forget(key);
                return None;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn put(&self, key: &TokenKey, token: &SavedToken) -> bool {
        let fence = lock(&self.tokens.claims).get(key).map_or(0, |claim| claim.fence);
        let written = self.write(key, token, fence, "new").await;
        if written == Some(0) {
            return false;
        }
        let copy = Copy { token: token.clone(), fence: written.unwrap_or(fence), told: written.is_some() };
        self.tokens.keep(key, copy);
        true
    }

    /// Forgets what is kept under `fence`, or whatever is kept for 0.
    async fn remove(&self, key: &TokenKey, fence: u64) {
        let mut remove = REMOVE.prepare_invoke();
        remove.key(self.token_name(key)).arg(fence);
        let _: Option<u64> = self.engine.run(&remove).await;
    }

    /// Without the server there is nobody to share a claim with.
    async fn claim(self: &Arc<Self>, key: &TokenKey) -> bool {
        let owner = unique();
        let mut claim = CLAIM_IT.prepare_invoke();
        claim.key(self.claim_name(key)).key(self.token_name(key)).arg(&owner).arg(millis(CLAIM));
        match self.engine.run::<u64>(&claim).await {
            Some(0) => false,
            None => true,
            Some(fence) => {
                let extending = tokio::spawn(extend(Arc::clone(self), self.claim_name(key), owner.clone()));
                let claim = Claim { owner, fence, extending: extending.abort_handle() };
                lock(&self.tokens.claims).insert(key.clone(), claim);
                true
            }
        }
    }

    fn release(self: &Arc<Self>, key: &TokenKey) {
        let Some(claim) = lock(&self.tokens.claims).remove(key) else { return };
        claim.extending.abort();
        // Outside a runtime it ends by itself, a little later.
        if let Ok(runtime) = Handle::try_current() {
            let (inner, name) = (Arc::clone(self), self.claim_name(key));
            runtime.spawn(async move { inner.hold_claim(&name, &claim.owner, Duration::ZERO).await });
        }
    }

    /// Whether the claim is still held.
    async fn hold_claim(&self, name: &str, owner: &str, time: Duration) -> bool {
        let mut extend = EXTEND.prepare_invoke();
        extend.key(name).arg(owner).arg(millis(time));
        self.engine.run(&extend).await == Some(1)
    }
}

/// A login may take longer than a claim lives without a word.
async fn extend(inner: Arc<Inner>, name: String, owner: String) {
    loop {
        sleep(CLAIM / 4).await;
        if !inner.hold_claim(&name, &owner, CLAIM).await {
            return;
        }
    }
}

impl TokenStore for Redis {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        self.0.keep();
        Box::pin(async { Ok(self.0.get(key).await) })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        self.0.keep();
        Box::pin(async { Ok(self.0.put(key, token).await) })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            self.0.tokens.forget(key);
            self.0.remove(key, 0).await;
            Ok(())
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            if self.0.tokens.copy(key).is_some_and(|copy| copy.token == *token) {
                self.0.tokens.forget(key);
            }
            if let Ok((found, Some(stored))) = self.0.read(key).await
                && stored.token == *token
            {
                self.0.remove(key, found.5).await;
            }
            Ok(())
        })
    }

    fn claim<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async { Ok(self.0.claim(key).await) })
    }

    fn release(&self, key: &TokenKey) {
        self.0.release(key);
    }
}
