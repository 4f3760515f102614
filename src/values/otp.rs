//! One-time passwords.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// A one-time password as it was sent to the taxpayer: four to ten digits.
///
/// Kept as text, since a leading zero counts. Shown by nothing; it leaves this
/// type in the request that verifies it and through
/// [`expose_secret`](Otp::expose_secret).
///
/// ```
/// use sandbox_client::values::Otp;
///
/// let otp: Otp = "005757".parse()?;
/// assert_eq!(otp.expose_secret(), "005757");
/// assert_eq!(format!("{otp:?}"), "Otp([redacted])");
/// assert!("57 57".parse::<Otp>().is_err());
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Otp(SecretString);

impl Otp {
    /// Checks that there are four to ten digits and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the field `otp`.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = SecretString::from(text.into());
        let digits = text.expose_secret();
        if (4..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(Error::config("otp", "must be four to ten digits and nothing else"))
        }
    }

    /// The digits. Keep them out of logs and messages.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Otp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Otp([redacted])")
    }
}

impl FromStr for Otp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Otp {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for Otp {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// For the query of the request that verifies it.
impl Serialize for Otp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Otp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(|_| de::Error::custom("an OTP was expected"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Otp, "Otp", String);
