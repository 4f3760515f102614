//! Work that GSTN does after it has answered, and waiting for it.

use std::{
    fmt,
    ops::ControlFlow,
    time::{Duration, Instant},
};

#[cfg(feature = "returns_common")]
use crate::values::ReturnPeriod;
use crate::{
    Error, ErrorKind,
    client::ClientState,
    error::escape_and_truncate,
    gstr_2b::{self, types::Gstr2bJobReport},
    ims::{self, types::InvoiceJobReport},
    values::{CountText, JobStatus, Section},
};

/// A job at GSTN: a batch of actions, of resets, a GSTR-2B to be regenerated, or a
/// return that is saved, reset or made ready to file.
///
/// It goes on without us. Keep the [`reference_id`](Job::reference_id) to ask
/// from another process, by [`ims::SessionApi::job`], [`gstr_2b::SessionApi::job`] or
/// `returns_common::SessionApi::job`.
#[derive(Clone)]
pub struct Job {
    state: ClientState,
    kind: Kind,
    reference_id: String,
    polling: Polling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invoices,
    Gstr2b,
    #[cfg(feature = "returns_common")]
    Return(ReturnPeriod),
}

/// How often, and for how long, a job is asked for.
///
/// ```
/// use std::time::Duration;
/// use sandbox_client::Polling;
///
/// let patient = Polling::default().deadline(Duration::from_secs(3600));
/// # let _ = patient;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    first_pause: Duration,
    longest_pause: Duration,
    deadline: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30),
            deadline: Duration::from_secs(10 * 60),
        }
    }
}

impl Polling {
    /// Pause after the first question, doubled after each further one.
    /// Default 2 s, at least 1 ms.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause.max(Duration::from_millis(1));
        self
    }

    /// Longest pause. Default 30 s; not below the first.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// How long to go on asking. Default 10 minutes, at most a day.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(Duration::from_secs(24 * 3600));
        self
    }

    /// Asks until the job is done. `ask` breaks with what it has come to, or
    /// gives the last status; one that fails for a moment is asked again.
    pub(super) async fn until_done<T, F>(
        &self,
        state: &ClientState,
        job: &str,
        operation: &'static str,
        ask: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<ControlFlow<T, String>, Error>>,
    {
        let mut pauses = self.pauses();
        let mut last = Err(None);
        loop {
            let mut least = state.estimated_wait();
            match ask().await {
                Ok(ControlFlow::Break(done)) => return Ok(done),
                Ok(ControlFlow::Continue(status)) => last = Ok(status),
                Err(error) if error.is_retryable() => {
                    least = least.max(error.retry_after().unwrap_or_default());
                    last = last.or(Err(Some(error)));
                }
                Err(error) => return Err(error),
            }
            if !pauses.pause(least).await {
                return Err(self.not_done(job, operation, last));
            }
        }
    }

    /// The pauses between questions, from now on.
    pub(super) fn pauses(&self) -> Pauses {
        Pauses {
            next: self.first_pause,
            longest: self.longest_pause.max(self.first_pause),
            deadline: Instant::now() + self.deadline,
        }
    }

    /// `last` is the last status, or the last failure where none was told.
    fn not_done(&self, job: &str, operation: &'static str, last: Result<String, Option<Error>>) -> Error {
        let (job, seconds) = (escape_and_truncate(job, 80), self.deadline.as_secs_f64().ceil());
        let timeout = |reason| Error::new(ErrorKind::Timeout, reason);
        let error = match last {
            Err(Some(error)) => timeout(format!(
                "every question about job {job} failed for {seconds} s, the last one so: {error}"
            ))
            .with_source(error),
            last => {
                let last = escape_and_truncate(&last.unwrap_or_else(|_| "none".to_owned()), 80);
                timeout(format!("job {job} is not done after {seconds} s; its last status was {last}"))
            }
        };
        error
            .in_operation(operation)
            .maybe_sent(true)
            .retryable(true)
            .advice("the job goes on: wait again, or later by its id")
    }
}

/// Pauses that grow, until a deadline.
pub(super) struct Pauses {
    next: Duration,
    longest: Duration,
    deadline: Instant,
}

impl Pauses {
    /// Makes the next pause, `least` as long where there is time; `false` once
    /// there is none left. The last question is asked at the deadline.
    pub(super) async fn pause(&mut self, least: Duration) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.next.max(least).min(left)).await;
        self.next = self.next.saturating_mul(2).min(self.longest);
        true
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// Not done yet, as far as can be told.
    InProgress,
    /// Done.
    Processed,
    /// Done, but for the documents in [`JobReport::refused`].
    ProcessedWithErrors,
    /// Refused as a whole; [`JobReport::code`] says why.
    Failed,
    /// GSTN gives a code that this version does not know, in
    /// [`JobReport::status`]: what became of the job cannot be told from it.
    Unknown,
}

/// What GSTN says of a job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobReport {
    /// What the code means; see [`Job::status`] for the reading.
    pub state: JobState,
    /// The code as sent, `P` or another.
    pub status: Option<JobStatus>,
    /// Documents processed, if the answer says so (`proc_cnt`).
    pub processed: Option<u64>,
    /// Documents with an error, where it is told (`err_cnt`).
    pub error_count: Option<u64>,
    /// Each document that was refused, with the reason.
    pub refused: Vec<RefusedDocument>,
    /// What is wrong with a return that was saved; empty for jobs of the IMS and GSTR-2B.
    pub errors: Vec<ReturnError>,
    /// Why the job failed as a whole, such as `IMSSAV005`.
    pub code: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// What the provider's support asks for. Not always a UUID.
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
    /// Number of the document; empty where only its supplier is told.
    pub number: String,
    /// Return period of the supplier, `MMYYYY`.
    pub return_period: String,
    /// Why, such as `IMSSAV0010`: the status sent is not the one that GSTN
    /// has, or the supplier has changed the document.
    pub code: String,
    /// The same for people.
    pub message: String,
}

/// What is wrong with a part of a return.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReturnError {
    /// The section, such as `b2b` or `table17`; none where the whole return was refused.
    pub section: Option<String>,
    /// Why, such as `RET191175`.
    pub code: String,
    /// The same for people.
    pub message: String,
    /// The entry of the report as received, with the record that was sent.
    pub record: serde_json::Value,
}

impl ims::SessionApi {
    /// The job of a batch of actions or resets, by its reference id.
    pub fn job(&self, reference_id: impl Into<String>) -> Job {
        Job::new(&self.state, Kind::Invoices, reference_id.into())
    }
}

impl gstr_2b::SessionApi {
    /// The job that regenerates a GSTR-2B, by its reference id.
    pub fn job(&self, reference_id: impl Into<String>) -> Job {
        Job::new(&self.state, Kind::Gstr2b, reference_id.into())
    }
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
    fn new(state: &ClientState, kind: Kind, reference_id: String) -> Self {
        Self { state: state.clone(), kind, reference_id, polling: Polling::default() }
    }

    /// The number that GSTN gave the job.
    #[must_use]
    pub fn reference_id(&self) -> &str {
        &self.reference_id
    }

    /// The same job, asked for in another rhythm.
    #[must_use]
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Asks once how far the job is. Reading, so safe to repeat.
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
    /// Any kind. A job that went wrong is no error but a report.
    ///
    /// Sources: the provider's pages on
    /// [Check Invoice Status](https://developer.sandbox.co.in/reference/check-invoice-status-api)
    /// and its
    /// [guide](https://developer.sandbox.co.in/api-reference/gst/compliance/guides/taxpayer/invoice-management-system/overview).
    pub async fn status(&self) -> Result<JobReport, Error> {
        let id = self.reference_id.as_str();
        match self.kind {
            Kind::Invoices => {
                let api = ims::SessionApi { state: self.state.clone() };
                let answer = api.check_invoice_status().reference_id(id).send().await?;
                let transaction_id = answer.transaction_id().map(str::to_owned);
                Ok(JobReport::of_invoices(answer.into_inner(), transaction_id))
            }
            Kind::Gstr2b => {
                let api = gstr_2b::SessionApi { state: self.state.clone() };
                let answer = api.get_gstr_2b_regeneration_status().reference_id(id).send().await?;
                let transaction_id = answer.transaction_id().map(str::to_owned);
                Ok(JobReport::of_gstr_2b(answer.into_inner(), transaction_id))
            }
            #[cfg(feature = "returns_common")]
            Kind::Return(period) => super::return_job::report(&self.state, period, id).await,
        }
    }

    /// Asks until the job is done, with growing pauses and within the client's
    /// rate limit, for as long as [`Polling`] says. A question that fails for
    /// a moment is asked again. A code that is not known ends the waiting.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) at the deadline, naming the reference
    /// id, and the last failure where every question failed; the job goes on,
    /// and `wait` may be called again. Otherwise any kind that does not pass by
    /// itself. A job that went wrong is no error but a
    /// report.
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
            Kind::Invoices => "check_invoice_status",
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

impl JobState {
    /// The state of two jobs taken together.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            _ if self == other => self,
            (Self::InProgress, _) | (_, Self::InProgress) => Self::InProgress,
            _ => Self::ProcessedWithErrors,
        }
    }
}

impl JobReport {
    /// What is known of a job that nothing is known of.
    pub(super) fn in_progress() -> Self {
        Self {
            state: JobState::InProgress,
            status: None,
            processed: None,
            error_count: None,
            refused: Vec::new(),
            errors: Vec::new(),
            code: None,
            message: None,
            transaction_id: None,
        }
    }

    /// Both as one: sums of the counts, all refused documents, the first code.
    pub(super) fn and(mut self, other: Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        self.refused.extend(other.refused);
        self.errors.extend(other.errors);
        Self {
            state: self.state.and(other.state),
            status: self.status.or(other.status),
            processed: sum(self.processed, other.processed),
            error_count: sum(self.error_count, other.error_count),
            refused: self.refused,
            errors: self.errors,
            code: self.code.or(other.code),
            message: self.message.or(other.message),
            transaction_id: self.transaction_id.or(other.transaction_id),
        }
    }

    fn of_invoices(report: InvoiceJobReport, transaction_id: Option<String>) -> Self {
        let processed = report.proc_cnt.as_ref().and_then(CountText::get);
        let errors = report.error_report.unwrap_or_default();
        let (whole_code, whole_message) = (present(errors.code), present(errors.message));
        let mut refused = Vec::new();
        for (section, groups) in errors.sections {
            for group in groups {
                let document = RefusedDocument {
                    section: section_of_report(&section),
                    supplier_gstin: group.stin.unwrap_or_default(),
                    number: String::new(),
                    return_period: String::new(),
                    code: group.error_cd.unwrap_or_default(),
                    message: group.error_msg.unwrap_or_default(),
                };
                let named = group.inv.unwrap_or_default();
                if named.is_empty() {
                    refused.push(document.clone());
                }
                refused.extend(named.into_iter().map(|named| RefusedDocument {
                    number: named.inum.or(named.nt_num).unwrap_or_default(),
                    return_period: named.rtnprd.unwrap_or_default(),
                    ..document.clone()
                }));
            }
        }
        let error_count = report.err_cnt.as_ref().and_then(CountText::get);
        let faultless = refused.is_empty() && error_count.unwrap_or(0) == 0 && whole_code.is_none();
        Self {
            state: match &report.status_cd {
                Some(JobStatus::P) if processed.is_none() && faultless => JobState::InProgress,
                Some(JobStatus::P | JobStatus::Success) if faultless => JobState::Processed,
                Some(JobStatus::P | JobStatus::Success) => JobState::ProcessedWithErrors,
                other => state(other.as_ref()),
            },
            status: report.status_cd,
            processed,
            error_count,
            refused,
            errors: Vec::new(),
            code: present(report.err_cd).or(whole_code),
            message: present(report.err_msg).or(whole_message),
            transaction_id,
        }
    }

    fn of_gstr_2b(report: Gstr2bJobReport, transaction_id: Option<String>) -> Self {
        Self {
            state: match &report.status_cd {
                Some(JobStatus::P) => JobState::Processed,
                other => state(other.as_ref()),
            },
            status: report.status_cd,
            processed: None,
            error_count: None,
            refused: Vec::new(),
            errors: Vec::new(),
            code: present(report.err_cd),
            message: present(report.err_msg),
            transaction_id,
        }
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

/// Reports have names of their own for notes: `dn` in the provider's example,
/// `b2bdn` in its schema. The other three follow the same rule (inferred).
fn section_of_report(name: &str) -> Section {
    match name {
        "cn" => Section::B2bcn,
        "cna" => Section::B2bcna,
        "dn" => Section::B2bdn,
        "dna" => Section::B2bdna,
        other => other.into(),
    }
}

pub(super) fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
