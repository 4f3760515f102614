//! Which returns of a period are filed.

use clap::{Args, ValueEnum};
use sandbox_client::{
    FiledInPeriod,
    filing::FilingOutcome,
    public::types::FiledReturn,
    values::{ProviderDate, ReturnPeriod, ReturnType, StatusCounts},
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
    /// Which returns must be filed
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "RETURNS",
        default_values = ["gstr-1", "gstr-3b"]
    )]
    return_type: Vec<ReturnName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReturnName {
    #[value(name = "gstr-1")]
    Gstr1,
    #[value(name = "gstr-3b")]
    Gstr3b,
    #[value(name = "gstr-9")]
    Gstr9,
}

impl ReturnName {
    fn return_type(self) -> ReturnType {
        match self {
            Self::Gstr1 => ReturnType::Gstr1,
            Self::Gstr3b => ReturnType::Gstr3b,
            Self::Gstr9 => ReturnType::Gstr9,
        }
    }

    /// As an argument has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Gstr1 => "gstr-1",
            Self::Gstr3b => "gstr-3b",
            Self::Gstr9 => "gstr-9",
        }
    }
}

/// The returns that must be filed, each once.
pub struct Returns(Vec<ReturnName>);

impl From<&Arguments> for Returns {
    fn from(arguments: &Arguments) -> Self {
        let mut expected = Vec::new();
        for name in &arguments.return_type {
            if !expected.contains(name) {
                expected.push(*name);
            }
        }
        Self(expected)
    }
}

impl Returns {
    /// What the answer tells of each return.
    fn outcomes<'a>(
        &'a self,
        task: &'a FiledInPeriod,
        filed: &'a [FiledReturn],
    ) -> impl Iterator<Item = (ReturnName, FilingOutcome)> + 'a {
        self.0.iter().map(|name| (*name, FilingOutcome::listed(&name.return_type(), task.0, filed)))
    }
}

/// A return that is not filed awaits action, and one of which GSTN does not tell it is
/// pending.
impl Subject for Returns {
    type Task = FiledInPeriod;
    type Answer = Vec<FiledReturn>;
    type Numbers = StatusCounts;

    const TASK: &'static str = "period";
    const ANSWER: &'static str = "filed";
    const TITLE: &'static str = "Returns not filed";
    const NOTE: &'static str = "Not filed or failed";
    const MISSING: &'static str = "Not filed by";
    const COLUMNS: &'static [Column<StatusCounts>] = &[
        column("none", "Not filed", |counts| Number::Count(counts.no_action)),
        column("pending", "Unknown", |counts| Number::Count(counts.pending)),
        column("accepted", "Filed", |counts| Number::Count(counts.accepted)),
        Column { class: "", title: "Total", sum: "Returns", number: |counts| Number::Count(counts.total()) },
    ];
    const CSV: &'static [&'static str] = &["period", "return_type", "status", "date", "arn"];

    fn numbers(&self, task: &FiledInPeriod, answer: &Vec<FiledReturn>) -> StatusCounts {
        let mut counts = StatusCounts::default();
        for (_, outcome) in self.outcomes(task, answer) {
            match outcome {
                FilingOutcome::Filed { .. } => counts.accepted += 1,
                FilingOutcome::NotFiled => counts.no_action += 1,
                _ => counts.pending += 1,
            }
        }
        counts
    }

    fn open(numbers: &StatusCounts) -> (u64, u64) {
        (numbers.no_action, numbers.pending)
    }

    fn missing(&self, task: &FiledInPeriod, answer: &Vec<FiledReturn>) -> Vec<String> {
        let name = |(name, outcome): (ReturnName, FilingOutcome)| match outcome {
            FilingOutcome::Filed { .. } => None,
            FilingOutcome::NotFiled => Some(name.as_str().to_owned()),
            _ => Some(format!("{} (unknown)", name.as_str())),
        };
        self.outcomes(task, answer).filter_map(name).collect()
    }

    fn lines(&self, task: &FiledInPeriod, outcome: Result<&Vec<FiledReturn>, &Problem>) -> Vec<Line> {
        let line = |name: ReturnName, outcome: Option<FilingOutcome>| {
            let (status, arn, date) = match outcome {
                None => ("", None, None),
                Some(FilingOutcome::Filed { arn, date }) => ("filed", Some(arn), date),
                Some(FilingOutcome::NotFiled) => ("not filed", None, None),
                Some(_) => ("unknown", None, None),
            };
            let date = date.as_ref().map(ProviderDate::as_str).unwrap_or_default();
            Line {
                cells: vec![
                    task.to_string(),
                    name.as_str().to_owned(),
                    status.to_owned(),
                    date.to_owned(),
                    arn.unwrap_or_default(),
                ],
                open: status != "filed",
            }
        };
        match outcome {
            Ok(filed) => {
                self.outcomes(task, filed).map(|(name, outcome)| line(name, Some(outcome))).collect()
            }
            Err(_) => self.0.iter().map(|name| line(*name, None)).collect(),
        }
    }

    fn summary(sums: &StatusCounts) -> String {
        let number = Number::Count;
        format!(
            "{} returns: {} not filed, {} unknown, {} filed.",
            number(sums.total()),
            number(sums.no_action),
            number(sums.pending),
            number(sums.accepted)
        )
    }
}
