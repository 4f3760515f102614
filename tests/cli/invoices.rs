//! `sandbox invoices` and `sandbox gstr-2b`: what they print, send and refuse.

use std::fs;

use sandbox_client::mock::{Fault, MockServer};
use serde_json::{Value, json};

use crate::command::Home;

const GSTIN: &str = "33ABKCS2033B1ZW";

/// A server that remembers, and a user with a session on it.
async fn firm() -> (MockServer, Home) {
    let mock = MockServer::builder().stateful_ims().start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", GSTIN, "--username", "acme.com"], "575757").succeeds();
    mock.clear();
    (mock, home)
}

/// The one body that was sent to an operation.
fn sent(mock: &MockServer, operation: &str) -> Value {
    let requests = mock.requests();
    let mut sent = requests.iter().filter(|request| request.operation.as_deref() == Some(operation));
    let body = sent.next().expect("one was sent").json().unwrap();
    assert!(sent.next().is_none(), "sent once");
    body
}

fn numbers(body: &Value) -> Vec<&str> {
    body["invdata"]["b2b"].as_array().unwrap().iter().map(|item| item["inum"].as_str().unwrap()).collect()
}

fn snapshots(name: &str, arguments: &[&str]) {
    let home = Home::new();
    for format in ["table", "json", "csv"] {
        let run = home.run(&[&["--mock", "--format", format], arguments].concat()).succeeds();
        let shown = format!("{}--- standard error\n{}", run.stdout, run.stderr);
        insta::assert_snapshot!(format!("{name}_{format}"), shown);
    }
}

// --- what it prints ----------------------------------------------------------

#[test]
fn a_list_is_a_table_json_or_csv() {
    snapshots("invoices_list", &["invoices", "list", "--since", "2024-11-05", "--until", "2024-11-13"]);
}

#[test]
fn what_would_be_sent_is_a_table_json_or_csv() {
    snapshots(
        "invoices_dry_run",
        &["invoices", "reject", "--supplier", "24abcfg0123h1yz", "--remark", "not ours", "--dry-run"],
    );
}

#[test]
fn the_report_of_a_job_is_a_table_json_or_csv() {
    snapshots("invoices_accept", &["invoices", "accept", "--all", "--yes"]);
    snapshots("invoices_no_wait", &["invoices", "reset", "--all", "--yes", "--no-wait"]);
    snapshots("gstr_2b", &["gstr-2b", "regenerate", "--period", "112025", "--yes"]);
    snapshots("gstr_2b_job", &["gstr-2b", "job", "0032e479bcb644c", "--no-wait"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_partly_refused_names_each_document() {
    let (mock, home) = firm().await;
    mock.on("check_invoice_status").example("processed_with_errors");
    for format in ["table", "json", "csv"] {
        let run = home.run(&["invoices", "job", "123456789012", "--format", format]);
        assert_eq!(run.code, Some(7), "{}", run.stderr);
        insta::assert_snapshot!(format!("invoices_job_refused_{format}"), run.stdout);
        assert!(run.stderr.contains("error: GSTN refused 2 of the documents"), "{}", run.stderr);
    }
    mock.clear_rules();
    mock.on("check_invoice_status").example("schema_failure");
    let run = home.run(&["invoices", "job", "123456789012"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("GSTN refused the whole job: ") && run.stderr.contains("IMSSAV005"));
}

/// A list that GSTN is preparing is not an empty one, and a code that ends the
/// session asks for an OTP.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_code_means_is_the_exit_code() {
    let (mock, home) = firm().await;
    let refused = |code: &str| json!({"code": 200, "data": {"status_cd": "0", "error": {"error_cd": code, "message": "the reason"}}});
    let queued = json!({"data": {"status_cd": "2", "data": {"token": "feed0004", "est": "30"}}});
    for (body, code, text) in [
        (queued, 8, "retry after 1800 s"),
        (refused("RTN_24"), 8, "ask again later"),
        (refused("RET191106"), 1, "the reason"),
    ] {
        mock.on("list_invoices").json(200, body);
        let run = home.run(&["invoices", "list", "--section", "b2b"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{}", run.stderr);
        assert!(run.stderr.contains(text), "{}", run.stderr);
        mock.clear_rules();
    }
    mock.on("list_invoices").json(200, refused("RETWEB_04"));
    let list = home.run(&["invoices", "list", "--section", "b2b", "--format", "json"]).succeeds();
    assert_eq!(list.stdout.trim(), "[]");
    mock.clear_rules();

    mock.on("list_invoices").json(200, refused("AUTH158"));
    let run = home.run(&["invoices", "list", "--section", "b2b"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), ""), "{}", run.stderr);
    assert!(run.stderr.contains("ask for a new OTP"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_text_does_not_steer_the_terminal() {
    let (mock, home) = firm().await;
    let number = "A\u{1b}[2J\u{7}1";
    let list = json!({"code": 200, "data": {"status_cd": "1", "data": {"b2b": [
        {"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "inum": number, "action": "N", "val": 1},
    ]}}});
    mock.on("list_invoices").json(200, list);
    let run = home.run(&["invoices", "list", "--section", "b2b"]).succeeds();
    assert!(run.stdout.contains("[2J") && !run.stdout.contains(['\u{1b}', '\u{7}']), "{:?}", run.stdout);
    let json = home.run(&["invoices", "list", "--section", "b2b", "--format", "json"]).succeeds().stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0]["number"], number, "data stay whole");
}

/// What strangers write is text in a spreadsheet, and comes back as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_looks_like_a_formula_is_none() {
    let (mock, home) = firm().await;
    let number = r#"=HYPERLINK("x")"#;
    let document = json!({"stin": "24ABCFG0123H1YZ", "ctin": "24ABCFG0123H1YZ", "rtnprd": "102024",
        "inum": number, "idt": "01-10-2024", "action": "N", "val": -1.5, "remarks": "'=kept"});
    let list = json!({"code": 200, "data": {"status_cd": "1", "data": {"b2b": [document]}}});
    mock.on("list_invoices").json(200, list);
    let csv = home.run(&["invoices", "list", "--section", "b2b", "--format", "csv"]).succeeds().stdout;
    assert!(
        csv.contains(r#","'=HYPERLINK(""x"")","#) && csv.contains(",-1.5,") && csv.contains(",''=kept"),
        "{csv}"
    );
    let run = home.run_with(&["invoices", "accept", "--from", "-", "--dry-run", "--format", "json"], &csv);
    let shown: Value = serde_json::from_str(&run.succeeds().stdout).unwrap();
    assert_eq!(shown[0]["number"], number);
    assert_eq!(shown[0]["remarks"], "'=kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_no_trouble() {
    let (mock, home) = firm().await;
    let document = |number: usize| {
        json!({"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "inum": number.to_string(), "action": "N",
            "val": 1.5, "remarks": "x".repeat(400)})
    };
    let list: Vec<_> = (0..40_000).map(document).collect();
    let body = json!({"code": 200, "data": {"status_cd": "1", "data": {"b2b": list}}});
    assert!(body.to_string().len() > 16 * 1024 * 1024, "more than the library takes by itself");
    mock.on("list_invoices").json(200, body);
    let run = home.run(&["invoices", "list", "--section", "b2b", "--format", "csv"]).succeeds();
    assert_eq!(run.stdout.lines().count(), 40_001);
}

// --- which documents -----------------------------------------------------------

#[test]
fn filters_narrow_a_list() {
    let home = Home::new();
    for (filter, count) in [
        (&[][..], 12),
        (&["--section", "b2b"], 12),
        (&["--section", "b2ba,b2bcn"], 0),
        (&["--status", "accepted"], 1),
        (&["--status", "no_action"], 11),
        (&["--status", "rejected"], 0),
        (&["--supplier", "24abcfg0123h1yz"], 2),
        (&["--supplier", "24ABCFG0123H1YZ", "--supplier", "08ABCPP0123E2YZ"], 3),
        (&["--number", "prn-1050", "--number", "IN-21576"], 2),
        (&["--number", "PRN-1050", "--supplier", "24ABCFG0123H1YZ"], 1),
        (&["--period", "102024"], 5),
        (&["--since", "2024-11-13"], 3),
        (&["--until", "16-10-2024"], 2),
        (&["--since", "2024-11-05", "--until", "2024-11-05"], 2),
        (&["--min-value", "28600"], 2),
        (&["--max-value", "401.02"], 3),
        (&["--max-value", "401.01"], 2),
    ] {
        let run =
            home.run(&[&["--mock", "invoices", "list", "--format", "json"], filter].concat()).succeeds();
        let list: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(list.as_array().unwrap().len(), count, "{filter:?}");
        assert_eq!(run.stderr, "", "{filter:?}");
    }
    let run = home.run(&["--mock", "invoices", "list", "--number", "PRN-1", "--supplier", "24ABCFG0123H1YZ"]);
    assert_eq!(
        run.succeeds().stderr,
        "Number PRN-1: no document matches.\nSupplier 24ABCFG0123H1YZ: no document matches.\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_compared_is_told() {
    let (mock, home) = firm().await;
    let document =
        json!({"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "inum": "1", "idt": "NA", "action": "N"});
    let list = json!({"code": 200, "data": {"status_cd": "1", "data": {"b2b": [document]}}});
    mock.on("list_invoices").json(200, list);
    let run =
        home.run(&["invoices", "list", "--section", "b2b", "--since", "2024-01-01", "--min-value", "0"]);
    let stderr = run.succeeds().stderr;
    assert!(stderr.contains("1 document is skipped: no readable date."), "{stderr}");
    assert!(stderr.contains("1 document is skipped: no readable value."), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_left_alone_unless_they_are_asked_for() {
    let (mock, home) = firm().await;
    let accepted = "AO2SA2425002517";
    let reject = ["invoices", "reject", "--number", accepted, "--yes", "--no-wait"];
    let run = home.run(&reject);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(
        run.stderr.contains("1 document has the status accepted: skipped without --status any"),
        "{}",
        run.stderr
    );
    assert_eq!(mock.hits("save_invoice_status"), 0);

    // A status that is already set is no failure: a script may run twice.
    let run = home.run(&["invoices", "accept", "--number", accepted, "--yes"]).succeeds();
    assert!(
        run.stderr.contains("1 document already has the status accepted.\nNothing to send."),
        "{}",
        run.stderr
    );
    assert_eq!((run.stdout.as_str(), mock.hits("save_invoice_status")), ("", 0));

    home.run(&[&reject[..], &["--status", "any"]].concat()).succeeds();
    let body = sent(&mock, "save_invoice_status");
    assert_eq!((numbers(&body), &body["invdata"]["b2b"][0]["prev_status"]), (vec![accepted], &json!("A")));
    assert_eq!(body["rtin"], GSTIN);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_pending_is_told_and_the_rest_is_sent() {
    let (mock, home) = firm().await;
    let document = |number: &str, blocked: &str| {
        json!({"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "inum": number, "action": "N",
            "ispendactblocked": blocked})
    };
    let list = json!({"b2b": [document("free", "N"), document("bound", "Y")]});
    mock.on("list_invoices").json(200, json!({"code": 200, "data": {"status_cd": "1", "data": list}}));
    let run = home.run(&["invoices", "pend", "--section", "b2b", "--yes", "--no-wait"]);
    assert_eq!(run.code, Some(7));
    assert!(
        run.stderr.contains("Skipped, bound of 24ABCFG0123H1YZ: cannot be kept pending"),
        "{}",
        run.stderr
    );
    assert_eq!(numbers(&sent(&mock, "save_invoice_status")), ["free"]);
}

// --- list, edit, act -------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_edited_says_what_to_act_on() {
    let (mock, home) = firm().await;
    for format in ["csv", "json"] {
        let list =
            home.run(&["invoices", "list", "--status", "no_action", "--format", format]).succeeds().stdout;
        let (file, expected) = if format == "csv" {
            // Two lines are left, one of them with a word to the supplier; as a
            // spreadsheet may write it, with a mark in front.
            let keep =
                |line: &&str| ["section", "PRN-1050", "PRN-1094"].iter().any(|word| line.contains(word));
            let lines: Vec<_> = list.lines().filter(keep).collect();
            let text = lines
                .join("\r\n")
                .replace("2000,1694.92,0,152.54,152.54,0,no_action,", "2000,,,,,,no_action,not ours");
            (format!("\u{feff}{text}\r\n"), [None, Some("not ours")])
        } else {
            let mut list: Vec<Value> = serde_json::from_str(&list).unwrap();
            list.retain(|document| {
                document["supplier_gstin"] == "24ABCCR0123M1YZ" || document["number"] == "IN-21576"
            });
            list[0]["remarks"] = "twice".into();
            (json!(list).to_string(), [Some("twice"), None])
        };
        mock.clear();
        home.run_with(&["invoices", "reject", "--from", "-", "--yes", "--no-wait"], &file).succeeds();
        let body = sent(&mock, "save_invoice_status");
        let items = body["invdata"]["b2b"].as_array().unwrap();
        let remarks: Vec<_> = items.iter().map(|item| item["remarks"].as_str()).collect();
        assert_eq!(remarks, expected, "{format}");
        assert!(items.iter().all(|item| item["action"] == "R" && item["prev_status"] == "N"));
        assert_eq!(mock.hits("list_invoices"), 1, "the sections of the file alone");
    }
    // What the file does not have came from the fresh list.
    let requests = mock.requests();
    let save = requests.iter().find(|request| request.operation.as_deref() == Some("save_invoice_status"));
    assert_eq!(save.unwrap().json().unwrap()["invdata"]["b2b"][0]["val"], 3390.73);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_the_list_is_left_alone() {
    let (mock, home) = firm().await;
    let path = home.path("list.csv");
    fs::write(
        &path,
        "\
section,supplier_gstin,return_period,number,status,hash
b2b,24ABCFG0123H1YZ,102024,PRN-1050,no_action,
B2B,24abcfg0123h1yz,102024,prn-1094,no_action,0000
b2b,24ABCFG0123H1YZ,102024,5.09E+09,no_action,
b2b,24ABCCU0123M1YZ,112024,AO2SA2425002517,pending,
",
    )
    .unwrap();
    let from = ["--from", path.to_str().unwrap(), "--yes", "--no-wait"];
    let run = home.run(&[&["invoices", "reject"], &from[..]].concat());
    assert_eq!(run.code, Some(7));
    for told in [
        "Skipped, line 3: the supplier has changed it since.",
        "Skipped, line 4: is not listed.",
        "Skipped, line 5: its status is now accepted.",
        "error: 3 selected documents were skipped, see above",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    assert_eq!(numbers(&sent(&mock, "save_invoice_status")), ["PRN-1050"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_list_is_refused_before_any_call() {
    let (mock, home) = firm().await;
    let path = home.path("list.csv");
    let columns = "section,supplier_gstin,return_period,number,status\n";
    for (content, says) in [
        ("", "is empty; it needs the columns section, supplier_gstin, return_period, number and status"),
        ("gstin,number\na,b\n", "needs the columns section, supplier_gstin, return_period and status"),
        (columns, "contains no document"),
        ("[{\"section\": \"b2b\"}]", "missing field `supplier_gstin`"),
        ("[]", "contains no document"),
        (
            &format!("{columns}cars,s,p,n,no_action\nb2b,s,p,,no_action\n"),
            "line 2: `cars` is not a section that can be listed\nline 3: no number",
        ),
        (
            &format!("{columns}b2b,s,p,n,no_action\nB2B,S,P,N,no_action\n"),
            "line 3: the same document as line 2",
        ),
    ] {
        fs::write(&path, content).unwrap();
        let run = home.run(&["invoices", "accept", "--from", path.to_str().unwrap(), "--yes"]);
        assert_eq!(run.code, Some(2), "{content}");
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
    }
    assert_eq!(mock.requests().len(), 0);
}

// --- nothing is sent without a word --------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nothing_is_sent_unasked() {
    let (mock, home) = firm().await;
    for (arguments, says) in [
        (&["invoices", "accept", "--all"][..], "send with --yes"),
        (&["invoices", "reset", "--number", "PRN-1050"], "send with --yes"),
        (&["invoices", "pend", "--from", "-"], "send with --yes"),
        (&["gstr-2b", "regenerate", "--period", "112025"], "send with --yes"),
        (&["invoices", "accept", "--yes"], "no documents were selected"),
        (&["invoices", "accept", "--status", "any", "--yes"], "no documents were selected"),
        (&["invoices", "accept", "--all", "--yes", "--dry-run"], "cannot be used with"),
        (&["invoices", "accept", "--from", "x", "--number", "1", "--yes"], "cannot be used with"),
        (&["invoices", "accept", "--from", "x", "--all", "--yes"], "cannot be used with"),
        (&["invoices", "list", "--since", "2024-02-30"], "must be a date such as 2024-11-05"),
        (&["gstr-2b", "regenerate", "--period", "132025", "--yes"], "`month` must be between 1 and 12"),
    ] {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(mock.requests().len(), 0);

    // A refusal of the library comes before the question too.
    let credit = json!({"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "nt_num": "1", "action": "N"});
    let list = json!({"code": 200, "data": {"status_cd": "1", "data": {"b2bcn": [credit]}}});
    mock.on("list_invoices").json(200, list);
    let run = home.run(&["invoices", "accept", "--section", "b2bcn", "--remark", "late", "--dry-run"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("1 document cannot be accepted without a declaration"), "{}", run.stderr);
    assert_eq!(mock.hits("save_invoice_status"), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_a_person_decides() {
    let (mock, home) = firm().await;
    let arguments = ["invoices", "accept", "--supplier", "24ABCFG0123H1YZ", "--no-wait"];
    let question = "Accept these 2 documents of 33ABKCS2033B1ZW? [y/N] ";
    for (answer, code, sent) in [("\n", 1, 0), ("no\n", 1, 0), ("\u{4}", 1, 0), ("y\n", 0, 1)] {
        let mut terminal = crate::terminal::Terminal::start(home.command(&arguments));
        terminal.answer(question, answer);
        let (ended, shown) = terminal.end();
        assert_eq!((ended, mock.hits("save_invoice_status")), (Some(code), sent), "{answer:?}: {shown}");
        assert!(shown.contains("PRN-1050") && shown.contains("28,600.00"), "{shown}");
        assert_eq!(shown.contains("not confirmed; nothing was sent"), sent == 0, "{shown}");
    }
    let mut terminal =
        crate::terminal::Terminal::start(home.command(&["gstr-2b", "regenerate", "--period", "112025"]));
    terminal.answer("Regenerate GSTR-2B 112025 of 33ABKCS2033B1ZW? [y/N] ", "n\n");
    assert_eq!((terminal.end().0, mock.hits("regenerate_gstr_2b")), (Some(1), 0));
}

// --- jobs and sessions ----------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_followed_later() {
    let (mock, home) = firm().await;
    let run = home.run(&["invoices", "accept", "--number", "PRN-1050", "--yes", "--no-wait"]).succeeds();
    let id = run.stdout.trim();
    assert!(run.stderr.contains(&format!("sandbox invoices job {id}\n")), "{}", run.stderr);
    let state = |arguments: &[&str]| {
        let run = home.run(&[&["invoices", "job", id, "--format", "json"], arguments].concat()).succeeds();
        serde_json::from_str::<Value>(&run.stdout).unwrap()["state"].clone()
    };
    assert_eq!(state(&["--no-wait"]), "in_progress");
    assert_eq!(state(&[]), "processed");
    assert_eq!(mock.hits("check_invoice_status"), 2);
    let list = home.run(&["invoices", "list", "--number", "PRN-1050", "--format", "csv"]).succeeds().stdout;
    assert!(list.contains(",accepted,"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_environment_needs_its_taxpayer() {
    let (mock, home) = firm().await;
    let run = |more: &[&str]| {
        let mut command =
            home.command(&[&["invoices", "accept", "--all", "--yes", "--no-wait"], more].concat());
        command.env("SANDBOX_ACCESS_TOKEN", mock.taxpayer_token()).output().unwrap()
    };
    let refused = run(&[]);
    assert_eq!((refused.status.code(), mock.requests().len()), (Some(2), 0));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--recipient"));
    assert_eq!(run(&["--recipient", GSTIN]).status.code(), Some(0));
    assert_eq!(sent(&mock, "save_invoice_status")["rtin"], GSTIN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_not_repeated_and_told() {
    let (mock, home) = firm().await;
    mock.on("save_invoice_status").fault(Fault::CloseWithoutAnswer);
    let run = home.run(&["invoices", "accept", "--number", "PRN-1050", "--yes"]);
    assert_eq!((run.code, mock.hits("save_invoice_status")), (Some(1), 1));
    assert!(run.stderr.contains("may have been processed)\nList the invoices before"), "{}", run.stderr);
    assert!(!run.stderr.contains("sent, job"), "{}", run.stderr);

    // Where it certainly did not, nobody needs to look.
    mock.clear_rules();
    mock.on("save_invoice_status").error("insufficient_privilege");
    let run = home.run(&["invoices", "accept", "--number", "PRN-1050", "--yes"]);
    assert_eq!(run.code, Some(4));
    assert!(!run.stderr.contains("arrived"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_gstn_is_told_with_its_code() {
    let (mock, home) = firm().await;
    mock.on("regenerate_gstr_2b").example("period_closed");
    let run = home.run(&["gstr-2b", "regenerate", "--period", "112025", "--yes"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("IMS2B007"), "{}", run.stderr);
}

// --- what GSTN asks for -------------------------------------------------------------

/// What a list answers with, from the reports of others.
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_in_any_form_leaves_its_document_out() {
    let (mock, home) = firm().await;
    mock.on("list_invoices").json(200, fixture("list_invoices.boolean_flags"));
    let run = home.run(&["invoices", "pend", "--section", "b2b", "--yes", "--no-wait"]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(
        run.stderr.contains("Skipped, BOUND-2 of 24ABCFG0123H1YZ: cannot be kept pending"),
        "{}",
        run.stderr
    );
    assert_eq!(numbers(&sent(&mock, "save_invoice_status")), ["FREE-1"]);

    mock.clear();
    let remark = ["invoices", "reject", "--section", "b2b", "--remark", "not ours", "--yes", "--no-wait"];
    let run = home.run(&remark);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(run.stderr.contains("Skipped, BOUND-2 of 24ABCFG0123H1YZ: accepts no remark"), "{}", run.stderr);
    assert_eq!(numbers(&sent(&mock, "save_invoice_status")), ["FREE-1"]);

    mock.clear();
    let run = home.run(&["invoices", "reject", "--section", "b2b", "--remark", &"x".repeat(251), "--yes"]);
    assert_eq!((run.code, mock.requests().len()), (Some(2), 0));
    assert!(run.stderr.contains("--remark has 251 characters; GSTN accepts 250"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_notes_are_accepted_with_a_declaration() {
    let (mock, home) = firm().await;
    mock.on("list_invoices").json(200, fixture("list_invoices.credit_notes"));
    let accept = ["invoices", "accept", "--section", "b2bcn", "--yes", "--no-wait"];
    let run = home.run(&accept);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for told in ["2 documents cannot be accepted", "CN-7 of 24ABCFG0123H1YZ", "--itc-reduction"] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    assert_eq!(mock.hits("save_invoice_status"), 0);

    for (flag, letter) in [("full", "Y"), ("none", "N")] {
        mock.clear();
        home.run(&[&accept[..], &["--itc-reduction", flag]].concat()).succeeds();
        let body = sent(&mock, "save_invoice_status");
        let notes = body["invdata"]["b2bcn"].as_array().unwrap();
        assert!(
            notes.len() == 2
                && notes.iter().all(|note| note["itcRedReq"] == letter && note["declIgst"].is_null())
        );
    }

    // Each by its line, the second by the flag.
    let list = home.run(&["invoices", "list", "--section", "b2bcn", "--format", "csv"]).succeeds().stdout;
    let mut lines: Vec<Vec<String>> =
        list.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let column = |lines: &[Vec<String>], name: &str| lines[0].iter().position(|title| title == name).unwrap();
    let (word, amount) = (column(&lines, "itc_reduction"), column(&lines, "declared_igst"));
    lines[1][word] = "amounts".to_owned();
    let edited = |lines: &[Vec<String>]| lines.iter().map(|line| line.join(",") + "\n").collect::<String>();
    let from = ["invoices", "accept", "--from", "-", "--itc-reduction", "none", "--yes", "--no-wait"];
    let run = home.run_with(&from, &edited(&lines));
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("line 2: itc_reduction is amounts, but no column declared_"),
        "{}",
        run.stderr
    );

    mock.clear();
    lines[1][amount] = "90.5".to_owned();
    home.run_with(&from, &edited(&lines)).succeeds();
    let body = sent(&mock, "save_invoice_status");
    let notes = &body["invdata"]["b2bcn"];
    assert_eq!((&notes[0]["itcRedReq"], &notes[0]["declIgst"]), (&json!("Y"), &json!(90.5)));
    assert_eq!(notes[1]["itcRedReq"], "N");

    mock.clear();
    lines[1][amount] = "500".to_owned();
    let run = home.run_with(&from, &edited(&lines));
    assert_eq!(run.code, Some(7));
    assert!(run.stderr.contains("CN-7 of 24ABCFG0123H1YZ: `itc_reduction` has more igst"), "{}", run.stderr);
    assert_eq!(sent(&mock, "save_invoice_status")["invdata"]["b2bcn"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_fits_the_code() {
    let (mock, home) = firm().await;
    mock.on("check_invoice_status").json(200, fixture("check_invoice_status.declaration_missing"));
    let run = home.run(&["invoices", "job", "123456789012"]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(run.stdout.contains("CN-7") && run.stdout.contains("CN-12"), "{}", run.stdout);
    assert!(
        run.stderr.contains("--itc-reduction full") && !run.stderr.contains("list them again"),
        "{}",
        run.stderr
    );
    mock.clear_rules();
    mock.on("check_invoice_status").example("processed_with_errors");
    let run = home.run(&["invoices", "job", "123456789012"]);
    assert!(
        run.stderr.contains("list them again") && !run.stderr.contains("--itc-reduction"),
        "{}",
        run.stderr
    );
}

/// A remark that stood in the list before stops nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_notes_with_remarks_can_be_acted_on() {
    let (mock, home) = firm().await;
    let mut list = fixture("list_invoices.notes_with_remarks");
    mock.on("list_invoices").json(200, list.clone());
    let csv = home.run(&["invoices", "list", "--section", "b2bcn", "--format", "csv"]).succeeds().stdout;
    home.run_with(&["invoices", "reject", "--from", "-", "--yes", "--no-wait"], &csv).succeeds();
    let body = sent(&mock, "save_invoice_status");
    let notes = body["invdata"]["b2bcn"].as_array().unwrap();
    assert_eq!(notes.len(), 2);
    assert!(notes.iter().all(|note| note["action"] == "R" && note["itcRedReq"].is_null()));

    // Nor where remarks are blocked by now, nor a long one of the portal's.
    for change in [json!({"isRemarksBlocked": "Y"}), json!({"remarks": "x".repeat(300)})] {
        list["data"]["data"]["b2bcn"][0].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        mock.clear_rules();
        mock.clear();
        mock.on("list_invoices").json(200, list.clone());
        let csv = home.run(&["invoices", "list", "--section", "b2bcn", "--format", "csv"]).succeeds().stdout;
        home.run_with(&["invoices", "reject", "--from", "-", "--yes", "--no-wait"], &csv).succeeds();
        let body = sent(&mock, "save_invoice_status");
        assert_eq!(body["invdata"]["b2bcn"].as_array().unwrap().len(), 2);
        assert!(body["invdata"]["b2bcn"][0]["remarks"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_number_of_two_days_is_sent_twice() {
    let (mock, home) = firm().await;
    mock.on("list_invoices").json(200, fixture("list_invoices.same_number_twice"));
    home.run(&["invoices", "accept", "--section", "b2b", "--yes", "--no-wait"]).succeeds();
    assert_eq!(numbers(&sent(&mock, "save_invoice_status")), ["1", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_batch_that_still_runs_is_waited_for() {
    let (mock, home) = firm().await;
    mock.on("save_invoice_status").json(200, fixture("save_invoice_status.earlier_batch_runs")).times(1);
    let run = home.run(&["invoices", "reject", "--number", "PRN-1050", "--yes"]).succeeds();
    assert!(run.stderr.contains("GSTN is still processing an earlier batch"), "{}", run.stderr);
    assert!(run.stderr.contains("1 document was sent, job "), "{}", run.stderr);
    assert_eq!(mock.hits("save_invoice_status"), 2);
}
