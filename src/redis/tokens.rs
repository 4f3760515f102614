//! Tokens of all workers: kept until their end, renewed by one worker at a time.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant, SystemTime},
};

use redis::Script;
use tokio::{runtime::Handle, time::sleep};

use super::{
    Inner, PREFIX, Redis, generation_name,
    memory::{CachedToken, Claim},
    millis, script,
    seal::{Seal, unique},
};
use crate::{BoxError, BoxFuture, SavedToken, Token, TokenKey, TokenStore, token::LONGEST_LIFE};

/// After this time without a heartbeat of its holder, a claim expires.
const CLAIM: Duration = Duration::from_secs(10);
/// So far a clock is set back now and then, without having been wrong.
const MOMENT: Duration = Duration::from_secs(60);
/// What a worker that has lost nothing waits for those that put tokens back.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

static GET: LazyLock<Script> = script!("get");
static PUT: LazyLock<Script> = script!("put");
static REMOVE: LazyLock<Script> = script!("remove");
static CLAIM_IT: LazyLock<Script> = script!("claim");
static EXTEND: LazyLock<Script> = script!("extend");

/// What `get.lua` answers: generation, time left for others to put back,
/// sealed value, age, rest of life, fence, age of the session.
type Found = (String, u64, Option<Vec<u8>>, u64, u64, u64, u64);

/// What a token is written for.
#[derive(Clone, Copy)]
enum Put {
    New,
    /// In the place of another.
    Renewed,
    /// Back, after the server has lost it, or was away.
    Back,
}

impl Put {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Renewed => "renewed",
            Self::Back => "back",
        }
    }
}

/// What `put.lua` answers where the session of the token was ended.
const OVER: i64 = -1;

fn out_of_reach() -> BoxError {
    "Redis does not work".into()
}

fn since(moment: SystemTime) -> Duration {
    SystemTime::now().duration_since(moment).unwrap_or_default()
}

/// How long a session has been open, by the clock.
fn open_for(opened: SystemTime) -> Duration {
    match SystemTime::now().duration_since(opened) {
        Ok(age) => age,
        // The clock was ahead then, or was set back: nobody knows, so no end is outlived.
        Err(ahead) if ahead.duration() > MOMENT => LONGEST_LIFE,
        Err(_) => Duration::ZERO,
    }
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
    /// what was there is gone. It is told of sessions that were ended here, and
    /// our tokens are put back, as those are that it was never sent. Whether there
    /// were any.
    pub async fn observe_generation(&self, generation: &str) -> bool {
        let unreported = self.tokens.unreported(generation);
        let ended = self.report_ends().await;
        for (key, cached) in &unreported {
            match self.write(key, cached, Put::Back, 0).await {
                None => break,
                Some(OVER) => self.tokens.forget_if(key, &cached.token.token),
                Some(fence) => self.tokens.reported(key, cached, fence.cast_unsigned()),
            }
        }
        ended || !unreported.is_empty()
    }

    /// Tells the server of sessions that were ended here and that it does not know
    /// of. Whether there were any.
    async fn report_ends(&self) -> bool {
        let unreported = self.tokens.unreported_ends();
        for (key, at) in &unreported {
            // Not as if it were now: another may have been opened since.
            let before = at.elapsed().max(Duration::from_millis(1));
            if self.remove(key, 0, before).await.is_err() {
                break;
            }
            self.tokens.end_reported(key, *at);
        }
        !unreported.is_empty()
    }

    /// The fence under which it was kept, 0 if a newer token is there, or [`OVER`].
    async fn write(&self, key: &TokenKey, cached: &CachedToken, how: Put, known: u64) -> Option<i64> {
        let (name, token) = (self.token_name(key), &cached.token);
        let sealed = self.seal.close(&name, &token.expose_secret());
        let (age, life) = (since(token.issued_at), until(token.expires_at));
        let mut put = PUT.prepare_invoke();
        put.key(name).arg(cached.fence).arg(sealed).arg(millis(age)).arg(millis(life).max(1));
        put.arg(how.word()).arg(known).arg(millis(cached.open_for()));
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
                return self.tokens.cached(key).map(Some).ok_or_else(out_of_reach);
            };
            let (generation, hold, ..) = &found;
            if self.observe_generation(generation).await {
                continue;
            }
            if let Some(token) = token {
                let open_for = (Duration::from_millis(found.6), Instant::now());
                let cached = CachedToken { token: token.clone(), fence: found.5, reported: true, open_for };
                self.tokens.keep(key, cached);
                return Ok(Some(token));
            }
            if *hold == 0 {
                // Gone for all: refused, logged out or over.
                self.tokens.forget(key);
                return Ok(None);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn put(&self, key: &TokenKey, token: &SavedToken, how: Put) -> bool {
        let known = self.tokens.open_for(key).filter(|_| matches!(how, Put::Renewed));
        let mut cached = CachedToken {
            token: token.clone(),
            fence: self.tokens.fence(key),
            reported: false,
            open_for: (known.unwrap_or_else(|| open_for(token.opened())), Instant::now()),
        };
        match self.write(key, &cached, how, self.tokens.fence_of_cached(key)).await {
            Some(..=0) => return false,
            Some(fence) => (cached.fence, cached.reported) = (fence.cast_unsigned(), true),
            None => {}
        }
        self.tokens.keep(key, cached);
        true
    }

    /// Forgets what is kept under `fence`; for 0 ends what was open so long ago.
    async fn remove(&self, key: &TokenKey, fence: u64, before: Duration) -> Result<(), BoxError> {
        let mut remove = REMOVE.prepare_invoke();
        remove.key(self.token_name(key)).arg(fence).arg(millis(before));
        // A session that is kept may not pass for one that was ended.
        let removed: Option<u64> = self.engine.run(&remove).await;
        removed.map(drop).ok_or_else(out_of_reach)
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
    let (_, _, sealed, age, left, _, open_for) = found;
    let text = seal.open(name, sealed.as_deref()?)?;
    let token = SavedToken::from_exposed(&text).ok()?;
    let now = SystemTime::now();
    Some(SavedToken {
        issued_at: now.checked_sub(Duration::from_millis(*age)).unwrap_or(now),
        expires_at: now.checked_add(Duration::from_millis(*left)).unwrap_or(now),
        opened_at: Some(now.checked_sub(Duration::from_millis(*open_for)).unwrap_or(now)),
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
            Ok(self.0.put(key, token, Put::New).await)
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
            Ok(self.0.put(key, token, Put::Renewed).await)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            // Should the server be away, it is told when it is back.
            self.0.keep();
            // What is being renewed is void, and a new login needs no claim.
            self.0.release(key);
            let at = self.0.tokens.end(key);
            self.0.remove(key, 0, Duration::ZERO).await?;
            self.0.tokens.end_reported(key, at);
            Ok(())
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            self.0.tokens.forget_if(key, token);
            if let Ok((found, Some(stored))) = self.0.read(key).await
                && stored.token == *token
            {
                self.0.remove(key, found.5, Duration::ZERO).await?;
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
        let found = ("generation".to_owned(), 0, Some(seal.close("name", text)), 1000, 60_000, 5, 2000);
        let token = open(&seal, "name", &found).unwrap();
        assert_eq!(token.token.expose_secret(), "abc");
        let left = token.expires_at.duration_since(SystemTime::now()).unwrap();
        assert!(left > Duration::from_secs(59) && left <= Duration::from_secs(60), "{left:?}");
        assert_eq!(token.issued_at.duration_since(token.opened()).unwrap(), Duration::from_secs(1));
    }
}
