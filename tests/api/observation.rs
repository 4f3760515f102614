//! What a program learns of its calls besides their answers.

use std::sync::{Arc, Mutex};

use sandbox_client::{CallReport, ErrorKind, RetryPolicy, ims::types::TypeOfGoods, mock::MockServer};

#[tokio::test]
async fn every_call_is_reported_once_with_its_tries() {
    let mock = MockServer::start().await.unwrap();
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let sink = Arc::clone(&reports);
    let client = mock
        .client_builder()
        .retry(RetryPolicy::default().base_backoff(std::time::Duration::from_millis(5)))
        .on_call_end(move |report| sink.lock().unwrap().push(*report))
        .build()
        .unwrap();

    mock.on("get_invoice_count").error("service_unavailable").times(1);
    let session = client.taxpayer_session().unwrap();
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    mock.on("get_invoice_count").error("insufficient_credits").times(1);
    session.ims().counts(TypeOfGoods::Others).await.unwrap_err();

    let reports = reports.lock().unwrap();
    let [success, failure] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!(success.operation.id, "get_invoice_count");
    assert_eq!((success.attempts, success.status, success.error), (2, Some(200), None));
    assert_eq!((failure.attempts, failure.status, failure.error), (1, Some(403), Some(ErrorKind::Denied)));
    assert!(success.duration >= std::time::Duration::from_millis(2), "the pause is part of it");
}

/// The login has a report of its own.
#[tokio::test]
async fn a_call_whose_login_failed_was_not_sent() {
    let mock = MockServer::start().await.unwrap();
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let sink = Arc::clone(&reports);
    let client = sandbox_client::Client::builder()
        .key(mock.key())
        .secret(mock.secret())
        .base_url(mock.base_url())
        .on_call_end(move |report| sink.lock().unwrap().push(*report))
        .build()
        .unwrap();
    mock.on("authenticate").json(401, serde_json::json!({"code": 401, "message": "Unauthorized"}));
    let body = serde_json::json!({"gstin": "33ABKCS2033B1ZW", "username": "acme.com"});
    client.call("generate_otp", &[], Some(&body)).await.unwrap_err();

    let reports = reports.lock().unwrap();
    let told: Vec<_> =
        reports.iter().map(|report| (report.operation.id, report.attempts, report.status)).collect();
    assert_eq!(told, [("authenticate", 1, Some(401)), ("generate_otp", 0, None)]);
    assert!(reports.iter().all(|report| report.error == Some(ErrorKind::Auth)));
}
