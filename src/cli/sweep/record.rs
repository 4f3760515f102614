//! One answer of a sweep as a line of JSON: in the output and in the checkpoint.

use std::{collections::BTreeMap, fmt};

use sandbox_client::{
    SweepItem, TaxpayerId,
    ims::types::TypeOfGoods,
    public::types::FiledReturn,
    values::{Gstin, InvoiceCounts, ReturnPeriod},
};
use serde::{Deserialize, Serialize};

use super::subject::Question;
use crate::cli::problem::Problem;

/// Whose answer, to what, and the outcome.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    #[serde(deserialize_with = "Gstin::deserialize_unchecked")]
    pub gstin: Gstin,
    pub username: String,
    #[serde(flatten)]
    pub task: Task,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    TypeOfGoods(TypeOfGoods),
    Period(ReturnPeriod),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TypeOfGoods(goods) => goods.fmt(f),
            Self::Period(period) => period.fmt(f),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Counts(InvoiceCounts),
    Filed(Vec<FiledReturn>),
    Error(Problem),
}

impl Record {
    pub fn taxpayer(&self) -> TaxpayerId {
        TaxpayerId { gstin: self.gstin, username: self.username.clone() }
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Error(_))
    }
}

impl<T: Question> From<SweepItem<T>> for Record {
    fn from(item: SweepItem<T>) -> Self {
        let outcome = item.result.map_or_else(|error| Outcome::Error((&error).into()), T::outcome);
        let TaxpayerId { gstin, username } = item.taxpayer;
        Self { gstin, username, task: item.task.task(), outcome }
    }
}

/// The last answer to each call: one that failed may have been asked for again.
pub fn latest(records: Vec<Record>) -> impl Iterator<Item = Record> {
    let answers: BTreeMap<_, _> = records
        .into_iter()
        .map(|record| ((record.gstin, record.username.clone(), record.task.to_string()), record))
        .collect();
    answers.into_values()
}
