//! One answer of a sweep as a line of JSON: in the output and in the checkpoint.

use std::collections::BTreeMap;

use sandbox_client::{
    SweepItem, TaxpayerId,
    ims::types::TypeOfGoods,
    values::{Gstin, InvoiceCounts},
};
use serde::{Deserialize, Serialize};

use crate::cli::problem::Problem;

/// Whose counts, of what, and the outcome.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    pub gstin: Gstin,
    pub username: String,
    pub type_of_goods: TypeOfGoods,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Counts(InvoiceCounts),
    Error(Problem),
}

impl Record {
    pub fn taxpayer(&self) -> TaxpayerId {
        TaxpayerId { gstin: self.gstin, username: self.username.clone() }
    }

    pub fn counts(&self) -> Option<&InvoiceCounts> {
        match &self.outcome {
            Outcome::Counts(counts) => Some(counts),
            Outcome::Error(_) => None,
        }
    }
}

impl From<SweepItem> for Record {
    fn from(item: SweepItem) -> Self {
        let outcome = item.result.map_or_else(|error| Outcome::Error((&error).into()), Outcome::Counts);
        let TaxpayerId { gstin, username } = item.taxpayer;
        Self { gstin, username, type_of_goods: item.type_of_goods, outcome }
    }
}

/// The last answer to each call: one that failed may have been asked for again.
pub fn latest(records: Vec<Record>) -> impl Iterator<Item = Record> {
    let answers: BTreeMap<_, _> = records
        .into_iter()
        .map(|record| ((record.gstin, record.username.clone(), record.type_of_goods.to_string()), record))
        .collect();
    answers.into_values()
}
