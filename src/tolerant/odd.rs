//! Why a value is not what was wanted.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::{
    json::{Broken, Place},
    path::Path,
};

/// Why a value is not what was wanted. Its text never holds a value. Behind a
/// pointer, so that results stay small.
#[derive(Debug)]
pub(crate) struct Odd(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: Kind,
    path: Option<String>,
    expected: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Null, or blank.
    Absent,
    /// Of another shape.
    Unfit,
    /// The answer cannot be used without it.
    Fatal,
}

impl Odd {
    #[cold]
    fn new(kind: Kind, expected: Option<String>) -> Self {
        Self(Box::new(Details { kind, path: None, expected }))
    }

    /// What is of another shape, where the answer cannot be used without it.
    pub fn fatal_at(path: &Path<'_>, expected: &'static str) -> Self {
        Self::unfit(&expected).of(Kind::Fatal).at(path)
    }

    pub(super) fn absent(expected: &dyn Expected) -> Self {
        Self::new(Kind::Absent, Some(format!("expected {expected}")))
    }

    pub(super) fn unfit(expected: &dyn Expected) -> Self {
        Self::new(Kind::Unfit, Some(format!("expected {expected}")))
    }

    pub(super) fn at(mut self, path: &Path<'_>) -> Self {
        self.0.path.get_or_insert_with(|| path.to_string());
        self
    }

    pub(super) fn of(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(super) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.0.path.as_deref().unwrap_or(".")
    }

    /// What was expected there, if that is known.
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }
}

/// Why a reader gave up: the text is not JSON, or a value is odd.
#[derive(Debug)]
pub(crate) enum Fault {
    Broken,
    Odd(Odd),
}

impl Fault {
    /// The same, with a change to what is odd.
    pub(super) fn map(self, change: impl FnOnce(Odd) -> Odd) -> Self {
        match self {
            Self::Odd(odd) => Self::Odd(change(odd)),
            Self::Broken => Self::Broken,
        }
    }
}

impl From<Broken> for Fault {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// Why nothing was read of a text.
#[derive(Debug)]
pub(crate) enum Unreadable {
    NotJson(Place),
    /// What the rest cannot be used without.
    Odd(Odd),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => f.write_str("not JSON"),
            Self::Odd(odd) => f.write_str(odd.expected().unwrap_or("a value of another shape")),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Odd(Odd::new(Kind::Unfit, expectation(&message.to_string()).map(str::to_owned)))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Odd(Odd::unfit(expected))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Odd(Odd::unfit(expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Odd(Odd::new(Kind::Fatal, Some(format!("missing field `{field}`"))))
    }
}

/// The part of a message that is ours: what was expected. What was found may
/// be a taxpayer's data.
fn expectation(message: &str) -> Option<&str> {
    message.rfind("expected ").map(|at| &message[at..])
}
