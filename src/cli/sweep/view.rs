//! Answers on standard output: as they come, or as a table at the end.

use std::io::{self, Write as _};

use serde_json::Value;

use super::{
    record::{Outcome, Record},
    tally::Tally,
};
use crate::cli::{
    arguments::Format,
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
    pub fn show(&mut self, record: &Record) -> Result<(), csv::Error> {
        if self.only_open && record.counts().is_some_and(|counts| counts.no_action() + counts.pending() == 0)
        {
            return Ok(());
        }
        match &mut self.to {
            To::Table => {}
            To::JsonLines => {
                let line = serde_json::to_string(record).map_err(io::Error::from)?;
                writeln!(Out, "{line}")?;
            }
            To::Csv(csv) => {
                csv.serialize(CsvRow::from(record))?;
                // Each line when it comes, for whoever reads along.
                csv.flush()?;
            }
        }
        Ok(())
    }

    pub fn finish(&self, tally: &Tally) -> Result<(), csv::Error> {
        let To::Table = self.to else { return Ok(()) };
        let mut sheet = Sheet::new(&[
            ("gstin", "GSTIN"),
            ("username", "User name"),
            ("no_action", "No action"),
            ("pending", "Pending"),
            ("accepted", "Accepted"),
            ("rejected", "Rejected"),
            ("total", "Total"),
            ("failed", "Failed"),
        ]);
        for ((gstin, username), row) in tally.by_urgency() {
            if self.only_open && !row.is_open() {
                continue;
            }
            let mut cells: Vec<Value> = vec![gstin.as_str().into(), username.as_str().into()];
            cells.extend(row.counts.as_ref().map(numbers).unwrap_or_default());
            cells.push(row.note().into());
            sheet.row(cells);
        }
        sheet.print(Format::Table)
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
            type_of_goods: record.type_of_goods.to_string(),
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
