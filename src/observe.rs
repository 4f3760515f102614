//! Tells what happened, and only what an allow-list names: operation, method,
//! path template, host, attempt, status, codes, times, transaction id. Never a
//! header, a parameter, an address with data in it, or a body.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tracing::{Level, Span, field};

use crate::{Error, ErrorKind, operation::Operation, request::Request};

/// The report of a call that has ended; see
/// [`ClientBuilder::on_call_end`](crate::ClientBuilder::on_call_end).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallReport {
    /// The operation.
    pub operation: &'static Operation,
    /// How many attempts were made.
    pub attempts: u32,
    /// Duration of the call, waits and pauses included.
    pub duration: Duration,
    /// HTTP status of the last answer, if there was one.
    pub status: Option<u16>,
    /// The kind of failure; `None` for a success and for a call that was dropped.
    pub error: Option<ErrorKind>,
    /// The provider's code of the failure, such as `AUTH4033`.
    pub error_code: Option<String>,
    /// Whether the caller dropped the future of the call before it ended. If
    /// the request was sent, the provider may have processed it.
    pub dropped: bool,
}

/// The report of a single attempt; see
/// [`ClientBuilder::on_attempt_end`](crate::ClientBuilder::on_attempt_end).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The operation.
    pub operation: &'static Operation,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// Duration from sending the request to the last byte of its answer.
    pub duration: Duration,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The kind of failure; `None` for a success.
    pub error: Option<ErrorKind>,
    /// The provider's code of the failure.
    pub error_code: Option<String>,
}

type Observer<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// Who is told; see the methods of the client builder.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    pub call: Option<Observer<CallReport>>,
    pub attempt: Option<Observer<AttemptReport>>,
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").finish_non_exhaustive()
    }
}

/// One logical call, from the first attempt to the last. Dropped before it has
/// ended, it tells that too.
pub(crate) struct Call<'a> {
    operation: &'static Operation,
    observers: &'a Observers,
    span: Span,
    started: Instant,
    attempts: AtomicU32,
    ended: bool,
}

impl<'a> Call<'a> {
    /// Names of fields are those of OpenTelemetry's conventions for HTTP clients.
    pub fn start(request: &Request<'a>) -> Self {
        let operation = request.operation;
        let span = tracing::span!(
            target: "sandbox_client",
            Level::INFO,
            "sandbox.call",
            otel.kind = "client",
            otel.name = field::Empty,
            otel.status_code = field::Empty,
            operation = operation.id,
            http.request.method = operation.method,
            url.template = operation.path,
            server.address = request.state.base_url().host(),
            http.response.status_code = field::Empty,
            http.request.resend_count = field::Empty,
            attempts = field::Empty,
            duration_ms = field::Empty,
            transaction_id = field::Empty,
            error.type = field::Empty,
            error.code = field::Empty,
        );
        if !span.is_disabled() {
            span.record("otel.name", field::display(format_args!("{} {}", operation.method, operation.path)));
        }
        Self {
            operation,
            observers: request.state.observers(),
            span,
            started: Instant::now(),
            attempts: AtomicU32::new(0),
            ended: false,
        }
    }

    pub fn span(&self) -> Span {
        self.span.clone()
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    /// An attempt is about to be sent.
    pub fn attempt_started(&self, attempt: u32) {
        self.attempts.store(attempt, Relaxed);
    }

    /// An attempt has ended: with a success where there is no error.
    pub fn attempt_ended(&self, attempt: u32, duration: Duration, error: Option<&Error>) {
        let Some(observer) = &self.observers.attempt else { return };
        observer(&AttemptReport {
            operation: self.operation,
            attempt,
            duration,
            status: error.map_or(Some(200), Error::status),
            error: error.map(Error::kind),
            error_code: error.and_then(Error::error_code).map(str::to_owned),
        });
    }

    /// What is done after an attempt that failed.
    pub fn attempt_failed(&self, attempt: u32, error: &Error, pause: Option<Duration>) {
        self.span.in_scope(|| {
            tracing::event!(
                target: "sandbox_client",
                Level::DEBUG,
                attempt = i64::from(attempt),
                error.type = error.kind().as_str(),
                error.code = error.error_code(),
                http.response.status_code = error.status().map(i64::from),
                transaction_id = error.transaction_id(),
                wait_ms = pause.map(millis),
                "attempt failed"
            );
        });
    }

    pub fn succeeded(mut self) {
        let attempts = self.attempts.load(Relaxed);
        self.end(attempts, Some(200), None);
        self.span.in_scope(|| {
            tracing::event!(
                target: "sandbox_client",
                Level::DEBUG,
                operation = self.operation.id,
                attempts = i64::from(attempts),
                duration_ms = millis(self.started.elapsed()),
                "call succeeded"
            );
        });
    }

    pub fn failed(mut self, error: &Error) {
        // A login that failed has a report of its own; of this call nothing was sent.
        if error.operation() != Some(self.operation.id) {
            return self.end(0, None, Some(error));
        }
        self.end(error.attempts(), error.status(), Some(error));
    }

    /// Without status and error, the call was dropped.
    fn end(&mut self, attempts: u32, status: Option<u16>, error: Option<&Error>) {
        self.ended = true;
        let dropped = status.is_none() && error.is_none();
        if let Some(observer) = &self.observers.call {
            observer(&CallReport {
                operation: self.operation,
                attempts,
                duration: self.started.elapsed(),
                status,
                error: error.map(Error::kind),
                error_code: error.and_then(Error::error_code).map(str::to_owned),
                dropped,
            });
        }
        if self.span.is_disabled() {
            return;
        }
        self.span.record("attempts", i64::from(attempts));
        if attempts > 1 {
            self.span.record("http.request.resend_count", i64::from(attempts - 1));
        }
        self.span.record("duration_ms", millis(self.started.elapsed()));
        if let Some(status) = status {
            self.span.record("http.response.status_code", i64::from(status));
        }
        if let Some(error) = error {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error.kind().as_str());
            if let Some(code) = error.error_code() {
                self.span.record("error.code", code);
            }
            if let Some(id) = error.transaction_id().filter(|_| error.operation() == Some(self.operation.id))
            {
                self.span.record("transaction_id", id);
            }
        } else if dropped {
            self.span.record("error.type", "dropped");
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.attempts.load(Relaxed), None, None);
        }
    }
}

/// A number for OpenTelemetry, whose numbers are signed.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
