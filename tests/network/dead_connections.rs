//! Connections that are never made, or whose other end is gone without a word.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use sandbox_client::{ClientBuilder, ErrorKind, Phase, values::ReturnPeriod};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{
    Authority, Frames, Secrets, Server, assert_fault, call, client, client_of, failing, quick_retries,
    success, success_body,
};

const MILLI: Duration = Duration::from_millis(1);

/// An address whose queue is full, so that no further connection is made.
async fn black_hole() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(200 * MILLI, TcpStream::connect(address)).await {
        queued.push(stream);
    }
    (address, listener, queued)
}

/// The attempt has less time than the connection: nothing was sent, so a write may be repeated.
#[tokio::test]
async fn an_attempt_that_ends_while_connecting_sent_nothing() {
    let (address, _listener, _queued) = black_hole().await;
    let client = client_of(format!("http://{address}")).attempt_timeout(100 * MILLI).build().unwrap();
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::Connect, false);
    assert_eq!(error.attempts(), 3);
    let session = client.taxpayer_session().unwrap();
    let write = session.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 11).unwrap()).await;
    let error = write.expect_err("nobody is there");
    assert_fault(&error, ErrorKind::Timeout, Phase::Connect, false);
    assert!(error.attempts() == 3 && error.is_retryable(), "{error}");
}

/// The same in the TLS handshake: the server takes connections and says nothing.
#[tokio::test]
async fn an_attempt_that_ends_in_the_handshake_sent_nothing() {
    let server = Server::scripted(|mut connection| async move { connection.hang().await }).await;
    let url = server.url().replace("http:", "https:");
    let client =
        client_of(url).http(Authority::new().trusted()).attempt_timeout(150 * MILLI).build().unwrap();
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::Connect, false);
    assert_eq!((error.attempts(), server.connections()), (3, 3));
    // So a write is made again.
    let session = client.taxpayer_session().unwrap();
    let write = session.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 11).unwrap()).await;
    let error = write.expect_err("nobody speaks TLS there");
    assert_fault(&error, ErrorKind::Timeout, Phase::Connect, false);
    assert!(error.attempts() == 3 && error.is_retryable(), "{error}");
    assert_eq!(server.connections(), 6);
}

/// On a connection that is there, a request that is not answered may have been processed,
/// although another connection was begun for it.
#[tokio::test]
async fn a_request_on_a_used_connection_may_have_been_processed() {
    let server = Server::scripted(|mut connection| async move {
        while connection.request().await.is_some() {
            if connection.hits() > 1 {
                return connection.hang().await;
            }
            connection.send(success()).await;
        }
    })
    .await;
    let client = client(&server).attempt_timeout(150 * MILLI).build().unwrap();
    call(&client).await.unwrap();
    let session = client.taxpayer_session().unwrap();
    let write = session.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 11).unwrap()).await;
    assert_fault(&write.err().unwrap(), ErrorKind::Timeout, Phase::ResponseHeaders, true);
    assert_eq!(server.hits(), 2);
}

/// A NAT that forgot the flow: the first connection answers once and never again.
#[tokio::test]
async fn a_dead_http2_connection_is_left_within_one_call() {
    let server = Server::scripted(|connection| async move {
        let Some(mut frames) = Frames::accept(connection).await else { return };
        let first = frames.number() == 1;
        while let Some(stream) = frames.request().await {
            frames.answer(stream, &success_body()).await;
            if first {
                // Nothing is read any more, and nothing is closed.
                std::future::pending::<()>().await;
            }
        }
    })
    .await;
    let client = client(&server)
        .http(reqwest::Client::builder().http2_prior_knowledge())
        .attempt_timeout(300 * MILLI)
        .call_timeout(3000 * MILLI)
        .build()
        .unwrap();
    call(&client).await.expect("the first");
    let started = Instant::now();
    call(&client).await.expect("the second, on a new connection");
    call(&client).await.expect("the third");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(server.connections(), 2);
}

/// A balancer that acknowledges pings, and behind which nobody answers any more.
async fn balancer() -> Server {
    Server::scripted(|connection| async move {
        let Some(mut frames) = Frames::accept(connection).await else { return };
        let mut answering = true;
        while let Some(stream) = frames.request().await {
            if answering {
                frames.answer(stream, &success_body()).await;
                answering = frames.number() > 1;
            }
        }
    })
    .await
}

fn behind(server: &Server) -> ClientBuilder {
    client(server)
        .http_with(|| reqwest::Client::builder().http2_prior_knowledge())
        .retry(quick_retries().budget(1.0, 100))
        .attempt_timeout(300 * MILLI)
        .call_timeout(3000 * MILLI)
}

#[tokio::test]
async fn a_connection_that_answers_pings_alone_is_left_within_one_call() {
    let server = balancer().await;
    let client = behind(&server).build().unwrap();
    call(&client).await.expect("the first");
    let started = Instant::now();
    call(&client).await.expect("the second, on a new connection");
    call(&client).await.expect("the third");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!((server.connections(), server.hits()), (2, 4));
}

/// A write is not sent again, and does not keep the next call on the connection.
#[tokio::test]
async fn a_write_that_is_not_answered_leaves_its_connection_to_nobody() {
    let server = balancer().await;
    let client = behind(&server).build().unwrap();
    call(&client).await.expect("the first");
    let session = client.taxpayer_session().unwrap();
    let write = session.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 11).unwrap()).await;
    assert_fault(&write.err().unwrap(), ErrorKind::Timeout, Phase::ResponseHeaders, true);
    let started = Instant::now();
    call(&client).await.expect("on a new connection");
    assert!(started.elapsed() < 250 * MILLI, "{:?}", started.elapsed());
    assert_eq!((server.connections(), server.hits()), (2, 3));
}

/// Many calls wait on the connection: one new one takes them all.
#[tokio::test]
async fn many_calls_leave_a_connection_for_one_other() {
    let server = balancer().await;
    let client = behind(&server).build().unwrap();
    call(&client).await.expect("the first");
    let calls: tokio::task::JoinSet<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            async move { call(&client).await.map(drop) }
        })
        .collect();
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 2);
}

/// One request that is slow is no reason to leave a connection that answers others.
#[tokio::test]
async fn a_connection_that_answers_others_is_kept() {
    let server = Server::scripted(|connection| async move {
        let Some(mut frames) = Frames::accept(connection).await else { return };
        while let Some(stream) = frames.request().await {
            if frames.hits() > 1 {
                frames.answer(stream, &success_body()).await;
            }
        }
    })
    .await;
    let client = behind(&server).build().unwrap();
    let slow = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await.map(drop) }
    });
    while server.hits() == 0 {
        tokio::time::sleep(MILLI).await;
    }
    tokio::time::sleep(50 * MILLI).await;
    call(&client).await.expect("meanwhile");
    slow.await.unwrap().expect("its second attempt");
    assert_eq!(server.connections(), 1);
}

/// A proxy that is not there is tried again, as a host that is not there.
#[tokio::test]
async fn a_proxy_that_is_not_there_is_retried() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let proxy = reqwest::Proxy::https(format!("http://127.0.0.1:{port}")).unwrap();
    let client = Secrets::fresh()
        .client("https://127.0.0.1:9")
        .retry(quick_retries())
        .no_rate_limit()
        .http(Authority::new().trusted().proxy(proxy))
        .build()
        .unwrap();
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::Transport, Phase::Connect, false);
    assert_eq!(error.attempts(), 3);
    assert!(error.is_retryable() && error.to_string().ends_with("check the address of the proxy"), "{error}");
}
