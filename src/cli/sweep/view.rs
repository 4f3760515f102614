//! Answers on standard output: as they come, or as a table at the end.

use std::io::{self, Write as _};

use sandbox_client::{
    filing::FilingOutcome,
    values::{ProviderDate, StatusCounts},
};
use serde_json::Value;

use super::{
    record::{Outcome, Record},
    subject::Subject,
    tally::Tally,
};
use crate::cli::{
    arguments::{Format, ReturnName},
    counts::numbers,
    output::{Out, Sheet, guarded, text},
};

pub struct View {
    only_open: bool,
    to: To,
}

enum To {
    Table,
    JsonLines,
    Csv(Box<csv::Writer<Out>>),
}

impl View {
    pub fn new(format: Format, only_open: bool) -> Self {
        let to = match format {
            Format::Table => To::Table,
            Format::Json => To::JsonLines,
            Format::Csv => To::Csv(Box::new(csv::Writer::from_writer(Out))),
        };
        Self { only_open, to }
    }

    /// What has failed is shown with `--only-open` too: it may be open.
    pub fn show(&mut self, record: &Record, subject: &Subject) -> Result<(), csv::Error> {
        let closed = |counts: StatusCounts| counts.no_action + counts.pending == 0;
        if self.only_open && subject.counts(record).is_some_and(closed) {
            return Ok(());
        }
        match &mut self.to {
            To::Table => {}
            To::JsonLines => {
                let line = serde_json::to_string(record).map_err(io::Error::from)?;
                writeln!(Out, "{line}")?;
            }
            To::Csv(csv) => {
                match subject {
                    Subject::Invoices => csv.serialize(CsvRow::from(record))?,
                    Subject::Returns(expected) => match subject.filings(record) {
                        Some(filings) => {
                            for (name, outcome) in filings {
                                let is_filed = matches!(outcome, FilingOutcome::Filed { .. });
                                if !(self.only_open && is_filed) {
                                    csv.serialize(FilingRow::of(record, *name, Some(outcome)))?;
                                }
                            }
                        }
                        None => {
                            for name in expected {
                                csv.serialize(FilingRow::of(record, *name, None))?;
                            }
                        }
                    },
                }
                // Each line when it comes, for whoever reads along.
                csv.flush()?;
            }
        }
        Ok(())
    }

    pub fn finish(&self, tally: &Tally, subject: &Subject) -> Result<(), csv::Error> {
        let To::Table = self.to else { return Ok(()) };
        let mut columns = vec![("gstin", "GSTIN"), ("username", "User name")];
        columns.extend(subject.statuses().iter().map(|(name, title, _)| (*name, *title)));
        columns.extend([("total", "Total"), ("note", subject.note())]);
        let mut sheet = Sheet::new(&columns);
        for ((gstin, username), row) in tally.by_urgency() {
            if self.only_open && !row.is_open() {
                continue;
            }
            let mut cells: Vec<Value> = vec![gstin.as_str().into(), username.as_str().into()];
            let mut number =
                |of: &dyn Fn(&StatusCounts) -> u64| cells.push(row.counts.as_ref().map(of).into());
            for (_, _, status) in subject.statuses() {
                number(status);
            }
            number(&StatusCounts::total);
            cells.push(row.note().into());
            sheet.row(cells);
        }
        sheet.print(Format::Table)
    }
}

/// One return of one taxpayer; of one who was not answered, a row that says why.
#[derive(serde::Serialize)]
struct FilingRow<'a> {
    gstin: &'a str,
    username: String,
    period: String,
    return_type: &'a str,
    /// `filed`, `not filed`, `unknown`, or nothing where there is no answer.
    status: &'a str,
    date: String,
    arn: String,
    error: &'a str,
    message: String,
    transaction_id: String,
}

impl<'a> FilingRow<'a> {
    fn of(record: &'a Record, name: ReturnName, outcome: Option<FilingOutcome>) -> Self {
        let (status, arn, date) = match outcome {
            None => ("", None, None),
            Some(FilingOutcome::Filed { arn, date }) => ("filed", Some(arn), date),
            Some(FilingOutcome::NotFiled) => ("not filed", None, None),
            Some(_) => ("unknown", None, None),
        };
        let problem = match &record.outcome {
            Outcome::Error(problem) => Some(problem),
            _ => None,
        };
        let cell = |text: Option<&str>| guarded(text.unwrap_or_default().to_owned());
        Self {
            gstin: record.gstin.as_str(),
            username: cell(Some(&record.username)),
            period: record.task.to_string(),
            return_type: name.as_str(),
            status,
            date: cell(date.as_ref().map(ProviderDate::as_str)),
            arn: cell(arn.as_deref()),
            error: problem.map_or("", |problem| &problem.kind),
            message: cell(problem.map(|problem| problem.message.as_str())),
            transaction_id: cell(problem.and_then(|problem| problem.transaction_id.as_deref())),
        }
    }
}

#[derive(serde::Serialize)]
struct CsvRow<'a> {
    gstin: &'a str,
    username: String,
    type_of_goods: String,
    no_action: String,
    pending: String,
    accepted: String,
    rejected: String,
    total: String,
    error: &'a str,
    message: String,
    transaction_id: String,
}

impl<'a> From<&'a Record> for CsvRow<'a> {
    fn from(record: &'a Record) -> Self {
        let (counts, problem) = match &record.outcome {
            Outcome::Counts(counts) => (Some(counts), None),
            Outcome::Error(problem) => (None, Some(problem)),
            Outcome::Filed(_) => (None, None),
        };
        let numbers = counts.map(|counts| numbers(&counts.by_status()));
        let [no_action, pending, accepted, rejected, total] = numbers.unwrap_or_default().map(|n| text(&n));
        let transaction_id = match problem {
            Some(problem) => problem.transaction_id.as_deref(),
            None => counts.and_then(|counts| counts.transaction_id.as_deref()),
        };
        Self {
            gstin: record.gstin.as_str(),
            username: guarded(record.username.clone()),
            type_of_goods: record.task.to_string(),
            no_action,
            pending,
            accepted,
            rejected,
            total,
            error: problem.map_or("", |problem| &problem.kind),
            message: guarded(problem.map_or_else(String::new, |problem| problem.message.clone())),
            transaction_id: guarded(transaction_id.unwrap_or_default().to_owned()),
        }
    }
}
