//! Steps through a text of JSON (RFC 8259), value by value and without a copy.
//!
//! As strict as `serde_json`, which decodes the escapes of a text. Own code because the
//! tolerant reader has to look at a value before it is read, and to go back to
//! its first character when it does not fit; `serde_json` offers neither.

use std::{borrow::Cow, cell::Cell, fmt};

/// The text is not JSON; the [`Cursor`] stands where that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// A place in a text for people: line and column, from 1, in bytes. Behind the end of
/// a line the column is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

impl From<&serde_json::Error> for Place {
    fn from(error: &serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A text of JSON, and how far it is read.
pub(crate) struct Cursor<'de> {
    json: &'de str,
    at: Cell<usize>,
}

/// A value that has no parts, or the news that it has.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'de> {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(&'de str),
    Text(Cow<'de, str>),
    /// An object or a list, at whose first character the cursor still stands.
    Parts,
}

/// What kind of value was passed.
enum Passed {
    Null,
    True,
    False,
    Number,
    Text,
    /// A text with escapes.
    Escaped,
    Parts,
}

impl<'de> Cursor<'de> {
    pub fn new(json: &'de str) -> Self {
        Self { json, at: Cell::new(0) }
    }

    /// How far the text is read, in bytes.
    pub fn at(&self) -> usize {
        self.at.get()
    }

    /// Goes back to where it was before.
    pub fn back_to(&self, at: usize) {
        self.at.set(at);
    }

    /// Where it is, for people.
    pub fn place(&self) -> Place {
        let read = &self.json.as_bytes()[..self.json.len().min(self.at() + 1)];
        let line = memchr::memrchr(b'\n', read).map_or(0, |end| end + 1);
        Place { line: 1 + memchr::memchr_iter(b'\n', read).count(), column: read.len() - line }
    }

    /// The first character of what comes next, white space passed over.
    #[inline]
    pub fn peek(&self) -> Result<u8, Broken> {
        match self.json.as_bytes().get(self.at()) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_space(),
        }
    }

    /// Apart from the former, since white space is rare.
    #[inline(never)]
    fn peek_behind_space(&self) -> Result<u8, Broken> {
        let rest = &self.json.as_bytes()[self.at()..];
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')).count();
        self.at.set(self.at() + space);
        rest.get(space).copied().ok_or(Broken)
    }

    /// Moves behind the character that was peeked.
    #[inline]
    fn step(&self) {
        self.at.set(self.at.get() + 1);
    }

    /// Moves behind `wanted`, if it comes next.
    #[inline]
    pub fn take(&self, wanted: u8) -> Result<bool, Broken> {
        let there = self.peek()? == wanted;
        if there {
            self.step();
        }
        Ok(there)
    }

    #[inline]
    fn expect(&self, wanted: u8) -> Result<(), Broken> {
        if self.take(wanted)? { Ok(()) } else { Err(Broken) }
    }

    /// Whether nothing but white space is left.
    pub fn end(&self) -> Result<(), Broken> {
        if self.peek().is_err() { Ok(()) } else { Err(Broken) }
    }

    /// Reads the name of the next member of an object, and the colon behind it. Tells
    /// whether there is one; `first` is set at the first name alone.
    ///
    /// Into a place that stays: as a part of a result it would be copied once more.
    #[inline]
    pub fn name(&self, first: &mut bool, name: &mut Cow<'de, str>) -> Result<bool, Broken> {
        match self.short_name(*first) {
            Some(short) => {
                (*first, *name) = (false, Cow::Borrowed(short));
                Ok(true)
            }
            None => self.any_name(first, name),
        }
    }

    /// The same of a name of at most seven characters without escapes, and with no white
    /// space around it, as most are; otherwise it stays where it is.
    #[inline]
    fn short_name(&self, first: bool) -> Option<&'de str> {
        let rest = self.json.as_bytes().get(self.at()..)?;
        let rest = if first { rest } else { rest.strip_prefix(b",")? };
        let rest = rest.strip_prefix(b"\"")?;
        let length = plain_of_eight(*rest.first_chunk()?);
        if !rest.get(length..)?.starts_with(b"\":") {
            return None;
        }
        let start = self.json.len() - rest.len();
        self.at.set(start + length + 2);
        Some(&self.json[start..start + length])
    }

    /// The same of any name, as it may be written.
    #[inline(never)]
    fn any_name(&self, first: &mut bool, name: &mut Cow<'de, str>) -> Result<bool, Broken> {
        if !self.next(b'}', first)? {
            return Ok(false);
        }
        self.peek()?;
        *name = self.text()?;
        self.expect(b':')?;
        Ok(true)
    }

    /// Whether an object or list goes on; behind `close` if not.
    #[inline]
    pub fn next(&self, close: u8, first: &mut bool) -> Result<bool, Broken> {
        let byte = self.peek()?;
        if byte == close {
            self.step();
            return Ok(false);
        }
        if !std::mem::take(first) {
            if byte != b',' {
                return Err(Broken);
            }
            self.step();
        }
        Ok(true)
    }

    /// The value that comes next, if it has no parts.
    #[allow(clippy::inline_always)] // so that it is not handed on through memory
    #[inline(always)]
    pub(super) fn scalar(&self) -> Result<Scalar<'de>, Broken> {
        let byte = self.peek()?;
        let start = self.at();
        Ok(match self.pass_scalar(byte)? {
            Passed::Text => Scalar::Text(Cow::Borrowed(self.within_quotes(start))),
            Passed::Escaped => Scalar::Text(self.unescaped(start)?),
            Passed::Number => Scalar::Number(&self.json[start..self.at()]),
            Passed::True => Scalar::Boolean(true),
            Passed::False => Scalar::Boolean(false),
            Passed::Null => Scalar::Null,
            Passed::Parts => Scalar::Parts,
        })
    }

    /// Moves behind the value that comes next, and begins with this byte, if it has no
    /// parts.
    #[inline(never)]
    fn pass_scalar(&self, byte: u8) -> Result<Passed, Broken> {
        match byte {
            b'"' => Ok(if self.pass_quoted()? { Passed::Escaped } else { Passed::Text }),
            b'-' | b'0'..=b'9' => self.pass_number().map(|()| Passed::Number),
            b'{' | b'[' => Ok(Passed::Parts),
            b't' => self.literal("true").map(|()| Passed::True),
            b'f' => self.literal("false").map(|()| Passed::False),
            _ => self.literal("null").map(|()| Passed::Null),
        }
    }

    /// Moves behind null, if it comes next.
    #[inline]
    pub fn take_null(&self) -> Result<bool, Broken> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.literal("null").map(|()| true)
    }

    #[inline]
    fn literal(&self, word: &str) -> Result<(), Broken> {
        let at = self.at();
        if !self.json.as_bytes()[at..].starts_with(word.as_bytes()) {
            return Err(Broken);
        }
        self.at.set(at + word.len());
        Ok(())
    }

    /// A text with its quotes, borrowed if it has no escapes.
    #[inline]
    fn text(&self) -> Result<Cow<'de, str>, Broken> {
        let start = self.at();
        if self.pass_text()? { self.unescaped(start) } else { Ok(Cow::Borrowed(self.within_quotes(start))) }
    }

    /// From `start` to here without the quotes.
    #[inline]
    fn within_quotes(&self, start: usize) -> &'de str {
        &self.json[start + 1..self.at() - 1]
    }

    /// The text from `start` to here. With escapes of half a character it is none.
    #[cold]
    fn unescaped(&self, start: usize) -> Result<Cow<'de, str>, Broken> {
        serde_json::from_str(&self.json[start..self.at()]).map(Cow::Owned).map_err(|_| Broken)
    }

    /// Moves behind a text, and tells whether it has escapes.
    #[inline(never)]
    fn pass_text(&self) -> Result<bool, Broken> {
        if self.json.as_bytes().get(self.at()) != Some(&b'"') {
            return Err(Broken);
        }
        self.pass_quoted()
    }

    /// The same behind the look at the first quote.
    #[inline]
    fn pass_quoted(&self) -> Result<bool, Broken> {
        let bytes = self.json.as_bytes();
        let start = self.at() + 1;
        let end = start + plain(&bytes[start..]);
        if bytes.get(end) == Some(&b'"') {
            self.at.set(end + 1);
            return Ok(false);
        }
        self.pass_escapes(end).map(|()| true)
    }

    /// Moves behind a text with escapes, from the first on.
    #[cold]
    fn pass_escapes(&self, mut at: usize) -> Result<(), Broken> {
        let bytes = self.json.as_bytes();
        loop {
            self.at.set(at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += escape(&bytes[at + 1..]).ok_or(Broken)?,
                _ => return Err(Broken),
            }
            at += plain(&bytes[at..]);
        }
        self.step();
        Ok(())
    }

    #[inline]
    fn pass_number(&self) -> Result<(), Broken> {
        let bytes = self.json.as_bytes();
        let start = self.at();
        let first = start + usize::from(bytes[start] == b'-');
        let end = first + digits(&bytes[first..]);
        // No zero in front of other digits.
        let whole = end > first && (end == first + 1 || bytes[first] != b'0');
        self.at.set(end);
        if !whole {
            return Err(Broken);
        }
        if let Some(b'.' | b'e' | b'E') = bytes.get(end) {
            self.pass_fraction(end)?;
        }
        Ok(())
    }

    /// Moves behind the places and the power of ten of a number.
    fn pass_fraction(&self, mut at: usize) -> Result<(), Broken> {
        let bytes = self.json.as_bytes();
        let mut fits = true;
        if bytes.get(at) == Some(&b'.') {
            let places = digits(&bytes[at + 1..]);
            fits &= places > 0;
            at += 1 + places;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let power = digits(&bytes[at + 1 + sign..]);
            fits &= power > 0;
            at += 1 + sign + power;
        }
        self.at.set(at);
        if fits { Ok(()) } else { Err(Broken) }
    }

    /// Moves behind the value that began at `start`, whatever of it was read.
    pub fn pass_from(&self, start: usize) -> Result<(), Broken> {
        self.back_to(start);
        self.pass()
    }

    /// Moves behind the value that comes next, however deep it is nested.
    pub fn pass(&self) -> Result<(), Broken> {
        // How what is open closes, the innermost last.
        let mut open = Vec::new();
        loop {
            let mut first = false;
            match self.peek()? {
                byte @ (b'{' | b'[') => {
                    self.step();
                    open.push(if byte == b'{' { b'}' } else { b']' });
                    first = true;
                }
                byte => {
                    self.pass_scalar(byte)?;
                }
            }
            while let Some(&close) = open.last() {
                if self.next(close, &mut first)? {
                    break;
                }
                open.pop();
                first = false;
            }
            match open.last() {
                None => return Ok(()),
                Some(b'}') => {
                    self.peek()?;
                    self.pass_text()?;
                    self.expect(b':')?;
                }
                Some(_) => {}
            }
        }
    }
}

/// How many digits a text begins with.
#[inline]
fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How many characters of a text need no look: no quote, no escape, and none that
/// may not stand in a text. Most texts are short.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    match bytes.first_chunk().copied().map(plain_of_eight) {
        Some(plain) if plain < 8 => plain,
        Some(_) => 8 + plain_of_many(&bytes[8..]),
        None => plain_of_many(bytes),
    }
}

/// Apart from the former, which is part of every name that is read.
#[inline(never)]
fn plain_of_many(bytes: &[u8]) -> usize {
    let (eights, rest) = bytes.as_chunks();
    for (index, eight) in eights.iter().enumerate() {
        let plain = plain_of_eight(*eight);
        if plain < 8 {
            return 8 * index + plain;
        }
    }
    let needs_no_look = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    8 * eights.len() + rest.iter().take_while(needs_no_look).count()
}

/// The same of eight characters at once: the lowest top bit that is set belongs to
/// the first that needs a look.
#[inline]
fn plain_of_eight(eight: [u8; 8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let eight = u64::from_le_bytes(eight);
    let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let control = eight.wrapping_sub(ONES * 0x20) & !eight;
    let found = (zero(eight ^ (ONES * 0x22)) | zero(eight ^ (ONES * 0x5c)) | control) & TOPS;
    found.trailing_zeros() as usize / 8
}

/// The length of an escape, its backslash included, from what is behind that.
fn escape(behind: &[u8]) -> Option<usize> {
    match behind {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', digits @ ..] if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) => Some(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::de::IgnoredAny;

    use super::*;

    fn passes(json: &str) -> bool {
        let cursor = Cursor::new(json);
        cursor.pass().and_then(|()| cursor.end()).is_ok()
    }

    /// Texts that are JSON, or nearly.
    const TEXTS: [&str; 63] = [
        "",
        " ",
        "null",
        "nul",
        "nullx",
        "true",
        "false",
        "t",
        "0",
        "-0",
        "-",
        "01",
        "-01",
        "1.",
        "1.5",
        ".5",
        "1e",
        "1e5",
        "1E+5",
        "1e-",
        "1.0e-7",
        "1e400",
        "+1",
        "1 2",
        "\"\"",
        "\"",
        "\"a",
        "\"a\"b",
        "\"\\\"",
        "\"\\",
        "\"\\u00e9\"",
        "\"\\u00g9\"",
        "\"\\u00e\"",
        "\"\\u00",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"\\n\\t\\/\\b\\f\\r\\\\\"",
        "\"a\nb\"",
        "\"0123456\u{1}\"",
        "\"01234567\u{1f}9\"",
        "\"\u{7f}\u{e9}\u{1f600}0123456789\"",
        "[]",
        "[ ]",
        "[1]",
        "[1,]",
        "[,1]",
        "[1\r,\r\n2]",
        "[1 2]",
        "[1,2",
        "[[[]],[]]",
        "[}",
        "{]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"a\" : [ {\"b\":{}} , 2 ]\n}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "\u{a0}1",
    ];

    #[test]
    fn what_is_json_is_what_serde_json_takes() {
        for text in TEXTS {
            for json in
                [text.to_owned(), format!("[{text}]"), format!("{{\"x\": [0, {text}], \"y\": {text}}}")]
            {
                assert_eq!(passes(&json), serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{json:?}");
            }
        }
    }

    /// The names of an object, none of which comes twice.
    fn names(json: &str) -> Result<BTreeSet<String>, Broken> {
        let cursor = Cursor::new(json);
        let (mut names, mut first, mut name) = (BTreeSet::new(), true, Cow::Borrowed(""));
        cursor.expect(b'{')?;
        while cursor.name(&mut first, &mut name)? {
            assert!(names.insert(name.clone().into_owned()), "{json}");
            cursor.pass()?;
        }
        cursor.end().map(|()| names)
    }

    #[test]
    fn names_of_any_length_and_spacing_are_read() {
        const TEXTS: [&str; 20] = [
            "",
            "a",
            "abcdef",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abcdefghijklmnopq",
            "é",
            "éèà",
            "éèàï",
            "a\\nb",
            "\\u00e9",
            "abcde\\\"",
            "abcdef\\\"",
            "a:b",
            "a,b",
            "{}",
            "a\u{1f}b",
            "a\\",
            "\u{7f}",
        ];
        const SPACING: [(&str, &str); 6] =
            [("", ":"), (" ", ":"), ("", " : "), ("\n", "\t:"), ("", ""), (",", ":")];
        for (text, (before, behind)) in
            TEXTS.into_iter().flat_map(|text| SPACING.map(|around| (text, around)))
        {
            for value in ["1", "\"of more than eight\"", "{\"b\":[]}"] {
                let member = format!("{before}\"{text}\"{behind}{value}");
                for json in [format!("{{{member}}}"), format!("{{\"x\":0,{member},\"y\":0}}")] {
                    let wanted = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&json);
                    let wanted = wanted.map(|read| read.into_keys().collect()).map_err(|_| Broken);
                    assert_eq!(names(&json), wanted, "{json}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_ends_where_it_ends() {
        for length in 0..40 {
            for (end, escaped) in [("\"", false), ("\\n\"", true), ("\u{1f}\"", false)] {
                let json = format!("\"{}{end}", "é".repeat(length));
                let cursor = Cursor::new(&json);
                let passed = cursor.pass_text();
                let control = end.starts_with('\u{1f}');
                assert_eq!(passed, if control { Err(Broken) } else { Ok(escaped) }, "{json}");
                assert_eq!(cursor.at(), if control { 1 + 2 * length } else { json.len() });
            }
        }
    }

    #[test]
    fn a_value_without_parts_is_told_apart() {
        for (json, scalar) in [
            ("null,", Scalar::Null),
            (" true", Scalar::Boolean(true)),
            ("\tfalse", Scalar::Boolean(false)),
            ("-1.50e+3]", Scalar::Number("-1.50e+3")),
            ("\"a b\":", Scalar::Text(Cow::Borrowed("a b"))),
            (r#""a\u00e9\"""#, Scalar::Text(Cow::Borrowed("aé\""))),
            ("\n[1", Scalar::Parts),
            ("{", Scalar::Parts),
        ] {
            assert_eq!(Cursor::new(json).scalar(), Ok(scalar), "{json}");
        }
    }

    #[test]
    fn the_place_of_a_fault_has_a_line_and_a_column() {
        for (json, place) in [
            ("x", (1, 1)),
            ("[1,\n 2,\n  x]", (3, 3)),
            ("[1,\n", (2, 0)),
            ("[1,\n  ", (2, 2)),
            ("[1", (1, 2)),
            ("\"\\u00e9", (1, 7)),
        ] {
            let cursor = Cursor::new(json);
            assert_eq!(cursor.pass(), Err(Broken), "{json}");
            let place = Place { line: place.0, column: place.1 };
            assert_eq!(cursor.place(), place, "{json}");
            assert_eq!(Place::from(&serde_json::from_str::<IgnoredAny>(json).unwrap_err()), place, "{json}");
        }
    }
}
