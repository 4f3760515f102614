//! Answers: the payload, and the members of the envelope around it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    ops::{Deref, DerefMut},
};

use reqwest::header::HeaderMap;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, value::RawValue};

use crate::{
    Error, ErrorKind,
    error::escape_and_truncate,
    operation::Operation,
    tolerant::{self, Context, Fault, Odd, Path, Unreadable},
    transport::{self, Received, Secrets},
    values::{StatusCd, Timestamp},
};

/// The answer to a request: its payload, and the members of its envelope.
///
/// Dereferences to the payload. [`raw`](Answer::raw) returns the whole body,
/// with members that the types do not have.
///
/// ```
/// # #[cfg(feature = "mock")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let session = mock.session()?;
/// let counts = session.ims().get_invoice_count().type_of_goods("imports").send().await?;
/// println!("transaction {}", counts.transaction_id().unwrap_or("unknown"));
/// assert_eq!(counts.groups[0].1.total, Some(20)); // a member of the payload
/// let counts = counts.into_inner(); // the payload alone
/// # let _ = counts;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "mock"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Answer<T> {
    payload: T,
    /// Where the payload lies in the body.
    at: &'static [&'static str],
    envelope: Envelope,
    unread: Vec<String>,
    received: Received,
}

/// What the envelope says, as far as it is there.
#[derive(Clone, Debug, Default)]
struct Envelope {
    transaction_id: Option<String>,
    timestamp: Option<Timestamp>,
    status_cd: Option<StatusCd>,
}

impl Envelope {
    /// Shown in `Debug` and in errors of helpers, and the provider may echo
    /// what it was sent.
    fn redact(mut self, secrets: &Secrets) -> Self {
        self.transaction_id = self.transaction_id.map(|id| secrets.out_of_text(id));
        self
    }
}

impl<T> Answer<T> {
    /// Returns the payload without the envelope.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.payload
    }

    /// Converts the payload and keeps the envelope.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            payload: change(self.payload),
            at: self.at,
            envelope: self.envelope,
            unread: self.unread,
            received: self.received,
        }
    }

    /// The id that the provider's support asks for. Not always a UUID.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&str> {
        self.envelope.transaction_id.as_deref()
    }

    /// When the provider created the answer.
    #[must_use]
    pub fn timestamp(&self) -> Option<&Timestamp> {
        self.envelope.timestamp.as_ref()
    }

    /// The innermost `status_cd` around the payload: "1" for most successes;
    /// some operations have other values.
    #[must_use]
    pub fn status_cd(&self) -> Option<&StatusCd> {
        self.envelope.status_cd.as_ref()
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.received.status.as_u16()
    }

    /// The headers, without cookies.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.received.headers
    }

    /// How many times the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.received.attempts
    }

    /// The whole body as it was received.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.received.body.received
    }

    /// The paths of all members that were present but could not be read, such as
    /// `data.data.b2b[7].pos`: an optional member or an entry whose shape differs from
    /// the document, or the second of two members with the same name.
    /// [`raw`](Answer::raw) has them. The list omits members that the document does not
    /// know, and empty text in place of a number, an object or a list, which means that
    /// there is no value.
    ///
    /// A `tracing` warning names the same paths, but no values.
    #[must_use]
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// The same paths from the payload on, without those of the envelope.
    pub(crate) fn unread_of_payload(&self) -> Vec<String> {
        let start = self.at.iter().fold(String::new(), |start, key| start + key + ".");
        let below = |path: &String| path.strip_prefix(&start).map(str::to_owned);
        self.unread.iter().filter_map(below).collect()
    }

    /// Whether a member of the payload was there and, or something in it, could
    /// not be read: then nothing follows from its absence.
    #[cfg(any(feature = "gstr_2b", feature = "ims", feature = "returns_common"))]
    pub(crate) fn has_unread(&self, member: &str) -> bool {
        self.unread_of_payload().iter().any(|path| path.split(['.', '[']).next() == Some(member))
    }

    /// The payload within the body, as it was received.
    pub(crate) fn payload_json(&self) -> Option<&RawValue> {
        json_at(self.at, self.received.body.text())
    }

    /// The error for a success that lacks what a helper needs of it; `lacks`
    /// says what that is. The provider may still have processed the request.
    pub(crate) fn incomplete(&self, lacks: &str) -> Error {
        incomplete(&self.received, &self.envelope, lacks)
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.payload
    }
}

impl<T> DerefMut for Answer<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.payload
    }
}

impl<T: fmt::Debug> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("payload", &self.payload)
            .field("transaction_id", &self.envelope.transaction_id)
            .field("timestamp", &self.envelope.timestamp)
            .field("status", &self.received.status)
            .finish_non_exhaustive()
    }
}

fn incomplete(received: &Received, envelope: &Envelope, lacks: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the answer claims success and {lacks}"))
        .in_operation(received.operation.id)
        .with_status(received.status)
        .with_transaction_id(envelope.transaction_id.as_deref())
        .with_provider_message(transport::message(received.body.text()).as_deref())
        .after_attempts(received.attempts)
        .with_maybe_processed(true)
}

/// What lies in a body at this place, as it was received.
fn json_at<'a>(path: &[&str], body: &'a [u8]) -> Option<&'a RawValue> {
    let mut json: &RawValue = serde_json::from_slice(body).ok()?;
    for key in path {
        json = members(json)?.remove(*key)?;
    }
    Some(json)
}

fn members(json: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    serde_json::from_str(json.get()).ok()
}

/// Reads the payload that the operation promises, where it promises it or, where
/// its document says so, one level above. With its place.
fn read_payload<T: DeserializeOwned>(
    operation: &Operation,
    body: &[u8],
) -> Result<(Read<T>, &'static [&'static str]), Unreadable> {
    let at = operation.payload;
    let read = parse::<T>(at, body)?;
    if read.payload.is_none()
        && let (Some(member), Some((_, level))) = (operation.flat, at.split_last())
        && json_at(level, body).and_then(members).is_some_and(|members| members.contains_key(member))
    {
        return Ok((parse::<T>(level, body)?, level));
    }
    Ok((read, at))
}

/// The answer with the payload that the operation promises.
pub(crate) fn read<T: DeserializeOwned>(received: Received, secrets: &Secrets) -> Result<Answer<T>, Error> {
    match read_payload::<T>(received.operation, received.body.text()) {
        Ok((read, at)) => {
            let envelope = read.envelope.redact(secrets);
            let unread: Vec<_> = read.unread.iter().map(|path| shown(path, secrets)).collect();
            warn(received.operation, &unread);
            match read.payload {
                Some(payload) => Ok(Answer { payload, at, envelope, unread, received }),
                None => Err(incomplete(&received, &envelope, &format!("has nothing at `{}`", at.join(".")))),
            }
        }
        Err(unreadable) => Err(undecodable(&received, secrets, &unreadable)),
    }
}

/// Whether a body has a payload where [`read_payload`] looks for it.
fn has_payload(operation: &Operation, body: &Value) -> bool {
    let at = |path: &[&str]| path.iter().try_fold(body, |value, key| value.get(key));
    if at(operation.payload).is_some_and(|payload| !payload.is_null()) {
        return true;
    }
    operation
        .flat
        .zip(operation.payload.split_last())
        .is_some_and(|(member, (_, level))| at(level).is_some_and(|level| level.get(member).is_some()))
}

/// The whole body as the payload.
pub(crate) fn read_whole(received: Received, secrets: &Secrets) -> Result<Answer<Value>, Error> {
    let text = text_of(received.body.text());
    match tolerant::read_apart::<Value>(&text, received.operation.payload.len() + 1) {
        Ok((payload, mut unread)) => {
            let (envelope, odd) = envelope_within(&text);
            unread.extend(odd);
            let unread: Vec<_> = unread.iter().map(|path| shown(path, secrets)).collect();
            warn(received.operation, &unread);
            let envelope = envelope.redact(secrets);
            // As for those who know the type: without a payload there is no success.
            if !has_payload(received.operation, &payload) {
                let at = received.operation.payload.join(".");
                return Err(incomplete(&received, &envelope, &format!("has nothing at `{at}`")));
            }
            Ok(Answer { payload, at: &[], envelope, unread, received })
        }
        Err(unreadable) => Err(undecodable(&received, secrets, &unreadable)),
    }
}

/// Reads the payload of an example, and writes it back if wanted, for contract
/// tests; with the paths that did not fit.
#[cfg(feature = "mock")]
pub(crate) fn round_trip<T: DeserializeOwned + serde::Serialize>(
    operation: &'static Operation,
    answer: &[u8],
    write: bool,
) -> Result<(Value, Vec<String>), Error> {
    let (read, _) = read_payload::<T>(operation, answer)
        .map_err(|unreadable| Error::new(ErrorKind::Decode, reason(&unreadable, str::to_owned)))?;
    let written = if write { serde_json::to_value(read.payload) } else { Ok(Value::Null) };
    let written = written.map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
    Ok((written, read.unread))
}

/// Why an answer that is a success by its envelope cannot be used; `show` makes a
/// text of the answer fit to be shown.
fn reason(unreadable: &Unreadable, show: impl Fn(&str) -> String) -> String {
    match unreadable {
        Unreadable::NotJson(at) => transport::not_json(*at),
        Unreadable::Odd(odd) => {
            let expected = odd.expected().map(|expected| format!(": {}", show(expected))).unwrap_or_default();
            format!("the answer does not fit its type at `{}`{expected}", show(odd.path()))
        }
    }
}

fn undecodable(received: &Received, secrets: &Secrets, unreadable: &Unreadable) -> Error {
    let error = transport::undecodable(received, reason(unreadable, |text| shown(text, secrets)));
    match unreadable {
        Unreadable::NotJson(_) => error,
        Unreadable::Odd(_) => error.with_advice(
            "the provider may have changed its answer; see if a newer version of this crate knows it",
        ),
    }
}

/// A name or a path of the answer, fit to be shown.
fn shown(text: &str, secrets: &Secrets) -> String {
    secrets.out_of_text(escape_and_truncate(text, 120))
}

/// One event for all that did not fit. Of many paths the first ones: a list of
/// a hundred thousand documents may have the same fault in each.
fn warn(operation: &Operation, unread: &[String]) {
    const SHOWN: usize = 20;
    if !unread.is_empty() {
        let paths = unread.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        tracing::warn!(
            operation = operation.id,
            count = unread.len(),
            paths,
            "members of an answer were left out: of another shape than documented"
        );
    }
}

struct Read<T> {
    payload: Option<T>,
    envelope: Envelope,
    unread: Vec<String>,
}

impl<T> Read<T> {
    fn nothing() -> Self {
        Self { payload: None, envelope: Envelope::default(), unread: Vec::new() }
    }
}

/// Nearly always a check alone, which is much faster than the repair of std.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

fn parse<T: DeserializeOwned>(path: &'static [&'static str], body: &[u8]) -> Result<Read<T>, Unreadable> {
    let text = text_of(body);
    let context = Context::new(&text);
    let mut read = Read::nothing();
    level(&context, path, &Path::top(), &mut read).map_err(|fault| context.unreadable(fault))?;
    if path.is_empty() {
        read.envelope = envelope_within(&text).0;
    }
    read.unread = context.finish()?;
    Ok(read)
}

/// The envelope of a body that is the payload as a whole: where there is one,
/// it has the usual form. With what of it did not fit.
fn envelope_within(text: &str) -> (Envelope, Vec<String>) {
    let context = Context::new(text);
    let mut read = Read::<IgnoredAny>::nothing();
    // What is of another form is no failure; what was found until then holds.
    let _ = level(&context, &["data", "data"], &Path::top(), &mut read);
    (read.envelope, context.into_unread())
}

/// Reads one level of the envelope, with the way from here to the payload. As
/// it comes: nothing is kept for a second look.
fn level<'de, T: Deserialize<'de>>(
    context: &Context<'de>,
    path: &[&str],
    here: &Path<'_>,
    read: &mut Read<T>,
) -> Result<(), Fault> {
    let Some((next, rest)) = path.split_first() else {
        read.payload = context.value(here)?;
        return Ok(());
    };
    let json = &context.json;
    if json.take_null()? {
        return Ok(());
    }
    if !json.take(b'{')? {
        return Err(Fault::Odd(Odd::fatal_at(here, "an object")));
    }
    let (mut first, mut descended, mut judged) = (true, false, false);
    let mut name = Cow::Borrowed("");
    // Two of one name may contradict each other: nobody can tell which holds.
    let once = |seen: &mut bool, path: &Path<'_>| {
        let twice = std::mem::replace(seen, true);
        if twice { Err(Fault::Odd(Odd::fatal_at(path, "one member of this name"))) } else { Ok(()) }
    };
    while json.name(&mut first, &mut name)? {
        let path = &Path::outside(here, &name);
        match name.as_ref() {
            name if name == *next => {
                once(&mut descended, path)?;
                level(context, rest, path, read)?;
            }
            "status_cd" => {
                once(&mut judged, path)?;
                read.envelope.status_cd = context.value(path)?;
            }
            "transaction_id" => {
                let id: Option<String> = context.value(path)?;
                read.envelope.transaction_id = id.filter(|id| !id.trim().is_empty());
            }
            "timestamp" => read.envelope.timestamp = context.value(path)?,
            _ => json.pass()?,
        }
    }
    Ok(())
}
