//! Numbers of documents that are sent as text.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number as text, `"8"`. Kept as it came, since it may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CountText(Box<str>);

impl CountText {
    /// The number, or `None` if the text is none.
    #[must_use]
    pub fn get(&self) -> Option<u64> {
        let text = self.0.trim();
        // A whole number may be written `8.0`.
        let digits = text.split_once('.').filter(|(_, places)| places.bytes().all(|digit| digit == b'0'));
        digits.map_or(text, |(digits, _)| digits).parse().ok()
    }
}

impl fmt::Display for CountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for CountText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl FromStr for CountText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

impl Serialize for CountText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::read(deserializer)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(CountText, "CountText", String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_are_read_and_what_is_neither_is_no_number() {
        for (sent, count) in [
            ("\"8\"", Some(8)),
            ("8", Some(8)),
            ("8.0", Some(8)),
            ("\"8.5\"", None),
            ("\" 10 \"", Some(10)),
            ("\"\"", None),
            ("\"-1\"", None),
        ] {
            assert_eq!(serde_json::from_str::<CountText>(sent).unwrap().get(), count, "{sent}");
        }
    }
}
