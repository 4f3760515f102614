//! One-time passwords.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field, request::ParameterText};

macro_rules! one_time_password {
    ($(#[$docs:meta])* $name:ident, $fits:expr, $fault:literal) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Checks the characters and their number.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `otp`.
            pub fn new(text: impl Into<String>) -> Result<Self, Error> {
                let text = SecretString::from(text.into());
                let fits: fn(&u8) -> bool = $fits;
                let known = text.expose_secret();
                if (4..=10).contains(&known.len()) && known.as_bytes().iter().all(fits) {
                    Ok(Self(text))
                } else {
                    Err(Error::input(field::OTP, $fault))
                }
            }

            /// The password. Keep it out of logs and messages.
            #[must_use]
            pub fn expose_secret(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = Error;

            fn try_from(text: &String) -> Result<Self, Error> {
                Self::new(text.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                Self::new(text)
            }
        }

        /// For the query of the request that needs it.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.expose_secret())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?)
                    .map_err(|_| de::Error::custom("an OTP was expected"))
            }
        }

        impl ParameterText for $name {
            fn text(&self) -> String {
                self.expose_secret().to_owned()
            }
        }

        #[cfg(feature = "schemars")]
        super::json_schema!($name, stringify!($name), String);
    };
}

one_time_password! {
    /// A one-time password as it was sent to the taxpayer: four to ten digits.
    ///
    /// Kept as text, since a leading zero counts. It is never shown; only the
    /// request that verifies it and [`expose_secret`](Otp::expose_secret) read it.
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
    Otp, u8::is_ascii_digit, "must be four to ten digits and nothing else"
}

one_time_password! {
    /// The one-time password of an electronic verification code (EVC), with which
    /// the signatory files a return: four to ten letters and digits.
    ///
    /// ```
    /// use sandbox_client::values::EvcOtp;
    ///
    /// let otp: EvcOtp = "55B4DF".parse()?;
    /// assert_eq!(format!("{otp:?}"), "EvcOtp([redacted])");
    /// assert!("55 B4DF".parse::<EvcOtp>().is_err());
    /// # Ok::<(), sandbox_client::Error>(())
    /// ```
    EvcOtp, u8::is_ascii_alphanumeric, "must be four to ten letters and digits and nothing else"
}
