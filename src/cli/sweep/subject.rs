//! What a sweep is about: what it asks, and how its answers become numbers.

use sandbox_client::{
    FiledInPeriod, SweepTask,
    filing::FilingOutcome,
    ims::types::TypeOfGoods,
    public::types::FiledReturn,
    values::{InvoiceCounts, ReturnType, StatusCounts},
};

use super::record::{Outcome, Record, Task};
use crate::cli::arguments::ReturnName;

/// A task of the library whose answers the command writes down.
pub trait Question: SweepTask {
    fn task(&self) -> Task;
    fn outcome(answer: Self::Output) -> Outcome;
}

impl Question for TypeOfGoods {
    fn task(&self) -> Task {
        Task::TypeOfGoods(*self)
    }

    fn outcome(answer: InvoiceCounts) -> Outcome {
        Outcome::Counts(answer)
    }
}

impl Question for FiledInPeriod {
    fn task(&self) -> Task {
        Task::Period(self.0)
    }

    fn outcome(answer: Vec<FiledReturn>) -> Outcome {
        Outcome::Filed(answer)
    }
}

/// How answers are counted and shown.
pub enum Subject {
    /// Documents by status.
    Invoices,
    /// These returns, filed or not.
    Returns(Vec<ReturnName>),
}

const INVOICES: &str = "<th><button>GSTIN</button></th><th><button>User name</button></th><th>By status</th>\
    <th class=\"number\"><button>No action</button></th><th class=\"number\"><button>Pending</button></th>\
    <th class=\"number\"><button>Accepted</button></th><th class=\"number\"><button>Rejected</button></th>\
    <th class=\"number\"><button>Total</button></th><th><button>Note</button></th>";

const RETURNS: &str = "<th><button>GSTIN</button></th><th><button>User name</button></th><th>By status</th>\
    <th class=\"number\"><button>Not filed</button></th><th class=\"number\"><button>Unknown</button></th>\
    <th class=\"number\"><button>Filed</button></th><th class=\"number\"><button>Total</button></th><th><button>Not filed or failed</button></th>";

/// A status: its class on the page, its title, and how many have it.
pub type Status = (&'static str, &'static str, fn(&StatusCounts) -> u64);

impl Subject {
    pub fn title(&self) -> &'static str {
        match self {
            Self::Invoices => "Invoices awaiting action",
            Self::Returns(_) => "Returns not filed",
        }
    }

    /// The head of the page's table.
    pub fn head(&self) -> &'static str {
        match self {
            Self::Invoices => INVOICES,
            Self::Returns(_) => RETURNS,
        }
    }

    pub fn noun(&self) -> &'static str {
        match self {
            Self::Invoices => "Documents",
            Self::Returns(_) => "Returns",
        }
    }

    /// The title of the column that says what is missing.
    pub fn note(&self) -> &'static str {
        match self {
            Self::Invoices => "Failed",
            Self::Returns(_) => "Not filed or failed",
        }
    }

    /// The most urgent first.
    pub fn statuses(&self) -> &'static [Status] {
        match self {
            Self::Invoices => &[
                ("none", "No action", |counts| counts.no_action),
                ("pending", "Pending", |counts| counts.pending),
                ("accepted", "Accepted", |counts| counts.accepted),
                ("rejected", "Rejected", |counts| counts.rejected),
            ],
            Self::Returns(_) => &[
                ("none", "Not filed", |counts| counts.no_action),
                ("pending", "Unknown", |counts| counts.pending),
                ("accepted", "Filed", |counts| counts.accepted),
            ],
        }
    }

    /// The numbers of an answer: a return that is not filed awaits action, and one
    /// of which GSTN does not tell it is pending.
    pub fn counts(&self, record: &Record) -> Option<StatusCounts> {
        if let Outcome::Counts(counts) = &record.outcome {
            return Some(counts.by_status());
        }
        let mut counts = StatusCounts::default();
        for (_, outcome) in self.filings(record)? {
            match outcome {
                FilingOutcome::Filed { .. } => counts.accepted += 1,
                FilingOutcome::NotFiled => counts.no_action += 1,
                _ => counts.pending += 1,
            }
        }
        Some(counts)
    }

    /// The returns that the answer does not show as filed.
    pub fn not_filed(&self, record: &Record) -> Vec<String> {
        let name = |(name, outcome): (&ReturnName, FilingOutcome)| match outcome {
            FilingOutcome::Filed { .. } => None,
            FilingOutcome::NotFiled => Some(name.as_str().to_owned()),
            _ => Some(format!("{} (unknown)", name.as_str())),
        };
        self.filings(record).into_iter().flatten().filter_map(name).collect()
    }

    /// What the answer tells of each return; nothing where there is no answer.
    pub fn filings<'a>(
        &'a self,
        record: &'a Record,
    ) -> Option<impl Iterator<Item = (&'a ReturnName, FilingOutcome)>> {
        let (Self::Returns(expected), Task::Period(period)) = (self, record.task) else { return None };
        let Outcome::Filed(filed) = &record.outcome else { return None };
        Some(
            expected
                .iter()
                .map(move |name| (name, FilingOutcome::listed(&name.return_type(), period, filed))),
        )
    }
}

impl ReturnName {
    pub fn return_type(self) -> ReturnType {
        match self {
            Self::Gstr1 => ReturnType::Gstr1,
            Self::Gstr3b => ReturnType::Gstr3b,
            Self::Gstr9 => ReturnType::Gstr9,
        }
    }

    /// As an argument has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gstr1 => "gstr-1",
            Self::Gstr3b => "gstr-3b",
            Self::Gstr9 => "gstr-9",
        }
    }
}
