//! The first thing that people run: the example `invoice_count`, as a program.

use std::process::{Command, Output};

fn example(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    // Beside the folder of this test's own program; `cargo test` builds both.
    let program = std::env::current_exe().unwrap();
    let program = program.ancestors().nth(2).unwrap().join("examples").join("invoice_count");
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "build it first: cargo build --examples");
    let mut command = Command::new(program);
    command.args(arguments);
    for name in ["SANDBOX_API_KEY", "SANDBOX_API_SECRET", "SANDBOX_ACCESS_TOKEN", "SANDBOX_BASE_URL"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn without_anything_it_prints_sample_counts_and_how_to_go_live() {
    let output = example(&[], &[]);
    assert!(output.status.success());
    let table = text(&output.stdout);
    assert!(table.contains("Invoices (b2b)                               11          0          1          0         12  ##.................."), "{table}");
    assert!(table.contains("11 of 12 documents await action."), "{table}");
    assert!(table.lines().all(|line| line == line.trim_end()), "no trailing spaces");
    let notice = text(&output.stderr);
    assert!(notice.contains("built-in mock server") && notice.contains("SANDBOX_ACCESS_TOKEN"), "{notice}");
}

#[test]
fn all_types_stand_side_by_side_in_every_format() {
    let table = example(&["--all"], &[]);
    assert!(text(&table.stdout).contains("34 of 47 documents await action."));

    let json = example(&["--all", "--format", "json"], &[]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["imports"]["sections"]["impg"]["noaction"], 7);

    let csv = example(&["--type-of-goods", "imports", "--format", "csv"], &[]);
    assert_eq!(text(&csv.stdout).lines().nth(1), Some("imports,impg,7,1,4,0,12"));
}

#[test]
fn wrong_arguments_and_failures_are_one_sentence_and_a_code() {
    for (arguments, problem) in [
        (&["--format", "xml"][..], "unknown format `xml`: table, json or csv"),
        (&["--type-of-goods", "cars"], "unknown type `cars`: others, inward_supplies or imports"),
        (&["--type-of-goods"], "--type-of-goods needs a value"),
        (&["--colour"], "unknown argument `--colour`"),
    ] {
        let output = example(arguments, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stderr), format!("error: {problem}\nTry --help.\n"));
        assert!(output.stdout.is_empty());
    }

    let output = example(&[], &[("SANDBOX_API_KEY", "key_test_canary")]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("error: `taxpayer_token` is missing"), "{error}");
    assert!(error.lines().count() == 1 && !error.contains("canary"), "{error}");

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let live = [
        ("SANDBOX_API_KEY", "key_test_canary"),
        ("SANDBOX_ACCESS_TOKEN", "token"),
        ("SANDBOX_BASE_URL", &format!("http://{nobody}")),
    ];
    let output = example(&[], &live);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no connection could be made"), "{}", text(&output.stderr));
}
