//! Hashes of documents, kept small.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

/// Text that is 64 hexadecimal digits nearly always, and then takes 32 bytes:
/// every invoice of a list has one, and it is a fifth of the whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HashText {
    Digits([u8; 32]),
    Other(Box<str>),
}

impl From<&str> for HashText {
    fn from(text: &str) -> Self {
        digits(text).map_or_else(|| Self::Other(text.into()), Self::Digits)
    }
}

/// The bytes behind 64 digits; capitals are none, they would come back as small
/// letters. Looks at all of them before it judges, many at a time.
fn digits(text: &str) -> Option<[u8; 32]> {
    let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let (mut values, mut fits) = ([0_u8; 64], true);
    for (value, byte) in values.iter_mut().zip(text) {
        *value = if *byte < b'a' { byte.wrapping_sub(b'0') } else { byte.wrapping_sub(b'a' - 10) };
        fits &= matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    }
    fits.then(|| std::array::from_fn(|at| values[2 * at] << 4 | values[2 * at + 1]))
}

impl fmt::Display for HashText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits(bytes) => {
                let mut text = String::with_capacity(64);
                bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))?;
                f.pad(&text)
            }
            Self::Other(text) => f.pad(text),
        }
    }
}

impl Serialize for HashText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back_as_it_was() {
        let digits = "5614d4073380ec8b4ed4613846b18d18d5ee7ce4727e5f5a4d238fe96aaf8600";
        assert!(matches!(HashText::from(digits), HashText::Digits(_)));
        let others = [
            digits.to_uppercase(),
            digits[1..].to_owned(),
            "é".repeat(32),
            String::new(),
            digits.replace('f', "g"),
            digits.replace('f', ":"),
            digits.replace('f', "/"),
            digits.replace('f', "`"),
            "g".repeat(64),
        ];
        for text in others.iter().map(String::as_str).chain([digits]) {
            assert_eq!(HashText::from(text).to_string(), text);
        }
    }
}
