//! The command `sandbox` on several machines.

use std::process::{Command, Stdio};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sandbox_client::mock::MockServer;

use crate::{
    command_support::Home,
    support::{RedisServer, signal},
    sweep::firm,
    worker::KEY,
};

fn on(home: &Home, redis: &RedisServer, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command
        .env("SANDBOX_REDIS_URL", redis.url())
        .env("SANDBOX_REDIS_KEY", BASE64_STANDARD.encode(KEY))
        .env("SANDBOX_REDIS_WORKERS", "3")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn three_machines_share_sessions_and_a_sweep() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let machines = [Home::of(&mock), Home::of(&mock), Home::of(&mock)];
    let firm = firm(4);
    let mut csv = "gstin,username\n".to_owned();
    for taxpayer in &firm {
        let (gstin, username) = (taxpayer.gstin.to_string(), &taxpayer.username);
        csv += &format!("{gstin},{username}\n");
        let login = ["login", "--no-request", "--gstin", &gstin, "--username", username];
        let mut login = on(&machines[0], &redis, &login);
        let mut login = login.stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut login.stdin.take().unwrap(), b"575757\n").unwrap();
        assert!(login.wait_with_output().unwrap().status.success());
    }
    mock.on("get_invoice_count").delay(std::time::Duration::from_millis(300));
    let sweeps = machines.iter().map(|home| {
        std::fs::write(home.path("firm.csv"), &csv).unwrap();
        let file = home.path("firm.csv");
        let file = file.to_str().unwrap();
        let arguments = ["sweep", "--from", file, "--share", "one", "--format", "json", "--concurrency", "2"];
        on(home, &redis, &arguments).spawn().unwrap()
    });
    let sweeps: Vec<_> = sweeps.collect();
    let mut lines = Vec::new();
    for sweep in sweeps {
        let output = sweep.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        assert!(errors.contains("Sharing the sweep one"), "{errors}");
        let part: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert!(part.len() < 12, "one machine did it all");
        lines.extend(part);
    }
    lines.sort();
    lines.dedup();
    assert_eq!((lines.len(), mock.hits("get_invoice_count")), (12, 12));
    assert_eq!((mock.hits("authenticate"), mock.hits("verify_otp")), (1, 4));
}

#[test]
fn what_is_missing_or_wrong_is_named_and_not_shown() {
    let redis = RedisServer::start();
    let home = Home::new();
    home.configure("api_key = \"key_test_0000\"\napi_secret = \"secret_test_0000\"\n");
    for (name, value, expected) in [
        ("SANDBOX_REDIS_KEY", Some("canary"), "SANDBOX_REDIS_KEY` is not 32 bytes in base64"),
        ("SANDBOX_REDIS_KEY", None, "SANDBOX_REDIS_KEY` is not set"),
        (
            "SANDBOX_REDIS_URL",
            Some("http://canary@host"),
            "SANDBOX_REDIS_URL` is not the address of a Redis server",
        ),
        ("SANDBOX_REDIS_URL", None, "SANDBOX_REDIS_URL` is not set"),
        ("SANDBOX_REDIS_WORKERS", Some("canary"), "SANDBOX_REDIS_WORKERS` is not a number"),
        ("SANDBOX_REDIS_WORKERS", Some("0"), "SANDBOX_REDIS_WORKERS` is zero"),
        ("SANDBOX_REDIS_WORKERS", Some("26"), "redis_workers` is above the requests a minute"),
    ] {
        let mut command = on(&home, &redis, &["counts"]);
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {errors}");
        assert!(errors.contains(expected) && !errors.contains("canary"), "{name}: {errors}");
    }
}

/// Ctrl-C on one machine: what it had not asked for is asked by the next, and nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_stopped_leaves_the_rest_to_the_others() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let machines = [Home::of(&mock), Home::of(&mock)];
    let mut csv = "gstin,username\n".to_owned();
    for taxpayer in firm(4) {
        csv += &format!("{},{}\n", taxpayer.gstin, taxpayer.username);
    }
    mock.on("get_invoice_count").delay(std::time::Duration::from_millis(400));
    let mut worker = crate::worker::Setting::new(&mock, &redis).start();
    assert_eq!(worker.ask("sign-in 4"), "signed in");
    let start = |home: &Home| {
        std::fs::write(home.path("firm.csv"), &csv).unwrap();
        let file = home.path("firm.csv");
        let file = file.to_str().unwrap();
        let arguments = ["sweep", "--from", file, "--share", "two", "--format", "json", "--concurrency", "2"];
        on(home, &redis, &arguments).spawn().unwrap()
    };
    let first = start(&machines[0]);
    while mock.hits("get_invoice_count") < 4 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    signal(first.id(), "INT");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(130), "{}", String::from_utf8_lossy(&first.stderr));
    let second = start(&machines[1]).wait_with_output().unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    let text = [first.stdout, second.stdout].map(|bytes| String::from_utf8(bytes).unwrap());
    let parts: Vec<_> = text.iter().map(|text| text.lines().count()).collect();
    assert!(parts[0] >= 2 && parts[1] >= 2 && parts[0] + parts[1] == 12, "{parts:?}");
    assert_eq!(mock.hits("get_invoice_count"), 12);
}

fn ask(home: &Home, redis: &RedisServer) -> std::process::Child {
    let who = ["login", "--request-only", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"];
    on(home, redis, &who).spawn().unwrap()
}

/// While the server is away, the processes of one machine have its files to go by.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_the_processes_of_a_machine_log_in_once() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    redis.stop();
    let home = Home::of(&mock);
    mock.on("authenticate").delay(std::time::Duration::from_millis(2500));
    let all: Vec<_> = (0..3).map(|_| ask(&home, &redis)).collect();
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!((mock.hits("authenticate"), mock.hits("generate_otp")), (1, 3));
}

/// A session that is forgotten on one machine does not come back from the
/// files of another, nor of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_one_machine_forgets_does_not_come_back_from_the_files_of_another() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let machines = [Home::of(&mock), Home::of(&mock)];
    let who = ["--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"];
    let run = |home: &Home, redis: &RedisServer, arguments: &[&str]| {
        let mut child =
            on(home, redis, &[arguments, &who[..]].concat()).stdin(Stdio::piped()).spawn().unwrap();
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"575757\n");
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&machines[0], &redis, &["login", "--no-request"]).0, Some(0));
    // Renewed on another, so that both have it in their files.
    assert_eq!(run(&machines[1], &redis, &["sessions", "refresh"]).0, Some(0));
    assert_eq!(run(&machines[0], &redis, &["sessions", "forget"]).0, Some(0));
    for home in &machines {
        let (code, told) = run(home, &redis, &["counts"]);
        assert_eq!(code, Some(5), "{told}");
    }
    // While the server is away: here it is forgotten, and that it is not there is told.
    assert_eq!(run(&machines[0], &redis, &["login", "--no-request"]).0, Some(0));
    assert_eq!(redis.cli(&["save"]), "OK");
    redis.stop();
    let (code, told) = run(&machines[0], &redis, &["sessions", "forget"]);
    assert_eq!(code, Some(1), "{told}");
    let again = "When it is back: sandbox sessions forget --gstin 33ABKCS2033B1ZW --username 'acme.com'";
    assert!(told.contains(again), "{told}");
    let (code, told) = run(&machines[0], &redis, &["counts"]);
    assert_eq!(code, Some(1), "whether there is a session is not known: {told}");
    redis.start_again();
    assert_eq!(run(&machines[1], &redis, &["counts"]).0, Some(0), "as was told");
    assert_eq!(run(&machines[0], &redis, &["sessions", "forget"]).0, Some(0));
    for home in &machines {
        let (code, told) = run(home, &redis, &["counts"]);
        assert_eq!(code, Some(5), "{told}");
    }
}

/// Counts, filings and credit under one name: each is a sweep of its own, and so are
/// counts of other goods.
#[tokio::test(flavor = "multi_thread")]
async fn sweeps_of_one_name_that_ask_different_things_are_kept_apart() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let home = Home::of(&mock);
    let mut worker = crate::worker::Setting::new(&mock, &redis).start();
    // A login is valid even where a slow server has missed it, and the command needs all:
    // those of the two and that of the platform.
    let saved = || redis.keys().iter().filter(|key| key.contains(":token:")).count();
    for _ in 0..5 {
        if saved() < 3 {
            assert_eq!(worker.ask("sign-in 2"), "signed in");
        }
    }
    let mut csv = "gstin,username\n".to_owned();
    for taxpayer in firm(2) {
        csv += &format!("{},{}\n", taxpayer.gstin, taxpayer.username);
    }
    std::fs::write(home.path("firm.csv"), &csv).unwrap();
    let file = home.path("firm.csv");
    let shared = ["--from", file.to_str().unwrap(), "--share", "november", "--format", "json"];
    let run = |arguments: &[&str]| {
        let output = on(&home, &redis, &[arguments, &shared].concat()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    let sweeps: [(&[&str], &str, usize); 6] = [
        (&["sweep", "--goods", "others"], "get_invoice_count", 2),
        (&["sweep"], "get_invoice_count", 6),
        (&["sweep", "returns", "--period", "032024"], "track_taxpayer_returns", 2),
        (&["sweep", "gstr-2b", "--period", "032024"], "get_gstr_2b", 2),
        (&["sweep", "returns", "--period", "042024"], "track_taxpayer_returns", 2),
        (&["sweep", "gstr-2b", "--period", "042024"], "get_gstr_2b", 2),
    ];
    for (arguments, operation, calls) in sweeps {
        let before = mock.hits(operation);
        assert_eq!(run(arguments), calls, "{arguments:?}");
        assert_eq!(mock.hits(operation) - before, calls, "{arguments:?}");
        assert_eq!(run(arguments), 0, "it is done: {arguments:?}");
    }
}
