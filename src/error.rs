//! One error type for every call.

use std::{borrow::Cow, convert::Infallible, error::Error as StdError, fmt, sync::Arc, time::Duration};

use reqwest::StatusCode;

use crate::{codes::CodeMeaning, operation::Operation};

/// Longest text of the provider that is kept, in characters.
const TEXT_CAP: usize = 512;
/// Longest identifier that is kept, in characters.
const ID_CAP: usize = 80;

/// Stands at the end of a text that was cut.
const CUT: char = '…';

/// Why a call, or the building of a client, failed.
///
/// One line of text for people ([`Display`](fmt::Display)), a [`kind`](Error::kind)
/// for decisions, and accessors for what support and retries need. It never
/// holds a credential, a token, an OTP, an address with data in it, or a body.
///
/// ```
/// use sandbox_client::{Client, ErrorKind};
///
/// let error = Client::builder().key("key_live_a b").build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert_eq!(error.field(), Some("key"));
/// assert!(!error.to_string().contains("a b"));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    reason: String,
    advice: Option<&'static str>,
    field: Option<Cow<'static, str>>,
    operation: Option<&'static str>,
    status: Option<StatusCode>,
    transaction_id: Option<String>,
    codes: Vec<ErrorCode>,
    info: Vec<ErrorInfo>,
    file_token: Option<String>,
    /// What the codes mean to a caller, or the form that the failure has.
    meaning: Option<CodeMeaning>,
    provider_message: Option<String>,
    phase: Option<Phase>,
    attempts: u32,
    retryable: bool,
    maybe_processed: bool,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of an [`Error`], for decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting or credential was refused before anything was sent. The
    /// operator must correct it. [`Error::field`] names it.
    Config,
    /// A value of the call was refused before anything was sent: a parameter,
    /// the body, a GSTIN, a period. The caller must correct it. [`Error::field`] names it.
    Input,
    /// Authentication failed: key, secret or platform token were rejected. Check them.
    Auth,
    /// The taxpayer's session has expired. A person must request a new OTP.
    SessionExpired,
    /// The account may not do this: privilege, credits, quota, access revoked.
    Denied,
    /// Too many requests. [`Error::retry_after`] returns the wait, if known.
    RateLimited,
    /// GSTN refused, inside HTTP status 200. [`Error::error_code`] says why.
    Business,
    /// Any other HTTP status that is not a success.
    Api,
    /// The connection failed. [`Error::maybe_processed`] tells whether it is safe to
    /// repeat the call.
    Transport,
    /// No answer in time. [`Error::maybe_processed`] tells whether it is safe to repeat the call.
    Timeout,
    /// An answer arrived but cannot be read.
    Decode,
    /// The answer is larger than the limit that the client was built with.
    TooLarge,
    /// The token store failed, so the client cannot tell whether there is a
    /// session. The error's source has the reason. Nothing was sent.
    Store,
}

impl ErrorKind {
    /// The kind as one word in snake case, for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Input => "input",
            Self::Auth => "auth",
            Self::SessionExpired => "session_expired",
            Self::Denied => "denied",
            Self::RateLimited => "rate_limited",
            Self::Business => "business",
            Self::Api => "api",
            Self::Transport => "transport",
            Self::Timeout => "timeout",
            Self::Decode => "decode",
            Self::TooLarge => "too_large",
            Self::Store => "store",
        }
    }
}

/// The phase in which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for the rate limit; nothing was sent.
    RateLimit,
    /// Waiting for a token; the request itself was not sent.
    Login,
    /// The name of the host could not be resolved.
    Dns,
    /// The connection could not be opened, or its TLS handshake timed
    /// out.
    Connect,
    /// The TLS handshake was refused, by either side.
    Tls,
    /// A proxy refused the connection.
    Proxy,
    /// Sending the request or waiting for the head of the answer.
    ResponseHeaders,
    /// Reading the body of the answer.
    ResponseBody,
}

impl Phase {
    fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "while waiting for the rate limit",
            Self::Login => "while waiting for a token",
            Self::Dns => "while resolving the host name",
            Self::Connect => "while connecting",
            Self::Tls => "during the TLS handshake",
            Self::Proxy => "during proxy connection",
            Self::ResponseHeaders => "while waiting for the answer",
            Self::ResponseBody => "while reading the answer",
        }
    }
}

impl Error {
    /// A new error of a kind; `reason` is ours and holds nothing of the caller's data.
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self(Arc::new(Details {
            kind,
            reason: reason.into(),
            advice: None,
            field: None,
            operation: None,
            status: None,
            transaction_id: None,
            codes: Vec::new(),
            info: Vec::new(),
            file_token: None,
            meaning: None,
            provider_message: None,
            phase: None,
            attempts: 0,
            retryable: false,
            maybe_processed: false,
            retry_after: None,
            source: None,
        }))
    }

    /// A setting that is refused. `reason` must not repeat the value.
    pub(crate) fn config(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, reason).with_field(field)
    }

    /// A value of a call that is refused. `reason` must not repeat it.
    pub(crate) fn input(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, reason).with_field(field)
    }

    pub(crate) fn with_field(self, field: impl Into<Cow<'static, str>>) -> Self {
        self.with(|details| details.field = Some(field.into()))
    }

    /// The taxpayer's token has expired and only a person can get another.
    pub(crate) fn session_over() -> Self {
        Self::new(ErrorKind::SessionExpired, "the taxpayer's session has expired")
            .with_advice("ask for a new OTP")
    }

    fn with(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn with_advice(self, advice: &'static str) -> Self {
        self.with(|details| details.advice = Some(advice))
    }

    pub(crate) fn in_operation(self, operation: &'static str) -> Self {
        self.with(|details| {
            details.operation.get_or_insert(operation);
        })
    }

    pub(crate) fn after_attempts(self, attempts: u32) -> Self {
        self.with(|details| details.attempts = attempts)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        self.with(|details| details.status = Some(status))
    }

    pub(crate) fn with_transaction_id(self, id: Option<&str>) -> Self {
        self.with(|details| details.transaction_id = id.map(|id| escape_and_truncate(id, ID_CAP)))
    }

    pub(crate) fn with_codes(self, codes: Vec<ErrorCode>) -> Self {
        self.with(|details| details.codes = codes)
    }

    pub(crate) fn with_error_code(self, code: Option<&str>) -> Self {
        self.with_codes(code.map(ErrorCode::new).into_iter().collect())
    }

    pub(crate) fn with_info(self, info: Vec<ErrorInfo>) -> Self {
        self.with(|details| details.info = info)
    }

    pub(crate) fn with_meaning(self, meaning: Option<CodeMeaning>) -> Self {
        self.with(|details| details.meaning = meaning)
    }

    pub(crate) fn with_file_token(self, token: Option<&str>) -> Self {
        self.with(|details| details.file_token = token.map(str::to_owned))
    }

    pub(crate) fn with_provider_message(self, message: Option<&str>) -> Self {
        self.with(|details| {
            details.provider_message = message.map(|message| escape_and_truncate(message, TEXT_CAP));
        })
    }

    /// Takes `secrets` out of everything that the provider said.
    pub(crate) fn redact<'a>(self, secrets: impl Iterator<Item = &'a str> + Clone) -> Self {
        self.with(|details| {
            for text in [&mut details.transaction_id, &mut details.provider_message] {
                *text = text.take().map(|text| secrets.clone().fold(text, redacted));
            }
            let codes = details.codes.iter_mut().flat_map(ErrorCode::texts);
            for text in codes.chain(details.info.iter_mut().flat_map(ErrorInfo::texts)) {
                *text = secrets.clone().fold(std::mem::take(text), redacted);
            }
        })
    }

    pub(crate) fn with_phase(self, phase: Phase) -> Self {
        self.with(|details| details.phase = Some(phase))
    }

    pub(crate) fn retryable(self, retryable: bool) -> Self {
        self.with(|details| details.retryable = retryable)
    }

    pub(crate) fn with_maybe_processed(self, maybe_processed: bool) -> Self {
        self.with(|details| details.maybe_processed = maybe_processed)
    }

    pub(crate) fn with_retry_after(self, wait: Option<Duration>) -> Self {
        self.with(|details| details.retry_after = wait)
    }

    pub(crate) fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|details| details.source = Some(Arc::new(source)))
    }

    /// The kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The setting or value that was refused, for [`ErrorKind::Config`] and
    /// [`ErrorKind::Input`]. The module [`field`](crate::field) has the names.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The operation that failed, by its id in the document.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The HTTP status of the last answer, or the status that the body
    /// of a 200 names: see [`ErrorKind::Api`].
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status.map(|status| status.as_u16())
    }

    /// The id that the provider's support asks for. Not always a UUID.
    #[must_use]
    pub fn transaction_id(&self) -> Option<&str> {
        self.0.transaction_id.as_deref()
    }

    /// The code of a failure inside status 200, such as `AUTH4033`: an open list.
    /// The first of several codes.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.codes().first().map(ErrorCode::code)
    }

    /// All codes of the failure, each with what the provider or the document
    /// says of it. Answers about e-invoices and e-way bills have several.
    #[must_use]
    pub fn codes(&self) -> &[ErrorCode] {
        &self.0.codes
    }

    /// Additional information from the registration portal (`InfoDtls`):
    /// for a duplicate, the number and date of the existing invoice.
    #[must_use]
    pub fn info(&self) -> &[ErrorInfo] {
        &self.0.info
    }

    /// What the code of the failure means, if the document lists it.
    #[must_use]
    pub fn meaning(&self) -> Option<CodeMeaning> {
        self.0.meaning
    }

    /// The token by which an answer that is being prepared can be fetched as
    /// files. See [`is_not_ready`](Error::is_not_ready).
    #[must_use]
    pub fn file_token(&self) -> Option<&str> {
        self.0.file_token.as_deref()
    }

    /// The provider's own words: at most 512 characters, control characters
    /// escaped, credentials taken out.
    #[must_use]
    pub fn provider_message(&self) -> Option<&str> {
        self.0.provider_message.as_deref()
    }

    /// The phase in which the request failed, for connection failures and timeouts.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.0.phase
    }

    /// How many attempts were made. 1 if the answer was a success without a
    /// member that a helper needs.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the same call may succeed later and is safe to repeat.
    /// False for a write that may have been processed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether the provider may have processed the request although
    /// the call failed. Before you repeat a write, check whether it took effect.
    #[must_use]
    pub fn maybe_processed(&self) -> bool {
        self.0.maybe_processed
    }

    /// How long to wait before the next attempt, if known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether a person must request a new OTP.
    #[must_use]
    pub fn is_session_expired(&self) -> bool {
        self.0.kind == ErrorKind::SessionExpired
    }

    /// Whether the failure only means that there is nothing to list: GSTN
    /// sends a code instead of an empty list. Always false for an HTTP status other than 200.
    #[must_use]
    pub fn is_no_records(&self) -> bool {
        self.0.meaning == Some(CodeMeaning::NoRecords)
    }

    /// Whether GSTN is still preparing the answer: repeat the call later.
    /// [`retry_after`](Error::retry_after) is the wait, if GSTN sent one. The client does
    /// not retry such a call, since it takes minutes;
    /// [`wait_until_ready`](crate::wait_until_ready) does.
    #[must_use]
    pub fn is_not_ready(&self) -> bool {
        self.0.meaning == Some(CodeMeaning::NotReady)
    }
}

/// One code of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorCode {
    code: String,
    message: Option<String>,
}

impl ErrorCode {
    pub(crate) fn new(code: &str) -> Self {
        Self { code: escape_and_truncate(code, ID_CAP), message: None }
    }

    pub(crate) fn set_message(&mut self, message: Option<&str>) {
        self.message = message.map(|message| escape_and_truncate(message, TEXT_CAP));
    }

    /// The code, such as `AUTH4033` or `705`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the answer says of this code, or else what the document says.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        std::iter::once(&mut self.code).chain(&mut self.message)
    }
}

/// Additional information about a failure.
///
/// `Debug` shows only the code: the rest may be a taxpayer's data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ErrorInfo {
    code: String,
    text: Option<String>,
    members: Vec<(String, String)>,
}

impl ErrorInfo {
    pub(crate) fn new(code: &str, text: &str) -> Self {
        Self {
            code: escape_and_truncate(code, ID_CAP),
            text: Some(escape_and_truncate(text, TEXT_CAP)),
            members: Vec::new(),
        }
    }

    pub(crate) fn set_code(&mut self, code: Option<&str>) {
        self.code = escape_and_truncate(code.unwrap_or_default(), ID_CAP);
    }

    pub(crate) fn set_text(&mut self, text: &str) {
        self.text = Some(escape_and_truncate(text, TEXT_CAP));
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.members.push((escape_and_truncate(name, ID_CAP), escape_and_truncate(value, TEXT_CAP)));
    }

    /// What kind of information this is, such as `DUPIRN`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The information, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// A member of the information, if it is an object: `Irn`, `AckNo` and
    /// `AckDt` of a duplicate. Numbers are text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        self.text.iter_mut().chain(self.members.iter_mut().map(|(_, value)| value))
    }
}

impl fmt::Debug for ErrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorInfo").field("code", &self.code).finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        if let Some(operation) = details.operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(field) = &details.field {
            write!(f, "`{field}` ")?;
        }
        f.write_str(&details.reason)?;
        if let Some(message) = &details.provider_message {
            write!(f, ": {message}")?;
        } else {
            let told: Vec<_> = details.codes.iter().filter_map(ErrorCode::message).collect();
            if !told.is_empty() {
                write!(f, ": {}", escape_and_truncate(&told.join("; "), TEXT_CAP))?;
            }
        }

        let mut facts = Vec::new();
        match details.codes.as_slice() {
            [] => {}
            [code] => facts.push(format!("code {}", code.code)),
            codes => {
                let codes: Vec<_> = codes.iter().map(ErrorCode::code).collect();
                facts.push(format!("codes {}", codes.join(", ")));
            }
        }
        if let Some(status) = details.status {
            facts.push(format!("status {}", status.as_u16()));
        }
        if let Some(phase) = details.phase {
            facts.push(phase.as_str().to_owned());
        }
        if details.attempts > 1 {
            facts.push(format!("{} attempts", details.attempts));
        }
        if let Some(wait) = details.retry_after {
            facts.push(format!("retry after {} s", wait.as_secs_f64().ceil()));
        }
        let write = details.operation.and_then(Operation::find).is_none_or(|operation| !operation.idempotent);
        if details.maybe_processed && write {
            facts.push("may have been processed".to_owned());
        }
        if let Some(id) = &details.transaction_id {
            facts.push(format!("transaction {id}"));
        }
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        match details.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        f.debug_struct("Error")
            .field("kind", &details.kind)
            .field("message", &self.to_string())
            .field("source", &details.source)
            .finish_non_exhaustive()
    }
}

/// So that what is an [`Otp`](crate::values::Otp) already is taken where one can be made.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// `text` without `secret`, nor its start where `text` was cut.
pub(crate) fn redacted(text: String, secret: &str) -> String {
    const SHORTEST: usize = 4;
    const MASK: &str = "[redacted]";
    if secret.is_empty() {
        return text;
    }
    // Mostly it is not there, and then nothing is copied.
    let found =
        text.len() >= secret.len() && memchr::memmem::find(text.as_bytes(), secret.as_bytes()).is_some();
    let text = if found { text.replace(secret, MASK) } else { text };
    let Some(cut) = text.strip_suffix(CUT) else { return text };
    let start = (SHORTEST..secret.len()).rev().find_map(|length| cut.strip_suffix(secret.get(..length)?));
    match start {
        Some(rest) => format!("{rest}{MASK}{CUT}"),
        None => text,
    }
}

/// `text` on one line, control and formatting characters escaped, cut where
/// that makes more than `cap` characters.
pub(crate) fn escape_and_truncate(text: &str, cap: usize) -> String {
    let mut printed = String::with_capacity(text.len().min(cap));
    let mut left = cap;
    for character in text.trim().chars() {
        let escaped = character.is_control() || is_invisible(character);
        let length = if escaped { character.escape_unicode().len() } else { 1 };
        let Some(rest) = left.checked_sub(length) else {
            printed.push(CUT);
            break;
        };
        left = rest;
        if escaped {
            printed.extend(character.escape_unicode());
        } else {
            printed.push(character);
        }
    }
    printed
}

/// Characters that reorder or hide text on a terminal.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_provider_is_escaped_and_cut() {
        assert_eq!(escape_and_truncate("a\r\n\u{1b}[31mb\u{202e}", 80), "a\\u{d}\\u{a}\\u{1b}[31mb\\u{202e}");
        assert_eq!(escape_and_truncate(&"x".repeat(600), 512).chars().count(), 513);
    }

    #[test]
    fn every_phase_reads_as_part_of_a_sentence() {
        let line = |phase| Error::new(ErrorKind::Transport, "no answer").with_phase(phase).to_string();
        assert_eq!(line(Phase::Tls), "no answer (during the TLS handshake)");
        assert_eq!(line(Phase::Proxy), "no answer (during proxy connection)");
        assert_eq!(line(Phase::Connect), "no answer (while connecting)");
    }

    #[test]
    fn a_line_tells_what_failed_and_what_to_do() {
        let error = Error::new(ErrorKind::Api, "the provider failed")
            .in_operation("get_invoice_count")
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
            .with_provider_message(Some("Service Unavailable"))
            .with_transaction_id(Some("1607f8e9"))
            .after_attempts(3)
            .with_advice("try again later");
        assert_eq!(
            error.to_string(),
            "get_invoice_count: the provider failed: Service Unavailable \
             (status 503, 3 attempts, transaction 1607f8e9); try again later"
        );
    }
}
