//! The caller's token store, kept at arm's length: each step has a limit, a
//! panic is a failure like others, and a failure is told once with its cause.

use std::{
    any::Any,
    collections::HashMap,
    error::Error as StdError,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use super::{BoxError, SavedToken, TokenKey, TokenStore, expiry::LONGEST_LIFE};
use crate::{
    BoxFuture, Error, ErrorKind, Token,
    error::{escape_and_truncate, redacted},
};

/// Limit for one step of a store.
const STEP: Duration = Duration::from_secs(2);
/// A store that did not answer in time is not asked again for this long. What
/// must be written is still tried.
const LEFT_ALONE: Duration = Duration::from_secs(10);
/// Longest cause that is told, in characters.
const CAUSE: usize = 200;

/// Why a step of the store failed.
#[derive(Debug, Clone)]
pub(crate) struct StoreFailure(String);

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for StoreFailure {}

impl From<StoreFailure> for Error {
    fn from(failure: StoreFailure) -> Self {
        Self::new(ErrorKind::Store, "the token store failed, so it is not known whether there is a session")
            .with_source(failure)
            .with_advice("see the error's source, and try again when the store works")
    }
}

pub(crate) struct Guard {
    store: Arc<dyn TokenStore>,
    /// Steps that failed last, which was told.
    failing: Mutex<Vec<&'static str>>,
    silent_until: Mutex<Option<Instant>>,
    /// Sessions that were ended here: a store that fails, lies or comes back with
    /// an older copy may still give their tokens.
    ended: Mutex<HashMap<TokenKey, Ended>>,
}

/// When a session was ended.
#[derive(Clone, Copy)]
struct Ended {
    at: SystemTime,
    since: Instant,
}

impl Ended {
    fn now() -> Self {
        Self { at: SystemTime::now(), since: Instant::now() }
    }

    /// Whether it is the end of what was opened at that time. A clock that was
    /// set meanwhile may end more by it, but not less.
    fn ends(self, opened_at: SystemTime) -> bool {
        let by_the_clock_of_now = SystemTime::now().checked_sub(self.since.elapsed());
        opened_at <= self.at.max(by_the_clock_of_now.unwrap_or(self.at))
    }
}

impl Guard {
    pub fn new(store: Arc<dyn TokenStore>) -> Self {
        Self { store, failing: Mutex::default(), silent_until: Mutex::default(), ended: Mutex::default() }
    }

    /// What may be used of what is stored under the key. A token whose session was
    /// ended here is removed again.
    pub async fn get(&self, key: &TokenKey) -> Result<Option<SavedToken>, StoreFailure> {
        let Some(found) = self.stored(key).await? else { return Ok(None) };
        let ended = self.ended().get(key).copied();
        if ended.is_some_and(|ended| ended.ends(found.opened())) {
            self.remove_if(key, &found.token).await?;
            return Ok(None);
        }
        Ok(Some(found))
    }

    /// What is stored under the key; a token that was written under another counts as none.
    pub async fn stored(&self, key: &TokenKey) -> Result<Option<SavedToken>, StoreFailure> {
        self.may_ask()?;
        let found = self.step("get", None, || self.store.get(key)).await?;
        Ok(match found {
            Some(found) if found.key.as_ref().is_some_and(|written| *written != key.id()) => {
                self.lies("it gave a token of another key");
                None
            }
            found => found,
        })
    }

    pub async fn put_if_newer(&self, key: &TokenKey, token: &SavedToken) -> Result<bool, StoreFailure> {
        let kept = self.step("put_if_newer", Some(token), || self.store.put_if_newer(key, token)).await?;
        if kept {
            // A new session is in the place of the one that was ended.
            self.ended().remove(key);
        }
        Ok(kept)
    }

    pub async fn replace(
        &self,
        key: &TokenKey,
        old: &Token,
        token: &SavedToken,
    ) -> Result<bool, StoreFailure> {
        self.step("replace", Some(token), || self.store.replace(key, old, token)).await
    }

    /// Removes what is there, since its session is ended.
    pub async fn remove(&self, key: &TokenKey) -> Result<(), StoreFailure> {
        {
            let mut ended = self.ended();
            // An end is remembered for as long as any token lives.
            ended.retain(|_, ended| ended.since.elapsed() < LONGEST_LIFE);
            ended.insert(key.clone(), Ended::now());
        }
        self.step("remove", None, || self.store.remove(key)).await
    }

    pub async fn remove_if(&self, key: &TokenKey, token: &Token) -> Result<(), StoreFailure> {
        self.step("remove_if", None, || self.store.remove_if(key, token)).await
    }

    pub async fn claim(&self, key: &TokenKey) -> Result<bool, StoreFailure> {
        self.may_ask()?;
        self.step("claim", None, || self.store.claim(key)).await
    }

    pub fn release(&self, key: &TokenKey) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.store.release(key))) {
            self.failed("release", &panicked(panic.as_ref()));
        }
    }

    /// The store works and says what cannot be.
    pub fn lies(&self, how: &'static str) {
        self.failed(how, how);
    }

    async fn step<'a, T>(
        &self,
        name: &'static str,
        written: Option<&SavedToken>,
        work: impl FnOnce() -> BoxFuture<'a, Result<T, BoxError>>,
    ) -> Result<T, StoreFailure> {
        let cause = match tokio::time::timeout(STEP, caught(work)).await {
            Ok(Ok(Ok(value))) => {
                self.failing().retain(|failing| *failing != name);
                return Ok(value);
            }
            Ok(Ok(Err(error))) => with_sources(&*error),
            Ok(Err(panic)) => panicked(panic.as_ref()),
            Err(_) => {
                *self.silent_until() = Some(Instant::now() + LEFT_ALONE);
                format!("no answer within {} s", STEP.as_secs())
            }
        };
        let cause = match written {
            Some(saved) => redacted(cause, saved.token.expose_secret()),
            None => cause,
        };
        let cause = escape_and_truncate(&cause, CAUSE);
        self.failed(name, &cause);
        Err(StoreFailure(cause))
    }

    fn failed(&self, step: &'static str, cause: &str) {
        let mut failing = self.failing();
        if !failing.contains(&step) {
            failing.push(step);
            tracing::warn!(
                target: "sandbox_client",
                cause,
                "the token store failed; going on with tokens in memory"
            );
        }
    }

    fn failing(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<TokenKey, Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn silent_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.silent_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A store that has just let a step wait for too long is not asked.
    fn may_ask(&self) -> Result<(), StoreFailure> {
        if self.silent_until().is_some_and(|until| Instant::now() < until) {
            return Err(StoreFailure("it did not answer in time a moment ago".to_owned()));
        }
        Ok(())
    }
}

/// Runs `work` to its end, or to its panic, be that before it begins to wait or after.
async fn caught<'a, T>(work: impl FnOnce() -> BoxFuture<'a, T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = catch_unwind(AssertUnwindSafe(work))?;
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(panic)),
    })
    .await
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("no reason is known"))
}

fn with_sources(error: &(dyn StdError + 'static)) -> String {
    let (mut text, mut error) = (error.to_string(), error);
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;
    use crate::token::PLATFORM;

    /// A store that works, fails or panics.
    #[derive(Default)]
    struct Moody(AtomicU8);

    impl Moody {
        fn step(&self) -> Result<(), BoxError> {
            match self.0.load(Ordering::Relaxed) {
                0 => Ok(()),
                1 => Err("the disk is full".into()),
                _ => panic!("a bug of the store"),
            }
        }
    }

    impl TokenStore for Moody {
        fn get<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
            Box::pin(async { self.step().map(|()| None) })
        }

        fn put_if_newer<'a>(
            &'a self,
            _: &'a TokenKey,
            _: &'a SavedToken,
        ) -> BoxFuture<'a, Result<bool, BoxError>> {
            Box::pin(async { self.step().map(|()| true) })
        }

        fn remove<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
            Box::pin(async { self.step() })
        }
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        /// The lines since it was last asked.
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    /// On Linux alone: elsewhere there may be no moment before the machine's start.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_end_is_forgotten_once_no_token_can_be_as_old() {
        let guard = Guard::new(Arc::new(Moody::default()));
        let key = |name: &str| TokenKey::new("http://host", name, PLATFORM, None);
        for (name, age) in [("old", LONGEST_LIFE), ("recent", LONGEST_LIFE.mul_f64(0.99))] {
            let since = Instant::now().checked_sub(age).unwrap();
            guard.ended().insert(key(name), Ended { since, ..Ended::now() });
        }
        guard.remove(&key("new")).await.unwrap();
        let known = ["old", "recent", "new"].map(|name| guard.ended().contains_key(&key(name)));
        assert_eq!(known, [false, true, true]);
    }

    #[tokio::test]
    async fn a_failure_is_told_once_until_the_step_works_again() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        // While there is one subscriber alone, an event that another thread reaches first
        // asks that thread, which has none, and is off for good. With two, all are asked.
        let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        let _default = tracing::subscriber::set_default(subscriber);
        let store = Arc::new(Moody::default());
        let guard = Guard::new(Arc::clone(&store) as _);
        let key = TokenKey::new("http://host", "key", PLATFORM, None);

        for (mood, reason) in [(1, "the disk is full"), (2, "it panicked: a bug of the store")] {
            store.0.store(mood, Ordering::Relaxed);
            for _ in 0..3 {
                assert_eq!(guard.get(&key).await.unwrap_err().to_string(), reason);
            }
            let lines = log.lines();
            assert!(lines.len() == 1 && lines[0].contains(reason), "{lines:?}");
            // Another step that fails is told too.
            guard.remove(&key).await.unwrap_err();
            assert_eq!(log.lines().len(), 1);
            store.0.store(0, Ordering::Relaxed);
            assert!(guard.get(&key).await.unwrap().is_none());
            // That one works again says nothing of the other.
            store.0.store(mood, Ordering::Relaxed);
            guard.remove(&key).await.unwrap_err();
            assert!(log.lines().is_empty());
            guard.get(&key).await.unwrap_err();
            assert_eq!(log.lines().len(), 1);
            store.0.store(0, Ordering::Relaxed);
            guard.get(&key).await.unwrap();
            guard.remove(&key).await.unwrap();
        }
        for _ in 0..2 {
            guard.lies("it lies");
        }
        let lines = log.lines();
        assert!(lines.len() == 1 && lines[0].contains("it lies"), "{lines:?}");
    }
}
