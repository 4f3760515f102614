//! Answers that GSTN has to prepare first.

use std::time::{Duration, Instant};

use sandbox_client::{CodeMeaning, ErrorKind, mock::MockServer, values::Section, wait_until_ready};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

fn queued(minutes: u32) -> Value {
    json!({"code": 200, "data": {"status_cd": "2", "data": {"token": "feed0003", "est": minutes.to_string()}}})
}

/// No empty list: an error that tells the wait, and a way to wait for it.
#[tokio::test]
async fn a_queued_list_is_waited_for() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let ims = session.ims();

    mock.on("list_invoices").json(200, queued(30));
    let error = ims.invoices(Section::B2b, None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Business, Some(1800 * SECOND)));
    assert!(error.is_not_ready() && error.is_retryable());
    assert_eq!(error.file_token(), Some("feed0003"));

    // The wait does not fit.
    let started = Instant::now();
    let error = wait_until_ready(1799 * SECOND, async || ims.invoices(Section::B2b, None).await).await;
    assert!(error.unwrap_err().is_not_ready() && started.elapsed() < 5 * SECOND);
    assert_eq!(mock.requests().len(), 2);

    mock.clear_rules();
    mock.on("list_invoices").json(200, queued(0)).times(1);
    let list = wait_until_ready(10 * SECOND, async || ims.invoices(Section::B2b, None).await).await.unwrap();
    assert_eq!((list.invoices.len(), mock.requests().len()), (12, 4));
    assert!(started.elapsed() >= SECOND, "a wait of nothing is a second");
}

/// What is decided is not waited for.
#[tokio::test]
async fn a_refusal_is_not_waited_for() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let ims = session.ims();
    for (code, meaning) in [("RET191106", None), ("GEN4004", Some(CodeMeaning::Temporary))] {
        let body = json!({"data": {"status_cd": "0", "error": {"error_cd": code, "message": "No"}}});
        mock.on("list_invoices").json(200, body);
        let started = Instant::now();
        let outcome = wait_until_ready(3600 * SECOND, async || ims.invoices(Section::B2b, None).await).await;
        assert_eq!(outcome.unwrap_err().meaning(), meaning);
        assert!(started.elapsed() < 10 * SECOND);
        mock.clear_rules();
    }
}
