//! Calls operations and opens a session that no line of this crate knows.

#[path = "support/command.rs"]
#[allow(dead_code)] // tests of single commands use more
mod command;

use command::Home;
use sandbox_client::{
    ErrorKind, RetryPolicy, Session,
    mock::MockServer,
    session::kinds::UnseenToken,
    unseen::types::UnseenQuery,
    values::Gstin,
};
use serde_json::Value;

/// A session opened as a caller would: by the operation that grants the token.
async fn session(mock: &MockServer) -> Session<UnseenToken> {
    let client = mock.client().unwrap();
    let opened = client.unseen().open_unseen().send().await.unwrap();
    client.with_session_token::<UnseenToken>(opened.into_inner().access_token)
}

#[tokio::test]
async fn a_session_of_a_kind_never_seen() {
    let mock = MockServer::start().await.unwrap();
    let session = session(&mock).await;
    session.unseen().list_unseen_entries().year("2025").month("11").send().await.unwrap();
    let requests = mock.requests();
    let sent = requests.last().unwrap();
    assert!(sent.header("x-unseen-token").is_some(), "in the header that the document names");
    assert!(sent.header("authorization").is_none());

    // Neither the token of another kind nor none at all.
    let client = mock.client().unwrap();
    let other = client.with_session_token::<UnseenToken>(mock.taxpayer_token().parse().unwrap());
    let error = other.unseen().start_unseen_job().year("2025").month("11").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    let parameters = [("year", "2025"), ("month", "11")];
    let error = client.call("start_unseen_job", &parameters, None).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("unseen_token")));
}

#[tokio::test]
async fn a_list_by_a_path_with_parameters() {
    let mock = MockServer::start().await.unwrap();
    let unseen = session(&mock).await.unseen();
    let entries = unseen.list_unseen_entries().year("2025").month("11").send().await.unwrap();
    let amounts: Vec<_> = entries.iter().map(|entry| entry.amount.unwrap().to_string()).collect();
    assert_eq!(amounts, ["10883.91", "0.1"]);
    assert_eq!(entries.transaction_id(), Some("11111111-1111-4111-8111-111111111111"));
    assert_eq!(mock.requests().last().unwrap().path, "/unseen/2025/11/entries");

    let error = unseen.list_unseen_entries().year("2025").month("12").send().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("UNSEEN1")));
    let error = unseen.list_unseen_entries().year("../x").month("12").send().await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("year")));
}

#[tokio::test]
async fn a_look_up_by_post_whose_answer_has_no_envelope() {
    let mock = MockServer::start().await.unwrap();
    let quick = RetryPolicy::default().base_backoff(std::time::Duration::from_millis(1));
    let client = mock.client_builder().retry(quick).build().unwrap();
    mock.on("search_unseen").times(1).error("service_unavailable");
    let query: UnseenQuery =
        UnseenQuery::builder().gstin(Gstin::unchecked("29AAACQ3770E000").unwrap()).try_into().unwrap();
    let kinds = vec!["cash".to_owned(), "credit".to_owned()];
    let answer = client.unseen().search_unseen().kinds(kinds).body(query).send().await.unwrap();
    assert_eq!(answer.found[0].id.as_deref(), Some("b1"));
    // Repeated, since the document calls it idempotent.
    assert_eq!((mock.hits("search_unseen"), answer.attempts()), (2, 2));
    let requests = mock.requests();
    let sent = requests.last().unwrap();
    assert_eq!(sent.json().unwrap()["gstin"], "29AAACQ3770E000");
    let kinds: Vec<_> = sent.query.iter().filter(|(name, _)| name == "kinds").map(|(_, value)| value).collect();
    assert_eq!(kinds, ["cash", "credit"]);
}

#[tokio::test]
async fn a_job_is_started_once() {
    let mock = MockServer::start().await.unwrap();
    let unseen = session(&mock).await.unseen();
    let start = || unseen.start_unseen_job().year("2025").month("11").send();
    assert_eq!(start().await.unwrap().job_id, "job-17");
    mock.clear();
    mock.on("start_unseen_job").error("service_unavailable");
    let error = start().await.unwrap_err();
    assert!(error.maybe_processed() && !error.is_retryable());
    assert_eq!(mock.hits("start_unseen_job"), 1);
}

#[test]
fn all_of_them_from_a_terminal() {
    let home = Home::new();
    for (arguments, place, expected) in [
        (&["open_unseen"][..], "/transaction_id", "55555555-5555-4555-8555-555555555555"),
        (&["list_unseen_entries", "--param", "year=2025", "--param", "month=11"], "/data/data/1/id", "a2"),
        (&["start_unseen_job", "--param", "year=2025", "--param", "month=11"], "/data/job_id", "job-17"),
        (
            &["search_unseen", "--param", "kinds=cash", "--param", "kinds=credit", "--body", r#"{"gstin":"29AAACQ3770E000"}"#],
            "/found/0/id",
            "b1",
        ),
    ] {
        let run = home.run(&[&["--mock", "api"], arguments, &["--yes"]].concat()).succeeds();
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(answer.pointer(place).and_then(Value::as_str), Some(expected), "{}", run.stdout);
    }
}

/// Against a server that is not built in, the token comes from the environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_takes_the_token_from_the_environment() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let arguments = ["api", "start_unseen_job", "--param", "year=2025", "--param", "month=11", "--yes"];
    let output = home.command(&arguments).env("SANDBOX_UNSEEN_TOKEN", mock.token("unseen_token")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(mock.hits("start_unseen_job"), 1);

    let run = home.run(&arguments);
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains("SANDBOX_UNSEEN_TOKEN"), "{}", run.stderr);
    assert_eq!(mock.hits("start_unseen_job"), 1);
}
