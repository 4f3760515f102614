//! Sessions that cannot be kept or ended, and a command that is stopped.

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use sandbox_client::mock::MockServer;

use crate::command::Home;

const GSTIN: &str = "33ABKCS2033B1ZW";
const OTHER: &str = "27AACCA8432H2ZP";

fn login(home: &Home, gstin: &str, username: &str) {
    home.run_with(&["login", "--gstin", gstin, "--username", username], "575757").succeeds();
}

/// Root may write everywhere, so what stops the test is a path that is too long.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_found_before_the_otp_is_used_up() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let mut folder = home.path("data");
    while folder.as_os_str().len() < 3900 {
        folder.push("x".repeat(150));
    }
    folder.push("x".repeat(4094 - "/sessions".len() - 1 - folder.as_os_str().len()));
    for arguments in [&["login"][..], &["login", "--no-request"]] {
        let who = ["--gstin", GSTIN, "--username", "acme.com"];
        let mut command = home.command(&[arguments, &who[..]].concat());
        let output = command.env("SANDBOX_DATA_DIR", &folder).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("sessions cannot be saved in "), "{stderr}");
    }
    assert!(mock.requests().is_empty(), "no OTP was sent, and none verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_fails_stops_no_other() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    login(&home, OTHER, "other");
    mock.on("logout").error("internal_server_error").times(1);
    let run = home.run(&["sessions", "forget", "--all", "--logout"]);
    assert_eq!((run.code, mock.hits("logout")), (Some(7), 2), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("{OTHER}  other: logout: ")), "{}", run.stderr);
    assert!(run.stderr.contains("1 of 2 sessions were not logged out"), "{}", run.stderr);
    assert_eq!(home.run(&["sessions", "--format", "json"]).succeeds().stdout, "[]\n");
}

pub fn start(home: &Home, arguments: &[&str]) -> Child {
    let mut command = home.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn until(mock: &MockServer, operation: &str, hits: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while mock.hits(operation) < hits {
        assert!(Instant::now() < deadline, "{operation} did not arrive");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sends a signal when the operation has arrived, and gives exit code and standard error.
pub async fn stop(child: Child, signal: &str, mock: &MockServer, operation: &str) -> (Option<i32>, String) {
    until(mock, operation, 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_a_sweep_as_ctrl_c_does() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    mock.on("get_invoice_count").delay(Duration::from_millis(500));
    let checkpoint = home.path("checkpoint.jsonl");
    let arguments = ["sweep", "--concurrency", "1", "--checkpoint", checkpoint.to_str().unwrap()];
    let (code, stderr) = stop(start(&home, &arguments), "-TERM", &mock, "get_invoice_count").await;
    assert_eq!(code, Some(143), "{stderr}");
    assert!(stderr.contains("Run the same command to resume."), "{stderr}");
    let noted = std::fs::read_to_string(&checkpoint).unwrap().lines().count() - 1;
    assert_eq!((noted, mock.hits("get_invoice_count")), (1, 1), "what was in flight is noted");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_stopped_may_have_been_processed() {
    use std::io::Write as _;
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    mock.on("verify_otp").delay(Duration::from_secs(20));
    let mut child = start(&home, &["login", "--no-request", "--gstin", GSTIN, "--username", "acme.com"]);
    writeln!(child.stdin.take().unwrap(), "575757").unwrap();
    let (code, stderr) = stop(child, "-TERM", &mock, "verify_otp").await;
    assert_eq!(code, Some(143), "{stderr}");
    assert!(stderr.contains("may have been processed") && stderr.contains("sandbox sessions"), "{stderr}");

    mock.clear_rules();
    login(&home, GSTIN, "acme.com");
    let operation = "regenerate_gstr_2b";
    mock.on(operation).delay(Duration::from_secs(20));
    let child = start(&home, &["gstr-2b", "regenerate", "--period", "112025", "--yes"]);
    let (code, stderr) = stop(child, "-INT", &mock, operation).await;
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("may have been processed"), "{stderr}");
    assert!(stderr.contains("Request it again if the GSTR-2B does not change."), "{stderr}");
}

/// What the provider asked for is said, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_tells_that_the_provider_asked_for_a_pause() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    mock.on("get_invoice_count").error("too_many_requests").header("retry-after", "8").times(1);
    let run = home.run(&["sweep", "--concurrency", "1"]).succeeds();
    let said = run.stderr.matches("The provider asked for a pause (status 429): nothing is sent for ");
    assert_eq!(said.count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains(" IST."), "until when: {}", run.stderr);
}

/// Two processes that share the files: one refreshes, the other forgets.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_another_process_forgets_is_not_revived() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    mock.on("refresh_session").delay(Duration::from_secs(1));
    let refresh = start(&home, &["sessions", "refresh"]);
    until(&mock, "refresh_session", 1).await;
    home.run(&["sessions", "forget", "--all"]).succeeds();
    let output = refresh.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(home.run(&["sessions", "--format", "json"]).succeeds().stdout, "[]\n");
    assert_eq!(mock.hits("logout"), 1, "what the refresh brought is logged out");
}

/// Processes that share a folder and have no token, or one that the provider
/// refuses: one of them logs in.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_share_a_folder_log_in_once() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    mock.on("authenticate").delay(Duration::from_millis(1500));
    let ask = ["login", "--request-only", "--gstin", GSTIN, "--username", "acme.com"];
    for logins in 1..=2 {
        let all: Vec<_> = (0..4).map(|_| start(&home, &ask)).collect();
        for child in all {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(mock.hits("authenticate"), logins);
        mock.expire_all_tokens();
    }
    let files = std::fs::read_dir(home.path("sessions")).unwrap();
    assert_eq!(files.count(), 1, "no lock is left behind");
}

/// The one that logs in is killed: its right to do so ends with it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_while_it_logs_in_is_in_nobody_s_way() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    mock.on("authenticate").delay(Duration::from_secs(60)).times(1);
    let ask = ["login", "--request-only", "--gstin", GSTIN, "--username", "acme.com"];
    let first = start(&home, &ask);
    until(&mock, "authenticate", 1).await;
    let second = start(&home, &ask);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(mock.hits("authenticate"), 1, "it waits");
    std::process::Command::new("kill").args(["-KILL", &first.id().to_string()]).status().unwrap();
    let killed = Instant::now();
    assert!(second.wait_with_output().unwrap().status.success());
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
    assert_eq!(mock.hits("authenticate"), 2);
    drop(first.wait_with_output());
}

/// Processes that refresh one session at once: the provider is asked once.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_share_a_folder_refresh_a_session_once() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    mock.on("refresh_session").delay(Duration::from_millis(1500));
    let all: Vec<_> = (0..4).map(|_| start(&home, &["sessions", "refresh"])).collect();
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(mock.hits("refresh_session"), 1);
    home.run(&["counts"]).succeeds();
}

/// The provider may end the old token with a refresh, so one whose token could
/// not be saved is not made. A limit on the size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_could_not_be_saved_is_not_made() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    let plain = home.command(&["sessions", "refresh"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]).arg(plain.get_program());
    command.args(plain.get_args()).envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), mock.hits("refresh_session")), (Some(1), 0), "{stderr}");
    assert!(stderr.contains("sessions cannot be saved in "), "{stderr}");
    home.run(&["counts"]).succeeds();
}

/// Ctrl-C while sessions are refreshed or logged out: the one in hand is brought
/// to its end, since its token would be lost, and the rest stays as it is.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_stopped_in_the_middle_lose_no_token() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    for (work, operation) in [("refresh", "refresh_session"), ("forget", "logout")] {
        login(&home, GSTIN, "acme.com");
        login(&home, OTHER, "other");
        mock.on(operation).delay(Duration::from_secs(1));
        let arguments = ["sessions", work, "--all", "--logout"];
        let arguments = if work == "forget" { &arguments[..] } else { &arguments[..3] };
        let (code, stderr) = stop(start(&home, arguments), "-INT", &mock, operation).await;
        assert_eq!((code, mock.hits(operation)), (Some(130), 1), "{stderr}");
        assert!(stderr.contains("1 of 2 sessions were done."), "{stderr}");
        // The first by GSTIN is done, and both are as they should be.
        let first = home.run(&["counts", "--gstin", OTHER]);
        assert_eq!(first.code, Some(if work == "forget" { 5 } else { 0 }), "{}", first.stderr);
        home.run(&["counts", "--gstin", GSTIN]).succeeds();
    }
}
