//! Cancellation, runtimes and long runs.

use std::time::Duration;

use sandbox_client::{
    Client, Error, RateLimiter, RetryPolicy, Session, Token, ims::SessionApi, values::InvoiceCounts,
};
use tokio::runtime::{Builder, Runtime};

use crate::support::{self, Child, Server, call, client, client_of, failure, quick_retries, success};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A call that is dropped between two attempts sends nothing more.
#[tokio::test]
async fn a_dropped_call_sends_nothing_more() {
    let server = Server::always(failure(503, "Service Unavailable")).await;
    let retry = RetryPolicy::default().base_backoff(Duration::from_millis(200));
    let client = client(&server).retry(retry).build().unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(50), call(&client)).await;
    assert!(dropped.is_err(), "the call should have been in its pause");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.hits(), 1);
}

/// Nor does it keep its place, in the queue or among the calls in flight.
#[tokio::test]
async fn a_dropped_call_leaves_its_place() {
    let server = Server::scripted(|mut connection| async move {
        while connection.request().await.is_some() {
            if connection.hits() == 1 {
                return connection.hang().await;
            }
            connection.send(success()).await;
        }
    })
    .await;
    let client = client(&server).max_in_flight(1).requests_per_minute(2).build().unwrap();
    let start = || {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await })
    };
    let hanging = start();
    server.until_hits(1).await;
    let waiting = start();
    tokio::time::sleep(Duration::from_millis(30)).await;
    for task in [waiting, hanging] {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    // The one that hung counts as sent; the one that waited does not.
    call(&client).await.expect("both limits have a place for it");
    let error = support::failing(&client.with_call_timeout(Duration::from_secs(1))).await;
    assert_eq!(error.phase(), Some(sandbox_client::Phase::RateLimit));
    assert_eq!(server.hits(), 2);
}

/// A client that is used from a second runtime, the first one gone with
/// the connections that it drove.
#[test]
fn a_client_outlives_a_runtime() {
    let servers = runtime();
    let server = servers.block_on(Server::always(success()));
    let client = client(&server).build().unwrap();
    for _ in 0..3 {
        let first = runtime();
        first.block_on(call(&client)).unwrap();
        first.block_on(call(&client)).unwrap();
        drop(first);
    }
    Builder::new_current_thread().enable_all().build().unwrap().block_on(call(&client)).unwrap();
    assert_eq!(server.hits(), 7);
}

/// A runtime that is shut down in the middle of a call, which holds the
/// only permit and the head of the queue for the rate limit.
#[test]
fn a_runtime_may_end_in_the_middle_of_a_call() {
    let servers = runtime();
    let server = servers.block_on(Server::scripted(|mut connection| async move {
        while connection.request().await.is_some() {
            if connection.hits() == 1 {
                return connection.hang().await;
            }
            connection.send(success()).await;
        }
    }));
    let client = client(&server).max_in_flight(1).requests_per_minute(10).build().unwrap();
    let ended = runtime();
    let hanging = client.clone();
    let task = ended.spawn(async move { call(&hanging).await });
    servers.block_on(server.until_hits(1));
    ended.shutdown_background();
    assert!(servers.block_on(task).unwrap_err().is_cancelled());

    servers.block_on(call(&client)).unwrap();
    assert_eq!(server.hits(), 2);
}

/// Checked at compile time.
#[test]
fn everything_may_cross_threads() {
    fn sendable<T: Send>(_: &T) {}
    fn shareable<T: Send + Sync + Clone + 'static>() {}
    shareable::<Client>();
    shareable::<Session>();
    shareable::<SessionApi>();
    shareable::<Error>();
    shareable::<Token>();
    shareable::<RetryPolicy>();
    shareable::<InvoiceCounts>();
    shareable::<std::sync::Arc<dyn RateLimiter>>();

    let builder = client_of("http://127.0.0.1:9");
    sendable(&builder);
    let client = builder.build().unwrap();
    sendable(&call(&client));
    let ims = client.taxpayer_session().unwrap().ims();
    sendable(&ims.get_invoice_count().type_of_goods("others").send());
    sendable(&ims.all_counts());
}

/// Ten thousand calls, one after another, in a process of their own.
#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    const NAME: &str = "concurrency::ten_thousand_calls_leave_nothing_behind";
    if Child::is_this() {
        let sockets = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        return Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let client = client_of(std::env::var("URL").unwrap())
                .retry(quick_retries())
                .requests_per_minute(u32::MAX)
                .build()
                .unwrap();
            for _ in 0..1000 {
                call(&client).await.unwrap();
            }
            let (memory, files) = (support::memory(), sockets());
            for _ in 1000..10_000 {
                call(&client).await.unwrap();
            }
            let grown = support::memory().saturating_sub(memory);
            assert!(grown < 1024 * 1024, "{grown} bytes more");
            assert_eq!(sockets(), files);
        });
    }
    let servers = runtime();
    let server = servers.block_on(Server::always(success()));
    Child::of(NAME).env("URL", server.url()).run();
    assert_eq!((server.hits(), server.connections()), (10_000, 1));
}
