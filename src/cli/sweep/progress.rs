//! How far a sweep is, on standard error where that is a terminal.

use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{
    arguments::Format,
    output::{local, span},
};

pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Answers of this run; those of a checkpoint took no time.
    answered: u32,
    per_minute: Option<u32>,
    /// Until when the provider has asked for a pause, as it was last reported.
    paused_until: Option<Instant>,
}

/// A shorter pause is not worth a line.
const WORTH_TELLING: Duration = Duration::from_secs(5);

impl Progress {
    pub fn new(total: usize, per_minute: Option<u32>) -> Self {
        let bar = ProgressBar::new(total as u64);
        // Within 80 columns; what is too long for the terminal is cut, never wrapped.
        let style = ProgressStyle::with_template("{bar:14} {pos}/{len} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, started: Instant::now(), answered: 0, per_minute, paused_until: None }
    }

    /// An answer that the checkpoint has.
    pub fn recall(&mut self) {
        self.bar.inc(1);
    }

    /// From here on calls are made, which rate and time left go by.
    pub fn begin(&mut self) {
        self.started = Instant::now();
    }

    pub fn advance(&mut self, failures: usize, without_session: usize) {
        self.bar.inc(1);
        self.answered += 1;
        let left = self.bar.length().unwrap_or_default().saturating_sub(self.bar.position());
        let minutes = self.started.elapsed().as_secs_f64() / 60.0;
        let rate = f64::from(self.answered) / minutes.max(1.0 / 60.0);
        self.bar.set_message(format!(
            "{rate:.0}/min, {} left, {failures} failed, {without_session} need an OTP",
            span(remaining(left, rate, self.per_minute)),
        ));
    }

    /// Tells a pause that the provider has asked for, once.
    pub fn pause(&mut self, left: Duration) {
        let until = Instant::now() + left;
        let shown = self.paused_until.is_some_and(|last| until < last + WORTH_TELLING);
        if left < WORTH_TELLING || shown {
            return;
        }
        self.paused_until = Some(until);
        let until = local(SystemTime::now() + left, Format::Table);
        self.say(&format!(
            "The provider asked for a pause (status 429): nothing is sent for {} s, until {until}.",
            left.as_secs()
        ));
    }

    /// A line for people that is no part of the bar.
    pub fn say(&self, line: &str) {
        self.aside(|| eprintln!("{line}"));
    }

    /// Writes something while the bar is out of the way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// At the rate so far, but never above the limit: a minute's allowance is
/// often used within its first seconds.
fn remaining(left: u64, rate: f64, per_minute: Option<u32>) -> Duration {
    let rate = per_minute.map_or(rate, |limit| rate.min(f64::from(limit)));
    #[allow(clippy::cast_precision_loss)] // an estimate
    let minutes = left as f64 / rate.max(0.001);
    Duration::from_secs_f64((minutes * 60.0).min(1e7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_checkpoint_has_is_no_part_of_the_rate() {
        let mut progress = Progress::new(90, None);
        for _ in 0..12 {
            progress.recall();
        }
        progress.begin();
        progress.advance(0, 0);
        assert_eq!((progress.answered, progress.bar.position()), (1, 13));
        // A second at least is counted, so that one quick answer is not thousands a minute.
        assert!(progress.bar.message().starts_with("60/min, 1 min left"), "{}", progress.bar.message());
    }

    #[test]
    fn the_first_burst_does_not_promise_too_much() {
        assert_eq!(remaining(900, 5000.0, Some(100)), Duration::from_secs(540));
        assert_eq!(remaining(900, 50.0, Some(100)), Duration::from_secs(1080));
        assert_eq!(remaining(900, 1800.0, None), Duration::from_secs(30));
        assert!(remaining(900, 0.0, None) > Duration::from_secs(3600));
    }
}
