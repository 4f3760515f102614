//! Tells success from failure, whatever form the failure has.
//!
//! The provider reports failures by HTTP status, by `code` in the body, by
//! `data.status_cd`, by `data.error` and by an error code straight under
//! `data`; gateways in front of it answer with HTML. A success is not parsed
//! here: a scan for the few keys that a failure needs is enough, and only what
//! looks suspicious is read. The content type plays no part.

use std::{borrow::Cow, fmt, sync::LazyLock};

use memchr::memmem::Finder;
use reqwest::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Received, attempt::RawAnswer, secrets::Secrets};
use crate::{
    Error, ErrorKind,
    operation::{Credential, Operation},
};

/// Business codes that mean: this taxpayer's session is over. AUTH4033 is
/// documented; AUTH4038 is what other providers of the same GSTN call use.
const SESSION_OVER: [&str; 2] = ["AUTH4033", "AUTH4038"];

/// `Ok` if the answer is a success, as far as can be known without its type.
pub(crate) fn check(operation: &Operation, answer: &RawAnswer) -> Result<(), Error> {
    let (status, body) = (answer.status, answer.body.text());
    if status != StatusCode::OK {
        return Err(http_failure(operation, status, &Probe::read(body), body));
    }
    // The provider has done what it was asked, and we cannot tell what.
    let unreadable =
        |reason: &str| Err(Error::new(ErrorKind::Decode, reason).with_status(status).maybe_sent(true));
    match body.trim_ascii_start().first() {
        Some(b'{') => {}
        None => return unreadable("the answer is empty"),
        Some(b'<') => return unreadable("the answer is HTML instead of JSON"),
        Some(_) => return unreadable("the answer is not a JSON object"),
    }
    if !is_suspicious(body) {
        return Ok(());
    }
    // A body that looks like a failure and cannot be judged is no success.
    let probe = match Probe::parse(body) {
        Ok(probe) => probe,
        Err(error) => return unreadable(&not_json(&error)),
    };
    // A status in the envelope is taken for the HTTP status: a gateway may
    // have turned one into 200, never the other way round.
    if let Some(code) = probe.code.filter(|code| (300..=599).contains(code))
        && let Ok(status) = StatusCode::from_u16(code)
    {
        return Err(http_failure(operation, status, &probe, body));
    }
    match probe.business_failure() {
        Some(failure) => Err(business_failure(&failure, &probe)),
        None => Ok(()),
    }
}

/// An answer that is a success by its envelope and does not fit its type.
/// `locate` reads it once more to learn where.
pub(crate) fn undecodable(
    received: &Received,
    secrets: &Secrets,
    error: &serde_json::Error,
    locate: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::SliceRead<'_>>) -> String,
) -> Error {
    let reason = if error.is_data() {
        let path = locate(&mut serde_json::Deserializer::from_slice(received.body.text()));
        let path = secrets.out_of_text(crate::error::printable(&path, 120));
        match expectation(&error.to_string()) {
            Some(expectation) => {
                let expectation = secrets.out_of_text(expectation.to_owned());
                format!("the answer does not fit its type at `{path}`: {expectation}")
            }
            None => format!("the answer does not fit its type at `{path}`"),
        }
    } else {
        not_json(error)
    };
    Error::new(ErrorKind::Decode, reason)
        .with_status(received.status)
        .with_transaction_id(Probe::read(received.body.text()).transaction_id.as_deref())
        .in_operation(received.operation.id)
        .after_attempts(received.attempts)
        .maybe_sent(true)
        .advice("the provider may have changed its answer; see if a newer version of this crate knows it")
}

fn not_json(error: &serde_json::Error) -> String {
    format!("the answer is not valid JSON (line {}, column {})", error.line(), error.column())
}

/// The part of serde's message that is ours: what was expected. What was found
/// may be a taxpayer's data.
fn expectation(message: &str) -> Option<&str> {
    let (message, _) = message.rsplit_once(" at line ")?;
    if message.starts_with("missing field") {
        return Some(message);
    }
    message.rfind("expected ").map(|at| &message[at..])
}

fn http_failure(operation: &Operation, status: StatusCode, probe: &Probe, body: &[u8]) -> Error {
    let reason = probe.data.error.as_deref().unwrap_or(&probe.data);
    let message = probe.message.as_deref().or(reason.message.as_deref());
    let error = match status.as_u16() {
        401 => not_let_in(operation),
        403 if message.is_some_and(is_dead_token) => not_let_in(operation),
        403 if message.is_some_and(|text| text.eq_ignore_ascii_case("bad credentials")) => {
            not_let_in(operation)
        }
        403 => Error::new(ErrorKind::Denied, "the account may not do this")
            .advice("check privileges, credits and quota of the account"),
        429 => Error::new(ErrorKind::RateLimited, "too many requests"),
        300..=399 => Error::new(ErrorKind::Api, "the server redirects, which is never followed")
            .advice("check the base URL"),
        404 => Error::new(ErrorKind::Api, "not found").advice("check the base URL"),
        500..=599 => Error::new(ErrorKind::Api, "the provider failed").advice("try again later"),
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
        .with_error_code(reason.code.as_deref())
        .with_transaction_id(probe.transaction_id.as_deref())
        .maybe_sent(processed)
}

fn not_let_in(operation: &Operation) -> Error {
    match operation.credential {
        Credential::Session(_) => Error::session_over(),
        Credential::PlatformToken => Error::new(ErrorKind::Auth, "the platform token is not accepted")
            .advice("check that key and secret belong together"),
        Credential::ApiKey | Credential::ApiSecret => {
            Error::new(ErrorKind::Auth, "key or secret are not accepted")
                .advice("check them on the provider's console")
        }
    }
}

/// The two texts that the provider's own clients look for.
fn is_dead_token(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("access token") && (message.contains("invalid") || message.contains("expired"))
}

fn business_failure(failure: &Failure<'_>, probe: &Probe) -> Error {
    let error = if failure.code.is_some_and(|code| SESSION_OVER.contains(&code)) {
        Error::session_over()
    } else {
        Error::new(ErrorKind::Business, "GSTN refused")
    };
    error
        .with_status(StatusCode::OK)
        .with_error_code(failure.code)
        .with_provider_message(failure.message)
        .with_transaction_id(probe.transaction_id.as_deref())
}

/// Whether a body may be anything but a plain success. Errs on the safe side:
/// it finds every failure form, and now and then something harmless. A key may
/// be written with escapes; all that is looked for is ASCII.
fn is_suspicious(body: &[u8]) -> bool {
    let Marks { status, code, error } = &*MARKS;
    values_of(status, body).any(|value| !(value.starts_with(b"\"1\"") || value.first() == Some(&b'1')))
        || values_of(code, body).any(|value| !value.starts_with(b"200"))
        || error.find(body).is_some()
        || memchr::memchr_iter(b'\\', body).any(|at| body[at..].starts_with(b"\\u00"))
}

/// What is searched for in every body. Made ready once, as that takes longer
/// than to search an ordinary body.
struct Marks {
    status: Finder<'static>,
    code: Finder<'static>,
    error: Finder<'static>,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks {
    status: Finder::new("\"status_cd\""),
    code: Finder::new("\"code\""),
    error: Finder::new("\"error"),
});

/// What follows a key, each time that it is found.
fn values_of<'a>(key: &'a Finder<'_>, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    key.find_iter(body).map(|at| value_after(&body[at + key.needle().len()..]))
}

/// What follows the colon after a key.
fn value_after(rest: &[u8]) -> &[u8] {
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start()
}

/// The members of an envelope that tell a failure, each read leniently.
#[derive(Default)]
struct Probe {
    code: Option<u16>,
    message: Option<String>,
    transaction_id: Option<String>,
    data: Data,
    /// `status_cd` and `error` beside `data`, or without it.
    around: Data,
}

/// The same below `data`.
#[derive(Default)]
struct Data {
    status: Option<String>,
    code: Option<String>,
    message: Option<String>,
    error: Option<Box<Data>>,
}

impl Data {
    /// Whether `status_cd` says failure: `0` in any form, or `false`.
    fn failed(&self) -> bool {
        self.status.as_deref().is_some_and(|status| {
            let status = status.trim();
            status.parse::<f64>().is_ok_and(|number| number == 0.0) || status.eq_ignore_ascii_case("false")
        })
    }

    /// Whether there is anything to tell of.
    fn tells(&self) -> bool {
        self.code.is_some() || self.message.is_some()
    }
}

struct Failure<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
}

impl Probe {
    fn parse(body: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(body)
    }

    /// What can be learned; nothing from HTML.
    fn read(body: &[u8]) -> Self {
        Self::parse(body).unwrap_or_default()
    }

    /// The rules: `status_cd` 0 is a failure; so is an `error` with content,
    /// even beside `status_cd` 1; and an error code straight under `data`
    /// where there is no `status_cd`. The first two hold around `data` too.
    fn business_failure(&self) -> Option<Failure<'_>> {
        let data = &self.data;
        let told = |data: &'_ Data| data.error.as_deref().is_some_and(Data::tells);
        let bare = data.status.is_none() && data.code.is_some();
        // GSTN's own form, which the provider has passed on without an envelope.
        let around = self.around.failed() || told(&self.around);
        let failed = if data.failed() || told(data) || bare {
            data
        } else if around {
            &self.around
        } else {
            return None;
        };
        let inner = failed.error.as_deref().filter(|error| error.tells()).unwrap_or(failed);
        Some(Failure {
            code: inner.code.as_deref(),
            message: inner.message.as_deref().or(self.message.as_deref()),
        })
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient::<Self>::default())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient::<Self>::default())
    }
}

/// Reads a `T` from an object, and its default from anything else.
struct Lenient<T>(std::marker::PhantomData<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

/// What takes the members of an object, one by one.
trait FromMembers: Default {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

impl FromMembers for Probe {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "code" => self.code = map.next_value::<Text>()?.0.and_then(|code| code.parse().ok()),
            "message" => self.message = map.next_value::<Text>()?.0,
            "transaction_id" => self.transaction_id = map.next_value::<Text>()?.0,
            "data" => self.data = map.next_value()?,
            "status_cd" | "error" => self.around.member(key, map)?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl FromMembers for Data {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "status_cd" => self.status = map.next_value::<Text>()?.0,
            "error_cd" | "error_code" => self.code = map.next_value::<Text>()?.0.or(self.code.take()),
            "message" => self.message = map.next_value::<Text>()?.0,
            "error" => self.error = Some(map.next_value()?),
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de, T: FromMembers> Visitor<'de> for Lenient<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut value = T::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            value.member(&key, &mut map)?;
        }
        Ok(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
}

/// Text, or a number or boolean as text; nothing for anything else.
#[derive(Default)]
pub(crate) struct Text(Option<String>);

impl Text {
    pub fn into_text(self) -> Option<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                let text = text.trim();
                Ok(Text((!text.is_empty()).then(|| text.to_owned())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(Some(number.to_string())))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}
