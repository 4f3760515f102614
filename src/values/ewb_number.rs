//! Numbers of e-way bills.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// The number of an e-way bill: twelve digits.
///
/// Answers have it as a number or as text; both convert.
///
/// ```
/// use sandbox_client::values::EwbNumber;
///
/// let number: EwbNumber = "291010077005".parse()?;
/// assert_eq!(number, EwbNumber::new(291_010_077_005)?);
/// assert_eq!(number.get(), 291_010_077_005);
/// assert_eq!(EwbNumber::new(7005).unwrap_err().field(), Some("ewb_no"));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EwbNumber(i64);

impl EwbNumber {
    /// Checks that there are twelve digits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `ewb_no`.
    pub fn new(number: i64) -> Result<Self, Error> {
        if (100_000_000_000..=999_999_999_999).contains(&number) {
            Ok(Self(number))
        } else {
            Err(Error::input(field::EWB_NO, "must be the twelve digits of an e-way bill"))
        }
    }

    /// The number, as bodies have it.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for EwbNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EwbNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        Self::new(text.parse().ok().filter(|_| digits).unwrap_or_default())
    }
}

impl TryFrom<&str> for EwbNumber {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for EwbNumber {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<i64> for EwbNumber {
    type Error = Error;

    fn try_from(number: i64) -> Result<Self, Error> {
        Self::new(number)
    }
}

impl From<EwbNumber> for i64 {
    fn from(number: EwbNumber) -> Self {
        number.0
    }
}

impl Serialize for EwbNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EwbNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| de::Error::custom("expected twelve digits"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(EwbNumber, "EwbNumber", String);
