//! Reconciliation jobs, from the files to the report, over the mock server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sandbox_client::{
    Content, ErrorKind, Polling, ReconciliationStep,
    mock::MockServer,
    values::{Gstin, PlatformJobStatus, ReturnPeriod},
};
use serde_json::{Value, json};

fn ledger() -> Content {
    Content::json(
        json!({"name": "purchase_ledger_workbook", "@entity": "workbook", "sheets": []}).to_string(),
    )
}

fn statement(period: &str) -> Content {
    let data = json!({"gstin": "24ABKCS2033B1ZV", period: "072024", "version": "1.0"});
    Content::json(json!({"chksum": "x", "data": data}).to_string())
}

fn quick() -> Polling {
    Polling::default().first_pause(Duration::from_millis(5))
}

/// The bodies that were uploaded, by the last part of their paths.
fn uploads(mock: &MockServer) -> Vec<(String, Value)> {
    let requests = mock.requests();
    let puts = requests.iter().filter(|request| request.method == "PUT");
    puts.map(|request| (request.path.rsplit('/').next().unwrap().to_owned(), request.json().unwrap()))
        .collect()
}

#[tokio::test]
async fn both_files_are_uploaded_and_the_report_is_downloaded() {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_gstr_2b_reconciliation").times(2).example("in_progress");
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let report = mock
        .client()
        .unwrap()
        .analytics()
        .reconcile_gstr_2b(ledger(), statement("rtnprd"))
        .polling(quick())
        .on_step(move |step| seen.lock().unwrap().push(step))
        .run()
        .await
        .unwrap();
    assert!(report.is_success());
    let file = report.download().await.unwrap().bytes().await.unwrap();
    assert!(file.starts_with(b"PK"));

    let names: Vec<_> = uploads(&mock).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["purchase-ledger.json", "gstr-2b.json"]);
    assert_eq!(uploads(&mock)[1].1["data"]["rtnprd"], "072024");
    let submitted =
        mock.requests().into_iter().find(|request| request.method == "POST" && request.path.contains("2b"));
    assert_eq!(
        submitted.unwrap().json().unwrap(),
        json!({
            "@entity": "in.co.sandbox.gst.analytics.gstr-2b_reconciliation.request",
            "gstin": "24ABKCS2033B1ZV", "year": 2024, "month": 7, "reconciliation_criteria": "strict"
        })
    );
    // Credentials are the API's.
    for request in mock.requests().iter().filter(|request| request.path.starts_with("/in-co-sandbox-")) {
        for name in ["authorization", "x-api-key", "x-api-secret", "x-api-version", "cookie"] {
            assert_eq!(request.header(name), None, "{name}");
        }
        assert!(request.status == Some(200) && request.query_value("X-Amz-Signature") == Some("fake"));
    }
    let steps = steps.lock().unwrap();
    assert!(matches!(&steps[0], ReconciliationStep::Submitted { job_id } if job_id.starts_with("d3d19997")));
    assert!(
        matches!(&steps[1], ReconciliationStep::UploadingLedger(progress) if Some(progress.transferred) == progress.total)
    );
    assert!(matches!(&steps[2], ReconciliationStep::UploadingStatement(_)));
    assert!(
        matches!(&steps[3..], [ReconciliationStep::Waiting(PlatformJobStatus::InProgress), _]),
        "{steps:?}"
    );
}

#[tokio::test]
async fn a_gstr_2a_is_reconciled_alike() {
    let mock = MockServer::start().await.unwrap();
    let analytics = mock.client().unwrap().analytics();
    let job = analytics.reconcile_gstr_2a(ledger(), statement("fp")).submit().await.unwrap();
    assert_eq!(uploads(&mock)[1].0, "gstr-2a.json");
    let report = analytics.gstr_2a_reconciliation(job.job_id()).wait().await.unwrap();
    assert!(report.download().await.unwrap().total().unwrap() > 100);
}

#[tokio::test]
async fn a_job_that_failed_is_a_report_with_its_reason() {
    let mock = MockServer::start().await.unwrap();
    let analytics = mock.client().unwrap().analytics();
    let report =
        analytics.gstr_2b_reconciliation("d1cfcffb-15d5-44c3-ae13-cca04c8c4310").wait().await.unwrap();
    assert!(report.is_done() && !report.is_success());
    assert_eq!(report.message(), Some("Purchase ledger is invalid as per schema"));
    let file = report.download_validation().await.unwrap().unwrap().bytes().await.unwrap();
    assert!(file.starts_with(b"PK"));
    let error = report.download().await.unwrap_err();
    assert_eq!((error.kind(), error.provider_message()), (ErrorKind::Business, report.message()));

    let report =
        analytics.gstr_2b_reconciliation("d65ab027-1250-40e1-9af1-12ea9efa36ce").status().await.unwrap();
    assert!(!report.has_validation_report() && report.download_validation().await.unwrap().is_none());
}

#[tokio::test]
async fn a_job_that_does_not_end_is_told_with_its_id() {
    let mock = MockServer::start().await.unwrap();
    let job =
        mock.client().unwrap().analytics().gstr_2b_reconciliation("6b1f1f3e-6d0e-4b64-9f0b-5d2f8c9a7e10");
    let error = job.polling(quick().deadline(Duration::from_millis(30))).wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(text.contains("6b1f1f3e") && text.contains("in_progress"), "{text}");
    let report =
        mock.client().unwrap().analytics().gstr_2b_reconciliation("6b1f1f3e-6d0e-4b64-9f0b-5d2f8c9a7e10");
    let error = report.status().await.unwrap().download().await.unwrap_err();
    assert_eq!(error.field(), Some("job_id"));
}

#[tokio::test]
async fn wrong_files_are_told_before_anything_is_sent() {
    let mock = MockServer::start().await.unwrap();
    let analytics = mock.client().unwrap().analytics();
    let json = |text: &str| Content::json(text.to_owned());
    for (ledger_file, statement_file, field, reason) in [
        (json("{"), statement("rtnprd"), "ledger", "is not valid JSON (line 1"),
        (json("canary"), statement("rtnprd"), "ledger", "is not valid JSON (line 1"),
        (json("{\"sheets\": \"canary\"}"), statement("rtnprd"), "ledger", "does not have the form"),
        (
            json("{\"@entity\": \"canary\", \"sheets\": []}"),
            statement("rtnprd"),
            "ledger",
            "is not a workbook",
        ),
        (ledger(), json("[]"), "statement", "does not have the form"),
        (ledger(), statement("fp"), "statement", "does not tell taxpayer and period"),
        (ledger(), Content::json_file("/nowhere/canary.json"), "statement", "cannot be read"),
    ] {
        let error = analytics.reconcile_gstr_2b(ledger_file, statement_file).submit().await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{error}");
        assert!(error.to_string().contains(reason) && !error.to_string().contains("canary"), "{error}");
    }
    assert!(mock.requests().is_empty());
    // Both may be named, and then they need not be in the statement.
    let gstin = Gstin::new("33ABKCS2033B1ZW").unwrap();
    let job = analytics.reconcile_gstr_2b(ledger(), statement("fp"));
    job.taxpayer(gstin, ReturnPeriod::new(2024, 7).unwrap()).submit().await.unwrap();
}

#[tokio::test]
async fn an_answer_without_its_urls_is_no_success() {
    let mock = MockServer::start().await.unwrap();
    mock.on("submit_gstr_2b_reconciliation").times(1).json(200, json!({"data": {"job_id": "j"}}));
    mock.on("submit_gstr_2b_reconciliation")
        .times(1)
        .json(200, json!({"data": {"purchase_ledger_url": "x"}}));
    mock.on("get_gstr_2b_reconciliation").times(1).json(200, json!({"data": {"status": "succeeded"}}));
    mock.on("get_gstr_2b_reconciliation").times(1).json(200, json!({"data": {"job_id": "j"}}));
    let analytics = mock.client().unwrap().analytics();
    for lacks in ["where to upload the files", "names no job"] {
        let error = analytics.reconcile_gstr_2b(ledger(), statement("rtnprd")).submit().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains(lacks), "{error}");
    }
    for lacks in ["where the report is", "no status of the job"] {
        let error = analytics.gstr_2b_reconciliation("j").status().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains(lacks), "{error}");
    }
}
