//! Errors for tests that have no server.

use std::time::Duration;

use reqwest::StatusCode;

use crate::{Error, ErrorKind, codes, generated::OPERATIONS, operation::Operation};

/// Builds an [`Error`] like one of the client, to test how a program handles
/// it.
///
/// ```
/// use sandbox_client::{ErrorKind, mock::ErrorBuilder};
///
/// let error = ErrorBuilder::new(ErrorKind::Business).status(200).code("RET11416").build();
/// assert!(error.is_no_records());
/// ```
#[derive(Debug, Clone)]
pub struct ErrorBuilder(Error);

impl ErrorBuilder {
    /// An error of a kind, sent once.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Error::new(kind, "made for a test").after_attempts(1))
    }

    /// The id of the operation that failed.
    #[must_use]
    pub fn operation(self, id: &'static str) -> Self {
        Self(self.0.in_operation(id))
    }

    /// The HTTP status of the answer.
    ///
    /// # Panics
    ///
    /// For a number that is no HTTP status.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self(self.0.with_status(StatusCode::from_u16(status).expect("a status of HTTP")))
    }

    /// The provider's code, such as `AUTH4033`.
    #[must_use]
    pub fn code(self, code: &str) -> Self {
        Self(self.0.with_error_code(Some(code)))
    }

    /// The provider's message.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self(self.0.with_provider_message(Some(message)))
    }

    /// The id that the provider's support asks for.
    #[must_use]
    pub fn transaction_id(self, id: &str) -> Self {
        Self(self.0.with_transaction_id(Some(id)))
    }

    /// Whether the same call may be made again.
    #[must_use]
    pub fn retryable(self, retryable: bool) -> Self {
        Self(self.0.retryable(retryable))
    }

    /// Whether the provider may have processed the request.
    #[must_use]
    pub fn maybe_processed(self, maybe_processed: bool) -> Self {
        Self(self.0.with_maybe_processed(maybe_processed))
    }

    /// How long the provider asks to wait.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self(self.0.with_retry_after(Some(wait)))
    }

    /// The error. Its code means what it does for the operation; without an
    /// operation, what it does for the first that knows it.
    #[must_use]
    pub fn build(self) -> Error {
        let operation = self.0.operation();
        let known = self.0.error_code().and_then(|code| {
            let told = |known: &&Operation| operation.is_none_or(|id| known.id == id);
            OPERATIONS.iter().filter(told).find_map(|known| codes::find(code, known))
        });
        match known {
            Some(code) => self.0.with_meaning(code.meaning),
            None => self.0,
        }
    }
}
