//! Codes of the provider as enums that stay open.

/// Defines an enum of codes. One that is not listed is kept in `Other` and
/// never fails a call; it reads and writes as the text it came as. `or` names
/// other texts that mean the same.
macro_rules! open_enum {
    (
        $(#[$docs:meta])*
        $name:ident $schema:literal {
            $($(#[$variant_docs:meta])* $variant:ident $code:literal $(or $other:literal)*,)*
        }
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_docs])* $variant,)*
            /// A code that is not listed here.
            Other(Box<str>),
        }

        impl $name {
            /// All codes that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// The code as sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }
        }

        impl From<&str> for $name {
            fn from(code: &str) -> Self {
                match code {
                    $($code $(| $other)* => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                Ok(code.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                super::text::read(deserializer)
            }
        }

        #[cfg(feature = "schemars")]
        super::json_schema!($name, $schema, String);
    };
}
pub(super) use open_enum;
