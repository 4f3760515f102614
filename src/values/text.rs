//! Text that may come as something else: codes and numbers of documents are
//! text in every example, and digits without quotes are what tomorrow may bring.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};

/// Reads text, or a number or boolean as its text. `null` is none.
pub(super) fn read<'de, T: for<'a> From<&'a str>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let OptionalText(text) = OptionalText::deserialize(deserializer)?;
    text.ok_or_else(|| de::Error::invalid_type(de::Unexpected::Unit, &"text"))
}

/// Text as a type of its own, and nothing for `null`: in one step, since long
/// lists have millions of them.
pub(super) struct OptionalText<T>(pub(super) Option<T>);

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for OptionalText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OptionalTextVisitor(PhantomData)).map(Self)
    }
}

struct OptionalTextVisitor<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> de::Visitor<'_> for OptionalTextVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or nothing")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok(Some(text.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Option<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Option<T>, E> {
        self.visit_str(if value { "true" } else { "false" })
    }
}
