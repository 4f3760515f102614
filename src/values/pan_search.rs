//! The answer to a search by PAN, which has a form of its own.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        self,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use crate::public::types::{BusinessError, PanRegistration};

/// The registrations of a PAN, which stand as a list directly below `data`.
///
/// "None found" is an object in the place of the list; calls turn it into an
/// error, so only saved answers hold it.
#[derive(Debug, Clone)]
pub enum PanSearchData {
    /// The registrations of the PAN in the state.
    Registrations(Vec<PanRegistration>),
    /// Why there are none.
    Failure(Box<BusinessError>),
}

impl PanSearchData {
    /// The registrations; none for a failure.
    #[must_use]
    pub fn registrations(&self) -> &[PanRegistration] {
        match self {
            Self::Registrations(registrations) => registrations,
            Self::Failure(_) => &[],
        }
    }
}

impl Serialize for PanSearchData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Registrations(registrations) => registrations.serialize(serializer),
            Self::Failure(failure) => failure.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PanSearchData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = PanSearchData;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of registrations")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<PanSearchData, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(PanSearchData::Registrations)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, failure: A) -> Result<PanSearchData, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(failure))
                    .map(|failure| PanSearchData::Failure(Box::new(failure)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(PanSearchData, "PanSearchData", serde_json::Value);
