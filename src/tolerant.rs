//! Tolerant reading: what GSTN sends in another shape than it should.
//!
//! A [`Reader`] reads the types, generated ones and ours alike, from JSON, so
//! none of them needs code for this. It knows what is wanted from the method
//! that a type calls:
//!
//! - text takes a number or a boolean as its JSON text;
//! - a number takes its text, and a whole number `1.0`;
//! - a flag takes `Y`, `N`, their words, and 1 and 0;
//! - a list takes null, one entry alone, `""` and `{}`; null entries are skipped;
//! - if nothing matches, an optional member is absent, an entry of a list or a
//!   map is dropped, and the path is noted; blank text in the place of
//!   anything but text, and `[]` in that of an object, are absent without a note;
//! - a member that is required, and money that is there, are an error instead;
//! - of two members of one name the first holds, and the path is noted;
//! - where JSON of any form is taken, a number that no float holds, such as
//!   `1e400`, is its text;
//! - there null stands for what is nested deeper than [`DEEPEST`] levels, and the
//!   member that it is part of is noted.
//!
//! A type of our own says what it wants by the same methods, and by names that
//! it gives to `deserialize_newtype_struct`: [`TEXT`], [`MONEY`], and those of
//! [`EXACT`] and [`UNKNOWN`]. Other deserializers pass these through.
//!
//! A value is gone through again only where it does not fit, to find its end, and where a
//! text stands for a list or has escapes. A text of which nothing is read is checked to its end.

mod json;
mod odd;
mod path;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, cell::RefCell, collections::HashSet, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::BorrowedStrDeserializer,
    },
    forward_to_deserialize_any,
};

pub(crate) use json::{Cursor, Place};
pub(crate) use odd::{Fault, Odd, Unreadable};
pub(crate) use path::Path;

use crate::values::Unchecked;
use json::{Broken, Scalar};
use odd::Kind;

/// Announces text: a number comes as it is written, to the last digit.
pub(crate) const TEXT: &str = "$text";
/// Announces money: it comes as text if it has few digits, and what is
/// there and cannot be read is an error.
pub(crate) const MONEY: &str = "$money";
/// Announces what is an error where it is there and cannot be read: a number
/// that was passed over would be missing in a sum.
pub(crate) const EXACT: &str = "$exact";
/// Announces what stands under a name that nobody knows: of another shape, it
/// is absent without a note. With a note where only a part of it cannot be read
/// that would be an error elsewhere.
pub(crate) const UNKNOWN: &str = "$unknown";

/// Levels below the payload that are read: a reader that calls itself, and
/// whoever takes a value apart, must not use up the stack.
const DEEPEST: u8 = 100;

/// The text of one answer, how far it is read, and what did not fit.
pub(crate) struct Context<'de> {
    pub json: Cursor<'de>,
    /// So deep stand the members that are noted where all is JSON of any form.
    apart: u8,
    unread: RefCell<Vec<String>>,
    /// An answer is not lost for a wrong check digit.
    _unchecked: Unchecked,
}

impl<'de> Context<'de> {
    pub fn new(json: &'de str) -> Self {
        Self { json: Cursor::new(json), apart: 1, unread: RefCell::default(), _unchecked: Unchecked::begin() }
    }

    /// The same where members stand so deep below the top, if all is JSON of any form.
    pub fn apart(self, levels: usize) -> Self {
        Self { apart: u8::try_from(levels).unwrap_or(DEEPEST), ..self }
    }

    /// The paths of all that did not fit.
    pub fn into_unread(self) -> Vec<String> {
        self.unread.into_inner()
    }

    /// Reads the value that comes next. An optional one that does not fit is
    /// absent, unless the answer cannot be used without it.
    pub fn value<T: Deserialize<'de>>(&self, path: &Path<'_>) -> Result<T, Fault> {
        Reader { context: self, path }.or_absent()
    }

    /// The paths of all that did not fit, where nothing follows.
    pub fn finish(self) -> Result<Vec<String>, Unreadable> {
        match self.json.end() {
            Ok(()) => Ok(self.into_unread()),
            Err(Broken) => Err(self.unreadable(Fault::Broken)),
        }
    }

    /// Why nothing is read. A text that is cut off, or else not JSON, says so first,
    /// even if something odd stands before that place.
    pub fn unreadable(&self, fault: Fault) -> Unreadable {
        match fault {
            Fault::Odd(odd) if self.json.pass_from(0).and_then(|()| self.json.end()).is_ok() => {
                Unreadable::Odd(odd)
            }
            _ => Unreadable::NotJson(self.json.place()),
        }
    }

    #[cold]
    fn note(&self, path: &Path<'_>) {
        self.unread.borrow_mut().push(path.to_string());
    }
}

/// Reads the value that comes next, at this path. After a fault the cursor is somewhere
/// in the value: whoever goes on passes it from where it began.
#[derive(Clone, Copy)]
struct Reader<'p, 'de> {
    context: &'p Context<'de>,
    path: &'p Path<'p>,
}

impl<'p, 'de> Reader<'p, 'de> {
    fn json(self) -> &'p Cursor<'de> {
        &self.context.json
    }

    /// The reader of a part.
    fn at<'q>(self, path: &'q Path<'q>) -> Reader<'q, 'de>
    where
        'p: 'q,
    {
        Reader { context: self.context, path }
    }

    /// Reads a member; see [`Context::value`].
    fn or_absent<V: Deserialize<'de>>(self) -> Result<V, Fault> {
        let start = self.json().at();
        V::deserialize(self).or_else(|fault| {
            let odd = self.odd(fault)?;
            match V::deserialize(Nothing) {
                Ok(value) if odd.kind() != Kind::Fatal => self.passed(start, &odd).map(|()| value),
                _ => Err(Fault::Odd(odd.of(Kind::Fatal))),
            }
        })
    }

    /// Reads an entry of a list or a map, which is dropped if it does not fit,
    /// unless the answer cannot be used without it.
    fn or_dropped<V: Deserialize<'de>>(self) -> Result<Option<V>, Fault> {
        let start = self.json().at();
        V::deserialize(self).map(Some).or_else(|fault| match self.odd(fault)? {
            odd if odd.kind() == Kind::Fatal => Err(Fault::Odd(odd)),
            odd => self.passed(start, &odd).map(|()| None),
        })
    }

    /// What is odd about the value, with its path.
    #[cold]
    fn odd(self, fault: Fault) -> Result<Odd, Fault> {
        match fault {
            Fault::Odd(odd) => Ok(odd.at(self.path)),
            Fault::Broken => Err(Fault::Broken),
        }
    }

    /// Reads for a seed, which has no value for absence: the caller gets the fault.
    fn or_odd<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self).map_err(|fault| fault.map(|odd| odd.at(self.path)))
    }

    /// Goes on behind the value that began at `start`, and notes what is of another shape.
    #[cold]
    fn passed(self, start: usize, odd: &Odd) -> Result<(), Fault> {
        if odd.kind() == Kind::Unfit {
            self.context.note(self.path);
        }
        Ok(self.json().pass_from(start)?)
    }

    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.json().scalar()? {
            Scalar::Number(number) => Number::whole_if_possible(number).visit(visitor),
            Scalar::Text(text) if !text.trim().is_empty() => {
                Number::whole_if_possible(text.trim()).visit(visitor)
            }
            scalar => misfit(&scalar, &visitor),
        }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.json().scalar()? {
            Scalar::Text(text) => visit_text(text, visitor),
            Scalar::Number(text) => visitor.visit_borrowed_str(text),
            Scalar::Boolean(value) => visitor.visit_borrowed_str(if value { "true" } else { "false" }),
            scalar => misfit(&scalar, &visitor),
        }
    }

    fn money<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        /// Characters of a number that are at most 15 digits.
        const SHORT: usize = 16;
        match self.json().scalar()? {
            Scalar::Number(number) if number.len() <= SHORT => visitor.visit_borrowed_str(number),
            Scalar::Number(number) => Number::whole_if_possible(number).visit(visitor),
            Scalar::Text(text) if !text.trim().is_empty() => visitor.visit_str(&text),
            scalar => misfit(&scalar, &visitor),
        }
    }

    /// An object, whose names must not come twice unless nobody asks.
    fn object<V: Visitor<'de>>(self, seen: Seen<'de>, visitor: V) -> Result<V::Value, Fault> {
        let start = self.json().at();
        self.json().take(b'{')?;
        let mut members = Members { reader: self, first: true, name: Cow::Borrowed(""), seen, ended: false };
        let value = with_room(|| visitor.visit_map(&mut members))?;
        self.whole(start, members.ended)?;
        Ok(value)
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let start = self.json().at();
        self.json().take(b'[')?;
        let mut entries = Entries { reader: self, first: true, index: 0, ended: false };
        let value = with_room(|| visitor.visit_seq(&mut entries))?;
        // A tuple does not ask for more than it has.
        let ended = entries.ended || entries.next()?.is_none();
        self.whole(start, ended)?;
        Ok(value)
    }

    /// Goes on behind what its visitor has not read to the end, and notes it.
    fn whole(self, start: usize, ended: bool) -> Result<(), Fault> {
        if ended {
            return Ok(());
        }
        self.context.note(self.path);
        Ok(self.json().pass_from(start)?)
    }

    /// The list that a value stands for which is not a list.
    fn list_of_one<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let misfit = Odd::unfit(&visitor);
        let start = self.json().at();
        let mut one = One { reader: Some(self), dropped: false };
        let value = with_room(|| visitor.visit_seq(&mut one))?;
        if one.dropped {
            return Err(Fault::Odd(misfit));
        }
        self.whole(start, one.reader.is_none())?;
        Ok(value)
    }

    /// Passes over what is nested too deep. It is noted here where null may stand for
    /// it, and else by who reads on.
    fn too_deep<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.json().pass()?;
        let null = visitor.visit_unit::<Fault>()?;
        let outermost = self.path.within(self.context.apart);
        if outermost.mark_noted() {
            self.context.note(outermost);
        }
        Ok(null)
    }

    fn is_too_deep(self) -> bool {
        self.path.depth() > DEEPEST
    }

    /// Moves behind an object or list, if it has nothing in it, or else into it.
    fn take_empty(self) -> Result<bool, Fault> {
        let json = self.json();
        Ok(if json.take(b'{')? { json.take(b'}')? } else { json.take(b'[')? && json.take(b']')? })
    }

    /// An object where a struct or a map is wanted.
    fn members<V: Visitor<'de>>(self, seen: Seen<'de>, visitor: V) -> Result<V::Value, Fault> {
        match self.json().peek()? {
            b'{' | b'[' if self.is_too_deep() => self.too_deep(visitor),
            b'{' => self.object(seen, visitor),
            b'[' if self.take_empty()? => Err(Fault::Odd(Odd::absent(&visitor))),
            b'[' => Err(Fault::Odd(Odd::unfit(&visitor))),
            _ => misfit(&self.json().scalar()?, &visitor),
        }
    }
}

/// Types of whole returns have tens of kilobytes, and a build without
/// optimisation holds many copies of them on its way.
fn with_room<T>(read: impl FnOnce() -> T) -> T {
    /// What one level may need of the stack.
    const LEVEL: usize = 1 << 20;
    /// What is added where less is left.
    const MORE: usize = 1 << 23;
    stacker::maybe_grow(LEVEL, MORE, read)
}

/// Null and blank text are absent, anything else is of another shape.
#[cold]
fn misfit<T>(scalar: &Scalar<'_>, expected: &dyn de::Expected) -> Result<T, Fault> {
    let absent = match scalar {
        Scalar::Null => true,
        Scalar::Text(text) => text.trim().is_empty(),
        _ => false,
    };
    Err(Fault::Odd(if absent { Odd::absent(expected) } else { Odd::unfit(expected) }))
}

#[inline]
fn visit_text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Fault> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// A number by the type that holds it.
enum Number {
    Integer(i64),
    Large(u64),
    Float(f64),
    OutOfRange,
}

impl Number {
    /// An integer where the text is one, or is one with a fraction of zero.
    fn whole_if_possible(text: &str) -> Self {
        /// Floats below are integers to the last digit.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match Self::of(text) {
            #[allow(clippy::cast_possible_truncation)] // in range and integral
            Self::Float(float) if float.fract() == 0.0 && float.abs() < EXACT => Self::Integer(float as i64),
            number => number,
        }
    }

    #[inline]
    fn of(text: &str) -> Self {
        match Self::few_digits(text) {
            Some(number) => Self::Integer(number),
            None => text.parse().map_or_else(|_| Self::of_no_integer(text), Self::Integer),
        }
    }

    /// The number of a text of one to 18 digits and nothing else: what most numbers are,
    /// and what needs no look for an overflow.
    #[inline]
    fn few_digits(text: &str) -> Option<i64> {
        if !(1..=18).contains(&text.len()) {
            return None;
        }
        text.bytes()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| 10 * number + i64::from(byte - b'0')))
    }

    fn of_no_integer(text: &str) -> Self {
        if let Ok(large) = text.parse() {
            return Self::Large(large);
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Self::Float(float),
            _ => Self::OutOfRange,
        }
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Integer(integer) => visitor.visit_i64(integer),
            Self::Large(large) => visitor.visit_u64(large),
            Self::Float(float) => visitor.visit_f64(float),
            Self::OutOfRange => {
                Err(de::Error::invalid_value(Unexpected::Other("a number out of range"), &visitor))
            }
        }
    }
}

fn flag(text: &str) -> Option<bool> {
    const YES: [&str; 4] = ["Y", "YES", "TRUE", "1"];
    const NO: [&str; 4] = ["N", "NO", "FALSE", "0"];
    let is = |known: &&str| known.eq_ignore_ascii_case(text.trim());
    if YES.iter().any(is) { Some(true) } else { NO.iter().any(is).then_some(false) }
}

/// The same fault, where it cannot be passed over.
fn exact<T>(result: Result<T, Fault>) -> Result<T, Fault> {
    let of_unfit = |odd: Odd| if odd.kind() == Kind::Unfit { odd.of(Kind::Fatal) } else { odd };
    result.map_err(|fault| fault.map(of_unfit))
}

/// The same fault, where nobody would miss the value, unless it has a part of a
/// known name.
fn unknown<T>(result: Result<T, Fault>) -> Result<T, Fault> {
    let of_fatal =
        |odd: Odd| if odd.kind() == Kind::Fatal { odd.of(Kind::Unfit) } else { odd.of(Kind::Absent) };
    result.map_err(|fault| fault.map(of_fatal))
}

macro_rules! forward {
    ($($method:ident)* => $to:ident) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.$to(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = Fault;

    forward! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 => number
    }
    forward! {
        deserialize_str deserialize_string deserialize_char deserialize_identifier
        deserialize_bytes deserialize_byte_buf => text
    }
    forward!(deserialize_unit => deserialize_any);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.json().peek()? {
            b'{' | b'[' if self.is_too_deep() => self.too_deep(visitor),
            b'{' => {
                self.path.mark_any();
                self.object(Seen::Unasked, visitor)
            }
            b'[' => {
                self.path.mark_any();
                self.list(visitor)
            }
            _ => match self.json().scalar()? {
                Scalar::Text(text) => visit_text(text, visitor),
                Scalar::Number(text) => match Number::of(text) {
                    Number::Integer(0) if text.starts_with('-') => visitor.visit_f64(-0.0),
                    Number::Integer(integer) => match u64::try_from(integer) {
                        Ok(integer) => visitor.visit_u64(integer),
                        Err(_) => visitor.visit_i64(integer),
                    },
                    Number::OutOfRange => visitor.visit_borrowed_str(text),
                    number => number.visit(visitor),
                },
                Scalar::Boolean(value) => visitor.visit_bool(value),
                Scalar::Null | Scalar::Parts => visitor.visit_unit(),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let scalar = self.json().scalar()?;
        let value = match &scalar {
            Scalar::Boolean(value) => Some(*value),
            Scalar::Number(text) => flag(text),
            Scalar::Text(text) => flag(text),
            Scalar::Null | Scalar::Parts => None,
        };
        match value {
            Some(value) => visitor.visit_bool(value),
            None => misfit(&scalar, &visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.json().take_null()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    // So that the name, which is known where it is called, costs nothing.
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            TEXT => self.text(visitor),
            MONEY => exact(self.money(visitor)),
            EXACT => exact(visitor.visit_newtype_struct(self)),
            UNKNOWN => unknown(visitor.visit_newtype_struct(self)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let json = self.json();
        let start = json.at();
        match json.peek()? {
            b'{' | b'[' if self.is_too_deep() => self.too_deep(visitor),
            b'[' => self.list(visitor),
            b'{' if !self.take_empty()? => {
                json.back_to(start);
                self.list_of_one(visitor)
            }
            b'{' => visitor.visit_seq(Empty),
            b'n' => {
                json.take_null()?;
                visitor.visit_seq(Empty)
            }
            b'"' => match json.scalar()? {
                Scalar::Text(text) if text.trim().is_empty() => visitor.visit_seq(Empty),
                _ => {
                    json.back_to(start);
                    self.list_of_one(visitor)
                }
            },
            _ => self.list_of_one(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.members(Seen::Names(HashSet::new()), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let seen = if fields.is_empty() { Seen::Unasked } else { Seen::Fields { fields, bits: 0, next: 0 } };
        self.members(seen, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.json().scalar()? {
            Scalar::Text(text) => visitor.visit_enum(text.as_ref().into_deserializer()),
            Scalar::Null => Err(Fault::Odd(Odd::absent(&visitor))),
            _ => Err(Fault::Odd(Odd::unfit(&visitor))),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.json().pass()?;
        visitor.visit_unit()
    }
}

/// A list of one entry, which stands alone in its place.
struct One<'p, 'de> {
    reader: Option<Reader<'p, 'de>>,
    /// Set where the entry is none of the list.
    dropped: bool,
}

impl<'de> SeqAccess<'de> for One<'_, 'de> {
    type Error = Fault;

    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Fault> {
        match self.next_element_seed(PhantomData) {
            Err(Fault::Odd(odd)) if odd.kind() != Kind::Fatal => {
                self.dropped = true;
                Ok(None)
            }
            result => result,
        }
    }

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.reader.take().map(|reader| seed.deserialize(reader)).transpose()
    }
}

/// A list without entries.
struct Empty;

impl<'de> SeqAccess<'de> for Empty {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, _: S) -> Result<Option<S::Value>, Fault> {
        Ok(None)
    }
}

/// The entries of a list.
struct Entries<'p, 'de> {
    reader: Reader<'p, 'de>,
    first: bool,
    index: usize,
    ended: bool,
}

impl<'p> Entries<'p, '_> {
    /// The way to the next entry, if there is one.
    fn next(&mut self) -> Result<Option<Path<'p>>, Fault> {
        if !self.reader.json().next(b']', &mut self.first)? {
            self.ended = true;
            return Ok(None);
        }
        let path = Path::entry(self.reader.path, self.index);
        self.index += 1;
        Ok(Some(path))
    }
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = Fault;

    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Fault> {
        while let Some(path) = self.next()? {
            if let Some(entry) = self.reader.at(&path).or_dropped()? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.next()?.map(|path| self.reader.at(&path).or_odd(seed)).transpose()
    }
}

/// The names that an object had so far.
enum Seen<'de> {
    /// Of a struct: a bit a field, for the first 128.
    Fields {
        fields: &'static [&'static str],
        bits: u128,
        next: usize,
    },
    Names(HashSet<Cow<'de, str>>),
    /// Where the last of two holds.
    Unasked,
}

impl<'de> Seen<'de> {
    /// Whether the name was there before.
    #[inline]
    #[allow(clippy::ptr_arg)] // where all names are kept, a borrowed one is kept as such
    fn before(&mut self, name: &Cow<'de, str>) -> bool {
        match self {
            Self::Fields { fields, bits, next } => {
                let fields = &fields[..fields.len().min(128)];
                // Members mostly stand in the order of the document.
                let at = match fields.get(*next) {
                    Some(field) if field == name => *next,
                    _ => match fields.iter().position(|field| field == name) {
                        Some(at) => at,
                        None => return false,
                    },
                };
                *next = at + 1;
                let before = *bits & (1 << at) != 0;
                *bits |= 1 << at;
                before
            }
            Self::Names(names) => !names.insert(name.clone()),
            Self::Unasked => false,
        }
    }
}

/// The members of an object.
struct Members<'p, 'de> {
    reader: Reader<'p, 'de>,
    first: bool,
    name: Cow<'de, str>,
    seen: Seen<'de>,
    ended: bool,
}

impl Members<'_, '_> {
    /// The next name that was not there before.
    fn next(&mut self) -> Result<bool, Broken> {
        let Reader { context, path } = self.reader;
        while context.json.name(&mut self.first, &mut self.name)? {
            if !self.seen.before(&self.name) {
                return Ok(true);
            }
            context.note(&Path::member(path, &self.name));
            context.json.pass()?;
        }
        self.ended = true;
        Ok(false)
    }

    /// The way to the value behind the name.
    fn path(&self) -> Path<'_> {
        Path::member(self.reader.path, &self.name)
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if !self.next()? {
            return Ok(None);
        }
        match &self.name {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Cow::Owned(name) => seed.deserialize(name.as_str().into_deserializer()),
        }
        .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        self.reader.at(&self.path()).or_odd(seed)
    }

    fn next_value<V: Deserialize<'de>>(&mut self) -> Result<V, Fault> {
        self.reader.at(&self.path()).or_absent()
    }

    /// Entries of a map, that is: members of a struct have no names of their own.
    fn next_entry<K: Deserialize<'de>, V: Deserialize<'de>>(&mut self) -> Result<Option<(K, V)>, Fault> {
        while let Some(key) = self.next_key()? {
            if let Some(value) = self.reader.at(&self.path()).or_dropped()? {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

/// Stands for a value that is absent: an optional one reads as none, and any
/// other is refused.
struct Nothing;

impl<'de> Deserializer<'de> for Nothing {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("nothing is there"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Reads JSON as the payload of an answer is read, with what did not fit.
pub(crate) fn read<T: de::DeserializeOwned>(json: &str) -> Result<(T, Vec<String>), Unreadable> {
    read_apart(json, 1)
}

/// The same for JSON of any form: see [`Context::apart`].
pub(crate) fn read_apart<T: de::DeserializeOwned>(
    json: &str,
    apart: usize,
) -> Result<(T, Vec<String>), Unreadable> {
    let context = Context::new(json).apart(apart);
    let value = context.value(&Path::top()).map_err(|fault| context.unreadable(fault))?;
    Ok((value, context.finish()?))
}
