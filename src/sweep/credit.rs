//! What the GSTR-2B of a period comes to.

use super::{SweepTask, task::of_period};
use crate::{CreditTotals, Error, Session};

of_period! {
    /// Asks for the GSTR-2B of a period, and what it comes to. Where GSTN has not
    /// generated it yet, the item's error has [`is_not_ready`](Error::is_not_ready).
    CreditInPeriod
}

impl SweepTask for CreditInPeriod {
    type Output = CreditTotals;
    const OPERATION: &'static str = "get_gstr_2b";

    async fn ask(&self, session: Session) -> Result<CreditTotals, Error> {
        session.gstr_2b().totals(self.0).await
    }
}
