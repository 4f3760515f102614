//! A write is sent once, unless it provably did not arrive or was not looked
//! at. The write halves of the cases N, H and R.

use std::time::Duration;

use sandbox_client::{Client, ClientBuilder, Error, ErrorKind, Phase, values::ReturnPeriod};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{
    Authority, Connection, Frames, Server, answer, answer_with, assert_fault, client, client_of, envelope,
    failure, impatient,
};

/// Has a GSTR-2B made again: a write without a body that a human may notice.
async fn write(client: &Client) -> Result<String, Error> {
    let job = client.taxpayer_session()?.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 11)?).await?;
    Ok(job.reference_id().to_owned())
}

async fn failing_write(client: &Client) -> Error {
    write(client).await.expect_err("the write should fail")
}

fn accepted_body() -> Vec<u8> {
    envelope(&json!({"status_cd": "1", "data": {"reference_id": "r-1"}})).to_string().into_bytes()
}

fn accepted() -> Vec<u8> {
    answer_with(200, &[], accepted_body())
}

/// The other half of every test here: a write that arrives is sent once.
#[tokio::test]
async fn a_write_that_succeeds_is_sent_once() {
    let server = Server::always(accepted()).await;
    assert_eq!(write(&client(&server).build().unwrap()).await.unwrap(), "r-1");
    let [request] = &server.requests()[..] else { panic!("{} hits", server.hits()) };
    assert_eq!(request.line(), "POST /gst/compliance/tax-payer/gstrs/gstr-2b/2025/11/regenerate");
}

/// What was never sent is sent again.
#[tokio::test]
async fn a_write_that_finds_nobody_is_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = failing_write(&client_of(format!("http://127.0.0.1:{port}")).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Transport, Phase::Connect, false);
    assert_eq!(error.attempts(), 3);
    assert!(error.is_retryable());
    assert!(!error.to_string().contains("may have been processed"), "{error}");
}
#[tokio::test]
async fn a_write_that_is_not_answered_is_sent_once() {
    let server = Server::silent().await;
    let error = failing_write(&impatient(&server).build().unwrap()).await;
    assert_fault(&error, ErrorKind::Timeout, Phase::ResponseHeaders, true);
    assert_eq!((server.hits(), error.attempts()), (1, 1));
    assert!(!error.is_retryable());
    assert!(error.to_string().contains("may have been processed"), "{error}");
}

/// Right after accept, which no client can tell from later.
#[tokio::test]
async fn a_write_that_is_reset_is_sent_again_only_if_it_never_left() {
    let server = Server::scripted(|connection| async { connection.reset() }).await;
    let error = failing_write(&client(&server).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    let expected = if error.maybe_processed() { 1 } else { 3 };
    assert_eq!((server.connections(), error.is_retryable()), (expected, expected == 3), "{error:?}");
}

/// The request was read, and the answer breaks off.
#[tokio::test]
async fn a_write_whose_answer_breaks_off_is_sent_once() {
    for (cut, phase) in [
        ("", Phase::ResponseHeaders),
        ("HTTP/1.1 200 OK\r\ncontent-le", Phase::ResponseHeaders),
        ("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", Phase::ResponseBody),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{", Phase::ResponseBody),
    ] {
        for reset in [false, true] {
            let server = Server::scripted(move |mut connection: Connection| async move {
                connection.request().await;
                connection.send(cut).await;
                if reset {
                    // What was sent has arrived before the reset.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    connection.reset();
                }
            })
            .await;
            let error = failing_write(&client(&server).build().unwrap()).await;
            assert_fault(&error, ErrorKind::Transport, phase, true);
            assert_eq!((server.hits(), server.connections()), (1, 1), "{cut}");
            assert!(!error.is_retryable());
        }
    }
}

/// A connection that was closed while idle is replaced; one that is closed
/// under the write may have carried it.
#[tokio::test]
async fn a_write_on_a_used_connection_is_sent_once() {
    let closed_while_idle = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send(accepted()).await;
    })
    .await;
    let session = client(&closed_while_idle).build().unwrap();
    for _ in 0..3 {
        write(&session).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!((closed_while_idle.hits(), closed_while_idle.connections()), (3, 3));

    let closed_under_it = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send(accepted()).await;
        connection.request().await;
    })
    .await;
    let session = client(&closed_under_it).build().unwrap();
    write(&session).await.unwrap();
    let error = failing_write(&session).await;
    assert_fault(&error, ErrorKind::Transport, Phase::ResponseHeaders, true);
    assert_eq!((closed_under_it.hits(), closed_under_it.connections()), (2, 1));
}

async fn http2<D>(script: impl Fn(Frames<TcpStream>) -> D + Clone + Send + Sync + 'static) -> (Server, Client)
where
    D: Future<Output = Option<()>> + Send + 'static,
{
    let server = Server::scripted(move |connection| {
        let script = script.clone();
        async move {
            if let Some(frames) = Frames::accept(connection).await {
                script(frames).await;
            }
        }
    })
    .await;
    let client = client(&server).http(reqwest::Client::builder().http2_prior_knowledge()).build().unwrap();
    (server, client)
}

/// What HTTP/2 says was not looked at is sent again.
#[tokio::test]
async fn a_write_that_http2_did_not_look_at_is_sent_again() {
    let (server, client) = http2(|mut frames| async move {
        loop {
            let stream = frames.request().await?;
            match (frames.number(), frames.hits()) {
                (1, 1) => frames.reset(stream, Frames::<TcpStream>::REFUSED_STREAM).await,
                (1, _) => {
                    frames.go_away(0, Frames::<TcpStream>::NO_ERROR).await;
                    return None;
                }
                _ => frames.answer(stream, &accepted_body()).await,
            }
        }
    })
    .await;
    assert_eq!(write(&client).await.unwrap(), "r-1");
    assert_eq!((server.hits(), server.connections()), (3, 2));
}
#[tokio::test]
async fn a_write_whose_http2_stream_breaks_off_is_sent_once() {
    for start in [true, false] {
        let (server, client) = http2(move |mut frames| async move {
            loop {
                let stream = frames.request().await?;
                if start {
                    frames.start(stream, b"{").await;
                }
                frames.reset(stream, Frames::<TcpStream>::INTERNAL_ERROR).await;
            }
        })
        .await;
        let error = failing_write(&client).await;
        let phase = if start { Phase::ResponseBody } else { Phase::ResponseHeaders };
        assert_fault(&error, ErrorKind::Transport, phase, true);
        assert_eq!((server.hits(), error.is_retryable()), (1, false));
    }
}

/// Any status but 429 is told after one attempt.
#[tokio::test]
async fn a_write_is_not_repeated_on_a_status() {
    for status in [400, 408, 409, 422, 500, 501, 502, 503, 504, 520] {
        let server = Server::answering([failure(status, "Not this time"), accepted()]).await;
        let error = failing_write(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)), "{error:?}");
        assert_eq!((server.hits(), error.attempts(), error.is_retryable()), (1, 1, false), "{status}");
        assert_eq!(error.maybe_processed(), status >= 500, "{status}");
    }
}
#[tokio::test]
async fn a_write_is_not_repeated_on_a_status_in_the_envelope() {
    let server = Server::always(answer(200, &json!({"code": 503, "message": "No"}))).await;
    let error = failing_write(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(503)), "{error:?}");
    assert_eq!((server.hits(), error.maybe_processed()), (1, true));
}

/// A 429 was not processed.
#[tokio::test]
async fn a_write_is_repeated_on_429() {
    let too_many = || answer_with(429, &[("retry-after", "1")], r#"{"code":429}"#);
    let server = Server::answering([too_many(), accepted()]).await;
    assert_eq!(write(&client(&server).build().unwrap()).await.unwrap(), "r-1");
    assert_eq!(server.hits(), 2);
    let requests = server.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));

    let server = Server::always(failure(429, "Too Many Requests")).await;
    let error = failing_write(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), server.hits()), (ErrorKind::RateLimited, 3), "{error:?}");
    assert!(!error.maybe_processed() && error.is_retryable());
}

/// An answer that cannot be read says nothing of what was done.
#[tokio::test]
async fn a_write_with_an_unreadable_answer_may_have_been_processed() {
    for body in ["", "<html>", "[]", "{\"data\": 5}", "{"] {
        let server = Server::always(answer_with(200, &[], body)).await;
        let error = failing_write(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), server.hits()), (ErrorKind::Decode, 1), "{body}: {error:?}");
        assert!(error.maybe_processed() && !error.is_retryable(), "{body}: {error:?}");
    }
    let server = Server::always(answer_with(200, &[], vec![b' '; 2000])).await;
    let error = failing_write(&client(&server).max_body_bytes(1000).build().unwrap()).await;
    assert_eq!((error.kind(), error.maybe_processed()), (ErrorKind::TooLarge, true), "{error:?}");
    assert_eq!(server.hits(), 1);
}

/// What the log tells of a write whose caller has gone away.
#[tokio::test]
async fn a_write_that_nobody_waits_for_is_finished_and_told() {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    for (answer, told) in [
        (accepted(), "the caller is gone, and the request was processed"),
        (failure(500, "Internal Server Error"), "the caller is gone, and the request failed"),
    ] {
        let log = Log::default();
        let sink = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || sink.clone()).finish();
        // While there is one subscriber alone, an event that another thread reaches first
        // asks that thread, which has none, and is off for good. With two, all are asked.
        let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        let _guard = tracing::subscriber::set_default(subscriber);
        let server = Server::scripted(move |mut connection| {
            let answer = answer.clone();
            async move {
                while connection.request().await.is_some() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    connection.send(&answer).await;
                }
            }
        })
        .await;
        let client = client(&server).build().unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(100), write(&client)).await.is_err());
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(server.hits(), 1, "nothing is sent again");
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains(told) && log.contains("regenerate_gstr_2b"), "{log}");
        assert_eq!(log.contains("r-1"), told.ends_with("processed"), "{log}");
    }
}

/// Time runs out for the attempt, or for the call: the error says whether the
/// request had left.
#[tokio::test]
async fn a_write_whose_time_is_over_says_how_far_it_was() {
    let after_the_request = |sent: &'static str| {
        Server::scripted(move |mut connection: Connection| async move {
            connection.request().await;
            connection.send(sent).await;
            connection.hang().await;
        })
    };
    for of_the_call in [false, true] {
        let timed = |builder: ClientBuilder| {
            let time = Duration::from_millis(200);
            let builder =
                if of_the_call { builder.call_timeout(time) } else { builder.attempt_timeout(time) };
            builder.build().unwrap()
        };
        for (sent, phase) in [
            ("", Phase::ResponseHeaders),
            ("HTTP/1.1 100 Continue\r\n\r\n", Phase::ResponseHeaders),
            ("HTTP/1.1 200 OK\r\ncontent-", Phase::ResponseHeaders),
            ("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", Phase::ResponseBody),
            ("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", Phase::ResponseBody),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{", Phase::ResponseBody),
        ] {
            let server = after_the_request(sent).await;
            let error = failing_write(&timed(client(&server))).await;
            assert_fault(&error, ErrorKind::Timeout, phase, true);
            assert_eq!((server.hits(), error.attempts(), error.is_retryable()), (1, 1, false), "{sent:?}");
        }
        // Nothing of the request has left before the handshake.
        let server = Server::scripted(|mut connection| async move { connection.hang().await }).await;
        let url = server.url().replace("http:", "https:");
        let error = failing_write(&timed(client_of(url).http(Authority::new().trusted()))).await;
        assert_fault(&error, ErrorKind::Timeout, Phase::Connect, false);
        assert!(error.is_retryable() && error.attempts() == if of_the_call { 1 } else { 3 }, "{error:?}");
    }
}
