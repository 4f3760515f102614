//! A rate limit, counted in a sliding window.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::header::HeaderValue;

use super::{State, lock, rule::header_value};

pub(super) struct Limiter {
    requests: usize,
    window: Duration,
    pub(super) retry_after: Option<HeaderValue>,
    admitted: VecDeque<Instant>,
}

impl Limiter {
    pub(super) fn new(requests: usize, window: Duration) -> Self {
        Self { requests, window, retry_after: None, admitted: VecDeque::new() }
    }

    /// Whether a request is within the limit; if not, it does not count.
    pub(super) fn admits(&mut self, arrived: Instant) -> bool {
        while self.admitted.front().is_some_and(|first| arrived.duration_since(*first) >= self.window) {
            self.admitted.pop_front();
        }
        let admitted = self.admitted.len() < self.requests;
        if admitted {
            self.admitted.push_back(arrived);
        }
        admitted
    }
}

/// The rate limit, for further settings.
pub struct RateLimit {
    pub(super) state: Arc<State>,
}

impl RateLimit {
    /// Sends this `Retry-After` with each refusal, unchanged: seconds, a
    /// date, or an invalid value.
    ///
    /// # Panics
    ///
    /// Panics if the value cannot stand in a header.
    #[track_caller]
    pub fn retry_after(self, value: impl fmt::Display) -> Self {
        let value = header_value(&value.to_string());
        if let Some(limiter) = &mut *lock(&self.state.limiter) {
            limiter.retry_after = Some(value);
        }
        self
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").finish_non_exhaustive()
    }
}
