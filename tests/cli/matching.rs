//! `sandbox match`: a purchase register against the sample of the built-in server.

use std::fs;

use sandbox_client::mock::MockServer;
use serde_json::{Value, json};

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
        ("gstin,number\n,1\n", "contains no document with the GSTIN of a supplier, and no bill of entry"),
        (
            "gstin,number,date,value,type\n24ABCFG0123H1YZ,1,31-02-2024,12a,foo\n",
            "line 2: value must be an amount such as 1234.50, found `12a`\n\
             line 2: date must be a day such as 05-11-2025, found `31-02-2024`\n\
             line 2: kind must be invoice, credit note, debit note or bill of entry, found `foo`",
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

/// Three ways in which books have imports: by the kind, by a column of its own beside the
/// overseas supplier's invoice, and in a register of imports alone.
#[tokio::test(flavor = "multi_thread")]
async fn imports_are_matched_with_a_gstr_2b() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let bill = |number: &str, value: u32| {
        json!({
            "portcode": "INNSA1", "boenum": number, "boedt": "05-10-2026", "refdt": "06-10-2026",
            "isamd": "N", "txval": value, "igst": value / 5, "cess": 0,
        })
    };
    let zone = json!([{"ctin": "24ABCFG0123H1YZ", "boe": [bill("8108365", 3000)]}]);
    let documents = json!({"impg": [bill("8108363", 1000), bill("8108364", 2000)], "impgsez": zone});
    let statement = json!({"gstin": "33ABKCS2033B1ZW", "rtnprd": "102026", "docdata": documents});
    mock.on("get_gstr_2b")
        .json(200, json!({"code": 200, "data": {"status_cd": "1", "data": {"data": statement}}}));
    let file = home.path("register.csv");
    let entries = |register: &str| {
        fs::write(&file, register).unwrap();
        let register = file.to_str().unwrap();
        entries(&home.run(&["match", "--register", register, "--gstr-2b=102026", "--format=json"]).succeeds())
    };
    let verdicts = |entries: &[Value]| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        entries.iter().map(|entry| (text(&entry["register_number"]), text(&entry["verdict"]))).collect()
    };
    let of = |expected: &[(&str, &str)]| -> Vec<(String, String)> {
        expected.iter().map(|(number, verdict)| ((*number).to_owned(), (*verdict).to_owned())).collect()
    };
    let by_kind = "Supplier GSTIN,Document No,Document Date,Document Type,Port Code,Taxable Value,IGST\n\
        Overseas,8108363,05/10/2026,Bill of Entry,INNSA1,1000,200\n\
        ,8108364,05/10/2026,IMPG,innsa1,2500,500\n\
        24ABCFG0123H1YZ,8108365,05/10/2026,IMPGSEZ,,3000,600\n\
        ,77,05/10/2026,Invoice,,3000,600\n";
    let told = entries(by_kind);
    assert_eq!(verdicts(&told), of(&[("8108363", "exact"), ("8108364", "differs"), ("8108365", "exact")]));
    assert_eq!((&told[0]["kind"], &told[0]["port_code"]), (&json!("bill_of_entry"), &json!("INNSA1")));

    // Here number and date are those of the foreign invoice; an agent's invoice names the bill too.
    let beside = "GSTIN,Invoice No,Invoice Date,BOE No,BOE Date,Taxable Value,IGST\n\
        ,INV-US-9,20/08/2026,8108363,05/10/2026,1000,200\n\
        27AACCA8432H2ZP,CHA/7,06/10/2026,8108364,05/10/2026,50,9\n";
    let told = verdicts(&entries(beside));
    assert_eq!(told[..2], of(&[("8108363", "exact"), ("CHA/7", "only_in_register")]));
    let undated = beside.replace("BOE Date", "Cleared");
    assert_eq!(verdicts(&entries(&undated))[0], of(&[("8108363", "exact")])[0], "its own date is not known");

    let alone = "GSTIN,Bill of Entry Number,Bill of Entry Date,Port,Assessable Value,IGST\n\
        ,8108363,05/10/2026,INMAA1,1000,200\n";
    assert_eq!(verdicts(&entries(alone))[0], of(&[("8108363", "probable")])[0], "at another port");

    // The IMS does not list them, and nothing is lost without a word.
    let run = home.run(&["match", "--register", file.to_str().unwrap(), "--format", "json"]).succeeds();
    assert!(
        run.stderr.contains("1 bill of entry is left out: the IMS does not list imports."),
        "{}",
        run.stderr
    );
}
