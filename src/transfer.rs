//! Files behind signed URLs: the other door to the network.
//!
//! The hosts are not the API's. No key, token or header of it goes there, and
//! neither rate limit nor token renewal apply. The URL is a secret: it is in no
//! error, no log and no `Debug`.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use futures_util::{
    future::{self, Either},
    stream,
};
use reqwest::{
    Body, Method, Request, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
        HeaderValue, IF_RANGE, RANGE, RETRY_AFTER,
    },
};

use crate::{
    Client, Error, ErrorKind, Phase,
    client::{ClientState, LONGEST},
    environment::is_loopback,
    error::escape_and_truncate,
    field, regular_file, retry, transport,
    values::{SignedUrl, is_documented_host},
};

/// Bytes of a file that are read and handed on at once.
const PIECE: usize = 64 * 1024;
/// Bytes of a refusal that are read for its code.
const REFUSAL: usize = 16 * 1024;

/// The progress of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes so far. Restarts from 0 when an upload is retried.
    pub transferred: u64,
    /// Total bytes, if known.
    pub total: Option<u64>,
}

type Observer = Arc<dyn Fn(Progress) + Send + Sync>;

/// Uploads to and downloads from signed URLs; returned by [`Client::transfers`].
///
/// A transfer sends no API credentials, follows no redirects and does not count against
/// the rate limit. Only hosts of the provider's documented form are accepted
/// (`in-co-sandbox-….s3.ap-south-1.amazonaws.com`), by https, unless
/// [`allow_host`](Transfers::allow_host) adds one. A client with a loopback base URL,
/// such as that of a mock server, may also use loopback addresses.
///
/// Connection failures, timeouts and the statuses 408, 429, 500, 502, 503 and 504 are
/// retried as the client's [`RetryPolicy`](crate::RetryPolicy) says. An upload starts
/// again and replaces the file; a download resumes where it broke off. A transfer fails
/// if no data moves for longer than the client's attempt timeout.
///
/// ```
/// # #[cfg(all(feature = "mock", feature = "analytics"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let client = mock.client()?;
/// # let job = client.analytics().get_gstr_2b_reconciliation().job_id("d3d19997-c48a-4867-95b9-5a77c3567098").send().await?;
/// let url = job.reconciliation_report_url.as_ref().unwrap();
/// let transfers = client.transfers().on_progress(|progress| println!("{} bytes", progress.transferred));
///
/// let mut file = Vec::new(); // or a file, written piece by piece
/// let mut download = transfers.download(url).await?;
/// while let Some(piece) = download.chunk().await? {
///     file.extend_from_slice(&piece);
/// }
/// assert_eq!(download.received(), file.len() as u64);
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "mock", feature = "analytics")))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Transfers {
    state: ClientState,
    hosts: Vec<Box<str>>,
    max_bytes: u64,
    timeout: Duration,
    observer: Option<Observer>,
}

impl Client {
    /// Uploads to and downloads from the signed URLs in answers.
    #[must_use]
    pub fn transfers(&self) -> Transfers {
        Transfers {
            state: self.state().clone(),
            hosts: Vec::new(),
            max_bytes: 256 * 1024 * 1024,
            timeout: Duration::from_secs(30 * 60),
            observer: None,
        }
    }
}

impl Transfers {
    /// Accepts another host, or with a leading dot all hosts below a domain.
    /// Write it in lower case, without port.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().into());
        self
    }

    /// Largest file that is uploaded or downloaded, in bytes. Default 256 MiB.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Timeout of a whole transfer, retries included. Default 30 minutes, at
    /// most a day.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(Duration::from_millis(1), LONGEST);
        self
    }

    /// Tells `observer` after each piece of a file. It runs in the task of the
    /// transfer and should return quickly.
    #[must_use]
    pub fn on_progress(mut self, observer: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Uploads a file with PUT. The file is streamed, so it need not fit into
    /// memory. A second upload to the same URL replaces the first.
    ///
    /// **Cancel safety**: an upload stops if its future is dropped, and leaves
    /// no partial file. Upload it again.
    ///
    /// # Errors
    ///
    /// [`Input`](ErrorKind::Input) before anything is sent, with the field `url` for
    /// a host or scheme that is refused, `content` for a file that cannot be
    /// read. [`TooLarge`](ErrorKind::TooLarge) above the limit. [`Api`](ErrorKind::Api)
    /// with the host's status and code: 403 if the URL has expired or was
    /// altered. Otherwise a connection failure or a timeout.
    pub async fn upload(&self, url: &SignedUrl, content: &Content) -> Result<(), Error> {
        self.check(url)?;
        let deadline = Instant::now() + self.timeout;
        let mut attempt = 1;
        loop {
            let result = self.put(url, content, deadline).await;
            let Err(error) = result else { return Ok(()) };
            let Some(pause) = self.pause_after(&error, attempt, deadline) else {
                return Err(ended(error, attempt));
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Starts a download. It is complete when [`chunk`](Download::chunk) returns `None`.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Transfers::upload) except for the field
    /// `content`; [`Decode`](ErrorKind::Decode) for an answer that is not a file.
    pub async fn download(&self, url: &SignedUrl) -> Result<Download, Error> {
        self.check(url)?;
        let mut download = Download {
            transfers: self.clone(),
            url: url.clone(),
            response: None,
            received: 0,
            skip: 0,
            ready: None,
            total: None,
            etag: None,
            attempt: 1,
            deadline: Instant::now() + self.timeout,
        };
        download.connected().await?;
        Ok(download)
    }

    /// Refuses a URL that must not be used.
    fn check(&self, url: &SignedUrl) -> Result<(), Error> {
        let parsed = url.parsed()?;
        let host = parsed.host_str().unwrap_or_default();
        let allowed = |known: &str| {
            host == known
                || known.starts_with('.') && host.strip_suffix(known).is_some_and(|name| !name.is_empty())
        };
        let own = self.state.base_url().plain && is_loopback(host);
        if is_documented_host(host) || own || self.hosts.iter().any(|known| allowed(known)) {
            return Ok(());
        }
        let host = escape_and_truncate(host, 80);
        Err(Error::input(
            field::URL,
            format!("names the host {host}, which is not one that the provider documents"),
        )
        .with_advice("if the host is right, accept it with `Transfers::allow_host`"))
    }

    async fn put(&self, url: &SignedUrl, content: &Content, deadline: Instant) -> Result<(), Error> {
        let (body, length) = content.open(self)?;
        let mut request = request(Method::PUT, url)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.media_type));
        // S3 takes no upload whose length is not told at the start.
        headers.insert(CONTENT_LENGTH, length.into());
        let activity = Activity::new();
        *request.body_mut() = Some(body.stream(activity.clone(), length, self.observer.clone()));
        let response = self.answered(request, &activity, deadline).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            _ => Err(self.refused(response, deadline).await.with_maybe_processed(true)),
        }
    }

    /// Sends a request and waits for the head of its answer, as long as
    /// something moves.
    async fn answered(
        &self,
        request: Request,
        activity: &Activity,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let plain = request.url().scheme() == "http";
        let response = pin!(self.state.file_http(plain)?.execute(request));
        let stalled = pin!(activity.stalled(self.idle(), deadline));
        match future::select(response, stalled).await {
            Either::Left((Ok(response), _)) => Ok(response),
            Either::Left((Err(error), _)) => Err(transport::classify(error, Phase::ResponseHeaders, false)),
            Either::Right(((), _)) => {
                Err(Error::new(ErrorKind::Timeout, "the file host did not answer in time")
                    .with_phase(Phase::ResponseHeaders)
                    .with_maybe_processed(true))
            }
        }
    }

    /// The error for a status that is not a success, with the code that S3 gives.
    async fn refused(&self, mut response: Response, deadline: Instant) -> Error {
        let status = response.status();
        let mut body = Vec::new();
        while body.len() < REFUSAL
            && let Ok(Ok(Some(piece))) =
                tokio::time::timeout(self.idle().min(left(deadline)), response.chunk()).await
        {
            body.extend_from_slice(&piece);
        }
        let error = match status.as_u16() {
            300..=399 => Error::new(ErrorKind::Api, "the file host redirects, which is never followed"),
            403 => Error::new(ErrorKind::Api, "the file host refused the signed URL")
                .with_advice("it expires after 24 hours as a rule: ask the API for a new one"),
            404 => Error::new(ErrorKind::Api, "the file is not there"),
            429 => Error::new(ErrorKind::RateLimited, "too many requests to the file host"),
            200..=299 => {
                Error::new(ErrorKind::Decode, "the file host answered with something else than a file")
            }
            _ => Error::new(ErrorKind::Api, "the file host failed"),
        };
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        error
            .with_status(status)
            .with_error_code(code_of(&body).as_deref())
            .with_retry_after(wait.and_then(|value| retry::retry_after(value, SystemTime::now())))
    }

    fn pause_after(&self, error: &Error, attempt: u32, deadline: Instant) -> Option<Duration> {
        retry::pause(&self.state.policy().retry, true, error, attempt, left(deadline), fastrand::f64())
    }

    /// How long nothing may move.
    fn idle(&self) -> Duration {
        self.state.policy().attempt_timeout
    }

    fn too_large(&self) -> Error {
        Error::new(ErrorKind::TooLarge, format!("the file is larger than {} bytes", self.max_bytes))
            .with_advice("raise `Transfers::max_bytes` if such files are expected")
    }
}

impl fmt::Debug for Transfers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfers")
            .field("hosts", &self.hosts)
            .field("max_bytes", &self.max_bytes)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A request to the host of a signed URL: nothing that the URL does not ask for.
fn request(method: Method, url: &SignedUrl) -> Result<Request, Error> {
    let mut request = Request::new(method, url.parsed()?);
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(request)
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The error of a whole transfer, made of that of its last attempt.
fn ended(error: Error, attempts: u32) -> Error {
    let retryable = retry::is_retryable(true, &error);
    error.after_attempts(attempts).retryable(retryable)
}

/// The code in a refusal of S3, such as `SignatureDoesNotMatch`. Nothing else
/// of it is kept: other members repeat the signature and the key.
fn code_of(body: &[u8]) -> Option<String> {
    let start = memchr::memmem::find(body, b"<Code>")? + b"<Code>".len();
    let length = memchr::memmem::find(&body[start..], b"</Code>")?;
    let code = str::from_utf8(&body[start..start + length]).ok()?;
    (code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| code.to_owned())
}

// --- upload -------------------------------------------------------------------

/// The content of an upload: bytes in memory, or a file that is read while it is sent.
#[derive(Clone)]
pub struct Content {
    source: Source,
    media_type: &'static str,
}

#[derive(Clone)]
enum Source {
    Bytes(Bytes),
    File(PathBuf),
}

impl Content {
    /// JSON in memory.
    #[must_use]
    pub fn json(bytes: impl Into<Bytes>) -> Self {
        Self { source: Source::Bytes(bytes.into()), media_type: "application/json" }
    }

    /// A regular file that holds JSON. It is opened when it is sent, and again
    /// when it must be sent again.
    #[must_use]
    pub fn json_file(path: impl Into<PathBuf>) -> Self {
        Self { source: Source::File(path.into()), media_type: "application/json" }
    }

    #[cfg(feature = "analytics")]
    /// The whole content, for a check before it is sent.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn io::Read + '_>> {
        Ok(match &self.source {
            Source::Bytes(bytes) => Box::new(&bytes[..]),
            Source::File(path) => Box::new(io::BufReader::new(regular_file::open(path)?)),
        })
    }

    /// The content from its start, and its length.
    fn open(&self, limits: &Transfers) -> Result<(Opened, u64), Error> {
        let (opened, length) = match &self.source {
            Source::Bytes(bytes) => (Opened::Bytes(bytes.clone()), bytes.len() as u64),
            Source::File(path) => {
                let opened = regular_file::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
                let (length, file) = opened.map_err(unreadable)?;
                (Opened::File(file), length)
            }
        };
        if length > limits.max_bytes {
            return Err(limits.too_large());
        }
        Ok((opened, length))
    }
}

pub(crate) fn unreadable(error: io::Error) -> Error {
    Error::input(field::CONTENT, format!("cannot be read: {error}")).with_source(error)
}

/// Shows neither path nor data.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

enum Opened {
    Bytes(Bytes),
    File(File),
}

impl Opened {
    /// The next piece, none at the end.
    async fn piece(self, limit: usize) -> io::Result<(Bytes, Self)> {
        match self {
            Self::Bytes(mut bytes) => {
                let piece = bytes.split_to(limit.min(bytes.len()));
                Ok((piece, Self::Bytes(bytes)))
            }
            Self::File(mut file) => tokio::task::spawn_blocking(move || {
                let mut piece = Vec::with_capacity(limit);
                (&mut file).take(limit as u64).read_to_end(&mut piece)?;
                Ok((piece.into(), Self::File(file)))
            })
            .await
            .map_err(io::Error::other)?,
        }
    }

    /// The content as a body of exactly `length` bytes.
    fn stream(self, activity: Activity, length: u64, observer: Option<Observer>) -> Body {
        Body::wrap_stream(stream::try_unfold((self, 0), move |(content, sent)| {
            let (activity, observer) = (activity.clone(), observer.clone());
            async move {
                let limit = usize::try_from(length - sent).unwrap_or(PIECE).min(PIECE);
                if limit == 0 {
                    return Ok(None);
                }
                let (piece, content) = content.piece(limit).await?;
                if piece.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
                }
                let sent = sent + piece.len() as u64;
                activity.note();
                if let Some(observer) = observer {
                    observer(Progress { transferred: sent, total: Some(length) });
                }
                Ok(Some((piece, (content, sent))))
            }
        }))
    }
}

/// When something last moved.
#[derive(Clone)]
struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Returns when nothing has moved for `idle`, or at the deadline.
    async fn stalled(&self, idle: Duration, deadline: Instant) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let until = (last + idle).min(deadline);
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

// --- download -----------------------------------------------------------------

/// A file that is being downloaded; returned by [`Transfers::download`].
///
/// If the connection breaks, the download reconnects and resumes: with `Range` if the
/// host supports it, otherwise by reading the file from the start and skipping the part
/// that it has. Both need the host's `ETag`, so that parts of two files are never joined.
pub struct Download {
    transfers: Transfers,
    url: SignedUrl,
    response: Option<Response>,
    received: u64,
    /// Bytes to drop of a file that came from its start once more.
    skip: u64,
    /// A piece that was received and not given yet.
    ready: Option<Bytes>,
    total: Option<u64>,
    /// The strong validator of the file.
    etag: Option<HeaderValue>,
    /// Of the attempts since something was last received, the number of this one.
    attempt: u32,
    deadline: Instant,
}

impl Download {
    /// Size of the file in bytes, if the host sends it.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Bytes received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next chunk of the file; `None` at its end. Cancel
    /// safe.
    ///
    /// # Errors
    ///
    /// [`Transport`](ErrorKind::Transport) or [`Timeout`](ErrorKind::Timeout) if the
    /// download broke off and could not be resumed, [`TooLarge`](ErrorKind::TooLarge)
    /// above the limit, [`Decode`](ErrorKind::Decode) if the file on the host has
    /// changed meanwhile. Discard the chunks that you received.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match self.ready.take() {
            Some(piece) => Ok(Some(piece)),
            None => self.next().await,
        }
    }

    /// Peeks at the first bytes of the file; empty for an empty file.
    #[cfg(feature = "analytics")]
    pub(crate) async fn start(&mut self) -> Result<&[u8], Error> {
        const ENOUGH: usize = 4;
        let mut start = bytes::BytesMut::new();
        while start.len() < ENOUGH
            && let Some(piece) = self.chunk().await?
        {
            start.extend_from_slice(&piece);
        }
        Ok(self.ready.insert(start.freeze()))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            self.connected().await?;
            let Some(response) = &mut self.response else { continue };
            let idle = self.transfers.idle().min(left(self.deadline));
            let error = match tokio::time::timeout(idle, response.chunk()).await {
                Ok(Ok(Some(piece))) => match self.take(piece)? {
                    Some(piece) => return Ok(Some(piece)),
                    None => continue,
                },
                Ok(Ok(None)) if self.skip == 0 && self.total.is_none_or(|total| total == self.received) => {
                    return Ok(None);
                }
                Ok(Ok(None)) => Error::new(ErrorKind::Transport, "the file ended before its end"),
                Ok(Err(error)) => transport::classify(error, Phase::ResponseBody, false),
                Err(_) => Error::new(ErrorKind::Timeout, "no more of the file in time"),
            };
            self.broken(error.with_phase(Phase::ResponseBody)).await?;
        }
    }

    /// The rest of the file, in memory.
    ///
    /// # Errors
    ///
    /// Those of [`chunk`](Download::chunk).
    pub async fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut file = Vec::new();
        while let Some(piece) = self.chunk().await? {
            file.extend_from_slice(&piece);
        }
        Ok(file)
    }

    /// What is new of a piece, if anything is.
    fn take(&mut self, mut piece: Bytes) -> Result<Option<Bytes>, Error> {
        let known = self.skip.min(piece.len() as u64);
        self.skip -= known;
        let piece = piece.split_off(usize::try_from(known).unwrap_or(usize::MAX));
        if piece.is_empty() {
            return Ok(None);
        }
        let received = self.received + piece.len() as u64;
        if received > self.transfers.max_bytes {
            return Err(self.transfers.too_large());
        }
        if self.total.is_some_and(|total| received > total) {
            return Err(Error::new(ErrorKind::Decode, "the file is longer than the host said"));
        }
        self.received = received;
        self.attempt = 1;
        if let Some(observer) = &self.transfers.observer {
            observer(Progress { transferred: received, total: self.total });
        }
        Ok(Some(piece))
    }

    /// Makes the connection where there is none, as often as the policy says.
    async fn connected(&mut self) -> Result<(), Error> {
        while self.response.is_none() {
            if let Err(error) = self.connect().await {
                self.broken(error).await?;
            }
        }
        Ok(())
    }

    /// Waits before the next attempt, where there is to be one.
    async fn broken(&mut self, error: Error) -> Result<(), Error> {
        self.response = None;
        let error = error.with_maybe_processed(false);
        if self.received > 0 && self.etag.is_none() {
            return Err(
                ended(error, self.attempt).with_advice("begin again: the host gives no ETag to resume by")
            );
        }
        let Some(pause) = self.transfers.pause_after(&error, self.attempt, self.deadline) else {
            return Err(ended(error, self.attempt));
        };
        self.attempt += 1;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Asks for the file, or for the rest of it.
    async fn connect(&mut self) -> Result<(), Error> {
        let mut request = request(Method::GET, &self.url)?;
        if let Some(etag) = self.etag.as_ref().filter(|_| self.received > 0) {
            let headers = request.headers_mut();
            let range = format!("bytes={}-", self.received);
            headers.insert(RANGE, range.try_into().expect("digits"));
            headers.insert(IF_RANGE, etag.clone());
        }
        let response = self.transfers.answered(request, &Activity::new(), self.deadline).await?;
        let not_the_same =
            || Error::new(ErrorKind::Decode, "the file on the host has changed meanwhile; begin again");
        let headers = response.headers();
        match response.status() {
            StatusCode::OK if self.received == 0 => {
                self.total = response.content_length();
                self.etag = strong_etag(headers);
            }
            // The whole file once more: from a host without ranges, or since it has changed.
            StatusCode::OK if strong_etag(headers) == self.etag => self.skip = self.received,
            StatusCode::OK => return Err(not_the_same()),
            StatusCode::PARTIAL_CONTENT if self.received > 0 => {
                let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
                let (start, total) = range.and_then(start_and_total).ok_or_else(not_the_same)?;
                let same = headers.get(ETAG).is_none() || strong_etag(headers) == self.etag;
                if !same
                    || start != self.received
                    || total.is_some() && self.total.is_some() && total != self.total
                {
                    return Err(not_the_same());
                }
                self.skip = 0;
            }
            _ => return Err(self.transfers.refused(response, self.deadline).await),
        }
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Error::new(ErrorKind::Decode, "the file came compressed, which was not asked for"));
        }
        if self.total.is_some_and(|total| total > self.transfers.max_bytes) {
            return Err(self.transfers.too_large());
        }
        self.response = Some(response);
        Ok(())
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("received", &self.received)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

/// The `ETag` by which a file can be told from a changed one.
fn strong_etag(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\"")).cloned()
}

/// Where a part begins, and how large the whole is: `bytes 7-9/10`.
fn start_and_total(range: &str) -> Option<(u64, Option<u64>)> {
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_a_refusal_is_kept() {
        let body =
            b"<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>x</Message></Error>";
        assert_eq!(code_of(body).as_deref(), Some("SignatureDoesNotMatch"));
        for other in
            [&b"<Code></Code"[..], b"<html>", b"<Code>a b</Code>", b"<Code>/a?X-Amz-Signature=1</Code>"]
        {
            assert_eq!(code_of(other), None);
        }
    }

    #[test]
    fn a_range_is_read_or_refused() {
        assert_eq!(start_and_total("bytes 7-9/10"), Some((7, Some(10))));
        assert_eq!(start_and_total("bytes 7-9/*"), Some((7, None)));
        for other in ["", "bytes */10", "7-9/10", "bytes 7-9", "bytes -9/10"] {
            assert_eq!(start_and_total(other), None, "{other}");
        }
    }
}
