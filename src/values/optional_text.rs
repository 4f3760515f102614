//! Text that may be `null`.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};

use super::text;

/// Text as a type of its own, and nothing for `null`.
pub(super) struct OptionalText<T>(pub(super) Option<T>);

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for OptionalText<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_option(OptionalTextVisitor(PhantomData)).map(Self)
    }
}

struct OptionalTextVisitor<T>(PhantomData<T>);

impl<'de, T: for<'a> From<&'a str>> de::Visitor<'de> for OptionalTextVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or nothing")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<Option<T>, D::Error> {
        text::read(json).map(Some)
    }
}
