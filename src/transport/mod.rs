//! The one door to the network: every request of the generated client goes
//! through `exec` here, and nothing else sends one.

mod attempt;
mod authorize;
mod envelope;
mod handoff;
mod observe;
mod pace;
mod retry;
mod secrets;

use std::time::{Duration, Instant, SystemTime};

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, header::RETRY_AFTER};
use tracing::Instrument;

pub use observe::CallReport;
pub(crate) use observe::Observer;
pub use pace::{BoxFuture, RateGate};
pub use retry::RetryPolicy;

pub(crate) use handoff::{decode, into_error};
#[cfg(feature = "redis")]
pub(crate) use pace::{MARGIN, SLOT, WINDOW, Window};
pub(crate) use pace::{SlidingWindow, too_slow};
pub(crate) use retry::Budget;
pub(crate) use secrets::hollow;

use crate::{
    Error, ErrorKind,
    client::{LONGEST, Scope},
    generated::{Client, ClientInfo},
    operation::{Credential, Operation},
};
use attempt::RawAnswer;
use handoff::Answer;
use observe::Call;
use retry::Decision;
use secrets::Secrets;

impl ClientHooks<Scope> for Client {
    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        let operation =
            Operation::find(info.operation_id).expect("the table holds every generated operation");
        let call = Call::start(operation);
        let span = call.span();
        let result = run(self, operation, &request, &call).instrument(span).await;
        Ok(match result {
            Ok((attempts, response)) => {
                call.succeeded(attempts, self.inner().observer());
                response
            }
            Err(error) => {
                call.failed(&error, self.inner().observer());
                handoff::failed(error)
            }
        })
    }
}

/// The pipeline: authorize, pace, attempt, envelope, decide, until done. Gives
/// how many attempts it took, and a response that carries the answer.
///
/// Each attempt sends a copy of `request`, made last: what is held while a
/// call waits makes every call larger.
async fn run(
    client: &Client,
    operation: &'static Operation,
    request: &Request,
    call: &Call,
) -> Result<(u32, Response), Error> {
    let scope = client.inner();
    let policy = scope.policy();
    let mut deadline = call.started() + policy.call_timeout;
    // Requests sent, and how many of them only replaced a refused token.
    let mut sent = 0;
    let mut renewals = 0;
    let finish = |error: Error, sent| {
        let retryable = retry::is_retryable(operation, &error);
        error.in_operation(operation.id).after_attempts(sent).retryable(retryable)
    };

    authorize::check_address(scope, operation, request).map_err(|error| finish(error, sent))?;
    scope.budget().count_call(call.started());
    let mut last = None;
    loop {
        let asked = policy.patient.then(Instant::now);
        let patience = asked.map_or(deadline, |asked| asked + LONGEST);
        let lease = authorize::authorize(client, operation, patience).await.map_err(|error| {
            match error.operation() {
                // A login that failed speaks for itself; this request was not sent.
                Some(_) => error.maybe_sent(false),
                None => finish(error, sent),
            }
        })?;
        let place = match scope.acquire(patience).await {
            Ok(place) => place,
            // Why a retry was wanted says more than why there is none.
            Err(error) => return Err(last.unwrap_or_else(|| finish(error, sent))),
        };
        if let Some(asked) = asked {
            deadline += asked.elapsed();
        }
        sent += 1;
        let timeout = policy.attempt_timeout.min(deadline.saturating_duration_since(Instant::now()));
        let signed = authorize::sign(scope, operation, lease.as_ref(), request);
        let result = attempt::send(client.client(), signed, timeout, policy.max_body_bytes).await;
        drop(place);
        let error = match result {
            Ok((answer, response)) => match check(operation, &answer) {
                Ok(()) => {
                    let RawAnswer { status, headers, body } = answer;
                    let token = lease.map(|lease| lease.token);
                    let secrets = Secrets::of(scope, operation, request.url(), token);
                    let answer = Answer { operation, attempts: sent, status, headers, body, secrets };
                    return Ok((sent, handoff::answered(answer, response)));
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        let token = lease.as_ref().map(|lease| lease.token.clone());
        let error = Secrets::of(scope, operation, request.url(), token).out_of(error);
        let error = finish(error, sent);

        if let Some(lease) = &lease
            && is_dead_token(operation, &error)
            && client.replaced(operation, lease).await
            && renewals == 0
        {
            call.attempt_failed(sent, &error, Some(Duration::ZERO));
            renewals += 1;
            continue;
        }
        if error.kind() == ErrorKind::RateLimited {
            scope.pause(error.retry_after().unwrap_or(policy.retry.base_rate_limited));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match retry::decide(&policy.retry, operation, &error, sent - renewals, left, fastrand::f64()) {
            Decision::Retry(pause) if scope.budget().take(&policy.retry, Instant::now()) => {
                call.attempt_failed(sent, &error, Some(pause));
                last = Some(error);
                tokio::time::sleep(pause).await;
            }
            Decision::Retry(_) | Decision::Stop => {
                call.attempt_failed(sent, &error, None);
                return Err(error);
            }
        }
    }
}

/// Whether the failure speaks of the very token that the operation carried.
fn is_dead_token(operation: &Operation, error: &Error) -> bool {
    matches!(
        (operation.credential, error.kind()),
        (Credential::PlatformToken, ErrorKind::Auth) | (Credential::TaxpayerToken, ErrorKind::SessionExpired)
    )
}

/// The envelope's verdict, with what the head of the answer says on waiting.
fn check(operation: &Operation, answer: &RawAnswer) -> Result<(), Error> {
    envelope::check(operation, answer).map_err(|error| {
        let wait = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        error.with_retry_after(wait.and_then(|value| retry::retry_after(value, SystemTime::now())))
    })
}

/// The verdict on an answer, for fuzzing: envelope first, then the type.
#[cfg(fuzzing)]
pub(crate) fn judge<T: serde::de::DeserializeOwned>(
    client: &Client,
    operation: &'static Operation,
    status: reqwest::StatusCode,
    headers: reqwest::header::HeaderMap,
    body: bytes::Bytes,
) -> Result<(), Error> {
    let answer = RawAnswer { status, headers, body };
    check(operation, &answer)?;
    let RawAnswer { status, headers, body } = answer;
    let scope = client.inner();
    let secrets = Secrets::of(scope, operation, scope.base_url().url(), None);
    let answer = Answer { operation, attempts: 1, status, headers, body, secrets };
    match serde_json::from_slice::<T>(&answer.body) {
        Ok(_) => Ok(()),
        Err(error) => Err(envelope::undecodable::<T>(&answer, &error)),
    }
}

/// A `Retry-After` as of now, for fuzzing.
#[cfg(fuzzing)]
pub(crate) fn retry_after(value: &str) -> Option<std::time::Duration> {
    retry::retry_after(value, SystemTime::now())
}
