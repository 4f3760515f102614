//! What each command of `sandbox` prints, as table, JSON and CSV. Invoices and
//! GSTR-2B have a file of their own.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::command::Home;

const FORMATS: [&str; 3] = ["table", "json", "csv"];

/// Digits of times, places and ports are different in each run.
fn without_digits(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_digit(), "0")
}

/// Lines in the order of the alphabet but for the first, since answers come in any.
fn in_order(text: &str, head: usize) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    lines[head..].sort_unstable();
    lines.join("\n")
}

#[test]
fn counts_in_each_format() {
    let home = Home::new();
    for format in FORMATS {
        let run = home.run(&["--mock", "counts", "--goods", "all", "--format", format]).succeeds();
        insta::assert_snapshot!(format!("counts_{format}"), run.stdout);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn a_sweep_in_each_format() {
    let home = Home::new();
    for (format, head) in [("table", 0), ("json", 0), ("csv", 1)] {
        let arguments = ["--mock", "--mock-taxpayers", "4", "--mock-faults", "expired", "sweep"];
        let run = home.run(&[&arguments[..], &["--format", format]].concat());
        assert_eq!(run.code, Some(7), "{}", run.stderr);
        let shown = if format == "table" { run.stdout } else { in_order(&run.stdout, head) };
        insta::assert_snapshot!(format!("sweep_{format}"), shown);
    }
}

#[test]
fn sessions_in_each_format() {
    let home = Home::new();
    for format in FORMATS {
        let run = |arguments: &[&str], input: &str| {
            home.run_with(
                &[&["--mock", "--mock-taxpayers", "2", "--format", format], arguments].concat(),
                input,
            )
            .succeeds()
        };
        let shown = [
            run(&["sessions"], "").stdout,
            run(&["sessions", "refresh", "--all"], "").stdout,
            run(&["login"], "575757").stdout,
        ];
        insta::assert_snapshot!(format!("sessions_{format}"), without_digits(&shown.join("\n")));
    }
}

#[test]
fn the_configuration_in_each_format() {
    let home = Home::new();
    let folder = home.path("").display().to_string();
    for format in FORMATS {
        let shown = home.run(&["config", "--format", format]).succeeds().stdout;
        // As wide as it is here, the column would be another elsewhere.
        let shown = shown.replace(r"\\", r"\").replace(&folder, "FOLDER/").replace("  ", "");
        insta::assert_snapshot!(format!("config_{format}"), shown);
    }
}

/// Not as snapshots: an endpoint more is an edit of the document and nothing else.
#[test]
fn operations_in_each_format() {
    let home = Home::new();
    let count = sandbox_client::operations().len();
    let shown = FORMATS.map(|format| home.run(&["api", "--format", format]).succeeds().stdout);
    assert_eq!(shown[0].lines().count(), count + 1);
    let list: Vec<Value> = serde_json::from_str(&shown[1]).unwrap();
    assert_eq!(list.len(), count);
    assert!(
        list.iter()
            .all(|row| ["operation", "method", "path", "credential"].iter().all(|c| row[c].is_string()))
    );
    assert_eq!(shown[2].lines().count(), count + 1);
    assert!(shown[2].starts_with("operation,method,path,credential,summary\n"), "{}", shown[2]);
}

#[test]
fn the_address_of_the_mock_server_in_each_format() {
    let home = Home::new();
    for (format, lines) in [("table", 4), ("json", 18), ("csv", 5)] {
        let mut command = home.command(&["mock", "--format", format]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines().take(lines);
        let shown: Vec<_> = output.map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        // The token is signed again each time; its first part is not.
        let hide = |line: &String| {
            line.split_once("eyJ").map_or(line.clone(), |(before, _)| format!("{before}eyJ…"))
        };
        let shown: Vec<_> = shown.iter().map(hide).collect();
        insta::assert_snapshot!(format!("mock_{format}"), without_digits(&shown.join("\n")));
    }
}
