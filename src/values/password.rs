//! Passwords of portals.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// The password of an API user.
///
/// It is never shown, zeroized when dropped, and never put into a token store.
/// Only the body of the login and [`expose_secret`](Password::expose_secret) read it.
///
/// ```
/// use sandbox_client::values::Password;
///
/// let password = Password::new("not-a-real-password")?;
/// assert_eq!(format!("{password:?}"), "Password([redacted])");
/// assert_eq!(Password::new("").unwrap_err().field(), Some("password"));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// Takes a password unchanged. A line break is refused: it usually comes from a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `password`.
    pub fn new(text: impl Into<SecretString>) -> Result<Self, Error> {
        let text: SecretString = text.into();
        if text.expose_secret().is_empty() {
            return Err(Error::input(field::PASSWORD, "is empty"));
        }
        if text.expose_secret().chars().any(char::is_control) {
            return Err(Error::input(
                field::PASSWORD,
                "contains a line break or control character; remove it",
            ));
        }
        Ok(Self(text))
    }

    /// What was a password before.
    pub(crate) fn of(secret: SecretString) -> Self {
        Self(secret)
    }

    /// The password. Keep it out of logs, files and messages.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<Password> for SecretString {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

impl FromStr for Password {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Password {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for Password {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// For the body of the login.
impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?)
            .map_err(|_| de::Error::custom("a password was expected"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Password, "Password", String);
