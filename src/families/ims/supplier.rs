//! The supplier's view: what recipients did with the taxpayer's own documents.

use crate::{
    Answer, Error,
    ims::{
        SessionApi,
        types::{AddedBackLiabilities, SalesInvoices},
    },
    values::{ReturnPeriod, ReturnType, SupplierSection, Timestamp},
};

/// A supplier's list of documents. Returned by [`SessionApi::sales_invoices`] and
/// [`SessionApi::added_back_liabilities`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SupplierList<T> {
    /// The documents by section, as the provider groups them; `None` if
    /// there are none.
    pub documents: Option<T>,
    /// GSTN's code for "no records", if it sent one.
    pub no_records_code: Option<String>,
    /// When the provider created the answer.
    pub timestamp: Option<Timestamp>,
    /// The id that the provider's support asks for. Not always a UUID.
    pub transaction_id: Option<String>,
}

impl<T> SupplierList<T> {
    fn of(answer: Answer<T>) -> Self {
        let transaction_id = answer.transaction_id().map(str::to_owned);
        let timestamp = answer.timestamp().cloned();
        Self { documents: Some(answer.into_inner()), no_records_code: None, timestamp, transaction_id }
    }

    /// Nothing, where that is all that GSTN's refusal means.
    fn none(error: Error) -> Result<Self, Error> {
        if !error.is_no_records() {
            return Err(error);
        }
        Ok(Self {
            documents: None,
            no_records_code: error.error_code().map(str::to_owned),
            timestamp: None,
            transaction_id: error.transaction_id().map(str::to_owned),
        })
    }
}

impl SessionApi {
    /// The documents that the taxpayer reported as a supplier in one section
    /// of a return, with the recipients' actions. Read-only, so safe to repeat.
    ///
    /// Helper for [`list_sales_invoices`](SessionApi::list_sales_invoices).
    /// The provider requires `section` and `return_type`, and documents no
    /// section and no return except `gstr-1`; other values are sent unchanged.
    /// Members that the types do not have are kept in their `extra`.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::values::{ReturnPeriod, ReturnType, SupplierSection};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let period = ReturnPeriod::new(2025, 11)?;
    /// let list = session.ims().sales_invoices(period, SupplierSection::B2b, ReturnType::Gstr1).await?;
    /// let recipients = list.documents.and_then(|sales| sales.gstr1?.b2b).unwrap_or_default();
    /// assert_eq!(recipients.len(), 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Any kind, except the codes for "no records", which give an empty list.
    ///
    /// Source: the provider's
    /// [guide](https://developer.sandbox.co.in/api-reference/gst/compliance/guides/taxpayer/invoice-management-system/overview)
    /// and its
    /// [document](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/646042c1425b0c00617a40828c999cc4734af425/api-reference/gst/compliance/openapi.json).
    pub async fn sales_invoices(
        &self,
        period: ReturnPeriod,
        section: impl Into<SupplierSection>,
        return_type: impl Into<ReturnType>,
    ) -> Result<SupplierList<SalesInvoices>, Error> {
        let request = self.list_sales_invoices().year(period).month(period);
        match request.section(section.into()).return_type(return_type.into()).send().await {
            Ok(answer) => Ok(SupplierList::of(answer)),
            Err(error) => SupplierList::none(error),
        }
    }

    /// The taxpayer's own documents of one section that recipients rejected, and
    /// whose liability is added back in one period. Read-only, so safe to repeat.
    ///
    /// Helper for
    /// [`list_added_back_liabilities`](SessionApi::list_added_back_liabilities).
    /// The provider requires `section` and names none.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::values::{ReturnPeriod, SupplierSection};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # mock.on("list_added_back_liabilities").example("none");
    /// # let session = mock.session()?;
    ///
    /// let period = ReturnPeriod::new(2025, 11)?;
    /// let list = session.ims().added_back_liabilities(period, SupplierSection::Cdnr).await?;
    /// assert!(list.documents.is_none());
    /// assert_eq!(list.no_records_code.as_deref(), Some("IMS0027"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Any kind, except the codes for "no records", which give an empty list.
    ///
    /// Source: the provider's page on [Get Added Back Liability
    /// Records](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/added-back-liabilities).
    pub async fn added_back_liabilities(
        &self,
        period: ReturnPeriod,
        section: impl Into<SupplierSection>,
    ) -> Result<SupplierList<AddedBackLiabilities>, Error> {
        let request = self.list_added_back_liabilities().year(period).month(period);
        match request.section(section.into()).send().await {
            Ok(answer) => Ok(SupplierList::of(answer)),
            Err(error) => SupplierList::none(error),
        }
    }
}
