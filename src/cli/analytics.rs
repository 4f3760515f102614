//! `sandbox analytics`: a purchase ledger against GSTR-2A or GSTR-2B.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use sandbox_client::{
    Content, Download, ErrorKind, Reconciliation, ReconciliationJob, ReconciliationReport,
    ReconciliationStep, field, values::ReturnPeriod,
};
use tempfile::NamedTempFile;

use super::{
    arguments::{Format, Shared},
    connection::Connection,
    failure::{Exit, Failure},
    files,
    job::Waiting,
    output::{Sheet, strip_controls},
};

#[derive(Debug, Args)]
pub struct Analytics {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Compare a purchase ledger with GSTR-2B or GSTR-2A and save the report
    ///
    /// Creates a job, uploads both files, waits for the result and downloads the report.
    /// Both files are JSON: the ledger as in the provider's workbook, the statement as
    /// `data.data` of the answer of Get GSTR-2B. Needs no taxpayer's session.
    #[command(
        after_help = "Example: sandbox analytics reconcile --ledger ledger.json --statement gstr-2b.json --report report.xlsx"
    )]
    Reconcile(Reconcile),
    /// Wait for a job that was created earlier, and save its report
    #[command(
        after_help = "Example: sandbox analytics job d3d19997-c48a-4867-95b9-5a77c3567098 --report report.xlsx"
    )]
    Job {
        /// The job id that `reconcile` printed
        job_id: String,
        /// The statement to compare the ledger with
        #[arg(long, value_enum, default_value_t = Against::Gstr2b)]
        against: Against,
        /// Where to save the report, an Excel file
        #[arg(long, value_name = "FILE")]
        report: PathBuf,
        #[command(flatten)]
        waiting: Waiting,
    },
}

#[derive(Debug, Args)]
pub struct Reconcile {
    /// The purchase ledger, JSON
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// The GSTR-2B or GSTR-2A, JSON
    #[arg(long, value_name = "FILE")]
    statement: PathBuf,
    /// The statement to compare the ledger with
    #[arg(long, value_enum, default_value_t = Against::Gstr2b)]
    against: Against,
    /// Where to save the report, an Excel file
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// GSTIN of the taxpayer [default: from the statement]
    #[arg(long, requires = "period")]
    gstin: Option<String>,
    /// Return period [default: from the statement]
    #[arg(long, value_name = "MMYYYY", requires = "gstin")]
    period: Option<ReturnPeriod>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// GSTR-2B
    #[value(name = "gstr-2b")]
    Gstr2b,
    /// GSTR-2A
    #[value(name = "gstr-2a")]
    Gstr2a,
}

pub async fn run(shared: &Shared, arguments: &Analytics) -> Result<(), Failure> {
    match &arguments.action {
        Action::Reconcile(arguments) => reconcile(shared, arguments).await,
        Action::Job { job_id, against, report, waiting } => {
            let target = Target::new(report)?;
            let connection = Connection::open(shared).await?;
            let analytics = connection.client.analytics();
            let job = match against {
                Against::Gstr2b => analytics.gstr_2b_reconciliation(job_id.as_str()),
                Against::Gstr2a => analytics.gstr_2a_reconciliation(job_id.as_str()),
            };
            let job = job.polling(connection.polling(waiting.timeout));
            finish(&job, *against, waiting, target, shared.format).await
        }
    }
}

async fn reconcile(shared: &Shared, arguments: &Reconcile) -> Result<(), Failure> {
    let target = Target::new(&arguments.report)?;
    let connection = Connection::open(shared).await?;
    let job = reconciliation(&connection, arguments)?;
    let bar = bar();
    let shown = bar.clone();
    let job = job.on_step(move |step| show(&shown, step));
    let job = job.submit().await;
    bar.finish_and_clear();
    let job = job.map_err(|error| match error.field() {
        Some(field::LEDGER) => in_file(error.to_string(), &arguments.ledger),
        Some(field::STATEMENT) => in_file(error.to_string(), &arguments.statement),
        _ => error.into(),
    })?;
    let (waiting, id) = (&arguments.waiting, job.job_id());
    if waiting.no_wait {
        print(shared.format, id, "submitted", None)?;
        eprintln!("Get its report with: {}", again(id, arguments.against, &target));
        return Ok(());
    }
    finish(&job, arguments.against, waiting, target, shared.format).await
}

fn reconciliation(connection: &Connection, arguments: &Reconcile) -> Result<Reconciliation, Failure> {
    let analytics = connection.client.analytics();
    let ledger = Content::json_file(&arguments.ledger);
    let statement = Content::json_file(&arguments.statement);
    let job = match arguments.against {
        Against::Gstr2b => analytics.reconcile_gstr_2b(ledger, statement),
        Against::Gstr2a => analytics.reconcile_gstr_2a(ledger, statement),
    };
    let job = job.polling(connection.polling(arguments.waiting.timeout));
    Ok(match (&arguments.gstin, arguments.period) {
        (Some(gstin), Some(period)) => job.taxpayer(connection.gstin(gstin)?, period),
        _ => job,
    })
}

fn in_file(reason: String, file: &Path) -> Failure {
    Failure::new(Exit::Usage, format!("{}: {reason}", file.display()))
}

/// Where a report goes. The folder is tried before anything is sent, and the file
/// is replaced as a whole.
struct Target {
    path: PathBuf,
    file: NamedTempFile,
}

impl Target {
    fn new(path: &Path) -> Result<Self, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = files::refuse_other(path)
            .and_then(|()| tempfile::Builder::new().prefix(".report").tempfile_in(folder));
        let file =
            file.map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file })
    }

    async fn save(mut self, mut download: Download) -> Result<(PathBuf, u64), Failure> {
        let bar = bar();
        let failed = |path: &Path, error| {
            Failure::new(Exit::Other, format!("cannot write {}: {error}", path.display()))
        };
        while let Some(piece) = download.chunk().await? {
            bar.set_length(download.total().unwrap_or_default());
            bar.set_position(download.received());
            self.file.write_all(&piece).map_err(|error| failed(&self.path, error))?;
        }
        bar.finish_and_clear();
        let bytes = download.received();
        self.file.persist(&self.path).map_err(|error| failed(&self.path, error.error))?;
        Ok((self.path, bytes))
    }
}

async fn finish(
    job: &ReconciliationJob,
    against: Against,
    waiting: &Waiting,
    target: Target,
    format: Format,
) -> Result<(), Failure> {
    let id = job.job_id();
    let report = if waiting.no_wait {
        job.status().await?
    } else {
        eprintln!(
            "Waiting for job {id}, at most {} min. Ctrl-C stops the waiting, not the job.",
            waiting.timeout
        );
        let waited = job.wait().await;
        waited.map_err(|error| match error.kind() {
            ErrorKind::Timeout => {
                Failure::from(error).hint(format!("Check again with: {}", again(id, against, &target)))
            }
            _ => error.into(),
        })?
    };
    if !report.is_done() {
        return print(format, id, report.status().as_str(), None);
    }
    if !report.is_success() {
        return failed(&report, target, format).await;
    }
    let (path, bytes) = target.save(report.download().await?).await?;
    eprintln!("Saved {bytes} bytes to {}.", path.display());
    print(format, id, report.status().as_str(), Some(&path))
}

/// A job that failed: with the validation report beside the place of the report.
async fn failed(report: &ReconciliationReport, target: Target, format: Format) -> Result<(), Failure> {
    let mut hint = "Check both files; the provider sent no validation report.".to_owned();
    if let Some(download) = report.download_validation().await? {
        let beside = Target::new(&target.path.with_extension("validation.xlsx"))?;
        let (path, _) = beside.save(download).await?;
        hint = format!("The validation report lists the errors: {}", path.display());
    }
    print(format, report.job_id(), report.status().as_str(), None)?;
    let reason = report.message().unwrap_or("no reason was given");
    let transaction = report.transaction_id().unwrap_or("unknown");
    let text = format!("the reconciliation failed: {reason} (transaction {transaction})");
    Err(Failure::new(Exit::Other, strip_controls(&text)).hint(hint))
}

fn again(id: &str, against: Against, target: &Target) -> String {
    let against = match against {
        Against::Gstr2b => "",
        Against::Gstr2a => " --against gstr-2a",
    };
    format!("sandbox analytics job {id}{against} --report {}", target.path.display())
}

fn print(format: Format, id: &str, status: &str, report: Option<&Path>) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[("job_id", "Job"), ("status", "Status"), ("report", "Report")]);
    sheet.row(vec![id.into(), status.into(), report.map(|path| path.display().to_string()).into()]);
    Ok(sheet.print(format)?)
}

/// Nothing where standard error is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("{bar:14} {bytes}/{total_bytes} {wide_msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, step: ReconciliationStep) {
    let (what, progress) = match step {
        ReconciliationStep::Submitted { job_id } => {
            return bar.suspend(|| eprintln!("Job {} was created.", strip_controls(&job_id)));
        }
        ReconciliationStep::UploadingLedger(progress) => ("ledger", progress),
        ReconciliationStep::UploadingStatement(progress) => ("statement", progress),
        _ => return,
    };
    bar.set_length(progress.total.unwrap_or_default());
    bar.set_position(progress.transferred);
    bar.set_message(what);
}
