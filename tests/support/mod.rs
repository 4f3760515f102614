//! What the behaviour tests share: scripted servers, clients with tiny
//! delays, fresh secrets, and child processes.
//!
//! Every test asserts an outcome and how many requests arrived ("hits"). The
//! servers speak raw bytes, since no HTTP library can cut a body or reset a
//! connection. Nothing here leaves the loopback interface.

#![allow(dead_code, unused_imports)] // each test binary uses its own part

mod child;
mod frames;
mod redis;
mod secrets;
mod server;
mod tls;

pub use child::Child;
pub use frames::Frames;
pub use redis::{RedisServer, signal};
pub use secrets::Secrets;
pub use server::{
    Connection, Request, Server, answer, answer_with, envelope, failure, success, success_body,
};
pub use tls::{Authority, install_tls_provider, self_signed};

use std::{io::Write, time::Duration};

use sandbox_client::{
    Client, ClientBuilder, Error, ErrorKind, Phase, RetryPolicy, Session, values::InvoiceCounts,
};

/// The path that every call of these tests goes to.
pub const PATH: &str = "/gst/compliance/tax-payer/invoices/count?type_of_goods=others";

/// Retries as by default, with pauses of a few milliseconds.
pub fn quick_retries() -> RetryPolicy {
    RetryPolicy::default().base_backoff(Duration::from_millis(2)).max_backoff(Duration::from_millis(10))
}

/// A client of `url` with fresh secrets, quick retries, no rate limit, and
/// timeouts that only a hanging server reaches.
pub fn client_of(url: impl Into<String>) -> ClientBuilder {
    let secrets = Secrets::fresh();
    secrets
        .client(url)
        .no_rate_limit()
        .retry(quick_retries())
        .attempt_timeout(Duration::from_secs(10))
        .call_timeout(Duration::from_secs(20))
}

pub fn client(server: &Server) -> ClientBuilder {
    client_of(server.url())
}

/// A client that gives up soon, for servers that hang.
pub fn impatient(server: &Server) -> ClientBuilder {
    client(server).attempt_timeout(Duration::from_millis(200)).call_timeout(Duration::from_secs(5))
}

/// What these tests call with: a session, or a client that was built with a token.
pub trait HasSession {
    fn session(&self) -> Result<Session, Error>;
}

impl HasSession for Session {
    fn session(&self) -> Result<Session, Error> {
        Ok(self.clone())
    }
}

impl HasSession for Client {
    fn session(&self) -> Result<Session, Error> {
        self.taxpayer_session()
    }
}

/// The one call of these tests.
pub async fn call(client: &impl HasSession) -> Result<InvoiceCounts, Error> {
    client.session()?.ims().counts(None).await
}

/// Makes the call and gives its failure.
pub async fn failing(client: &impl HasSession) -> Error {
    match call(client).await {
        Ok(counts) => panic!("the call should fail and gave {counts:?}"),
        Err(error) => error,
    }
}

/// Asserts what every failure of the connection or of time tells.
#[track_caller]
pub fn assert_fault(error: &Error, kind: ErrorKind, phase: Phase, maybe_processed: bool) {
    assert_eq!(
        (error.kind(), error.phase(), error.maybe_processed()),
        (kind, Some(phase), maybe_processed),
        "{error:?}"
    );
}

/// `bytes` as gzip packs them.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// The most memory that this process has ever held, in bytes.
#[cfg(target_os = "linux")]
pub fn peak_memory() -> usize {
    status("VmHWM:")
}

/// The memory that this process holds, in bytes.
#[cfg(target_os = "linux")]
pub fn memory() -> usize {
    status("VmRSS:")
}

#[cfg(target_os = "linux")]
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
