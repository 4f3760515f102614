//! The lists of e-invoices that the GST portal prepares.

use std::time::Duration;

use sandbox_client::{ErrorKind, Polling, mock::MockServer, values::ReturnPeriod};
use serde_json::json;

fn quick() -> Polling {
    Polling::default().first_pause(Duration::from_millis(2))
}

#[tokio::test]
async fn a_list_is_waited_for_and_ends_in_a_signed_url() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let lists = session.gst_portal_e_invoices();
    let october = ReturnPeriod::new(2024, 10).unwrap();
    mock.on("poll_sales_e_invoices_job").example("created").times(2);
    let job = lists.start_sales_list(october, "B2B").await.unwrap().polling(quick());
    assert_eq!(job.job_id(), "6ac134f4-0ad3-4b76-8a79-41f817419c29");
    assert!(job.status().await.unwrap().is_none());
    let url = job.wait().await.unwrap();
    assert!(url.expose_secret().starts_with("http"));
    assert!(!format!("{job:?} {url:?}").contains(url.expose_secret()));
    let seen: Vec<_> =
        mock.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    let path = "/gst/compliance/tax-payer/e-invoices/2024/10/sales";
    assert_eq!(
        seen,
        [format!("POST {path}"), format!("GET {path}"), format!("GET {path}"), format!("GET {path}")]
    );
    assert_eq!(mock.requests()[0].query_value("supply_type"), Some("B2B"));
    assert_eq!(mock.requests()[3].query_value("job_id"), Some(job.job_id()));

    let job = lists.start_purchase_list(october, "B2B").await.unwrap();
    lists.purchase_list(october, job.job_id()).wait().await.unwrap();
    assert_eq!(mock.hits("poll_purchase_e_invoices_job"), 1);
}

#[tokio::test]
async fn a_list_that_fails_says_why_and_is_asked_for_once() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let job = session.gst_portal_e_invoices().sales_list(ReturnPeriod::new(2023, 10).unwrap(), "job-1");
    let job = job.polling(quick());
    mock.on("poll_sales_e_invoices_job").example("failed");
    let error = job.wait().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("EINV30113")));
    assert_eq!(mock.hits("poll_sales_e_invoices_job"), 1);
    for (data, kind) in [
        (json!({"status": "failed"}), ErrorKind::Business),
        (json!({"status": "succeeded"}), ErrorKind::Decode),
        (json!({"job_id": "job-1"}), ErrorKind::Decode),
    ] {
        mock.clear_rules();
        mock.on("poll_sales_e_invoices_job").json(200, json!({"code": 200, "data": data}));
        assert_eq!(job.wait().await.unwrap_err().kind(), kind, "{data}");
    }
    mock.clear_rules();
    mock.on("submit_sales_e_invoices_job").json(200, json!({"code": 200, "data": {"status": "created"}}));
    let lists = session.gst_portal_e_invoices();
    let error = lists.start_sales_list(ReturnPeriod::new(2024, 10).unwrap(), "B2B").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(mock.hits("submit_sales_e_invoices_job"), 1);
}
