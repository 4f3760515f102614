//! Files as spreadsheets save them, wherever the command reads one.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sandbox_client::mock::MockServer;
use serde_json::{Value, json};

use crate::command::{Home, Run};

const FIRM: &str = "gstin,username,client\r\n33ABKCS2033B1ZW,client0,Example Traders\r\n\
                    27AACCA8432H2ZP,client1,Café – Müller & Söhne\r\n24AABCG8033D1Z2,client2,Third\r\n";

/// A sweep over a file of that content.
fn sweep(home: &Home, name: &str, content: &[u8]) -> Run {
    let path = home.path(name);
    fs::write(&path, content).unwrap();
    let from = path.to_str().unwrap();
    home.run(&["--mock", "sweep", "--from", from, "--goods", "imports", "--format", "csv"])
}

#[test]
fn a_firm_is_read_in_every_form_that_a_spreadsheet_saves() {
    let home = Home::new();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let windows = FIRM.chars().map(|c| if c == '–' { 0x96 } else { u8::try_from(u32::from(c)).unwrap() });
    for (form, content) in [
        ("UTF-8 with a mark", format!("\u{feff}{FIRM}").into_bytes()),
        ("UTF-16", [b"\xff\xfe".to_vec(), utf16(FIRM)].concat()),
        ("Windows-1252", windows.collect()),
        ("semicolons", FIRM.replace(',', ";").into_bytes()),
        ("Unicode text", [b"\xff\xfe".to_vec(), utf16(&FIRM.replace(',', "\t"))].concat()),
        ("sep line", format!("sep=,\r\n{FIRM}").into_bytes()),
        ("old line ends", FIRM.replace("\r\n", "\r").into_bytes()),
        ("empty rows", FIRM.replace("\r\n", "\r\n,,\r\n\r\n").into_bytes()),
        ("spaces in a GSTIN", FIRM.replace("33ABK", "33 ABK\u{a0}").replace("27AA", "'27AA").into_bytes()),
        ("text in formulas", FIRM.replace("client2,", "\"=\"\"client2\"\"\",").into_bytes()),
        ("titles", FIRM.replace("gstin,username", " GSTIN ,User Name").into_bytes()),
    ] {
        let run = sweep(&home, "firm.csv", &content);
        assert_eq!(run.code, Some(0), "{form}: {}", run.stderr);
        let names: Vec<_> = run.stdout.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
        assert_eq!(names.len(), 3, "{form}: {}", run.stdout);
        assert!(
            ["client0", "client1", "client2"].iter().all(|name| names.contains(name)),
            "{form}: {names:?}"
        );
    }
}

#[test]
fn a_workbook_is_read_as_a_csv_is() {
    let home = Home::new();
    let workbook = include_bytes!("../fixtures/firm.saved_by_libreoffice.xlsx");
    let run = sweep(&home, "firm.xlsx", workbook).succeeds();
    assert_eq!(run.stdout.lines().count(), 3, "{}", run.stdout);

    let run = sweep(&home, "firm.xlsx", &workbook[..2000]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("firm.xlsx cannot be read as a workbook"), "{}", run.stderr);
}

// --- what is no file -----------------------------------------------------------

/// Arguments with `FILE` in the place of the path in question, and what is
/// wrong with a folder, a device, and a named pipe there.
#[cfg(unix)]
const OPENED: [(&[&str], [&str; 3]); 9] = {
    const REPLACED: [&str; 3] = ["it is a folder", "it is not a regular file", "it is not a regular file"];
    // Whoever names a named pipe has something that writes into it.
    const READ: [&str; 3] = ["it is a folder", "it is a device, not a file", ""];
    [
        (&["sweep", "--checkpoint", "FILE"], REPLACED),
        (&["sweep", "--report", "FILE"], REPLACED),
        (&["sweep", "--from", "FILE"], READ),
        (&["e-invoice", "generate", "--from", "invoices.jsonl", "--checkpoint", "FILE"], REPLACED),
        (&["e-invoice", "generate", "--from", "FILE"], READ),
        (&["match", "--register", "FILE"], READ),
        (&["invoices", "accept", "--yes", "--from", "FILE"], READ),
        (&["api", "save_invoice_status", "--yes", "--body", "@FILE"], READ),
        (
            &["analytics", "reconcile", "--ledger", "FILE", "--statement", "FILE", "--report", "r.xlsx"],
            ["it is not a regular file", "it is not a regular file", "it is not a regular file"],
        ),
    ]
};

/// Neither waits for ever nor reads without end, and replaces nothing that is no file.
#[cfg(target_os = "linux")]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let home = Home::new();
    let invoice = include_str!("../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json");
    let invoice: Value = serde_json::from_str(invoice).unwrap();
    fs::write(home.path("invoices.jsonl"), invoice.to_string()).unwrap();
    fs::create_dir(home.path("folder")).unwrap();
    let pipe = home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (folder, pipe) = (home.path("folder"), pipe.to_str().unwrap());
    let folder = folder.to_str().unwrap();
    for (arguments, reasons) in OPENED {
        for (path, reason) in
            [(folder, reasons[0]), ("/dev/full", reasons[1]), ("/dev/zero", reasons[1]), (pipe, reasons[2])]
        {
            if reason.is_empty() {
                continue;
            }
            let arguments: Vec<_> = arguments.iter().map(|argument| argument.replace("FILE", path)).collect();
            let run = within(home.command(&["--mock"]).args(&arguments).current_dir(home.path(".")));
            let told = run.stderr;
            assert_eq!(run.code, Some(2), "{arguments:?}: {told}");
            assert!(told.contains(reason), "{arguments:?}: {told}");
        }
    }
}

/// Secrets are read from a regular file alone, be it one of this program or of its user.
#[cfg(target_os = "linux")]
#[test]
fn a_configuration_that_is_no_file_is_refused_at_once() {
    let home = Home::new();
    let config = home.path("config.toml");
    for make in [&["mkfifo", "-m", "600"][..], &["ln", "-sf", "/dev/zero"]] {
        let made = Command::new(make[0]).args(&make[1..]).arg(&config).status().unwrap();
        assert!(made.success());
        let run = within(&mut home.command(&["counts"]));
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert!(run.stderr.contains("config.toml: it is not a regular file"), "{}", run.stderr);
    }
}

/// A file that would take all memory is not read.
#[cfg(target_os = "linux")]
#[test]
fn a_file_beyond_measure_is_refused_at_once() {
    let home = Home::new();
    let path = home.path("firm.csv");
    fs::File::create(&path).unwrap().set_len((1 << 30) + 1).unwrap();
    let run = within(&mut home.command(&["--mock", "sweep", "--from", path.to_str().unwrap()]));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("firm.csv: it is larger than 1 GiB"), "{}", run.stderr);
}

/// What a shell's `<(…)` gives.
#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_is_read_to_its_end() {
    let home = Home::new();
    let pipe = home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(path, FIRM));
    let run = within(&mut home.command(&[
        "--mock",
        "sweep",
        "--from",
        pipe.to_str().unwrap(),
        "--goods",
        "imports",
        "--format",
        "csv",
    ]));
    writer.join().unwrap().unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 4, "{}", run.stdout);
}

/// Runs it, and fails if that takes long.
#[cfg(target_os = "linux")]
#[track_caller]
fn within(command: &mut Command) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Run::of(child.wait_with_output().unwrap())
}

// --- numbers that a spreadsheet has changed ------------------------------------

const SUPPLIER: &str = "24ABCFG0123H1YZ";

/// A server that lists documents of these periods, numbers and dates, and what
/// `invoices accept --from` a file with these lines would send.
async fn accept(listed: &[[&str; 3]], file: &[u8]) -> (Vec<String>, Run) {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    home.run_with(&["login", "--gstin", "33ABKCS2033B1ZW", "--username", "acme.com"], "575757").succeeds();
    let document = |[period, number, date]: &[&str; 3]| {
        json!({"stin": SUPPLIER, "rtnprd": period, "srcform": "R1", "inum": number, "idt": date,
            "action": "N", "val": 1180})
    };
    let list: Vec<_> = listed.iter().map(document).collect();
    mock.on("list_invoices")
        .json(200, json!({"code": 200, "data": {"status_cd": "1", "data": {"b2b": list}}}));
    let path = home.path("saved");
    fs::write(&path, file).unwrap();
    let run =
        home.run(&["invoices", "accept", "--from", path.to_str().unwrap(), "--dry-run", "--format", "json"]);
    let sent: Vec<Value> = serde_json::from_str(&run.stdout).unwrap_or_default();
    (sent.iter().map(|document| document["number"].as_str().unwrap().to_owned()).collect(), run)
}

const COLUMNS: &str = "section,supplier_gstin,return_period,number,date,status\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_a_spreadsheet_changed_are_recognised() {
    let listed = [
        ["012026", "007", "05-10-2026"],
        ["092026", "12E3", "05-10-2026"],
        ["102026", "10-11", "05-10-2026"],
        ["102026", "123456789012345678", "05-10-2026"],
    ];
    let file = format!(
        "{COLUMNS}b2b,{SUPPLIER},12026,7,05-10-2026,no_action\r\n\
         b2b,{SUPPLIER},92026,1.20E+04,5-Oct-26,no_action\r\n\
         b2b,{SUPPLIER},102026,10-Nov,10/5/2026,No action\r\n"
    );
    let (sent, run) = accept(&listed, file.as_bytes()).await;
    assert_eq!(sent, ["007", "12E3", "10-11"], "{}", run.stderr);
    assert!(
        run.stderr
            .contains("A spreadsheet has changed 3 numbers: line 2: 7 is 007, line 3: 1.20E+04 is 12E3"),
        "{}",
        run.stderr
    );

    let workbook = include_bytes!("../fixtures/invoices_list.saved_by_libreoffice.xlsx");
    let (sent, run) = accept(&listed, workbook).await;
    assert_eq!(sent, ["007", "12E3", "10-11", "123456789012345678"], "{}", run.stderr);
    assert!(run.stderr.contains("row 2: 7 is 007"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_readings_none_is_taken() {
    let listed = [
        ["012026", "007", "05-10-2026"],
        ["012026", "7", "05-10-2026"],
        ["092026", "12E3", "05-10-2026"],
        ["092026", "12000", "06-10-2026"],
        ["092026", "12001", "05-10-2026"],
    ];
    let file = format!(
        "{COLUMNS}b2b,{SUPPLIER},12026,7,,no_action\r\nb2b,{SUPPLIER},92026,1.20E+04,05-10-2026,no_action\r\n\
         b2b,{SUPPLIER},92026,12000,,no_action\r\n"
    );
    let (sent, run) = accept(&listed, file.as_bytes()).await;
    assert_eq!((sent.len(), run.code), (0, Some(7)), "{}", run.stderr);
    for told in [
        "Skipped, line 2: 7 may be 007 of 05-10-2026 or 7 of 05-10-2026, since a spreadsheet has changed",
        "Skipped, line 3: 1.20E+04 may be 12E3 of 05-10-2026 or 12001 of 05-10-2026",
        "Skipped, line 4: 12000 may be 12E3 of 05-10-2026 or 12000 of 06-10-2026",
    ] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }

    // A file that no spreadsheet has saved means what it says.
    let file = format!("{COLUMNS}b2b,{SUPPLIER},012026,7,,no_action\r\n");
    assert_eq!(accept(&listed, file.as_bytes()).await.0, ["7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_number_twice_is_told_apart_by_its_date() {
    let listed =
        [["052026", "1", "28-03-2026"], ["052026", "1", "02-05-2026"], ["052026", "2", "03-05-2026"]];
    let line = |date: &str| format!("b2b,{SUPPLIER},052026,1,{date},no_action\n");
    let (sent, _) =
        accept(&listed, format!("{COLUMNS}{}{}", line("28-03-2026"), line("02-05-2026")).as_bytes()).await;
    assert_eq!(sent, ["1", "1"]);
    let (sent, run) = accept(&listed, format!("{COLUMNS}{}", line("")).as_bytes()).await;
    assert_eq!((sent.len(), run.code), (0, Some(7)));
    assert!(
        run.stderr.contains("line 2: 1 may be 1 of 28-03-2026 or 1 of 02-05-2026; add the columns date"),
        "{}",
        run.stderr
    );
}
