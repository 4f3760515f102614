//! Which documents there are.

use std::{slice, vec};

use crate::{
    Error, field,
    ims::{
        SessionApi,
        types::{InvoiceStatus, ListSection},
    },
    values::{Invoice, Section, Timestamp},
};

/// The documents of one section. Returned by [`SessionApi::invoices`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct InvoiceList {
    /// The documents in the order of the answer, each with its section.
    pub invoices: Vec<Invoice>,
    /// GSTN's code for "no records", if it sent one.
    pub no_records_code: Option<String>,
    /// When the provider created the answer.
    pub timestamp: Option<Timestamp>,
    /// The id that the provider's support asks for. Not always a UUID.
    pub transaction_id: Option<String>,
}

impl InvoiceList {
    /// The documents one by one.
    pub fn iter(&self) -> slice::Iter<'_, Invoice> {
        self.invoices.iter()
    }
}

impl IntoIterator for InvoiceList {
    type Item = Invoice;
    type IntoIter = vec::IntoIter<Invoice>;

    fn into_iter(self) -> Self::IntoIter {
        self.invoices.into_iter()
    }
}

impl<'a> IntoIterator for &'a InvoiceList {
    type Item = &'a Invoice;
    type IntoIter = slice::Iter<'a, Invoice>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl SessionApi {
    /// The documents of one section, all of them or those of one status.
    ///
    /// Helper for [`list_invoices`](SessionApi::list_invoices): no envelope,
    /// sections by the names that counts use, and an empty list if GSTN
    /// sends a code for "no records". There are no pages, so an answer may be
    /// large: raise the limit of 16 MiB with
    /// [`with_max_body_bytes`](crate::Session::with_max_body_bytes) for a taxpayer with
    /// tens of thousands of documents. Read-only, so safe to repeat; each answer
    /// costs one unit of the account's quota.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::{ims::types::InvoiceStatus, values::Section};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let all = session.ims().invoices(Section::B2b, None).await?;
    /// let accepted = session.ims().invoices(Section::B2b, InvoiceStatus::Accepted).await?;
    /// assert_eq!((all.invoices.len(), accepted.invoices.len()), (12, 1));
    /// println!("{} over {}", accepted.invoices[0].number(), accepted.invoices[0].value().unwrap());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `section` for sections that
    /// the provider counts and does not list: imports, and documents of input
    /// service distributors. Otherwise any kind.
    ///
    /// Source: the provider's page on [Get
    /// Invoices](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/invoices).
    pub async fn invoices(
        &self,
        section: impl Into<Section>,
        status: impl Into<Option<InvoiceStatus>>,
    ) -> Result<InvoiceList, Error> {
        let mut request = self.list_invoices().section(name_in_query(&section.into())?);
        if let Some(status) = status.into() {
            request = request.status(status);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_no_records() => {
                return Ok(InvoiceList {
                    no_records_code: error.error_code().map(str::to_owned),
                    transaction_id: error.transaction_id().map(str::to_owned),
                    ..InvoiceList::default()
                });
            }
            Err(error) => return Err(error),
        };
        let (timestamp, transaction_id) =
            (answer.timestamp().cloned(), answer.transaction_id().map(str::to_owned));
        // One section as a rule, and then nothing is moved.
        let lists = answer.into_inner().sections.into_iter().map(|(_, invoices)| invoices);
        let invoices = lists.reduce(|mut all, more| {
            all.extend(more);
            all
        });
        Ok(InvoiceList {
            invoices: invoices.unwrap_or_default(),
            no_records_code: None,
            timestamp,
            transaction_id,
        })
    }
}

/// Lists ask for sections by other names than those they answer with.
fn name_in_query(section: &Section) -> Result<ListSection, Error> {
    Ok(match section {
        Section::B2b => ListSection::B2b,
        Section::B2ba => ListSection::B2ba,
        Section::B2bcn => ListSection::Cn,
        Section::B2bcna => ListSection::Cna,
        Section::B2bdn => ListSection::Dn,
        Section::B2bdna => ListSection::Dna,
        Section::Ecom => ListSection::Ecom,
        Section::Ecoma => ListSection::Ecoma,
        Section::Other(_) => {
            return Err(Error::input(field::SECTION, "is not known to this version and cannot be listed"));
        }
        _ => {
            return Err(Error::input(
                field::SECTION,
                "can be counted but not listed: the provider names no value for it",
            )
            .with_advice("see its documents on the GST portal"));
        }
    })
}
