use std::time::SystemTime;

use reqwest::StatusCode;

use super::*;
use crate::{Environment, client::Policy};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(24 * 3600);

fn read() -> Operation {
    *Operation::find("get_invoice_count").unwrap()
}

fn write() -> Operation {
    Operation { idempotent: false, ..read() }
}

fn status(status: u16) -> Error {
    let kind = if status == 429 { ErrorKind::RateLimited } else { ErrorKind::Api };
    Error::new(kind, "").with_status(StatusCode::from_u16(status).unwrap())
}

fn fault(kind: ErrorKind, phase: Phase, maybe_processed: bool) -> Error {
    Error::new(kind, "").with_phase(phase).with_maybe_processed(maybe_processed)
}

/// The pause before the next attempt by the default policy, if there is one.
fn pause(operation: &Operation, error: &Error, attempt: u32, jitter: f64) -> Option<Duration> {
    match decide(&RetryPolicy::default(), operation, error, attempt, false, LONG, jitter) {
        Decision::Retry(pause) => Some(pause),
        Decision::Renew | Decision::Stop => None,
    }
}

/// A replaced token is sent at once, whatever the policy says of retries; all
/// calls pause after a 429 and after nothing else.
#[test]
fn a_replaced_token_is_no_retry_and_only_a_429_pauses_everybody() {
    let rejected = Error::session_over();
    let never = RetryPolicy::none();
    assert_eq!(decide(&never, &read(), &rejected, 1, true, Duration::ZERO, 0.5), Decision::Renew);
    assert_eq!(decide(&never, &read(), &rejected, 1, false, LONG, 0.5), Decision::Stop);
    // A write that was answered with its reference as well is not sent again.
    assert_eq!(decide(&never, &write(), &rejected, 1, true, LONG, 0.5), Decision::Renew);
    let heard = rejected.with_maybe_processed(true);
    assert_eq!(decide(&never, &write(), &heard, 1, true, LONG, 0.5), Decision::Stop);
    assert_eq!(decide(&never, &read(), &heard, 1, true, LONG, 0.5), Decision::Renew);

    let policy = RetryPolicy::default();
    assert_eq!(pause_for_all(&policy, &status(429)), Some(Duration::from_secs(1)));
    let told = status(429).with_retry_after(Some(Duration::from_secs(7)));
    assert_eq!(pause_for_all(&policy, &told), Some(Duration::from_secs(7)));
    let unavailable = status(503).with_retry_after(Some(Duration::from_secs(7)));
    assert_eq!(pause_for_all(&policy, &unavailable), None);
}

fn retried(operation: &Operation, error: &Error) -> bool {
    assert_eq!(
        is_retryable(operation.idempotent, error),
        pause(operation, error, 1, 0.5).is_some(),
        "what is told and what is done differ for {error:?}"
    );
    is_retryable(operation.idempotent, error)
}

/// The default policy, row by row.
#[test]
fn the_default_policy() {
    // Attempts: 3 in all.
    let failed = status(503);
    assert!(pause(&read(), &failed, 1, 0.0).is_some());
    assert!(pause(&read(), &failed, 2, 0.0).is_some());
    assert_eq!(pause(&read(), &failed, 3, 0.0), None);

    // Backoff: 0.5 s x 2^n, after a 429 without Retry-After 1 s x 2^n, cap
    // 8 s, jitter over the upper half.
    let persistent = RetryPolicy::default().max_attempts(10);
    for (kind, attempt, longest) in [
        (ErrorKind::Api, 1, 0.5),
        (ErrorKind::Api, 2, 1.0),
        (ErrorKind::Timeout, 3, 2.0),
        (ErrorKind::Transport, 4, 4.0),
        (ErrorKind::Api, 5, 8.0),
        (ErrorKind::Api, 9, 8.0),
        (ErrorKind::RateLimited, 1, 1.0),
        (ErrorKind::RateLimited, 2, 2.0),
        (ErrorKind::RateLimited, 9, 8.0),
    ] {
        let longest = SECOND.mul_f64(longest);
        assert_eq!(backoff(&persistent, kind, attempt, 1.0), longest, "{kind:?} {attempt}");
        assert_eq!(backoff(&persistent, kind, attempt, 0.0), longest / 2, "{kind:?} {attempt}");
    }

    // Timeouts: one attempt 30 s, the whole call 90 s.
    let policy = Policy::default();
    assert_eq!((policy.attempt_timeout, policy.call_timeout), (30 * SECOND, 90 * SECOND));

    // Retry-After: honoured up to 60 s; above that the call fails at once.
    let told = |seconds: u64| status(429).with_retry_after(Some(Duration::from_secs(seconds)));
    assert_eq!(pause(&read(), &told(60), 1, 0.0), Some(60 * SECOND));
    assert_eq!(pause(&read(), &told(61), 1, 0.0), None);
    assert_eq!(pause(&read(), &status(503).with_retry_after(Some(7 * SECOND)), 1, 0.0), Some(7 * SECOND));

    // Reads: retried on 408, 429, 500, 502, 503, 504, those of a CDN and transport faults.
    for code in 300..=599 {
        let expected = [408, 429, 500, 502, 503, 504].contains(&code) || (520..=524).contains(&code);
        assert_eq!(retried(&read(), &status(code)), expected, "read, {code}");
        // Writes: only on 429 ...
        assert_eq!(retried(&write(), &status(code)), code == 429, "write, {code}");
    }
    for kind in [ErrorKind::Transport, ErrorKind::Timeout] {
        for phase in [Phase::Dns, Phase::Connect, Phase::ResponseHeaders, Phase::ResponseBody] {
            assert!(retried(&read(), &fault(kind, phase, true)), "read, {kind:?} {phase:?}");
            assert!(retried(&read(), &fault(kind, phase, false)), "read, {kind:?} {phase:?}");
            // ... and where the request provably was not sent.
            assert!(retried(&write(), &fault(kind, phase, false)), "write, {kind:?} {phase:?}");
            assert!(!retried(&write(), &fault(kind, phase, true)), "write, {kind:?} {phase:?}");
        }
    }

    // What another attempt cannot change: a certificate, a proxy that refuses,
    // our own deadline, and all that the provider has decided.
    for operation in [read(), write()] {
        for phase in [Phase::Tls, Phase::Proxy, Phase::RateLimit] {
            assert!(!retried(&operation, &fault(ErrorKind::Transport, phase, false)), "{phase:?}");
        }
        for kind in [
            ErrorKind::Business,
            ErrorKind::Auth,
            ErrorKind::SessionExpired,
            ErrorKind::Denied,
            ErrorKind::Config,
            ErrorKind::Decode,
            ErrorKind::TooLarge,
        ] {
            assert!(!retried(&operation, &Error::new(kind, "").with_status(StatusCode::OK)), "{kind:?}");
        }
    }

    // Retry budget: at most 20 % over 10 s plus a small reserve.
    let budget = Budget::default();
    let start = Instant::now();
    for _ in 0..100 {
        budget.count_call(start);
    }
    let granted = |now| (0..1000).filter(|_| budget.take(&RetryPolicy::default(), now)).count();
    assert_eq!(granted(start), 30);
    assert_eq!(granted(start + 9 * SECOND), 0);
    assert_eq!(granted(start + 10 * SECOND), 10);

    // Rate limit: 25 a minute on the test host, 100 on live.
    assert_eq!(Environment::Test.requests_per_minute(), 25);
    assert_eq!(Environment::Live.requests_per_minute(), 100);

    // Response body: at most 16 MiB.
    assert_eq!(policy.max_body_bytes, 16 * 1024 * 1024);
}

/// What a code says of passing by itself. What takes minutes is for the caller
/// to send again.
#[test]
fn a_failure_that_passes_is_retried_where_that_is_safe() {
    let meaning = |meaning, maybe_processed| {
        Error::new(ErrorKind::Business, "").with_meaning(Some(meaning)).with_maybe_processed(maybe_processed)
    };
    assert!(retried(&read(), &meaning(CodeMeaning::Temporary, true)));
    assert!(!retried(&write(), &meaning(CodeMeaning::Temporary, true)));
    for (operation, code, maybe_processed, later) in [
        (read(), CodeMeaning::NotReady, false, true),
        (write(), CodeMeaning::NotReady, false, false),
        (read(), CodeMeaning::Busy, false, true),
        (write(), CodeMeaning::Busy, false, true),
        (write(), CodeMeaning::Busy, true, false),
    ] {
        let error = meaning(code, maybe_processed);
        assert_eq!(is_retryable(operation.idempotent, &error), later, "{code:?}");
        assert_eq!(pause(&operation, &error, 1, 0.5), None, "{code:?}");
    }
    for code in
        [CodeMeaning::SessionOver, CodeMeaning::LoginRefused, CodeMeaning::NoRecords, CodeMeaning::Duplicate]
    {
        assert!(!retried(&read(), &meaning(code, false)), "{code:?}");
    }
}

/// A retry of our own limit is the caller's to make: later there may be a place.
#[test]
fn a_refusal_of_the_own_limit_may_be_tried_later() {
    let refused = crate::rate_limit::too_slow(Some(SECOND), Duration::ZERO);
    assert!(is_retryable(false, &refused));
    assert!(!refused.maybe_processed());
}

/// A pause that would pass the deadline is not made.
#[test]
fn no_pause_passes_the_deadline() {
    let policy = RetryPolicy::default();
    let failed = status(503);
    let decide = |left| decide(&policy, &read(), &failed, 1, false, left, 1.0);
    assert_eq!(decide(SECOND / 2 + Duration::from_nanos(1)), Decision::Retry(SECOND / 2));
    assert_eq!(decide(SECOND / 2), Decision::Stop);
    assert_eq!(decide(Duration::ZERO), Decision::Stop);
}

/// Never earlier than asked for, and at most a tenth or a second later.
#[test]
fn retry_after_is_never_cut_short() {
    for (wait, latest) in [(1.0, 1.1), (10.0, 11.0), (60.0, 61.0), (0.0, 0.0)] {
        let wait = SECOND.mul_f64(wait);
        let failed = status(429).with_retry_after(Some(wait));
        assert_eq!(pause(&write(), &failed, 1, 0.0), Some(wait));
        assert_eq!(pause(&write(), &failed, 1, 1.0), Some(SECOND.mul_f64(latest)));
    }
}

/// Pauses are spread over the upper half, and no two clients agree.
#[test]
fn pauses_are_spread() {
    let policy = RetryPolicy::default().max_attempts(10);
    for attempt in 1..=9 {
        let longest = SECOND.mul_f64(0.5 * f64::from(1 << (attempt - 1))).min(8 * SECOND);
        let pauses: Vec<_> =
            (0..1000).map(|_| backoff(&policy, ErrorKind::Api, attempt, fastrand::f64())).collect();
        assert!(pauses.iter().all(|pause| (longest / 2..=longest).contains(pause)));
        let low = pauses.iter().filter(|pause| **pause < longest.mul_f64(0.75)).count();
        assert!((350..=650).contains(&low), "{low} of 1000 in the lower half of the spread");
        let mut distinct = pauses;
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 900, "{} distinct pauses", distinct.len());
    }
}

/// Numbers without sense neither panic nor make a busy loop.
#[test]
fn extreme_numbers_are_harmless() {
    let extremes = [Duration::ZERO, Duration::from_nanos(1), SECOND, Duration::MAX];
    for base in extremes {
        for longest in extremes {
            for attempts in [0, 1, u32::MAX] {
                let policy = RetryPolicy::default()
                    .max_attempts(attempts)
                    .base_backoff(base)
                    .max_backoff(longest)
                    .max_retry_after(longest);
                assert!((1..=10).contains(&policy.max_attempts));
                for attempt in [1, 2, 9, 31, 32, 33, 64, u32::MAX] {
                    for jitter in [0.0, 0.5, 1.0, -1.0, 2.0] {
                        for kind in [ErrorKind::Api, ErrorKind::RateLimited] {
                            let pause = backoff(&policy, kind, attempt, jitter);
                            assert!(pause >= Duration::from_micros(500), "{pause:?}");
                        }
                        for wait in [
                            None,
                            Some(Duration::ZERO),
                            retry_after(&u64::MAX.to_string(), SystemTime::now()),
                        ] {
                            let failed = status(429).with_retry_after(wait);
                            let _ = decide(
                                &policy,
                                &read(),
                                &failed,
                                attempt,
                                false,
                                Duration::MAX,
                                jitter.clamp(0.0, 1.0),
                            );
                        }
                    }
                }
            }
        }
    }
    for (share, reserve) in [(f64::NAN, 0), (f64::INFINITY, 0), (-1.0, 0), (1e300, u32::MAX)] {
        let policy = RetryPolicy::default().budget(share, reserve);
        let budget = Budget::default();
        let now = Instant::now();
        budget.count_call(now);
        let _ = budget.take(&policy, now);
    }
}

/// The budget comes back with calls, a second at a time, and holds little.
#[test]
fn the_budget_slides() {
    let policy = RetryPolicy::default().budget(0.2, 0);
    let budget = Budget::default();
    let mut now = Instant::now();
    let (mut calls, mut retries) = (0_u32, 0_u32);
    for _ in 0..6000 {
        budget.count_call(now);
        calls += 1;
        retries += u32::from(budget.take(&policy, now)) + u32::from(budget.take(&policy, now));
        now += SECOND / 100;
    }
    let share = f64::from(retries) / f64::from(calls);
    assert!((0.18..=0.21).contains(&share), "{share}");
    assert!(budget.slots.lock().unwrap().len() <= 11);
    assert!(!budget.take(&policy, now + 11 * SECOND), "ten quiet seconds leave nothing");
}

/// Seconds, and the three forms of an HTTP date.
#[test]
fn retry_after_is_read_in_all_its_forms() {
    let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    let seconds = |seconds: u64| Some(Duration::from_secs(seconds));
    for (value, wait) in [
        ("0", seconds(0)),
        ("0.0", seconds(0)),
        ("120", seconds(120)),
        (" 120\t", seconds(120)),
        ("007", seconds(7)),
        ("1.5", Some(SECOND * 3 / 2)),
        ("Sun, 06 Nov 1994 08:49:39 GMT", seconds(2)),
        ("Sunday, 06-Nov-94 08:49:39 GMT", seconds(2)),
        ("Sun Nov  6 08:49:39 1994", seconds(2)),
        // Past: now.
        ("Sun, 06 Nov 1994 08:49:36 GMT", seconds(0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", seconds(0)),
        // Beyond every clock: very long.
        ("4294967296", seconds(u32::MAX.into())),
        ("18446744073709551616", seconds(u32::MAX.into())),
        ("1e300", seconds(u32::MAX.into())),
        ("Fri, 31 Dec 9999 23:59:59 GMT", seconds(u32::MAX.into())),
        // Nonsense: as if absent.
        ("", None),
        (" ", None),
        ("-1", None),
        ("soon", None),
        ("NaN", None),
        ("inf", None),
        ("1e999", None),
        ("12 s", None),
        ("٣", None),
        ("Sun, 32 Nov 1994 08:49:39 GMT", None),
        ("2026-01-01T00:00:00Z", None),
    ] {
        assert_eq!(retry_after(value, now), wait, "{value:?}");
    }
}
