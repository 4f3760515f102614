//! One answer of a sweep as a line of JSON: in the output and in the checkpoint.

use sandbox_client::{
    Error, SweepItem, TaxpayerId,
    ims::types::TypeOfGoods,
    values::{Gstin, InvoiceCounts},
};
use serde::{Deserialize, Serialize};

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

/// Why there are no counts, as far as it can be written down.
#[derive(Debug, Serialize, Deserialize)]
pub struct Problem {
    /// [`ErrorKind`](sandbox_client::ErrorKind) as a word.
    pub kind: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
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

impl Problem {
    pub fn is_session_over(&self) -> bool {
        self.kind == sandbox_client::ErrorKind::SessionExpired.as_str()
    }
}

impl From<SweepItem> for Record {
    fn from(item: SweepItem) -> Self {
        let outcome = item.result.map_or_else(|error| Outcome::Error((&error).into()), Outcome::Counts);
        let TaxpayerId { gstin, username } = item.taxpayer;
        Self { gstin, username, type_of_goods: item.type_of_goods, outcome }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().as_str().to_owned(),
            message: error.to_string(),
            status: error.status(),
            code: error.error_code().map(str::to_owned),
            transaction_id: error.transaction_id().map(str::to_owned),
        }
    }
}
