//! Where the rules that tell success from failure end: each case lies at an edge of one.

use std::time::Duration;

use sandbox_client::{Answer, Error, ErrorKind, RetryPolicy};
use serde_json::{Value, json};

use crate::support::{Server, answer, answer_with, client, envelope, success_body};

/// A read whose payload lies at `/data/data`, and a write with the same.
const DEEP: Call = ("get_invoice_count", &[("type_of_goods", "others")], None);
const DEEP_WRITE: Call = ("regenerate_gstr_2b", &[("year", "2025"), ("month", "11")], None);
/// The same with a payload at `/data`.
const FLAT: Call = ("get_file_details_job", &[("job_id", "j")], None);
const FLAT_WRITE: Call = ("generate_evc_otp", &[("gstr", "gstr-3b")], Some("ABCDE1234F"));

/// An operation, its parameters and the PAN of its body.
type Call = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>);

async fn outcome(call: Call, bytes: Vec<u8>) -> Result<Answer<Value>, Error> {
    let server = Server::answering([bytes]).await;
    let session = client(&server).retry(RetryPolicy::none()).build().unwrap().taxpayer_session().unwrap();
    let body = call.2.map(|pan| json!({"pan": pan}));
    session.call(call.0, call.1, body.as_ref()).await
}

async fn ok(call: Call, body: Value) {
    if let Err(error) = outcome(call, answer(200, &body)).await {
        panic!("{body}: {error}");
    }
}

async fn fails(call: Call, status: u16, body: Value) -> Error {
    match outcome(call, answer(status, &body)).await {
        Ok(_) => panic!("{body} is no success"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn each_status_has_words_of_its_own() {
    for (status, words) in [
        (301, "the server redirects, which is never followed"),
        (404, "not found"),
        (418, "the provider refused the request"),
        (500, "the provider failed"),
        (599, "the provider failed"),
    ] {
        let error = fails(DEEP, status, json!({})).await.to_string();
        assert!(error.contains(words), "{status}: {error}");
    }
    let broken = outcome(DEEP, answer_with(200, &[], "{\"code\": 200,\n \"data\": oops")).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::Decode);
    assert!(broken.to_string().contains("not valid JSON (line 2, column "), "{broken}");
}

#[tokio::test]
async fn a_403_is_a_dead_token_only_where_it_says_so() {
    for (message, dead) in [
        ("Access token has expired", true),
        ("invalid access token", true),
        ("The account of this access token has no credits", false),
        ("The invalid account has expired", false),
    ] {
        let error = fails(DEEP, 403, json!({"code": 403, "message": message})).await;
        assert_eq!(error.kind() == ErrorKind::Denied, !dead, "{message}: {error}");
    }
}

#[tokio::test]
async fn an_answer_is_queued_only_with_token_and_wait() {
    for (data, queued) in [
        (json!({"token": "t", "est": "10"}), true),
        (json!({"token": "t"}), false),
        (json!({"est": "10"}), false),
    ] {
        let result = outcome(DEEP, answer(200, &envelope(&json!({"status_cd": "1", "data": data})))).await;
        assert_eq!(result.is_err_and(|error| error.is_not_ready()), queued, "{data}");
    }
    let told =
        json!({"status_cd": "0", "error": {"error_cd": "X1", "message": "m", "retryTimeInMinutes": "7"}});
    let error = fails(DEEP, 200, envelope(&told)).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7 * 60)));
}

#[tokio::test]
async fn a_code_inside_a_payload_counts_only_where_no_status_is_beside_it() {
    ok(FLAT, envelope(&json!({"status_cd": "1", "error_cd": "X1"}))).await;
    ok(FLAT, envelope(&json!({"status": "1", "error_cd": "X1"}))).await;
    let error = fails(FLAT, 200, envelope(&json!({"error_cd": "X1"}))).await;
    assert_eq!(error.error_code(), Some("X1"));
    // Beside a payload it counts whatever the status says.
    let error = fails(DEEP, 200, envelope(&json!({"status_cd": "1", "error_cd": "X1", "data": {}}))).await;
    assert_eq!(error.error_code(), Some("X1"));
}

#[tokio::test]
async fn a_status_of_the_body_itself_may_be_the_http_status() {
    let mut body: Value = serde_json::from_slice(&success_body()).unwrap();
    body["status"] = json!(200);
    ok(DEEP, body.clone()).await;
    body["data"]["status"] = json!(200);
    assert_eq!(fails(DEEP, 200, body).await.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_refused_write_may_have_been_processed_where_it_has_an_answer() {
    let refused = |data: Value| {
        let error = json!({"error_cd": "X1", "message": "m"});
        envelope(&json!({"status_cd": "0", "error": error, "data": data}))
    };
    for (data, processed) in [
        (json!({"x": 1}), true),
        (json!([1]), true),
        (json!("a reference"), true),
        (json!({}), false),
        (json!([]), false),
        (Value::Null, false),
    ] {
        let error = fails(DEEP_WRITE, 200, refused(data.clone())).await;
        assert_eq!(error.maybe_processed(), processed, "{data}");
    }
    // Where the payload is the level that tells the failure, it is no answer beside it.
    let error = fails(FLAT_WRITE, 200, envelope(&json!({"status_cd": "0", "error_cd": "X1", "x": 1}))).await;
    assert!(!error.maybe_processed(), "{error}");
}

#[tokio::test]
async fn information_is_kept_in_every_form_and_within_limits() {
    let told =
        |info: Value| envelope(&json!({"Status": 0, "ErrorDetails": [{"ErrorCode": "9"}], "InfoDtls": info}));
    let error = fails(DEEP, 200, told(json!("a text"))).await;
    assert_eq!(error.info().iter().map(|info| info.text()).collect::<Vec<_>>(), [Some("a text")]);

    let many: Vec<_> = (0..100).map(|number| json!({"InfCd": number.to_string(), "Desc": "d"})).collect();
    assert_eq!(fails(DEEP, 200, told(json!(many))).await.info().len(), 20);
    // A list inside the list is none of its entries.
    assert_eq!(fails(DEEP, 200, told(json!([["a"], "b"]))).await.info().len(), 1);

    let names: Vec<_> = (0..100).map(|number| format!("n{number}")).collect();
    let wide: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), json!("v"))).collect();
    let error = fails(DEEP, 200, told(json!({"InfCd": "A", "Desc": wide}))).await;
    assert_eq!(names.iter().filter(|name| error.info()[0].get(name).is_some()).count(), 20);
}
