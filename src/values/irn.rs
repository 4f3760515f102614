//! Invoice reference numbers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// An invoice reference number (IRN): 64 hexadecimal digits, in small letters.
///
/// ```
/// use sandbox_client::values::Irn;
///
/// let irn = Irn::new("49A7C675B25F730D2353622E4767DF203FED2495411953E0351737D47308D868")?;
/// assert_eq!(irn.as_str(), "49a7c675b25f730d2353622e4767df203fed2495411953e0351737d47308d868");
/// assert_eq!(Irn::new("49a7").unwrap_err().field(), Some("irn"));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Irn(String);

impl Irn {
    /// Checks length and digits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `irn`.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let mut text: String = text.into();
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            text.make_ascii_lowercase();
            Ok(Self(text))
        } else {
            Err(Error::input(field::IRN, "must be 64 hexadecimal digits"))
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Irn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Irn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Irn({})", self.0)
    }
}

impl FromStr for Irn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Irn {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for Irn {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl Serialize for Irn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Irn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?)
            .map_err(|_| de::Error::custom("expected 64 hexadecimal digits"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Irn, "Irn", String);
