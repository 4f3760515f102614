//! Servers of NIC.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// A server of NIC, which runs the e-invoice and the e-way bill portal.
///
/// A document that was made on one is changed on the same one: another refuses
/// with code 444 or 446. E-invoices have the first two.
///
/// ```
/// use sandbox_client::values::NicServer;
///
/// assert_eq!("secondary".parse::<NicServer>()?, NicServer::Secondary);
/// assert_eq!(NicServer::default().to_string(), "primary");
/// assert!("second".parse::<NicServer>().is_err());
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NicServer {
    /// The first server, which the provider takes by default.
    #[default]
    Primary,
    /// The second.
    Secondary,
    /// The third, for e-way bills alone.
    Tertiary,
}

impl NicServer {
    /// The value of the header `x-source`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Tertiary => "tertiary",
        }
    }
}

impl fmt::Display for NicServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for NicServer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Primary, Self::Secondary, Self::Tertiary]
            .into_iter()
            .find(|server| server.as_str() == text)
            .ok_or_else(|| Error::input(field::X_SOURCE, "must be primary, secondary or tertiary"))
    }
}

impl TryFrom<&str> for NicServer {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for NicServer {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl Serialize for NicServer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for NicServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|_| de::Error::custom("expected primary, secondary or tertiary"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(NicServer, "NicServer", String);
