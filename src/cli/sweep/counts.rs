//! Documents in the Invoice Management System, by status.

use sandbox_client::{
    ims::types::TypeOfGoods,
    values::{InvoiceCounts, StatusCounts},
};

use super::subject::{Column, Line, Number, Subject};
use crate::cli::{counts::numbers, output::text, problem::Problem};

pub struct Counts;

impl Subject for Counts {
    type Task = TypeOfGoods;
    type Answer = InvoiceCounts;
    type Numbers = StatusCounts;

    const TASK: &'static str = "type_of_goods";
    const ANSWER: &'static str = "counts";
    const TITLE: &'static str = "Invoices awaiting action";
    const NOTE: &'static str = "Failed";
    const COLUMNS: &'static [Column<StatusCounts>] = &[
        column("none", "No action", |counts| Number::Count(counts.no_action)),
        column("pending", "Pending", |counts| Number::Count(counts.pending)),
        column("accepted", "Accepted", |counts| Number::Count(counts.accepted)),
        column("rejected", "Rejected", |counts| Number::Count(counts.rejected)),
        Column {
            class: "",
            title: "Total",
            sum: "Documents",
            number: |counts| Number::Count(counts.total()),
        },
    ];
    const CSV: &'static [&'static str] =
        &["type_of_goods", "no_action", "pending", "accepted", "rejected", "total"];

    fn numbers(&self, _: &TypeOfGoods, answer: &InvoiceCounts) -> StatusCounts {
        answer.by_status()
    }

    fn open(numbers: &StatusCounts) -> (u64, u64) {
        (numbers.no_action, numbers.pending)
    }

    fn lines(&self, task: &TypeOfGoods, outcome: Result<&InvoiceCounts, &Problem>) -> Vec<Line> {
        let numbers = outcome.map_or_else(|_| Default::default(), |counts| numbers(&counts.by_status()));
        let cells = [task.to_string()].into_iter().chain(numbers.iter().map(text)).collect();
        vec![Line { cells, open: true }]
    }

    fn transaction_id(answer: &InvoiceCounts) -> Option<&str> {
        answer.transaction_id.as_deref()
    }

    fn summary(sums: &StatusCounts) -> String {
        let number = Number::Count;
        format!(
            "{} documents: {} without action, {} pending, {} accepted, {} rejected.",
            number(sums.total()),
            number(sums.no_action),
            number(sums.pending),
            number(sums.accepted),
            number(sums.rejected)
        )
    }
}

/// A status, with the same title everywhere.
pub const fn column<N>(class: &'static str, title: &'static str, number: fn(&N) -> Number) -> Column<N> {
    Column { class, title, sum: title, number }
}
