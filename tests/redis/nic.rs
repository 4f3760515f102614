//! Tokens of API users of NIC, shared by workers: one login for all of them,
//! and a password that never leaves a worker but for the login.

use std::time::Duration;

use sandbox_client::mock::MockServer;

use crate::{
    support::RedisServer,
    worker::{PASSWORD, Setting, ask_all},
};

const GSTIN: &str = "29AAACQ3770E000";

/// What workers are asked for, and the login that it takes.
const KINDS: [(&str, &str); 2] =
    [("invoices", "e_invoice_authenticate"), ("bills", "e_way_bill_authenticate")];

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_one_login_of_an_api_user() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).start_many(2);
    for (word, login) in KINDS {
        // Slow enough that both of them meet it.
        mock.on(login).delay(Duration::from_millis(500));
        assert_eq!(ask_all(&mut workers, &format!("{word} {GSTIN} 20")), ["20 done"; 2]);
        assert_eq!(mock.hits(login), 1, "{login}");
        // One that comes later finds the token.
        let mut third = Setting::new(&mock, &redis).start();
        assert_eq!(third.ask(&format!("{word} {GSTIN} 2")), "2 done");
        assert_eq!(mock.hits(login), 1, "{login}");
    }
}

/// The portal refuses the token to all at once: one of them logs in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_of_an_api_user_is_replaced_once_for_all() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).start_many(2);
    // With a platform token that lives, so that each login is counted once.
    assert_eq!(ask_all(&mut workers, "calls 1"), ["1 done"; 2]);
    for (word, login) in KINDS {
        assert_eq!(ask_all(&mut workers, &format!("{word} {GSTIN} 1")), ["1 done"; 2]);
        let before = mock.hits(login);
        mock.expire_all_tokens();
        assert_eq!(ask_all(&mut workers, "calls 1"), ["1 done"; 2]);
        assert_eq!(ask_all(&mut workers, &format!("{word} {GSTIN} 20")), ["20 done"; 2]);
        assert_eq!(mock.hits(login), before + 1, "{login}");
    }
}

/// A worker that dies while it logs in: another takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_while_an_api_user_logs_in_is_followed_by_another() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    for (word, login) in KINDS {
        mock.on(login).delay(Duration::from_secs(60)).times(1);
        let mut workers = Setting::new(&mock, &redis).start_many(2);
        let mut leader = workers.pop().unwrap();
        leader.tell(&format!("{word} {GSTIN} 1"));
        crate::tokens::wait_for(|| mock.hits(login) == 1);
        leader.signal("KILL");
        assert_eq!(workers[0].ask(&format!("{word} {GSTIN} 5")), "5 done");
        assert_eq!(mock.hits(login), 2, "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_password_nor_token_of_an_api_user_is_stored_in_clear() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).start();
    for (word, _) in KINDS {
        assert_eq!(worker.ask(&format!("{word} {GSTIN} 1")), "1 done");
    }
    let requests = mock.requests();
    let sent = |operation: &str| {
        let request = requests.iter().find(|request| request.operation.as_deref() == Some(operation));
        request.unwrap_or_else(|| panic!("{operation} was not called"))
    };
    for (_, login) in KINDS {
        assert!(String::from_utf8_lossy(&sent(login).body).contains(PASSWORD), "{login}");
    }
    let tokens = ["get_e_invoice", "get_error_list"]
        .map(|operation| sent(operation).header("authorization").unwrap().to_owned());
    let keys = redis.keys();
    // Of the platform and of two kinds of session.
    assert_eq!(keys.iter().filter(|key| key.contains(":token:")).count(), 3, "{keys:?}");
    let mut dump = keys.join("\n");
    for key in &keys {
        dump += &redis.cli(&["--no-raw", "dump", key]);
        dump += &redis.cli(&["hgetall", key]);
    }
    let log = worker.ask("log");
    for canary in [PASSWORD, GSTIN, "canary-of-a-user", &tokens[0], &tokens[1]] {
        assert!(!dump.contains(canary), "{canary} is stored in clear");
    }
    for canary in [PASSWORD, &tokens[0], &tokens[1]] {
        assert!(!log.contains(canary), "{canary} is in the log");
    }
}

/// Redis has something else in the place of a token: a login takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_the_place_of_a_token_costs_a_login() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let setting = Setting::new(&mock, &redis);
    for (word, login) in KINDS {
        assert_eq!(setting.start().ask(&format!("{word} {GSTIN} 1")), "1 done");
        for (count, garbage) in
            ["", "x", "\u{1}", "{}", "a longer text that was never sealed by anybody"].into_iter().enumerate()
        {
            for key in redis.keys().iter().filter(|key| key.contains(":token:")) {
                redis.cli(&["hset", key, "value", garbage]);
            }
            assert_eq!(setting.start().ask(&format!("{word} {GSTIN} 2")), "2 done", "{garbage}");
            assert_eq!(mock.hits(login), 2 + count, "{garbage}");
        }
        // Of another type, and without members that every token has.
        for key in redis.keys().iter().filter(|key| key.contains(":token:")) {
            redis.cli(&["del", key]);
            redis.cli(&["set", key, "a text"]);
        }
        assert_eq!(setting.start().ask(&format!("{word} {GSTIN} 2")), "2 done");
        redis.cli(&["flushall"]);
    }
}
