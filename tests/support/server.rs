//! Servers on a loopback port that follow a script and keep a record.

use std::{
    fmt::Write as _,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it arrived.
#[derive(Clone)]
pub struct Request {
    pub at: Instant,
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// Method and target: `GET /path?query`.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The names of all headers in lower case, sorted.
    pub fn header_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort();
        names
    }
}

#[derive(Default)]
struct Record {
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    requests: Mutex<Vec<Request>>,
}

/// A server that lives as long as this value.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    record: Arc<Record>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Each connection is handled by `script`, and closed when that returns.
    pub async fn scripted<F, D>(script: F) -> Self
    where
        F: Fn(Connection) -> D + Clone + Send + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let record = Arc::new(Record::default());
        let task = tokio::spawn(accept(listener, Arc::clone(&record), script));
        Self { address, scheme: "http", record, task }
    }

    /// The same behind TLS: `script` sees what was decrypted. A handshake that
    /// fails counts as a connection and reaches no script.
    pub async fn over_tls<F, D>(acceptor: tokio_rustls::TlsAcceptor, script: F) -> Self
    where
        F: Fn(Connection<tokio_rustls::server::TlsStream<TcpStream>>) -> D + Clone + Send + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        let mut server = Self::scripted(move |plain: Connection| {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            async move {
                let Connection { number, stream, record, .. } = plain;
                if let Ok(stream) = acceptor.accept(stream).await {
                    script(Connection { number, stream, record, unread: Vec::new() }).await;
                }
            }
        })
        .await;
        server.scheme = "https";
        server
    }

    /// Answers the first request with the first of `answers` and so on; the
    /// last answer serves all further requests. Connections are kept alive.
    pub async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let answers: Arc<[Vec<u8>]> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a server needs an answer");
        Self::scripted(move |mut connection| {
            let answers = Arc::clone(&answers);
            async move {
                while connection.request().await.is_some() {
                    let answer = &answers[connection.hits().min(answers.len()) - 1];
                    connection.send(answer).await;
                }
            }
        })
        .await
    }

    /// Gives every request the same answer.
    pub async fn always(answer: Vec<u8>) -> Self {
        Self::answering([answer]).await
    }

    /// Reads requests and never answers.
    pub async fn silent() -> Self {
        Self::scripted(|mut connection| async move { while connection.request().await.is_some() {} }).await
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many requests have arrived.
    pub fn hits(&self) -> usize {
        self.record.requests.lock().unwrap().len()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.record.requests.lock().unwrap().clone()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.record.open.load(Ordering::SeqCst)
    }

    /// How many connections were open at once.
    pub fn most_open(&self) -> usize {
        self.record.most_open.load(Ordering::SeqCst)
    }

    /// Waits until `hits` requests have arrived.
    pub async fn until_hits(&self, hits: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.hits() < hits {
            assert!(Instant::now() < deadline, "{} of {hits} requests arrived", self.hits());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn accept<F, D>(listener: TcpListener, record: Arc<Record>, script: F)
where
    F: Fn(Connection) -> D,
    D: Future<Output = ()> + Send + 'static,
{
    // Dropped with the server, which ends its connections too.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let number = record.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let open = record.open.fetch_add(1, Ordering::SeqCst) + 1;
        record.most_open.fetch_max(open, Ordering::SeqCst);
        let handled = script(Connection { number, stream, record: Arc::clone(&record), unread: Vec::new() });
        let record = Arc::clone(&record);
        connections.spawn(async move {
            handled.await;
            record.open.fetch_sub(1, Ordering::SeqCst);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One accepted connection.
pub struct Connection<S = TcpStream> {
    /// Counted from 1.
    pub number: usize,
    pub(super) stream: S,
    record: Arc<Record>,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Reads one request, body included; `None` once the client has left.
    pub async fn request(&mut self) -> Option<Request> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.unread, b"\r\n\r\n") {
                break end + 4;
            }
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        let mut request = Request { at: Instant::now(), head, body: Vec::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.unread.len() < end + length {
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
        request.body = self.unread[end..end + length].to_vec();
        self.unread.drain(..end + length);
        self.record.requests.lock().unwrap().push(request.clone());
        Some(request)
    }

    /// How many requests all connections have seen.
    pub fn hits(&self) -> usize {
        self.record.requests.lock().unwrap().len()
    }

    /// Notes a request that did not come as HTTP/1 text.
    pub fn count_hit(&self, head: String) {
        let request = Request { at: Instant::now(), head, body: Vec::new() };
        self.record.requests.lock().unwrap().push(request);
    }

    /// Sends bytes. A client that has left is no fault of the script.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Sends one byte at a time, until the client leaves.
    pub async fn dribble(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) {
        for byte in bytes.as_ref() {
            if self.stream.write_all(&[*byte]).await.is_err() || self.stream.flush().await.is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Does nothing until the client leaves.
    pub async fn hang(&mut self) {
        let mut unread = [0; 1024];
        while self.stream.read(&mut unread).await.is_ok_and(|read| read > 0) {}
    }

    /// Reads exactly as many bytes as asked for.
    pub async fn read_exact(&mut self, bytes: &mut [u8]) -> Option<()> {
        self.stream.read_exact(bytes).await.ok().map(drop)
    }
}

impl Connection {
    /// Ends the connection with RST in place of FIN.
    pub fn reset(self) {
        self.stream.set_zero_linger().expect("SO_LINGER");
    }
}

/// The bytes of an answer with a JSON body.
pub fn answer(status: u16, body: &Value) -> Vec<u8> {
    answer_with(status, &[("content-type", "application/json")], body.to_string())
}

/// The bytes of an answer.
pub fn answer_with(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut answer = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        let _ = write!(answer, "{name}: {value}\r\n");
    }
    let mut answer = (answer + "\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// An envelope with status 200 around `data`.
pub fn envelope(data: &Value) -> Value {
    json!({"code": 200, "timestamp": 1_763_446_641_000_u64, "transaction_id": "t-200", "data": data})
}

/// A success: twelve invoices, eleven without action.
pub fn success() -> Vec<u8> {
    answer(200, &counts())
}

/// The body of [`success`].
pub fn success_body() -> Vec<u8> {
    counts().to_string().into_bytes()
}

fn counts() -> Value {
    let b2b = json!({"noaction": 11, "reject": 0, "pending": 0, "accept": 1});
    envelope(&json!({"status_cd": "1", "data": {"all_oth": {"b2b": b2b, "ttl_cnt": 12}}}))
}

/// A failure with a status of its own, as the provider words it.
pub fn failure(status: u16, message: &str) -> Vec<u8> {
    let id = format!("t-{status}");
    answer(
        status,
        &json!({"code": status, "message": message, "timestamp": 1_763_446_641_000_u64, "transaction_id": id}),
    )
}
