//! Invoice Management System.

use crate::{Client, Error, ErrorKind, types::TypeOfGoods, values::InvoiceCounts};

impl Client {
    /// How many documents the taxpayer has accepted, rejected, kept pending or
    /// not acted on, in one group of goods. `None` asks for
    /// [`TypeOfGoods::Others`].
    ///
    /// The helper over [`get_invoice_count`](Client::get_invoice_count): no
    /// envelope, sections in a stable order. Reading, so safe to repeat; each
    /// answer costs one unit of the account's quota.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::types::TypeOfGoods;
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.client()?;
    ///
    /// let counts = session.invoice_counts(TypeOfGoods::Others).await?;
    /// println!("{} of {} await action", counts.no_action(), counts.total());
    /// # assert_eq!((counts.no_action(), counts.total()), (11, 12));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Any kind of [`ErrorKind`]; [`SessionExpired`](ErrorKind::SessionExpired)
    /// when the taxpayer's token is over.
    ///
    /// Source: the provider's page on
    /// [Get Invoice Count](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/invoice_count).
    pub async fn invoice_counts(
        &self,
        type_of_goods: impl Into<Option<TypeOfGoods>>,
    ) -> Result<InvoiceCounts, Error> {
        let type_of_goods = type_of_goods.into().unwrap_or_default();
        let response = self.get_invoice_count().type_of_goods(type_of_goods).send().await?;
        let status = response.status();
        let response = response.into_inner();
        let Some(groups) = response.data.data else {
            return Err(Error::new(
                ErrorKind::Decode,
                "the answer claims success and has no counts at `data.data`",
            )
            .in_operation("get_invoice_count")
            .with_status(status)
            .with_transaction_id(response.transaction_id.as_deref())
            .after_attempts(1)
            .maybe_sent(true));
        };
        Ok(InvoiceCounts::new(groups, response.timestamp, response.transaction_id))
    }
}
