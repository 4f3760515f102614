//! What the provider's codes mean, as `openapi/codes.yaml` says it.

use crate::operation::Operation;

/// What a code of a failure means to a caller. See [`Error::meaning`](crate::Error::meaning).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeMeaning {
    /// The session has expired: log in again.
    SessionOver,
    /// User name, password or GSTIN of a login are wrong.
    LoginRefused,
    /// There are no records.
    NoRecords,
    /// The answer is still being prepared: repeat the call later.
    NotReady,
    /// A temporary failure of the provider or GSTN: a read may be repeated.
    Temporary,
    /// An earlier request of the same kind is still being processed. This
    /// one was not processed, so even a write may be repeated afterwards.
    Busy,
    /// The document to create already exists.
    Duplicate,
}

/// A row of the table.
pub(crate) struct Code {
    pub id: &'static str,
    pub meaning: Option<CodeMeaning>,
    pub text: &'static str,
    /// The families and operations that it holds for; for all if both are empty.
    pub families: &'static [&'static str],
    pub operations: &'static [&'static str],
}

/// What the table says of a code of this operation.
pub(crate) fn find(code: &str, operation: &Operation) -> Option<&'static Code> {
    let table = crate::generated::CODES;
    let from = table.partition_point(|row| row.id < code);
    table[from..].iter().take_while(|row| row.id == code).find(|row| {
        row.families.is_empty() && row.operations.is_empty()
            || row.families.contains(&operation.family)
            || row.operations.contains(&operation.id)
    })
}
