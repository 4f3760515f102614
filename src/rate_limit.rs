//! Keeps within the provider's limit of requests a minute.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Error, ErrorKind, Phase};

/// The window that the provider counts in.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// Requests do not arrive at the server as evenly as they leave here: one may
/// be late and the next early. This much longer the window is taken to be.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);
/// Requests are counted in slots of this length, so that memory does not grow with the limit.
pub(crate) const SLOT: Duration = Duration::from_millis(100);

/// A boxed future, as the methods of [`RateLimiter`] return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Grants each request a permit.
///
/// The default counts the requests of this process
/// ([`ClientBuilder::requests_per_minute`](crate::ClientBuilder::requests_per_minute)).
/// Your own implementation can share one limit among several machines.
pub trait RateLimiter: Send + Sync + 'static {
    /// Waits until a request may be sent, and counts it. Must be cancel
    /// safe: a dropped future must not use up a permit.
    ///
    /// It cannot fail: if a server that it uses is unreachable, it must fall
    /// back, for example to a smaller local limit.
    fn acquire(&self) -> BoxFuture<'_, ()>;

    /// How long a request would wait now, as far as known.
    fn estimated_wait(&self) -> Duration;

    /// The server answered with status 429: no request may be sent for this long.
    fn pause(&self, wait: Duration);

    /// How long such a [`pause`](RateLimiter::pause) lasts. The default returns `None`;
    /// errors and [`Client::paused_for`](crate::Client::paused_for) then report only the
    /// limit.
    fn paused_for(&self) -> Duration {
        Duration::ZERO
    }
}

/// At most `limit` requests in any window of 60 seconds, first come first served.
#[derive(Debug)]
pub(crate) struct SlidingWindow {
    /// Held by the one who waits for the next permit; the others queue
    /// behind it in order of arrival. Never held while a request is in flight.
    queue: tokio::sync::Mutex<()>,
    queued: AtomicU32,
    window: Mutex<Window>,
}

/// The count itself, without its queue.
#[derive(Debug)]
pub(crate) struct Window {
    limit: u32,
    used: u32,
    slots: VecDeque<(Instant, u32)>,
    paused_until: Option<Instant>,
}

impl SlidingWindow {
    pub fn new(limit: u32) -> Self {
        Self {
            queue: tokio::sync::Mutex::new(()),
            queued: AtomicU32::new(0),
            window: Mutex::new(Window::new(limit)),
        }
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit until `deadline`, and not at all where it is
    /// known that none will come by then.
    pub async fn acquire(&self, deadline: Instant) -> Result<(), Error> {
        if self.queued.load(Ordering::Relaxed) == 0 && self.window().take(Instant::now()).is_none() {
            return Ok(());
        }
        self.refuse_hopeless(deadline)?;
        let _queued = Queued::join(&self.queued);
        let head = tokio::time::timeout_at(deadline.into(), self.queue.lock())
            .await
            .map_err(|_| too_slow(None, self.paused_for()))?;
        loop {
            let now = Instant::now();
            let Some(wait) = self.window().take(now) else { break };
            if now + wait > deadline {
                return Err(too_slow(Some(wait), self.paused_for()));
            }
            tokio::time::sleep(wait).await;
        }
        drop(head);
        Ok(())
    }

    fn refuse_hopeless(&self, deadline: Instant) -> Result<(), Error> {
        let wait = self.estimated_wait();
        if Instant::now() + wait > deadline { Err(too_slow(Some(wait), self.paused_for())) } else { Ok(()) }
    }

    pub fn estimated_wait(&self) -> Duration {
        self.window().wait_for(self.queued.load(Ordering::Relaxed), Instant::now())
    }

    pub fn pause(&self, wait: Duration) {
        self.window().pause(wait, Instant::now());
    }

    pub fn paused_for(&self) -> Duration {
        self.window().paused(Instant::now())
    }
}

/// One more in the queue for as long as it lives, cancelled or not.
struct Queued<'a>(&'a AtomicU32);

impl<'a> Queued<'a> {
    fn join(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `paused`: how long the provider has asked all calls to pause, if it has.
pub(crate) fn too_slow(wait: Option<Duration>, paused: Duration) -> Error {
    let (reason, advice, wait) = if paused > Duration::ZERO {
        let reason =
            "the provider asked for a pause (status 429) that goes on past the deadline of this call";
        (reason, "call again after that time", Some(wait.unwrap_or_default().max(paused)))
    } else {
        let reason = "the client's own limits would make this call wait past its deadline";
        (reason, "send less at once, or raise the call timeout", wait)
    };
    Error::new(ErrorKind::RateLimited, reason)
        .with_phase(Phase::RateLimit)
        .with_retry_after(wait)
        .with_advice(advice)
}

impl Window {
    pub fn new(limit: u32) -> Self {
        Self { limit: limit.max(1), used: 0, slots: VecDeque::new(), paused_until: None }
    }

    /// Nobody may pass for this long, an hour at most.
    pub fn pause(&mut self, wait: Duration, now: Instant) {
        self.paused_until = self.paused_until.max(Some(now + wait.min(WINDOW * 60)));
    }

    /// Takes a permit now (`None`), or tells how long to wait before asking again.
    pub fn take(&mut self, now: Instant) -> Option<Duration> {
        self.forget(now);
        let wait = self.wait(now);
        if wait > Duration::ZERO {
            return Some(wait);
        }
        self.note(now);
        None
    }

    /// Counts a request, allowed or not.
    pub fn note(&mut self, now: Instant) {
        self.used += 1;
        match self.slots.back_mut() {
            Some((start, count)) if now.saturating_duration_since(*start) < SLOT => *count += 1,
            _ => self.slots.push_back((now, 1)),
        }
    }

    /// Drops slots whose last request is out of the window.
    fn forget(&mut self, now: Instant) {
        while let Some((start, count)) = self.slots.front()
            && now.saturating_duration_since(*start) >= WINDOW + MARGIN + SLOT
        {
            self.used -= count;
            self.slots.pop_front();
        }
    }

    /// How long the pause goes on.
    pub fn paused(&self, now: Instant) -> Duration {
        self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// What still counts: since when, and how many.
    #[cfg(feature = "redis")]
    pub fn sent(&mut self, now: Instant) -> Vec<(Instant, u32)> {
        self.forget(now);
        self.slots.iter().copied().collect()
    }

    fn wait(&self, now: Instant) -> Duration {
        let pause = self.paused(now);
        let full = match self.slots.front() {
            Some((start, _)) if self.used >= self.limit => {
                (*start + WINDOW + MARGIN + SLOT).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        };
        pause.max(full)
    }

    /// The wait of one who has `ahead` others in front.
    fn wait_for(&self, ahead: u32, now: Instant) -> Duration {
        let limit = self.limit;
        // Each further `limit` of people in front is a whole window more.
        let rounds = ahead / limit;
        let mut needed = (self.used + ahead % limit + 1).saturating_sub(limit);
        let mut wait = self.wait(now);
        for (start, count) in &self.slots {
            if needed == 0 {
                break;
            }
            wait = wait.max((*start + WINDOW + MARGIN + SLOT).saturating_duration_since(now));
            needed = needed.saturating_sub(*count);
        }
        wait + (WINDOW + MARGIN + SLOT) * rounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten minutes of steady demand, the clock moved by hand.
    #[test]
    fn no_window_is_above_the_limit_and_the_limit_is_used() {
        for limit in [1, 25, 100, 5000] {
            let mut window = Window::new(limit);
            let start = Instant::now();
            let mut now = start;
            let mut sent = VecDeque::new();
            let mut in_ten_minutes = 0_u32;
            while now < start + Duration::from_secs(600) {
                if let Some(wait) = window.take(now) {
                    now += wait;
                    continue;
                }
                sent.push_back(now);
                in_ten_minutes += 1;
                while now - sent[0] >= WINDOW {
                    sent.pop_front();
                }
                assert!(sent.len() <= limit as usize, "{} in one window of {limit}", sent.len());
                now += Duration::from_millis(3);
            }
            assert!(
                f64::from(in_ten_minutes) >= 0.97 * 10.0 * f64::from(limit),
                "{in_ten_minutes} of {limit}"
            );
            assert!(window.slots.len() <= 612, "memory grows with the limit");
        }
    }

    #[test]
    fn a_wait_is_told_in_advance() {
        let now = Instant::now();
        let mut window = Window::new(2);
        assert_eq!(window.wait_for(0, now), Duration::ZERO);
        assert!(window.take(now).is_none());
        assert!(window.take(now).is_none());
        let one_window = WINDOW + MARGIN + SLOT;
        assert_eq!(window.wait_for(0, now), one_window);
        assert_eq!(window.wait_for(1, now), one_window);
        assert_eq!(window.wait_for(2, now), 2 * one_window);
        window.paused_until = Some(now + 3 * one_window);
        assert_eq!(window.wait(now), 3 * one_window);
    }
}
