//! What an answer tells: the payload, and what came around it.

use sandbox_client::{
    ErrorKind, RetryPolicy, Session,
    ims::types::{SaveInvoiceStatusRequest, TypeOfGoods},
    mock::{Fault, MockServer},
    values::{CountGroups, Gstin},
};
use serde_json::{Value, json};

async fn start() -> (MockServer, Session) {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    (mock, session)
}

fn save_request() -> SaveInvoiceStatusRequest {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/openapi/ims/examples/save_invoice_status.request.all_sections.json"
    ));
    Gstin::unchecked_within(|| serde_json::from_str(text)).unwrap()
}

/// Members that no type knows, in an order and with spaces of its own.
const BODY: &str = "{ \"data\": {\"later\": [1], \"data\": {\"imp_gds\": {\"ttl_cnt\": 2}},\n\
    \"status_cd\": \"1\"}, \"timestamp\": 1763446641000, \"transaction_id\": \"t-1\", \"code\": 200 }\n";

#[tokio::test]
async fn an_answer_is_its_payload_with_the_envelope_at_hand() {
    let (mock, session) = start().await;
    mock.on("get_invoice_count").body(200, "application/json", BODY).header("x-request-id", "r-1");
    let ims = session.ims();
    let answer = ims.get_invoice_count().type_of_goods(TypeOfGoods::Imports).send().await.unwrap();

    assert_eq!(answer.groups[0].0, "imp_gds", "members of the payload, as if they were its own");
    assert_eq!(answer.transaction_id(), Some("t-1"));
    assert_eq!(answer.timestamp().unwrap().unix_millis(), Some(1_763_446_641_000));
    assert_eq!(answer.status_cd().unwrap().as_str(), "1");
    assert_eq!((answer.status(), answer.attempts()), (200, 1));
    assert_eq!(answer.headers()["x-request-id"], "r-1");
    assert_eq!(answer.raw(), BODY.as_bytes(), "byte for byte");

    let total = answer.clone().map(|counts| counts.groups[0].1.total);
    assert_eq!((*total, total.transaction_id()), (Some(2), Some("t-1")));
    let counts: CountGroups = answer.into_inner();
    assert_eq!(counts.groups.len(), 1);
}

#[tokio::test]
async fn an_envelope_without_its_members_is_no_error() {
    let (mock, session) = start().await;
    mock.on("get_invoice_count").json(200, json!({"data": {"data": {}}}));
    let answer = session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap();
    assert_eq!((answer.transaction_id(), answer.timestamp(), answer.status_cd()), (None, None, None));
    assert!(answer.groups.is_empty());
}

#[tokio::test]
async fn repetitions_are_counted() {
    let (mock, session) = start().await;
    let session =
        session.with_retry(RetryPolicy::default().base_backoff(std::time::Duration::from_millis(1)));
    mock.on("get_invoice_count").fault(Fault::CloseWithoutAnswer).times(1);
    let answer = session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap();
    assert_eq!(answer.attempts(), 2);
}

#[tokio::test]
async fn a_success_without_payload_is_told_to_have_been_processed_perhaps() {
    for data in [json!({"status_cd": "1"}), json!({"status_cd": "1", "data": null}), Value::Null] {
        let (mock, session) = start().await;
        let body = json!({"code": 200, "transaction_id": "t-1", "data": data});
        mock.on("get_invoice_count").json(200, body.clone());
        mock.on("save_invoice_status").json(200, body);
        let ims = session.ims();
        let read = ims.get_invoice_count().type_of_goods("others").send().await.unwrap_err();
        let written = ims.save_invoice_status().body(save_request()).send().await.unwrap_err();
        for (error, operation) in [(read, "get_invoice_count"), (written, "save_invoice_status")] {
            assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some(operation)), "{data}");
            assert!(error.to_string().contains("has nothing at `data.data`"), "{error}");
            assert_eq!((error.transaction_id(), error.status()), (Some("t-1"), Some(200)));
            assert!(error.maybe_processed() && !error.is_retryable(), "{error:?}");
            assert_eq!(mock.hits(operation), 1);
        }
    }
}

#[tokio::test]
async fn a_write_is_answered_with_its_payload() {
    let (mock, session) = start().await;
    let answer = session.ims().save_invoice_status().body(save_request()).send().await.unwrap();
    assert_eq!(answer.reference_id.as_deref(), Some("0032e479bcb644c"));
    assert_eq!(answer.transaction_id(), Some("0f7f60a2-862c-4a1b-b6b4-baa76c6faae6"));
    assert_eq!((answer.status_cd().unwrap().as_str(), answer.attempts()), ("1", 1));
    assert_eq!(mock.hits("save_invoice_status"), 1);
}

/// Of the login the payload is the whole body, as it is of a raw call.
#[tokio::test]
async fn an_answer_with_its_envelope_as_payload_knows_the_envelope_too() {
    let (mock, session) = start().await;
    mock.on("get_invoice_count").body(200, "application/json", BODY);
    let raw = session.call("get_invoice_count", &[("type_of_goods", "imports")], None).await.unwrap();
    assert_eq!(raw["data"]["later"], json!([1]));
    assert_eq!((raw.transaction_id(), raw.status_cd().unwrap().as_str()), (Some("t-1"), "1"));
    assert_eq!(raw.timestamp().unwrap().unix_millis(), Some(1_763_446_641_000));
    assert_eq!(raw.raw(), BODY.as_bytes());

    mock.on("authenticate").json(200, json!({"transaction_id": "t-2", "data": {"access_token": "x"}}));
    let login = session.client().authentication().authenticate().send().await.unwrap();
    assert_eq!(login.transaction_id(), Some("t-2"));

    mock.clear_rules();
    mock.on("authenticate").json(200, json!({"transaction_id": "t-3", "data": {}}));
    let client = sandbox_client::Client::builder().base_url(mock.base_url()).key(mock.key());
    let client = client.secret(mock.secret()).no_rate_limit().build().unwrap();
    let login = json!({"gstin": "33ABKCS2033B1ZW", "username": "acme.com"});
    let error = client.call("generate_otp", &[], Some(&login)).await.unwrap_err();
    assert_eq!((error.kind(), error.transaction_id()), (ErrorKind::Decode, Some("t-3")));
}

#[tokio::test]
async fn what_is_printed_of_an_answer_leaves_the_body_out() {
    let (mock, session) = start().await;
    mock.on("get_invoice_count").body(200, "application/json", BODY);
    let answer = session.ims().get_invoice_count().type_of_goods("imports").send().await.unwrap();
    let shown = format!("{answer:?}");
    assert!(shown.contains("t-1") && !shown.contains("later"), "{shown}");
}

/// A member of the envelope in another shape costs nothing but itself.
#[tokio::test]
async fn what_does_not_fit_in_the_envelope_is_listed() {
    let (mock, session) = start().await;
    let body = json!({
        "transaction_id": 17, "timestamp": [1], "code": {"odd": true},
        "data": {"status_cd": 1, "data": {"imp_gds": {"ttl_cnt": 2}}},
    });
    mock.on("get_invoice_count").json(200, body);
    let ims = session.ims();
    let answer = ims.get_invoice_count().type_of_goods(TypeOfGoods::Imports).send().await.unwrap();
    assert_eq!(answer.groups[0].1.total, Some(2));
    assert_eq!((answer.transaction_id(), answer.timestamp()), (Some("17"), None));
    assert_eq!(answer.status_cd().map(sandbox_client::values::StatusCd::as_str), Some("1"));
    assert_eq!(answer.unread(), ["timestamp"]);

    mock.clear_rules();
    let answer = ims.get_invoice_count().type_of_goods(TypeOfGoods::Imports).send().await.unwrap();
    assert!(answer.unread().is_empty());
}
