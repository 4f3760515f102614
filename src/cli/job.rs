//! Jobs at GSTN: waiting for them, and their reports.

use std::io::Write as _;

use clap::Args;
use sandbox_client::{Error, ErrorKind, Job, JobReport, JobState, RefusedDocument};
use serde_json::{Value, json};

use super::{
    arguments::Format,
    confirm::Sending,
    connection::Connection,
    failure::{Exit, Failure},
    output::{Out, Sheet, print_json, printable},
};

/// How long GSTN's work is waited for.
#[derive(Debug, Args)]
pub struct Waiting {
    /// Do not wait: after sending print the reference id, of a job its state
    #[arg(long)]
    pub no_wait: bool,
    /// Longest time to wait for the job
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub timeout: u16,
}

/// A failure of sending, with what to do where it may have arrived all the same.
pub fn not_sent(error: Error, advice: &str) -> Failure {
    let arrived = error.maybe_processed();
    let failure = Failure::from(error);
    if arrived { failure.hint(format!("It may have arrived all the same. {advice}")) } else { failure }
}

/// Waits for a job that was just sent, unless nobody wants to.
pub async fn after_sending(
    connection: &Connection,
    job: Job,
    sending: &Sending,
    format: Format,
    command: &str,
) -> Result<(), Failure> {
    if !sending.waiting.no_wait {
        return follow(connection, job, &sending.waiting, format, command).await;
    }
    let id = job.reference_id();
    match format {
        Format::Table => writeln!(Out, "{}", printable(id))?,
        Format::Json => print_json(&json!({ "reference_id": id }))?,
        Format::Csv => {
            let mut sheet = Sheet::new(&[("reference_id", "")]);
            sheet.row(vec![id.into()]);
            sheet.print(format)?;
        }
    }
    eprintln!("See how it goes with: sandbox {command} job {id}");
    Ok(())
}

/// Waits for a job, or asks once, and shows its report.
pub async fn follow(
    connection: &Connection,
    job: Job,
    waiting: &Waiting,
    format: Format,
    command: &str,
) -> Result<(), Failure> {
    let id = job.reference_id().to_owned();
    let report = if waiting.no_wait {
        job.status().await?
    } else {
        eprintln!(
            "Waiting for GSTN, at most {} min. Ctrl-C stops the waiting, not the job.",
            waiting.timeout
        );
        let waited = job.polling(connection.polling(waiting.timeout)).wait().await;
        waited.map_err(|error| match error.kind() {
            // Out of patience: the job is there still.
            ErrorKind::Timeout => {
                Failure::from(error).hint(format!("Ask again with: sandbox {command} job {id}"))
            }
            _ => error.into(),
        })?
    };
    show(&id, &report, format)?;
    outcome(&report)
}

fn outcome(report: &JobReport) -> Result<(), Failure> {
    match report.state {
        JobState::ProcessedWithErrors => {
            let refused = report.error_count.unwrap_or(report.refused.len() as u64);
            Err(Failure::new(Exit::Partial, format!("GSTN refused {refused} of the documents"))
                .hint("List them again: their status has changed since, or the supplier amended them."))
        }
        JobState::Failed => {
            let reason = report.message.as_deref().unwrap_or("no reason is told");
            let code = report.code.as_deref().unwrap_or("none");
            let transaction = report.transaction_id.as_deref().unwrap_or("unknown");
            let text =
                format!("GSTN refused the whole job: {reason} (code {code}, transaction {transaction})");
            Err(Failure::new(Exit::Other, printable(&text)))
        }
        JobState::Unknown => {
            let status = report.status.as_ref().map_or("none", |status| status.as_str());
            let text = format!("GSTN gives the job a status that this version does not know: {status}");
            Err(Failure::new(Exit::Other, printable(&text))
                .hint("List the documents to see what became of them."))
        }
        _ => Ok(()),
    }
}

fn state(state: JobState) -> &'static str {
    match state {
        JobState::InProgress => "in_progress",
        JobState::Processed => "processed",
        JobState::ProcessedWithErrors => "processed_with_errors",
        JobState::Failed => "failed",
        _ => "unknown",
    }
}

fn show(id: &str, report: &JobReport, format: Format) -> Result<(), Failure> {
    match format {
        Format::Table => table(id, report),
        Format::Json => Ok(print_json(&json!({
            "reference_id": id,
            "state": state(report.state),
            "status": report.status,
            "processed": report.processed,
            "errors": report.error_count,
            "code": report.code,
            "message": report.message,
            "transaction_id": report.transaction_id,
            "refused": report.refused.iter().map(refused).collect::<Vec<_>>(),
        }))?),
        Format::Csv => csv(id, report),
    }
}

fn refused(document: &RefusedDocument) -> Value {
    json!({
        "section": document.section,
        "supplier_gstin": document.supplier_gstin,
        "number": document.number,
        "return_period": document.return_period,
        "code": document.code,
        "message": document.message,
    })
}

fn table(id: &str, report: &JobReport) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("reference_id", "Job"),
        ("state", "State"),
        ("processed", "Processed"),
        ("errors", "Errors"),
    ]);
    sheet.row(vec![
        id.into(),
        state(report.state).replace('_', " ").into(),
        report.processed.into(),
        report.error_count.into(),
    ]);
    sheet.print(Format::Table)?;
    if report.refused.is_empty() {
        return Ok(());
    }
    writeln!(Out, "\nRefused:")?;
    let mut sheet = Sheet::new(&[
        ("section", "Section"),
        ("supplier_gstin", "Supplier"),
        ("number", "Number"),
        ("code", "Code"),
        ("message", "Reason"),
    ]);
    for document in &report.refused {
        let texts = [&document.supplier_gstin, &document.number, &document.code, &document.message];
        sheet.row(
            [Value::from(document.section.as_str())]
                .into_iter()
                .chain(texts.map(|text| text.as_str().into()))
                .collect(),
        );
    }
    Ok(sheet.print(Format::Table)?)
}

/// A row for each refused document, and one for the job where there are none.
fn csv(id: &str, report: &JobReport) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("reference_id", ""),
        ("state", ""),
        ("processed", ""),
        ("errors", ""),
        ("section", ""),
        ("supplier_gstin", ""),
        ("number", ""),
        ("return_period", ""),
        ("code", ""),
        ("message", ""),
    ]);
    let job: [Value; 4] =
        [id.into(), state(report.state).into(), report.processed.into(), report.error_count.into()];
    let mut row = |cells: [Value; 6]| sheet.row(job.iter().cloned().chain(cells).collect());
    if report.refused.is_empty() {
        let none = || Value::Null;
        row([none(), none(), none(), none(), report.code.clone().into(), report.message.clone().into()]);
    }
    for document in &report.refused {
        row([
            document.section.as_str().into(),
            document.supplier_gstin.as_str().into(),
            document.number.as_str().into(),
            document.return_period.as_str().into(),
            document.code.as_str().into(),
            document.message.as_str().into(),
        ]);
    }
    Ok(sheet.print(Format::Csv)?)
}
