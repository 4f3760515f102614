//! What the GSTR-2B of each taxpayer comes to.

use std::ops::AddAssign;

use clap::Args;
use sandbox_client::{
    CreditInPeriod, CreditTotals,
    values::{Amount, ProviderDate, ReturnPeriod},
};

use super::{
    counts::column,
    subject::{Column, Line, Number, Subject},
};
use crate::cli::problem::Problem;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The period
    #[arg(long, value_name = "MMYYYY")]
    pub period: ReturnPeriod,
}

pub struct Gstr2b;

/// In rupees, all taxes together.
#[derive(Default)]
pub struct Sums {
    available: Amount,
    credit_notes: Amount,
    not_available: Amount,
    documents: u64,
}

impl AddAssign<&Self> for Sums {
    fn add_assign(&mut self, more: &Self) {
        self.available = self.available.saturating_add(more.available);
        self.credit_notes = self.credit_notes.saturating_add(more.credit_notes);
        self.not_available = self.not_available.saturating_add(more.not_available);
        self.documents = self.documents.saturating_add(more.documents);
    }
}

impl Subject for Gstr2b {
    type Task = CreditInPeriod;
    type Answer = CreditTotals;
    type Numbers = Sums;

    const TASK: &'static str = "gstr_2b";
    const ANSWER: &'static str = "credit";
    const TITLE: &'static str = "Input tax credit by GSTR-2B";
    const NOTE: &'static str = "Note";
    const NOT_READY: &'static str = "Not generated yet";
    const COLUMNS: &'static [Column<Sums>] = &[
        column("accepted", "Available", |sums| Number::Rupees(sums.available)),
        column("pending", "Credit notes", |sums| Number::Rupees(sums.credit_notes)),
        column("rejected", "Not available", |sums| Number::Rupees(sums.not_available)),
        column("", "Documents", |sums| Number::Count(sums.documents)),
    ];
    const CSV: &'static [&'static str] = &[
        "period",
        "status",
        "available_igst",
        "available_cgst",
        "available_sgst",
        "available_cess",
        "credit_notes_igst",
        "credit_notes_cgst",
        "credit_notes_sgst",
        "credit_notes_cess",
        "not_available_igst",
        "not_available_cgst",
        "not_available_sgst",
        "not_available_cess",
        "documents",
        "generated",
    ];

    fn numbers(&self, _: &CreditInPeriod, answer: &CreditTotals) -> Sums {
        Sums {
            available: answer.available.total(),
            credit_notes: answer.credit_notes.total(),
            not_available: answer.not_available.total(),
            documents: answer.documents.unwrap_or_default(),
        }
    }

    /// What is generated leaves nothing to do.
    fn open(_: &Sums) -> (u64, u64) {
        (0, 0)
    }

    fn lines(&self, task: &CreditInPeriod, outcome: Result<&CreditTotals, &Problem>) -> Vec<Line> {
        let status = match outcome {
            Ok(_) => "generated",
            Err(problem) if problem.not_ready => "not generated",
            Err(_) => "",
        };
        let mut cells = vec![task.to_string(), status.to_owned()];
        if let Ok(totals) = outcome {
            for credit in [totals.available, totals.credit_notes, totals.not_available] {
                let taxes = [credit.igst, credit.cgst, credit.sgst, credit.cess];
                cells.extend(taxes.map(|tax| tax.to_string()));
            }
            cells.push(totals.documents.map(|documents| documents.to_string()).unwrap_or_default());
            cells.push(totals.generated.as_ref().map(ProviderDate::as_str).unwrap_or_default().to_owned());
        }
        cells.resize(Self::CSV.len(), String::new());
        vec![Line { cells, open: true }]
    }

    fn summary(sums: &Sums) -> String {
        let [available, notes, not_available] =
            [sums.available, sums.credit_notes, sums.not_available].map(Number::Rupees);
        format!(
            "{} documents: credit of {available} available, less {notes} by credit notes; \
             {not_available} not available.",
            Number::Count(sums.documents)
        )
    }
}
