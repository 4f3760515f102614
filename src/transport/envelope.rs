//! Tells success from failure, whatever form the failure has.
//!
//! The provider reports failures by HTTP status, by `code` in the body, by
//! `data.status_cd`, by `data.error` and by an error code straight under
//! `data`; gateways in front of it answer with HTML. A success is not parsed
//! here: a scan for the few keys that a failure needs is enough, and only what
//! looks suspicious is read. The content type plays no part.

use reqwest::StatusCode;

use super::{
    Received,
    attempt::RawAnswer,
    probe::{Level, Reason, Status},
    scan::is_suspicious,
};
use crate::{
    Error, ErrorKind,
    codes::{self, CodeMeaning},
    error::ErrorCode,
    operation::{Credential, Operation},
    tolerant::Place,
};

/// `Ok` if the answer is a success, as far as can be known without its type.
pub(crate) fn check(operation: &Operation, answer: &RawAnswer) -> Result<(), Error> {
    let (status, body) = (answer.status, answer.body.text());
    if status != StatusCode::OK {
        return Err(http_failure(operation, status, &Level::read(body).0, body));
    }
    let is_object = match body.trim_ascii_start().first() {
        Some(b'{') => true,
        Some(b'[') => false,
        None => return Err(unreadable("the answer is empty")),
        Some(b'<') => return Err(unreadable("the answer is HTML instead of JSON")),
        Some(_) => return Err(unreadable("the answer is not a JSON object")),
    };
    if is_object && !is_suspicious(body) {
        return Ok(());
    }
    let (probe, read) = Level::read(body);
    // A status in the envelope is taken for the HTTP status: a gateway may
    // have turned one into 200, never the other way round.
    if let Some(code) = probe.code.filter(|code| (300..=599).contains(code))
        && let Ok(status) = StatusCode::from_u16(code)
    {
        return Err(http_failure(operation, status, &probe, body));
    }
    let verdict = Verdict { operation, levels: probe.down(), payload: operation.payload.len() };
    let error = match (verdict.error(), read) {
        (Some(error), Ok(())) => error,
        // What had been read until then is a failure already.
        (Some(error), Err(_)) => error.with_maybe_processed(true),
        // A body that looks like a failure and cannot be judged is no success.
        (None, Err(error)) => unreadable(&not_json(Place::from(&error))),
        (None, Ok(())) if is_object => return Ok(()),
        (None, Ok(())) => unreadable("the answer is not a JSON object"),
    };
    Err(error.with_status(StatusCode::OK).with_transaction_id(probe.transaction_id.as_deref()))
}

/// The provider has done what it was asked, and we cannot tell what.
fn unreadable(reason: &str) -> Error {
    Error::new(ErrorKind::Decode, reason).with_status(StatusCode::OK).with_maybe_processed(true)
}

/// An answer that is a success by its envelope and cannot be used.
pub(crate) fn undecodable(received: &Received, reason: String) -> Error {
    Error::new(ErrorKind::Decode, reason)
        .with_status(received.status)
        .with_transaction_id(Level::read(received.body.text()).0.transaction_id.as_deref())
        .in_operation(received.operation.id)
        .after_attempts(received.attempts)
        .with_maybe_processed(true)
}

/// What an answer says for people, for a success that lacks what it should have.
pub(crate) fn message(body: &[u8]) -> Option<String> {
    let (level, _) = Level::read(body);
    level.down().into_iter().find_map(|level| level.message.clone().or(level.note.clone()))
}

pub(crate) fn not_json(at: Place) -> String {
    format!("the answer is not valid JSON ({at})")
}

fn http_failure(operation: &Operation, status: StatusCode, probe: &Level, body: &[u8]) -> Error {
    let levels = probe.down();
    let reason = levels.iter().map(|level| &level.error).find(|reason| reason.content);
    let entries = levels.iter().find_map(|level| level.code_messages());
    let message = [probe.message.as_deref(), reason.and_then(Reason::words), entries.as_deref()]
        .into_iter()
        .flatten()
        .chain(levels.iter().filter_map(|level| level.message.as_deref()))
        .next();
    let codes = levels.iter().find_map(|level| level.codes()).unwrap_or_default();
    let codes = described(codes, message, operation);
    let over = status.is_client_error() && meaning_of(&codes, operation) == Some(CodeMeaning::SessionOver);
    let error = match status.as_u16() {
        _ if over => session_over(operation),
        401 => not_let_in(operation),
        403 if message.is_some_and(is_dead_token) => not_let_in(operation),
        403 if message.is_some_and(|text| text.eq_ignore_ascii_case("bad credentials")) => {
            not_let_in(operation)
        }
        403 if message.is_some_and(is_no_route) => {
            Error::new(ErrorKind::Api, "there is no such address").with_advice("check the base URL")
        }
        403 => Error::new(ErrorKind::Denied, "the account may not do this")
            .with_advice("check privileges, credits and quota of the account"),
        429 => Error::new(ErrorKind::RateLimited, "too many requests"),
        300..=399 => Error::new(ErrorKind::Api, "the server redirects, which is never followed")
            .with_advice("check the base URL"),
        404 => Error::new(ErrorKind::Api, "not found").with_advice("check the base URL"),
        413 => Error::new(ErrorKind::Api, "the request is too large")
            .with_advice("send less in one request; batches of invoices are split by `max_request_bytes`"),
        500..=599 => Error::new(ErrorKind::Api, "the provider failed").with_advice("try again later"),
        200..=299 => Error::new(ErrorKind::Decode, "the answer has a status that the document does not know"),
        _ => Error::new(ErrorKind::Api, "the provider refused the request"),
    };
    let error = if body.is_empty() && status.is_success() {
        Error::new(ErrorKind::Decode, "the answer is empty")
    } else {
        error
    };
    let processed = status.is_server_error() || status.is_success();
    error
        .with_status(status)
        .with_provider_message(message)
        .with_codes(codes)
        .with_transaction_id(probe.transaction_id.as_deref())
        .with_maybe_processed(processed)
}

fn not_let_in(operation: &Operation) -> Error {
    match operation.credential {
        Credential::Session(_) => session_over(operation),
        Credential::PlatformToken => {
            Error::new(ErrorKind::Auth, "authentication failed: the platform token was rejected")
                .with_advice("check that key and secret belong together")
        }
        Credential::ApiKey | Credential::ApiSecret => {
            Error::new(ErrorKind::Auth, "authentication failed: the key or the secret was rejected")
                .with_advice("check them on the provider's console")
        }
    }
}

/// Only a taxpayer's session needs a person and an OTP.
fn session_over(operation: &Operation) -> Error {
    match operation.credential {
        Credential::Session(scheme) if scheme != "taxpayer_token" => {
            Error::new(ErrorKind::SessionExpired, "the session has expired").with_advice("log in again")
        }
        _ => Error::session_over(),
    }
}

/// The two texts that the provider's own clients look for.
fn is_dead_token(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("access token") && (message.contains("invalid") || message.contains("expired"))
}

/// What AWS API Gateway says with 403 of an address that it does not know: the
/// second and the third where the request has an `Authorization` header.
fn is_no_route(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["missing authentication token", "in authorization header", "authorization header requires"]
        .iter()
        .any(|text| message.contains(text))
}

/// The levels of the envelope of a 200, and where the payload is among them.
struct Verdict<'a> {
    operation: &'a Operation,
    levels: Vec<&'a Level>,
    payload: usize,
}

impl Verdict<'_> {
    /// Why the answer is not a success, if it is none.
    fn error(&self) -> Option<Error> {
        if let Some(failed) =
            self.levels.iter().enumerate().position(|(depth, level)| self.fails(depth, level))
        {
            return Some(self.failure(failed));
        }
        let queued = self.levels.iter().find(|level| level.queued && level.token.is_some());
        if let Some(level) = queued {
            return Some(
                business(Some(CodeMeaning::NotReady))
                    .with_file_token(level.token.as_deref())
                    .with_retry_after(self.wait()),
            );
        }
        let unknown = self.levels.iter().enumerate().find(|(depth, level)| self.is_unknown(*depth, level));
        unknown.map(|(_, level)| {
            unreadable("the answer has a status that the document does not know")
                .with_provider_message(level.message.as_deref())
        })
    }

    /// Whether the rules look at this level: at the body, at `data` and at what
    /// is on the way to the payload. The provider has put a failure of GSTN
    /// below a payload at `/data` too.
    fn is_judged(&self, depth: usize) -> bool {
        depth < 2 || depth < self.payload || self.payload == 1 && depth == 2
    }

    /// Whether the level tells a failure: a status of 0, `success: false`, a
    /// word such as `error` as the status beside a payload, an `error` with
    /// content, or a code. A code inside of a payload counts where
    /// no status is beside it.
    fn fails(&self, depth: usize, level: &Level) -> bool {
        if !self.is_judged(depth) {
            return false;
        }
        let beside = depth < self.payload;
        let silent = level.status_cd == Status::Absent && level.status == Status::Absent;
        level.status_cd.is_zero()
            || level.status.is_zero()
            || level.success.is_no()
            || beside && level.status.is_failure()
            || level.error.content
            || !level.bare.is_empty() && (beside || silent)
            || depth == 1 && self.operation.failed_status.iter().any(|status| level.status.is(status))
    }

    /// Whether the level has a status that means neither success nor failure.
    /// `status` may be a word of the payload's, or the HTTP status.
    fn is_unknown(&self, depth: usize, level: &Level) -> bool {
        let beside = depth > 0 && depth < self.payload;
        let known = |status: &Status, values: &[&str]| {
            *status == Status::Absent || values.iter().any(|value| status.is(value))
        };
        (depth < 2 || beside) && !known(&level.status_cd, self.operation.success)
            || beside && !level.status.is_word() && !known(&level.status, &["1"])
    }

    fn failure(&self, failed: usize) -> Error {
        // Its own words first, then those of the levels around and below.
        let own = self.levels[failed];
        let all = || std::iter::once(own).chain(self.levels.iter().copied());
        let message = all()
            .find_map(|level| level.error.words())
            .map(str::to_owned)
            .or_else(|| all().find_map(Level::code_messages))
            .or_else(|| all().find_map(|level| level.note.clone().or(level.message.clone())));
        let codes = all().find_map(Level::codes).unwrap_or_default();
        let codes = described(codes, message.as_deref(), self.operation);
        let meaning = match meaning_of(&codes, self.operation) {
            // The provider could not pass the request on.
            None if codes.is_empty() && own.success.is_no() => Some(CodeMeaning::Temporary),
            meaning => meaning,
        };
        let error = match meaning {
            Some(CodeMeaning::SessionOver) => session_over(self.operation),
            meaning => business(meaning),
        };
        // A write that has an answer, or whose end nobody knows, may have been processed.
        let answered = self.levels.iter().any(|level| level.reference)
            || self.payload > 1 && self.levels.get(self.payload).is_some_and(|payload| payload.filled);
        error
            .with_meaning(meaning)
            .with_codes(codes)
            .with_provider_message(message.as_deref())
            .with_info(self.levels.iter().flat_map(|level| level.info.clone()).collect())
            .with_retry_after(self.wait())
            .with_maybe_processed(answered || meaning == Some(CodeMeaning::Temporary))
    }

    fn wait(&self) -> Option<std::time::Duration> {
        self.levels.iter().find_map(|level| level.wait.or(level.error.wait))
    }
}

/// What the codes mean together: one that ends the session does so whatever is
/// beside it, any other meaning must be that of all.
fn meaning_of(codes: &[ErrorCode], operation: &Operation) -> Option<CodeMeaning> {
    let meaning = |code: &ErrorCode| codes::find(code.code(), operation).and_then(|row| row.meaning);
    let over = codes.iter().map(meaning).find(|meaning| *meaning == Some(CodeMeaning::SessionOver));
    let first = codes.first().and_then(meaning);
    over.flatten().or(first.filter(|_| codes.iter().all(|code| meaning(code) == first)))
}

/// The codes, with what the table says of those that come without a word. The
/// words of the failure are those of its only code.
fn described(codes: &[ErrorCode], words: Option<&str>, operation: &Operation) -> Vec<ErrorCode> {
    let mut codes = codes.to_vec();
    if let ([code], Some(_)) = (codes.as_mut_slice(), words) {
        code.set_message(words);
    }
    for code in codes.iter_mut().filter(|code| code.message().is_none()) {
        let row = codes::find(code.code(), operation);
        code.set_message(row.map(|row| row.text));
    }
    codes
}

/// A failure inside of a 200, by what it means.
fn business(meaning: Option<CodeMeaning>) -> Error {
    let business = |reason| Error::new(ErrorKind::Business, reason);
    let error = match meaning {
        Some(CodeMeaning::LoginRefused) => Error::new(ErrorKind::Auth, "the login is refused")
            .with_advice("check user name, password and GSTIN"),
        Some(CodeMeaning::NoRecords) => business("there are no records"),
        Some(CodeMeaning::NotReady) => {
            business("the answer is still being prepared").with_advice("ask again later")
        }
        Some(CodeMeaning::Temporary) => business("GSTN failed for now").with_advice("try again later"),
        Some(CodeMeaning::Busy) => business("an earlier request is not finished")
            .with_advice("wait for the earlier job, then send the request again"),
        Some(CodeMeaning::Duplicate) => business("it exists already"),
        Some(CodeMeaning::SessionOver) | None => business("GSTN refused"),
    };
    error.with_meaning(meaning)
}

#[cfg(test)]
mod tests;
