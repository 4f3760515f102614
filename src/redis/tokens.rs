//! Tokens of all workers: kept until their end, renewed by one worker at a time.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use redis::Script;
use tokio::{runtime::Handle, time::sleep};

use super::{
    Inner, PREFIX, Redis, generation_name,
    memory::{CachedToken, Claim},
    millis, script,
    seal::{Seal, unique},
};
use crate::{BoxError, BoxFuture, SavedToken, Token, TokenKey, TokenStore};

/// After this time without a heartbeat of its holder, a claim expires.
const CLAIM: Duration = Duration::from_secs(10);
/// What a worker that has lost nothing waits for those that put tokens back.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

static GET: LazyLock<Script> = script!("get");
static PUT: LazyLock<Script> = script!("put");
static REMOVE: LazyLock<Script> = script!("remove");
static CLAIM_IT: LazyLock<Script> = script!("claim");
static EXTEND: LazyLock<Script> = script!("extend");

/// What `get.lua` answers: generation, time left for others to put back,
/// sealed value, age, rest of life, fence.
type Found = (String, u64, Option<Vec<u8>>, u64, u64, u64);

fn since(moment: SystemTime) -> Duration {
    SystemTime::now().duration_since(moment).unwrap_or_default()
}

fn until(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::now()).unwrap_or_default()
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
    /// that it was never sent. Whether there were any.
    pub async fn observe_generation(&self, generation: &str) -> bool {
        let unreported = self.tokens.unreported(generation);
        for (key, cached) in &unreported {
            let Some(fence) = self.write(key, &cached.token, cached.fence, "back", 0).await else { break };
            self.tokens.reported(key, cached, fence);
        }
        !unreported.is_empty()
    }

    /// The fence under which it was kept, 0 if a newer token is there.
    async fn write(
        &self,
        key: &TokenKey,
        token: &SavedToken,
        fence: u64,
        how: &str,
        known: u64,
    ) -> Option<u64> {
        let name = self.token_name(key);
        let sealed = self.seal.close(&name, &token.expose_secret());
        let (age, life) = (since(token.issued_at), until(token.expires_at));
        let mut put = PUT.prepare_invoke();
        put.key(name).arg(fence).arg(sealed).arg(millis(age)).arg(millis(life).max(1)).arg(how).arg(known);
        self.engine.run(&put).await
    }

    /// `Err` while the server is out of reach.
    async fn read(&self, key: &TokenKey) -> Result<(Found, Option<SavedToken>), ()> {
        let name = self.token_name(key);
        let mut get = GET.prepare_invoke();
        get.key(generation_name()).key(&name).arg(self.tokens.known()).arg(unique());
        let found: Found = self.engine.run(&get).await.ok_or(())?;
        let token = open(&self.seal, &name, &found);
        Ok((found, token))
    }

    async fn get(&self, key: &TokenKey) -> Result<Option<SavedToken>, BoxError> {
        loop {
            let Ok((found, token)) = self.read(key).await else {
                // Without a cached token nobody knows whether there is a token.
                return self.tokens.cached(key).map(Some).ok_or_else(|| "Redis does not work".into());
            };
            let (generation, hold, ..) = &found;
            if let Some(token) = token {
                self.observe_generation(generation).await;
                self.tokens.keep(key, CachedToken { token: token.clone(), fence: found.5, reported: true });
                return Ok(Some(token));
            }
            if self.observe_generation(generation).await {
                continue;
            }
            if *hold == 0 {
                // Gone for all: refused, logged out or over.
                self.tokens.forget(key);
                return Ok(None);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn put(&self, key: &TokenKey, token: &SavedToken, how: &str) -> bool {
        let fence = self.tokens.fence(key);
        let written = self.write(key, token, fence, how, self.tokens.fence_of_cached(key)).await;
        if written == Some(0) {
            return false;
        }
        let cached = CachedToken {
            token: token.clone(),
            fence: written.unwrap_or(fence),
            reported: written.is_some(),
        };
        self.tokens.keep(key, cached);
        true
    }

    /// Forgets what is kept under `fence`; for 0 ends the session, whatever is kept.
    async fn remove(&self, key: &TokenKey, fence: u64) -> Result<(), BoxError> {
        let mut remove = REMOVE.prepare_invoke();
        remove.key(self.token_name(key)).arg(fence);
        // A session that is kept may not pass for one that was ended.
        let removed: Option<u64> = self.engine.run(&remove).await;
        removed.map(drop).ok_or_else(|| "Redis does not work".into())
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
                self.tokens.claimed(key, claim);
                true
            }
        }
    }

    fn release(self: &Arc<Self>, key: &TokenKey) {
        let Some(claim) = self.tokens.end_claim(key) else { return };
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

/// The token that was found. Ages by the server's clock are turned into times by ours.
fn open(seal: &Seal, name: &str, found: &Found) -> Option<SavedToken> {
    let (_, _, sealed, age, left, _) = found;
    let text = seal.open(name, sealed.as_deref()?)?;
    let token = SavedToken::from_exposed(&text).ok()?;
    let now = SystemTime::now();
    Some(SavedToken {
        issued_at: now.checked_sub(Duration::from_millis(*age)).unwrap_or(now),
        expires_at: now.checked_add(Duration::from_millis(*left)).unwrap_or(now),
        ..token
    })
}

/// A login may take longer than a claim lasts without a heartbeat.
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
        Box::pin(async {
            self.0.keep();
            self.0.get(key).await
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            self.0.keep();
            Ok(self.0.put(key, token, "new").await)
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        _: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            self.0.keep();
            Ok(self.0.put(key, token, "renewed").await)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            // What is being renewed is void, and a new login needs no claim.
            self.0.release(key);
            self.0.tokens.forget(key);
            self.0.remove(key, 0).await
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            if self.0.tokens.cached(key).is_some_and(|cached| cached.token == *token) {
                self.0.tokens.forget(key);
            }
            if let Ok((found, Some(stored))) = self.0.read(key).await
                && stored.token == *token
            {
                self.0.remove(key, found.5).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::EncryptionKey;

    /// A later version writes more than this one reads.
    #[test]
    fn members_of_later_versions_are_ignored() {
        let seal = Seal::new(&EncryptionKey::new([7; 32]));
        let text = r#"{"token":"abc","issued_at":1,"expires_at":2,"later":{"unknown":[1]}}"#;
        let found = ("generation".to_owned(), 0, Some(seal.close("name", text)), 1000, 60_000, 5);
        let token = open(&seal, "name", &found).unwrap();
        assert_eq!(token.token.expose_secret(), "abc");
        let left = token.expires_at.duration_since(SystemTime::now()).unwrap();
        assert!(left > Duration::from_secs(59) && left <= Duration::from_secs(60), "{left:?}");
    }
}
