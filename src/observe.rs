//! Tells what happened, and only what an allow-list names: operation, method,
//! path template, attempt, status, times, transaction id. Never a header, a
//! parameter, an address with data in it, or a body.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::{Level, Span, field};

use crate::{Error, ErrorKind, operation::Operation};

/// What is told of a call when it ends; see
/// [`ClientBuilder::on_call_end`](crate::ClientBuilder::on_call_end).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CallReport {
    /// The operation.
    pub operation: &'static Operation,
    /// How many times it was sent.
    pub attempts: u32,
    /// From the start to the end, waits and pauses included.
    pub duration: Duration,
    /// HTTP status of the last answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed; `None` for a success.
    pub error: Option<ErrorKind>,
}

/// Takes the report of every call.
pub(crate) type Observer = Arc<dyn Fn(&CallReport) + Send + Sync>;

/// One logical call, from the first try to the last.
pub(crate) struct Call {
    operation: &'static Operation,
    span: Span,
    started: Instant,
}

impl Call {
    /// Field names are OpenTelemetry's where it has one.
    pub fn start(operation: &'static Operation) -> Self {
        let span = tracing::span!(
            target: "sandbox_client",
            Level::INFO,
            "sandbox.call",
            otel.kind = "client",
            operation = operation.id,
            http.request.method = operation.method,
            url.template = operation.path,
            http.response.status_code = field::Empty,
            attempts = field::Empty,
            duration_ms = field::Empty,
            transaction_id = field::Empty,
            error.type = field::Empty,
        );
        Self { operation, span, started: Instant::now() }
    }

    pub fn span(&self) -> Span {
        self.span.clone()
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn attempt_failed(&self, attempt: u32, error: &Error, pause: Option<Duration>) {
        self.span.in_scope(|| {
            tracing::event!(
                target: "sandbox_client",
                Level::DEBUG,
                attempt,
                error.type = error.kind().as_str(),
                http.response.status_code = error.status(),
                transaction_id = error.transaction_id(),
                wait_ms = pause.map(millis),
                "attempt failed"
            );
        });
    }

    pub fn succeeded(&self, attempts: u32, observer: Option<&Observer>) {
        self.end(attempts, Some(200), None, observer);
    }

    pub fn failed(&self, error: &Error, observer: Option<&Observer>) {
        self.span.record("error.type", error.kind().as_str());
        // A login that failed has a report of its own; of this call nothing was sent.
        if error.operation() != Some(self.operation.id) {
            return self.end(0, None, Some(error.kind()), observer);
        }
        if let Some(id) = error.transaction_id() {
            self.span.record("transaction_id", id);
        }
        self.end(error.attempts(), error.status(), Some(error.kind()), observer);
    }

    fn end(&self, attempts: u32, status: Option<u16>, error: Option<ErrorKind>, observer: Option<&Observer>) {
        if let Some(observer) = observer {
            let (operation, duration) = (self.operation, self.elapsed());
            observer(&CallReport { operation, attempts, duration, status, error });
        }
        if self.span.is_disabled() {
            return;
        }
        self.span.record("attempts", attempts);
        self.span.record("duration_ms", millis(self.elapsed()));
        if let Some(status) = status {
            self.span.record("http.response.status_code", status);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
