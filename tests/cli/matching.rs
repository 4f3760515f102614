//! `sandbox match`: a purchase register against the sample of the built-in server.

use std::fs;

use sandbox_client::mock::MockServer;
use serde_json::Value;

use crate::command::{Home, Run};

/// As a program for accounting may export it: a title, other names, Indian amounts.
const REGISTER: &str = "\
Purchase register;;;;;;;;
Sr.;Supplier GSTIN;Invoice No.;Invoice Date;Invoice Value;Taxable Amount;IGST;CGST;SGST/UTGST
1;33ABCCZ0123M2YZ;1024250260344;2-Nov-24;1,888.00;1,600.00;288.00;;
2;06abccg0123d1yz;5096411148;31/10/2024;2605.44;2208.90;397.44;0;0
3;24ABCFG0123H1YZ;PRN/1050/2024-25;17-10-2024;28,600;24,237.29;;2,181.36;2,181.36
4;24ABCFG0123H1YZ;PRN-1094;25-10-2024;2950;2500;;225;225
5;32ABCPM0123R1YZ;30587;16-10-2024;458.15;408.79;49.36;;
6;24ABCFG0123H1YZ;PRN-2000;25-10-2024;118;100;;9;9
7;24ABCFG0123H1YZ;PRN-2000;25-10-2024;118;100;;9;9
8;;CASH-1;25-10-2024;118;100;;9;9
9;27AACCA8432H2ZP;CN-5;01-11-2024;-118;-100;-18;;
;Total;;;;;;;
";

fn run(home: &Home, register: &str, arguments: &[&str]) -> Run {
    let path = home.path("register.csv");
    fs::write(&path, register).unwrap();
    home.run(&[&["--mock", "match", "--register", path.to_str().unwrap()], arguments].concat())
}

fn entries(run: &Run) -> Vec<Value> {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

#[test]
fn a_register_is_matched_with_the_documents_of_the_ims() {
    let home = Home::new();
    for format in ["table", "csv"] {
        let run = run(&home, REGISTER, &["--format", format]).succeeds();
        insta::assert_snapshot!(
            format!("match_{format}"),
            format!("{}--- standard error\n{}", run.stdout, run.stderr)
        );
    }
    let json = entries(&run(&home, REGISTER, &["--format", "json"]).succeeds());
    let verdict = |number: &str| -> Vec<&str> {
        let fits = json.iter().filter(|entry| entry["register_number"] == number);
        fits.map(|entry| entry["verdict"].as_str().unwrap()).collect()
    };
    for (number, verdicts) in [
        ("1024250260344", &["exact"][..]),
        ("5096411148", &["within_tolerance"]),
        ("PRN/1050/2024-25", &["exact"]),
        ("PRN-1094", &["differs"]),
        ("30587", &["probable"]),
        ("PRN-2000", &["only_in_register", "duplicate"]),
        ("CN-5", &["only_in_register"]),
    ] {
        assert_eq!(verdict(number), verdicts, "{number}");
    }
    let probable = json.iter().find(|entry| entry["verdict"] == "probable").unwrap();
    assert_eq!(
        (&probable["reason"], &probable["number"]),
        (&"part_of_number".into(), &"OI-30587/24-25".into())
    );
    let differs = json.iter().find(|entry| entry["verdict"] == "differs").unwrap();
    assert_eq!(differs["differences"][0]["field"], "value");
    assert_eq!(differs["differences"][0]["by"], -950);
    let note = json.iter().find(|entry| entry["register_number"] == "CN-5").unwrap();
    assert_eq!((&note["kind"], &note["register_value"]), (&"credit_note".into(), &118.into()));
    assert_eq!(json.iter().filter(|entry| entry["verdict"] == "only_at_gstn").count(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_a_file_that_invoices_takes() {
    let mock = MockServer::builder().stateful_ims().start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let register = home.path("register.csv");
    fs::write(&register, REGISTER).unwrap();
    let propose = |arguments: &[&str]| {
        home.run(&[&["match", "--register", register.to_str().unwrap(), "--propose"], arguments].concat())
    };
    let proposal = propose(&["accept"]).succeeds();
    assert!(
        proposal
            .stderr
            .contains("3 proposed, none sent. Send them with: sandbox invoices accept --from FILE")
    );
    assert_eq!(mock.hits("save_invoice_status"), 0);
    let file = home.path("accept.csv");
    fs::write(&file, &proposal.stdout).unwrap();
    home.run(&["invoices", "accept", "--from", file.to_str().unwrap(), "--yes"]).succeeds();
    assert_eq!(mock.hits("save_invoice_status"), 1);

    // What is accepted now is not proposed again.
    let again = propose(&["accept"]).succeeds();
    assert_eq!(again.stdout.lines().count(), 1, "{}", again.stdout);
    assert!(again.stderr.contains("Skipped because they already have a status: 3."), "{}", again.stderr);
    let pend = propose(&["pend", "--only", "probable", "--format", "json"]).succeeds();
    assert_eq!(entries(&pend)[0]["number"], "OI-30587/24-25");
    let reject = propose(&["reject"]);
    assert_eq!(reject.code, Some(2), "{}", reject.stderr);
    assert!(reject.stderr.contains("--propose reject requires --only"), "{}", reject.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gstr_2b_is_read_with_all_its_files() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let register = home.path("register.csv");
    fs::write(
        &register,
        "gstin,number,date,taxable value,igst\n27ABCPS0123E1ZK,INV-634123,30-03-2024,96810,17425.8\n",
    )
    .unwrap();
    let arguments = [
        "match",
        "--register",
        register.to_str().unwrap(),
        "--gstr-2b",
        "032024",
        "--format",
        "json",
        "--only",
        "exact",
    ];
    assert_eq!(entries(&home.run(&arguments).succeeds()).len(), 1);

    mock.clear();
    mock.on("get_gstr_2b").example("split").when(|request| request.query_value("file_number").is_none());
    assert_eq!(entries(&home.run(&arguments).succeeds()).len(), 1);
    assert_eq!(mock.hits("get_gstr_2b"), 3, "the head and two files");
    let refused = home.run(&["match", "--register", "x", "--gstr-2b", "032024", "--propose", "accept"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}

#[test]
fn mistakes_of_a_register_are_told_before_any_call() {
    let home = Home::new();
    for (register, says) in [
        ("gstin,amount\nG,1\n", "needs the column number\nIts first row has: gstin, amount"),
        ("gstin,number\n,1\n", "contains no document with the GSTIN of a supplier"),
        (
            "gstin,number,date,value,type\n24ABCFG0123H1YZ,1,31-02-2024,12a,foo\n",
            "line 2: value must be an amount such as 1234.50, found `12a`\n\
             line 2: date must be a day such as 05-11-2025, found `31-02-2024`\n\
             line 2: kind must be invoice, credit note or debit note, found `foo`",
        ),
    ] {
        let run = run(&home, register, &[]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(says), "{says}\n{}", run.stderr);
    }
    let report = run(&home, REGISTER, &["--report", "/nowhere/at/all.html"]);
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    assert!(report.stderr.contains("cannot write /nowhere/at/all.html: "), "{}", report.stderr);
}

#[test]
fn numbers_that_a_spreadsheet_changed_and_lines_by_rate_are_understood() {
    let home = Home::new();
    let changed = "gstin,number,date,value\n33ABCCZ0123M2YZ,1.02425E+12,11/02/2024,1888\n08ABCPP0123E2YZ,IN-21576,11/13/2024,394\n";
    let run_changed = run(&home, changed, &["--format", "json", "--only", "exact"]).succeeds();
    assert_eq!(entries(&run_changed).len(), 2, "{}", run_changed.stderr);
    assert!(
        run_changed
            .stderr
            .contains("line 2: a spreadsheet has changed the number 1024250260344 to 1.02425E+12."),
        "{}",
        run_changed.stderr
    );

    let by_rate = "gstin,number,date,rate,value,taxable,cgst,sgst\n\
        24ABCFG0123H1YZ,PRN-1094,25-10-2024,18,2000,1000,90,90\n\
        24ABCFG0123H1YZ,PRN-1094,25-10-2024,9,2000,694.92,62.54,62.54\n";
    assert_eq!(entries(&run(&home, by_rate, &["--format", "json", "--only", "exact"]).succeeds()).len(), 1);
    let without = by_rate.replace("rate", "note");
    let run_without = run(&home, &without, &["--format", "json", "--only", "duplicate"]).succeeds();
    assert_eq!(entries(&run_without).len(), 1, "a second entry in the books");
}

#[test]
fn the_page_asks_no_network_and_has_each_document() {
    let home = Home::new();
    let report = home.path("match.html");
    let register = REGISTER.replace("CN-5", "<b>\u{202e}5");
    run(&home, &register, &["--report", report.to_str().unwrap()]).succeeds();
    let html = fs::read_to_string(&report).unwrap();
    assert_eq!(html.matches("<tr data-filter=").count(), 15, "8 of the register, 7 of GSTN alone");
    assert!(html.contains("&lt;b&gt;\u{fffd}5") && !html.contains("<b>\u{202e}"), "escaped");
    assert!(html.contains("24,237.29") && html.contains("<option value=\"probable\">Probable</option>"));
    for outside in ["http:", "https:", "//", "src=", "href=", "url(", "@import", "fetch(", "<link", "<!--"] {
        assert!(!html.contains(outside), "{outside}");
    }
}
