//! How commands end where the terminal, a pipe, a file or a setting is not as hoped.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use sandbox_client::mock::MockServer;
use serde_json::{Value, json};

use crate::command::{Home, Run};

const FAULTS: [&str; 5] = ["--mock", "--mock-taxpayers", "40", "--mock-faults", "expired,503"];

/// Runs a command whose reader goes away after some lines; gives the exit code.
fn with_reader_of(mut command: Command, lines: usize) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..lines {
        reader.read_line(&mut String::new()).unwrap();
    }
    drop(reader);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

// --- closed pipes --------------------------------------------------------------------

#[test]
fn a_closed_pipe_keeps_exit_code_and_report() {
    let home = Home::new();
    for (format, lines) in [("table", 0), ("json", 1), ("csv", 1)] {
        let report = home.path(&format!("{format}.html"));
        let arguments =
            [&FAULTS[..], &["sweep", "--format", format, "--report", report.to_str().unwrap()]].concat();
        let (code, told) = with_reader_of(home.command(&arguments), lines);
        assert_eq!(code, Some(7), "{format}: {told}");
        assert!(told.contains(" failed."), "the summary is still shown: {told}");
        let html = fs::read_to_string(&report).unwrap();
        // Whether all answers were there before the reader went is a matter of time.
        let all = html.contains("40 taxpayers, 120 calls");
        assert_eq!(html.contains("Partial: the reader of the output closed it."), !all, "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_nobody_reads_is_stopped_and_its_report_is_partial() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    for number in 0..6 {
        let name = format!("user{number}");
        home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", &name], "575757").succeeds();
    }
    mock.on("get_invoice_count").delay(std::time::Duration::from_millis(60));
    let report = home.path("report.html");
    let arguments = ["sweep", "--concurrency", "1", "--format", "json", "--report", report.to_str().unwrap()];
    let (code, told) = with_reader_of(home.command(&arguments), 1);
    assert_eq!(code, Some(0), "{told}");
    assert!(mock.hits("get_invoice_count") < 18, "nobody needs the rest");
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.contains("Partial: the reader of the output closed it."), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_an_exit_code_whoever_reads() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    mock.on("check_invoice_status").example("processed_with_errors");
    for format in ["table", "json", "csv"] {
        let command = home.command(&["invoices", "job", "123456789012", "--no-wait", "--format", format]);
        assert_eq!(with_reader_of(command, 0).0, Some(7), "{format}");
    }
    // Neither does a closed standard error change it.
    let mut command = home.command(&["invoices", "job", "123456789012", "--no-wait"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

// --- reports ---------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn where_a_report_goes_is_looked_at_before_the_first_call() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    mock.clear();
    for path in [home.path("no/such/folder.html"), home.path("sessions")] {
        let run = home.run(&["sweep", "--report", path.to_str().unwrap()]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("cannot write {}: ", path.display())), "{}", run.stderr);
    }
    assert_eq!(mock.requests().len(), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_written_does_not_hide_how_the_sweep_ended() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let folder = home.path("reports");
    fs::create_dir(&folder).unwrap();
    let report = folder.join("report.html");
    let away = folder.clone();
    mock.on("get_invoice_count").error("insufficient_credits").when(move |_| {
        let _ = fs::remove_dir_all(&away);
        true
    });
    let run = home.run(&["sweep", "--goods", "others", "--report", report.to_str().unwrap()]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(
        run.stderr.contains("error: cannot write ") && run.stderr.contains("error: 1 call failed"),
        "{}",
        run.stderr
    );
}

// --- what people see --------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_seen_is_shown_as_such() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let number = "A\u{202e}1\u{200b}2\u{2066}3\u{feff}";
    let document = json!({"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "inum": number, "action": "N",
        "val": 1_234_567.5, "remarks": "x\u{202d}y"});
    mock.on("list_invoices")
        .json(200, json!({"code": 200, "data": {"status_cd": "1", "data": {"b2b": [document]}}}));
    for arguments in
        [&["invoices", "list"][..], &["invoices", "reject", "--all", "--remark", "\u{2067}z", "--dry-run"]]
    {
        let shown = home.run(&[arguments, &["--section", "b2b"]].concat());
        let shown = shown.succeeds().stdout;
        assert!(shown.contains("A\u{fffd}1\u{fffd}2\u{fffd}3\u{fffd}"), "{shown:?}");
        assert!(shown.contains("12,34,567.50"), "{shown}");
        assert!(!shown.chars().any(|c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')), "{shown:?}");
    }
    let json = home.run(&["invoices", "list", "--section", "b2b", "--format", "json"]).succeeds().stdout;
    let list: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&list[0]["number"], &list[0]["value"]),
        (&json!(number), &json!(1_234_567.5)),
        "data stay whole"
    );
}

#[test]
fn counts_fit_a_terminal_of_eighty_columns() {
    let home = Home::new();
    let table = home.run(&["--mock", "counts", "--goods", "all"]).succeeds().stdout;
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(table.contains("(ecoma)") && table.contains("Amended e-commerce"), "{table}");
}

#[test]
fn no_csv_runs_in_a_spreadsheet() {
    let home = Home::new();
    let firm = home.path("firm.csv");
    fs::write(&firm, "gstin,username\n33ABKCS2033B1ZW,=1+1\n27AACCA8432H2ZP,@x\n").unwrap();
    let from = ["--from", firm.to_str().unwrap()];
    let csv = home.run(&[&["--mock", "sweep", "--goods", "others", "--format", "csv"], &from[..]].concat());
    let csv = csv.succeeds().stdout;
    assert!(csv.contains(",'=1+1,") && csv.contains(",'@x,"), "{csv}");
    // What the command wrote names the same taxpayers again.
    let again =
        home.run_with(&["--mock", "sweep", "--goods", "others", "--format", "json", "--from", "-"], &csv);
    let again = again.succeeds().stdout;
    assert!(again.contains(r#""username":"=1+1""#) && again.contains(r#""username":"@x""#), "{again}");
}

// --- settings and the system ---------------------------------------------------------------

#[test]
fn the_configuration_file_is_told_by_its_line_and_held_to_the_same_limits() {
    let home = Home::new();
    for (text, says) in [
        ("api_key = \"key_test_1\"\nrequests_per_minute = 0\n", "config.toml is invalid at line 2"),
        ("api_key = \"key_test_1\"\r\n\r\nrequests_per_minute = 1.5\r\n", "config.toml is invalid at line 3"),
        ("api_key = \"key_test_1\"\napi_secret = \"s\"\nwrong = 1\n", "config.toml is invalid at line 3"),
        ("api_secret = \"s\"\n", "config.toml lacks `api_key`"),
        ("api_key = \"key_test_1\"\nbase_url = \"ftp://x\"\n", "config.toml: `base_url`"),
    ] {
        home.configure(text);
        let run = home.run(&["counts"]);
        assert_eq!(run.code, Some(3), "{text}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
    }
}

#[test]
fn a_bad_variable_is_named() {
    let home = Home::new();
    home.configure("api_key = \"key_test_1\"\napi_secret = \"secret_test_1\"\n");
    for (name, value, code, says) in [
        ("SANDBOX_BASE_URL", "ftp://x", 3, "SANDBOX_BASE_URL: `base_url`"),
        ("SANDBOX_ACCESS_TOKEN", "a b\u{7}", 5, "SANDBOX_ACCESS_TOKEN: `taxpayer_token`"),
        ("SANDBOX_REQUESTS_PER_MINUTE", "fast", 3, "must be a positive integer, found `fast`"),
    ] {
        let output = home.command(&["counts"]).env(name, value).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(says), "{says}: {told}");
    }
}

#[test]
fn a_failure_of_the_system_names_what_failed() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let run = home.run(&["mock", "--port", &port.to_string()]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains(&format!("cannot listen on 127.0.0.1:{port}: ")), "{}", run.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_names_standard_output() {
    let home = Home::new();
    for format in ["table", "json", "csv"] {
        let mut command = home.command(&["--mock", "counts", "--format", format]);
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}: {told}");
        assert!(told.contains("cannot write to standard output: "), "{format}: {told}");
    }
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_names_the_checkpoint() {
    let home = Home::new();
    let checkpoint = home.path("checkpoint.jsonl");
    let sweep = home.command(&["--mock", "sweep", "--checkpoint", checkpoint.to_str().unwrap()]);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]).arg(sweep.get_program());
    command.args(sweep.get_args()).env("SANDBOX_DATA_DIR", home.path("data"));
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("checkpoint {} cannot be written: ", checkpoint.display())), "{told}");
}

// --- sandbox api -----------------------------------------------------------------------------

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_changes_something_asks_first() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    mock.clear();
    let call = ["api", "regenerate_gstr_2b", "--param", "year=2025", "--param", "month=11"];
    let hits = || mock.hits("regenerate_gstr_2b");
    let with = |more: &[&str]| -> Run { home.run(&[&call[..], more].concat()) };

    let refused = with(&[]);
    assert_eq!((refused.code, hits()), (Some(2), 0), "{}", refused.stderr);
    let dry = with(&["--dry-run"]).succeeds();
    let shown: Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!((&shown["parameters"]["month"], mock.requests().len()), (&json!("11"), 0));
    assert_eq!(home.run(&["api", "regenerate_gstr_2b", "--dry-run"]).code, Some(2), "a parameter is missing");
    assert_eq!(with(&["--param", "colour=red", "--dry-run"]).code, Some(2));

    for (answer, code, sent) in [("n\n", 1, 0), ("y\n", 0, 1)] {
        let mut terminal = crate::terminal::Terminal::start(home.command(&call));
        terminal.answer("Call regenerate_gstr_2b? This may be irreversible. [y/N] ", answer);
        let (ended, shown) = terminal.end();
        assert_eq!((ended, hits()), (Some(code), sent), "{shown}");
    }
    with(&["--yes"]).succeeds();
    assert_eq!(hits(), 2);
    // What only reads, and sessions, ask nothing.
    home.run(&["api", "get_invoice_count", "--param", "type_of_goods=imports"]).succeeds();
}
