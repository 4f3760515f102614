//! `sandbox sweep gstr-2b`, and sweeps that ask different things.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use sandbox_client::mock::{MockServer, RecordedRequest};
use serde_json::{Value, json};

use crate::command::Home;

/// Who has a statement, whose is not generated, and who has no session.
const FIRM: [(&str, &str); 3] =
    [("33ABKCS2033B1ZW", "acme.com"), ("27AACCA8432H2ZP", "late.com"), ("24ABCFG0123H1YZ", "nobody")];

async fn firm() -> (MockServer, Home, String) {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let mut csv = "gstin,username\n".to_owned();
    for (gstin, username) in FIRM {
        csv += &format!("{gstin},{username}\n");
        if username != "nobody" {
            home.run_with(&["login", "--gstin", gstin, "--username", username], "575757").succeeds();
        }
    }
    let path = home.path("firm.csv");
    fs::write(&path, csv).unwrap();
    mock.clear();
    (mock, home, path.to_str().unwrap().to_owned())
}

/// Every second request, which is that of late.com where one is sent after the other.
fn second() -> impl Fn(&RecordedRequest) -> bool {
    let asked = AtomicUsize::new(0);
    move |_| asked.fetch_add(1, Ordering::Relaxed) % 2 == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_shows_the_credit_of_each_taxpayer() {
    let (mock, home, firm) = firm().await;
    mock.on("get_gstr_2b").example("not_ready").when(second());
    let checkpoint = home.path("credit.jsonl");
    let page = home.path("credit.html");
    let sweep = [
        "sweep",
        "gstr-2b",
        "--period",
        "032024",
        "--from",
        &firm,
        "--concurrency",
        "1",
        "--checkpoint",
        checkpoint.to_str().unwrap(),
    ];
    let run = home.run(&[&sweep[..], &["--report", page.to_str().unwrap()]].concat());
    assert_eq!(run.code, Some(7), "one has no session: {}", run.stderr);
    insta::assert_snapshot!("gstr_2b_sweep_table", format!("{}---\n{}", run.stdout, run.stderr));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<h1>Input tax credit by GSTR-2B</h1>"), "{page}");
    assert!(page.contains("19,032.06") && page.contains("<b>1</b>Not generated yet"), "{page}");

    // Nothing is asked twice, and CSV has each tax.
    let run = home.run(&[&sweep[..], &["--format", "csv"]].concat());
    assert_eq!((run.code, mock.hits("get_gstr_2b")), (Some(7), 2));
    let mut rows = csv::Reader::from_reader(run.stdout.as_bytes());
    let head = rows.headers().unwrap().clone();
    let rows: Vec<Vec<(String, String)>> = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            let cells = head.iter().zip(&row).filter(|(_, cell)| !cell.is_empty());
            cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
        })
        .collect();
    let cell = |row: &[(String, String)], name: &str| {
        row.iter().find(|(title, _)| title == name).map(|(_, cell)| cell.clone()).unwrap_or_default()
    };
    let of = |username: &str| rows.iter().find(|row| cell(row, "username") == username).unwrap();
    let acme = of("acme.com");
    for (name, value) in [
        ("period", "032024"),
        ("status", "generated"),
        ("available_igst", "19032.06"),
        ("credit_notes_igst", "0"),
        ("not_available_cgst", "360"),
        ("documents", "4"),
        ("generated", "14-04-2024"),
        ("error", ""),
    ] {
        assert_eq!(cell(acme, name), value, "{name}");
    }
    let late = of("late.com");
    assert_eq!((cell(late, "status").as_str(), cell(late, "error").as_str()), ("not generated", "not_ready"));
    assert!(cell(late, "message").contains("02/04/2024"), "{late:?}");
    assert_eq!(cell(of("nobody"), "error"), "session_expired");

    // What was not generated is asked for again when that is wanted.
    mock.clear_rules();
    let retry = ["--retry-failed", "--format", "json", "--only-open"];
    let run = home.run(&[&sweep[..], &retry].concat());
    assert_eq!((run.code, mock.hits("get_gstr_2b")), (Some(7), 3));
    let left: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [nobody] = &left[..] else { panic!("{}", run.stdout) };
    assert_eq!((&nobody["username"], &nobody["gstr_2b"]), (&json!("nobody"), &json!("032024")));
}

/// Where nothing else is missing, the exit code says that it is to be asked for later.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_not_generated_is_no_failure() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", FIRM[0].0, "--username", "acme.com"], "575757").succeeds();
    mock.on("get_gstr_2b").example("not_ready");
    let run = home.run(&["sweep", "gstr-2b", "--period", "102026"]);
    assert_eq!(run.code, Some(8), "{}", run.stderr);
    assert!(run.stdout.contains("not generated yet"), "{}", run.stdout);
    assert!(
        run.stderr.contains("1 calls for 1 taxpayers: 0 answered, 1 not generated yet, 0 failed."),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("1 answer is not generated yet\nAsk again later"), "{}", run.stderr);

    // A period without any record is a statement of nothing.
    mock.clear_rules();
    mock.on("get_gstr_2b").example("nothing");
    let run = home.run(&["sweep", "gstr-2b", "--period", "102026"]).succeeds();
    assert!(run.stderr.contains("0 documents: credit of 0.00 available"), "{}", run.stderr);
}

/// Counts, filings and credit noted in one file: each sweep goes on from its own answers.
#[tokio::test(flavor = "multi_thread")]
async fn sweeps_with_one_checkpoint_do_not_mix() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", FIRM[0].0, "--username", "acme.com"], "575757").succeeds();
    mock.clear();
    mock.on("track_taxpayer_returns").json(404, json!({"code": 404, "message": "Not Found"}));
    let checkpoint = home.path("all.jsonl");
    let sweeps: [(&[&str], &str, usize, &str); 4] = [
        (&["sweep"], "get_invoice_count", 3, "type_of_goods"),
        (&["sweep", "returns", "--period", "032024"], "track_taxpayer_returns", 1, "period"),
        (&["sweep", "gstr-2b", "--period", "032024"], "get_gstr_2b", 1, "gstr_2b"),
        (&["sweep", "gstr-2b", "--period", "042024"], "get_gstr_2b", 1, "gstr_2b"),
    ];
    let run = |arguments: &[&str]| {
        home.run(&[arguments, &["--format", "json", "--checkpoint", checkpoint.to_str().unwrap()]].concat())
    };
    for (arguments, operation, calls, member) in sweeps {
        for again in [false, true] {
            let before = mock.hits(operation);
            let run = run(arguments);
            assert_eq!(mock.hits(operation) - before, if again { 0 } else { calls }, "{arguments:?}");
            let lines: Vec<Value> =
                run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), calls, "{arguments:?}: {}", run.stdout);
            assert!(lines.iter().all(|line| !line[member].is_null()), "{}", run.stdout);
        }
    }
    let kept = fs::read_to_string(&checkpoint).unwrap();
    assert_eq!(kept.lines().count(), 7, "the head and six answers: {kept}");

    // A line that no sweep has written is not passed over.
    fs::write(&checkpoint, kept + "{\"gstr_2b\":\"032024\"}\n").unwrap();
    let run = run(&["sweep"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("cannot be read at line 8"), "{}", run.stderr);
}

/// At the same time they would write over each other, whatever they ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_in_use_is_refused_to_another_kind_of_sweep() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", FIRM[0].0, "--username", "acme.com"], "575757").succeeds();
    mock.on("get_invoice_count").delay(std::time::Duration::from_secs(60));
    let checkpoint = home.path("all.jsonl");
    let checkpoint = checkpoint.to_str().unwrap();
    let mut counts = home.command(&["sweep", "--checkpoint", checkpoint]).spawn().unwrap();
    while mock.hits("get_invoice_count") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let run = home.run(&["sweep", "gstr-2b", "--period", "032024", "--checkpoint", checkpoint]);
    counts.kill().unwrap();
    counts.wait().unwrap();
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("is in use by another sweep\nWait until it ends, or use another file."),
        "{}",
        run.stderr
    );
    assert_eq!(mock.hits("get_gstr_2b"), 0);
}
