//! What the answers of a sweep come to, by taxpayer and in all.

use std::{cmp::Reverse, collections::BTreeMap};

use sandbox_client::values::{Gstin, StatusCounts};

use super::{
    record::{Outcome, Record, Task},
    subject::Subject,
};
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
    /// Tasks without an answer, and the kind of failure.
    pub failed: Vec<(Task, String)>,
    /// Returns that are not filed, by name.
    pub not_filed: Vec<String>,
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
    pub task: Task,
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
        for (task, kind) in &self.failed {
            by_kind.entry(kind).or_default().push(task.to_string());
        }
        let notes = by_kind.into_iter().map(|(kind, mut tasks)| {
            if self.counts.is_none() && tasks.len() == self.failed.len() {
                return format!("failed ({kind})");
            }
            // Answers come in any order.
            tasks.sort_unstable();
            format!("failed ({kind}): {}", tasks.join(", "))
        });
        let missing = (!self.not_filed.is_empty()).then(|| self.not_filed.join(", "));
        missing.into_iter().chain(notes).collect::<Vec<_>>().join("; ")
    }

    pub fn no_action(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.no_action)
    }

    pub fn pending(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.pending)
    }
}

impl Tally {
    pub fn add(&mut self, record: &Record, subject: &Subject) {
        self.calls += 1;
        let row = self.rows.entry((record.gstin, record.username.clone())).or_default();
        if let Some(counts) = subject.counts(record) {
            *row.counts.get_or_insert_default() += &counts;
            self.sums += &counts;
        }
        row.not_filed.extend(subject.not_filed(record));
        match &record.outcome {
            Outcome::Counts(_) | Outcome::Filed(_) => {}
            Outcome::Error(problem) => {
                self.failures += 1;
                row.failed.push((record.task, problem.kind.clone()));
                if problem.is_session_over() {
                    self.without_session += usize::from(!row.session_over);
                    row.session_over = true;
                } else {
                    self.problems.entry(reason(problem)).or_default().push(Failed {
                        gstin: record.gstin,
                        task: record.task,
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
