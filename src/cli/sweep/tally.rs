//! What the answers of a sweep come to, by taxpayer and in all.

use std::{cmp::Reverse, collections::BTreeMap};

use sandbox_client::{
    ims::types::TypeOfGoods,
    values::{Gstin, StatusCounts},
};

use super::record::{Outcome, Record};
use crate::cli::problem::Problem;

/// A few numbers for each taxpayer.
#[derive(Default)]
pub struct Tally {
    rows: BTreeMap<(Gstin, String), Row>,
    pub calls: usize,
    failures: usize,
    without_session: usize,
    pub sums: StatusCounts,
    /// Failures that no OTP would mend, by reason.
    pub problems: BTreeMap<Reason, Vec<Failed>>,
}

/// One taxpayer.
#[derive(Default)]
pub struct Row {
    /// The sums of the answers; `None` where there is none.
    pub counts: Option<StatusCounts>,
    /// Groups of goods without an answer, and the kind of failure.
    pub failed: Vec<(TypeOfGoods, String)>,
    pub session_over: bool,
}

/// What failures are put together by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    pub kind: String,
    pub status: Option<u16>,
    pub code: Option<String>,
}

/// One failed call.
pub struct Failed {
    pub gstin: Gstin,
    pub type_of_goods: TypeOfGoods,
    pub transaction_id: Option<String>,
}

impl Row {
    /// Whether something is left to do, or may be.
    pub fn is_open(&self) -> bool {
        self.no_action() + self.pending() > 0 || !self.failed.is_empty()
    }

    /// Why the numbers are not there, or not all of them.
    pub fn note(&self) -> String {
        if self.session_over {
            return "a new OTP is needed".to_owned();
        }
        let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (goods, kind) in &self.failed {
            by_kind.entry(kind).or_default().push(goods.to_string());
        }
        let notes = by_kind.into_iter().map(|(kind, mut goods)| {
            if self.counts.is_none() && goods.len() == self.failed.len() {
                return format!("failed ({kind})");
            }
            // Answers come in any order.
            goods.sort_unstable();
            format!("failed ({kind}): {}", goods.join(", "))
        });
        notes.collect::<Vec<_>>().join("; ")
    }

    pub fn no_action(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.no_action)
    }

    pub fn pending(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.pending)
    }
}

impl Tally {
    pub fn add(&mut self, record: &Record) {
        self.calls += 1;
        let row = self.rows.entry((record.gstin, record.username.clone())).or_default();
        match &record.outcome {
            Outcome::Counts(counts) => {
                let counts = counts.by_status();
                *row.counts.get_or_insert_default() += &counts;
                self.sums += &counts;
            }
            Outcome::Error(problem) => {
                self.failures += 1;
                row.failed.push((record.type_of_goods, problem.kind.clone()));
                if problem.is_session_over() {
                    self.without_session += usize::from(!row.session_over);
                    row.session_over = true;
                } else {
                    self.problems.entry(reason(problem)).or_default().push(Failed {
                        gstin: record.gstin,
                        type_of_goods: record.type_of_goods,
                        transaction_id: problem.transaction_id.clone(),
                    });
                }
            }
        }
    }

    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Taxpayers, not calls, that need a new OTP.
    pub fn without_session(&self) -> usize {
        self.without_session
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&(Gstin, String), &Row)> {
        self.rows.iter()
    }

    /// What is most urgent first: without action, then pending, then what
    /// could not be asked.
    pub fn by_urgency(&self) -> Vec<(&(Gstin, String), &Row)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| {
            (Reverse(row.no_action()), Reverse(row.pending()), row.failed.is_empty())
        });
        rows
    }
}

fn reason(problem: &Problem) -> Reason {
    Reason { kind: problem.kind.clone(), status: problem.status, code: problem.code.clone() }
}
