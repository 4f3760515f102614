//! The sections in which GSTN keeps documents.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[cfg(feature = "ims")]
use crate::ims::types::TypeOfGoods;

macro_rules! sections {
    ($($variant:ident $code:literal $goods:ident $title:literal,)*) => {
        /// A section of the Invoice Management System, by the code that counts
        /// and lists use.
        ///
        /// The list is open: a code that this version does not know is kept in
        /// [`Section::Other`]. Order is the portal's, unknown sections last.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Section {
            $(#[doc = concat!("`", $code, "`: ", $title, ".")] $variant,)*
            /// A code that is not listed here.
            Other(Box<str>),
        }

        impl Section {
            /// All sections that this version knows, in the portal's order.
            pub const KNOWN: &'static [Section] = &[$(Section::$variant),*];

            /// The code as sent: `b2b`, `isdcn`, `impg` …
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }

            /// The name for people. An unknown section is called by its code.
            #[must_use]
            pub fn title(&self) -> &str {
                match self {
                    $(Self::$variant => $title,)*
                    Self::Other(code) => code,
                }
            }

            /// The group of goods that the section is counted in, if known.
            #[cfg(feature = "ims")]
            #[must_use]
            pub fn type_of_goods(&self) -> Option<TypeOfGoods> {
                match self {
                    $(Self::$variant => Some(TypeOfGoods::$goods),)*
                    Self::Other(_) => None,
                }
            }
        }

        impl From<&str> for Section {
            fn from(code: &str) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }
        }
    };
}

sections! {
    B2b "b2b" Others "Invoices",
    B2ba "b2ba" Others "Amended invoices",
    B2bcn "b2bcn" Others "Credit notes",
    B2bcna "b2bcna" Others "Amended credit notes",
    B2bdn "b2bdn" Others "Debit notes",
    B2bdna "b2bdna" Others "Amended debit notes",
    Ecom "ecom" Others "E-commerce documents",
    Ecoma "ecoma" Others "Amended e-commerce documents",
    Isd "isd" InwardSupplies "ISD invoices",
    Isda "isda" InwardSupplies "Amended ISD invoices",
    Isdcn "isdcn" InwardSupplies "ISD credit notes",
    Isdcna "isdcna" InwardSupplies "Amended ISD credit notes",
    Impg "impg" Imports "Imports of goods",
    Impga "impga" Imports "Amended imports of goods",
    Impgsez "impgsez" Imports "Imports from SEZ",
    Impgseza "impgseza" Imports "Amended imports from SEZ",
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Section {
    type Err = Infallible;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Ok(code.into())
    }
}

impl Serialize for Section {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Section;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the code of a section")
            }

            fn visit_str<E: de::Error>(self, code: &str) -> Result<Section, E> {
                Ok(code.into())
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Section, "Section", String);
