//! The one door to the network: every request of the generated client goes
//! through `exec` here, and nothing else sends one.

mod attempt;
mod authorize;
mod envelope;
mod handoff;
mod observe;
mod pace;
mod retry;

use std::time::{Instant, SystemTime};

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, header::RETRY_AFTER};
use tracing::Instrument;

pub use pace::{BoxFuture, RateGate};
pub use retry::RetryPolicy;

pub(crate) use handoff::{decode, into_error};
pub(crate) use pace::{SlidingWindow, too_slow};
pub(crate) use retry::Budget;

use crate::{
    Error, ErrorKind, Phase,
    client::Scope,
    generated::{Client, ClientInfo},
    operation::Operation,
};
use attempt::RawAnswer;
use handoff::Answer;
use observe::Call;
use retry::Decision;

impl ClientHooks<Scope> for Client {
    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        let operation =
            Operation::find(info.operation_id).expect("the table holds every generated operation");
        let call = Call::start(operation);
        let span = call.span();
        let result = run(self.client(), self.inner(), operation, request, &call).instrument(span).await;
        Ok(match result {
            Ok(answer) => {
                call.succeeded(answer.attempts);
                handoff::answered(answer)
            }
            Err(error) => {
                call.failed(&error);
                handoff::failed(error)
            }
        })
    }
}

/// The pipeline: authorize, pace, attempt, envelope, decide, until done.
async fn run(
    http: &reqwest::Client,
    scope: &Scope,
    operation: &'static Operation,
    mut request: Request,
    call: &Call,
) -> Result<Answer, Error> {
    let policy = scope.policy();
    let deadline = Instant::now() + policy.call_timeout;
    let finish = |error: Error, attempts| {
        let retryable = retry::is_retryable(operation, &error);
        error.in_operation(operation.id).after_attempts(attempts).retryable(retryable)
    };

    authorize::prepare(scope, operation, &mut request).map_err(|error| finish(error, 0))?;
    scope.budget().count_call(Instant::now());

    let mut attempt = 0;
    let mut last = None;
    loop {
        let mut next = request.try_clone().expect("bodies are kept in memory, never streamed");
        let token =
            authorize::authorize(scope, operation, &mut next).map_err(|error| finish(error, attempt))?;
        let place = match scope.acquire(deadline).await {
            Ok(place) => place,
            // Why a retry was wanted says more than why there is none.
            Err(error) => return Err(last.unwrap_or_else(|| finish(error, attempt))),
        };
        attempt += 1;
        let timeout = policy.attempt_timeout.min(deadline.saturating_duration_since(Instant::now()));
        *next.timeout_mut() = Some(timeout);

        let result = attempt::send(http, next, policy.max_body_bytes).await;
        drop(place);
        let error = match result {
            Ok(answer) => match check(operation, &answer) {
                Ok(()) => {
                    let RawAnswer { status, headers, body } = answer;
                    return Ok(Answer { operation, attempts: attempt, status, headers, body });
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        let error = finish(scope.redact(error, &request, token.as_ref()), attempt);

        if error.kind() == ErrorKind::RateLimited && error.phase() != Some(Phase::Pace) {
            scope.pause(error.retry_after().unwrap_or(policy.retry.base_rate_limited));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let decision = retry::decide(&policy.retry, operation, &error, attempt, left, fastrand::f64());
        match decision {
            Decision::Retry(pause) if scope.budget().take(&policy.retry, Instant::now()) => {
                call.attempt_failed(attempt, &error, Some(pause));
                last = Some(error);
                tokio::time::sleep(pause).await;
            }
            Decision::Retry(_) | Decision::Stop => {
                call.attempt_failed(attempt, &error, None);
                return Err(error);
            }
        }
    }
}

/// The envelope's verdict, with what the head of the answer says on waiting.
fn check(operation: &Operation, answer: &RawAnswer) -> Result<(), Error> {
    envelope::check(operation, answer).map_err(|error| {
        let wait = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        error.with_retry_after(wait.and_then(|value| retry::retry_after(value, SystemTime::now())))
    })
}
