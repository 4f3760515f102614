//! Acting on documents: accept, reject, keep pending, reset.

use super::batch::Batch;
use crate::{
    Answer, Error, Job,
    ims::{
        SessionApi,
        types::{ResetInvoiceStatusRequest, ResetRequestType, SaveInvoiceStatusRequest, SaveRequestType},
    },
    values::{Gstin, Invoice, InvoiceAction},
};

/// Actions on listed documents, sent in one request.
///
/// Made by [`SessionApi::actions`]. Nothing is sent before
/// [`send`](InvoiceActions::send), which also tells the first document that
/// cannot be acted on so.
#[derive(Debug)]
#[must_use = "nothing happens before `send`"]
pub struct InvoiceActions(Batch);

/// Actions to take back, sent in one request. Made by [`SessionApi::resets`].
#[derive(Debug)]
#[must_use = "nothing happens before `send`"]
pub struct InvoiceResets(Batch);

impl SessionApi {
    /// Starts a batch of actions on documents that were listed.
    ///
    /// GSTN works it off later: [`send`](InvoiceActions::send) gives a [`Job`],
    /// and waiting for that tells how it went. Each document carries the status
    /// that it was listed with; where it has another by now, or the supplier has
    /// changed it, GSTN refuses that one document (inferred) and the job names
    /// it.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::values::{Gstin, Section};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let list = session.ims().invoices(Section::B2b, None).await?;
    /// let job = session
    ///     .ims()
    ///     .actions()
    ///     .recipient(Gstin::new("33ABKCS2033B1ZW")?) // a session of `Client::taxpayer` knows it
    ///     .accept(&list.invoices[0])
    ///     .reject(&list.invoices[1])
    ///     .remarks("not received")
    ///     .send()
    ///     .await?;
    /// let report = job.wait().await?;
    /// println!("{} done, {} refused", report.processed.unwrap_or(0), report.refused.len());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn actions(&self) -> InvoiceActions {
        InvoiceActions(Batch::new(self.clone()))
    }

    /// Starts a batch of resets: the documents stand without action again. A
    /// request of its own, since GSTN takes actions and resets apart.
    pub fn resets(&self) -> InvoiceResets {
        InvoiceResets(Batch::new(self.clone()))
    }
}

impl InvoiceActions {
    /// Accepts a document.
    pub fn accept(self, invoice: &Invoice) -> Self {
        self.act(invoice, InvoiceAction::Accepted)
    }

    /// Rejects a document. Imports cannot be rejected.
    pub fn reject(self, invoice: &Invoice) -> Self {
        self.act(invoice, InvoiceAction::Rejected)
    }

    /// Keeps a document pending, unless it was listed as one that may not be.
    pub fn keep_pending(self, invoice: &Invoice) -> Self {
        self.act(invoice, InvoiceAction::Pending)
    }

    /// Accepts many documents.
    pub fn accept_all<'a>(self, invoices: impl IntoIterator<Item = &'a Invoice>) -> Self {
        invoices.into_iter().fold(self, Self::accept)
    }

    fn act(mut self, invoice: &Invoice, action: InvoiceAction) -> Self {
        self.0.add(invoice, Some(action));
        self
    }

    /// A word to the supplier, with the document added last. The provider's
    /// newest page shows remarks for invoices, debit notes and both in amended
    /// form; for others they are refused.
    pub fn remarks(mut self, text: impl Into<String>) -> Self {
        self.0.remark(text.into());
        self
    }

    /// Whose documents they are. Needed where the session is a token
    /// alone, as with [`with_taxpayer_token`](crate::Client::with_taxpayer_token).
    pub fn recipient(mut self, gstin: Gstin) -> Self {
        self.0.set_recipient(gstin);
        self
    }

    /// How many documents the batch has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch has no documents, which `send` refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// What [`send`](InvoiceActions::send) refuses before anything is sent, to
    /// be known before a person is asked. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input), with the field `invoice`,
    /// `remarks` or `recipient` and the reason.
    pub fn check(&self) -> Result<(), Error> {
        self.0.check().map(drop).map_err(|error| error.in_operation("save_invoice_status"))
    }

    /// Sends the batch, and gives a handle on the work that GSTN does then.
    ///
    /// **Cancel safety**: if the future is dropped after the request has left,
    /// the request is finished all the same, and an event of the target
    /// `sandbox_client` tells the outcome and the id of the job. Spawn a task
    /// to keep the [`Job`] whatever becomes of the caller.
    ///
    /// Never repeated by itself where it may have arrived. After a failure with
    /// [`maybe_processed`](Error::maybe_processed), list again: documents that
    /// were acted on show it, and the statuses sent keep a second batch from
    /// overwriting anything unseen.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) before anything is sent, with the field
    /// `invoice`, `remarks` or `recipient` and the reason. Otherwise any kind.
    ///
    /// Source: the provider's page on
    /// [Save Invoice Status](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/save).
    pub async fn send(self) -> Result<Job, Error> {
        let api = self.0.api.clone();
        let (rtin, invdata) =
            self.0.into_body().map_err(|error| error.in_operation("save_invoice_status"))?;
        let body = SaveInvoiceStatusRequest { rtin, reqtyp: SaveRequestType::Save, invdata };
        let answer = api.save_invoice_status().body(body).send().await?;
        Ok(api.job(job_reference(&answer, answer.reference_id.as_deref())?))
    }
}

impl InvoiceResets {
    /// Takes back the action on a document.
    pub fn reset(mut self, invoice: &Invoice) -> Self {
        self.0.add(invoice, None);
        self
    }

    /// Takes back the actions on many documents.
    pub fn reset_all<'a>(self, invoices: impl IntoIterator<Item = &'a Invoice>) -> Self {
        invoices.into_iter().fold(self, Self::reset)
    }

    /// Whose documents they are; see [`InvoiceActions::recipient`].
    pub fn recipient(mut self, gstin: Gstin) -> Self {
        self.0.set_recipient(gstin);
        self
    }

    /// How many documents the batch has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch has no documents, which `send` refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// What `send` would refuse; as [`InvoiceActions::check`].
    ///
    /// # Errors
    ///
    /// As [`InvoiceActions::check`].
    pub fn check(&self) -> Result<(), Error> {
        self.0.check().map(drop).map_err(|error| error.in_operation("reset_invoice_status"))
    }

    /// Sends the batch; as [`InvoiceActions::send`].
    ///
    /// # Errors
    ///
    /// As [`InvoiceActions::send`].
    pub async fn send(self) -> Result<Job, Error> {
        let api = self.0.api.clone();
        let (rtin, invdata) =
            self.0.into_body().map_err(|error| error.in_operation("reset_invoice_status"))?;
        let body = ResetInvoiceStatusRequest { rtin, reqtyp: ResetRequestType::Reset, invdata };
        let answer = api.reset_invoice_status().body(body).send().await?;
        Ok(api.job(job_reference(&answer, answer.reference_id.as_deref())?))
    }
}

/// The reference id of a job that was taken in.
pub(crate) fn job_reference<T>(answer: &Answer<T>, id: Option<&str>) -> Result<String, Error> {
    let id = id.filter(|id| !id.trim().is_empty()).map(str::to_owned);
    id.ok_or_else(|| answer.incomplete("names no job"))
}
