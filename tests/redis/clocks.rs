//! Clocks that are wrong, or are set while a program runs. On files: each run
//! of the command has the clock that it is told.

use std::process::{Command, Stdio};

use sandbox_client::mock::MockServer;
use serde_json::Value;

use crate::{
    command_support::{Home, Run},
    support::RedisServer,
    worker::Setting,
};

const GSTIN: &str = "33ABKCS2033B1ZW";

/// A run of the command whose clock is off by so much.
fn run(home: &Home, clock: &str, arguments: &[&str]) -> Run {
    let plain = home.command(arguments);
    let mut command = Command::new("faketime");
    command.args(["-m", "--exclude-monotonic", "-f", clock]).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("faketime");
    // The OTP, for a login.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"575757\n");
    Run::of(child.wait_with_output().unwrap())
}

fn login(home: &Home, clock: &str) {
    run(home, clock, &["login", "--gstin", GSTIN, "--username", "acme.com"]).succeeds();
}

/// Hours and minutes that are left of the one session, as a person sees them.
fn left(home: &Home, clock: &str) -> String {
    let run = run(home, clock, &["sessions", "--format", "json"]).succeeds();
    let sessions: Value = serde_json::from_str(&run.stdout).unwrap();
    sessions[0]["left"].as_str().unwrap_or_else(|| panic!("{}", run.stdout)).to_owned()
}

/// Stored by a clock that was ahead or behind, and read by one that is right.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_wrong_clock_is_used_and_shown_with_no_more_than_its_life() {
    for clock in ["+1d", "+3h", "-3h"] {
        let mock = MockServer::start().await.unwrap();
        let home = Home::of(&mock);
        login(&home, clock);
        let left = left(&home, "+0");
        let hours: u32 =
            left.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{clock}: {left}"));
        assert!(hours <= 6, "{clock}: {left}");
        run(&home, "+0", &["counts"]).succeeds();
        // What comes from the server now takes the place of what is stored.
        run(&home, "+0", &["sessions", "refresh"]).succeeds();
        run(&home, "+0", &["counts"]).succeeds();
        login(&home, "+0");
        run(&home, "+0", &["counts"]).succeeds();
        assert_eq!((mock.hits("refresh_session"), mock.hits("verify_otp")), (1, 2), "{clock}");
    }
}

/// Stored by a clock that was right, and read by one that is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_loses_no_session() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    for clock in ["-1d", "-3h", "+3h"] {
        login(&home, "+0");
        let left = left(&home, clock);
        let hours: u32 =
            left.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{clock}: {left}"));
        assert!(hours <= 6, "{clock}: {left}");
        run(&home, clock, &["counts"]).succeeds();
        run(&home, "+0", &["counts"]).succeeds();
    }
    // By this clock it is over, and nothing is asked of the provider; it is there for the right one.
    login(&home, "+0");
    let hits = mock.requests().len();
    let over = run(&home, "+7h", &["counts"]);
    assert_eq!((over.code, mock.requests().len()), (Some(5), hits), "{}", over.stderr);
    run(&home, "+0", &["counts"]).succeeds();
}

/// The clock of a worker is set while it runs: the server's counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_while_a_worker_runs_changes_nothing() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    let set = |offset: &str| std::fs::write(&clock, format!("{offset}\n")).unwrap();
    set("+0");
    let setting = Setting::new(&mock, &redis);
    let mut worker = setting.clone().clock_of(clock.to_str().unwrap()).start();
    let mut other = setting.start();
    assert_eq!(worker.ask(&format!("otp {GSTIN}")), "session");
    for offset in ["+7h", "-7h", "+30h", "-30h", "+0"] {
        set(offset);
        let left: u64 = worker.ask(&format!("left {GSTIN}")).parse().unwrap();
        assert!(left > 5 * 3600 && left <= 6 * 3600, "{offset}: {left} s");
        for worker in [&mut worker, &mut other] {
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "counted", "{offset}");
            assert_eq!(worker.ask(&format!("refresh {GSTIN}")), "refreshed", "{offset}");
            assert_eq!(worker.ask(&format!("count {GSTIN}")), "counted", "{offset}");
        }
    }
    // Its end is the end for all, by whatever clock.
    set("-7h");
    assert_eq!(worker.ask(&format!("forget {GSTIN}")), "ended");
    for worker in [&mut worker, &mut other] {
        assert_eq!(worker.ask(&format!("count {GSTIN}")), "no session");
    }
    assert_eq!((mock.hits("authenticate"), mock.hits("verify_otp")), (1, 1));
}
