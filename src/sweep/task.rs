//! The tasks of a sweep.

use std::{fmt, future::Future, str::FromStr};

use crate::{Error, Session};

/// A call for one taxpayer, for [`Sweep::tasks`](crate::Sweep::tasks). It must
/// only read, since a resumed sweep may repeat it.
///
/// Its text is stored in the list that workers share, so it must not
/// contain a comma and must parse as the same task.
pub trait SweepTask: Clone + PartialEq + fmt::Debug + fmt::Display + FromStr + Send + Sync + 'static {
    /// The answer.
    type Output: Clone + fmt::Debug + Send + 'static;
    /// The operation that it calls, for errors.
    const OPERATION: &'static str;

    /// Makes the call with the session of the taxpayer.
    fn ask(&self, session: Session) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// A question about one period, with the period as its text.
#[cfg(any(feature = "gstr_2b", feature = "returns_common"))]
macro_rules! of_period {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub $crate::values::ReturnPeriod);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> Result<Self, $crate::Error> {
                text.parse().map(Self)
            }
        }
    };
}
#[cfg(any(feature = "gstr_2b", feature = "returns_common"))]
pub(super) use of_period;
