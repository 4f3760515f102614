//! One login, one session, for all workers.

use std::time::{Duration, Instant};

use sandbox_client::mock::MockServer;

use crate::{
    support::RedisServer,
    worker::{Setting, ask_all},
};

const GSTIN: &str = "33ABKCS2033B1ZW";

async fn mock() -> MockServer {
    MockServer::start().await.unwrap()
}
#[tokio::test(flavor = "multi_thread")]
async fn however_many_workers_start_there_is_one_login() {
    let (mock, redis) = (mock().await, RedisServer::start());
    // Slow enough that all of them meet it.
    mock.on("authenticate").delay(Duration::from_millis(500));
    let mut workers = Setting::new(&mock, &redis).start_many(4);
    assert_eq!(ask_all(&mut workers, "calls 50"), ["50 done"; 4]);
    assert_eq!((mock.hits("authenticate"), mock.hits("generate_otp")), (1, 200));
}
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_while_it_logs_in_is_followed_by_another() {
    let (mock, redis) = (mock().await, RedisServer::start());
    mock.on("authenticate").delay(Duration::from_secs(60)).times(1);
    let mut workers = Setting::new(&mock, &redis).start_many(3);
    let mut leader = workers.pop().unwrap();
    leader.tell("calls 1");
    wait_for(|| mock.hits("authenticate") == 1);
    for worker in &mut workers {
        worker.tell("calls 5");
    }
    leader.signal("KILL");
    let killed = Instant::now();
    for worker in &mut workers {
        assert_eq!(worker.answer(), "5 done");
    }
    let waited = killed.elapsed();
    assert!(waited > Duration::from_secs(5) && waited < Duration::from_secs(20), "{waited:?}");
    assert_eq!((mock.hits("authenticate"), mock.hits("generate_otp")), (2, 10));
}
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_up_late_does_not_overwrite_a_newer_token() {
    let (mock, redis) = (mock().await, RedisServer::start());
    mock.on("authenticate").delay(Duration::from_secs(1)).times(1);
    let setting = Setting::new(&mock, &redis);
    let (mut leader, mut other) = (setting.start(), setting.start());
    leader.tell("calls 1");
    wait_for(|| mock.hits("authenticate") == 1);
    leader.signal("STOP");
    other.tell("calls 1");
    assert_eq!(other.answer(), "1 done");
    assert_eq!(mock.hits("authenticate"), 2);
    let key = token_key(&redis);
    let stored = redis.cli(&["hget", &key, "value"]);

    leader.signal("CONT");
    assert_eq!(leader.answer(), "1 done");
    assert_eq!(redis.cli(&["hget", &key, "value"]), stored);
    let sent: Vec<_> = platform_tokens(&mock);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1], "the late one uses the token that is stored");
    // Nor later, and the claim of the other was not released by the late one.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(redis.cli(&["hget", &key, "value"]), stored);
    assert_eq!(mock.hits("authenticate"), 2);
}

/// A login that takes longer than a claim lives without a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_login_is_not_overtaken() {
    let (mock, redis) = (mock().await, RedisServer::start());
    mock.on("authenticate").delay(Duration::from_secs(14));
    let mut workers = Setting::new(&mock, &redis).start_many(3);
    assert_eq!(ask_all(&mut workers, "calls 2"), ["2 done"; 3]);
    assert_eq!(mock.hits("authenticate"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_replaced_once_for_all() {
    let (mock, redis) = (mock().await, RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).start_many(4);
    assert_eq!(ask_all(&mut workers, "calls 5"), ["5 done"; 4]);
    for round in 2..=4 {
        mock.expire_all_tokens();
        assert_eq!(ask_all(&mut workers, "calls 20"), ["20 done"; 4]);
        assert_eq!(mock.hits("authenticate"), round);
    }
}

/// A token near its end: one worker renews it early, the others find it.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_refreshed_once_for_all() {
    let lifetime = Duration::from_secs(20);
    let mock = MockServer::builder().token_lifetime("taxpayer_token", lifetime).start().await.unwrap();
    let redis = RedisServer::start();
    let mut workers = Setting::new(&mock, &redis).start_many(4);
    assert_eq!(workers[0].ask(&format!("otp {GSTIN}")), "session");
    assert_eq!(ask_all(&mut workers, &format!("count {GSTIN}")), ["counted"; 4]);
    std::thread::sleep(Duration::from_millis(18_500));
    for _ in 0..3 {
        assert_eq!(ask_all(&mut workers, &format!("count {GSTIN}")), ["counted"; 4]);
    }
    assert_eq!((mock.hits("refresh_session"), mock.hits("verify_otp")), (1, 1));
}
#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_server_gets_back_what_workers_hold() {
    let (mock, redis) = (mock().await, RedisServer::start());
    let setting = Setting::new(&mock, &redis);
    let (mut holder, mut other) = (setting.start(), setting.start());
    assert_eq!(holder.ask(&format!("otp {GSTIN}")), "session");
    assert_eq!(other.ask("calls 1"), "1 done");

    redis.cli(&["flushall"]);
    // The other never saw the session; its holder is not even asked.
    assert_eq!(other.ask(&format!("count {GSTIN}")), "counted");
    let mut third = setting.start();
    assert_eq!(third.ask(&format!("count {GSTIN}")), "counted");
    assert_eq!(third.ask("calls 1"), "1 done");
    assert_eq!((mock.hits("authenticate"), mock.hits("verify_otp")), (1, 1));
}
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_stored_in_clear() {
    let (mock, redis) = (mock().await, RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).limit(1000).start();
    assert_eq!(worker.ask(&format!("otp {GSTIN}")), "session");
    assert_eq!(worker.ask(&format!("count {GSTIN}")), "counted");
    worker.tell("sweep november 3");
    wait_for(|| redis.keys().iter().any(|key| key.contains(":sweep:")));
    let mut dump = redis.keys().join("\n");
    for key in redis.keys() {
        dump += &redis.cli(&["--no-raw", "dump", &key]);
        for read in [["hgetall", &key], ["xrange", &key]] {
            let all = if read[0] == "xrange" { vec!["xrange", &key, "-", "+"] } else { read.to_vec() };
            dump += &redis.cli(&all);
        }
    }
    worker.answer();
    let tokens = platform_tokens(&mock);
    let taxpayer_token =
        mock.requests().iter().rev().find_map(|request| request.header("authorization").map(str::to_owned));
    let canaries =
        [mock.key(), mock.secret(), &tokens[0], &taxpayer_token.unwrap(), GSTIN, "canary-of-a-user", "user0"];
    assert!(redis.keys().len() >= 4 && dump.len() > 1000, "{dump}");
    for canary in canaries {
        assert!(!dump.contains(canary), "{canary} is stored in clear");
    }
    let stored = redis.cli(&["hget", &token_key(&redis), "value"]);
    assert!(!stored.is_empty());
    let left: i64 = redis.cli(&["pttl", &token_key(&redis)]).parse().unwrap();
    let day = 24 * 3600 * 1000;
    assert!(left > 0 && left <= day, "a token is kept for {left} ms");
}
#[tokio::test(flavor = "multi_thread")]
async fn wrong_clocks_of_workers_change_nothing() {
    let (mock, redis) = (mock().await, RedisServer::start());
    let setting = Setting::new(&mock, &redis).limit(20);
    let mut workers =
        vec![setting.clone().clock("+1h").start(), setting.clone().clock("-1h").start(), setting.start()];
    assert_eq!(workers[0].ask(&format!("otp {GSTIN}")), "session");
    assert_eq!(ask_all(&mut workers, &format!("count {GSTIN}")), ["counted"; 3]);
    assert_eq!(ask_all(&mut workers, "calls 2"), ["2 done"; 3]);
    // A newer token of a clock that is behind replaces one of a clock that is ahead.
    mock.expire_all_tokens();
    assert_eq!(workers[1].ask("calls 1"), "1 done");
    assert_eq!(ask_all(&mut workers, "calls 1"), ["1 done"; 3]);
    assert_eq!((mock.hits("authenticate"), mock.hits("verify_otp")), (2, 1));
    // The limit is used up to the last place: 18 so far, logins and refused ones included.
    let before = mock.requests().len();
    assert!((17..20).contains(&before), "{before}");
    let started = Instant::now();
    ask_all(&mut workers, "flood 4");
    assert_eq!(mock.requests().len(), 20, "after {:?}", started.elapsed());
}

/// What another version wrote is read, and what it adds is not touched.
#[tokio::test(flavor = "multi_thread")]
async fn versions_share_a_store() {
    let (mock, redis) = (mock().await, RedisServer::start());
    let setting = Setting::new(&mock, &redis);
    let (mut one, mut other) = (setting.start(), setting.start());
    assert_eq!(one.ask("calls 1"), "1 done");
    // A later version keeps more beside the token.
    redis.cli(&["hset", &token_key(&redis), "later", "unknown"]);
    assert_eq!(other.ask("calls 1"), "1 done");
    assert_eq!(mock.hits("authenticate"), 1);
    // A later version seals otherwise: it cannot be read, so a login takes its place.
    redis.cli(&["hset", &token_key(&redis), "value", "\u{2}of-another-form"]);
    let mut third = setting.start();
    assert_eq!(third.ask("calls 1"), "1 done");
    assert_eq!(mock.hits("authenticate"), 2);
    assert_eq!(redis.cli(&["hget", &token_key(&redis), "later"]), "unknown");
}

fn token_key(redis: &RedisServer) -> String {
    redis.keys().into_iter().find(|key| key.contains(":token:")).expect("a token")
}

/// What the calls with the platform token carried.
fn platform_tokens(mock: &MockServer) -> Vec<String> {
    let requests = mock.requests().into_iter();
    let calls = requests
        .filter(|request| matches!(request.operation.as_deref(), Some("generate_otp" | "verify_otp")));
    calls.filter_map(|request| request.header("authorization").map(str::to_owned)).collect()
}

#[track_caller]
pub fn wait_for(met: impl Fn() -> bool) {
    let started = Instant::now();
    while !met() {
        assert!(started.elapsed() < Duration::from_secs(20), "it did not come to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A worker that renews while another logs out does not bring the session back.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_worker_ends_is_not_revived_by_another() {
    for word in ["logout", "forget"] {
        let (mock, redis) = (mock().await, RedisServer::start());
        let setting = Setting::new(&mock, &redis);
        let (mut one, mut other, mut third) = (setting.start(), setting.start(), setting.start());
        assert_eq!(one.ask(&format!("otp {GSTIN}")), "session");
        assert_eq!(other.ask(&format!("count {GSTIN}")), "counted");
        mock.on("refresh_session").delay(Duration::from_secs(2));
        one.tell(&format!("refresh {GSTIN}"));
        wait_for(|| mock.hits("refresh_session") == 1);
        assert_eq!(other.ask(&format!("{word} {GSTIN}")), "ended");
        let answer = one.answer();
        assert!(answer.contains("session has expired"), "{answer}");
        for worker in [&mut one, &mut other, &mut third] {
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "no session");
        }
        // A new session is a new session, for all.
        mock.clear_rules();
        assert_eq!(other.ask(&format!("otp {GSTIN}")), "session");
        for worker in [&mut one, &mut other, &mut third] {
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "counted");
        }
    }
}

/// Many workers refresh one session at once: one request, and all have the new token.
#[tokio::test(flavor = "multi_thread")]
async fn many_workers_that_refresh_share_one_request() {
    let (mock, redis) = (mock().await, RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).start_many(4);
    assert_eq!(workers[0].ask(&format!("otp {GSTIN}")), "session");
    assert_eq!(ask_all(&mut workers, &format!("count {GSTIN}")), ["counted"; 4]);
    mock.on("refresh_session").delay(Duration::from_secs(1));
    assert_eq!(ask_all(&mut workers, &format!("refresh {GSTIN}")), ["refreshed"; 4]);
    assert_eq!(mock.hits("refresh_session"), 1);
    assert_eq!(ask_all(&mut workers, &format!("count {GSTIN}")), ["counted"; 4]);
}

/// Many times: a session may end in the millisecond in which it was opened, and
/// another be opened in that one too.
#[tokio::test]
async fn the_store_passes_the_suite() {
    let redis = RedisServer::start();
    let key = sandbox_client::redis::EncryptionKey::new(crate::worker::KEY);
    let store = sandbox_client::redis::Redis::new(&redis.url(), &key, 1).unwrap();
    let store: std::sync::Arc<dyn sandbox_client::TokenStore> = std::sync::Arc::new(store);
    for _ in 0..25 {
        sandbox_client::mock::check_token_store(store.clone()).await.unwrap();
    }
}
