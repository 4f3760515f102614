//! Batches of actions and resets: put together, checked, sent, followed.

use std::{fmt, marker::PhantomData, sync::Arc};

use super::{
    batch::{Body, Documents},
    declaration::ItcDeclaration,
};
use crate::{
    BoxFuture, CodeMeaning, Error, Job, JobReport, JobState, Polling,
    families::job::job_reference,
    field,
    ims::{
        SessionApi,
        types::{
            ActedInvoices, ResetInvoiceStatusRequest, ResetRequestType, SaveInvoiceStatusRequest,
            SaveRequestType,
        },
    },
    values::{Gstin, Invoice, InvoiceAction},
};

/// Most bytes of a request by default. Other providers of the same call
/// document 4 MB; this one documents nothing.
const MOST_BYTES: usize = 4_000_000;

/// Actions on listed documents; returned by [`SessionApi::actions`].
pub type InvoiceActions = InvoiceBatch<Actions>;

/// Resets of listed documents; returned by [`SessionApi::resets`].
pub type InvoiceResets = InvoiceBatch<Resets>;

/// Documents to act on, or whose actions to undo, in as few requests as
/// possible.
///
/// Nothing is sent before [`run`](InvoiceBatch::run) or
/// [`send`](InvoiceBatch::send), which first report a document on which the action is impossible.
#[must_use = "nothing happens before `run` or `send`"]
pub struct InvoiceBatch<K> {
    api: SessionApi,
    recipient: Option<Gstin>,
    documents: Documents,
    most_bytes: usize,
    polling: Polling,
    observer: Option<Observer>,
    kind: PhantomData<fn() -> K>,
}

type Observer = Arc<dyn Fn(BatchStep) + Send + Sync>;

/// The kind of a batch whose documents are accepted, rejected or kept pending.
#[derive(Debug)]
pub enum Actions {}

/// The kind of a batch whose documents stand without action again.
#[derive(Debug)]
pub enum Resets {}

/// The two kinds of a batch, which are operations of their own.
pub trait BatchKind: sealed::Sealed {
    #[doc(hidden)]
    const OPERATION: &'static str;

    #[doc(hidden)]
    fn send(api: SessionApi, rtin: Gstin, invdata: ActedInvoices) -> BoxFuture<'static, Result<Job, Error>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Actions {}
    impl Sealed for super::Resets {}
}

impl BatchKind for Actions {
    const OPERATION: &'static str = "save_invoice_status";

    fn send(api: SessionApi, rtin: Gstin, invdata: ActedInvoices) -> BoxFuture<'static, Result<Job, Error>> {
        Box::pin(async move {
            let body = SaveInvoiceStatusRequest { rtin, reqtyp: SaveRequestType::Save, invdata };
            let answer = api.save_invoice_status().body(body).send().await?;
            Ok(api.job(job_reference(&answer, answer.reference_id.as_deref())?))
        })
    }
}

impl BatchKind for Resets {
    const OPERATION: &'static str = "reset_invoice_status";

    fn send(api: SessionApi, rtin: Gstin, invdata: ActedInvoices) -> BoxFuture<'static, Result<Job, Error>> {
        Box::pin(async move {
            let body = ResetInvoiceStatusRequest { rtin, reqtyp: ResetRequestType::Reset, invdata };
            let answer = api.reset_invoice_status().body(body).send().await?;
            Ok(api.job(job_reference(&answer, answer.reference_id.as_deref())?))
        })
    }
}

/// An event of a running batch, reported by [`InvoiceBatch::on_step`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BatchStep {
    /// GSTN is still processing an earlier batch of the taxpayer (IMSSAV0015).
    /// The request is sent again after a pause.
    Busy,
    /// GSTN has accepted a request.
    Sent {
        /// The job that processes it.
        reference_id: String,
        /// Which request it was, from 1.
        request: usize,
        /// How many requests there are.
        requests: usize,
        /// How many documents it has.
        documents: usize,
    },
}

/// The outcome of the requests of a batch.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "what was refused or not sent is told here"]
pub struct BatchReport {
    /// The jobs in the order in which they were sent.
    pub jobs: Vec<BatchJob>,
    /// Number of documents in requests that GSTN did not accept, or may not have accepted.
    pub not_sent: usize,
    /// Why the batch stopped early: a request after the first failed, or a job
    /// was not done in time.
    pub error: Option<Error>,
}

/// One job of a batch.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchJob {
    /// The number that GSTN gave the job.
    pub reference_id: String,
    /// How many documents it has.
    pub documents: usize,
    /// How it ended; `None` for one that was not done in time.
    pub report: Option<JobReport>,
}

impl BatchReport {
    /// All jobs combined: sums of the counts, all refused documents, code
    /// and message of the first job that failed.
    #[must_use]
    pub fn total(&self) -> JobReport {
        let mut reports = self.jobs.iter().filter_map(|job| job.report.clone());
        let Some(first) = reports.next() else { return JobReport::in_progress() };
        let mut total = reports.fold(first, JobReport::and);
        if self.jobs.iter().any(|job| job.report.is_none()) {
            total.state = JobState::InProgress;
        }
        total
    }
}

impl SessionApi {
    /// Starts a batch of actions on listed documents.
    ///
    /// GSTN processes it later: [`run`](InvoiceBatch::run) waits for that and returns a
    /// report. Each document is sent with its listed status; if the status or the
    /// document has changed since, GSTN refuses that document (inferred) and the report
    /// names it.
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
        InvoiceBatch::new(self.clone())
    }

    /// Starts a batch of resets, which undo actions. It is a separate batch,
    /// since GSTN accepts actions and resets only in separate requests.
    pub fn resets(&self) -> InvoiceResets {
        InvoiceBatch::new(self.clone())
    }
}

impl InvoiceBatch<Actions> {
    /// Accepts a document. A credit note needs a declaration with it; see
    /// [`itc_reduction`](InvoiceBatch::itc_reduction).
    pub fn accept(self, invoice: &Invoice) -> Self {
        self.act(invoice, InvoiceAction::Accepted)
    }

    /// Rejects a document. Imports cannot be rejected.
    pub fn reject(self, invoice: &Invoice) -> Self {
        self.act(invoice, InvoiceAction::Rejected)
    }

    /// Keeps a document pending. Refused if the list says that it cannot be kept pending.
    pub fn keep_pending(self, invoice: &Invoice) -> Self {
        self.act(invoice, InvoiceAction::Pending)
    }

    /// Accepts many documents.
    pub fn accept_all<'a>(self, invoices: impl IntoIterator<Item = &'a Invoice>) -> Self {
        invoices.into_iter().fold(self, Self::accept)
    }

    fn act(mut self, invoice: &Invoice, action: InvoiceAction) -> Self {
        self.documents.add(invoice, Some(action));
        self
    }

    /// A remark for the supplier on the document added last: at most 250
    /// characters. Refused if the list says that the document accepts none (`isRemarksBlocked`).
    ///
    /// GSTN announced remarks for documents that are rejected or kept pending;
    /// the provider's page shows them with accepted ones too, for invoices and
    /// debit notes, and other clients send them with credit notes. So they are
    /// sent with any action, and GSTN decides.
    pub fn remarks(mut self, text: impl Into<String>) -> Self {
        self.documents.remark(text.into());
        self
    }

    /// Declares whether credit is reduced, for the document added last: one that
    /// is accepted, and is a credit note or an amended document.
    ///
    /// Required for credit notes and their amendments, and for other amended documents if
    /// the list says so (`isItcRedReqBlocked` is `N`; inferred): GSTN refuses them
    /// without it (IMSSAV0054). Not allowed if it is `Y`.
    ///
    /// ```
    /// # use sandbox_client::{InvoiceActions, ItcDeclaration, values::{Invoice, ItcReduction}};
    /// # fn batch(batch: InvoiceActions, notes: &[Invoice]) -> InvoiceActions {
    /// // Only half of the integrated tax had been claimed.
    /// let claimed = ItcReduction::new(90, 0, 0, 0);
    /// let batch = batch
    ///     .accept(&notes[0])
    ///     .itc_reduction(ItcDeclaration::Amounts(claimed))
    ///     .accept(&notes[1])
    ///     .accept(&notes[2])
    ///     .itc_reduction_where_needed(ItcDeclaration::Full); // the other two
    /// # batch
    /// # }
    /// ```
    pub fn itc_reduction(mut self, declaration: ItcDeclaration) -> Self {
        self.documents.declare(declaration);
        self
    }

    /// Makes the same declaration for each document added so far
    /// that needs one and has none.
    pub fn itc_reduction_where_needed(mut self, declaration: ItcDeclaration) -> Self {
        self.documents.declare_where_needed(declaration);
        self
    }
}

impl InvoiceBatch<Resets> {
    /// Undoes the action on a document.
    pub fn reset(mut self, invoice: &Invoice) -> Self {
        self.documents.add(invoice, None);
        self
    }

    /// Undoes the actions on many documents.
    pub fn reset_all<'a>(self, invoices: impl IntoIterator<Item = &'a Invoice>) -> Self {
        invoices.into_iter().fold(self, Self::reset)
    }
}

impl<K: BatchKind> InvoiceBatch<K> {
    fn new(api: SessionApi) -> Self {
        Self {
            api,
            recipient: None,
            documents: Documents::default(),
            most_bytes: MOST_BYTES,
            polling: Polling::default(),
            observer: None,
            kind: PhantomData,
        }
    }

    /// The taxpayer who received the documents. Required if the session has only a token,
    /// as with [`with_taxpayer_token`](crate::Client::with_taxpayer_token).
    pub fn recipient(mut self, gstin: Gstin) -> Self {
        self.recipient = Some(gstin);
        self
    }

    /// Maximum size of a request's JSON in bytes. Default 4 MB, which other
    /// providers of the same call document; about 13,000 documents.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// How often, and for how long, [`run`](InvoiceBatch::run) asks for each job,
    /// and for the end of an earlier batch.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Tells `observer` what happens during [`run`](InvoiceBatch::run). It
    /// runs in the task of the call and should return quickly.
    pub fn on_step(mut self, observer: impl Fn(BatchStep) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// How many documents the batch has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether the batch has no documents. An empty batch is refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many requests the batch needs.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.documents.clone().into_bodies(self.most_bytes).len()
    }

    /// Checks the batch without sending it, for example before you ask a
    /// person to confirm.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input), with the field `invoice`, `remarks`,
    /// `itc_reduction` or `recipient` and the reason.
    pub fn check(&self) -> Result<(), Error> {
        self.checked().map(drop)
    }

    fn checked(&self) -> Result<Gstin, Error> {
        let checked = self.documents.check().and_then(|()| self.known_recipient());
        checked.map_err(|error| error.in_operation(K::OPERATION))
    }

    fn known_recipient(&self) -> Result<Gstin, Error> {
        let session = self.api.state.taxpayer_id().map(|taxpayer| taxpayer.gstin);
        match (self.recipient, session) {
            (Some(named), Some(session)) if named != session => {
                Err(Error::input(field::RECIPIENT, "is not the taxpayer of the session"))
            }
            (named, session) => named.or(session).ok_or_else(|| {
                Error::input(field::RECIPIENT, "is missing: a bare token does not identify the taxpayer")
                    .with_advice("name the taxpayer with `recipient`")
            }),
        }
    }

    /// Sends the batch in one request, and returns a handle on the job that
    /// processes it.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome and the id of the job. Spawn a task to keep the [`Job`] if the caller may
    /// go away.
    ///
    /// Never retried if the provider may have processed it. After a failure with
    /// [`maybe_processed`](Error::maybe_processed), list again: the statuses show which
    /// actions took effect, and a second batch cannot overwrite changes that you have not
    /// seen, since it sends the listed statuses.
    ///
    /// # Errors
    ///
    /// Those of [`check`](InvoiceBatch::check) before anything is sent, and
    /// [`Input`](crate::ErrorKind::Input) for a batch that needs several requests.
    /// [`Business`](crate::ErrorKind::Business) with `IMSSAV0015` while GSTN processes an
    /// earlier batch of the taxpayer. Otherwise any kind.
    ///
    /// Source: the provider's page on [Save Invoice
    /// Status](https://developer.sandbox.co.in/api-reference/gst/compliance/endpoints/taxpayer/invoices/save).
    pub async fn send(self) -> Result<Job, Error> {
        let recipient = self.checked()?;
        let mut bodies = self.documents.into_bodies(self.most_bytes);
        if bodies.len() > 1 {
            let reason =
                format!("is one of so many that {} requests are needed, one after the other", bodies.len());
            return Err(Error::input(field::INVOICE, reason)
                .in_operation(K::OPERATION)
                .with_advice("send them with `run`"));
        }
        // There is one: an empty batch was refused.
        let body = bodies.pop().unwrap_or_default();
        K::send(self.api, recipient, body.invoices).await
    }

    /// Sends the batch and waits until GSTN has processed it.
    ///
    /// A batch that is too large for one request is split, and each request is sent after
    /// the job of the previous one, since GSTN processes one batch of a taxpayer at a
    /// time. It also waits for an earlier batch that GSTN is still processing. Otherwise
    /// like [`send`](InvoiceBatch::send).
    ///
    /// # Errors
    ///
    /// Those of [`send`](InvoiceBatch::send), for the first request. After the
    /// first accepted request, failures are in the report, with the documents that GSTN refused.
    pub async fn run(self) -> Result<BatchReport, Error> {
        let recipient = self.checked()?;
        let bodies = self.documents.clone().into_bodies(self.most_bytes);
        let requests = bodies.len();
        let mut report = BatchReport { jobs: Vec::new(), not_sent: self.len(), error: None };
        for (request, body) in (1..).zip(bodies) {
            let documents = body.documents;
            let job = match self.taken_in(recipient, body).await {
                Ok(job) => job.polling(self.polling),
                Err(error) if report.jobs.is_empty() => return Err(error),
                Err(error) => {
                    report.error = Some(error);
                    break;
                }
            };
            report.not_sent -= documents;
            let reference_id = job.reference_id().to_owned();
            self.tell(BatchStep::Sent { reference_id: reference_id.clone(), request, requests, documents });
            let ended = job.wait().await;
            report.jobs.push(BatchJob { reference_id, documents, report: ended.as_ref().ok().cloned() });
            if let Err(error) = ended {
                report.error = Some(error);
                break;
            }
        }
        Ok(report)
    }

    /// Sends one request, as often as GSTN is busy with an earlier one.
    async fn taken_in(&self, recipient: Gstin, body: Body) -> Result<Job, Error> {
        let mut pauses = self.polling.pauses();
        loop {
            match K::send(self.api.clone(), recipient, body.invoices.clone()).await {
                Err(error) if is_busy(&error) => {
                    self.tell(BatchStep::Busy);
                    if !pauses.pause(self.api.state.estimated_wait()).await {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    fn tell(&self, step: BatchStep) {
        if let Some(observer) = &self.observer {
            observer(step);
        }
    }
}

/// Whether an earlier batch is not finished; this one was not processed then.
fn is_busy(error: &Error) -> bool {
    error.meaning() == Some(CodeMeaning::Busy) && !error.maybe_processed()
}

impl<K> Clone for InvoiceBatch<K> {
    fn clone(&self) -> Self {
        Self {
            api: self.api.clone(),
            recipient: self.recipient,
            documents: self.documents.clone(),
            most_bytes: self.most_bytes,
            polling: self.polling,
            observer: self.observer.clone(),
            kind: PhantomData,
        }
    }
}

/// Leaves out the documents, which are the taxpayer's business.
impl<K> fmt::Debug for InvoiceBatch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvoiceBatch")
            .field("documents", &self.documents.len())
            .field("max_request_bytes", &self.most_bytes)
            .finish_non_exhaustive()
    }
}
