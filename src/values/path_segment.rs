//! Text that may stand in a path.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// One part of a path: 1 to 64 letters, digits, hyphens and underscores, so
/// that it stays one part. Names a return (`gstr-3b`) or a reference.
///
/// ```
/// use sandbox_client::values::PathSegment;
///
/// assert_eq!("gstr-3b".parse::<PathSegment>()?.as_str(), "gstr-3b");
/// assert!("..".parse::<PathSegment>().is_err());
/// assert!("a/b".parse::<PathSegment>().is_err());
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathSegment(String);

impl PathSegment {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for PathSegment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.to_owned().try_into()
    }
}

impl TryFrom<&str> for PathSegment {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for PathSegment {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(Error::input(field::PATH, "must be 1 to 64 letters, digits, hyphens and underscores"))
        }
    }
}

impl Serialize for PathSegment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PathSegment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .try_into()
            .map_err(|_| de::Error::custom("expected letters, digits, hyphens and underscores"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(PathSegment, "PathSegment", String);
