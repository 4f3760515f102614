//! Jobs at GSTN: waiting for them, and their reports.

use std::io::Write as _;

use clap::Args;
use sandbox_client::{BatchReport, Error, ErrorKind, Job, JobReport, JobState, RefusedDocument, ReturnError};
use serde_json::{Value, json};

use super::{
    arguments::Format,
    confirm::SendOptions,
    connection::Connection,
    failure::{Exit, Failure},
    output::{Out, Sheet, print_json, strip_controls},
};

/// How long GSTN's work is waited for.
#[derive(Debug, Args)]
pub struct Waiting {
    /// Do not wait: print the reference id after sending, or the state of the job
    #[arg(long)]
    pub no_wait: bool,
    /// Longest time to wait for the job
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub timeout: u16,
}

/// A failure of sending, with what to do if the request may have been processed.
pub fn not_sent(error: Error, advice: &str) -> Failure {
    let arrived = error.maybe_processed();
    let failure = Failure::from(error);
    if arrived { failure.hint(advice) } else { failure }
}

/// Waits for a job that was just sent, unless nobody wants to.
pub async fn after_sending(
    connection: &Connection,
    job: Job,
    send_options: &SendOptions,
    format: Format,
    command: &str,
) -> Result<(), Failure> {
    if !send_options.waiting.no_wait {
        return follow(connection, job, &send_options.waiting, format, command).await;
    }
    let id = job.reference_id();
    match format {
        Format::Table => writeln!(Out, "{}", strip_controls(id))?,
        Format::Json => print_json(&json!({ "reference_id": id }))?,
        Format::Csv => {
            let mut sheet = Sheet::new(&[("reference_id", "")]);
            sheet.row(vec![id.into()]);
            sheet.print(format)?;
        }
    }
    eprintln!("Follow it with: sandbox {command} {id}");
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
        eprintln!("{}", patience(waiting.timeout));
        let waited = job.polling(connection.polling(waiting.timeout)).wait().await;
        waited.map_err(|error| match error.kind() {
            // Out of patience: the job is there still.
            ErrorKind::Timeout => {
                Failure::from(error).hint(format!("Check again with: sandbox {command} {id}"))
            }
            _ => error.into(),
        })?
    };
    show(&[(&id, &report)], format)?;
    outcome(&report)
}

/// What is said before a job is waited for.
pub fn patience(minutes: u16) -> String {
    format!("Waiting for GSTN, at most {minutes} min. Ctrl-C stops the waiting, not the job.")
}

/// Shows the outcome of a batch, and ends with it.
pub fn of_batch(batch: BatchReport, format: Format) -> Result<(), Failure> {
    let done: Vec<_> =
        batch.jobs.iter().filter_map(|job| Some((job.reference_id.as_str(), job.report.as_ref()?))).collect();
    if !done.is_empty() {
        show(&done, format)?;
    }
    let Some(error) = batch.error else { return outcome(&batch.total()) };
    let mut hint = Vec::new();
    if let Some(job) = batch.jobs.iter().find(|job| job.report.is_none()) {
        hint.push(format!("Check again with: sandbox invoices job {}", job.reference_id));
    }
    if batch.not_sent > 0 {
        let arrived = if error.maybe_processed() { ", or may have been processed" } else { "" };
        hint.push(format!(
            "{} of the documents were not sent{arrived}. List the invoices before you send again.",
            batch.not_sent
        ));
    }
    Err(Failure::from(error).hint(hint.join("\n")))
}

fn outcome(report: &JobReport) -> Result<(), Failure> {
    match report.state {
        JobState::ProcessedWithErrors => {
            let refused = report.error_count.unwrap_or((report.refused.len() + report.errors.len()) as u64);
            // Of a return, an error may be of a table as a whole.
            let text = match report.errors.len() {
                0 => format!("GSTN refused {refused} of the documents"),
                1 => "GSTN found 1 error".to_owned(),
                many => format!("GSTN found {many} errors"),
            };
            let failure = Failure::new(Exit::Partial, text);
            let advice = advice(&report.refused);
            Err(if advice.is_empty() { failure } else { failure.hint(advice.join("\n")) })
        }
        JobState::Failed => {
            let reason = report.message.as_deref().unwrap_or("no reason was given");
            let code = report.code.as_deref().unwrap_or("none");
            let transaction = report.transaction_id.as_deref().unwrap_or("unknown");
            let text =
                format!("GSTN refused the whole job: {reason} (code {code}, transaction {transaction})");
            Err(Failure::new(Exit::Other, strip_controls(&text)))
        }
        JobState::Unknown => {
            let status = report.status.as_ref().map_or("none", |status| status.as_str());
            let text = format!("the job has a status that this version does not know: {status}");
            Err(Failure::new(Exit::Other, strip_controls(&text))
                .hint("List the documents to see their status."))
        }
        _ => Ok(()),
    }
}

/// What to do about the codes that documents were refused with.
fn advice(refused: &[RefusedDocument]) -> Vec<&'static str> {
    const ADVICE: [(&str, &str); 2] = [
        (
            "IMSSAV0010",
            "IMSSAV0010: list them again; their status has changed since, or the supplier amended them.",
        ),
        (
            "IMSSAV0054",
            "IMSSAV0054: accept them with --itc-reduction full, or none if no credit was claimed.",
        ),
    ];
    let named = |code: &str| refused.iter().any(|document| document.code == code);
    ADVICE.iter().filter(|(code, _)| named(code)).map(|(_, advice)| *advice).collect()
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

/// One job, or those of a batch in their order.
type Jobs<'a> = [(&'a str, &'a JobReport)];

fn show(jobs: &Jobs, format: Format) -> Result<(), Failure> {
    match (format, jobs) {
        (Format::Table, _) => table(jobs),
        (Format::Csv, _) => csv(jobs),
        (Format::Json, [(id, report)]) => Ok(print_json(&json(id, report))?),
        (Format::Json, _) => {
            let jobs: Vec<_> = jobs.iter().map(|(id, report)| json(id, report)).collect();
            Ok(print_json(&json!({ "jobs": jobs }))?)
        }
    }
}

fn json(id: &str, report: &JobReport) -> Value {
    let mut json = json!({
        "reference_id": id,
        "state": state(report.state),
        "status": report.status,
        "processed": report.processed,
        "errors": report.error_count,
        "code": report.code,
        "message": report.message,
        "transaction_id": report.transaction_id,
        "refused": report.refused.iter().map(refused).collect::<Vec<_>>(),
    });
    if !report.errors.is_empty() {
        json["return_errors"] = report.errors.iter().map(error).collect();
    }
    json
}

/// With the record that was sent: a return has no other name for it.
fn error(error: &ReturnError) -> Value {
    json!({
        "section": error.section,
        "code": error.code,
        "message": error.message,
        "record": error.record,
    })
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

fn table(jobs: &Jobs) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("reference_id", "Job"),
        ("state", "State"),
        ("processed", "Processed"),
        ("errors", "Errors"),
    ]);
    for (id, report) in jobs {
        sheet.row(vec![
            (*id).into(),
            state(report.state).replace('_', " ").into(),
            report.processed.into(),
            report.error_count.into(),
        ]);
    }
    sheet.print(Format::Table)?;
    if jobs.iter().all(|(_, report)| report.refused.is_empty() && report.errors.is_empty()) {
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
    for document in jobs.iter().flat_map(|(_, report)| &report.refused) {
        let texts = [&document.supplier_gstin, &document.number, &document.code, &document.message];
        sheet.row(
            [Value::from(document.section.as_str())]
                .into_iter()
                .chain(texts.map(|text| text.as_str().into()))
                .collect(),
        );
    }
    for error in jobs.iter().flat_map(|(_, report)| &report.errors) {
        let none = || Value::Null;
        let (code, message) = (error.code.as_str().into(), error.message.as_str().into());
        sheet.row(vec![error.section.clone().into(), none(), none(), code, message]);
    }
    Ok(sheet.print(Format::Table)?)
}

/// A row for each refused document and each error of a return, and one for a job that has none.
fn csv(jobs: &Jobs) -> Result<(), Failure> {
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
    for (id, report) in jobs {
        let job: [Value; 4] =
            [(*id).into(), state(report.state).into(), report.processed.into(), report.error_count.into()];
        let mut row = |cells: [Value; 6]| sheet.row(job.iter().cloned().chain(cells).collect());
        let none = || Value::Null;
        for error in &report.errors {
            let (code, message) = (error.code.as_str().into(), error.message.as_str().into());
            row([error.section.clone().into(), none(), none(), none(), code, message]);
        }
        if report.refused.is_empty() && report.errors.is_empty() {
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
    }
    Ok(sheet.print(Format::Csv)?)
}
