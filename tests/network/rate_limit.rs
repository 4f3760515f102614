//! Our own limit, the provider's 429, and the retry budget (cases R).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use sandbox_client::{BoxFuture, ErrorKind, Phase, RateLimiter, RetryPolicy};

use crate::support::{
    self, Server, answer_with, assert_fault, call, client, envelope, failing, failure, quick_retries, success,
};

const SECOND: Duration = Duration::from_secs(1);

fn too_many(headers: &[(&str, &str)]) -> Vec<u8> {
    answer_with(429, headers, r#"{"code":429,"message":"Too Many Requests","transaction_id":"t-429"}"#)
}

/// The time between the arrivals of two requests, counted from 0.
fn between(server: &Server, first: usize, second: usize) -> Duration {
    let requests = server.requests();
    requests[second].at - requests[first].at
}
#[tokio::test]
async fn retry_after_seconds_are_waited_for() {
    let server = Server::answering([too_many(&[("Retry-After", "1")]), success()]).await;
    assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 2);
    let waited = between(&server, 0, 1);
    assert!(waited >= SECOND && waited < 3 * SECOND, "{waited:?}");
}

/// With the default policy, the first wait is 0.5 to 1 s.
#[tokio::test]
async fn without_retry_after_the_own_pause_is_made() {
    let server = Server::answering([too_many(&[]), success()]).await;
    let client = client(&server).retry(RetryPolicy::default()).build().unwrap();
    assert_eq!(call(&client).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 2);
    let waited = between(&server, 0, 1);
    assert!(waited >= SECOND / 2 && waited < 3 * SECOND, "{waited:?}");
}

/// Over the wire; the other forms of a date are in the table of `retry_after`.
#[tokio::test]
async fn a_retry_after_date_is_waited_for() {
    let date = httpdate::fmt_http_date(SystemTime::now() + 2 * SECOND);
    let server = Server::answering([too_many(&[("retry-after", &date)]), success()]).await;
    assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 2);
    // A date holds whole seconds, so between one and two are left.
    let waited = between(&server, 0, 1);
    assert!(waited >= SECOND * 9 / 10 && waited < 4 * SECOND, "{waited:?}");
}

/// The wait is told, to the caller and to the calls after it.
#[tokio::test]
async fn a_long_retry_after_fails_at_once_and_is_told() {
    let server = Server::always(too_many(&[("retry-after", "3600")])).await;
    let client = client(&server).requests_per_minute(1000).build().unwrap();
    let started = Instant::now();
    let error = failing(&client).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(3600 * SECOND));
    assert_eq!((error.status(), error.transaction_id()), (Some(429), Some("t-429")));
    assert!(!error.maybe_processed());
    assert!(error.to_string().contains("3600 s"), "{error}");

    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::RateLimited, Phase::RateLimit, false);
    assert!(error.retry_after().unwrap() > 3590 * SECOND);
    assert_eq!(server.hits(), 1);
    assert!(started.elapsed() < 5 * SECOND);
}

/// A wait that no clock can hold is a very long one.
#[tokio::test]
async fn an_endless_retry_after_overflows_nothing() {
    for value in ["18446744073709551615", "99999999999999999999999", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"]
    {
        let server = Server::always(too_many(&[("retry-after", value)])).await;
        let retry = quick_retries().max_retry_after(Duration::MAX);
        let client = client(&server).requests_per_minute(1000).retry(retry).build().unwrap();
        let error = failing(&client).await;
        assert_eq!((error.kind(), server.hits()), (ErrorKind::RateLimited, 1), "{value}");
        assert!(error.retry_after().unwrap() > 24 * 3600 * SECOND, "{value}");
    }
}
#[tokio::test]
async fn retry_after_counts_where_a_status_is_retried_and_nowhere_else() {
    let busy = answer_with(503, &[("retry-after", "1")], r#"{"code":503,"message":"Service Unavailable"}"#);
    let server = Server::answering([busy, success()]).await;
    assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
    assert_eq!(server.hits(), 2);
    assert!(between(&server, 0, 1) >= SECOND);

    let refused = answer_with(400, &[("retry-after", "1")], r#"{"code":400,"message":"Bad Request"}"#);
    let server = Server::answering([refused, success()]).await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), error.status(), server.hits()), (ErrorKind::Api, Some(400), 1));
}
#[tokio::test]
async fn a_wait_past_the_deadline_is_not_made() {
    let server = Server::always(too_many(&[("retry-after", "30")])).await;
    let started = Instant::now();
    let error = failing(&client(&server).call_timeout(5 * SECOND).build().unwrap()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::RateLimited, Some(429)));
    assert_eq!((error.retry_after(), server.hits()), (Some(30 * SECOND), 1));
    assert!(started.elapsed() < 4 * SECOND);
}
#[tokio::test]
async fn a_429_for_ever_is_tried_three_times() {
    let server = Server::always(too_many(&[])).await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), error.attempts(), server.hits()), (ErrorKind::RateLimited, 3, 3));
    assert!(error.is_retryable());
}

/// Five calls a minute, eight started together. The first five go,
/// the others learn at once that their permit would come too late.
#[tokio::test]
async fn the_own_limit_holds_and_is_fair() {
    let server = Server::always(success()).await;
    let client = client(&server).requests_per_minute(5).call_timeout(5 * SECOND).build().unwrap();
    let started = Instant::now();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    for (place, call) in calls.into_iter().enumerate() {
        match call.await.unwrap() {
            Ok(_) => assert!(place < 5, "call {place} overtook another"),
            Err(error) => {
                assert!(place >= 5, "call {place} was overtaken: {error}");
                assert_fault(&error, ErrorKind::RateLimited, Phase::RateLimit, false);
                assert_eq!((error.attempts(), error.status()), (0, None));
                let wait = error.retry_after().expect("the wait is known");
                assert!(wait > 50 * SECOND && wait < 70 * SECOND, "{wait:?}");
            }
        }
    }
    assert_eq!(server.hits(), 5);
    assert!(started.elapsed() < 5 * SECOND);
    let wait = client.estimated_wait();
    assert!(wait > 50 * SECOND && wait < 70 * SECOND, "{wait:?}");
}

/// The limit is one for all clones, whatever taxpayer or policy they are for.
#[tokio::test]
async fn clones_share_one_limit() {
    let server = Server::always(success()).await;
    let first = client(&server).requests_per_minute(2).call_timeout(SECOND).build().unwrap();
    let second = first.with_retry(RetryPolicy::none());
    call(&first).await.unwrap();
    call(&second).await.unwrap();
    assert_eq!(failing(&first.clone()).await.phase(), Some(Phase::RateLimit));
    assert_eq!(server.hits(), 2);
}

/// Retries count. The call whose retry finds no place keeps its own
/// error; the next call is not sent at all.
#[tokio::test]
async fn retries_count_against_the_own_limit() {
    let server = Server::always(failure(500, "Internal Server Error")).await;
    let client = client(&server).requests_per_minute(2).call_timeout(5 * SECOND).build().unwrap();
    let error = failing(&client).await;
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Api, Some(500), 2), "{error:?}");
    assert_eq!(error.transaction_id(), Some("t-500"));
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::RateLimited, Phase::RateLimit, false);
    assert_eq!(server.hits(), 2);
}

/// A fifth more than the calls, and the reserve of ten.
#[tokio::test]
async fn retries_stay_within_their_budget() {
    let server = Server::always(failure(500, "Internal Server Error")).await;
    let client = client(&server).build().unwrap();
    for _ in 0..500 {
        assert_eq!(failing(&client.clone()).await.status(), Some(500));
    }
    let hits = server.hits();
    assert!((500 + 10..=500 + 100 + 10).contains(&hits), "{hits} hits");
}

/// Calls that succeed earn retries for those that do not.
#[tokio::test]
async fn the_budget_recovers() {
    let busy = || failure(503, "Service Unavailable");
    let mut answers = vec![busy(), busy(), busy()];
    answers.extend(std::iter::repeat_with(success).take(10));
    answers.extend([busy(), success()]);
    let server = Server::answering(answers).await;
    let client = client(&server).retry(quick_retries().budget(0.2, 1)).build().unwrap();

    assert_eq!(failing(&client).await.attempts(), 2, "the reserve is one retry");
    assert_eq!(failing(&client).await.attempts(), 1, "and then there is none");
    for _ in 0..10 {
        call(&client).await.unwrap();
    }
    call(&client).await.expect("earned by the ten before");
    assert_eq!(server.hits(), 3 + 10 + 2);
}

/// A 429 of one call holds back the others for as long.
#[tokio::test]
async fn a_429_pauses_all_calls_of_a_client() {
    let server = Server::answering([too_many(&[("retry-after", "1")]), success()]).await;
    let client = client(&server).requests_per_minute(1000).build().unwrap();
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    server.until_hits(1).await;
    // The answer is on its way.
    tokio::time::sleep(Duration::from_millis(100)).await;
    call(&client).await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(server.hits(), 3);
    assert!(between(&server, 0, 1) >= SECOND);
}

/// Counts what it is told and lets everything through.
#[derive(Default)]
struct Noting {
    acquired: AtomicU64,
    paused_millis: AtomicU64,
}

impl RateLimiter for Noting {
    fn acquire(&self) -> BoxFuture<'_, ()> {
        self.acquired.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {})
    }

    fn estimated_wait(&self) -> Duration {
        7 * SECOND
    }

    fn pause(&self, wait: Duration) {
        self.paused_millis.store(wait.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

/// A rate limiter of the caller's own is asked for each attempt and told of each 429.
#[tokio::test]
async fn a_gate_of_the_caller_is_used() {
    let server = Server::answering([too_many(&[]), too_many(&[("retry-after", "1")]), success()]).await;
    let limiter = Arc::new(Noting::default());
    let client = client(&server).rate_limiter(limiter.clone()).build().unwrap();
    call(&client).await.unwrap();
    assert_eq!((server.hits(), limiter.acquired.load(Ordering::SeqCst)), (3, 3));
    assert_eq!(limiter.paused_millis.load(Ordering::SeqCst), 1000);
    assert_eq!(client.estimated_wait(), 7 * SECOND);
    assert_eq!(client.taxpayer_session().unwrap().estimated_wait(), 7 * SECOND);
}

/// A rate limiter that never lets anything through is left at the deadline, and nothing is sent.
#[tokio::test]
async fn a_gate_that_stays_shut_is_left_at_the_deadline() {
    struct Shut;
    impl RateLimiter for Shut {
        fn acquire(&self) -> BoxFuture<'_, ()> {
            Box::pin(std::future::pending())
        }
        fn estimated_wait(&self) -> Duration {
            Duration::MAX
        }
        fn pause(&self, _: Duration) {}
    }
    let server = Server::always(success()).await;
    let client = client(&server)
        .rate_limiter(Arc::new(Shut))
        .call_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    assert_fault(&failing(&client).await, ErrorKind::RateLimited, Phase::RateLimit, false);
    assert_eq!(server.hits(), 0);
}

/// Calls wait for a permit of the in-flight limit, in order, up to their deadline.
#[tokio::test]
async fn calls_in_flight_are_bounded() {
    let server = Server::scripted(|mut connection| async move {
        while connection.request().await.is_some() {
            tokio::time::sleep(Duration::from_millis(300)).await;
            connection.send(success()).await;
        }
    })
    .await;
    let patient = client(&server).max_in_flight(1).build().unwrap();
    let hurried = patient.with_call_timeout(Duration::from_millis(100));
    let (first, second, third) = tokio::join!(call(&patient), call(&patient), call(&hurried));
    assert!(first.is_ok() && second.is_ok());
    assert_fault(&third.unwrap_err(), ErrorKind::RateLimited, Phase::RateLimit, false);
    assert_eq!((server.hits(), server.connections()), (2, 1));
}

/// A call that pauses before its next attempt leaves its permit to another.
#[tokio::test]
async fn a_pause_holds_no_place() {
    let server = Server::answering([failure(503, "Service Unavailable"), success()]).await;
    let retry = RetryPolicy::default().base_backoff(SECOND).max_backoff(SECOND);
    let client = client(&server).max_in_flight(1).retry(retry).build().unwrap();
    let paused = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    server.until_hits(1).await;
    call(&client).await.unwrap();
    assert_eq!(server.hits(), 2, "the other call had to wait");
    assert!(!paused.is_finished());
    paused.await.unwrap().unwrap();
    assert_eq!(server.hits(), 3);
}

/// Business failures are answers, however many.
#[tokio::test]
async fn a_business_failure_is_not_repeated() {
    let refused = serde_json::json!({"status_cd": "0", "error": {"error_cd": "RET191106", "message": "No"}});
    let server = Server::always(support::answer(200, &envelope(&refused))).await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), error.attempts(), server.hits()), (ErrorKind::Business, 1, 1));
    assert!(!error.is_retryable());
}

/// Milliseconds where seconds are meant. The call is told so; the others
/// do not wait for most of a day.
#[tokio::test]
async fn an_absurd_retry_after_pauses_others_for_a_bounded_time() {
    let absurd = || answer_with(429, &[("retry-after", "60000")], r#"{"code":429,"message":"slow down"}"#);
    let server = Server::answering([absurd(), success()]).await;
    let client = client(&server)
        .requests_per_minute(1000)
        .retry(quick_retries().max_pause(Duration::from_millis(300)))
        .build()
        .unwrap();
    let error = failing(&client).await;
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(60_000 * SECOND)));
    assert!(client.paused_for() <= Duration::from_millis(300), "{:?}", client.paused_for());
    call(&client).await.unwrap();
    assert!(between(&server, 0, 1) >= Duration::from_millis(250));

    // Without the option: a minute.
    let server = Server::always(absurd()).await;
    let client = support::client(&server).requests_per_minute(1000).build().unwrap();
    failing(&client).await;
    assert!(client.paused_for() <= 60 * SECOND && client.paused_for() > 50 * SECOND);
}

/// Who waits in vain because of it is told that the provider asked for it.
#[tokio::test]
async fn a_pause_of_the_provider_is_named() {
    let server = Server::answering([too_many(&[("retry-after", "50")]), success()]).await;
    let client =
        client(&server).requests_per_minute(1000).call_timeout(Duration::from_secs(2)).build().unwrap();
    failing(&client).await;
    let error = failing(&client).await;
    assert_fault(&error, ErrorKind::RateLimited, Phase::RateLimit, false);
    let text = error.to_string();
    assert!(text.contains("the provider asked for a pause (status 429)"), "{text}");
    assert!(!text.contains("own limits"), "{text}");
    assert!(error.retry_after().is_some_and(|wait| wait > 45 * SECOND));
}

/// Of several values the longest counts, whatever stands beside it.
#[tokio::test]
async fn of_several_retry_after_the_longest_counts() {
    for values in [["soon", "1"], ["1", "soon"], ["0", "1"], ["1", "0"]] {
        let headers = values.map(|value| ("retry-after", value));
        let server = Server::answering([too_many(&headers), success()]).await;
        assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
        let waited = between(&server, 0, 1);
        assert!(waited >= SECOND, "{values:?}: {waited:?}");
    }
    let headers = [("retry-after", "1"), ("retry-after", "86400")];
    let server = Server::always(too_many(&headers)).await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!((server.hits(), error.retry_after()), (1, Some(86_400 * SECOND)));
}

/// A date is one of the server's clock, which the answer tells: ours may be
/// wrong by hours.
#[tokio::test]
async fn a_retry_after_date_is_one_of_the_server_s_clock() {
    for ours_is_ahead in [true, false] {
        let apart = 7 * 3600 * SECOND;
        let now = SystemTime::now();
        let theirs = if ours_is_ahead { now - apart } else { now + apart };
        let [date, until] = [theirs, theirs + SECOND].map(httpdate::fmt_http_date);
        let server =
            Server::answering([too_many(&[("date", &date), ("retry-after", &until)]), success()]).await;
        assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
        let waited = between(&server, 0, 1);
        assert!(server.hits() == 2 && waited >= SECOND, "{ours_is_ahead}: {waited:?}");
    }
}
