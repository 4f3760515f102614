//! Registering an invoice once, and changing it where it was registered.

use std::sync::Arc;

use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::Duplicates;
use crate::{
    Answer, CancelReason, DocumentBatch, Error, ErrorKind,
    e_invoice::{
        SessionApi,
        types::{Inv01, IrnCancelRequest, IrnCancellation, RegisteredInvoice},
    },
    families::{
        batch::How,
        nic::{is_duplicate, once},
    },
    field,
    values::{Amount, Irn, NicServer},
};

/// The id of an e-invoice: its IRN, and the server that registered it. Store both.
///
/// Only that server can cancel it or generate an e-way bill for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InvoiceId {
    /// The invoice reference number.
    pub irn: Irn,
    /// The server of NIC.
    pub server: NicServer,
}

/// A registered invoice.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegisteredOnce {
    /// The answer, with the signed invoice and QR code.
    pub invoice: Answer<RegisteredInvoice>,
    /// The id to store for later changes.
    pub id: InvoiceId,
    /// Whether it was found by a look-up: it had been registered before, or
    /// by a request whose answer was lost.
    pub found: bool,
}

impl SessionApi {
    /// Registers an invoice exactly once, or returns the existing
    /// registration, even if answers are lost.
    ///
    /// The invoice is [checked](Inv01::check) first. If the answer is lost, or if the
    /// portal reports a duplicate (2150), the invoice is looked up by type, number and
    /// date. If it does not exist, it is sent again, at most twice: the portal refuses a
    /// second registration, so this cannot create a duplicate. An invoice that is found
    /// must have the same buyer and total, as far as its signed form can be read.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, but nothing is looked up. Call this again: an invoice
    /// that was registered is found.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sandbox_client::{e_invoice::types::Inv01, values::Gstin};
    /// # let mock = sandbox_client::mock::MockServer::builder().stateful_documents().start().await?;
    /// # let client = mock.client()?;
    /// # let invoice: Inv01 = serde_json::from_str(include_str!("../../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json"))?;
    /// let session = client.e_invoice(Gstin::unchecked("29AAACQ3770E000")?, "api_user", "not-a-real-password")?;
    /// let registered = session.e_invoice().generate_or_get(&invoice).await?;
    /// let again = session.e_invoice().generate_or_get(&invoice).await?;
    /// assert_eq!(registered.id, again.id);
    /// assert!(!registered.found && again.found);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`Input`](ErrorKind::Input) if the invoice would be refused; nothing
    /// is sent; [`Business`](ErrorKind::Business) with the portal's codes,
    /// among them 2278 for a number that was cancelled; otherwise any kind.
    /// If [`maybe_processed`](Error::maybe_processed) is true, it is unknown
    /// whether the invoice exists: call this again.
    ///
    /// Source: the provider's page of [Generate
    /// e-invoice](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/d2424c8a6112/api-reference/gst/compliance/openapi.json);
    /// that a second registration is refused is documented there.
    pub async fn generate_or_get(&self, invoice: &Inv01) -> Result<RegisteredOnce, Error> {
        invoice.check().map_err(|error| error.in_operation("generate_e_invoice"))?;
        let server = self.state.server_of_new();
        let (answer, found) = once(
            || self.generate_e_invoice().x_source(server).body(invoice.clone()).send(),
            || self.find(invoice, server),
            is_duplicate,
        )
        .await?;
        if found && !is_same(invoice, &answer) {
            return Err(Error::new(
                ErrorKind::Business,
                "another invoice is registered under this number, with another buyer or total",
            )
            .in_operation("generate_e_invoice")
            .with_advice("give the invoice another number"));
        }
        let irn = Irn::new(answer.irn.as_str())
            .map_err(|_| answer.incomplete("has an IRN that is not 64 hexadecimal digits"))?;
        Ok(RegisteredOnce { invoice: answer, id: InvoiceId { irn, server }, found })
    }

    /// Registers any number of invoices, each exactly once, as
    /// [`generate_or_get`](SessionApi::generate_or_get) does. Results arrive in order of
    /// completion; a failure is a result like the others and does not stop the batch. The
    /// second of two equal documents is refused without being sent.
    ///
    /// - **Rate limit**: all requests keep to the limit of the client; the
    ///   wait for it does not count against the call timeout.
    /// - **Memory** grows only with the document numbers: the batch takes an
    ///   invoice from the stream when its request can start.
    /// - **To resume**, run the documents without a result again: those that
    ///   were in flight are found.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sandbox_client::{e_invoice::types::Inv01, values::Gstin};
    /// # let mock = sandbox_client::mock::MockServer::builder().stateful_documents().start().await?;
    /// # let client = mock.client()?;
    /// # let session = client.e_invoice(Gstin::unchecked("29AAACQ3770E000")?, "api_user", "not-a-real-password")?;
    /// # let sample: Inv01 = serde_json::from_str(include_str!("../../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json"))?;
    /// # let invoices = (1..=3).map(|number| { let mut invoice = sample.clone(); invoice.doc_dtls.no = format!("A/{number}"); invoice });
    /// let mut batch = session.e_invoice().generate_all(futures_util::stream::iter(invoices)).start();
    /// while let Some(item) = batch.next().await {
    ///     match item.result {
    ///         Ok(registered) => println!("{}: {}", item.document.doc_dtls.no, registered.id.irn),
    ///         Err(error) => println!("{}: {error}", item.document.doc_dtls.no),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn generate_all<S>(&self, invoices: S) -> DocumentBatch<Inv01, RegisteredOnce, S>
    where
        S: Stream<Item = Inv01> + Unpin,
    {
        let api = Self { state: self.state.with_policy(|policy| policy.wait_outside_deadline = true) };
        let mut seen = Duplicates::default();
        let how = How {
            admit: Box::new(move |invoice| {
                seen.add(invoice).map_err(|error| error.in_operation("generate_e_invoice"))
            }),
            make: Arc::new(move |invoice| {
                let api = api.clone();
                Box::pin(async move {
                    let result = api.generate_or_get(&invoice).await;
                    (invoice, result)
                })
            }),
        };
        DocumentBatch::new(invoices, how)
    }

    async fn find(
        &self,
        invoice: &Inv01,
        server: NicServer,
    ) -> Result<Option<Answer<RegisteredInvoice>>, Error> {
        let document = &invoice.doc_dtls;
        let found = self
            .get_e_invoice_by_document()
            .document_type(document.typ)
            .document_number(document.no.as_str())
            .document_date(document.dt.as_str())
            .x_source(server)
            .send()
            .await;
        match found {
            Err(error) if error.is_no_records() => Ok(None),
            found => found.map(Some),
        }
    }

    /// Cancels an e-invoice, within 24 hours, on the server that registered it.
    /// This cannot be undone, and the number cannot be used again. An active
    /// e-way bill must be cancelled first.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome. After it, and after a failure with
    /// [`maybe_processed`](Error::maybe_processed), look at the invoice
    /// (`get_e_invoice`): `Status` is `CNL` if it was cancelled.
    ///
    /// # Errors
    ///
    /// [`Input`](ErrorKind::Input) with the field `x-source` for an invoice
    /// of another server; nothing is sent; [`Business`](ErrorKind::Business)
    /// with 2230 for an active e-way bill, 2270 after 24 hours, 9999 for an
    /// invoice that is not active; otherwise any kind.
    pub async fn cancel(
        &self,
        id: &InvoiceId,
        reason: CancelReason,
        remark: &str,
    ) -> Result<Answer<IrnCancellation>, Error> {
        let told = |error: Error| error.in_operation("cancel_e_invoice");
        let server = self.state.server_of(id.server).map_err(told)?;
        let reason = match reason {
            CancelReason::Duplicate => "1",
            CancelReason::DataEntryMistake => "2",
            CancelReason::OrderCancelled => "3",
            CancelReason::Other => "4",
        };
        if remark.chars().count() > 100 {
            return Err(told(Error::input(field::CNL_REM, "must be at most 100 characters")));
        }
        let body = IrnCancelRequest {
            irn: id.irn.clone(),
            cnl_rsn: reason.to_owned(),
            cnl_rem: (!remark.is_empty()).then(|| remark.to_owned()),
        };
        self.cancel_e_invoice().irn(id.irn.clone()).x_source(server).body(body).send().await
    }
}

/// Whether a registered invoice is this one, as far as can be told.
fn is_same(invoice: &Inv01, registered: &RegisteredInvoice) -> bool {
    let Some(data) = registered.signed_invoice_data() else { return true };
    let buyer = data["BuyerDtls"]["Gstin"].as_str();
    let total = &data["ValDtls"]["TotInvVal"];
    let total =
        (*total != Value::Null).then(|| serde_json::from_value::<Amount>(total.clone()).ok()).flatten();
    buyer.is_none_or(|buyer| buyer.eq_ignore_ascii_case(&invoice.buyer_dtls.gstin))
        && total.is_none_or(|total| total == invoice.val_dtls.tot_inv_val)
}
