//! Sessions for all workers in Redis, and in files besides: so that this
//! machine can list its own, and has them while the server is away.

use std::{sync::Arc, time::SystemTime};

use sandbox_client::{BoxError, BoxFuture, FileStore, SavedToken, Token, TokenKey, TokenStore, redis::Redis};

pub struct SharedStore {
    pub files: Arc<FileStore>,
    pub redis: Redis,
}

impl TokenStore for SharedStore {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async {
            match self.redis.get(key).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                // Out of reach, and not in this process's memory.
                Err(error) => return self.files.get(key).await?.map(Some).ok_or(error),
            }
            // One from before the server was there, or lost it: no new OTP for that.
            let lives = |own: &SavedToken| own.expires_at() > SystemTime::now();
            let Some(own) = self.files.get(key).await?.filter(lives) else { return Ok(None) };
            if self.redis.put_if_newer(key, &own).await? {
                return Ok(Some(own));
            }
            // Its session was ended by another, or renewed.
            self.files.remove_if(key, own.token()).await?;
            self.redis.get(key).await
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            Ok(self.redis.put_if_newer(key, token).await? && self.files.put_if_newer(key, token).await?)
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            let kept = self.redis.replace(key, old, token).await?;
            if kept && !self.files.replace(key, old, token).await? {
                self.files.put_if_newer(key, token).await?;
            }
            Ok(kept)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            // Here in any case, whatever becomes of the other.
            let here = self.files.remove(key).await;
            self.redis.remove(key).await.and(here)
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            let here = self.files.remove_if(key, token).await;
            self.redis.remove_if(key, token).await.and(here)
        })
    }

    fn claim<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            if !self.redis.claim(key).await? {
                return Ok(false);
            }
            // While the server is away, it grants a claim to each: one on this machine has it.
            let granted = self.files.claim(key).await.unwrap_or(true);
            if !granted {
                self.redis.release(key);
            }
            Ok(granted)
        })
    }

    fn release(&self, key: &TokenKey) {
        self.redis.release(key);
        self.files.release(key);
    }
}
