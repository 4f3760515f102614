//! The one door to the API: every request goes through `call` here, and nothing
//! else sends one. Files behind signed URLs are on other hosts; see `transfer`.

mod attempt;
mod authorize;
mod envelope;
mod left;
mod probe;
mod scan;
mod secrets;
mod text;

use std::time::{Duration, Instant, SystemTime};

#[cfg(fuzzing)]
use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use tracing::Instrument;

pub(crate) use attempt::classify;
pub(crate) use envelope::{message, not_json, undecodable};
pub(crate) use secrets::Secrets;

use crate::{
    CodeMeaning, Error, ErrorKind,
    client::LONGEST,
    observe::Call,
    operation::{Credential, Operation},
    request::Request,
    retry::{self, Decision},
};
use attempt::{Body, RawAnswer};

/// How often a call is sent again with another token. One from a store may be
/// refused too, so a single one is not enough; after a new login there is no other.
const MOST_RENEWALS: u32 = 4;

/// A body that was received in full from a success, as far as can be known
/// without its type.
#[derive(Clone)]
pub(crate) struct Received {
    pub operation: &'static Operation,
    pub attempts: u32,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

/// One logical call: the request goes through the pipeline, `read` makes of
/// the body what the caller wants, and observers learn how it ended.
pub(crate) async fn call<T>(
    request: &Request<'_>,
    read: impl FnOnce(Received, &Secrets) -> Result<T, Error>,
) -> Result<T, Error> {
    let call = Call::start(request);
    let outcome = run(request, &call).instrument(call.span()).await;
    let result = outcome
        .and_then(|(received, secrets)| read(received, &secrets).map_err(|error| secrets.out_of(error)));
    match &result {
        Ok(_) => call.succeeded(),
        Err(error) => call.failed(error),
    }
    result
}

/// The pipeline: its stages are numbered here and in ARCHITECTURE.md.
///
/// Each attempt builds a request of its own, last: what is held while a call
/// waits makes every call larger.
async fn run(request: &Request<'_>, call: &Call<'_>) -> Result<(Received, Secrets), Error> {
    let (state, operation) = (request.state, request.operation);
    let policy = state.policy();
    let mut deadline = call.started() + policy.call_timeout;
    // Requests sent, and how many of them only replaced a refused token.
    let mut sent = 0;
    let mut renewals = 0;
    let finish = |error: Error, sent| {
        let retryable = retry::is_retryable(operation.idempotent, &error);
        error.in_operation(operation.id).after_attempts(sent).retryable(retryable)
    };

    state.budget().count_call(call.started());
    let mut last = None;
    loop {
        // 1. Authorize: the token that the operation needs, obtained or renewed.
        let asked = policy.wait_outside_deadline.then(Instant::now);
        let patience = asked.map_or(deadline, |asked| asked + LONGEST);
        let lease = authorize::authorize(state, operation, patience).await.map_err(|error| {
            match error.operation() {
                // A login that failed speaks for itself; this request was not sent.
                Some(_) => error.with_maybe_processed(false),
                None => finish(error, sent),
            }
        })?;
        // 2. Rate limit: a permit among those in flight, then a place in the window.
        let place = match state.acquire(patience).await {
            Ok(place) => place,
            // Why a retry was wanted says more than why there is none.
            Err(error) => return Err(last.unwrap_or_else(|| finish(error, sent))),
        };
        if let Some(asked) = asked {
            deadline += asked.elapsed();
        }
        // 3. Attempt: credentials attached to a request of its own, sent once, read within limits.
        sent += 1;
        call.attempt_started(sent);
        let begun = Instant::now();
        let timeout = policy.attempt_timeout.min(deadline.saturating_duration_since(begun));
        let authorized = authorize::attach_credentials(request, lease.as_ref());
        let attempt = attempt::send(state.http(), authorized, begun, timeout, policy.max_body_bytes);
        let result = if operation.idempotent {
            attempt.await
        } else {
            let secrets = Secrets::of(request, lease.as_ref().map(|lease| lease.token.clone()));
            // Boxed, so that calls that only read are no larger for it.
            Box::pin(left::to_its_end(operation, secrets, attempt)).await
        };
        drop(place);
        let took = begun.elapsed();
        // 4. Envelope: success or failure, whatever form it has.
        let error = match result {
            Ok(answer) => match check(operation, &answer) {
                Ok(()) => {
                    call.attempt_ended(sent, took, None);
                    let RawAnswer { status, headers, body } = answer;
                    let secrets = Secrets::of(request, lease.map(|lease| lease.token));
                    return Ok((Received { operation, attempts: sent, status, headers, body }, secrets));
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        let token = lease.as_ref().map(|lease| lease.token.clone());
        let error = Secrets::of(request, token).out_of(error);
        let error = finish(error, sent);
        call.attempt_ended(sent, took, Some(&error));

        // 5. Decide.
        let rejected = lease.as_ref().filter(|_| is_dead_token(operation, &error));
        let replaced = match rejected {
            // It may wait for a renewal that is in flight.
            Some(lease) => {
                let replaced = tokio::time::timeout_at(deadline.into(), state.replaced(operation, lease));
                replaced.await.unwrap_or(false) && renewals < MOST_RENEWALS
            }
            None => false,
        };
        if let Some(pause) = retry::pause_for_all(&policy.retry, &error) {
            state.pause(pause);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let jitter = fastrand::f64();
        match retry::decide(&policy.retry, operation, &error, sent - renewals, replaced, left, jitter) {
            Decision::Renew => {
                call.attempt_failed(sent, &error, Some(Duration::ZERO));
                renewals += 1;
            }
            Decision::Retry(pause) if state.budget().take(&policy.retry, Instant::now()) => {
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

/// Whether the failure speaks of the very token that the operation carried: a
/// password that is refused is not the fault of the platform token beside it.
fn is_dead_token(operation: &Operation, error: &Error) -> bool {
    error.meaning() != Some(CodeMeaning::LoginRefused)
        && matches!(
            (operation.credential, error.kind()),
            (Credential::PlatformToken, ErrorKind::Auth)
                | (Credential::Session(_), ErrorKind::SessionExpired)
        )
}

/// The envelope's verdict, with what the head of the answer says on waiting.
fn check(operation: &Operation, answer: &RawAnswer) -> Result<(), Error> {
    envelope::check(operation, answer).map_err(|error| match asked_to_wait(&answer.headers) {
        Some(wait) => error.with_retry_after(Some(wait)),
        None => error,
    })
}

/// The longest of the waits that are asked for. A date is one of the server's clock.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let answered = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let now = answered.unwrap_or_else(SystemTime::now);
    headers
        .get_all(RETRY_AFTER)
        .iter()
        .filter_map(|value| retry::retry_after(value.to_str().ok()?, now))
        .max()
}

/// A body as a JSON parser can read it, for fuzzing.
#[cfg(fuzzing)]
pub(crate) fn readable(body: Bytes) -> Vec<u8> {
    Body::new(body).text().to_vec()
}

/// The verdict on an answer, for fuzzing: envelope first, then the type.
#[cfg(fuzzing)]
pub(crate) fn judge<T: serde::de::DeserializeOwned>(
    request: &Request<'_>,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Error> {
    let operation = request.operation;
    let answer = RawAnswer { status, headers, body: Body::new(body) };
    check(operation, &answer)?;
    let RawAnswer { status, headers, body } = answer;
    let received = Received { operation, attempts: 1, status, headers, body };
    crate::answer::read::<T>(received, &Secrets::of(request, None)).map(drop)
}
