//! Keys, secrets and tokens: checked when given, never shown, zeroized when dropped.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, environment::Environment, field};

/// A token for the `Authorization` header, of the platform or of a taxpayer.
///
/// [`Debug`](fmt::Debug) and serialisation write a placeholder, and
/// there is no `Display`: only [`expose_secret`](Token::expose_secret) returns the token.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Takes a token as the provider gave it.
    ///
    /// The one rule for a pasted `Authorization` header: a leading `Bearer `
    /// (in any case) is removed, since this API expects the raw token. After
    /// that, a token with spaces, line breaks or characters outside visible
    /// ASCII is refused, as an empty one is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the field `token`.
    pub fn new(token: impl Into<String>) -> Result<Self, Error> {
        Self::for_field(field::TOKEN, token.into().into())
    }

    pub(crate) fn for_field(field: &'static str, token: SecretString) -> Result<Self, Error> {
        const PREFIX: &str = "bearer ";
        let text = token.expose_secret();
        let raw = match text.split_at_checked(PREFIX.len()) {
            Some((start, raw)) if start.eq_ignore_ascii_case(PREFIX) => raw.into(),
            _ => token,
        };
        visible_ascii(field, raw).map(|token| Self(sensitive(token)))
    }

    /// The raw token. Keep it out of logs, files and messages.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // it cannot
    pub fn expose_secret(&self) -> &str {
        self.0.to_str().expect("checked to be visible ASCII when it was given")
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

impl Eq for Token {}

/// Redacted, so that an answer can be serialised without giving its token away.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Token {
    /// From text alone: a number is not a token.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Token;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Token, E> {
                Token::new(text).map_err(|_| E::custom("expected a token"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

#[cfg(feature = "schemars")]
crate::values::json_schema!(Token, "Token", String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// The API key and, where there is one, its secret.
#[derive(Clone)]
pub(crate) struct ApiKey {
    pub key: SecretString,
    pub secret: Option<SecretString>,
}

impl ApiKey {
    pub fn new(key: SecretString, secret: Option<SecretString>) -> Result<Self, Error> {
        let key = visible_ascii(field::KEY, key)?;
        let secret = secret.map(|secret| visible_ascii(field::SECRET, secret)).transpose()?;
        Ok(Self { key, secret })
    }

    /// The environment that the key's prefix names.
    pub fn environment(&self) -> Option<Environment> {
        environment_of(self.key.expose_secret(), "key_")
    }

    /// The environment that the secret's prefix names.
    pub fn secret_environment(&self) -> Option<Environment> {
        environment_of(self.secret.as_ref()?.expose_secret(), "secret_")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("environment", &self.environment()).finish_non_exhaustive()
    }
}

fn environment_of(text: &str, prefix: &str) -> Option<Environment> {
    let rest = text.strip_prefix(prefix)?;
    if rest.starts_with("live_") {
        Some(Environment::Live)
    } else if rest.starts_with("test_") {
        Some(Environment::Test)
    } else {
        None
    }
}

/// A header value that no debug output shows, and that is zeroized when the last
/// clone of it is dropped: all of them share the one secret.
pub(crate) fn sensitive(secret: SecretString) -> HeaderValue {
    struct Zeroized(SecretString);

    impl AsRef<[u8]> for Zeroized {
        fn as_ref(&self) -> &[u8] {
            self.0.expose_secret().as_bytes()
        }
    }

    let shared = Bytes::from_owner(Zeroized(secret));
    let mut value =
        HeaderValue::from_maybe_shared(shared).expect("checked to be visible ASCII when it was given");
    value.set_sensitive(true);
    value
}

/// Refuses whatever could not go into a header as it is. Nothing is trimmed:
/// a secret read from a file with its line break is told, not guessed at.
fn visible_ascii(field: &'static str, text: SecretString) -> Result<SecretString, Error> {
    let bytes = text.expose_secret().as_bytes();
    if bytes.is_empty() {
        return Err(Error::config(field, "is empty"));
    }
    if bytes.iter().any(u8::is_ascii_whitespace) {
        return Err(Error::config(field, "contains a space or a line break; remove it"));
    }
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(Error::config(field, "contains a character that is not visible ASCII; copy it again"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_is_marked_as_sensitive() {
        let token = Token::new("canary").unwrap();
        assert_eq!(format!("{:?}", token.header()), "Sensitive");
    }

    /// Zeroized once, it is gone: there is no second copy.
    #[test]
    fn a_token_and_its_headers_are_one_secret_in_memory() {
        let token = Token::new("canary").unwrap();
        let secret = token.expose_secret().as_ptr();
        assert_eq!(token.clone().expose_secret().as_ptr(), secret);
        assert_eq!(token.header().as_bytes().as_ptr(), secret);
    }
}
