//! Reads the members of an envelope that tell a failure, each leniently: what
//! has another shape, an odd number or any depth never stops the reading.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::error::{ErrorCode, ErrorInfo};

/// Codes and notes that are kept of one answer.
const KEPT: usize = 20;
/// Levels of `data` that are read below the body.
const DEEPEST: usize = 3;

/// One level of the envelope: the body, its `data`, and what is below.
#[derive(Default)]
pub(super) struct Level {
    /// The HTTP status again.
    pub code: Option<u16>,
    pub status_cd: Status,
    /// `Status` or `status`.
    pub status: Status,
    pub success: Status,
    pub message: Option<String>,
    pub transaction_id: Option<String>,
    /// A code that stands straight here, and not in an `error`.
    pub bare: Vec<ErrorCode>,
    /// `error`, or the list `ErrorDetails`.
    pub error: Reason,
    /// `info` as text, which some failures have in the place of a message.
    pub note: Option<String>,
    /// `InfoDtls`.
    pub info: Vec<ErrorInfo>,
    /// Names the work that a write has started.
    pub reference: bool,
    /// Stands in the place of a payload that is still being prepared.
    pub token: Option<String>,
    /// `est` is there, with or without a time that can be read.
    pub queued: bool,
    /// How long until it is ready.
    pub wait: Option<Duration>,
    pub data: Option<Box<Level>>,
    /// Whether there is any member at all.
    pub filled: bool,
}

/// What an `error` tells.
#[derive(Default)]
pub(super) struct Reason {
    pub codes: Vec<ErrorCode>,
    pub message: Option<String>,
    /// Whether there is anything in it: a failure without a word is one.
    pub content: bool,
    pub wait: Option<Duration>,
}

/// A member that tells success or failure.
#[derive(Default, Clone, Debug, PartialEq)]
pub(super) enum Status {
    #[default]
    Absent,
    Text(String),
    /// An object or a list.
    Odd,
}

impl Status {
    /// `0` in any form, or `false`.
    pub fn is_zero(&self) -> bool {
        self.number() == Some(0.0) || self.is_one_of(&["false"])
    }

    /// The same for `success`, which is a word too.
    pub fn is_no(&self) -> bool {
        self.is_zero() || self.is_failure() || self.is_one_of(&["n", "no"])
    }

    /// Whether it is a word that nobody uses for a success.
    pub fn is_failure(&self) -> bool {
        self.is_one_of(&["error", "fail", "failed", "failure"])
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        matches!(self, Self::Text(text) if words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    }

    /// Whether it is the given value, `1.0` for `1` too.
    pub fn is(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => {
                text.eq_ignore_ascii_case(value)
                    || self.number().is_some_and(|number| {
                        value.parse::<f64>().is_ok_and(|one| one.total_cmp(&number).is_eq())
                    })
            }
            _ => false,
        }
    }

    /// Whether there is anything to tell of: not null, blank, zero or empty.
    fn tells(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Text(text) => !text.eq_ignore_ascii_case("null") && !self.is_zero(),
            Self::Odd => true,
        }
    }

    /// Text that is not a number.
    pub fn is_word(&self) -> bool {
        matches!(self, Self::Text(_)) && self.number().is_none()
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Of two members of one name, the worse one counts.
    fn merge(&mut self, other: Self) {
        if !self.is_zero() {
            *self = other;
        }
    }
}

impl Level {
    /// Everything that could be read, and where the reading had to stop.
    pub fn read(body: &[u8]) -> (Self, serde_json::Result<()>) {
        let mut level = Self::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = Any(Within(&mut level, 0)).deserialize(&mut json).and_then(|()| json.end());
        (level, read)
    }

    /// This level and those below it.
    pub fn down(&self) -> Vec<&Self> {
        std::iter::successors(Some(self), |level| level.data.as_deref()).collect()
    }

    /// The codes of this level, if there are any.
    pub fn codes(&self) -> Option<&[ErrorCode]> {
        [self.error.codes.as_slice(), self.bare.as_slice()].into_iter().find(|codes| !codes.is_empty())
    }

    /// What a list of errors says, entry by entry.
    pub fn code_messages(&self) -> Option<String> {
        let messages: Vec<_> = self.error.codes.iter().filter_map(ErrorCode::message).collect();
        (!messages.is_empty()).then(|| messages.join("; "))
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        depth: usize,
    ) -> Result<(), A::Error> {
        match &*plain(key) {
            "code" => {
                let text = map.next_value::<Text>()?;
                let code = text.0.as_deref().and_then(status_number);
                if code.is_none() && depth == 0 && text.0.as_deref().is_some_and(is_error_code) {
                    self.bare.extend(codes_in(&text));
                }
                // Of two, the one that is no success.
                self.code = [self.code, code].into_iter().flatten().max();
            }
            "message" | "errormessage" | "errormsg" | "errmsg" => {
                self.message = map.next_value::<Text>()?.0.or(self.message.take());
            }
            "transactionid" => self.transaction_id = map.next_value::<Text>()?.0,
            "statuscd" => self.status_cd.merge(map.next_value()?),
            "status" => self.status.merge(map.next_value()?),
            "success" => self.success.merge(map.next_value()?),
            "errorcd" | "errorcode" | "errorcodes" | "errcd" | "errcode" => {
                self.bare.extend(codes_in(&map.next_value::<Text>()?));
            }
            "error" | "errors" | "errordetails" | "fault" => {
                map.next_value_seed(Any(Told(&mut self.error)))?;
            }
            "info" => {
                let note = map.next_value::<Text>()?.0;
                let note = note.as_deref().map(|note| note.trim_matches([',', ' ']));
                self.note = note.filter(|note| !note.is_empty()).map(str::to_owned);
            }
            "infodtls" => map.next_value_seed(Any(Notes(&mut self.info, false)))?,
            "referenceid" => self.reference |= map.next_value::<Text>()?.0.is_some(),
            "token" => self.token = map.next_value::<Text>()?.0,
            "est" => {
                self.queued = true;
                self.wait = minutes(&map.next_value::<Text>()?).or(self.wait);
            }
            "retrytimeinminutes" => self.wait = minutes(&map.next_value::<Text>()?).or(self.wait),
            "data" if depth < DEEPEST => {
                let mut below = self.data.take().unwrap_or_default();
                let read = map.next_value_seed(Any(Within(&mut below, depth + 1)));
                // What was read before a body breaks off may tell a failure.
                self.data = Some(below);
                read?;
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Reason {
    pub fn words(&self) -> Option<&str> {
        self.message.as_deref()
    }

    fn members<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*plain(&key) {
                "errorcd" | "errorcode" | "errorcodes" | "errcd" | "errcode" | "code" => {
                    let text = map.next_value::<Text>()?;
                    self.codes.extend(codes_in(&text).take(KEPT.saturating_sub(self.codes.len())));
                }
                "message" | "errormessage" | "errormsg" | "errmsg" | "errordesc" | "desc" | "description"
                | "faultstring" => {
                    self.message = map.next_value::<Text>()?.0.or(self.message.take());
                }
                "retrytimeinminutes" => self.wait = minutes(&map.next_value::<Text>()?),
                // Once more around it.
                "error" => map.next_value_seed(Any(Told(self)))?,
                _ => self.content |= map.next_value::<Status>()?.tells(),
            }
            self.content |= !self.codes.is_empty() || self.message.is_some();
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let status = Status::Text(text.to_owned());
        if status.tells() {
            self.content = true;
            self.message = (text != "true").then(|| text.to_owned());
        }
    }

    /// One entry of a list of errors.
    fn add(&mut self, mut entry: Self) {
        self.content |= entry.content;
        self.wait = self.wait.or(entry.wait);
        match entry.codes.as_mut_slice() {
            // Its own words, told by the code alone.
            [code] => code.set_message(entry.message.take().as_deref()),
            _ => self.message = self.message.take().or(entry.message),
        }
        self.codes.extend(entry.codes.into_iter().take(KEPT.saturating_sub(self.codes.len())));
    }
}

/// A name in small letters and without underscores: the provider has
/// `status_cd`, `Status` and `errorCodes`, its gateway `Message`.
fn plain(key: &str) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Cow::Borrowed(key);
    }
    Cow::Owned(key.replace('_', "").to_ascii_lowercase())
}

/// Letters and digits, such as `RET11402`: no status, and no word such as `OK`.
fn is_error_code(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// A status of HTTP, be it text or `500.0`.
fn status_number(text: &str) -> Option<u16> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// Codes joined by commas, as in `"705, "`.
fn codes_in(text: &Text) -> impl Iterator<Item = ErrorCode> {
    let codes = text.0.as_deref().unwrap_or_default().split(',').map(str::trim);
    codes.filter(|code| !["", "0", "null"].contains(code)).map(ErrorCode::new).collect::<Vec<_>>().into_iter()
}

/// The number that a text begins with, in minutes. More than a month is not taken for a wait.
fn minutes(text: &Text) -> Option<Duration> {
    const LONGEST: u64 = 31 * 24 * 60;
    let text = text.0.as_deref()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let minutes: u64 = text[..digits].parse().ok()?;
    (minutes <= LONGEST).then(|| Duration::from_secs(60 * minutes))
}

/// What is made of a value of any shape.
trait Lenient<'de>: Sized {
    type Made;

    fn nothing(self) -> Self::Made;

    /// Text, or a number or a boolean as text; without surrounding spaces and not empty.
    fn text(self, text: &str) -> Self::Made;

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Self::Made, A::Error>;

    fn list<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Made, A::Error>;
}

struct Any<L>(L);

impl<'de, L: Lenient<'de>> DeserializeSeed<'de> for Any<L> {
    type Value = L::Made;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<L::Made, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, L: Lenient<'de>> Visitor<'de> for Any<L> {
    type Value = L::Made;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<L::Made, E> {
        Ok(self.0.nothing())
    }

    fn visit_str<E>(self, text: &str) -> Result<L::Made, E> {
        let text = text.trim();
        Ok(if text.is_empty() { self.0.nothing() } else { self.0.text(text) })
    }

    fn visit_bool<E>(self, value: bool) -> Result<L::Made, E> {
        Ok(self.0.text(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, number: i64) -> Result<L::Made, E> {
        Ok(self.0.text(&number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<L::Made, E> {
        Ok(self.0.text(&number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<L::Made, E> {
        Ok(self.0.text(&number.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<L::Made, A::Error> {
        self.0.object(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<L::Made, A::Error> {
        self.0.list(seq)
    }
}

/// Passes over the rest of an object; whether there was any.
fn rest_of_object<'de, A: MapAccess<'de>>(map: &mut A) -> Result<bool, A::Error> {
    let mut any = false;
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
        any = true;
    }
    Ok(any)
}

/// Passes over the rest of a list; whether there was any.
fn rest_of_list<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<bool, A::Error> {
    let mut any = false;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        any = true;
    }
    Ok(any)
}

/// Reads an object into a level, so deep below the body.
struct Within<'a>(&'a mut Level, usize);

impl<'de> Lenient<'de> for Within<'_> {
    type Made = ();

    fn nothing(self) {}

    fn text(self, _: &str) {
        self.0.filled = true;
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            self.0.filled = true;
            self.0.member(&key, &mut map, self.1)?;
        }
        Ok(())
    }

    /// Of a list in the place of the body, the first entries as if each were it.
    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut left = if self.1 == 0 { KEPT } else { 0 };
        while left > 0 {
            left -= 1;
            if seq.next_element_seed(Any(Within(self.0, DEEPEST)))?.is_none() {
                return Ok(());
            }
        }
        self.0.filled |= rest_of_list(&mut seq)?;
        Ok(())
    }
}

/// Reads an `error` of any shape.
struct Told<'a>(&'a mut Reason);

impl<'de> Lenient<'de> for Told<'_> {
    type Made = ();

    fn nothing(self) {}

    fn text(self, text: &str) {
        self.0.text(text);
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.members(map)
    }

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(entry) = seq.next_element_seed(Any(Entry))? {
            self.0.add(entry);
        }
        Ok(())
    }
}

/// Reads one entry of a list of errors.
struct Entry;

impl<'de> Lenient<'de> for Entry {
    type Made = Reason;

    fn nothing(self) -> Reason {
        Reason::default()
    }

    fn text(self, text: &str) -> Reason {
        let mut entry = Reason::default();
        entry.text(text);
        entry
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Reason, A::Error> {
        let mut entry = Reason::default();
        entry.members(map)?;
        Ok(entry)
    }

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Reason, A::Error> {
        Ok(Reason { content: rest_of_list(&mut seq)?, ..Reason::default() })
    }
}

/// Reads `InfoDtls`: entries with a code and a description, which is text or
/// an object of texts and numbers. Whether this is one of the entries.
struct Notes<'a>(&'a mut Vec<ErrorInfo>, bool);

impl<'de> Lenient<'de> for Notes<'_> {
    type Made = ();

    fn nothing(self) {}

    fn text(self, text: &str) {
        self.0.push(ErrorInfo::new("", text));
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut info = ErrorInfo::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*plain(&key) {
                "infcd" => info.set_code(map.next_value::<Text>()?.0.as_deref()),
                "desc" => map.next_value_seed(Any(Description(&mut info)))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.0.push(info);
        Ok(())
    }

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while !self.1 && self.0.len() < KEPT {
            if seq.next_element_seed(Any(Notes(self.0, true)))?.is_none() {
                return Ok(());
            }
        }
        rest_of_list(&mut seq).map(drop)
    }
}

struct Description<'a>(&'a mut ErrorInfo);

impl<'de> Lenient<'de> for Description<'_> {
    type Made = ();

    fn nothing(self) {}

    fn text(self, text: &str) {
        self.0.set_text(text);
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut left = KEPT;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let value = map.next_value::<Text>()?.0;
            if let Some(value) = value.filter(|_| left > 0) {
                left -= 1;
                self.0.add(&key, &value);
            }
        }
        Ok(())
    }

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        rest_of_list(&mut seq).map(drop)
    }
}

struct Scalar;

impl<'de> Lenient<'de> for Scalar {
    type Made = Status;

    fn nothing(self) -> Status {
        Status::Absent
    }

    fn text(self, text: &str) -> Status {
        Status::Text(text.to_owned())
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Status, A::Error> {
        Ok(if rest_of_object(&mut map)? { Status::Odd } else { Status::Absent })
    }

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Status, A::Error> {
        Ok(if rest_of_list(&mut seq)? { Status::Odd } else { Status::Absent })
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Any(Scalar).deserialize(deserializer)
    }
}

/// Text, or a number or boolean as text; nothing for anything else.
#[derive(Default)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Status::deserialize(deserializer)? {
            Status::Text(text) => Some(text),
            Status::Absent | Status::Odd => None,
        }))
    }
}
