//! A server that answers from the OpenAPI document, for tests and experiments.
//!
//! It listens only on this machine, on a port that the system chooses, and uses only the
//! OpenAPI document: each operation answers with its examples, refuses wrong credentials
//! and parameters with the documented failures, and issues tokens that expire. If the
//! mock refuses a request, the header `x-mock-reason` has the reason.
//!
//! A test can choose the example, set its own answer, inject faults, and
//! inspect the requests.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sandbox_client::{RetryPolicy, ims::types::TypeOfGoods, mock::MockServer};
//!
//! let mock = MockServer::start().await?;
//! mock.on("get_invoice_count").error("service_unavailable").times(1);
//!
//! let session = mock.session()?.with_retry(RetryPolicy::none());
//! let error = session.ims().counts(TypeOfGoods::Imports).await.unwrap_err();
//! assert_eq!(error.status(), Some(503));
//!
//! let counts = session.ims().counts(TypeOfGoods::Imports).await?;
//! assert_eq!(counts.total(), 20);
//! assert_eq!(mock.hits("get_invoice_count"), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Which example is used
//!
//! The one that a [`Rule`] names. Otherwise, among those whose extension `x-when`
//! (parameters and members of the JSON body, compared as text) matches the request, the
//! one with the most conditions. Otherwise one without `x-when`, preferably a success.
//! Among equals, the first in the document. It is sent unchanged, with status 200 or its
//! `x-status`.
//!
//! An operation with `x-grants` (`platform_token` or `taxpayer_token`) puts a new token
//! with its times into its successes; one with `x-revokes` revokes the token of the
//! request.
//!
//! Signed URLs in answers point to the mock itself, which stores uploads and
//! serves a sample for a file that was not uploaded.
//!
//! Three things go beyond examples and are off by default: with
//! [`stateful_ims`](MockServerBuilder::stateful_ims) the server remembers
//! actions on invoices, with [`stateful_returns`](MockServerBuilder::stateful_returns)
//! the state of filings, and with
//! [`stateful_documents`](MockServerBuilder::stateful_documents) e-invoices and
//! e-way bills.

mod answer;
mod check;
mod document;
mod error;
mod fault;
mod files;
mod ims;
mod limit;
mod nic;
mod record;
mod returns;
mod rule;
mod serve;
mod store_check;
mod tokens;

pub use store_check::check_token_store;

use std::{
    collections::HashMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

use crate::{Client, ClientBuilder, Error, Session};

use document::{Document, EMBEDDED};
pub use error::ErrorBuilder;
pub use fault::Fault;
use files::Files;
use ims::Ims;
use limit::Limiter;
pub use limit::RateLimit;
use nic::Nic;
use record::Log;
pub use record::RecordedRequest;
use returns::Returns;
use rule::Plan;
pub use rule::Rule;
use tokens::{Holder, Tokens};

/// Reads the payload of an answer into the type of an operation, and writes it back:
/// unknown members are dropped, tokens are redacted. Use it to check your own fixtures;
/// `None` for an operation that does not exist.
///
/// ```
/// use sandbox_client::mock::round_trip;
///
/// let fixture = br#"{"code": 200, "data": {"status_cd": "1", "later": "unknown"}}"#;
/// let payload = round_trip("generate_otp", fixture).unwrap()?;
/// assert_eq!(payload, serde_json::json!({"status_cd": "1"}));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
///
/// # Errors
///
/// [`Decode`](crate::ErrorKind::Decode) for an answer that does not fit.
pub fn round_trip(operation: &str, answer: &[u8]) -> Option<Result<Value, Error>> {
    Some(crate::generated::round_trip(operation, answer, true)?.map(|(payload, _)| payload))
}

/// The paths of an answer that do not fit the type that an operation promises,
/// as [`Answer::unread`](crate::Answer::unread) has them; `None` for an
/// operation that does not exist.
///
/// ```
/// use sandbox_client::mock::unread;
///
/// let fixture = br#"{"code": 200, "data": {"status_cd": "1", "data": {"reference_id": []}}}"#;
/// assert_eq!(unread("save_invoice_status", fixture).unwrap()?, ["data.data.reference_id"]);
/// # Ok::<(), sandbox_client::Error>(())
/// ```
///
/// # Errors
///
/// [`Decode`](crate::ErrorKind::Decode) for an answer that does not fit.
pub fn unread(operation: &str, answer: &[u8]) -> Option<Result<Vec<String>, Error>> {
    Some(crate::generated::round_trip(operation, answer, false)?.map(|(_, unread)| unread))
}

/// The same for the body of a request: reads it into the type that the
/// operation takes, and writes what would be sent. `None` for an operation
/// without a body.
///
/// # Errors
///
/// [`Input`](crate::ErrorKind::Input) for a body that does not fit.
pub fn round_trip_request(operation: &str, body: &[u8]) -> Option<Result<Value, Error>> {
    crate::generated::round_trip_request(operation, body)
}

/// The OpenAPI document that this crate was generated from, all files merged.
pub fn document() -> &'static Value {
    EMBEDDED.root()
}

/// A running mock server. When dropped, it stops and closes open connections.
pub struct MockServer {
    address: SocketAddr,
    state: Arc<State>,
    task: AbortHandle,
}

/// What the server and its connections share.
struct State {
    settings: Settings,
    document: Arc<Document>,
    tokens: Mutex<Tokens>,
    rules: Mutex<Vec<Arc<Mutex<Plan>>>>,
    limiter: Mutex<Option<Limiter>>,
    log: Mutex<Log>,
    ims: Option<Mutex<Ims>>,
    files: Mutex<Files>,
    address: SocketAddr,
    returns: Option<Mutex<Returns>>,
    nic: Option<Mutex<Nic>>,
    connections: AtomicUsize,
}

/// What holds from the start to the end.
struct Settings {
    key: String,
    secret: String,
    /// Lifetimes that differ from the document's, by security scheme.
    lifetimes: HashMap<String, Duration>,
}

impl State {
    fn lifetime(&self, scheme: &str) -> Duration {
        let set = self.settings.lifetimes.get(scheme).copied();
        set.unwrap_or_else(|| self.document.lifetime(scheme))
    }
}

/// Locks without regard to a panic elsewhere: a failed test is not a reason for
/// the mock to fail as well.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MockServer {
    /// The OTP that files a return with [`stateful_returns`](MockServerBuilder::stateful_returns),
    /// after it was requested.
    pub const EVC_OTP: &'static str = returns::EVC_OTP;

    /// Starts a server with the settings of [`MockServer::builder`].
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with I/O and time.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Settings of a client for this server: base URL, key, secret, and
    /// the token of a taxpayer's session, without a rate limit.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .base_url(self.base_url())
            .key(self.key())
            .secret(self.secret())
            .taxpayer_token(self.taxpayer_token())
            .no_rate_limit()
    }

    /// A client for this server, with the settings of
    /// [`client_builder`](MockServer::client_builder).
    ///
    /// # Errors
    ///
    /// See [`ClientBuilder::build`]; the settings of the mock server cause none.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_builder().build()
    }

    /// A taxpayer's session on this server, with a token that it has issued.
    ///
    /// # Errors
    ///
    /// Those of [`client`](MockServer::client).
    pub fn session(&self) -> Result<Session, Error> {
        self.client()?.taxpayer_session()
    }

    /// Settings for a server.
    #[must_use]
    pub fn builder() -> MockServerBuilder {
        MockServerBuilder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            document: None,
            stateful_ims: false,
            stateful_returns: false,
            nic: None,
            settings: Settings {
                key: "key_test_mock0000000000000000".to_owned(),
                secret: "secret_test_mock0000000000000000".to_owned(),
                lifetimes: HashMap::new(),
            },
        }
    }

    /// The base URL for a client, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The API key that is accepted.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.state.settings.key
    }

    /// The API secret that is accepted.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.state.settings.secret
    }

    /// Issues a platform token without a request.
    #[must_use]
    pub fn platform_token(&self) -> String {
        self.token("platform_token")
    }

    /// Issues a taxpayer token without an OTP.
    #[must_use]
    pub fn taxpayer_token(&self) -> String {
        self.token("taxpayer_token")
    }

    /// A valid token of any security scheme of the document, such as
    /// `taxpayer_token`.
    #[must_use]
    pub fn token(&self, scheme: &str) -> String {
        self.issue_token(scheme, self.state.lifetime(scheme))
    }

    /// Issues a token that expires after `lifetime`.
    #[must_use]
    pub fn issue_token(&self, scheme: &str, lifetime: Duration) -> String {
        lock(&self.state.tokens).issue(scheme, lifetime, Holder::default()).0
    }

    /// Revokes a token.
    pub fn revoke(&self, token: &str) {
        lock(&self.state.tokens).revoke(token);
    }

    /// Expires all tokens issued so far.
    pub fn expire_all_tokens(&self) {
        lock(&self.state.tokens).expire_all();
    }

    /// Adds a rule for an operation. The first rule that matches a request
    /// answers it.
    ///
    /// # Panics
    ///
    /// Panics if the document has no operation of that id.
    #[track_caller]
    pub fn on(&self, operation: &str) -> Rule {
        self.state.document.named(operation);
        let plan = Arc::new(Mutex::new(Plan::new(operation.to_owned())));
        lock(&self.state.rules).push(Arc::clone(&plan));
        Rule { state: Arc::clone(&self.state), plan }
    }

    /// Accepts `requests` requests in any `window` and refuses the rest with
    /// status 429. Refused requests do not count. Replaces an earlier limit.
    pub fn rate_limit(&self, requests: usize, window: Duration) -> RateLimit {
        *lock(&self.state.limiter) = Some(Limiter::new(requests, window));
        RateLimit { state: Arc::clone(&self.state) }
    }

    /// Removes all rules and the rate limit.
    pub fn clear_rules(&self) {
        lock(&self.state.rules).clear();
        *lock(&self.state.limiter) = None;
    }

    /// The received requests, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.state.log).requests().to_vec()
    }

    /// The number of requests to an operation, refused ones included.
    ///
    /// # Panics
    ///
    /// Panics if the document has no operation of that id.
    #[must_use]
    #[track_caller]
    pub fn hits(&self, operation: &str) -> usize {
        self.state.document.named(operation);
        let log = lock(&self.state.log);
        log.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
    }

    /// The number of accepted connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Clears the recorded requests and connections. Rules and tokens stay.
    pub fn clear(&self) {
        lock(&self.state.log).clear();
        self.state.connections.store(0, Ordering::Relaxed);
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for MockServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServer").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Settings of a [`MockServer`] before it starts.
pub struct MockServerBuilder {
    address: SocketAddr,
    document: Option<Value>,
    stateful_ims: bool,
    stateful_returns: bool,
    nic: Option<Nic>,
    settings: Settings,
}

impl MockServerBuilder {
    /// The address to listen on, `127.0.0.1:0` by default. Only loopback
    /// addresses are allowed.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves another OpenAPI document, as one file, instead of the one that
    /// this crate was built from.
    #[must_use]
    pub fn document(mut self, document: Value) -> Self {
        self.document = Some(document);
        self
    }

    /// The key and secret to accept, instead of the generated ones.
    #[must_use]
    pub fn credentials(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.settings.key = key.into();
        self.settings.secret = secret.into();
        self
    }

    /// Remembers actions in the Invoice Management System: after a batch is processed,
    /// lists and counts show it. Off by default: every answer is then an unchanged
    /// example.
    ///
    /// The account starts with the invoices of the examples and is the same for all
    /// taxpayers. A job is processed when its status is polled the second time. Rules
    /// take precedence.
    #[must_use]
    pub fn stateful_ims(mut self) -> Self {
        self.stateful_ims = true;
        self
    }

    /// Remembers what is saved, paid, prepared and filed of GSTR-1, GSTR-3B and GSTR-9,
    /// and refuses steps out of order with the documented codes. Off by default: every
    /// answer is then an unchanged example.
    ///
    /// There is one draft for each return and period, the same for all taxpayers; it
    /// starts as the documented one. A job is processed when its status is polled the
    /// second time. The OTP of the signatory is [`MockServer::EVC_OTP`]. Rules take
    /// precedence.
    #[must_use]
    pub fn stateful_returns(mut self) -> Self {
        self.stateful_returns = true;
        self
    }

    /// Remembers e-invoices and e-way bills: a second request for the same document is a
    /// duplicate, documents are found by number and by document, and can be changed,
    /// closed and cancelled. Off by default: every answer is then an unchanged example.
    ///
    /// A token sees only the documents of its GSTIN. Rules take precedence: a
    /// rule with a fault and no answer processes the request and breaks the answer.
    #[must_use]
    pub fn stateful_documents(mut self) -> Self {
        self.nic.get_or_insert_default();
        self
    }

    /// How long an e-invoice or e-way bill may be cancelled, 24 hours by
    /// default. Turns on [`stateful_documents`](MockServerBuilder::stateful_documents).
    #[must_use]
    pub fn cancellation_window(mut self, window: Duration) -> Self {
        self.nic.get_or_insert_default().window = window;
        self
    }

    /// Lifetime of tokens: 24 hours (platform) and 6 hours (taxpayer) by default.
    #[must_use]
    pub fn token_lifetime(mut self, scheme: &str, lifetime: Duration) -> Self {
        self.settings.lifetimes.insert(scheme.to_owned(), lifetime);
        self
    }

    /// Starts the server on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// Fails if the address is not a loopback address or is in use, if the document has a
    /// credential that the mock does not support, or if it has no invoices for
    /// [`stateful_ims`](MockServerBuilder::stateful_ims).
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with I/O and time.
    pub async fn start(self) -> io::Result<MockServer> {
        if !self.address.ip().is_loopback() {
            let reason = format!("{} is not an address of this machine alone", self.address.ip());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let document = match self.document {
            Some(document) => Document::read(document)
                .map(Arc::new)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
            None => Arc::clone(&EMBEDDED),
        };
        let ims = match self.stateful_ims.then(|| Ims::of(&document)) {
            None => None,
            Some(Some(ims)) => Some(Mutex::new(ims)),
            Some(None) => {
                let reason = "the document has no list_invoices to remember";
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        };
        let listener = TcpListener::bind(self.address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            settings: self.settings,
            document,
            tokens: Mutex::default(),
            rules: Mutex::default(),
            limiter: Mutex::default(),
            log: Mutex::default(),
            ims,
            files: Mutex::default(),
            address,
            returns: self.stateful_returns.then(Mutex::default),
            nic: self.nic.map(Mutex::new),
            connections: AtomicUsize::new(0),
        });
        let task = tokio::spawn(serve::serve(listener, Arc::clone(&state))).abort_handle();
        Ok(MockServer { address, state, task })
    }
}

impl fmt::Debug for MockServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServerBuilder").field("address", &self.address).finish_non_exhaustive()
    }
}
