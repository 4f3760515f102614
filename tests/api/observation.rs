//! What a program learns of its calls besides their answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sandbox_client::{
    AttemptReport, CallReport, ErrorKind, RetryPolicy, ims::types::TypeOfGoods, mock::MockServer,
};

#[tokio::test]
async fn every_call_is_reported_once_with_its_tries() {
    let mock = MockServer::start().await.unwrap();
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let sink = Arc::clone(&reports);
    let client = mock
        .client_builder()
        .retry(RetryPolicy::default().base_backoff(Duration::from_millis(5)))
        .on_call_end(move |report| sink.lock().unwrap().push(report.clone()))
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
    assert!(success.duration >= Duration::from_millis(2), "the pause is part of it");
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
        .on_call_end(move |report| sink.lock().unwrap().push(report.clone()))
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

/// Whoever drops a call's future learns of it as well as who waits for it.
#[tokio::test]
async fn a_dropped_call_and_each_attempt_are_reported() {
    let mock = MockServer::start().await.unwrap();
    let calls: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let attempts: Arc<Mutex<Vec<AttemptReport>>> = Arc::default();
    let (call_sink, attempt_sink) = (Arc::clone(&calls), Arc::clone(&attempts));
    let client = mock
        .client_builder()
        .retry(RetryPolicy::default().base_backoff(Duration::from_millis(5)))
        .on_call_end(move |report| call_sink.lock().unwrap().push(report.clone()))
        .on_attempt_end(move |report| attempt_sink.lock().unwrap().push(report.clone()))
        .build()
        .unwrap();
    let session = client.taxpayer_session().unwrap();

    mock.on("get_invoice_count").error("service_unavailable").times(1);
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    mock.on("get_invoice_count").delay(Duration::from_secs(20));
    let ims = session.ims();
    let slow = ims.counts(TypeOfGoods::Others);
    assert!(tokio::time::timeout(Duration::from_millis(300), slow).await.is_err());

    let attempts = attempts.lock().unwrap();
    let told: Vec<_> = attempts.iter().map(|report| (report.attempt, report.status, report.error)).collect();
    assert_eq!(told, [(1, Some(503), Some(ErrorKind::Api)), (2, Some(200), None)]);
    let calls = calls.lock().unwrap();
    let [success, dropped] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(!success.dropped);
    assert_eq!((dropped.dropped, dropped.attempts, dropped.status, dropped.error), (true, 1, None, None));
}

#[tokio::test]
async fn a_report_has_the_code_of_a_refusal() {
    let mock = MockServer::start().await.unwrap();
    let codes: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let sink = Arc::clone(&codes);
    let client = mock
        .client_builder()
        .on_call_end(move |report| sink.lock().unwrap().push(report.error_code.clone()))
        .build()
        .unwrap();
    mock.on("get_invoice_count").example("invalid_session").times(1);
    let session = client.taxpayer_session().unwrap();
    session.ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!(*codes.lock().unwrap(), [Some("AUTH4033".to_owned())]);
}
