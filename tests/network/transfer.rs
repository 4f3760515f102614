//! Files behind signed URLs: hosts, limits, broken connections.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use sandbox_client::{Content, Download, Error, ErrorKind, RetryPolicy, Transfers, values::SignedUrl};

use crate::support::{Authority, Request, Server, answer_with, client, client_of};

fn transfers(server: &Server) -> Transfers {
    client(server).build().unwrap().transfers()
}

fn url(server: &Server) -> SignedUrl {
    SignedUrl::new(format!("{}/bucket/report.xlsx?X-Amz-Signature=canary%2F1", server.url())).unwrap()
}

fn failure<T>(result: Result<T, Error>) -> Error {
    result.err().expect("the transfer should fail")
}

async fn all(transfers: &Transfers, url: &SignedUrl) -> Result<Vec<u8>, Error> {
    transfers.download(url).await?.bytes().await
}

/// The part of a file that a request asks for, from a host that knows ranges.
fn ranged(request: &Request, file: &[u8], etag: &str) -> Vec<u8> {
    let start = request.header("range").map(|range| {
        assert_eq!(request.header("if-range"), Some(etag));
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse::<usize>().unwrap()
    });
    match start {
        None => answer_with(200, &[("etag", etag)], file),
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
            answer_with(206, &[("etag", etag), ("content-range", &range)], &file[start..])
        }
    }
}

/// Cuts each answer after `cut` bytes of its body.
async fn cutting(cut: usize, answer: impl Fn(&Request) -> Vec<u8> + Clone + Send + Sync + 'static) -> Server {
    Server::scripted(move |mut connection| {
        let answer = answer.clone();
        async move {
            let Some(request) = connection.request().await else { return };
            let bytes = answer(&request);
            let head = memchr::memmem::find(&bytes, b"\r\n\r\n").unwrap() + 4;
            connection.send(&bytes[..bytes.len().min(head + cut)]).await;
        }
    })
    .await
}

#[tokio::test]
async fn nothing_of_the_api_goes_to_the_host() {
    let server = Server::always(answer_with(200, &[], "file")).await;
    let url = url(&server);
    assert_eq!(all(&transfers(&server), &url).await.unwrap(), b"file");
    transfers(&server).upload(&url, &Content::json(&b"{}"[..])).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].line(), "GET /bucket/report.xlsx?X-Amz-Signature=canary%2F1");
    assert_eq!(requests[1].line(), "PUT /bucket/report.xlsx?X-Amz-Signature=canary%2F1");
    assert_eq!(requests[0].header_names(), ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(
        requests[1].header_names(),
        ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"]
    );
    assert_eq!(requests[1].header("content-type"), Some("application/json"));
    assert_eq!(requests[1].body, b"{}");
}

#[tokio::test]
async fn only_hosts_that_are_documented_or_allowed_are_asked() {
    let server = Server::always(answer_with(200, &[], "file")).await;
    // A client of the service itself has no business with loopback addresses.
    let live = client_of("https://gateway.example").build().unwrap().transfers();
    for refused in [
        url(&server),
        SignedUrl::new("https://example.com/?canary").unwrap(),
        SignedUrl::new("https://in-co-sandbox-x.s3.ap-south-1.amazonaws.com.example.com/?canary").unwrap(),
    ] {
        let live = live.clone().allow_host(".example.net").allow_host("example.org");
        for error in
            [failure(live.download(&refused).await), failure(live.upload(&refused, &Content::json("")).await)]
        {
            assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("url")));
            assert!(
                error.to_string().contains("allow_host") && !error.to_string().contains("canary"),
                "{error}"
            );
        }
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(all(&live.clone().allow_host("127.0.0.1"), &url(&server)).await.unwrap(), b"file");
    // Allowed, and then there is nobody: the host was asked.
    for host in ["a.b.invalid", "b.invalid"] {
        let url = SignedUrl::new(format!("https://{host}/")).unwrap();
        let client = client_of("https://gateway.example").retry(RetryPolicy::none()).build().unwrap();
        let error = failure(client.transfers().allow_host(".invalid").download(&url).await);
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
}

#[tokio::test]
async fn certificates_are_verified() {
    let authority = Authority::new();
    let server = Server::over_tls(authority.server("127.0.0.1"), |mut connection| async move {
        connection.request().await;
        connection.send(answer_with(200, &[], "file")).await;
    })
    .await;
    let builder = || client_of("https://gateway.example").retry(RetryPolicy::none());
    let transfers =
        |builder: sandbox_client::ClientBuilder| builder.build().unwrap().transfers().allow_host("127.0.0.1");
    let error = failure(all(&transfers(builder()), &url(&server)).await);
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(server.hits(), 0);
    let trusting = transfers(builder().transfer_http(authority.trusted()));
    assert_eq!(all(&trusting, &url(&server)).await.unwrap(), b"file");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::always(answer_with(200, &[], "file")).await;
    for status in [301, 302, 307, 308] {
        let server = Server::always(answer_with(status, &[("location", &elsewhere.url())], "")).await;
        let error = failure(transfers(&server).download(&url(&server)).await);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)));
        let error = failure(transfers(&server).upload(&url(&server), &Content::json("x")).await);
        assert_eq!(error.status(), Some(status));
        assert_eq!(server.hits(), 2);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke_off() {
    let file: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let served = file.clone();
    let server = cutting(90_000, move |request| ranged(request, &served, "\"v1\"")).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let transfers = transfers(&server).on_progress(move |progress| log.lock().unwrap().push(progress));
    assert!(all(&transfers, &url(&server)).await.unwrap() == file);
    assert_eq!(server.hits(), 5);
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.transferred));
    assert!(seen.iter().all(|progress| progress.total == Some(400_000)));
    assert_eq!(seen.last().unwrap().transferred, 400_000);
}

/// A host that knows no ranges sends the file from its start.
#[tokio::test]
async fn without_ranges_what_is_there_is_dropped() {
    let file: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    let answers = [answer_with(200, &[("etag", "\"v1\"")], &file)];
    let (whole, first) = (answers[0].clone(), Arc::new(Mutex::new(true)));
    let server = Server::scripted(move |mut connection| {
        let (whole, first) = (whole.clone(), Arc::clone(&first));
        async move {
            connection.request().await;
            let cut = if std::mem::take(&mut *first.lock().unwrap()) { 120_000 } else { whole.len() };
            connection.send(&whole[..cut]).await;
        }
    })
    .await;
    assert!(all(&transfers(&server), &url(&server)).await.unwrap() == file);
    assert_eq!(server.hits(), 2);
}

#[tokio::test]
async fn parts_of_two_files_are_never_joined() {
    let file = vec![b'a'; 1000];
    let part =
        |etag: &str, range: &str| answer_with(206, &[("etag", etag), ("content-range", range)], [b'b'; 500]);
    let first = answer_with(200, &[("etag", "\"v1\"")], &file);
    for (second, kind) in [
        (answer_with(200, &[("etag", "\"v2\"")], &file), ErrorKind::Decode),
        (answer_with(200, &[], &file), ErrorKind::Decode),
        (part("\"v2\"", "bytes 500-999/1000"), ErrorKind::Decode),
        (part("\"v1\"", "bytes 400-899/1000"), ErrorKind::Decode),
        (part("\"v1\"", "bytes 500-999/2000"), ErrorKind::Decode),
        (part("\"v1\"", "nonsense"), ErrorKind::Decode),
        (answer_with(206, &[], [b'b'; 500]), ErrorKind::Decode),
        (answer_with(416, &[], ""), ErrorKind::Api),
    ] {
        let (first, second) = (first.clone(), second.clone());
        let server =
            cutting(
                500,
                move |request| {
                    if request.header("range").is_none() { first.clone() } else { second.clone() }
                },
            )
            .await;
        let error = failure(all(&transfers(&server), &url(&server)).await);
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.hits(), 2);
    }
    // Without a validator nobody knows whether it is the same file.
    for etag in ["", "W/\"v1\""] {
        let whole = answer_with(200, &[("etag", etag)], &file);
        let server = cutting(500, move |_| whole.clone()).await;
        let error = failure(all(&transfers(&server), &url(&server)).await);
        assert!(error.kind() == ErrorKind::Transport && error.to_string().contains("ETag"), "{error}");
        assert_eq!(server.hits(), 1);
    }
}

#[tokio::test]
async fn a_file_is_never_longer_than_the_limit() {
    let known = answer_with(200, &[], vec![b' '; 100_000]);
    let mut unknown = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    unknown.extend_from_slice(&vec![b' '; 100_000]);
    for whole in [known, unknown] {
        let server = cutting(usize::MAX / 2, move |_| whole.clone()).await;
        let error = failure(all(&transfers(&server).max_bytes(99_999), &url(&server)).await);
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(all(&transfers(&server).max_bytes(100_000), &url(&server)).await.unwrap().len(), 100_000);
        assert_eq!(server.hits(), 2);
    }
    let server = Server::always(answer_with(200, &[], "")).await;
    let error = failure(transfers(&server).max_bytes(1).upload(&url(&server), &Content::json("{}")).await);
    assert_eq!((error.kind(), server.connections()), (ErrorKind::TooLarge, 0));
}

#[tokio::test]
async fn a_host_that_stands_still_is_left() {
    let quick = |server: &Server| {
        let client = client(server).retry(RetryPolicy::none()).attempt_timeout(Duration::from_millis(150));
        client.build().unwrap().transfers()
    };
    let silent = Server::silent().await;
    let error = failure(quick(&silent).download(&url(&silent)).await);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let error = failure(quick(&silent).upload(&url(&silent), &Content::json("{}")).await);
    assert!(error.kind() == ErrorKind::Timeout && error.maybe_processed());

    let stopping = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345").await;
        connection.hang().await;
    })
    .await;
    assert_eq!(failure(all(&quick(&stopping), &url(&stopping)).await).kind(), ErrorKind::Timeout);

    // What moves, however slowly, ends with the transfer's own limit.
    let slow = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
        connection.dribble([b' '; 1000], Duration::from_millis(20)).await;
    })
    .await;
    let started = std::time::Instant::now();
    let error = failure(all(&quick(&slow).timeout(Duration::from_millis(400)), &url(&slow)).await);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_upload_is_made_again_after_a_failure_that_passes() {
    let server = Server::answering([
        answer_with(503, &[], "<Error><Code>SlowDown</Code></Error>"),
        answer_with(500, &[], ""),
        answer_with(200, &[], ""),
    ])
    .await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    file.write_all(&content).unwrap();
    transfers(&server).upload(&url(&server), &Content::json_file(file.path())).await.unwrap();
    assert_eq!(server.hits(), 3);
    assert!(server.requests().iter().all(|request| request.body == content));
}

#[tokio::test]
async fn a_refusal_tells_its_code_and_nothing_else_of_it() {
    let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>\
                <X-Amz-Expires>86400</X-Amz-Expires><AWSAccessKeyId>canary</AWSAccessKeyId></Error>";
    let server = Server::always(answer_with(403, &[], body)).await;
    for error in [
        failure(transfers(&server).download(&url(&server)).await),
        failure(transfers(&server).upload(&url(&server), &Content::json("x")).await),
    ] {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(403)));
        assert_eq!(error.error_code(), Some("AccessDenied"));
        assert!(!format!("{error:?}").contains("canary"), "{error}");
        assert!(error.to_string().contains("ask the API for a new one"), "{error}");
    }
    assert_eq!(server.hits(), 2);
    // A success that is no file.
    for odd in [
        answer_with(204, &[], ""),
        answer_with(206, &[], "x"),
        answer_with(200, &[("content-encoding", "gzip")], "x"),
    ] {
        let server = Server::always(odd).await;
        assert_eq!(failure(transfers(&server).download(&url(&server)).await).kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn a_download_may_cross_threads() {
    fn check<T: Send + 'static>(_: &T) {}
    let server = Server::always(answer_with(200, &[], "file")).await;
    let (transfers, url) = (transfers(&server), url(&server));
    let task = async move {
        let mut download: Download = transfers.download(&url).await.unwrap();
        while download.chunk().await.unwrap().is_some() {}
        transfers.upload(&url, &Content::json("x")).await.unwrap();
    };
    check(&task);
    tokio::spawn(task).await.unwrap();
}
