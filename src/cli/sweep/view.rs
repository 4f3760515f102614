//! Answers on standard output: as they come, or as a table at the end.

use std::{
    io::{self, Write as _},
    iter,
};

use serde_json::Value;

use super::{
    record::Record,
    subject::{Number, Subject},
    tally::Tally,
};
use crate::cli::{
    arguments::Format,
    output::{Out, Sheet, guarded},
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
    pub fn new<S: Subject>(format: Format, only_open: bool) -> Result<Self, csv::Error> {
        let to = match format {
            Format::Table => To::Table,
            Format::Json => To::JsonLines,
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(Out);
                let head = ["gstin", "username"].iter().chain(S::CSV);
                csv.write_record(head.chain(&["error", "message", "transaction_id"]))?;
                csv.flush()?;
                To::Csv(Box::new(csv))
            }
        };
        Ok(Self { only_open, to })
    }

    /// What has failed is shown with `--only-open` too: it may be open.
    pub fn show<S: Subject>(&mut self, record: &Record<S>, subject: &S) -> Result<(), csv::Error> {
        let is_closed = |answer| S::open(&subject.numbers(&record.task, answer)) == (0, 0);
        if self.only_open && record.outcome.as_ref().is_ok_and(is_closed) {
            return Ok(());
        }
        match &mut self.to {
            To::Table => {}
            To::JsonLines => {
                let line = serde_json::to_string(record).map_err(io::Error::from)?;
                writeln!(Out, "{line}")?;
            }
            To::Csv(csv) => {
                let problem = record.outcome.as_ref().err();
                let transaction_id = match &record.outcome {
                    Ok(answer) => S::transaction_id(answer),
                    Err(problem) => problem.transaction_id.as_deref(),
                };
                let (error, message) = problem.map_or(("", ""), |problem| (problem.word(), &problem.message));
                for line in subject.lines(&record.task, record.outcome.as_ref()) {
                    if self.only_open && !line.open {
                        continue;
                    }
                    let whose = [record.taxpayer.gstin.to_string(), record.taxpayer.username.clone()];
                    let cells = whose.into_iter().chain(line.cells);
                    let end = [error, message, transaction_id.unwrap_or_default()].map(str::to_owned);
                    csv.write_record(cells.chain(end).map(guarded))?;
                }
                // Each line when it comes, for whoever reads along.
                csv.flush()?;
            }
        }
        Ok(())
    }

    pub fn finish<S: Subject>(&self, tally: &Tally<S>) -> Result<(), csv::Error> {
        let To::Table = self.to else { return Ok(()) };
        let titles = ["GSTIN", "User name"].into_iter();
        let titles: Vec<_> =
            titles.chain(S::COLUMNS.iter().map(|column| column.title)).chain([S::NOTE]).collect();
        let columns: Vec<_> = titles.iter().map(|title| (*title, *title)).collect();
        let amounts: Vec<_> = S::COLUMNS
            .iter()
            .filter(|column| matches!((column.number)(&S::Numbers::default()), Number::Rupees(_)))
            .map(|column| column.title)
            .collect();
        let mut sheet = Sheet::new(&columns).amounts(&amounts);
        for ((gstin, username), row) in tally.by_urgency() {
            if self.only_open && !row.is_open() {
                continue;
            }
            let number = |number: Number| match number {
                Number::Count(count) => Value::from(count),
                amount @ Number::Rupees(_) => amount.plain().into(),
            };
            let numbers = S::COLUMNS
                .iter()
                .map(|column| row.numbers.as_ref().map(|numbers| number((column.number)(numbers))).into());
            let whose = [gstin.as_str(), username.as_str()].map(Value::from);
            sheet.row(whose.into_iter().chain(numbers).chain(iter::once(row.note().into())).collect());
        }
        sheet.print(Format::Table)
    }
}
