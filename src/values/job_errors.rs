//! What a job of the IMS says went wrong, in either of two forms.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, value::SeqAccessDeserializer},
    ser::SerializeMap,
};

use crate::ims::types::RefusedInvoices;

/// The documents that a job refused, by section; or why it was refused as a
/// whole.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JobErrors {
    /// Why the job was refused as a whole, such as `IMSSAV005` (`error_cd`).
    pub code: Option<String>,
    /// The same for people (`error_msg`).
    pub message: Option<String>,
    /// Refused documents by section, by the names that the answer has. Those of
    /// a list without sections stand under the empty name.
    pub sections: BTreeMap<String, Vec<RefusedInvoices>>,
}

impl<'de> Deserialize<'de> for JobErrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = JobErrors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("refused documents by section")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<JobErrors, A::Error> {
                let mut errors = JobErrors::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "error_cd" | "err_cd" => errors.code = map.next_value()?,
                        "error_msg" | "err_msg" => errors.message = map.next_value()?,
                        _ => {
                            if let Some(refused) = map.next_value()? {
                                errors.sections.insert(name, refused);
                            }
                        }
                    }
                }
                Ok(errors)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<JobErrors, A::Error> {
                let refused: Vec<_> = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                let sections = if refused.is_empty() {
                    BTreeMap::new()
                } else {
                    BTreeMap::from([(String::new(), refused)])
                };
                Ok(JobErrors { sections, ..JobErrors::default() })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<JobErrors, E> {
                let message = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
                Ok(JobErrors { message, ..JobErrors::default() })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for JobErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, text) in [("error_cd", &self.code), ("error_msg", &self.message)] {
            if let Some(text) = text {
                map.serialize_entry(name, text)?;
            }
        }
        for (name, refused) in &self.sections {
            map.serialize_entry(name, refused)?;
        }
        map.end()
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(JobErrors, "JobErrors", BTreeMap<String, serde_json::Value>);
