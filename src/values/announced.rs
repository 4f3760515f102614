//! How a count is read, announced to the tolerant reader.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de::Visitor};

use crate::tolerant::{EXACT, UNKNOWN};

/// What is an error where it is there and cannot be read: a number that was
/// passed over would be missing in a sum.
pub(super) struct Exact<T>(pub(super) T);

/// What stands under a name that nobody knows: of another shape, it is absent
/// without a note. With a note where only a part of it cannot be read that
/// would be an error elsewhere.
pub(super) struct Unknown<T>(pub(super) T);

macro_rules! announced {
    ($($type:ident $name:ident),*) => {$(
        impl<'de, T: Deserialize<'de>> Deserialize<'de> for $type<T> {
            fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                json.deserialize_newtype_struct($name, Inner(PhantomData)).map(Self)
            }
        }
    )*};
}

announced!(Exact EXACT, Unknown UNKNOWN);

/// Reads what is announced.
struct Inner<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        T::deserialize(json)
    }
}
