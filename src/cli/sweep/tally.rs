//! What the answers of a sweep come to, by taxpayer and in all.

use std::{cmp::Reverse, collections::BTreeMap};

use sandbox_client::values::Gstin;

use super::{record::Record, subject::Subject};
use crate::cli::problem::Problem;

/// A few numbers for each taxpayer.
pub struct Tally<S: Subject> {
    rows: BTreeMap<(Gstin, String), Row<S>>,
    pub calls: usize,
    failures: usize,
    not_ready: usize,
    without_session: usize,
    pub sums: S::Numbers,
    /// Failures that no OTP would mend, by reason.
    pub problems: BTreeMap<Reason, Vec<Failed>>,
}

/// One taxpayer.
pub struct Row<S: Subject> {
    /// The sums of the answers; `None` where there is none.
    pub numbers: Option<S::Numbers>,
    /// Tasks without an answer, and the kind of failure.
    pub failed: Vec<(String, String)>,
    /// Tasks that GSTN is still at.
    pub not_ready: Vec<String>,
    /// What the answers lack.
    pub missing: Vec<String>,
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
    pub task: String,
    pub transaction_id: Option<String>,
}

impl<S: Subject> Default for Row<S> {
    fn default() -> Self {
        Self {
            numbers: None,
            failed: Vec::new(),
            not_ready: Vec::new(),
            missing: Vec::new(),
            session_over: false,
        }
    }
}

impl<S: Subject> Row<S> {
    /// Whether something is left to do, or may be.
    pub fn is_open(&self) -> bool {
        self.open() != (0, 0) || !self.is_complete()
    }

    /// Why the numbers are not there, or not all of them.
    pub fn note(&self) -> String {
        if self.session_over {
            return "a new OTP is needed".to_owned();
        }
        let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (task, kind) in &self.failed {
            by_kind.entry(kind).or_default().push(task.clone());
        }
        let failed = by_kind.into_iter().map(|(kind, tasks)| {
            let all = tasks.len() == self.failed.len() && self.not_ready.is_empty();
            self.without(&format!("failed ({kind})"), tasks, all)
        });
        let waiting = (!self.not_ready.is_empty()).then(|| {
            let all = self.failed.is_empty();
            self.without(&S::NOT_READY.to_lowercase(), self.not_ready.clone(), all)
        });
        let missing = (!self.missing.is_empty()).then(|| self.missing.join(", "));
        missing.into_iter().chain(waiting).chain(failed).collect::<Vec<_>>().join("; ")
    }

    /// A reason with its tasks, unless it is that of all.
    fn without(&self, reason: &str, mut tasks: Vec<String>, all: bool) -> String {
        if all && self.numbers.is_none() {
            return reason.to_owned();
        }
        // Answers come in any order.
        tasks.sort_unstable();
        format!("{reason}: {}", tasks.join(", "))
    }

    fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_ready.is_empty()
    }

    fn open(&self) -> (u64, u64) {
        self.numbers.as_ref().map_or((0, 0), S::open)
    }
}

impl<S: Subject> Tally<S> {
    pub fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            calls: 0,
            failures: 0,
            not_ready: 0,
            without_session: 0,
            sums: S::Numbers::default(),
            problems: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, record: &Record<S>, subject: &S) {
        self.calls += 1;
        let gstin = record.taxpayer.gstin;
        let row = self.rows.entry((gstin, record.taxpayer.username.clone())).or_default();
        let problem = match &record.outcome {
            Ok(answer) => {
                let numbers = subject.numbers(&record.task, answer);
                *row.numbers.get_or_insert_default() += &numbers;
                self.sums += &numbers;
                row.missing.extend(subject.missing(&record.task, answer));
                return;
            }
            Err(problem) => problem,
        };
        if problem.not_ready {
            self.not_ready += 1;
            row.not_ready.push(record.task.to_string());
            return;
        }
        self.failures += 1;
        row.failed.push((record.task.to_string(), problem.kind.clone()));
        if problem.is_session_over() {
            self.without_session += usize::from(!row.session_over);
            row.session_over = true;
        } else {
            self.problems.entry(reason(problem)).or_default().push(Failed {
                gstin,
                task: record.task.to_string(),
                transaction_id: problem.transaction_id.clone(),
            });
        }
    }

    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Calls that GSTN is still at, which are no failures.
    pub fn not_ready(&self) -> usize {
        self.not_ready
    }

    /// Taxpayers, not calls, that need a new OTP.
    pub fn without_session(&self) -> usize {
        self.without_session
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&(Gstin, String), &Row<S>)> {
        self.rows.iter()
    }

    /// What is most urgent first, then what could not be asked.
    pub fn by_urgency(&self) -> Vec<(&(Gstin, String), &Row<S>)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| (Reverse(row.open()), row.is_complete()));
        rows
    }
}

fn reason(problem: &Problem) -> Reason {
    Reason { kind: problem.kind.clone(), status: problem.status, code: problem.code.clone() }
}
