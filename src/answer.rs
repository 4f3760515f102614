//! Answers: the payload first, and what the envelope around it says.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use reqwest::header::HeaderMap;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    },
};
use serde_json::{Value, value::RawValue};

use crate::{
    Error, ErrorKind,
    transport::{self, LenientText, Received, Secrets},
    values::{StatusCd, Timestamp},
};

/// The answer to a request: its payload, and what the envelope says.
///
/// Dereferences to the payload. [`raw`](Answer::raw) has the whole body, with
/// members that the types do not know.
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
    envelope: Envelope,
    received: Received,
}

/// What the envelope says, as far as it is there.
#[derive(Clone, Debug, Default)]
struct Envelope {
    transaction_id: Option<String>,
    timestamp: Option<Timestamp>,
    status_cd: Option<StatusCd>,
    /// Members of the envelope that are there in another shape.
    unread: Vec<&'static str>,
}

impl Envelope {
    /// Shown in `Debug` and in errors of helpers, and the provider may echo
    /// what it was sent.
    fn without(mut self, secrets: &Secrets) -> Self {
        self.transaction_id = self.transaction_id.map(|id| secrets.out_of_text(id));
        self
    }
}

impl<T> Answer<T> {
    /// The payload alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.payload
    }

    /// The same answer with another payload made of this one.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { payload: change(self.payload), envelope: self.envelope, received: self.received }
    }

    /// What the provider's support asks for. Not always a UUID.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&str> {
        self.envelope.transaction_id.as_deref()
    }

    /// When the answer was made.
    #[must_use]
    pub fn timestamp(&self) -> Option<&Timestamp> {
        self.envelope.timestamp.as_ref()
    }

    /// The innermost `status_cd` around the payload: "1" for most successes;
    /// some operations have values of their own.
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

    /// Members of the envelope that were there in a shape that does not fit,
    /// such as a `timestamp` that is a list. They are absent here, and
    /// [`raw`](Answer::raw) has them.
    #[must_use]
    pub fn unread(&self) -> &[&'static str] {
        &self.envelope.unread
    }

    /// The payload within the body, as it was received.
    pub(crate) fn payload_json(&self) -> Option<&RawValue> {
        let mut json: &RawValue = serde_json::from_slice(self.received.body.text()).ok()?;
        for key in self.received.operation.payload {
            let mut members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json.get()).ok()?;
            json = members.remove(*key)?;
        }
        Some(json)
    }

    /// The error for a success that lacks what a helper needs of it; `lacks`
    /// says what that is. The provider has done its part all the same.
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
        .after_attempts(received.attempts)
        .maybe_sent(true)
}

/// Reads the payload that the operation promises, where it promises it.
pub(crate) fn read<T: DeserializeOwned>(received: Received, secrets: &Secrets) -> Result<Answer<T>, Error> {
    match parse::<T>(received.operation.payload, received.body.text()) {
        Ok((payload, envelope)) => {
            let envelope = envelope.without(secrets);
            let path = received.operation.payload;
            match payload {
                Some(payload) => Ok(Answer { payload, envelope, received }),
                None => {
                    Err(incomplete(&received, &envelope, &format!("has nothing at `{}`", path.join("."))))
                }
            }
        }
        Err(error) => Err(transport::undecodable(&received, secrets, &error, |json| {
            let mut track = serde_path_to_error::Track::new();
            let json = serde_path_to_error::Deserializer::new(json, &mut track);
            let mut parts = Parts::<T>::default();
            let _ = Level { path: received.operation.payload, parts: &mut parts }.deserialize(json);
            track.path().to_string()
        })),
    }
}

/// The whole body as the payload.
pub(crate) fn read_whole(received: Received, secrets: &Secrets) -> Result<Answer<Value>, Error> {
    match parse::<Value>(&[], received.body.text()) {
        Ok((payload, envelope)) => {
            Ok(Answer { payload: payload.unwrap_or_default(), envelope: envelope.without(secrets), received })
        }
        Err(error) => Err(transport::undecodable(&received, secrets, &error, |_| ".".to_owned())),
    }
}

/// Reads the payload of an example and writes it back, for contract tests.
#[cfg(feature = "mock")]
pub(crate) fn round_trip<T: DeserializeOwned + serde::Serialize>(
    operation: &'static crate::operation::Operation,
    answer: &[u8],
) -> Result<Value, Error> {
    let refused = |error: serde_json::Error| Error::new(ErrorKind::Decode, error.to_string());
    let (payload, _) = parse::<T>(operation.payload, answer).map_err(refused)?;
    serde_json::to_value(payload).map_err(refused)
}

type Parsed<T> = (Option<T>, Envelope);

fn parse<T: DeserializeOwned>(path: &'static [&'static str], body: &[u8]) -> serde_json::Result<Parsed<T>> {
    // Known to be UTF-8 as a whole, no string of it is checked again.
    let (payload, envelope) = match str::from_utf8(body) {
        Ok(text) => parse_with(path, serde_json::Deserializer::from_str(text)),
        Err(_) => parse_with(path, serde_json::Deserializer::from_slice(body)),
    }?;
    Ok((payload, if path.is_empty() { envelope_within(body) } else { envelope }))
}

fn parse_with<'de, T: DeserializeOwned, R: serde_json::de::Read<'de>>(
    path: &'static [&'static str],
    mut json: serde_json::Deserializer<R>,
) -> serde_json::Result<Parsed<T>> {
    let mut parts = Parts::default();
    Level { path, parts: &mut parts }.deserialize(&mut json)?;
    json.end()?;
    Ok((parts.payload, parts.envelope))
}

/// The envelope of a body that is the payload as a whole: where there is one,
/// it has the usual form.
fn envelope_within(body: &[u8]) -> Envelope {
    let mut parts = Parts::<IgnoredAny>::default();
    let usual = Level { path: &["data", "data"], parts: &mut parts };
    // What is of another form is no failure; what was found until then holds.
    let _ = usual.deserialize(&mut serde_json::Deserializer::from_slice(body));
    parts.envelope
}

struct Parts<T> {
    payload: Option<T>,
    envelope: Envelope,
}

impl<T> Parts<T> {
    /// The member, or nothing and a note where it has another shape.
    fn fitting<V>(&mut self, name: &'static str, member: Fitting<V>) -> Option<V> {
        if !member.fits {
            self.envelope.unread.push(name);
        }
        member.value
    }
}

/// A member that nothing depends on: of another shape, it is passed over.
struct Fitting<V> {
    value: Option<V>,
    fits: bool,
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fitting<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FittingVisitor(PhantomData))
    }
}

struct FittingVisitor<V>(PhantomData<V>);

impl<V> FittingVisitor<V> {
    fn of<'de, E: de::Error>(value: impl IntoDeserializer<'de, E>) -> Fitting<V>
    where
        V: Deserialize<'de>,
    {
        let value = V::deserialize(value.into_deserializer()).ok();
        Fitting { fits: value.is_some(), value }
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for FittingVisitor<V> {
    type Value = Fitting<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Fitting<V>, E> {
        Ok(Fitting { value: None, fits: true })
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Fitting<V>, E> {
        Ok(Self::of::<E>(value))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Fitting<V>, E> {
        Ok(Self::of::<E>(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Fitting<V>, E> {
        Ok(Self::of::<E>(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Fitting<V>, E> {
        Ok(Self::of::<E>(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Fitting<V>, E> {
        Ok(Self::of::<E>(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fitting<V>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Fitting { value: None, fits: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Fitting<V>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Fitting { value: None, fits: false })
    }
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self { payload: None, envelope: Envelope::default() }
    }
}

/// One level of the envelope, with the way from here to the payload. Read as
/// it comes: nothing is kept for a second look.
struct Level<'a, T> {
    path: &'static [&'static str],
    parts: &'a mut Parts<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Level<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            self.parts.payload = Option::deserialize(deserializer)?;
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Level<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { path, parts } = self;
        let (mut descended, mut judged) = (false, false);
        while let Some(key) = map.next_key_seed(Key { next: path[0] })? {
            match key {
                // Two of one member may contradict each other: nobody can tell which holds.
                Member::Next if std::mem::replace(&mut descended, true) => {
                    return Err(de::Error::duplicate_field(path[0]));
                }
                Member::StatusCd if std::mem::replace(&mut judged, true) => {
                    return Err(de::Error::duplicate_field("status_cd"));
                }
                Member::Next => map.next_value_seed(Level { path: &path[1..], parts: &mut *parts })?,
                Member::TransactionId => {
                    let id: Option<LenientText> = parts.fitting("transaction_id", map.next_value()?);
                    parts.envelope.transaction_id = id.and_then(LenientText::into_text);
                }
                Member::Timestamp => {
                    parts.envelope.timestamp = parts.fitting("timestamp", map.next_value()?);
                }
                Member::StatusCd => {
                    parts.envelope.status_cd = parts.fitting("status_cd", map.next_value()?);
                }
                Member::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The members of the envelope that are kept.
enum Member {
    Next,
    TransactionId,
    Timestamp,
    StatusCd,
    Other,
}

struct Key {
    /// The key on the way to the payload.
    next: &'static str,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Member, E> {
        Ok(match name {
            name if name == self.next => Member::Next,
            "transaction_id" => Member::TransactionId,
            "timestamp" => Member::Timestamp,
            "status_cd" => Member::StatusCd,
            _ => Member::Other,
        })
    }
}
