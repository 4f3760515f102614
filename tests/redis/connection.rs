//! How the server is reached: users, passwords, TLS, and what the log says.

use sandbox_client::mock::MockServer;

use crate::{
    support::{Authority, RedisServer},
    worker::Setting,
};

/// The rights that the documentation names are enough, and the password is
/// nowhere to be seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_few_rights_is_enough() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let documentation = include_str!("../../src/redis/README.md");
    let line =
        documentation.lines().find(|line| line.starts_with("ACL SETUSER")).expect("a line for redis-cli");
    let rights: Vec<_> = line.split_whitespace().map(|word| word.trim_matches('\'')).collect();
    assert_eq!(redis.cli(&rights), "OK");
    redis.cli(&["acl", "setuser", "default", "off"]);

    let url = |password| format!("redis://sandbox:{password}@127.0.0.1:{}/0", redis.port());
    let mut setting = Setting::new(&mock, &redis).limit(1000);
    setting.redis = url("a-long-password");
    let mut worker = setting.start();
    assert_eq!(worker.ask("sign-in 2"), "signed in");
    assert_eq!(worker.ask("calls 5"), "5 done");
    worker.tell("sweep rights 2");
    while worker.line().is_some_and(|line| line != "end") {}
    assert_eq!(worker.ask("up"), "true");
    let login = mock.hits("authenticate");

    setting.redis = url("canary");
    let mut refused = setting.start();
    assert_eq!(refused.ask("calls 5"), "5 done");
    assert_eq!((refused.ask("up").as_str(), mock.hits("authenticate")), ("false", login + 1));
    let log = refused.ask("log");
    assert!(log.contains("it does not accept user or password"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

/// A warning when it goes, a word when it is back, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_once() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).limit(1000).start();
    assert_eq!(worker.ask("calls 1"), "1 done");
    redis.stop();
    for _ in 0..5 {
        assert_eq!(worker.ask("calls 20"), "20 done");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    redis.start_again();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let log = worker.ask("log");
    assert_eq!(
        (log.matches("Redis does not work").count(), log.matches("Redis is back").count()),
        (1, 1),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_and_certificates_are_checked() {
    let mock = MockServer::start().await.unwrap();
    let authority = Authority::new();
    let files = authority.files();
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let redis = RedisServer::with(&[
        "--tls-port",
        &port,
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
    ]);
    let mut setting = Setting::new(&mock, &redis).limit(1000);
    setting.redis = format!("rediss://localhost:{port}");
    let ca = file("ca.pem");
    let mut worker = setting.clone().certificates(&ca).start();
    assert_eq!(worker.ask("calls 3"), "3 done");
    assert_eq!(worker.ask("up"), "true");
    assert!(redis.keys().iter().any(|key| key.contains(":token:")));

    let mut distrustful = setting.start();
    assert_eq!(distrustful.ask("calls 3"), "3 done");
    assert_eq!(distrustful.ask("up"), "false");
}
