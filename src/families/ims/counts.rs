//! How many documents there are.

use futures_util::future::try_join3;

use crate::{
    Error,
    ims::{SessionApi, types::TypeOfGoods},
    values::{CountGroups, InvoiceCounts, StatusCounts},
};

/// The counts of all three groups of goods.
///
/// Returned by [`SessionApi::all_counts`].
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

    /// How many documents there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.groups().map(|(_, counts)| counts.total()).sum()
    }

    /// How many are accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.by_status().accepted
    }

    /// How many are rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.by_status().rejected
    }

    /// How many are kept pending.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.by_status().pending
    }

    /// How many have no action yet.
    #[must_use]
    pub fn no_action(&self) -> u64 {
        self.by_status().no_action
    }

    /// Whether every document of all groups has an action.
    #[must_use]
    pub fn all_acted_on(&self) -> bool {
        self.by_status().no_action == 0
    }
}

impl SessionApi {
    /// How many documents the taxpayer has accepted, rejected, kept pending or
    /// not acted on, in one group of goods. `None` asks for
    /// [`TypeOfGoods::Others`].
    ///
    /// Helper for [`get_invoice_count`](SessionApi::get_invoice_count): no
    /// envelope, sections in a stable order. Read-only, so safe to repeat; each
    /// answer costs one unit of the account's quota.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::ims::types::TypeOfGoods;
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let counts = session.ims().counts(TypeOfGoods::Others).await?;
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
    /// Any kind of [`ErrorKind`](crate::ErrorKind) but the codes for "no records", which are
    /// counts of nothing; [`SessionExpired`](crate::ErrorKind::SessionExpired)
    /// when the taxpayer's token has expired.
    ///
    /// Source: the provider's page on [Get Invoice
    /// Count](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/invoice_count).
    pub async fn counts(
        &self,
        type_of_goods: impl Into<Option<TypeOfGoods>>,
    ) -> Result<InvoiceCounts, Error> {
        let type_of_goods = type_of_goods.into().unwrap_or_default();
        let answer = match self.get_invoice_count().type_of_goods(type_of_goods).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_no_records() => {
                let id = error.transaction_id().map(str::to_owned);
                return Ok(InvoiceCounts::new(type_of_goods, CountGroups::default(), None, id));
            }
            Err(error) => return Err(error),
        };
        let (timestamp, id) = (answer.timestamp().cloned(), answer.transaction_id().map(str::to_owned));
        Ok(InvoiceCounts::new(type_of_goods, answer.into_inner(), timestamp, id))
    }

    /// The counts of all three groups of goods, fetched concurrently.
    ///
    /// Makes three calls, which cost three units of quota and count three
    /// times against the rate limit. Read-only, so safe to repeat.
    ///
    /// # Errors
    ///
    /// The first failure of the three; the other answers are dropped. If
    /// one group may fail without the others, call [`counts`](SessionApi::counts) for each.
    pub async fn all_counts(&self) -> Result<AllInvoiceCounts, Error> {
        let (others, inward_supplies, imports) = try_join3(
            self.counts(TypeOfGoods::Others),
            self.counts(TypeOfGoods::InwardSupplies),
            self.counts(TypeOfGoods::Imports),
        )
        .await?;
        Ok(AllInvoiceCounts { others, inward_supplies, imports })
    }
}
