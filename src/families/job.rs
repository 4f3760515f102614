//! Work that GSTN does after it has answered, and waiting for it.

use std::{fmt, ops::ControlFlow};

use super::polling::Polling;
#[cfg(feature = "returns_common")]
use crate::values::ReturnPeriod;
use crate::{
    Answer, Error,
    client::ClientState,
    values::{JobStatus, Section},
};

/// A job at GSTN: a batch of actions, of resets, a GSTR-2B to be regenerated, or a
/// return that is saved, reset or made ready to file.
///
/// It continues if your program ends. Store the [`reference_id`](Job::reference_id) to
/// query it from another process, with the method `job` of `session.ims()`,
/// `session.gstr_2b()` or `session.returns_common()`.
#[derive(Clone)]
pub struct Job {
    state: ClientState,
    kind: Kind,
    reference_id: String,
    polling: Polling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    #[cfg(feature = "ims")]
    Invoices,
    #[cfg(feature = "gstr_2b")]
    Gstr2b,
    #[cfg(feature = "returns_common")]
    Return(ReturnPeriod),
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// Not done yet, as far as known.
    InProgress,
    /// Done.
    Processed,
    /// Done, except for the documents in [`JobReport::refused`].
    ProcessedWithErrors,
    /// Refused as a whole; [`JobReport::code`] says why.
    Failed,
    /// GSTN sent a code that this version does not know, in
    /// [`JobReport::status`]: the outcome of the job is unknown.
    Unknown,
}

/// GSTN's report on a job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobReport {
    /// The state that the code means; see [`Job::status`].
    pub state: JobState,
    /// The code as sent, `P` or another.
    pub status: Option<JobStatus>,
    /// Documents processed, if the answer says so (`proc_cnt`).
    pub processed: Option<u64>,
    /// Documents with an error, if the answer says so (`err_cnt`).
    pub error_count: Option<u64>,
    /// Each document that was refused, with the reason.
    pub refused: Vec<RefusedDocument>,
    /// The errors of a saved return; empty for jobs of the IMS and GSTR-2B.
    pub errors: Vec<ReturnError>,
    /// Why the job failed as a whole, such as `IMSSAV005`.
    pub code: Option<String>,
    /// The description of the error.
    pub message: Option<String>,
    /// The id that the provider's support asks for. Not always a UUID.
    pub transaction_id: Option<String>,
}

/// A document that GSTN did not act on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedDocument {
    /// Its section.
    pub section: Section,
    /// GSTIN of the supplier.
    pub supplier_gstin: String,
    /// Number of the document; empty if only the supplier is known.
    pub number: String,
    /// Return period of the supplier, `MMYYYY`.
    pub return_period: String,
    /// Why, such as `IMSSAV0010`: the status sent is not the one that GSTN
    /// has, or the supplier has changed the document.
    pub code: String,
    /// The description of the error.
    pub message: String,
}

/// An error in a part of a return.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReturnError {
    /// The section, such as `b2b` or `table17`; `None` if the whole return was refused.
    pub section: Option<String>,
    /// Why, such as `RET191175`.
    pub code: String,
    /// The description of the error.
    pub message: String,
    /// The entry of the report as received, with the record that was sent.
    pub record: serde_json::Value,
}

#[cfg(feature = "returns_common")]
impl crate::returns_common::SessionApi {
    /// The job of a save, a reset or a proceeding of a return, by its period and
    /// reference id. Annual returns have the period of March, with which the year ends.
    pub fn job(&self, period: ReturnPeriod, reference_id: impl Into<String>) -> Job {
        Job::new(&self.state, Kind::Return(period), reference_id.into())
    }
}

impl Job {
    pub(super) fn new(state: &ClientState, kind: Kind, reference_id: String) -> Self {
        Self { state: state.clone(), kind, reference_id, polling: Polling::default() }
    }

    /// The number that GSTN gave the job.
    #[must_use]
    pub fn reference_id(&self) -> &str {
        &self.reference_id
    }

    /// The same job, polled at other intervals.
    #[must_use]
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Fetches the status of the job once. Read-only, so safe to repeat.
    ///
    /// The sources contradict each other on the codes, so both readings are
    /// taken. `P` is done with a count of documents beside it, as in the
    /// provider's examples, and in progress without one, as in its guide; for
    /// GSTR-2B and returns, which count nothing, it is done. `S` is done, `PE` is done
    /// with errors, `ER` has failed; `IP` and `REC` are in progress, and so is an
    /// answer without a code. Any other code is [`JobState::Unknown`].
    ///
    /// # Errors
    ///
    /// Any kind. A failed job is not an error but a report.
    ///
    /// Sources: the provider's pages on [Check Invoice
    /// Status](https://developer.sandbox.co.in/reference/check-invoice-status-api) and
    /// its
    /// [guide](https://developer.sandbox.co.in/api-reference/gst/compliance/guides/taxpayer/invoice-management-system/overview).
    pub async fn status(&self) -> Result<JobReport, Error> {
        let id = self.reference_id.as_str();
        match self.kind {
            #[cfg(feature = "ims")]
            Kind::Invoices => super::ims::job_report(&self.state, id).await,
            #[cfg(feature = "gstr_2b")]
            Kind::Gstr2b => super::gstr_2b::job_report(&self.state, id).await,
            #[cfg(feature = "returns_common")]
            Kind::Return(period) => super::return_job::report(&self.state, period, id).await,
        }
    }

    /// Polls until the job is done, with growing pauses and within the client's rate
    /// limit, for as long as [`Polling`] says. A temporary failure does not end the
    /// polling; an unknown code does.
    ///
    /// # Errors
    ///
    /// [`Timeout`](crate::ErrorKind::Timeout) at the deadline, with the reference id, and
    /// with the last failure if every poll failed; the job continues, and you can call
    /// `wait` again. Otherwise any kind that is not temporary. A failed job is not an
    /// error but a report.
    pub async fn wait(&self) -> Result<JobReport, Error> {
        let ask = || async {
            let report = self.status().await?;
            if report.state != JobState::InProgress {
                return Ok(ControlFlow::Break(report));
            }
            let last = report.status.as_ref().map_or("none", JobStatus::as_str);
            Ok(ControlFlow::Continue(last.to_owned()))
        };
        self.polling.until_done(&self.state, &self.reference_id, self.operation(), ask).await
    }

    fn operation(&self) -> &'static str {
        match self.kind {
            #[cfg(feature = "ims")]
            Kind::Invoices => "check_invoice_status",
            #[cfg(feature = "gstr_2b")]
            Kind::Gstr2b => "get_gstr_2b_regeneration_status",
            #[cfg(feature = "returns_common")]
            Kind::Return(_) => "get_return_status",
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("kind", &self.kind)
            .field("reference_id", &self.reference_id)
            .field("polling", &self.polling)
            .finish_non_exhaustive()
    }
}

/// What a report of a job has and could not be read.
pub(super) struct Unread {
    status: bool,
    errors: bool,
}

impl Unread {
    pub fn of<T>(answer: &Answer<T>) -> Self {
        Self { status: answer.has_unread("status_cd"), errors: answer.has_unread("error_report") }
    }

    /// The report where it says no more than it knows: errors that cannot be
    /// read are none the less errors, and a status is more than none.
    pub fn told_by(&self, mut report: JobReport) -> JobReport {
        report.state = match report.state {
            JobState::InProgress if self.status => JobState::Unknown,
            JobState::Processed if self.errors => JobState::ProcessedWithErrors,
            state => state,
        };
        report
    }
}

/// What a code means that has one meaning everywhere.
pub(super) fn state(status: Option<&JobStatus>) -> JobState {
    match status {
        Some(JobStatus::Success) => JobState::Processed,
        Some(JobStatus::ProcessedWithErrors) => JobState::ProcessedWithErrors,
        Some(JobStatus::Failed) => JobState::Failed,
        Some(JobStatus::InProgress | JobStatus::Received) | None => JobState::InProgress,
        Some(status) if status.as_str().trim().is_empty() => JobState::InProgress,
        Some(_) => JobState::Unknown,
    }
}

pub(super) fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// The reference id of a job that was taken in.
#[cfg(any(
    feature = "gstr_1",
    feature = "gstr_2b",
    feature = "gstr_3b",
    feature = "gstr_9",
    feature = "ims"
))]
pub(super) fn job_reference<T>(answer: &Answer<T>, id: Option<&str>) -> Result<String, Error> {
    let id = id.filter(|id| !id.trim().is_empty()).map(str::to_owned);
    id.ok_or_else(|| answer.incomplete("names no job"))
}
