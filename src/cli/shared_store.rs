//! Sessions for all workers in Redis, and in files besides: so that this
//! machine can list its own, and has them while the server is away.

use std::sync::Arc;

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
                Err(_) => return self.files.get(key).await,
            }
            // One from before the server was there, or lost it: no new OTP for that.
            let own =
                self.files.get(key).await?.filter(|own| own.expires_at() > std::time::SystemTime::now());
            if let Some(own) = &own
                && !self.redis.put_if_newer(key, own).await?
            {
                return self.redis.get(key).await;
            }
            Ok(own)
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
            self.redis.remove(key).await?;
            self.files.remove(key).await
        })
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            self.redis.remove_if(key, token).await?;
            self.files.remove_if(key, token).await
        })
    }

    fn claim<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        self.redis.claim(key)
    }

    fn release(&self, key: &TokenKey) {
        self.redis.release(key);
    }
}
