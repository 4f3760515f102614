//! One rate limit for all workers, counted by the server and by its clock.
//!
//! Each worker also keeps count of its own requests: to keep to its part of
//! the limit while the server is away, and to report what the server has missed
//! or lost, so that no minute is above the limit afterwards.

use std::{
    mem,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use redis::Script;
use tokio::{runtime::Handle, sync::oneshot, time::sleep};

use super::{Inner, PREFIX, engine::TRY_AGAIN, generation_name, millis, script, seal::unique};
use crate::{
    BoxFuture, RateLimiter,
    rate_limit::{MARGIN, SLOT, WINDOW, Window},
};

static RATE_LIMIT: LazyLock<Script> = script!("rate_limit");

/// How long a request counts.
const SPAN: Duration = WINDOW.saturating_add(MARGIN).saturating_add(SLOT);

pub(crate) struct SharedRateLimiter(Arc<Shared>);

pub(super) struct Shared {
    redis: Arc<Inner>,
    slots: String,
    counts: String,
    limit: u32,
    /// Held by the one who waits for the next permit, as within one process.
    queue: tokio::sync::Mutex<()>,
    /// Held by the task that reports to the server what it does not know.
    reporting: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// The generation that has all that this worker sent.
    known: String,
    /// Permits that the server has given in it, to all: should it say
    /// less, it has forgotten some.
    given: u64,
    /// Requests of this worker, against its part of the limit.
    own: Window,
    /// Those that the server does not know of: when, and how many.
    unreported: Vec<(Instant, u32)>,
    /// When there may be a permit, by the server's last word.
    free_at: Instant,
    /// Until when the provider has asked all workers to pause.
    paused_until: Instant,
}

/// What is asked of the script besides.
#[derive(Clone, Copy)]
enum Ask {
    Take,
    GiveBack,
    Pause(Duration),
}

impl SharedRateLimiter {
    pub(super) fn new(redis: Arc<Inner>, key: &str, limit: u32, part: u32) -> Self {
        let state = State {
            known: String::new(),
            given: 0,
            own: Window::new(part),
            unreported: Vec::new(),
            free_at: Instant::now(),
            paused_until: Instant::now(),
        };
        Self(Arc::new(Shared {
            redis,
            slots: format!("{PREFIX}:rate_limit:{key}:slots"),
            counts: format!("{PREFIX}:rate_limit:{key}:counts"),
            limit,
            queue: tokio::sync::Mutex::default(),
            reporting: tokio::sync::Mutex::default(),
            state: Mutex::new(state),
        }))
    }

    pub(super) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.0)
    }
}

impl RateLimiter for SharedRateLimiter {
    fn acquire(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let shared = &self.0;
            shared.redis.keep();
            let _head = shared.queue.lock().await;
            loop {
                let paused = shared.state().own.paused(Instant::now());
                let wait = if paused > Duration::ZERO {
                    paused
                } else {
                    match shared.take().await {
                        Some(wait) => wait,
                        None => shared.take_alone(),
                    }
                };
                if wait == Duration::ZERO {
                    return;
                }
                sleep(wait).await;
            }
        })
    }

    fn estimated_wait(&self) -> Duration {
        let now = Instant::now();
        let state = self.0.state();
        state.own.paused(now).max(state.free_at.saturating_duration_since(now))
    }

    fn paused_for(&self) -> Duration {
        let now = Instant::now();
        let state = self.0.state();
        state.own.paused(now).max(state.paused_until.saturating_duration_since(now))
    }

    fn pause(&self, wait: Duration) {
        self.0.state().own.pause(wait, Instant::now());
        if let Ok(runtime) = Handle::try_current() {
            let shared = Arc::clone(&self.0);
            runtime.spawn(async move { shared.ask(Ask::Pause(wait)).await });
        }
    }
}

impl State {
    fn observe_generation(&mut self, generation: String, given: u64) {
        let before = if self.known == generation { self.given } else { 0 };
        (self.known, self.given) = (generation, given.max(before));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit (zero) or tells the wait; `None` without the server.
    /// In a task of its own: should the caller go away while the server
    /// answers, its permit is given back.
    async fn take(self: &Arc<Self>) -> Option<Duration> {
        let (answer, answered) = oneshot::channel();
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let wait = shared.ask(Ask::Take).await;
            if answer.send(wait).is_err() && wait == Some(Duration::ZERO) {
                shared.ask(Ask::GiveBack).await;
            }
        });
        answered.await.ok().flatten()
    }

    /// Without the server: this worker's part of the limit, and not before
    /// the time that the server named last.
    fn take_alone(&self) -> Duration {
        let now = Instant::now();
        let mut state = self.state();
        let wait = match state.free_at.saturating_duration_since(now) {
            Duration::ZERO => state.own.take(now).unwrap_or_default(),
            wait => wait,
        };
        if wait == Duration::ZERO {
            state.unreported.push((now, 1));
        }
        // It may be back sooner.
        wait.min(TRY_AGAIN)
    }

    async fn ask(&self, ask: Ask) -> Option<Duration> {
        // Reported at most twice: the server may lose everything meanwhile.
        for _ in 0..3 {
            self.report().await?;
            let (wait, generation, given, paused) = self.run(ask, &[]).await?;
            let now = Instant::now();
            let Ok(wait) = u64::try_from(wait).map(Duration::from_millis) else {
                self.lost(generation, now);
                continue;
            };
            let mut state = self.state();
            state.observe_generation(generation, given);
            state.paused_until = now + Duration::from_millis(paused);
            match (ask, wait) {
                (Ask::Take, Duration::ZERO) => state.own.note(now),
                _ => state.free_at = now + wait,
            }
            return Some(wait);
        }
        None
    }

    /// Reports to the server what it does not know of.
    async fn report(&self) -> Option<()> {
        let _head = self.reporting.lock().await;
        loop {
            let unreported = mem::take(&mut self.state().unreported);
            if unreported.is_empty() {
                return Some(());
            }
            match self.run(Ask::Pause(Duration::ZERO), &unreported).await {
                Some((-1, generation, ..)) => self.lost(generation, Instant::now()),
                Some((_, generation, given, _)) => self.state().observe_generation(generation, given),
                None => {
                    self.state().unreported.extend(unreported);
                    return None;
                }
            }
        }
    }

    /// What the server knew is gone: all of the last minute is to be reported again.
    fn lost(&self, generation: String, now: Instant) {
        let mut state = self.state();
        if state.known != generation {
            (state.known, state.given) = (generation, 0);
            state.unreported = state.own.sent(now);
        }
    }

    /// The server was seen with this generation.
    pub async fn observe_generation(&self, generation: &str) {
        if !self.state().known.is_empty() {
            self.lost(generation.to_owned(), Instant::now());
        }
        self.report().await;
    }

    async fn run(&self, ask: Ask, unreported: &[(Instant, u32)]) -> Option<(i64, String, u64, u64)> {
        let (take, pause) = match ask {
            Ask::Take => (1, Duration::ZERO),
            Ask::GiveBack => (-1, Duration::ZERO),
            Ask::Pause(wait) => (0, wait.min(WINDOW * 60)),
        };
        let (known, given) = {
            let state = self.state();
            (state.known.clone(), state.given)
        };
        let mut script = RATE_LIMIT.prepare_invoke();
        script.key(generation_name()).key(&self.slots).key(&self.counts);
        script.arg(known).arg(unique()).arg(self.limit).arg(take).arg(millis(pause));
        script.arg(millis(SPAN)).arg(millis(SLOT)).arg(given);
        let now = Instant::now();
        for (moment, count) in unreported {
            script.arg(millis(now.saturating_duration_since(*moment))).arg(*count);
        }
        self.redis.engine.run(&script).await
    }
}
