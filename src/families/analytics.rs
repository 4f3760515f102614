//! Reconciliation of a purchase ledger, from submission to report.

use std::{fmt, ops::ControlFlow, sync::Arc};

use serde::{Deserialize, de::IgnoredAny};

use super::polling::Polling;
use crate::{
    Answer, Content, Download, Error, ErrorKind, Progress, Transfers,
    analytics::{
        Api,
        types::{self, ReconciliationRequest},
    },
    error::escape_and_truncate,
    field,
    transfer::unreadable,
    values::{Gstin, PlatformJobStatus, ReturnPeriod, SignedUrl},
};

/// What a ledger is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    Gstr2a,
    Gstr2b,
}

/// An event of a running reconciliation, reported by [`Reconciliation::on_step`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ReconciliationStep {
    /// The job was created. Its id leads to the report from another process.
    Submitted {
        /// The job.
        job_id: String,
    },
    /// The purchase ledger is uploaded.
    UploadingLedger(Progress),
    /// The GSTR-2A or GSTR-2B is uploaded.
    UploadingStatement(Progress),
    /// The job was asked for, and is not done.
    Waiting(PlatformJobStatus),
}

type Observer = Arc<dyn Fn(ReconciliationStep) + Send + Sync>;

/// A reconciliation before it is submitted. Returned by
/// [`Api::reconcile_gstr_2b`] and [`Api::reconcile_gstr_2a`].
#[derive(Clone)]
#[must_use = "nothing happens before `submit` or `run`"]
pub struct Reconciliation {
    api: Api,
    statement: Statement,
    ledger_file: Content,
    statement_file: Content,
    taxpayer: Option<(Gstin, ReturnPeriod)>,
    transfers: Transfers,
    polling: Polling,
    observer: Option<Observer>,
}

/// A job that Sandbox runs. It continues if your program ends: store the
/// [`job_id`](ReconciliationJob::job_id) to query it from another process, with
/// [`Api::gstr_2b_reconciliation`] or [`Api::gstr_2a_reconciliation`].
#[derive(Clone)]
pub struct ReconciliationJob {
    api: Api,
    statement: Statement,
    job_id: String,
    transfers: Transfers,
    polling: Polling,
    observer: Option<Observer>,
}

/// The status of a reconciliation. A failed one is reported here, not as an error.
#[derive(Clone)]
#[must_use = "a failed reconciliation is reported here, not as an error"]
pub struct ReconciliationReport {
    job_id: String,
    status: PlatformJobStatus,
    message: Option<String>,
    transaction_id: Option<String>,
    report: Option<SignedUrl>,
    validation: Option<SignedUrl>,
    transfers: Transfers,
    operation: &'static str,
}

impl Api {
    /// Compares a purchase ledger with a GSTR-2B: submits a job, uploads both
    /// files, waits, and leads to the report, an Excel file.
    ///
    /// The ledger is the provider's workbook of positional rows. The statement is
    /// `data.data` of [Get GSTR-2B](https://developer.sandbox.co.in/reference/get-gstr-2b),
    /// with its `chksum`; taxpayer and period are read from it. Neither is
    /// fetched from GSTN, so a platform token is enough.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::Content;
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let client = mock.client()?;
    /// # let ledger = br#"{"name": "purchase_ledger_workbook", "@entity": "workbook", "sheets": []}"#;
    /// # let statement = br#"{"chksum": "x", "data": {"gstin": "33ABKCS2033B1ZW", "rtnprd": "112025"}}"#;
    ///
    /// let ledger = Content::json(&ledger[..]); // or Content::json_file("ledger.json")
    /// let statement = Content::json(&statement[..]);
    /// let report = client.analytics().reconcile_gstr_2b(ledger, statement).run().await?;
    /// let excel = report.download().await?.bytes().await?;
    /// assert!(excel.starts_with(b"PK"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// Source: the provider's
    /// [guide](https://developer.sandbox.co.in/api-reference/gst/analytics/guides/gstr_2b_reconciliation).
    pub fn reconcile_gstr_2b(&self, ledger: Content, statement: Content) -> Reconciliation {
        self.reconcile(Statement::Gstr2b, ledger, statement)
    }

    /// The same with a GSTR-2A: `{"data": {"gstin", "fp", "b2b" …}}`, GSTN's own
    /// document.
    ///
    /// Source: the provider's
    /// [guide](https://developer.sandbox.co.in/api-reference/gst/analytics/guides/gstr_2a_reconciliation).
    pub fn reconcile_gstr_2a(&self, ledger: Content, statement: Content) -> Reconciliation {
        self.reconcile(Statement::Gstr2a, ledger, statement)
    }

    /// A job of [`reconcile_gstr_2b`](Api::reconcile_gstr_2b), by its id.
    pub fn gstr_2b_reconciliation(&self, job_id: impl Into<String>) -> ReconciliationJob {
        self.job_of(Statement::Gstr2b, job_id.into())
    }

    /// A job of [`reconcile_gstr_2a`](Api::reconcile_gstr_2a), by its id.
    pub fn gstr_2a_reconciliation(&self, job_id: impl Into<String>) -> ReconciliationJob {
        self.job_of(Statement::Gstr2a, job_id.into())
    }

    fn reconcile(
        &self,
        statement: Statement,
        ledger_file: Content,
        statement_file: Content,
    ) -> Reconciliation {
        Reconciliation {
            api: self.clone(),
            statement,
            ledger_file,
            statement_file,
            taxpayer: None,
            transfers: self.transfers(),
            polling: Polling::default(),
            observer: None,
        }
    }

    fn job_of(&self, statement: Statement, job_id: String) -> ReconciliationJob {
        ReconciliationJob {
            api: self.clone(),
            statement,
            job_id,
            transfers: self.transfers(),
            polling: Polling::default(),
            observer: None,
        }
    }

    fn transfers(&self) -> Transfers {
        crate::Client::of(self.state.clone()).transfers()
    }
}

impl Reconciliation {
    /// Sets taxpayer and month instead of reading them from the
    /// statement.
    pub fn taxpayer(mut self, gstin: Gstin, period: ReturnPeriod) -> Self {
        self.taxpayer = Some((gstin, period));
        self
    }

    /// Settings for the transfer of files, such as an additional host.
    pub fn transfers(mut self, transfers: Transfers) -> Self {
        self.transfers = transfers;
        self
    }

    /// How often, and for how long, the job is polled.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Reports events to `observer`. It runs in the task of the call and
    /// should return quickly.
    pub fn on_step(mut self, observer: impl Fn(ReconciliationStep) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Creates the job and uploads both files. Sandbox then starts it.
    ///
    /// The job is created once: after a failure with
    /// [`maybe_processed`](Error::maybe_processed) a job without files may exist, which
    /// does nothing.
    ///
    /// **Cancel safety**: if the future is dropped, a job without files may
    /// exist; an event with the
    /// target `sandbox_client` reports that the request was processed. An upload that is
    /// dropped stops. [`on_step`](Reconciliation::on_step) reports the id of the job.
    ///
    /// # Errors
    ///
    /// [`Input`](ErrorKind::Input) before anything is sent, with the field `ledger` or
    /// `statement` if a file is not JSON or does not have its form. Otherwise any
    /// kind, including those of [`Transfers::upload`].
    pub async fn submit(self) -> Result<ReconciliationJob, Error> {
        let request = self.request()?;
        let answer = match self.statement {
            Statement::Gstr2a => self.api.submit_gstr_2a_reconciliation().body(request).send().await?,
            Statement::Gstr2b => self.api.submit_gstr_2b_reconciliation().body(request).send().await?,
        };
        let job_id = answer.job_id.clone().filter(|id| !id.trim().is_empty());
        let job_id = job_id.ok_or_else(|| answer.incomplete("names no job"))?;
        let statement_url = match self.statement {
            Statement::Gstr2a => &answer.gstr_2a_url,
            Statement::Gstr2b => &answer.gstr_2b_url,
        };
        let (Some(ledger_url), Some(statement_url)) = (&answer.purchase_ledger_url, statement_url) else {
            return Err(answer.incomplete("does not say where to upload the files"));
        };
        self.tell(ReconciliationStep::Submitted { job_id: job_id.clone() });
        let uploads = [
            (ledger_url, &self.ledger_file, ReconciliationStep::UploadingLedger as fn(_) -> _),
            (statement_url, &self.statement_file, ReconciliationStep::UploadingStatement),
        ];
        for (url, file, step) in uploads {
            let mut transfers = self.transfers.clone();
            if let Some(observer) = self.observer.clone() {
                transfers = transfers.on_progress(move |progress| observer(step(progress)));
            }
            transfers.upload(url, file).await?;
        }
        Ok(ReconciliationJob {
            api: self.api,
            statement: self.statement,
            job_id,
            transfers: self.transfers,
            polling: self.polling,
            observer: self.observer,
        })
    }

    /// Submits the job and waits for it.
    ///
    /// **Cancel safety**: as for [`submit`](Reconciliation::submit); the job
    /// itself continues if you stop waiting.
    ///
    /// # Errors
    ///
    /// Those of [`submit`](Reconciliation::submit) and
    /// [`wait`](ReconciliationJob::wait).
    pub async fn run(self) -> Result<ReconciliationReport, Error> {
        self.submit().await?.wait().await
    }

    /// The request, once both files have been read and checked.
    fn request(&self) -> Result<ReconciliationRequest, Error> {
        let workbook: Workbook = checked(field::LEDGER, &self.ledger_file)?;
        if workbook.entity != "workbook" {
            return Err(Error::input(field::LEDGER, "is not a workbook: its `@entity` must be `workbook`"));
        }
        let document: StatementFile = checked(field::STATEMENT, &self.statement_file)?;
        let (gstin, period) = match self.taxpayer {
            Some(taxpayer) => taxpayer,
            None => document.taxpayer(self.statement)?,
        };
        let name = match self.statement {
            Statement::Gstr2a => "gstr-2a",
            Statement::Gstr2b => "gstr-2b",
        };
        Ok(ReconciliationRequest {
            entity: format!("in.co.sandbox.gst.analytics.{name}_reconciliation.request"),
            gstin,
            year: period.year().get().into(),
            month: period.month().get().into(),
            reconciliation_criteria: "strict".to_owned(),
            filing_preference: None,
        })
    }

    fn tell(&self, step: ReconciliationStep) {
        if let Some(observer) = &self.observer {
            observer(step);
        }
    }
}

/// What can be checked of a ledger before it is sent.
#[derive(Deserialize)]
struct Workbook {
    #[serde(rename = "@entity")]
    entity: String,
    #[serde(rename = "sheets")]
    _sheets: Vec<IgnoredAny>,
}

/// What is read of a GSTR-2A or GSTR-2B.
#[derive(Deserialize)]
struct StatementFile {
    data: StatementHead,
}

#[derive(Deserialize)]
struct StatementHead {
    gstin: Option<String>,
    rtnprd: Option<String>,
    fp: Option<String>,
}

impl StatementFile {
    fn taxpayer(self, statement: Statement) -> Result<(Gstin, ReturnPeriod), Error> {
        let (period, name) = match statement {
            Statement::Gstr2a => (self.data.fp, "fp"),
            Statement::Gstr2b => (self.data.rtnprd, "rtnprd"),
        };
        let gstin = self.data.gstin.and_then(|text| Gstin::unchecked(&text).ok());
        match (gstin, period.and_then(|text| text.parse().ok())) {
            (Some(gstin), Some(period)) => Ok((gstin, period)),
            _ => Err(Error::input(
                field::STATEMENT,
                format!("does not tell taxpayer and period: `data.gstin` and `data.{name}` (MMYYYY)"),
            )
            .with_advice("see that it is the document of the right return, or name both with `taxpayer`")),
        }
    }
}

/// Reads a file for the few members that are checked, and all of it as JSON.
fn checked<T: for<'de> Deserialize<'de>>(field: &'static str, file: &Content) -> Result<T, Error> {
    let reader = file.reader().map_err(|error| unreadable(error).with_field(field))?;
    serde_json::from_reader(reader).map_err(|error| {
        let what = if error.is_data() {
            "does not have the form that Sandbox documents"
        } else {
            "is not valid JSON"
        };
        // Without serde's own words, which repeat what is in the file.
        Error::input(field, format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}

impl ReconciliationJob {
    /// The id that Sandbox gave the job.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// The same job, polled at other intervals.
    #[must_use]
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// The same job, with other settings for the download of its report.
    #[must_use]
    pub fn transfers(mut self, transfers: Transfers) -> Self {
        self.transfers = transfers;
        self
    }

    /// Fetches the status of the job once. Read-only, so safe to repeat.
    ///
    /// # Errors
    ///
    /// Any kind. A failed job is not an error but a report.
    pub async fn status(&self) -> Result<ReconciliationReport, Error> {
        let id = self.job_id.as_str();
        let answer = match self.statement {
            Statement::Gstr2a => self.api.get_gstr_2a_reconciliation().job_id(id).send().await?,
            Statement::Gstr2b => self.api.get_gstr_2b_reconciliation().job_id(id).send().await?,
        };
        self.report(&answer)
    }

    /// Polls until the job has succeeded or failed, with growing pauses
    /// and within the client's rate limit, for as long as [`Polling`] says.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) at the deadline, with the id of the job; the job
    /// continues, and you can call `wait` again. Otherwise any kind that is not
    /// temporary. A failed job is not an error but a report.
    pub async fn wait(&self) -> Result<ReconciliationReport, Error> {
        let ask = || async {
            let report = self.status().await?;
            if report.is_done() {
                return Ok(ControlFlow::Break(report));
            }
            let status = report.status.as_str().to_owned();
            if let Some(observer) = &self.observer {
                observer(ReconciliationStep::Waiting(report.status));
            }
            Ok(ControlFlow::Continue(status))
        };
        self.polling.until_done(&self.api.state, &self.job_id, self.operation(), ask).await
    }

    fn operation(&self) -> &'static str {
        match self.statement {
            Statement::Gstr2a => "get_gstr_2a_reconciliation",
            Statement::Gstr2b => "get_gstr_2b_reconciliation",
        }
    }

    fn report(&self, answer: &Answer<types::ReconciliationJob>) -> Result<ReconciliationReport, Error> {
        let status = answer.status.clone().ok_or_else(|| answer.incomplete("has no status of the job"))?;
        if status == PlatformJobStatus::Succeeded && answer.reconciliation_report_url.is_none() {
            return Err(answer.incomplete("does not say where the report is"));
        }
        let message = answer.message.as_deref().filter(|text| !text.trim().is_empty());
        Ok(ReconciliationReport {
            job_id: self.job_id.clone(),
            status,
            message: message.map(|text| escape_and_truncate(text, 512)),
            transaction_id: answer.transaction_id().map(str::to_owned),
            report: answer.reconciliation_report_url.clone(),
            validation: answer.validation_report_url.clone(),
            transfers: self.transfers.clone(),
            operation: self.operation(),
        })
    }
}

impl ReconciliationReport {
    /// The job.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// The state of the job.
    #[must_use]
    pub fn status(&self) -> &PlatformJobStatus {
        &self.status
    }

    /// Whether the job has ended, with a report or without.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.status, PlatformJobStatus::Succeeded | PlatformJobStatus::Failed)
    }

    /// Whether there is a report.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == PlatformJobStatus::Succeeded
    }

    /// Why the job failed, in the provider's words. The provider sends no code.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The id that the provider's support asks for. Not always a UUID.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&str> {
        self.transaction_id.as_deref()
    }

    /// Whether there is a validation report, which lists the errors of a file.
    #[must_use]
    pub fn has_validation_report(&self) -> bool {
        self.validation.is_some()
    }

    /// Downloads the report, an Excel file whose sheets are not documented.
    ///
    /// # Errors
    ///
    /// [`Business`](ErrorKind::Business) with the provider's reason if the job has
    /// failed, [`Input`](ErrorKind::Input) if it is not done. Otherwise those of
    /// [`Transfers::download`].
    pub async fn download(&self) -> Result<Download, Error> {
        match &self.report {
            Some(url) if self.is_success() => self.excel(url).await,
            _ if !self.is_done() => {
                Err(Error::input(field::JOB_ID, "is of a job that is not done").with_advice("wait for it"))
            }
            _ => Err(Error::new(ErrorKind::Business, "the reconciliation failed")
                .in_operation(self.operation)
                .with_provider_message(self.message.as_deref())
                .with_transaction_id(self.transaction_id.as_deref())
                .after_attempts(1)
                .with_advice(if self.validation.is_some() {
                    "the validation report says what is wrong"
                } else {
                    "check both files"
                })),
        }
    }

    /// Downloads the validation report of a failed job, if there is one: an
    /// Excel file whose sheets are not documented.
    ///
    /// # Errors
    ///
    /// Those of [`Transfers::download`].
    pub async fn download_validation(&self) -> Result<Option<Download>, Error> {
        match &self.validation {
            Some(url) => self.excel(url).await.map(Some),
            None => Ok(None),
        }
    }

    async fn excel(&self, url: &SignedUrl) -> Result<Download, Error> {
        let mut download = self.transfers.download(url).await?;
        // An Excel file is a zip archive; a page of a proxy is none.
        if download.start().await?.starts_with(b"PK") {
            return Ok(download);
        }
        Err(Error::new(ErrorKind::Decode, "the report is not an Excel file").in_operation(self.operation))
    }
}

macro_rules! debug_as {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    )*};
}

debug_as! {
    Reconciliation { statement, taxpayer, polling }
    ReconciliationJob { statement, job_id, polling }
    ReconciliationReport { job_id, status, message }
}
