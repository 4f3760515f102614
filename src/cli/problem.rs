//! An error as a line of JSON: in the output and in checkpoints.

use sandbox_client::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// Why there is no result, as far as it can be written down.
#[derive(Debug, Serialize, Deserialize)]
pub struct Problem {
    /// [`ErrorKind`] as a word.
    pub kind: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Whether GSTN is still preparing the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_ready: bool,
}

impl Problem {
    /// The kind for programs; what is not ready is no failure of that kind.
    pub fn word(&self) -> &str {
        if self.not_ready { "not_ready" } else { &self.kind }
    }

    pub fn is_session_over(&self) -> bool {
        self.kind == ErrorKind::SessionExpired.as_str()
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
            not_ready: error.is_not_ready(),
        }
    }
}
