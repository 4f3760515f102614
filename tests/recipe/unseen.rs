//! Calls operations that no line of this crate knows.

#[path = "support/command.rs"]
#[allow(dead_code)] // tests of single commands use more
mod command;

use command::Home;
use sandbox_client::{ErrorKind, RetryPolicy, mock::MockServer, types::UnseenQuery, values::Gstin};
use serde_json::Value;

#[tokio::test]
async fn a_list_by_a_path_with_parameters() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let answer = client.list_unseen_entries().year("2025").month("11").send().await.unwrap().into_inner();
    let entries = answer.data.data.unwrap();
    let amounts: Vec<_> = entries.iter().map(|entry| entry.amount.unwrap().to_string()).collect();
    assert_eq!(amounts, ["10883.91", "0.1"]);
    assert_eq!(mock.requests()[0].path, "/unseen/2025/11/entries");

    let error = client.list_unseen_entries().year("2025").month("12").send().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("UNSEEN1")));
    let error = client.list_unseen_entries().year("../x").month("12").send().await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("year")));
}

#[tokio::test]
async fn a_look_up_by_post_with_a_list_in_the_query() {
    let mock = MockServer::start().await.unwrap();
    let quick = RetryPolicy::default().base_backoff(std::time::Duration::from_millis(1));
    let client = mock.client_builder().retry(quick).build().unwrap();
    mock.on("search_unseen").times(1).error("service_unavailable");
    let query: UnseenQuery =
        UnseenQuery::builder().gstin(Gstin::unchecked("29AAACQ3770E000").unwrap()).try_into().unwrap();
    let kinds = vec!["cash".to_owned(), "credit".to_owned()];
    let answer = client.search_unseen().kinds(kinds).body(query).send().await.unwrap();
    assert_eq!(answer.data.data.as_ref().unwrap().len(), 1);
    // Repeated, since the document calls it idempotent.
    assert_eq!(mock.hits("search_unseen"), 2);
    let requests = mock.requests();
    let sent = requests.last().unwrap();
    assert_eq!(sent.json().unwrap()["gstin"], "29AAACQ3770E000");
    let kinds: Vec<_> = sent.query.iter().filter(|(name, _)| name == "kinds").map(|(_, value)| value).collect();
    assert_eq!(kinds, ["cash", "credit"]);
}

#[tokio::test]
async fn a_job_is_started_once() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let start = || client.start_unseen_job().year("2025").month("11").send();
    assert_eq!(start().await.unwrap().data.job_id, "job-17");
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
        (&["list_unseen_entries", "--param", "year=2025", "--param", "month=11"][..], "/data/data/1/id", "a2"),
        (&["start_unseen_job", "--param", "year=2025", "--param", "month=11"], "/data/job_id", "job-17"),
        (
            &["search_unseen", "--param", "kinds=cash", "--param", "kinds=credit", "--body", r#"{"gstin":"29AAACQ3770E000"}"#],
            "/data/data/0/id",
            "b1",
        ),
    ] {
        let run = home.run(&[&["--mock", "api"], arguments].concat()).succeeds();
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(answer.pointer(place).and_then(Value::as_str), Some(expected), "{}", run.stdout);
    }
}
