//! How many documents there are.

use futures_util::future::try_join3;

use crate::{
    Client, Error,
    transport::hollow,
    types::TypeOfGoods,
    values::{InvoiceCounts, StatusCounts},
};

/// The counts of all three groups of goods.
///
/// Made by [`Client::all_invoice_counts`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct AllInvoiceCounts {
    /// Invoices, notes and e-commerce documents of other suppliers.
    pub others: InvoiceCounts,
    /// Documents of input service distributors.
    pub inward_supplies: InvoiceCounts,
    /// Imports of goods.
    pub imports: InvoiceCounts,
}

impl AllInvoiceCounts {
    /// The three groups in order.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (TypeOfGoods, &InvoiceCounts)> {
        [
            (TypeOfGoods::Others, &self.others),
            (TypeOfGoods::InwardSupplies, &self.inward_supplies),
            (TypeOfGoods::Imports, &self.imports),
        ]
        .into_iter()
    }

    /// The sums over all sections of all groups.
    #[must_use]
    pub fn by_status(&self) -> StatusCounts {
        let mut sums = StatusCounts::default();
        for (_, counts) in self.groups() {
            sums += &counts.by_status();
        }
        sums
    }

    /// Whether nothing is left without action in any group.
    #[must_use]
    pub fn all_acted_on(&self) -> bool {
        self.by_status().no_action == 0
    }
}

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
    /// Any kind of [`ErrorKind`](crate::ErrorKind); [`SessionExpired`](crate::ErrorKind::SessionExpired)
    /// when the taxpayer's token is over.
    ///
    /// Source: the provider's page on
    /// [Get Invoice Count](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/invoice_count).
    pub async fn invoice_counts(
        &self,
        type_of_goods: impl Into<Option<TypeOfGoods>>,
    ) -> Result<InvoiceCounts, Error> {
        let type_of_goods = type_of_goods.into().unwrap_or_default();
        let response = self.get_invoice_count().type_of_goods(type_of_goods).send().await?.into_inner();
        let Some(groups) = response.data.data else {
            let id = response.transaction_id.as_deref();
            return Err(hollow(self, "get_invoice_count", "has no counts at `data.data`", id));
        };
        Ok(InvoiceCounts::new(groups, response.timestamp, response.transaction_id))
    }

    /// The counts of all three groups of goods, asked for at the same time.
    ///
    /// Three calls, so three units of quota and three places within the rate
    /// limit. Reading, so safe to repeat.
    ///
    /// # Errors
    ///
    /// The first failure of the three; what the others answered is dropped.
    /// Where one group may fail without the others, ask for each with
    /// [`invoice_counts`](Client::invoice_counts).
    pub async fn all_invoice_counts(&self) -> Result<AllInvoiceCounts, Error> {
        let (others, inward_supplies, imports) = try_join3(
            self.invoice_counts(TypeOfGoods::Others),
            self.invoice_counts(TypeOfGoods::InwardSupplies),
            self.invoice_counts(TypeOfGoods::Imports),
        )
        .await?;
        Ok(AllInvoiceCounts { others, inward_supplies, imports })
    }
}
