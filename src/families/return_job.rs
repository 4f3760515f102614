//! Jobs on returns: the outcome of a save, a reset or a proceeding.

use serde_json::Value;

use super::job::{JobReport, JobState, ReturnError, Unread, present, state};
use crate::{
    Error,
    client::ClientState,
    returns_common,
    values::{JobStatus, ReturnPeriod},
};

/// Fetches the status of a job once.
pub(super) async fn report(
    client: &ClientState,
    period: ReturnPeriod,
    reference_id: &str,
) -> Result<JobReport, Error> {
    let api = returns_common::SessionApi { state: client.clone() };
    let answer = api.get_return_status().year(period).month(period).reference_id(reference_id).send().await?;
    let transaction_id = answer.transaction_id().map(str::to_owned);
    let unread = Unread::of(&answer);
    let report = answer.into_inner();
    let status = report.status_cd.as_ref().map(|status| JobStatus::from(status.as_str()));
    let errors: Vec<_> = report.error_report.map(|report| errors(&report.0)).unwrap_or_default();
    let whole = errors.iter().find(|error| error.section.is_none());
    Ok(unread.told_by(JobReport {
        state: match &status {
            Some(JobStatus::P) if errors.is_empty() => JobState::Processed,
            Some(JobStatus::P | JobStatus::Success) if !errors.is_empty() => JobState::ProcessedWithErrors,
            other => state(other.as_ref()),
        },
        status,
        processed: None,
        error_count: None,
        refused: Vec::new(),
        code: whole.and_then(|error| present(Some(error.code.clone()))),
        message: whole.and_then(|error| present(Some(error.message.clone()))),
        errors,
        transaction_id,
    }))
}

/// A code and a text if the whole return is refused; else records with a code
/// and a text inside each section, at whatever depth.
fn errors(report: &serde_json::Map<String, Value>) -> Vec<ReturnError> {
    if report.contains_key("error_cd") || report.contains_key("error_msg") {
        return vec![error(None, &Value::Object(report.clone()))];
    }
    let mut found = Vec::new();
    for (section, entries) in report.iter().filter(|(_, entries)| !entries.is_null()) {
        let before = found.len();
        collect(section, entries, &mut found);
        if found.len() == before {
            // Of another form: told as received, and not lost.
            found.push(error(Some(section), entries));
        }
    }
    found
}

fn collect(section: &str, entry: &Value, found: &mut Vec<ReturnError>) {
    match entry {
        Value::Object(members) if members.contains_key("error_cd") || members.contains_key("error_msg") => {
            found.push(error(Some(section), entry));
        }
        Value::Object(members) => members.values().for_each(|member| collect(section, member, found)),
        Value::Array(entries) => entries.iter().for_each(|entry| collect(section, entry, found)),
        _ => {}
    }
}

fn error(section: Option<&str>, entry: &Value) -> ReturnError {
    let text = |name: &str| match &entry[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    ReturnError {
        section: section.map(str::to_owned),
        code: text("error_cd"),
        message: text("error_msg"),
        record: entry.clone(),
    }
}
