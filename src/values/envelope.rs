//! Members of the envelope around every answer.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The outcome inside an envelope: "1" is success, "0" a business failure.
///
/// Sent as text by every operation, as a number in one announcement of the
/// provider; both are read. Other values exist ("3" for a document in parts).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatusCd(String);

impl StatusCd {
    /// The value as text, without surrounding spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this means a business failure: `"0"`, `0` or `false`.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.as_str(), "0" | "false")
    }
}

impl fmt::Display for StatusCd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StatusCd {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl Serialize for StatusCd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StatusCd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = StatusCd;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code, as text or number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusCd, E> {
                Ok(StatusCd(text.trim().to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<StatusCd, E> {
                Ok(StatusCd(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<StatusCd, E> {
                Ok(StatusCd(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<StatusCd, E> {
                Ok(StatusCd(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<StatusCd, E> {
                Ok(StatusCd(value.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// When an answer was made, as the provider sent it.
///
/// Documented as milliseconds since 1970. Examples also show seconds, text,
/// zero and other small numbers, so the value is kept as it came and the
/// meaning is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Timestamp(Raw);

#[derive(Debug, Clone, PartialEq)]
enum Raw {
    Integer(i64),
    Float(f64),
    Text(String),
}

/// Timestamps below this are taken as seconds: 10 digits reach the year 2286,
/// while milliseconds had 12 digits by 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;
/// Timestamps below this (September 2001 in seconds) are placeholders such as 0 or 200.
const MEANINGFUL_FROM: i64 = 1_000_000_000;
/// The end of the year 9999 in milliseconds.
const MEANINGFUL_TO: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Milliseconds since 1970, or `None` if the value is not a moment.
    #[must_use]
    pub fn unix_millis(&self) -> Option<i64> {
        let number = match &self.0 {
            Raw::Integer(number) => *number,
            #[allow(clippy::cast_possible_truncation)] // `as` saturates, and the range is checked below
            Raw::Float(number) => *number as i64,
            Raw::Text(text) => text.trim().parse().ok()?,
        };
        match number {
            MEANINGFUL_FROM..SECONDS_BELOW => Some(number * 1000),
            SECONDS_BELOW..=MEANINGFUL_TO => Some(number),
            _ => None,
        }
    }

    /// The moment, or `None` if the value is none.
    #[must_use]
    pub fn to_system_time(&self) -> Option<std::time::SystemTime> {
        let millis = u64::try_from(self.unix_millis()?).ok()?;
        std::time::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }
}

impl From<i64> for Timestamp {
    fn from(number: i64) -> Self {
        Self(Raw::Integer(number))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Raw::Integer(number) => number.fmt(f),
            Raw::Float(number) => number.fmt(f),
            Raw::Text(text) => f.write_str(text),
        }
    }
}

impl FromStr for Timestamp {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse().map_or_else(|_| Raw::Text(text.to_owned()), Raw::Integer)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Raw::Integer(number) => serializer.serialize_i64(*number),
            Raw::Float(number) => serializer.serialize_f64(*number),
            Raw::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a timestamp, as number or text")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(Raw::Integer(number)))
            }

            #[allow(clippy::cast_precision_loss)] // beyond i64 it is no moment anyway
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Timestamp, E> {
                Ok(Timestamp(i64::try_from(number).map_or(Raw::Float(number as f64), Raw::Integer)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Timestamp, E> {
                Ok(Timestamp(Raw::Float(number)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Ok(Timestamp(Raw::Text(text.to_owned())))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(StatusCd, "StatusCd", String);
#[cfg(feature = "schemars")]
super::json_schema!(Timestamp, "Timestamp", i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_of_a_timestamp_is_read() {
        for (sent, millis) in [
            ("1763446641000", Some(1_763_446_641_000)),
            ("1763446641", Some(1_763_446_641_000)),
            ("\"1685540172000\"", Some(1_685_540_172_000)),
            ("1763446641000.0", Some(1_763_446_641_000)),
            ("0", None),
            ("200", None),
            ("-5", None),
            ("1e300", None),
            ("18446744073709551615", None),
            ("\"yesterday\"", None),
        ] {
            let read: Timestamp = serde_json::from_str(sent).unwrap();
            assert_eq!(read.unix_millis(), millis, "{sent}");
        }
        let read: Timestamp = serde_json::from_str("\"1685540172000\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"1685540172000\"");
    }

    #[test]
    fn a_status_is_read_from_text_number_and_boolean() {
        for (sent, failure) in
            [("\"1\"", false), ("1", false), ("\"3\"", false), ("\"0 \"", true), ("0", true), ("false", true)]
        {
            let read: StatusCd = serde_json::from_str(sent).unwrap();
            assert_eq!(read.is_failure(), failure, "{sent}");
        }
    }
}
