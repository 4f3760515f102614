//! Whether and when a failed request is sent again: a pure decision, and the
//! budget that says how much repeating a client may do at all.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{Error, ErrorKind, Phase, codes::CodeMeaning, operation::Operation, rate_limit::WINDOW};

/// When and how often failed requests are retried; see
/// [`ClientBuilder::retry`](crate::ClientBuilder::retry).
///
/// Reads are retried on the statuses 408, 429, 500, 502, 503, 504 and 520 to 524, on
/// connection failures, on timeouts, and on temporary failures inside status 200
/// ([`Temporary`](crate::CodeMeaning::Temporary)). Writes are retried on 429 and if the
/// request was certainly not sent. Nothing is retried on another status, a refused
/// certificate or proxy, another failure inside status 200, or an answer that cannot be
/// read.
///
/// ```
/// use std::time::Duration;
/// use sandbox_client::RetryPolicy;
///
/// let persistent = RetryPolicy::default().max_attempts(5).max_backoff(Duration::from_secs(20));
/// let never = RetryPolicy::none();
/// # let _ = (persistent, never);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) base: Duration,
    pub(crate) base_rate_limited: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) max_retry_after: Duration,
    pub(crate) max_pause: Duration,
    pub(crate) budget_ratio: f64,
    pub(crate) budget_reserve: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(500),
            base_rate_limited: Duration::from_secs(1),
            max_backoff: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
            max_pause: Duration::from_secs(3600),
            budget_ratio: 0.2,
            budget_reserve: 10,
        }
    }
}

impl RetryPolicy {
    /// Sends each call once, without retries.
    #[must_use]
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Attempts in all, the first included. Default 3, clamped to 1 to
    /// 10.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.clamp(1, 10);
        self
    }

    /// Pause before the first retry, doubled for each further one. Default
    /// 0.5 s; after a 429 without `Retry-After` twice as long. At least 1 ms.
    #[must_use]
    pub fn base_backoff(mut self, base: Duration) -> Self {
        self.base = base.clamp(Duration::from_millis(1), Duration::from_secs(3600));
        self.base_rate_limited = 2 * self.base;
        self
    }

    /// Longest backoff. Default 8 s. Not below the base.
    #[must_use]
    pub fn max_backoff(mut self, longest: Duration) -> Self {
        self.max_backoff = longest;
        self
    }

    /// Longest `Retry-After` that a call waits for. Default 60 s; if it is
    /// longer, the call fails at once and [`Error::retry_after`] returns it.
    #[must_use]
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// Longest `Retry-After` of a 429 for which all other calls of the client pause too.
    /// Default 1 h. A longer one applies only to the call that received it; the others
    /// pause for the minute that the provider counts in, or for this time if it is
    /// shorter.
    #[must_use]
    pub fn max_pause(mut self, longest: Duration) -> Self {
        self.max_pause = longest;
        self
    }

    /// How many retries all clones of a client may send together: a share of
    /// the calls of the last 10 seconds (default 0.2), plus a fixed reserve (default 10).
    #[must_use]
    pub fn budget(mut self, share: f64, reserve: u32) -> Self {
        self.budget_ratio = if share.is_finite() { share.clamp(0.0, 10.0) } else { 0.2 };
        self.budget_reserve = reserve;
        self
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Decision {
    /// Send again at once with another token: the one sent was refused, and
    /// there is a replacement. Counts as no retry.
    Renew,
    /// Send again after this pause.
    Retry(Duration),
    /// Give the failure to the caller.
    Stop,
}

/// Whether the same request may succeed later and may be sent again.
pub(crate) fn is_retryable(idempotent: bool, error: &Error) -> bool {
    match error.kind() {
        // Refused before it was processed, so writes too.
        ErrorKind::RateLimited => true,
        ErrorKind::Api => {
            idempotent && matches!(error.status(), Some(408 | 500 | 502 | 503 | 504 | 520..=524))
        }
        ErrorKind::Transport | ErrorKind::Timeout => {
            !matches!(error.phase(), Some(Phase::Tls | Phase::Proxy | Phase::RateLimit | Phase::Login))
                && (idempotent || !error.maybe_processed())
        }
        ErrorKind::Business => match error.meaning() {
            Some(CodeMeaning::Temporary | CodeMeaning::NotReady) => idempotent,
            // Not processed, so writes too.
            Some(CodeMeaning::Busy) => !error.maybe_processed(),
            _ => false,
        },
        _ => false,
    }
}

/// Whether it passes by itself only after minutes: another attempt at once would
/// be paid for and fail.
fn takes_minutes(error: &Error) -> bool {
    matches!(error.meaning(), Some(CodeMeaning::NotReady | CodeMeaning::Busy))
}

/// How long all calls of the client pause after a failure: what the server
/// asked for with a 429, or the first backoff.
pub(crate) fn pause_for_all(policy: &RetryPolicy, error: &Error) -> Option<Duration> {
    let wait = error.retry_after().unwrap_or(policy.base_rate_limited);
    let pause = if wait > policy.max_pause { policy.max_pause.min(WINDOW) } else { wait };
    (error.kind() == ErrorKind::RateLimited).then_some(pause)
}

/// Decides on the failure of attempt number `attempt` (from 1). `replaced` says
/// that the token was refused and has a replacement that this call has not
/// tried; `left` is the time until the call's deadline, `jitter` a random
/// number from 0 to 1.
pub(crate) fn decide(
    policy: &RetryPolicy,
    operation: &Operation,
    error: &Error,
    attempt: u32,
    replaced: bool,
    left: Duration,
    jitter: f64,
) -> Decision {
    // A refused token is no answer; one that names its outcome is.
    if replaced && (operation.idempotent || !error.maybe_processed()) {
        return Decision::Renew;
    }
    match pause(policy, operation.idempotent, error, attempt, left, jitter) {
        Some(pause) => Decision::Retry(pause),
        None => Decision::Stop,
    }
}

/// How long to wait before the next attempt; `None` if there is to be none.
pub(crate) fn pause(
    policy: &RetryPolicy,
    idempotent: bool,
    error: &Error,
    attempt: u32,
    left: Duration,
    jitter: f64,
) -> Option<Duration> {
    if attempt >= policy.max_attempts || !is_retryable(idempotent, error) || takes_minutes(error) {
        return None;
    }
    let pause = match error.retry_after() {
        Some(wait) if wait > policy.max_retry_after => return None,
        // Never earlier than asked, and not all at the same moment.
        Some(wait) => wait + wait.mul_f64(jitter * 0.1).min(Duration::from_secs(1)),
        None => backoff(policy, error.kind(), attempt, jitter),
    };
    (pause < left).then_some(pause)
}

/// `base x 2^n` up to the cap, spread over its upper half.
fn backoff(policy: &RetryPolicy, kind: ErrorKind, attempt: u32, jitter: f64) -> Duration {
    let base = if kind == ErrorKind::RateLimited { policy.base_rate_limited } else { policy.base };
    let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
    let full = base.saturating_mul(factor).min(policy.max_backoff.max(base));
    full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

/// Counts calls and retries of the last ten seconds, a second a slot.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    slots: Mutex<VecDeque<Slot>>,
}

#[derive(Debug)]
struct Slot {
    start: Instant,
    calls: u32,
    retries: u32,
}

impl Budget {
    const WINDOW: Duration = Duration::from_secs(10);
    const SLOT: Duration = Duration::from_secs(1);

    /// Notes a call that is made for the first time.
    pub fn count_call(&self, now: Instant) {
        self.on_slots(now, |slots| {
            if let Some(slot) = slots.back_mut() {
                slot.calls = slot.calls.saturating_add(1);
            }
        });
    }

    /// Takes one retry out of the budget, if there is one left.
    pub fn take(&self, policy: &RetryPolicy, now: Instant) -> bool {
        self.on_slots(now, |slots| {
            let calls: f64 = slots.iter().map(|slot| f64::from(slot.calls)).sum();
            let retries: f64 = slots.iter().map(|slot| f64::from(slot.retries)).sum();
            let granted = retries + 1.0 <= calls * policy.budget_ratio + f64::from(policy.budget_reserve);
            if granted && let Some(slot) = slots.back_mut() {
                slot.retries += 1;
            }
            granted
        })
    }

    fn on_slots<T>(&self, now: Instant, work: impl FnOnce(&mut VecDeque<Slot>) -> T) -> T {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        while slots.front().is_some_and(|slot| now.saturating_duration_since(slot.start) >= Self::WINDOW) {
            slots.pop_front();
        }
        if slots.back().is_none_or(|slot| now.saturating_duration_since(slot.start) >= Self::SLOT) {
            slots.push_back(Slot { start: now, calls: 0, retries: 0 });
        }
        work(&mut slots)
    }
}

/// `Retry-After`: seconds, or an HTTP date in any of its three forms. What
/// cannot be read is as if it were absent; a moment in the past means now, and
/// a number that is larger than any clock needs means a very long wait.
pub(crate) fn retry_after(value: &str, now: std::time::SystemTime) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().map_or(LONGEST, Duration::from_secs)
    } else if let Ok(seconds) = value.parse::<f64>() {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return None;
        }
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
    } else {
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests;
