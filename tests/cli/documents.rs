//! `sandbox e-invoice` and `sandbox e-way-bill` as programs: killed again and
//! again, and still each document is made once.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sandbox_client::mock::{Fault, MockServer};
use serde_json::Value;

use crate::command::Home;

const INVOICE: &str =
    include_str!("../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json");
const BILL: &str =
    include_str!("../../openapi/e_way_bill/examples/generate_e_way_bill.request.documented.json");

/// A file with so many invoices.
fn invoices(home: &Home, count: usize) -> PathBuf {
    let mut invoice: Value = serde_json::from_str(INVOICE).unwrap();
    invoice["EwbDtls"].take();
    let lines: String = (1..=count)
        .map(|number| {
            invoice["DocDtls"]["No"] = format!("DOC/{number}").into();
            invoice.to_string() + "\n"
        })
        .collect();
    let path = home.path("invoices.jsonl");
    fs::write(&path, lines).unwrap();
    path
}

fn records(text: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.filter(|line: &Value| line["number"].is_string()).collect()
}

/// 2,000 invoices, a server that loses every 13th answer after its work, and a
/// process that is killed until it is through: one IRN for each.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_batch_makes_each_invoice_once() {
    const COUNT: usize = 2_000;
    let mock = MockServer::builder().stateful_documents().start().await.unwrap();
    let answered = std::sync::atomic::AtomicUsize::new(0);
    mock.on("generate_e_invoice")
        .fault(Fault::CloseWithoutAnswer)
        .when(move |_| answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 13 == 5);
    let home = Home::of(&mock);
    let (from, checkpoint) = (invoices(&home, COUNT), home.path("done.jsonl"));
    let arguments = [
        "e-invoice",
        "generate",
        "--from",
        from.to_str().unwrap(),
        "--checkpoint",
        checkpoint.to_str().unwrap(),
        "--username",
        "api_user",
        "--format",
        "json",
    ];
    let command = || {
        let mut command = home.command(&arguments);
        command.env("SANDBOX_E_INVOICE_PASSWORD", "not-a-real-password");
        command
    };
    let noted = || fs::read_to_string(&checkpoint).unwrap_or_default().lines().count();
    let deadline = Instant::now() + Duration::from_secs(300);
    for kill in 1..=4 {
        let mut child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while noted() < kill * 350 {
            assert!(Instant::now() < deadline, "too slow: {} noted", noted());
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap(); // SIGKILL on Unix
        child.wait().unwrap();
    }
    let output = command().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));

    let shown = records(&String::from_utf8(output.stdout).unwrap());
    let kept = records(&fs::read_to_string(&checkpoint).unwrap());
    let mut numbers: HashMap<String, HashSet<String>> = HashMap::new();
    for record in shown.iter().chain(&kept) {
        let irn = record["made"]["irn"].as_str().unwrap_or_else(|| panic!("{record}"));
        numbers.entry(record["number"].as_str().unwrap().to_owned()).or_default().insert(irn.to_owned());
        assert!(record["made"]["answer"]["SignedInvoice"].is_string(), "the signed invoice is kept");
    }
    assert_eq!((shown.len(), numbers.len()), (COUNT, COUNT));
    assert!(numbers.values().all(|irns| irns.len() == 1), "one IRN for each");
    let all: HashSet<_> = numbers.values().flatten().collect();
    assert_eq!(all.len(), COUNT, "no two share one");
    // What was noted is not sent again; what was in flight is, at most once a kill.
    let sent = mock.hits("generate_e_invoice");
    assert!(sent <= COUNT + 4 * 16, "{sent} requests");
    let text = fs::read_to_string(&checkpoint).unwrap();
    assert!(!text.contains("not-a-real-password"));
}

/// Whoever reads the output goes away, or a service manager ends the program:
/// what is in flight is answered and noted.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_loses_no_answer_to_a_closed_pipe_or_a_signal() {
    const COUNT: usize = 60;
    let mock = MockServer::builder().stateful_documents().start().await.unwrap();
    mock.on("generate_e_invoice").delay(Duration::from_millis(40));
    let home = Home::of(&mock);
    let (from, checkpoint) = (invoices(&home, COUNT), home.path("done.jsonl"));
    let arguments = [
        "e-invoice",
        "generate",
        "--from",
        from.to_str().unwrap(),
        "--checkpoint",
        checkpoint.to_str().unwrap(),
        "--username",
        "api_user",
        "--concurrency",
        "2",
        "--format",
        "json",
    ];
    let start = || {
        let mut command = home.command(&arguments);
        command.env("SANDBOX_E_INVOICE_PASSWORD", "not-a-real-password");
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let first_line = |output: &mut std::process::ChildStdout| {
        BufReader::new(output).read_line(&mut String::new()).unwrap();
    };

    let mut stopped = start();
    let mut output = stopped.stdout.take().unwrap();
    first_line(&mut output);
    let signal = Command::new("kill").args(["-TERM", &stopped.id().to_string()]).status().unwrap();
    assert!(signal.success());
    assert_eq!(stopped.wait().unwrap().code(), Some(143));
    let made = records(&fs::read_to_string(&checkpoint).unwrap()).len();
    assert!(made < COUNT, "it was to be stopped half-way");
    assert_eq!(mock.hits("generate_e_invoice"), made, "each answer is noted");

    let mut unread = start();
    first_line(&mut unread.stdout.take().unwrap());
    assert_eq!(unread.wait().unwrap().code(), Some(0));
    assert_eq!(records(&fs::read_to_string(&checkpoint).unwrap()).len(), COUNT);
    assert_eq!(mock.hits("generate_e_invoice"), COUNT);
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_are_made_and_found_from_a_terminal() {
    let mock = MockServer::builder().stateful_documents().start().await.unwrap();
    let home = Home::of(&mock);
    let mut bill: Value = serde_json::from_str(BILL).unwrap();
    let mut lines = bill.to_string() + "\n\n";
    bill["docNo"] = "7001-12".into();
    lines += &bill.to_string();
    let from = home.path("bills.jsonl");
    fs::write(&from, lines).unwrap();
    let arguments = ["e-way-bill", "generate", "--from", from.to_str().unwrap(), "--username", "api_user"];
    // The password is asked for on standard input.
    let run = home.run_with(&arguments, "not-a-real-password").succeeds();
    assert!(run.stdout.contains("7001-12") && run.stdout.contains("29101000000"), "{}", run.stdout);
    assert!(run.stderr.contains("2 made, 0 failed"), "{}", run.stderr);
    let run =
        home.run_with(&[&arguments[..], &["--format", "csv"]].concat(), "not-a-real-password").succeeds();
    assert_eq!(run.stdout.matches("true").count(), 2, "found: {}", run.stdout);
    let login = mock
        .requests()
        .into_iter()
        .find(|request| request.operation.as_deref() == Some("e_way_bill_authenticate"));
    assert_eq!(login.unwrap().json().unwrap()["gstin"], "29AAACQ3770E000", "of the first document");
}

#[test]
fn a_file_with_mistakes_sends_nothing() {
    let home = Home::new();
    let from = home.path("invoices.jsonl");
    fs::write(&from, "{\"Version\": \"1.1\"}\nno json\n").unwrap();
    let run = home.run(&["--mock", "e-invoice", "generate", "--from", from.to_str().unwrap()]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("line 1: missing field") && run.stderr.contains("line 2: "),
        "{}",
        run.stderr
    );

    // One that the portal would refuse fails alone, by member and rule.
    let mut invoice: Value = serde_json::from_str(INVOICE).unwrap();
    let good = invoice.to_string();
    invoice["DocDtls"]["No"] = "DOC/114".into();
    invoice["ValDtls"]["TotInvVal"] = 1.into();
    fs::write(&from, format!("{good}\n{invoice}\n")).unwrap();
    let run =
        home.run(&["--mock", "e-invoice", "generate", "--from", from.to_str().unwrap(), "--format", "json"]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(
        run.stderr.contains("1 made, 1 failed") && run.stderr.contains("error: 1 document failed"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("`ValDtls.TotInvVal` must be"), "{}", run.stdout);

    let run = home.run(&["e-invoice", "generate", "--from", from.to_str().unwrap()]);
    assert_eq!(run.code, Some(3), "no key: {}", run.stderr);
}
