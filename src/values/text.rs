//! Text that may come as something else: codes and numbers of documents are
//! text in every example, and digits without quotes are what tomorrow may bring.

use std::{fmt, marker::PhantomData};

use serde::{Deserializer, de};

use crate::tolerant::TEXT;

/// Reads text, or a number or boolean as its text.
pub(super) fn read<'de, T: for<'a> From<&'a str>, D: Deserializer<'de>>(json: D) -> Result<T, D::Error> {
    json.deserialize_newtype_struct(TEXT, TextVisitor(PhantomData))
}

struct TextVisitor<T>(PhantomData<T>);

impl<'de, T: for<'a> From<&'a str>> de::Visitor<'de> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    /// Where the deserializer does not know what [`TEXT`] is.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        json.deserialize_any(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(text.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        self.visit_str(if value { "true" } else { "false" })
    }
}
