//! What was received.

use std::{fmt, time::Instant};

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A request that the mock received.
///
/// Its `Debug` omits query, headers and body, which contain credentials.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    pub(super) number: u64,
    /// HTTP method, in capitals.
    pub method: String,
    /// Path as it was sent, percent-encoded.
    pub path: String,
    /// Query parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; empty if it was incomplete.
    pub body: Vec<u8>,
    /// Id of the operation at this address, if the document has one.
    pub operation: Option<String>,
    /// When the last byte had arrived.
    pub arrived: Instant,
    /// Status of the answer. `None` until it is sent, or if a fault
    /// suppressed it.
    pub status: Option<u16>,
    /// GSTIN of the session whose token the request carried, as it stood in
    /// the request that opened the session.
    pub session_gstin: Option<String>,
    /// Username of that session.
    pub session_username: Option<String>,
}

impl RecordedRequest {
    /// The body as JSON, if it is.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// A header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first query parameter of a name.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str())
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("operation", &self.operation)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Requests in order of arrival.
#[derive(Default)]
pub(super) struct Log {
    next: u64,
    requests: Vec<RecordedRequest>,
}

impl Log {
    pub(super) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn add(&mut self, request: RecordedRequest) {
        self.requests.push(request);
    }

    /// Notes an answer, unless the request has been cleared away meanwhile.
    pub(super) fn answered(&mut self, number: u64, status: u16) {
        // Backwards, since it is among the last.
        if let Some(request) = self.requests.iter_mut().rev().find(|request| request.number == number) {
            request.status = Some(status);
        }
    }

    pub(super) fn requests(&self) -> &[RecordedRequest] {
        &self.requests
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }
}
