//! The command `sandbox` as a program: what it prints, how it ends, what it keeps.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    time::{Duration, Instant},
};

use sandbox_client::mock::MockServer;
use serde_json::Value;

use crate::command::{self, Home, restrict};

const GSTIN: &str = "33ABKCS2033B1ZW";

/// Opens a session by the command.
fn login(home: &Home, gstin: &str, username: &str) {
    home.run_with(&["login", "--gstin", gstin, "--username", username], "575757").succeeds();
}

// --- what it prints ----------------------------------------------------------

/// The names of subcommands that a help lists.
fn subcommands(help: &str) -> Vec<&str> {
    let list = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names =
        lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

/// The help of a command and of all below it. Operations are made of the
/// document, and one more must change nothing here: one stands for all, and
/// `every_operation_is_listed_and_called` looks at the others.
fn help_of(home: &Home, command: &[&str]) -> String {
    let help = home.run(&[command, &["--help"]].concat()).succeeds().stdout;
    let mut paragraphs: Vec<_> = help.split("\n\n").collect();
    let mut below = subcommands(&help);
    if command == ["api"] {
        paragraphs.retain(|paragraph| !paragraph.starts_with("Commands:"));
        below.retain(|name| *name == "verify_otp");
    }
    let mut text = format!("$ sandbox {} --help\n{}\n", command.join(" "), paragraphs.join("\n\n"));
    for name in below {
        text += &help_of(home, &[command, &[name]].concat());
    }
    text
}

#[test]
fn help_teaches_every_command() {
    let text = help_of(&Home::new(), &[]);
    for command in ["counts", "invoices reject", "gstr-2b job", "sessions forget", "api verify_otp"] {
        assert!(text.contains(&format!("$ sandbox {command} --help\n")), "{command}");
    }
    insta::assert_snapshot!("help", text);
}

#[test]
fn a_pipe_gets_plain_text_and_numbers_that_add_up() {
    let home = Home::new();
    let table = home.run(&["--mock", "counts", "--goods", "all"]).succeeds();
    assert!(!table.stdout.contains('\u{1b}'), "no colours in a pipe");
    assert!(table.stdout.lines().all(|line| line == line.trim_end()));

    let json = home.run(&["--mock", "counts", "--goods", "all", "--format", "json"]).succeeds();
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["imports"]["sections"]["impg"]["noaction"], 7);
    assert_eq!(json["others"]["total"], 12);
}

#[test]
fn a_sweep_shows_the_most_urgent_first_and_sums_up() {
    let home = Home::new();
    let arguments =
        ["--mock", "--mock-taxpayers", "14", "--mock-faults", "expired,429,503", "sweep", "--only-open"];
    let run = home.run(&arguments);
    assert_eq!(run.code, Some(7));
    insta::assert_snapshot!("sweep_table", run.stdout);
    insta::assert_snapshot!("sweep_summary", run.stderr);
}

#[test]
fn every_operation_is_listed_and_called() {
    let home = Home::new();
    let list = home.run(&["api"]).succeeds();
    assert!(list.stdout.starts_with("Operation"), "{}", list.stdout);
    for operation in sandbox_client::operations() {
        assert!(list.stdout.contains(operation.id));
        let help = home.run(&["api", operation.id, "--help"]).succeeds().stdout;
        assert!(help.contains(operation.path), "{help}");
        assert!(operation.parameters.iter().all(|known| help.contains(known.name)), "{help}");
    }
    let call =
        home.run(&["--mock", "api", "get_invoice_count", "--param", "type_of_goods=imports"]).succeeds();
    let answer: Value = serde_json::from_str(&call.stdout).unwrap();
    assert_eq!(answer["data"]["data"]["imp_gds"]["ttl_cnt"], 20);

    let body = home.path("body.json");
    fs::write(&body, format!(r#"{{"gstin": "{GSTIN}", "username": "acme.com"}}"#)).unwrap();
    let body = format!("@{}", body.display());
    let call = home.run(&["--mock", "api", "generate_otp", "--body", &body]).succeeds();
    assert!(call.stdout.contains(r#""status_cd": "1""#), "{}", call.stdout);
}

#[test]
fn completions_are_there_for_the_usual_shells() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.run(&["completions", shell]).succeeds().stdout;
        assert!(script.contains("get_invoice_count"), "{shell}");
    }
}

// --- how it ends -------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_those_of_the_help() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let nothing = Home::new();
    for (home, arguments, code, says) in [
        (&nothing, &["counts"][..], 3, "no API key"),
        (&nothing, &["counts", "--goods", "cars"], 2, "invalid value 'cars'"),
        (&nothing, &["--mock", "api", "get_everything"], 2, "unrecognized subcommand"),
        (&nothing, &["--mock", "api", "get_invoice_count"], 2, "`type_of_goods` is missing"),
        (&nothing, &["--mock", "api", "get_invoice_count", "--format", "csv"], 2, "CSV needs fixed columns"),
        (&nothing, &["--mock", "counts", "--gstin", "33ABKCS2033B1Z"], 2, "must have 15 characters"),
        (&nothing, &["--mock-faults", "429", "counts"], 2, "--mock-faults needs --mock"),
        (&nothing, &["--mock-taxpayers", "3", "counts"], 2, "--mock-taxpayers needs --mock"),
        (&home, &["counts"], 5, "sandbox login"),
        (
            &home,
            &["counts", "--gstin", GSTIN, "--username", "acme.com"],
            5,
            "no valid session of 33ABKCS2033B1ZW is saved",
        ),
        (&home, &["login"], 2, "use --gstin and --username"),
        (&home, &["sweep"], 5, "no session is saved"),
        (&home, &["sweep", "--from", "nowhere.csv"], 2, "cannot read nowhere.csv"),
    ] {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }

    // On either side of the subcommand.
    for arguments in [
        ["--mock", "--mock-taxpayers", "3", "sessions"],
        ["--mock", "sessions", "--mock-taxpayers", "3"],
        ["sessions", "--mock", "--mock-taxpayers", "3"],
    ] {
        let csv = nothing.run(&[&arguments[..], &["--format", "csv"]].concat()).succeeds();
        assert_eq!(csv.stdout.lines().count(), 4, "{arguments:?}: {}", csv.stdout);
    }

    login(&home, GSTIN, "acme.com");
    for (failure, code) in [
        ("service_unavailable", 1),
        ("insufficient_privilege", 4),
        ("access_token_expired", 5),
        ("too_many_requests", 6),
    ] {
        login(&home, GSTIN, "acme.com");
        mock.on("get_invoice_count").error(failure).header("retry-after", "0");
        let run = home.run(&["counts"]);
        assert_eq!(run.code, Some(code), "{failure}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: get_invoice_count: "), "{}", run.stderr);
        mock.clear_rules();
    }

    let wrong =
        MockServer::builder().credentials("key_test_other", "secret_test_other").start().await.unwrap();
    let home = Home::of(&mock);
    let run = home
        .command(&["login", "--gstin", GSTIN, "--username", "acme.com"])
        .env("SANDBOX_BASE_URL", wrong.base_url())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(4));
}

// --- what it keeps -----------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_session_serves_later_commands_until_it_is_forgotten() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    home.run(&["counts"]).succeeds();
    let list = home.run(&["sessions"]).succeeds().stdout;
    assert!(list.contains("acme.com") && list.contains("IST") && list.contains("5 h 59 min"), "{list}");
    assert_eq!(mock.hits("authenticate"), 1, "the platform token is kept too");

    let json = home.run(&["sessions", "list", "--format", "json"]).succeeds().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json[0]["expires"].as_str().unwrap().ends_with("+05:30"), "{json}");

    home.run(&["sessions", "refresh"]).succeeds();
    assert_eq!(mock.hits("refresh_session"), 1);
    home.run(&["counts"]).succeeds();

    // With two, one must be chosen.
    login(&home, "27AACCA8432H2ZP", "other");
    let run = home.run(&["counts"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("27AACCA8432H2ZP  other"), "{}", run.stderr);
    home.run(&["counts", "--username", "other"]).succeeds();
    assert_eq!(mock.requests().last().unwrap().session_gstin.as_deref(), Some("27AACCA8432H2ZP"));

    // Another key has nothing to do with these sessions.
    let other =
        home.command(&["sessions", "--format", "json"]).env("SANDBOX_API_KEY", "key_test_another").output();
    assert_eq!(String::from_utf8(other.unwrap().stdout).unwrap(), "[]\n");

    home.run(&["sessions", "forget", "--username", "other", "--logout"]).succeeds();
    assert_eq!(mock.hits("logout"), 1);
    home.run(&["sessions", "forget", "--all"]).succeeds();
    assert_eq!(mock.hits("logout"), 1);
    assert_eq!(home.run(&["counts"]).code, Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_otp_can_be_had_now_and_verified_later() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let who = ["--gstin", GSTIN, "--username", "acme.com"];
    home.run(&[&["login", "--request-only"], &who[..]].concat()).succeeds();
    assert_eq!((mock.hits("generate_otp"), mock.hits("verify_otp")), (1, 0));
    home.run_with(&[&["login", "--no-request"], &who[..]].concat(), "575757").succeeds();
    assert_eq!((mock.hits("generate_otp"), mock.hits("verify_otp")), (1, 1));
    let run = home.run_with(&[&["login", "--no-request"], &who[..]].concat(), "five");
    assert_eq!((run.code, mock.hits("verify_otp")), (Some(2), 1));
}

/// An OTP is used up by then: whoever reads "Session until …" must have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_kept_or_forgotten_is_told() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    let files = fs::read_dir(home.path("sessions")).unwrap().map(|file| file.unwrap().path());
    let file = files.into_iter().find(|file| fs::read_to_string(file).unwrap().contains(GSTIN)).unwrap();
    // What stands in the way is a folder with something in it.
    fs::remove_file(&file).unwrap();
    fs::create_dir_all(file.join("in the way")).unwrap();
    let who = ["--gstin", GSTIN, "--username", "acme.com"];
    for (command, says) in [
        (&["login", "--no-request"][..], "sessions cannot be saved in "),
        (&["sessions", "forget"], "sessions cannot be removed from "),
    ] {
        let run = home.run_with(&[command, &who[..]].concat(), "575757");
        assert_eq!(run.code, Some(1), "{command:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(says), "{}", run.stderr);
        assert!(run.stderr.contains("WARN the token store failed"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.path("sessions")), 0o700);
    let files: Vec<_> =
        fs::read_dir(home.path("sessions")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "one of the taxpayer, one of the platform, nothing left over: {files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600);
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
    let checkpoint = home.path("checkpoint.jsonl");
    home.run(&["sweep", "--checkpoint", checkpoint.to_str().unwrap()]).succeeds();
    assert_eq!(mode(&checkpoint), 0o600);

    restrict(&home.path("sessions"), 0o750);
    for command in ["counts", "config"] {
        let run = home.run(&[command]);
        assert_eq!(run.code, Some(3), "{command}");
        assert!(run.stderr.contains("chmod 700"), "{}", run.stderr);
    }
    restrict(&home.path("sessions"), 0o700);
    restrict(&home.path("config.toml"), 0o644);
    for command in ["counts", "config"] {
        let run = home.run(&[command]);
        assert_eq!(run.code, Some(3), "{command}");
        assert!(run.stderr.contains("chmod 600"), "{}", run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_printed_or_taken_as_an_argument() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    let body = format!(r#"{{"gstin": "{GSTIN}", "username": "acme.com"}}"#);
    let mut printed = String::new();
    let mut note = |run: command::Run| printed += &(run.stdout + &run.stderr);
    for arguments in [
        &["counts"][..],
        &["sessions"],
        &["sessions", "refresh", "--format", "json"],
        &["config"],
        &["sweep", "--format", "json"],
        &["api", "authenticate"],
        &["api", "refresh_session"],
    ] {
        note(home.run(arguments).succeeds());
    }
    note(home.run_with(&["api", "verify_otp", "--body", &body], "424242").succeeds());
    note(home.run_with(&["login"], "424242").succeeds());

    let refused = home.run(&["api", "verify_otp", "--param", "otp=424242", "--body", &body]);
    assert_eq!(refused.code, Some(2));
    note(refused);
    home.configure("api_key = \"key_test_canary\"\napi_secret = \"secret_test_canary\nbase_url = 5");
    let broken = home.run(&["counts"]);
    assert_eq!(broken.code, Some(3));
    assert!(broken.stderr.contains("config.toml is invalid at line 2"), "{}", broken.stderr);
    note(broken);

    for secret in [mock.key(), mock.secret(), "eyJ", "424242", "canary"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    let home = Home::of(&mock);
    let shown = home.run(&["api", "authenticate", "--show-secrets"]).succeeds();
    assert!(shown.stdout.contains("eyJ"), "asked for, they are shown");
}

// --- the sweep ---------------------------------------------------------------

/// How often each call stands in JSON lines.
fn answers(lines: &str) -> BTreeMap<(String, String), usize> {
    let mut answers = BTreeMap::new();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(record["counts"].is_object() != record["error"].is_object(), "{line}");
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        *answers.entry((text("username"), text("type_of_goods"))).or_default() += 1;
    }
    answers
}

#[test]
fn five_hundred_taxpayers_with_faults_are_each_accounted_for_once() {
    let home = Home::new();
    let run = home.run(&[
        "--mock",
        "--mock-taxpayers",
        "500",
        "--mock-faults",
        "expired,429,503",
        "sweep",
        "--format",
        "json",
    ]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    let answers = answers(&run.stdout);
    assert_eq!(answers.len(), 1500);
    assert!(answers.values().all(|times| *times == 1));
    // 50 without a session, 25 whose session has expired, 10 that always fail; none is two of these.
    assert!(
        run.stderr.contains("1,500 calls for 500 taxpayers: 1,245 answered, 255 failed."),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("A new OTP is needed for 75:"), "{}", run.stderr);
    assert!(run.stderr.contains("30 failures of kind api, status 503:"), "{}", run.stderr);
    assert!(run.stderr.contains("transaction 1607f8e9-d0c1-4234-9f01-23456789ab98"), "{}", run.stderr);
}

/// Taxpayers with a session, and the file that names them.
fn firm(home: &Home, count: usize) -> std::path::PathBuf {
    let gstins = ["33ABKCS2033B1ZW", "27AACCA8432H2ZP", "24AABCG8033D1Z2"];
    let mut csv = String::from("Name,GSTIN,Username\n");
    for index in 0..count {
        let gstin = gstins[index % gstins.len()];
        login(home, gstin, &format!("user{index}"));
        csv += &format!("\"Firm, {index}\",{gstin},user{index}\n");
    }
    csv += &csv.lines().last().map(|line| format!("{line}\n")).unwrap();
    let path = home.path("firm.csv");
    fs::write(&path, csv).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_killed_goes_on_where_it_was() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let firm = firm(&home, 24);
    let checkpoint = home.path("checkpoint.jsonl");
    let arguments = [
        "sweep",
        "--from",
        firm.to_str().unwrap(),
        "--checkpoint",
        checkpoint.to_str().unwrap(),
        "--concurrency",
        "4",
        "--format",
        "json",
    ];
    mock.clear();
    mock.on("get_invoice_count").delay(Duration::from_millis(40));

    let mut child = home.command(&arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(&checkpoint).unwrap_or_default().lines().count() < 25 {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "it did not get half-way");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap(); // SIGKILL on Unix
    child.wait().unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let done = fs::read_to_string(&checkpoint).unwrap();
    let done = answers(done.split_once('\n').unwrap().1.rsplit_once('\n').unwrap().0);
    assert!(done.len() < 72, "killed half-way");
    // As a power cut could leave it: a line that is not whole.
    let torn = fs::read_to_string(&checkpoint).unwrap() + r#"{"gstin":"33ABKCS"#;
    fs::write(&checkpoint, torn).unwrap();

    let run = home.run(&arguments).succeeds();
    let all = answers(&run.stdout);
    assert_eq!(all.len(), 72, "24 taxpayers, the one that stands twice once");
    assert!(all.values().all(|times| *times == 1));

    let mut asked: HashMap<(String, String), usize> = HashMap::new();
    for request in mock.requests() {
        let goods = request.query_value("type_of_goods").unwrap().to_owned();
        *asked.entry((request.session_username.unwrap(), goods)).or_default() += 1;
    }
    assert_eq!(asked.len(), 72);
    assert!(done.keys().all(|call| asked[call] == 1), "what is noted is never asked again");
    let twice = asked.values().filter(|times| **times > 1).count();
    assert!(twice <= 4, "{twice} were asked twice, 4 were in flight");

    // All of it is noted now: nothing is asked, and the results are the same.
    mock.clear();
    let again = home.run(&arguments).succeeds();
    assert_eq!(answers(&again.stdout), all);
    assert_eq!(mock.requests().len(), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_sweep_with_what_it_has() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let firm = firm(&home, 6);
    mock.on("get_invoice_count").delay(Duration::from_millis(150));
    let checkpoint = home.path("checkpoint.jsonl");
    let arguments = [
        "sweep",
        "--from",
        firm.to_str().unwrap(),
        "--checkpoint",
        checkpoint.to_str().unwrap(),
        "--concurrency",
        "3",
    ];
    let mut command = home.command(&arguments);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    while fs::read_to_string(&checkpoint).unwrap_or_default().lines().count() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("error: stopped\nRun the same command to resume."), "{stderr}");
    assert!(String::from_utf8(output.stdout).unwrap().lines().count() > 1, "what it has is shown");
    let noted = fs::read_to_string(&checkpoint).unwrap().lines().count() - 1;
    assert!(noted < 18, "stopped half-way");
    assert_eq!(noted, mock.hits("get_invoice_count"), "what was in flight is waited for and noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_asked_again_on_demand_only() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    let checkpoint = home.path("checkpoint.jsonl");
    let arguments = ["sweep", "--checkpoint", checkpoint.to_str().unwrap(), "--format", "json"];
    mock.on("get_invoice_count")
        .error("insufficient_credits")
        .when(|request| request.query_value("type_of_goods") == Some("imports"));
    assert_eq!(home.run(&arguments).code, Some(7));
    mock.clear_rules();
    mock.clear();

    assert_eq!(home.run(&arguments).code, Some(7));
    assert_eq!(mock.hits("get_invoice_count"), 0);
    let run = home.run(&[&arguments[..], &["--retry-failed"]].concat()).succeeds();
    assert_eq!(mock.hits("get_invoice_count"), 1);
    assert_eq!(answers(&run.stdout).len(), 3);
    home.run(&arguments).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_checkpoint_is_left_alone() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    for content in ["my notes\n", "my notes", "{\"sweep\":1,\"service\":\"https://other\"}\n"] {
        let path = home.path("notes.txt");
        fs::write(&path, content).unwrap();
        let run = home.run(&["sweep", "--checkpoint", path.to_str().unwrap()]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_do_not_share_a_checkpoint() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    login(&home, GSTIN, "acme.com");
    let checkpoint = home.path("checkpoint.jsonl");
    let arguments = ["sweep", "--checkpoint", checkpoint.to_str().unwrap()];
    mock.on("get_invoice_count").delay(Duration::from_secs(60));
    let mut first = home.command(&arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
    while mock.hits("get_invoice_count") < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = home.run(&arguments);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.code, Some(2));
    #[cfg(unix)] // elsewhere the system says it
    assert!(second.stderr.contains("is in use by another sweep"), "{}", second.stderr);
    assert_eq!(mock.hits("get_invoice_count"), 3);
    mock.clear_rules();
    home.run(&arguments).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_sets_the_limit() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let counts = |limit: &str| {
        let mut command = home.command(&["counts", "--goods", "all"]);
        command.env("SANDBOX_API_KEY", mock.key()).env("SANDBOX_BASE_URL", mock.base_url());
        command.env("SANDBOX_ACCESS_TOKEN", mock.taxpayer_token()).env("SANDBOX_REQUESTS_PER_MINUTE", limit);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        command
    };
    for limit in ["", "0", "fast", "-1"] {
        let output = counts(limit).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{limit}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("SANDBOX_REQUESTS_PER_MINUTE must be a positive integer"), "{stderr}");
    }
    assert_eq!(counts("60").status().unwrap().code(), Some(0));
    assert_eq!(mock.hits("get_invoice_count"), 3);

    let mut child = counts("1").spawn().unwrap();
    while mock.hits("get_invoice_count") < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(mock.hits("get_invoice_count"), 4, "the second waits for its minute");
}

#[test]
fn mistakes_in_the_list_of_taxpayers_are_told_before_any_call() {
    let home = Home::new();
    let path = home.path("firm.csv");
    for (content, says) in [
        ("name;user name\n", "needs the column gstin\nIts first row has: name, user name"),
        ("", "is empty; it needs the columns gstin and username"),
        ("gstin,username\n", "contains no taxpayer"),
        (
            "gstin,username\n33ABKCS2033B1ZW,\n27AACC,x\n",
            "line 2: no user name\nline 3: `gstin` must have 15 characters, found `27AACC`",
        ),
        (
            "gstin,username\r33ABKCS2033B1ZW,a\u{7}b\r\r27AACCA8432H2ZP,u\u{202e}1\r",
            "line 2: username has a control character (U+0007)\n\
             line 4: username has an invisible character (U+202E)",
        ),
        (
            "gstin,username,name\r\n33ABKCS2033B1ZW,u,\"open\r\n27AACCA8432H2ZP,v,b\r\n",
            "line 2: a quote is opened here and not closed",
        ),
    ] {
        fs::write(&path, content).unwrap();
        let run = home.run(&["--mock", "sweep", "--from", path.to_str().unwrap()]);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    let run = home.run_with(
        &["--mock", "sweep", "--from", "-", "--goods", "others", "--format", "csv"],
        "username,gstin\nacme.com,33abkcs2033b1zw",
    );
    let csv = run.succeeds().stdout;
    assert!(csv.starts_with("gstin,username,type_of_goods,no_action,"), "{csv}");
    assert!(csv.lines().nth(1).unwrap().starts_with("33ABKCS2033B1ZW,acme.com,others,11,0,1,0,12,"), "{csv}");
}

#[test]
fn the_report_is_one_page_that_asks_no_network() {
    let home = Home::new();
    let firm = home.path("firm.csv");
    fs::write(&firm, "gstin,username\n33ABKCS2033B1ZW,<b>\"A&B\"</b>\n27AACCA8432H2ZP,client3\n").unwrap();
    let report = home.path("report.html");
    let run = home.run(&[
        "--mock",
        "--mock-faults",
        "expired",
        "sweep",
        "--from",
        firm.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
    ]);
    assert_eq!(run.code, Some(7));
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.contains("&lt;b&gt;&quot;A&amp;B&quot;&lt;/b&gt;") && !html.contains("<b>\"A"), "{html}");
    assert!(html.contains("a new OTP is needed"));
    assert!(html.contains("default-src 'none'"), "the browser is told as well");
    for outside in
        ["http:", "https:", "//", "src=", "href=", "url(", "@import", "fetch(", "XMLHttpRequest", "<link"]
    {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(!html.contains("<!--"), "every mark is replaced");
}

// --- the server --------------------------------------------------------------

#[cfg(unix)]
#[test]
fn the_mock_server_prints_an_environment_that_works() {
    use std::io::{BufRead as _, BufReader};

    let home = Home::new();
    let mut command = home.command(&["mock"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(4).map(Result::unwrap);
    let environment: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let run = home.command(&["counts", "--format", "csv"]).envs(environment).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(run.status.success(), "{run:?}");
    assert!(String::from_utf8(run.stdout).unwrap().contains("others,b2b,11,0,1,0,12"));
}

/// Who asks for sharing must not go on alone, unnoticed.
#[cfg(not(feature = "redis"))]
#[test]
fn sharing_needs_a_build_that_has_it() {
    let home = Home::new();
    home.configure("api_key = \"key_test_0000\"\napi_secret = \"secret_test_0000\"\n");
    let mut command = home.command(&["counts"]);
    let output = command.env("SANDBOX_REDIS_URL", "redis://canary@127.0.0.1").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(
        errors.contains("SANDBOX_REDIS_URL is set") && errors.contains("--features cli,redis"),
        "{errors}"
    );
    assert!(!errors.contains("canary"), "{errors}");

    let firm = home.path("firm.csv");
    fs::write(&firm, format!("gstin,username\n{GSTIN},acme.com\n")).unwrap();
    let sweep = home.run(&["--mock", "sweep", "--from", firm.to_str().unwrap(), "--share", "november"]);
    assert_eq!(sweep.code, Some(3), "{}", sweep.stderr);
    assert!(sweep.stderr.contains("--share is given"), "{}", sweep.stderr);
}

// --- reconciliation ------------------------------------------------------------

const LEDGER: &str = r#"{"name": "purchase_ledger_workbook", "@entity": "workbook", "sheets": []}"#;
const STATEMENT: &str = r#"{"chksum": "x", "data": {"gstin": "24ABKCS2033B1ZV", "rtnprd": "072024"}}"#;

#[test]
fn a_ledger_is_reconciled_and_the_report_saved() {
    let home = Home::new();
    let path = |name: &str| home.path(name).display().to_string();
    let (ledger, statement, report) = (path("ledger.json"), path("gstr-2b.json"), path("report.xlsx"));
    fs::write(&ledger, LEDGER).unwrap();
    fs::write(&statement, STATEMENT).unwrap();
    let reconcile = |ledger: &str, report: &str| {
        let files = ["--ledger", ledger, "--statement", &statement, "--report", report];
        home.run(&[&["--mock", "analytics", "reconcile", "--format", "json"][..], &files].concat())
    };
    let run = reconcile(&ledger, &report).succeeds();
    assert!(fs::read(&report).unwrap().starts_with(b"PK"));
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&answer[0]["status"], &answer[0]["report"]), (&"succeeded".into(), &report.as_str().into()));
    assert!(run.stderr.contains("Job d3d19997") && !run.stderr.contains("X-Amz"), "{}", run.stderr);

    // What is wrong is told by file, before anything is sent.
    fs::write(&ledger, "{").unwrap();
    let run = reconcile(&ledger, &report);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("ledger.json: ") && run.stderr.contains("not valid JSON"), "{}", run.stderr);
    let run = reconcile(&ledger, &path("nowhere/report.xlsx"));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("cannot write ") && run.stderr.contains("nowhere"), "{}", run.stderr);

    // A job that failed leaves its validation report, and the report as it was.
    let failed = ["--mock", "analytics", "job", "d1cfcffb-15d5-44c3-ae13-cca04c8c4310", "--report", &report];
    let run = home.run(&failed);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("Purchase ledger is invalid as per schema"), "{}", run.stderr);
    assert!(run.stderr.contains("report.validation.xlsx"), "{}", run.stderr);
    assert!(fs::read(path("report.validation.xlsx")).unwrap().starts_with(b"PK"));
}
