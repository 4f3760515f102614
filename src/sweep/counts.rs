//! The documents in the Invoice Management System, by status.

use super::SweepTask;
use crate::{Error, Session, ims::types::TypeOfGoods, values::InvoiceCounts};

/// Counts the documents of one group of goods.
impl SweepTask for TypeOfGoods {
    type Output = InvoiceCounts;
    const OPERATION: &'static str = "get_invoice_count";

    async fn ask(&self, session: Session) -> Result<InvoiceCounts, Error> {
        session.ims().counts(*self).await
    }
}
