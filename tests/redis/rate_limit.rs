//! One rate limit for all workers.

use std::time::{Duration, Instant};

use sandbox_client::mock::MockServer;

use crate::{
    support::RedisServer,
    worker::{Setting, ask_all},
};

/// When each request came, those for tokens included.
pub fn arrivals(mock: &MockServer) -> Vec<Instant> {
    let mut arrivals: Vec<_> = mock.requests().iter().map(|request| request.arrived).collect();
    arrivals.sort();
    arrivals
}

/// The most requests in any minute.
pub fn most_in_a_minute(arrivals: &[Instant]) -> usize {
    let minute = Duration::from_secs(60);
    (0..arrivals.len())
        .map(|first| arrivals[first..].iter().take_while(|&&at| at - arrivals[first] < minute).count())
        .max()
        .unwrap_or_default()
}
#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_keep_to_one_limit_and_use_it() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    mock.rate_limit(25, Duration::from_secs(60));
    let mut workers = Setting::new(&mock, &redis).limit(25).start_many(8);
    let answers = ask_all(&mut workers, "flood 127");
    assert!(answers.iter().all(|answer| answer.ends_with(" done")), "{answers:?}");
    let arrivals = arrivals(&mock);
    assert_eq!(most_in_a_minute(&arrivals), 25);
    assert_eq!(arrivals.len(), 75, "the second and the third minute are used too");
    let refused = mock.requests().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(refused, 0);
    // 97 % of 25 a minute: the 26th no later than this after the first.
    for index in 0..50 {
        let apart = arrivals[index + 25] - arrivals[index];
        assert!(apart < Duration::from_millis(61_850), "{apart:?}");
    }
}
#[tokio::test(flavor = "multi_thread")]
async fn all_pause_when_one_is_told_to() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).limit(1000).start_many(4);
    assert_eq!(ask_all(&mut workers, "calls 1"), ["1 done"; 4]);
    mock.on("generate_otp").error("too_many_requests").header("retry-after", "3").times(1);
    mock.clear();
    let mut told = workers.pop().unwrap();
    told.tell("calls 1");
    while mock.hits("generate_otp") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    // Who cannot wait for so long is told why, though another was asked to pause.
    let impatient = workers[0].ask("hurry");
    assert!(impatient.contains("the provider asked for a pause (status 429)"), "{impatient}");
    let floods = ask_all(&mut workers, "calls 3");
    assert_eq!(floods, ["3 done"; 3]);
    assert_eq!(told.answer(), "1 done");
    let arrivals = arrivals(&mock);
    assert_eq!(arrivals.len(), 1 + 1 + 9);
    let pause = arrivals[1] - arrivals[0];
    assert!(pause >= Duration::from_millis(2990), "one went on after {pause:?}");
    assert!(arrivals[10] - arrivals[0] < Duration::from_secs(6));
}

/// A call that is given up while the server decides takes no permit with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_gives_its_permit_back() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).limit(10).start();
    assert_eq!(worker.ask("calls 1"), "1 done");
    redis.signal("STOP");
    assert_eq!(worker.ask("drop 3"), "dropped");
    redis.signal("CONT");
    std::thread::sleep(Duration::from_millis(300));
    worker.ask("flood 3");
    assert_eq!(mock.requests().len(), 10, "the login is one of them");
    assert_eq!(worker.ask("up"), "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_takes_no_more_than_it_sent() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let setting = Setting::new(&mock, &redis).limit(10);
    let (mut one, mut other) = (setting.start(), setting.start());
    assert_eq!(one.ask("calls 3"), "3 done");
    one.signal("KILL");
    other.ask("flood 3");
    // The login is one of them.
    assert_eq!(mock.requests().len(), 10);
}

/// The clock of the server is set back by an hour: what it has counted lies in
/// its future then, as it is made to here.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_of_the_server_that_is_set_back_exceeds_no_limit() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).limit(10).start();
    assert_eq!(worker.ask("calls 4"), "4 done");
    let key = |end: &str| redis.keys().into_iter().find(|key| key.ends_with(end)).unwrap();
    let (slots, counts) = (key(":slots"), key(":counts"));
    for slot in redis.cli(&["zrange", &slots, "0", "-1"]).lines() {
        let later = (slot.parse::<u64>().unwrap() + 36_000).to_string();
        let count = redis.cli(&["hget", &counts, slot]);
        redis.cli(&["zadd", &slots, &later, &later]);
        redis.cli(&["hset", &counts, &later, &count]);
        redis.cli(&["zrem", &slots, slot]);
        redis.cli(&["hdel", &counts, slot]);
    }
    worker.ask("flood 2");
    assert_eq!(mock.requests().len(), 10, "the login is one of them");
    // Nor is it closed for an hour.
    let now: u64 = redis.cli(&["time"]).lines().next().unwrap().parse().unwrap();
    let last = redis.cli(&["zrange", &slots, "-1", "-1"]).parse::<u64>().unwrap();
    assert!(last / 10 <= now, "{last} is after {now}");
}
