//! How often a job is asked for, and until when.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use crate::{Error, ErrorKind, client::ClientState, error::escape_and_truncate};

/// How often, and for how long, a job is polled.
///
/// ```
/// use std::time::Duration;
/// use sandbox_client::Polling;
///
/// let patient = Polling::default().deadline(Duration::from_secs(3600));
/// # let _ = patient;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    first_pause: Duration,
    longest_pause: Duration,
    deadline: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30),
            deadline: Duration::from_secs(10 * 60),
        }
    }
}

impl Polling {
    /// Pause after the first poll, doubled after each further one.
    /// Default 2 s, at least 1 ms.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause.max(Duration::from_millis(1));
        self
    }

    /// Longest pause. Default 30 s; not below the first.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// How long to poll. Default 10 minutes, at most a day.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(Duration::from_secs(24 * 3600));
        self
    }

    /// Asks until the job is done. `ask` breaks with what it has come to, or
    /// gives the last status; one that fails for a moment is asked again.
    pub(super) async fn until_done<T, F>(
        &self,
        state: &ClientState,
        job: &str,
        operation: &'static str,
        ask: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<ControlFlow<T, String>, Error>>,
    {
        let mut pauses = self.pauses();
        let mut last = Err(None);
        loop {
            let mut least = state.estimated_wait();
            match ask().await {
                Ok(ControlFlow::Break(done)) => return Ok(done),
                Ok(ControlFlow::Continue(status)) => last = Ok(status),
                Err(error) if error.is_retryable() => {
                    least = least.max(error.retry_after().unwrap_or_default());
                    last = last.or(Err(Some(error)));
                }
                Err(error) => return Err(error),
            }
            if !pauses.pause(least).await {
                return Err(self.not_done(job, operation, last));
            }
        }
    }

    /// The pauses between questions, from now on.
    pub(super) fn pauses(&self) -> Pauses {
        Pauses {
            next: self.first_pause,
            longest: self.longest_pause.max(self.first_pause),
            deadline: Instant::now() + self.deadline,
        }
    }

    /// `last` is the last status, or the last failure where none was told.
    fn not_done(&self, job: &str, operation: &'static str, last: Result<String, Option<Error>>) -> Error {
        let (job, seconds) = (escape_and_truncate(job, 80), self.deadline.as_secs_f64().ceil());
        let timeout = |reason| Error::new(ErrorKind::Timeout, reason);
        let error = match last {
            Err(Some(error)) => timeout(format!(
                "every question about job {job} failed for {seconds} s, the last one so: {error}"
            ))
            .with_source(error),
            last => {
                let last = escape_and_truncate(&last.unwrap_or_else(|_| "none".to_owned()), 80);
                timeout(format!("job {job} is not done after {seconds} s; its last status was {last}"))
            }
        };
        error
            .in_operation(operation)
            .with_maybe_processed(true)
            .retryable(true)
            .with_advice("the job goes on: wait again, or later by its id")
    }
}

/// Pauses that grow, until a deadline.
pub(super) struct Pauses {
    next: Duration,
    longest: Duration,
    deadline: Instant,
}

impl Pauses {
    /// Makes the next pause, `least` as long where there is time; `false` once
    /// there is none left. The last question is asked at the deadline.
    pub(super) async fn pause(&mut self, least: Duration) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.next.max(least).min(left)).await;
        self.next = self.next.saturating_mul(2).min(self.longest);
        true
    }
}
