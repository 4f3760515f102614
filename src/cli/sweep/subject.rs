//! What a sweep is about: what it asks, and how an answer becomes numbers and rows.
//!
//! A further subject is a file with one implementation, beside `counts.rs`,
//! `returns.rs` and `gstr_2b.rs`, and a subcommand.

use std::{
    fmt::{self, Debug},
    ops::AddAssign,
};

use sandbox_client::{SweepTask, values::Amount};
use serde::{Serialize, de::DeserializeOwned};

use crate::cli::{output::grouped, problem::Problem};

pub trait Subject {
    type Task: SweepTask<Output = Self::Answer>;
    type Answer: Serialize + DeserializeOwned + Clone + Debug + Send + 'static;
    /// What is added up by taxpayer and in all.
    type Numbers: Default + for<'a> AddAssign<&'a Self::Numbers> + 'static;

    /// The member of a line of JSON that has the task. Each subject has its own, which
    /// keeps them apart in a checkpoint.
    const TASK: &'static str;
    /// The member that has the answer.
    const ANSWER: &'static str;
    const TITLE: &'static str;
    /// The title of the column that says what is missing.
    const NOTE: &'static str;
    /// What it means that GSTN is still at the answer.
    const NOT_READY: &'static str = "Not ready yet";
    /// The most urgent first.
    const COLUMNS: &'static [Column<Self::Numbers>];
    /// Columns of CSV, between the user name and the error.
    const CSV: &'static [&'static str];

    fn numbers(&self, task: &Self::Task, answer: &Self::Answer) -> Self::Numbers;

    /// How much is left to do for a taxpayer: first by the one, then by the other.
    fn open(numbers: &Self::Numbers) -> (u64, u64);

    /// What the answer lacks, for a list by taxpayer.
    fn missing(&self, _task: &Self::Task, _answer: &Self::Answer) -> Vec<String> {
        Vec::new()
    }

    /// The title of that list.
    const MISSING: &'static str = "";

    /// Lines of CSV: one at least, also where there is no answer.
    fn lines(&self, task: &Self::Task, outcome: Result<&Self::Answer, &Problem>) -> Vec<Line>;

    fn transaction_id(_answer: &Self::Answer) -> Option<&str> {
        None
    }

    /// A sentence with the sums.
    fn summary(sums: &Self::Numbers) -> String;
}

/// A line of CSV.
pub struct Line {
    pub cells: Vec<String>,
    /// Whether `--only-open` shows it.
    pub open: bool,
}

/// Numbers of one kind.
pub struct Column<N> {
    /// Its class on the page; those that have one are shares of the bar.
    pub class: &'static str,
    pub title: &'static str,
    /// The title of its sum.
    pub sum: &'static str,
    pub number: fn(&N) -> Number,
}

/// A number for people.
pub enum Number {
    Count(u64),
    Rupees(Amount),
}

impl Number {
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Count(count) => *count == 0,
            Self::Rupees(amount) => *amount == Amount::ZERO,
        }
    }

    /// Without groups, for programs.
    pub fn plain(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Rupees(amount) => format!("{amount:.2}"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(&self.plain()))
    }
}
