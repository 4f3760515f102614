//! `sandbox gstr-1`, `gstr-3b`, `gstr-9` and `sweep returns` against the built-in server.

use std::fs;

use sandbox_client::mock::{Fault, MockServer};
use serde_json::{Value, json};

use crate::command::Home;
#[cfg(unix)]
use crate::sessions::{start, stop};

const GSTIN: &str = "33ABKCS2033B1ZW";
const PAYMENT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/openapi/gstr_3b/examples/offset_liability_gstr_3b.request.documented.json"
));
const FILE_1: [&str; 8] =
    ["--mock", "gstr-1", "file", "--period", "122023", "--pan", "ABCDE1234F", "--format=json"];
const FILE_3B: [&str; 8] =
    ["--mock", "gstr-3b", "file", "--period", "112024", "--pan", "ABCDE1234F", "--format=json"];
const FILE_9: [&str; 8] =
    ["--mock", "gstr-9", "file", "--year", "2023-24", "--pan", "ABCDE1234F", "--format=json"];

fn payment(home: &Home) -> String {
    let file = home.path("payment.json");
    fs::write(&file, PAYMENT).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn gstr_3b_is_paid_and_filed_after_its_totals_are_shown() {
    let home = Home::new();
    let payment = payment(&home);
    let run = home.run_with(&[&FILE_3B[..], &["--offset", &payment, "--yes"]].concat(), "55B4DF").succeeds();
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&shown[0]["state"], &shown[0]["arn"]), (&"filed".into(), &"AB2410242527396".into()));
    assert_eq!(shown[0]["return"], "GSTR-3B 112024 of 33ABKCS2033B1ZW");
    assert!(run.stderr.contains("To be paid"), "{}", run.stderr);
    // The payment, then the return with it.
    let at = |text: &str| run.stderr.find(text).unwrap_or_else(|| panic!("{text}: {}", run.stderr));
    assert!(at("1,08,051.00") < at("Outward supplies") && at("21,83,112.28") < at("has sent an OTP"));
    assert!(!run.stderr.contains("55B4DF"));
}

#[test]
fn gstr_9_is_made_ready_and_filed() {
    let home = Home::new();
    let run = home.run_with(&[&FILE_9[..], &["--yes"]].concat(), "55B4DF").succeeds();
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown[0]["arn"], "AC240324630721I");
    assert!(run.stderr.contains("3,43,76,971.41"), "{}", run.stderr);
}

#[test]
fn gstr_1_is_closed_and_filed_with_figures_or_as_nil() {
    let home = Home::new();
    let run = home.run_with(&[&FILE_1[..], &["--yes"]].concat(), "55B4DF").succeeds();
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&shown[0]["state"], &shown[0]["arn"]), (&"filed".into(), &"ASDFSDF1241343".into()));
    assert_eq!(shown[0]["return"], "GSTR-1 122023 of 33ABKCS2033B1ZW");
    assert!(run.stderr.contains("12,346.10") && !run.stderr.contains("55B4DF"), "{}", run.stderr);

    let run = home.run_with(&[&FILE_1[..], &["--yes", "--nil"]].concat(), "55B4DF").succeeds();
    assert!(run.stdout.contains("nil GSTR-1 122023"), "{}", run.stdout);

    // What would be filed, as it would be sent.
    let run = home.run(&[&FILE_1[..], &["--dry-run"]].concat()).succeeds();
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown["sec_sum"][0]["sec_nm"], "AT");
}

#[test]
fn nothing_is_filed_without_a_question_or_yes() {
    let home = Home::new();
    let payment = payment(&home);
    for arguments in [&FILE_1[..], &FILE_3B[..], &FILE_9[..]] {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains("nothing was filed"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let run = home.run(&[&FILE_9[..], &["--dry-run"]].concat()).succeeds();
    assert!(run.stderr.contains("would be filed"), "{}", run.stderr);
    assert!(run.stdout.contains("\"table9\""), "{}", run.stdout);
    let run = home.run(&[&FILE_3B[..], &["--dry-run", "--offset", &payment]].concat()).succeeds();
    assert!(run.stderr.contains("this payment would be made"), "{}", run.stderr);
    assert!(run.stdout.contains("\"pdcash\""), "{}", run.stdout);
    // Neither paid nor told how.
    let run = home.run(&[&FILE_3B[..], &["--yes"]].concat());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--offset"), "{}", run.stderr);
    // Less would be paid than the file says.
    let file = home.path("typo.json");
    fs::write(&file, PAYMENT.replacen("ipd", "igstpd", 1)).unwrap();
    let run = home.run(&[&FILE_3B[..], &["--yes", "--offset", file.to_str().unwrap()]].concat());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no member `pdcash.igstpd`"), "{}", run.stderr);
    // A wrong OTP, and one that cannot be one.
    let arguments = [&FILE_3B[..], &["--yes", "--nothing-to-pay"]].concat();
    assert_eq!(home.run_with(&arguments, "000000").code, Some(1));
    let run = home.run_with(&arguments, "55-B4");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("`otp`") && !run.stderr.contains("55-B4"), "{}", run.stderr);
}

#[test]
fn a_draft_is_fetched_edited_and_saved() {
    let home = Home::new();
    let get = ["--mock", "gstr-3b", "get", "--period", "112024", "--format=json"];
    let draft = home.run(&get).succeeds().stdout;
    let json: Value = serde_json::from_str(&draft).unwrap();
    assert_eq!((&json["gstin"], &json["ret_period"]), (&"33ABKCS2033B1ZW".into(), &"112024".into()));
    let file = home.path("draft.json");
    fs::write(&file, format!("\u{feff}{draft}")).unwrap();
    let save = [
        "--mock",
        "gstr-3b",
        "save",
        "--period",
        "112024",
        "--from",
        file.to_str().unwrap(),
        "--format=json",
    ];
    assert_eq!(home.run(&save).code, Some(2));
    let run = home.run(&[&save[..], &["--yes"]].concat()).succeeds();
    assert!(run.stdout.contains("\"processed\""), "{}", run.stdout);
    // Of another period.
    let save = ["--mock", "gstr-3b", "save", "--period", "102024", "--from", file.to_str().unwrap(), "--yes"];
    let run = home.run(&save);
    assert!(run.code == Some(2) && run.stderr.contains("`period`"), "{}", run.stderr);

    let run = home.run(&["--mock", "gstr-9", "status", "--year", "2023-24", "--format=csv"]).succeeds();
    assert!(run.stdout.contains("not filed"), "{}", run.stdout);
    let computed = ["--mock", "gstr-9", "get", "--year", "FY 2023-24", "--computed"];
    assert!(home.run(&computed).succeeds().stdout.contains("Tax payable"));
}

/// What cannot be undone is sent once, and the command that looks is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_not_asked_for_again() {
    let mock = MockServer::builder().stateful_returns().start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let payment = payment(&home);
    mock.on("offset_liability_gstr_3b").fault(Fault::CloseWithoutAnswer);
    let run = home.run(&[&FILE_3B[1..], &["--yes", "--offset", &payment]].concat());
    assert_eq!((run.code, mock.hits("offset_liability_gstr_3b")), (Some(1), 1), "{}", run.stderr);
    assert!(run.stderr.contains("`sandbox gstr-3b get`"), "{}", run.stderr);
    // It has arrived: the same command does not pay twice, and the next one files.
    let run = home.run(&[&FILE_3B[1..], &["--yes", "--offset", &payment]].concat());
    assert_eq!((run.code, mock.hits("offset_liability_gstr_3b")), (Some(2), 1), "{}", run.stderr);
    assert!(run.stderr.contains("is already paid"), "{}", run.stderr);

    for (operation, file) in
        [("file_gstr_3b", &FILE_3B[1..]), ("file_gstr_1", &FILE_1[1..]), ("file_gstr_9", &FILE_9[1..])]
    {
        mock.on(operation).fault(Fault::CloseWithoutAnswer);
        let run = home.run_with(&[file, &["--yes"]].concat(), "55B4DF");
        assert_eq!((run.code, mock.hits(operation)), (Some(1), 1), "{}", run.stderr);
        let look = format!("sandbox {} status {} {}", file[0], file[2], file[3]);
        assert!(
            run.stderr.contains("may have been processed") && run.stderr.contains(&look),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains("55B4DF"));
        // It has: the same command shows the ARN and files nothing.
        let run = home.run_with(&[file, &["--yes"]].concat(), "55B4DF").succeeds();
        assert!(run.stdout.contains("\"filed\"") && mock.hits(operation) == 1, "{}", run.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_a_save_are_told_by_their_table() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    mock.on("get_return_status").example("annual_return_error");
    let status = ["gstr-9", "status", "--year", "2023-24", "job-1"];
    for (format, expected) in
        [("table", "table17"), ("csv", ",table17,,,,RET91708,"), ("json", "\"return_errors\": [")]
    {
        let run = home.run(&[&status[..], &["--format", format]].concat());
        assert_eq!(run.code, Some(7), "{}", run.stderr);
        assert!(run.stdout.contains(expected), "{}", run.stdout);
        assert!(run.stderr.contains("GSTN found 2 errors"), "{}", run.stderr);
    }
}

/// The second request of a command that changes something tells so too.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_filing_that_is_stopped_may_have_been_processed() {
    use std::io::Write as _;
    let mock = MockServer::builder().stateful_returns().start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    mock.on("file_gstr_1").delay(std::time::Duration::from_secs(20));
    let mut child = start(&home, &[&FILE_1[1..], &["--yes"]].concat());
    writeln!(child.stdin.take().unwrap(), "55B4DF").unwrap();
    let (code, stderr) = stop(child, "-INT", &mock, "file_gstr_1").await;
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("may have been processed"), "{stderr}");
    assert!(stderr.contains("sandbox gstr-1 status --period 122023"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_shows_who_has_not_filed() {
    let (mock, home) = firm().await;
    let filed = json!([
        {"arn": "AA3310260000001", "dof": "11-11-2026", "ret_prd": "102026", "rtntype": "GSTR1", "status": "Filed", "valid": "Y"},
        {"arn": "AA3310260000002", "dof": "20-11-2026", "ret_prd": "102026", "rtntype": "GSTR3B", "status": "Filed", "valid": "N"},
    ]);
    mock.on("track_taxpayer_returns")
        .json(200, json!({"code": 200, "data": {"status_cd": "1", "data": {"EFiledlist": filed}}}));
    let checkpoint = home.path("filed.jsonl");
    let page = home.path("filed.html");
    let sweep = ["sweep", "returns", "--period", "102026", "--checkpoint", checkpoint.to_str().unwrap()];
    let run = home.run(&[&sweep[..], &["--report", page.to_str().unwrap()]].concat()).succeeds();
    insta::assert_snapshot!("returns_sweep_table", format!("{}---\n{}", run.stdout, run.stderr));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<h1>Returns not filed</h1>") && page.contains("gstr-3b (unknown)"), "{page}");

    // Nothing is asked twice, and CSV has a line for each return.
    let run = home.run(&[&sweep[..], &["--format", "csv"]].concat()).succeeds();
    assert_eq!(mock.hits("track_taxpayer_returns"), 1);
    assert_eq!(
        run.stdout,
        "gstin,username,period,return_type,status,date,arn,error,message,transaction_id\n\
         33ABKCS2033B1ZW,acme.com,102026,gstr-1,filed,11-11-2026,AA3310260000001,,,\n\
         33ABKCS2033B1ZW,acme.com,102026,gstr-3b,unknown,,,,,\n"
    );
    // The checkpoint of one period answers no other.
    let run = home
        .run(&[
            "sweep",
            "returns",
            "--period",
            "092026",
            "--return-type",
            "gstr-1",
            "--only-open",
            "--checkpoint",
            checkpoint.to_str().unwrap(),
        ])
        .succeeds();
    assert!(run.stdout.contains(GSTIN), "{}", run.stdout);
}

/// A taxpayer without documents, and one whose list of filings cannot be had.
#[tokio::test(flavor = "multi_thread")]
async fn no_records_are_no_failure_of_a_sweep() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", GSTIN, "--username", "acme.com"], "575757").succeeds();
    let none = json!({"code": 200, "data": {"status_cd": "0", "error": {"error_cd": "RET11416", "message": "No Record found"}}});
    mock.on("get_invoice_count").json(200, none.clone());
    let run = home.run(&["sweep", "--format", "csv"]).succeeds();
    assert!(run.stdout.contains(",others,0,0,0,0,0,"), "{}", run.stdout);
    home.run(&["counts", "--goods", "all"]).succeeds();

    mock.on("track_taxpayer_returns").json(200, none);
    let returns = ["sweep", "returns", "--period", "102026", "--format", "csv"];
    let run = home.run(&returns).succeeds();
    assert!(run.stdout.contains(",gstr-1,not filed,"), "{}", run.stdout);

    mock.clear_rules();
    mock.on("track_taxpayer_returns").json(404, json!({"code": 404, "message": "Not Found"}));
    let run = home.run(&returns);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(
        run.stdout.contains(",gstr-1,,,,denied,") || run.stdout.contains(",gstr-1,,,,api,"),
        "{}",
        run.stdout
    );
}

async fn firm() -> (MockServer, Home) {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", GSTIN, "--username", "acme.com"], "575757").succeeds();
    mock.clear();
    (mock, home)
}

/// What the offline tool of the GST portal writes: the return, and two members more.
const OFFLINE: &str = r#"{"gstin":"33ABKCS2033B1ZW","fp":"102026","version":"GST3.2.1","hash":"hash",
"b2b":[{"ctin":"27AACCA8432H2ZP","inv":[{"inum":"7","idt":"03-10-2026","val":118.00,"itms":[{"num":1,"itm_det":{"txval":100.00,"rt":18.0,"iamt":18.00}}]}]}],
"at":[]}"#;

#[test]
fn a_return_is_a_table_csv_or_json() {
    let home = Home::new();
    let run = |arguments: &[&str]| home.run(&[&["--mock"], arguments].concat()).succeeds();
    let period = ["--period", "102026"];
    let table = run(&[&["gstr-1", "get"], &period[..]].concat()).stdout;
    assert_eq!(table.lines().count(), 24, "a head and a line for each section: {table}");
    assert!(table.starts_with("Section") && table.contains("\nsupecoa"), "{table}");
    let b2b = ["gstr-1", "get", "--section", "b2b", "--format", "csv"];
    let csv = run(&[&b2b, &period[..]].concat()).stdout;
    let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert!(["ctin", "inum", "txval", "rt"].iter().all(|name| head.contains(name)), "{csv}");
    assert!(csv.contains("78618") && csv.contains("719.82"), "{csv}");
    let totals = run(&[&["gstr-1", "summary"], &period[..]].concat()).stdout;
    assert!(totals.contains("TTL_LIAB") || totals.contains("B2B"), "{totals}");
    let json = run(&[&["gstr-2a", "get", "--format", "json"], &period[..]].concat()).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 11, "a member for each section");
    let json = run(&[&["gstr-1", "get", "--format", "json"], &period[..]].concat()).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["gstin"], &json["fp"]), (&GSTIN.into(), &"102026".into()), "so it can be saved");
    let run = home.run(&["--mock", "gstr-2a", "summary", "--period", "102026"]).succeeds();
    assert!(run.stdout.contains("\nb2b"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_that_fails_is_named_and_no_json_is_written_without_it() {
    let (mock, home) = firm().await;
    mock.on("get_gstr_1_b2b").example("ret11416");
    mock.on("get_gstr_1_cdnr").json(404, json!({"code": 404, "message": "Not Found"}));
    let run = home.run(&["gstr-1", "get", "--period", "102026"]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    let line = |name: &str| run.stdout.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
    assert!(line("b2b").ends_with("no records"), "{}", run.stdout);
    assert!(line("cdnr").contains("Not Found"), "{}", run.stdout);
    assert!(run.stderr.contains("1 section could not be read"), "{}", run.stderr);

    let run = home.run(&["gstr-1", "get", "--period", "102026", "--format", "json"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{}", run.stderr);
    let run = home.run(&["gstr-1", "get", "--period", "102026", "--section", "b2z"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_offline_tool_is_saved_as_it_is() {
    let (mock, home) = firm().await;
    let file = home.path("offline.json");
    fs::write(&file, format!("\u{feff}{OFFLINE}")).unwrap();
    let file = file.to_str().unwrap();

    let run = home.run(&["gstr-1", "save", "--from", file, "--dry-run"]).succeeds();
    insta::assert_snapshot!("returns_save_dry_run", run.stdout);
    let run = home.run(&["gstr-1", "save", "--from", file]);
    assert_eq!(run.code, Some(2), "no terminal to ask on: {}", run.stderr);
    assert_eq!(mock.requests().len(), 0);

    home.run(&["gstr-1", "save", "--from", file, "--yes"]).succeeds();
    let requests = mock.requests();
    let sent = requests.iter().find(|request| request.operation.as_deref() == Some("save_gstr_1")).unwrap();
    assert_eq!(sent.path, "/gst/compliance/tax-payer/gstrs/gstr-1/2026/10");
    let body = str::from_utf8(&sent.body).unwrap();
    assert!(body.contains(r#""val":118.00,"#) && body.contains(r#""rt":18.0,"#), "{body}");
    assert!(!body.contains("version") && !body.contains("hash"), "{body}");

    // Somebody else's return is not saved with this session.
    fs::write(home.path("other.json"), OFFLINE.replace(GSTIN, "27AACCA8432H2ZP")).unwrap();
    let other = home.path("other.json");
    let run = home.run(&["gstr-1", "save", "--from", other.to_str().unwrap(), "--yes"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("`gstin` is not the taxpayer"), "{}", run.stderr);
    // No period, no return.
    fs::write(home.path("other.json"), OFFLINE.replace("fp", "period")).unwrap();
    let run = home.run(&["gstr-1", "save", "--from", other.to_str().unwrap(), "--yes"]);
    assert!(run.code == Some(2) && run.stderr.contains("`fp` must be the period"), "{}", run.stderr);
    // Nothing to save, and no file to read.
    let empty = format!(r#"{{"gstin":"{GSTIN}","fp":"102026","gt":1}}"#);
    for (content, says) in [
        (empty.as_bytes(), "has no section to save"),
        (b"PK\x03\x04 packed", "is an archive or a workbook, not JSON\nUnpack it"),
        (&OFFLINE.as_bytes()[..200], "is not JSON"),
    ] {
        fs::write(home.path("other.json"), content).unwrap();
        let run = home.run(&["gstr-1", "save", "--from", other.to_str().unwrap(), "--yes"]);
        assert!(run.code == Some(2) && run.stderr.contains(says), "{says}: {}", run.stderr);
    }
    assert_eq!(mock.requests().len(), requests.len());

    // A section that is misspelt would be passed over without a word.
    fs::write(home.path("other.json"), OFFLINE.replace("\"inv\"", "\"invs\"")).unwrap();
    let run = home.run(&["gstr-1", "save", "--from", other.to_str().unwrap(), "--dry-run"]).succeeds();
    assert!(run.stderr.contains("`b2b.invs` is not known here; it is sent as it stands."), "{}", run.stderr);
}
