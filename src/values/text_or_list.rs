//! What is a text in some answers and a list of texts in others.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, value::SeqAccessDeserializer},
};

/// A text, or a list of texts, as the provider sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOrList {
    /// One text; several values in it are joined by commas.
    Text(String),
    /// A list.
    List(Vec<String>),
}

impl TextOrList {
    /// The values, whichever way they were sent.
    ///
    /// ```
    /// use sandbox_client::values::TextOrList;
    ///
    /// let text: TextOrList = serde_json::from_str(r#""Retail Business, Warehouse""#)?;
    /// let list: TextOrList = serde_json::from_str(r#"["Retail Business", "Warehouse"]"#)?;
    /// assert!(text.values().eq(list.values()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let (text, list) = match self {
            Self::Text(text) => (Some(text), &[][..]),
            Self::List(list) => (None, list.as_slice()),
        };
        let split = text.into_iter().flat_map(|text| text.split(',')).map(str::trim);
        split.filter(|value| !value.is_empty()).chain(list.iter().map(String::as_str))
    }
}

impl Serialize for TextOrList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
        }
    }
}

impl<'de> Deserialize<'de> for TextOrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = TextOrList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOrList, E> {
                Ok(TextOrList::Text(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<TextOrList, E> {
                Ok(TextOrList::Text(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<TextOrList, E> {
                Ok(TextOrList::Text(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<TextOrList, E> {
                Ok(TextOrList::Text(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<TextOrList, E> {
                Ok(TextOrList::Text(value.to_string()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<TextOrList, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(TextOrList::List)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(TextOrList, "TextOrList", serde_json::Value);
