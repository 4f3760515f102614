//! Permanent account numbers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// A permanent account number (PAN) of the income tax department: five
/// letters, four digits and a letter. Lower case letters are accepted and converted.
///
/// `Debug` shows only the last letter, since a PAN identifies a person.
///
/// ```
/// use sandbox_client::values::Pan;
///
/// assert_eq!("abcde1234f".parse::<Pan>()?.as_str(), "ABCDE1234F");
/// assert_eq!("ABCDE12345".parse::<Pan>().unwrap_err().field(), Some("pan"));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pan(String);

impl Pan {
    /// The number in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Pan {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let capitals = text.to_ascii_uppercase();
        let fits = |(byte, expected): (u8, u8)| match expected {
            b'9' => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase(),
        };
        if capitals.len() == 10 && capitals.bytes().zip(*b"AAAAA9999A").all(fits) {
            Ok(Self(capitals))
        } else {
            Err(Error::input(field::PAN, "must be five letters, four digits and a letter"))
        }
    }
}

impl TryFrom<&str> for Pan {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for Pan {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pan(*********{})", &self.0[9..])
    }
}

impl Serialize for Pan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| de::Error::custom("a PAN was expected"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Pan, "Pan", String);
