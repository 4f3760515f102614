//! Faults of the network (cases N): what is retried, what is told, and that
//! nothing is sent where it should not be.

use std::{
    error::Error as StdError,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use sandbox_client::{ErrorKind, Phase};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{
    self, Authority, Child, Frames, Secrets, Server, answer, answer_with, assert_fault, call, client,
    client_of, envelope, failing, failure, impatient, self_signed, success, success_body,
};

const SECOND: Duration = Duration::from_secs(1);

/// A port that nothing listens on.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
#[tokio::test]
async fn nothing_listens() {
    let url = format!("http://127.0.0.1:{}", free_port().await);
    let error = failing(&client_of(url).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Transport, Phase::Connect, false);
    assert_eq!(error.attempts(), 3);
    assert!(error.is_retryable());
}
#[tokio::test]
async fn a_silent_server_is_left_at_the_attempt_timeout() {
    let server = Server::silent().await;
    let started = Instant::now();
    let error = failing(&impatient(&server).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::ResponseHeaders, true);
    assert_eq!((server.hits(), error.attempts()), (3, 3));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(600), "{took:?}");
    assert!(took < 4 * SECOND, "{took:?}");
}

/// The limit of the whole call ends it in the middle of an attempt.
#[tokio::test]
async fn a_silent_server_is_left_at_the_call_timeout() {
    let server = Server::silent().await;
    let client = client(&server).call_timeout(Duration::from_millis(300)).build().unwrap();
    let started = Instant::now();
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::ResponseHeaders, true);
    assert_eq!(server.hits(), 1);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(300) && took < 3 * SECOND, "{took:?}");
}

/// A listener whose queue is full swallows connections without a word.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_black_hole_is_left_at_the_connect_timeout() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        queued.push(stream);
    }

    let client =
        client_of(format!("http://{address}")).connect_timeout(Duration::from_millis(100)).build().unwrap();
    let started = Instant::now();
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::Connect, false);
    assert_eq!(error.attempts(), 3);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(300) && took < 5 * SECOND, "{took:?}");
}
#[tokio::test]
async fn a_reset_right_after_accept_is_retried() {
    let server = Server::scripted(|connection| async { connection.reset() }).await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Transport, Some(Phase::ResponseHeaders)),
        "{error:?}"
    );
    assert_eq!((server.connections(), error.attempts()), (3, 3));
}
#[tokio::test]
async fn a_reset_after_the_request_may_have_been_processed() {
    let server = Server::scripted(|mut connection| async {
        connection.request().await;
        connection.reset();
    })
    .await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Transport, Phase::ResponseHeaders, true);
    assert_eq!(server.hits(), 3);
}
#[tokio::test]
async fn a_connection_closed_while_idle_costs_nothing() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send(success()).await;
    })
    .await;
    let client = client(&server).build().unwrap();
    for _ in 0..3 {
        call(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!((server.hits(), server.connections()), (3, 3));
}

/// The server closes at the moment when the next request arrives.
#[tokio::test]
async fn a_connection_closed_under_the_next_request_costs_one_retry() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send(success()).await;
        if connection.number == 1 {
            connection.request().await;
        } else {
            connection.hang().await;
        }
    })
    .await;
    let client = client(&server).build().unwrap();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!((server.hits(), server.connections()), (3, 2));
}

/// An answer that ends too early is no answer, however complete
/// the JSON looks.
#[tokio::test]
async fn a_cut_answer_is_retried_and_never_half_read() {
    let whole = String::from_utf8(success()).unwrap();
    let body = whole.split_once("\r\n\r\n").unwrap().1;
    let cut_head = "HTTP/1.1 200 OK\r\ncontent-type: appl".to_owned();
    let cut_body = whole[..whole.len() - 20].to_owned();
    // The JSON is complete, the framing is not.
    let short = format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{body}");
    let cut_chunk = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n{body}");
    let no_last_chunk =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len());
    for (cut, phase) in [
        (cut_head, Phase::ResponseHeaders),
        (cut_body, Phase::ResponseBody),
        (short, Phase::ResponseBody),
        (cut_chunk, Phase::ResponseBody),
        (no_last_chunk, Phase::ResponseBody),
    ] {
        let sent = cut.clone();
        let server = Server::scripted(move |mut connection| {
            let cut = sent.clone();
            async move {
                connection.request().await;
                connection.send(cut).await;
            }
        })
        .await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_fault(&error, ErrorKind::Transport, phase, true);
        assert_eq!(server.hits(), 3, "{cut}");

        let server = Server::scripted(move |mut connection| {
            let cut = cut.clone();
            async move {
                connection.request().await;
                let answer = if connection.number == 1 { cut.into_bytes() } else { success() };
                connection.send(answer).await;
            }
        })
        .await;
        let counts = call(&client(&server).build().unwrap()).await.unwrap();
        assert_eq!((counts.total(), server.hits()), (12, 2));
    }
}

/// With compression: the connection broke, which is no fault of the data.
#[tokio::test]
async fn a_cut_compressed_body_is_a_broken_connection() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        let packed = answer_with(200, &[("content-encoding", "gzip")], support::gzip(b"{\"code\": 200}"));
        connection.send(&packed[..packed.len() - 12]).await;
    })
    .await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Transport, Phase::ResponseBody, true);
    assert_eq!(server.hits(), 3);
}
#[tokio::test]
async fn a_dribbled_body_is_left_at_the_attempt_timeout() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        connection.dribble([b' '; 1000], Duration::from_millis(20)).await;
    })
    .await;
    let error = failing(&impatient(&server).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::ResponseBody, true);
    assert_eq!((server.hits(), error.status()), (3, Some(200)));
}
#[tokio::test]
async fn a_dribbled_head_is_left_at_the_attempt_timeout() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.dribble(success(), Duration::from_millis(20)).await;
    })
    .await;
    let error = failing(&impatient(&server).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::ResponseHeaders, true);
    assert_eq!(server.hits(), 3);
}

/// Heads that are too large or not HTTP.
#[tokio::test]
async fn a_head_that_is_not_http_fails_without_a_retry() {
    let line = format!("x-padding: {}\r\n", "x".repeat(1000));
    let huge = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", line.repeat(600));
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "a: b\r\n".repeat(500));
    let lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}".to_owned();
    let other_protocol = "SSH-2.0-OpenSSH_9.2\r\n".to_owned();
    for head in [huge, many, lengths, other_protocol] {
        let sent = head.clone();
        let server = Server::scripted(move |mut connection| {
            let head = sent.clone();
            async move {
                connection.request().await;
                connection.send(head).await;
                connection.hang().await;
            }
        })
        .await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:?} {}", &head[..20]);
        assert!(error.maybe_processed());
        assert_eq!(server.hits(), 1, "{}", &head[..20]);
    }
}
#[tokio::test]
async fn interim_answers_are_skipped() {
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n",
    ] {
        let server = Server::always([interim.as_bytes(), &success()].concat()).await;
        assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
        assert_eq!(server.hits(), 1);
    }
}

/// A server that speaks HTTP/2 in the clear, and a client that knows.
async fn http2<D>(script: impl Fn(Frames<TcpStream>) -> D + Clone + Send + Sync + 'static) -> Server
where
    D: Future<Output = Option<()>> + Send + 'static,
{
    Server::scripted(move |connection| {
        let script = script.clone();
        async move {
            if let Some(frames) = Frames::accept(connection).await {
                script(frames).await;
            }
        }
    })
    .await
}

fn http2_client(server: &Server) -> sandbox_client::Client {
    client(server).http(reqwest::Client::builder().http2_prior_knowledge()).build().unwrap()
}
#[tokio::test]
async fn a_refused_http2_stream_is_sent_again() {
    let server = http2(|mut frames| async move {
        loop {
            let stream = frames.request().await?;
            if frames.hits() == 1 {
                frames.reset(stream, Frames::<TcpStream>::REFUSED_STREAM).await;
            } else {
                frames.answer(stream, &success_body()).await;
            }
        }
    })
    .await;
    assert_eq!(call(&http2_client(&server)).await.unwrap().total(), 12);
    assert_eq!((server.hits(), server.connections()), (2, 1));
}
#[tokio::test]
async fn an_http2_server_that_goes_away_is_asked_again_on_a_new_connection() {
    let server = http2(|mut frames| async move {
        loop {
            let stream = frames.request().await?;
            if frames.number() == 1 {
                frames.go_away(0, Frames::<TcpStream>::NO_ERROR).await;
                return None;
            }
            frames.answer(stream, &success_body()).await;
        }
    })
    .await;
    assert_eq!(call(&http2_client(&server)).await.unwrap().total(), 12);
    assert_eq!((server.hits(), server.connections()), (2, 2));
}

/// Three attempts, each with two resends that HTTP/2 itself allows.
#[tokio::test]
async fn an_http2_server_that_always_refuses_is_left() {
    let server = http2(|mut frames| async move {
        loop {
            let stream = frames.request().await?;
            frames.reset(stream, Frames::<TcpStream>::REFUSED_STREAM).await;
        }
    })
    .await;
    let error = failing(&http2_client(&server)).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 3), "{error:?}");
    assert!(server.hits() <= 9, "{} hits", server.hits());
}
#[tokio::test]
async fn an_http2_stream_reset_in_the_body_is_retried() {
    let server = http2(|mut frames| async move {
        loop {
            let stream = frames.request().await?;
            frames.start(stream, &success_body()).await;
            frames.reset(stream, Frames::<TcpStream>::INTERNAL_ERROR).await;
        }
    })
    .await;
    let error = failing(&http2_client(&server)).await;
    assert_fault(&error, ErrorKind::Transport, Phase::ResponseBody, true);
    assert_eq!(server.hits(), 3);
}
#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_stops_everything() {
    let authority = Authority::new();
    let stranger = Authority::new();
    for (what, acceptor) in [
        ("self-signed", self_signed("127.0.0.1")),
        ("unknown root", stranger.server("127.0.0.1")),
        ("wrong host", authority.server("api.sandbox.co.in")),
        ("expired", authority.expired("127.0.0.1")),
    ] {
        let server = Server::over_tls(acceptor, |mut connection| async move {
            connection.request().await;
            connection.send(success()).await;
        })
        .await;
        // That the caller has switched checks off does not count.
        let careless = authority
            .trusted()
            .tls_danger_accept_invalid_certs(true)
            .tls_danger_accept_invalid_hostnames(true);
        for http in [authority.trusted(), careless] {
            let before = server.connections();
            let error = failing(&client(&server).http(http).build().unwrap()).await;
            assert_fault(&error, ErrorKind::Transport, Phase::Tls, false);
            assert!(error.to_string().contains("certificates that this system trusts"), "{error}");
            assert!(!error.is_retryable(), "{what}");
            assert_eq!((server.connections() - before, server.hits()), (1, 0), "{what}");
        }
    }
}

/// A good certificate is taken, over HTTP/1 and HTTP/2.
#[tokio::test]
async fn a_good_certificate_is_trusted() {
    let authority = Authority::new();
    let server = Server::over_tls(authority.server("127.0.0.1"), |mut connection| async move {
        while connection.request().await.is_some() {
            connection.send(success()).await;
        }
    })
    .await;
    let http1 = client(&server).http(authority.trusted()).build().unwrap();
    assert_eq!(call(&http1).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 1);

    let server = Server::over_tls(authority.server_h2("127.0.0.1"), |connection| async move {
        let Some(mut frames) = Frames::accept(connection).await else { return };
        while let Some(stream) = frames.request().await {
            frames.answer(stream, &success_body()).await;
        }
    })
    .await;
    let http2 = client(&server).http(authority.trusted()).build().unwrap();
    assert_eq!(call(&http2).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 1);
}

/// A server hello of TLS 1.1, and the alert of a server that wants TLS 1.0.
#[tokio::test]
async fn old_tls_is_refused() {
    let mut hello = vec![2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    // No session id, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
    hello.extend([0, 0, 0x2f, 0]);
    let mut server_hello = vec![22, 3, 2, 0, 42];
    server_hello.extend(hello);
    let protocol_version = vec![21, 3, 1, 0, 2, 2, 70];
    for bytes in [server_hello, protocol_version] {
        let server = Server::scripted(move |mut connection| {
            let bytes = bytes.clone();
            async move {
                connection.read_exact(&mut [0; 5]).await;
                connection.send(bytes).await;
                connection.hang().await;
            }
        })
        .await;
        let url = server.url().replace("http", "https");
        let error = failing(&client_of(url).http(Authority::new().trusted()).build().unwrap()).await;
        assert_fault(&error, ErrorKind::Transport, Phase::Tls, false);
        assert_eq!((server.connections(), server.hits()), (1, 0));
    }
}

/// A server that hangs up in the middle of the handshake may be restarting.
#[tokio::test]
async fn a_handshake_that_is_cut_is_retried() {
    let server = Server::scripted(|mut connection| async move {
        connection.read_exact(&mut [0; 5]).await;
    })
    .await;
    let url = server.url().replace("http", "https");
    let error = failing(&client_of(url).http(Authority::new().trusted()).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Transport, Phase::Connect, false);
    assert_eq!(server.connections(), 3);
}

/// Answers every name as if it did not exist, and counts.
#[derive(Clone, Default)]
struct NoNames(Arc<AtomicUsize>);

impl Resolve for NoNames {
    fn resolve(&self, name: Name) -> Resolving {
        self.0.fetch_add(1, Ordering::SeqCst);
        let reason = format!("{} is not known", name.as_str());
        Box::pin(async { Err::<Addrs, Box<dyn StdError + Send + Sync>>(io::Error::other(reason).into()) })
    }
}
#[tokio::test]
async fn a_host_name_that_does_not_exist() {
    let names = NoNames::default();
    let secrets = Secrets::fresh();
    let http = Authority::new().trusted().dns_resolver(Arc::new(names.clone()));
    let client = secrets
        .client("https://nowhere.invalid")
        .retry(support::quick_retries())
        .no_rate_limit()
        .http(http)
        .build()
        .unwrap();
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Transport, Phase::Dns, false);
    assert_eq!((names.0.load(Ordering::SeqCst), error.attempts()), (3, 3));
    secrets.assert_not_in(&error);
}
#[tokio::test]
async fn the_second_address_of_a_name_is_tried() {
    let server = Server::always(success()).await;
    let port = server.port();
    let addresses: Vec<SocketAddr> =
        ["[::1]", "127.0.0.2", "127.0.0.1"].map(|host| format!("{host}:{port}").parse().unwrap()).into();
    let http = reqwest::Client::builder().resolve_to_addrs("localhost", &addresses);
    let client = client_of(format!("http://localhost:{port}")).http(http).build().unwrap();
    assert_eq!(call(&client).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 1);
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once() {
    let server = Server::scripted(|mut connection| async move {
        while connection.request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            connection.send(success()).await;
        }
    })
    .await;
    let client = client(&server).build().unwrap();
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().total(), 12);
    }
    assert_eq!(server.hits(), 1000);
    // A hundred in flight, and those that the pool keeps or is closing.
    assert!(server.most_open() <= 200, "{} sockets at once", server.most_open());
}

/// A proxy that notes what it is asked and refuses.
async fn refusing_proxy() -> Server {
    Server::always(answer_with(407, &[("proxy-authenticate", "Basic realm=\"x\"")], "")).await
}

/// Plain http never uses a proxy, whoever names it.
#[test]
fn no_proxy_sees_a_plain_request() {
    if Child::is_this() {
        return block_on(async {
            let server = Server::always(success()).await;
            let proxy = std::env::var("HTTP_PROXY").unwrap();
            let chosen = reqwest::Client::builder().proxy(reqwest::Proxy::all(&proxy).unwrap());
            for http in [reqwest::Client::builder(), chosen] {
                call(&client(&server).http(http).build().unwrap()).await.unwrap();
            }
            assert_eq!(server.hits(), 2);
        });
    }
    block_on_with(refusing_proxy(), |proxy| {
        let child = Child::of("transport_faults::no_proxy_sees_a_plain_request");
        child.env("HTTP_PROXY", proxy.url()).env("ALL_PROXY", proxy.url()).run();
        assert_eq!(proxy.connections(), 0);
    });
}

/// Https uses the proxy that the environment names, which is asked for a
/// tunnel and learns nothing but the host; `NO_PROXY` is honoured.
#[test]
fn a_proxy_of_the_environment_learns_the_host_alone() {
    const NAME: &str = "transport_faults::a_proxy_of_the_environment_learns_the_host_alone";
    if Child::is_this() {
        return block_on(async {
            let authority = Authority::new();
            let server = Server::over_tls(authority.server("127.0.0.1"), |mut connection| async move {
                connection.request().await;
                connection.send(success()).await;
            })
            .await;
            // Without `Authority::trusted`, which asks no proxy.
            let root = reqwest::Certificate::from_der(authority.root()).unwrap();
            let http = reqwest::Client::builder().tls_certs_only([root]);
            let result = call(&client(&server).http(http).build().unwrap()).await;
            if std::env::var_os("NO_PROXY").is_some() {
                assert_eq!((result.unwrap().total(), server.hits()), (12, 1));
            } else {
                assert_fault(&result.unwrap_err(), ErrorKind::Transport, Phase::Proxy, false);
                assert_eq!(server.connections(), 0);
            }
        });
    }
    block_on_with(refusing_proxy(), |proxy| {
        Child::of(NAME).env("HTTPS_PROXY", proxy.url()).run();
        let [request] = &proxy.requests()[..] else { panic!("{} requests to the proxy", proxy.hits()) };
        assert!(request.line().starts_with("CONNECT 127.0.0.1:"), "{}", request.head);
        assert_eq!(request.header_names(), ["host", "user-agent"]);

        Child::of(NAME).env("HTTPS_PROXY", proxy.url()).env("NO_PROXY", "127.0.0.1").run();
        assert_eq!(proxy.hits(), 1);
    });
}
#[tokio::test]
async fn a_proxy_that_refuses_is_told_without_its_password() {
    let proxy = refusing_proxy().await;
    let secrets = Secrets::fresh();
    // The password is one of the canaries that the search knows.
    let address = proxy.url().replace("http://", &format!("http://somebody:{}@", secrets.secret));
    let http = Authority::new().trusted().proxy(reqwest::Proxy::https(address).unwrap());
    let client = secrets
        .client("https://127.0.0.1:9")
        .retry(support::quick_retries())
        .no_rate_limit()
        .http(http)
        .build()
        .unwrap();
    secrets.assert_absent("the client", &format!("{client:?}"));
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Transport, Phase::Proxy, false);
    assert!(!error.is_retryable());
    assert_eq!(proxy.hits(), 1);
    secrets.assert_not_in(&error);
}

/// An attempt that fails does not hide what the one before it said.
#[tokio::test]
async fn the_error_is_that_of_the_last_try() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        match connection.number {
            1 => connection.reset(),
            2 => connection.send(failure(502, "Bad Gateway")).await,
            _ => connection.send(answer(200, &envelope(&serde_json::json!({"status_cd": "0"})))).await,
        }
    })
    .await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), error.attempts(), server.hits()), (ErrorKind::Business, 3, 3));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs `work`, which blocks, beside a server.
fn block_on_with(server: impl Future<Output = Server>, work: impl FnOnce(&Server)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(server);
    work(&server);
    drop(runtime.enter());
}
