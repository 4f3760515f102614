//! The server is away, comes back, or hangs.

use std::time::{Duration, Instant};

use sandbox_client::mock::MockServer;

use crate::{
    rate_limit::{arrivals, most_in_a_minute},
    support::RedisServer,
    worker::{Setting, ask_all},
};

/// 20 a minute for four workers. Without the server each has five; and
/// neither when it goes nor when it comes back, having lost everything, is
/// any minute above the limit.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_each_worker_has_its_part() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).limit(20).workers(4).start_many(4);
    assert_eq!(ask_all(&mut workers, "calls 2"), ["2 done"; 4]);
    assert_eq!(mock.requests().len(), 9, "one login and two calls each");

    redis.stop();
    ask_all(&mut workers, "flood 5");
    assert_eq!(ask_all(&mut workers, "up"), ["false"; 4]);
    let during = mock.requests().len();
    assert!((17..=20).contains(&during), "{during}");
    assert_eq!(mock.hits("authenticate"), 1);

    redis.start_again();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(ask_all(&mut workers, "up"), ["true"; 4], "nobody called meanwhile");
    let left = 20 - mock.requests().len();
    let answers = ask_all(&mut workers, "flood 58");
    assert!(answers.iter().all(|answer| answer.ends_with(" done")), "{answers:?}");
    let arrivals = arrivals(&mock);
    assert_eq!(most_in_a_minute(&arrivals), 20);
    assert!(arrivals.len() > during + left + 5, "it goes on: {}", arrivals.len());
    assert_eq!(mock.hits("authenticate"), 1, "the token was put back");
}

/// A server that accepts and does not answer holds nobody up for long.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_left() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).limit(1000).workers(2).start();
    assert_eq!(worker.ask("calls 1"), "1 done");
    redis.signal("STOP");
    let started = Instant::now();
    for _ in 0..10 {
        assert_eq!(worker.ask("calls 20"), "20 done");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(worker.ask("up"), "false");
    redis.signal("CONT");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(worker.ask("up"), "true");
}

/// A worker that starts while the server is away logs in for itself, and
/// shares what it has once the server is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_the_server() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    redis.stop();
    let setting = Setting::new(&mock, &redis);
    let mut one = setting.start();
    assert_eq!(one.ask("calls 3"), "3 done");
    redis.start_again();
    std::thread::sleep(Duration::from_secs(3));
    let mut other = setting.start();
    assert_eq!(other.ask("calls 3"), "3 done");
    assert_eq!(mock.hits("authenticate"), 1);
}

/// A server that saves a copy of itself now and then comes back with an older
/// one after a crash: what was allowed since is not in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_with_an_older_copy() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).limit(12).workers(2).start_many(2);
    assert_eq!(ask_all(&mut workers, "calls 1"), ["1 done"; 2]);
    assert_eq!(redis.cli(&["save"]), "OK");
    assert_eq!(ask_all(&mut workers, "calls 3"), ["3 done"; 2]);
    redis.stop();
    redis.start_again();
    assert!(!redis.keys().is_empty(), "it came back with its copy");
    let answers = ask_all(&mut workers, "flood 6");
    assert!(answers.iter().all(|answer| answer.ends_with(" done")), "{answers:?}");
    // Fewer rather than more: what the copy has is counted with what workers tell.
    let sent = mock.requests().len();
    assert!((9..=12).contains(&sent), "{sent}");
    assert_eq!(mock.hits("authenticate"), 1);
}

const GSTIN: &str = "33ABKCS2033B1ZW";

/// How long workers need to notice that the server is back.
fn noticed() {
    std::thread::sleep(Duration::from_secs(4));
}

/// A session that a worker ends while the server is away is over when it is
/// back: with nothing, or with a copy of what it had, and although another worker
/// has renewed the session meanwhile. Whatever the clocks of the workers say.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_forgotten_while_the_server_is_away_does_not_come_back() {
    for (clocks, copy) in [(["+0", "+0"], true), (["+5h", "-5h"], false), (["-5h", "+5h"], true)] {
        let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
        let setting = Setting::new(&mock, &redis);
        let [mut one, mut other] = clocks.map(|clock| setting.clone().clock(clock).start());
        assert_eq!(one.ask(&format!("otp {GSTIN}")), "session");
        assert_eq!(other.ask(&format!("count {GSTIN}")), "counted");
        if copy {
            assert_eq!(redis.cli(&["save"]), "OK");
        }
        redis.stop();
        let forgotten = one.ask(&format!("forget {GSTIN}"));
        assert!(forgotten.starts_with("error store: the session is forgotten here"), "{forgotten}");
        assert_eq!(other.ask(&format!("refresh {GSTIN}")), "refreshed");
        let during = one.ask(&format!("count {GSTIN}"));
        assert!(during.starts_with("error store"), "nobody knows: {during}");

        redis.start_again();
        noticed();
        let mut third = setting.start();
        for worker in [&mut one, &mut other, &mut third] {
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "no session", "{clocks:?} {copy}");
        }
        // A new session is a new session, for all.
        assert_eq!(other.ask(&format!("otp {GSTIN}")), "session");
        for worker in [&mut one, &mut other, &mut third] {
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "counted", "{clocks:?} {copy}");
        }
        assert_eq!(other.ask(&format!("refresh {GSTIN}")), "refreshed");
        assert_eq!(one.ask(&format!("count {GSTIN}")), "counted", "{clocks:?} {copy}");
    }
}

/// One that another worker opens after that stays, whoever is back first.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_opened_after_the_end_of_another_stays() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let setting = Setting::new(&mock, &redis);
    let (mut one, mut other) = (setting.start(), setting.start());
    assert_eq!(one.ask(&format!("otp {GSTIN}")), "session");
    redis.stop();
    assert!(one.ask(&format!("forget {GSTIN}")).starts_with("error store"));
    assert_eq!(other.ask(&format!("otp {GSTIN}")), "session");
    redis.start_again();
    noticed();
    let mut third = setting.start();
    for worker in [&mut one, &mut other, &mut third] {
        assert_eq!(worker.ask(&format!("count {GSTIN}")), "counted");
    }
    assert_eq!(mock.hits("verify_otp"), 2);
}

/// The server loses that a session was ended, or comes back with a copy from
/// before that: another worker, which did not hear of it, puts back what it has.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgets_the_end_of_a_session_is_told_again() {
    for copy in [false, true] {
        let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
        let setting = Setting::new(&mock, &redis).limit(1000);
        let (mut one, mut other) = (setting.start(), setting.start());
        assert_eq!(one.ask(&format!("otp {GSTIN}")), "session");
        assert_eq!(other.ask(&format!("count {GSTIN}")), "counted");
        if copy {
            assert_eq!(redis.cli(&["save"]), "OK");
            assert_eq!(one.ask("calls 2"), "2 done");
        }
        assert_eq!(one.ask(&format!("forget {GSTIN}")), "ended");
        if copy {
            redis.stop();
            redis.start_again();
            // That it is an older one is seen by what it has counted.
            assert_eq!(one.ask("calls 1"), "1 done");
        } else {
            redis.cli(&["flushall"]);
        }
        noticed();
        let mut third = setting.start();
        for worker in [&mut one, &mut other, &mut third] {
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "no session", "{copy}");
        }
    }
}
