//! Answers that go wrong on the wire.

use std::{error::Error, fmt};

use reqwest::StatusCode;

use super::answer::Reply;

/// A fault in an answer.
///
/// Except for [`Fault::Status`], the request takes effect: a token that a
/// lost answer issued or revoked is still issued or revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Sends this status with an empty body instead of the answer.
    Status(u16),
    /// Closes the connection after the request, without an answer.
    CloseWithoutAnswer,
    /// Head and first half of the body, whose `Content-Length` promised all
    /// of it, then the connection is closed. The answer needs a body.
    CutBody,
    /// Sends no answer and keeps the connection open.
    Hang,
    /// Sends bytes that are not HTTP, then closes the connection.
    Garbage,
}

/// Bytes to write past the HTTP server before the connection is closed. It is
/// an error because that is how a service ends its connection.
#[derive(Debug)]
pub(super) struct LastBytes(pub(super) Vec<u8>);

impl LastBytes {
    pub(super) fn garbage() -> Self {
        Self(b"\x16\x03\x01 no HTTP here\r\n\r\n\x00\xff".to_vec())
    }

    /// The head of an answer and half of its body.
    pub(super) fn half_of(reply: &Reply) -> Self {
        let reason = StatusCode::from_u16(reply.status).ok().and_then(|status| status.canonical_reason());
        let mut bytes = format!("HTTP/1.1 {} {}\r\n", reply.status, reason.unwrap_or_default()).into_bytes();
        for (name, value) in &reply.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", reply.body.len()).into_bytes());
        bytes.extend(&reply.body[..reply.body.len() / 2]);
        Self(bytes)
    }
}

impl fmt::Display for LastBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is to be closed")
    }
}

impl Error for LastBytes {}
