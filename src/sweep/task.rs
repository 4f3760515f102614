//! The tasks of a sweep.

use std::{fmt, future::Future, str::FromStr};

use crate::{Error, Session, ims::types::TypeOfGoods, values::InvoiceCounts};

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

/// Counts the documents of one group of goods.
impl SweepTask for TypeOfGoods {
    type Output = InvoiceCounts;
    const OPERATION: &'static str = "get_invoice_count";

    async fn ask(&self, session: Session) -> Result<InvoiceCounts, Error> {
        session.ims().counts(*self).await
    }
}

#[cfg(feature = "returns_common")]
pub use filed::FiledInPeriod;

#[cfg(feature = "returns_common")]
mod filed {
    use super::{Error, FromStr, Session, SweepTask, fmt};
    use crate::{public::types::FiledReturn, values::ReturnPeriod};

    /// Fetches which returns of a period are filed. A return that the list lacks is not
    /// filed; [`FilingOutcome::listed`](crate::filing::FilingOutcome::listed) evaluates
    /// the list for one return.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct FiledInPeriod(pub ReturnPeriod);

    impl fmt::Display for FiledInPeriod {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl FromStr for FiledInPeriod {
        type Err = Error;

        fn from_str(text: &str) -> Result<Self, Error> {
            text.parse().map(Self)
        }
    }

    impl SweepTask for FiledInPeriod {
        type Output = Vec<FiledReturn>;
        const OPERATION: &'static str = "track_taxpayer_returns";

        async fn ask(&self, session: Session) -> Result<Vec<FiledReturn>, Error> {
            let api = session.returns_common();
            let mut filed = match api.track_taxpayer_returns().year(self.0).month(self.0).send().await {
                // What could not be read may be the filing of one who has filed.
                Ok(answer) if answer.has_unread("e_filedlist") => {
                    return Err(answer.incomplete("has a list of filings that cannot be read"));
                }
                Ok(answer) => answer.into_inner().e_filedlist.unwrap_or_default(),
                Err(error) if error.is_no_records() => Vec::new(),
                Err(error) => return Err(error),
            };
            // The provider's example has filings of other periods too.
            let period = self.0.to_string();
            filed.retain(|filed| filed.ret_prd.as_deref().is_none_or(|listed| listed.trim() == period));
            Ok(filed)
        }
    }
}
