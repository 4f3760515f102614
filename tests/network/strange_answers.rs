//! Answers that nobody documents and somebody sends: other spellings, shapes and
//! encodings of failures and of successes. A failure keeps its code and its
//! words, and nothing that is suspicious is a success.

use sandbox_client::{Error, ErrorKind};
use serde_json::json;

use crate::support::{Server, answer_with, client};

/// The outcome of one call in short: `ok`, or kind, code and words.
async fn outcome(body: impl Into<Vec<u8>>) -> String {
    with_status(200, body).await
}

async fn with_status(status: u16, body: impl Into<Vec<u8>>) -> String {
    let server =
        Server::always(answer_with(status, &[("content-type", "application/json")], body.into())).await;
    let session = client(&server)
        .retry(sandbox_client::RetryPolicy::none())
        .build()
        .unwrap()
        .taxpayer_session()
        .unwrap();
    let call = session.call("get_invoice_count", &[("type_of_goods", "others")], None).await;
    let typed = session.ims().get_invoice_count().type_of_goods("others").send().await;
    let (call, typed) = (told(call.err()), told(typed.err()));
    // By its id or with its type, a call has one outcome.
    assert_eq!(call, typed, "two outcomes");
    call
}

fn told(error: Option<Error>) -> String {
    let Some(error) = error else { return "ok".to_owned() };
    assert!(error.kind() != ErrorKind::Decode || error.maybe_processed(), "{error:?}");
    let mut told = format!("{:?}", error.kind());
    if error.is_no_records() {
        told.push_str(" none");
    } else if error.is_not_ready() {
        told.push_str(" not ready");
    }
    for part in [error.error_code(), error.provider_message()].into_iter().flatten() {
        told.push(' ');
        told.push_str(part);
    }
    told
}

/// Tries all before it tells what is wrong.
async fn all(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let found = outcome(*body).await;
        if found != *expected {
            wrong.push(format!("{body}\n    is {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

const GOOD: &str = r#"{"code":200,"data":{"status_cd":"1","data":{"all_oth":{"b2b":{"noaction":2}}}}}"#;

#[tokio::test]
async fn names_of_a_failure_may_be_written_in_any_letters() {
    all(&[
        (r#"{"data":{"STATUS_CD":"0","ERROR":{"ERROR_CD":"RET1","MESSAGE":"no"}}}"#, "Business RET1 no"),
        (
            r#"{"data":{"Status_Cd":0,"Error":{"Error_Cd":"RET1","Message":"no"},"data":{"x":1}}}"#,
            "Business RET1 no",
        ),
        (
            r#"{"data":{"statusCd":"0","error":{"errorCode":"RET1","errorMessage":"no"},"data":{"x":1}}}"#,
            "Business RET1 no",
        ),
        (r#"{"Data":{"Status_Cd":"0","Error":{"Code":"RET1","Desc":"no"}}}"#, "Business RET1 no"),
        (r#"{"data":{"StatusCd":false,"data":{"x":1}}}"#, "Business"),
        (r#"{"data":{"STATUS":"0","data":{"x":1}}}"#, "Business"),
        (r#"{"Success":false,"Message":"down","data":{"data":{"x":1}}}"#, "Business down"),
        (r#"{"SUCCESS":"FALSE","MESSAGE":"down"}"#, "Business down"),
        (r#"{"success":"no","message":"down"}"#, "Business down"),
        (r#"{"success":"N","data":{"data":{"x":1}}}"#, "Business"),
        (r#"{"success":0}"#, "Business"),
        (r#"{"success":"failure","message":"down"}"#, "Business down"),
        (r#"{"Code":401,"Message":"expired"}"#, "SessionExpired expired"),
        (r#"{"CODE":"503","MESSAGE":"down"}"#, "Api down"),
        (r#"{"data":{"ErrorCode":"RET1","ErrorMessage":"no"}}"#, "Business RET1 no"),
        (r#"{"data":{"err_cd":"RET1","err_msg":"no"}}"#, "Business RET1 no"),
        (r#"{"data":{"status_cd":"0","err_cd":"RET1","err_msg":"no"}}"#, "Business RET1 no"),
        (r#"{"err_code":"RET1","errMsg":"no"}"#, "Business RET1 no"),
        (r#"{"ERROR_CODE":"RET11416","message":"none"}"#, "Business none RET11416 none"),
    ])
    .await;
}

#[tokio::test]
async fn a_failure_may_stand_anywhere_around_the_payload() {
    all(&[
        (r#"{"errors":[{"code":"RET1","message":"no"}]}"#, "Business RET1 no"),
        (r#"{"errors":["no"],"data":{"data":{"x":1}}}"#, "Business no"),
        (r#"{"data":{"status_cd":"0","errors":[{"error_cd":"RET1","error_msg":"no"},{"error_cd":"RET2"}]}}"#, "Business RET1 no"),
        (r#"{"data":{"error":[[{"error_cd":"RET1"}]]}}"#, "Business"),
        (r#"{"data":{"error":[{"error_cd":["RET1","RET2"],"message":"no"}]}}"#, "Business no"),
        (r#"{"data":{"error":"RET1: no"}}"#, "Business RET1: no"),
        (r#"{"data":{"error":5}}"#, "Business 5"),
        (r#"{"data":{"error":true,"data":{"x":1}}}"#, "Business"),
        (r#"{"data":{"error":{"detail":{"deep":[1]}},"data":{"x":1}}}"#, "Business"),
        (r#"{"data":{"error":{"error":{"error_cd":"RET1","message":"no"}}}}"#, "Business RET1 no"),
        (r#"{"error":{"error_cd":"RET1","message":"no"},"data":{"status_cd":"1","data":{"x":1}}}"#, "Business RET1 no"),
        (r#"{"data":{"status_cd":"1","data":{"x":1}},"errorCode":"RET1","errorMessage":"no"}"#, "Business RET1 no"),
        (r#"{"fault":{"faultstring":"no","detail":{"errorcode":"steps.raisefault"}}}"#, "Business no"),
        (r#"{"errorMessage":"Task timed out","errorType":"x"}"#, "Decode Task timed out"),
        (r#"{"message":"Internal server error"}"#, "Decode Internal server error"),
        (r#"{"code":"RET11402","message":"no"}"#, "SessionExpired RET11402 no"),
        (r#"{"code":"AUTH4033","message":"no","data":{}}"#, "SessionExpired AUTH4033 no"),
        (r#"[{"error_cd":"RET1","message":"no"}]"#, "Business RET1 no"),
        (r#"[{"status_cd":"0","error":{"error_cd":"AUTH158","message":"no"}}]"#, "SessionExpired AUTH158 no"),
        (r#"{"data":[{"status_cd":"0","error":{"error_cd":"RET1"}}]}"#, "Decode"),
        (r#"{"data":"{\"status_cd\":\"0\"}"}"#, "Decode"),
        (r#"{"code":200,"data":{"code":500,"message":"down"}}"#, "Decode down"),
        (r#"{"code":200,"status":"ERROR","message":"down","data":{"data":{"x":1}}}"#, "Business down"),
        (r#"{"data":{"status":"failure","message":"down","data":{"x":1}}}"#, "Business down"),
        (r#"{"status":"error","data":{"status_cd":"1","data":{}}}"#, "Business"),
    ])
    .await;
}

/// What means nothing is no failure.
#[tokio::test]
async fn an_error_without_content_is_none() {
    let mut cases = Vec::new();
    for error in [
        r#""error":null"#,
        r#""error":{}"#,
        r#""error":[]"#,
        r#""error":"""#,
        r#""error":" ""#,
        r#""error":false"#,
        r#""error":0"#,
        r#""error":"0""#,
        r#""error":[null]"#,
        r#""error":[{}]"#,
        r#""error":{"error_cd":"","message":""}"#,
        r#""error":{"error_cd":null,"message":null}"#,
        r#""error":{"code":0}"#,
        r#""errors":[]"#,
        r#""Errors":null"#,
        r#""fault":null"#,
        r#""err_cd":"""#,
        r#""ErrorDetails":null,"InfoDtls":"""#,
        r#""success":true"#,
        r#""success":"true""#,
        r#""success":"Y""#,
        r#""success":1"#,
        r#""status":"Active""#,
        r#""status":"success""#,
        r#""status":null"#,
        r#""code":"OK""#,
        r#""message":"error-free""#,
        r#""est":null"#,
        r#""token":"feed""#,
    ] {
        cases.push(format!(r#"{{"code":200,"data":{{"status_cd":"1",{error},"data":{{"all_oth":{{}}}}}}}}"#));
        if !error.contains("code") {
            cases.push(format!(
                r#"{{{error},"code":200,"data":{{"status_cd":"1","data":{{"all_oth":{{}}}}}}}}"#
            ));
        }
    }
    let cases: Vec<_> = cases.iter().map(|body| (body.as_str(), "ok")).collect();
    all(&cases).await;
}

#[tokio::test]
async fn a_status_is_success_failure_or_no_success() {
    let mut wrong = Vec::new();
    for (status, expected) in [
        (r#""1""#, "ok"),
        ("1", "ok"),
        ("1.0", "ok"),
        (r#""01""#, "ok"),
        (r#"" 1 ""#, "ok"),
        ("1e0", "ok"),
        ("null", "ok"),
        (r#""""#, "ok"),
        ("[]", "ok"),
        ("{}", "ok"),
        (r#""0""#, "Business"),
        ("0", "Business"),
        ("-0", "Business"),
        ("0.0", "Business"),
        ("0e5", "Business"),
        (r#""00""#, "Business"),
        (r#""0.0""#, "Business"),
        (r#"" 0""#, "Business"),
        ("false", "Business"),
        (r#""False""#, "Business"),
        ("true", "Decode"),
        (r#""true""#, "Decode"),
        (r#""Y""#, "Decode"),
        (r#""N""#, "Decode"),
        (r#""E""#, "Decode"),
        (r#""FAIL""#, "Decode"),
        (r#""success""#, "Decode"),
        (r#""-1""#, "Decode"),
        ("-1", "Decode"),
        ("2", "Decode"),
        (r#""200""#, "Decode"),
        ("1.5", "Decode"),
        ("10", "Decode"),
        (r#""1,0""#, "Decode"),
        ("1e400", "Decode"),
        (r#""null""#, "Decode"),
        (r#"["0"]"#, "Decode"),
        (r#"["1"]"#, "Decode"),
        (r#"{"status_cd":"0"}"#, "Decode"),
    ] {
        for body in [
            format!(r#"{{"data":{{"status_cd":{status},"data":{{"all_oth":{{}}}}}}}}"#),
            format!(r#"{{"status_cd":{status},"data":{{"data":{{"all_oth":{{}}}}}}}}"#),
        ] {
            let found = outcome(body.clone()).await;
            if found != expected {
                wrong.push(format!("{body} is {found}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_code_in_the_envelope_is_the_status() {
    let data = r#""data":{"status_cd":"1","data":{"all_oth":{}}}"#;
    let mut wrong = Vec::new();
    for (code, expected) in [
        ("200", "ok"),
        (r#""200""#, "ok"),
        ("200.0", "ok"),
        ("null", "ok"),
        (r#""""#, "ok"),
        ("true", "ok"),
        ("0", "ok"),
        ("201", "ok"),
        ("1000", "ok"),
        ("500", "Api"),
        (r#""500""#, "Api"),
        (r#""500.0""#, "Api"),
        ("500.0", "Api"),
        ("5e2", "Api"),
        ("422", "Api"),
        ("401", "SessionExpired"),
        (r#"" 401 ""#, "SessionExpired"),
        ("403", "Denied"),
        ("429", "RateLimited"),
        ("302", "Api"),
        (r#""RET1""#, "Business RET1"),
        (r#""AUTH4033""#, "SessionExpired AUTH4033 the session has ended"),
    ] {
        let body = format!(r#"{{"code":{code},{data}}}"#);
        let found = outcome(body.clone()).await;
        if !found.starts_with(expected.split(" the").next().unwrap()) {
            wrong.push(format!("{body} is {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_body_that_is_no_answer_is_no_success() {
    all(&[
        ("", "Decode"),
        (" \r\n ", "Decode"),
        ("null", "Decode"),
        ("true", "Decode"),
        ("0", "Decode"),
        ("\"\"", "Decode"),
        ("OK", "Decode"),
        ("{}", "Decode"),
        ("[]", "Decode"),
        ("[[]]", "Decode"),
        ("[1]", "Decode"),
        (r#"[{"code":200,"data":{"status_cd":"1","data":{"all_oth":{}}}}]"#, "Decode"),
        (r#"{"code":200}"#, "Decode"),
        (r#"{"code":200,"data":null}"#, "Decode"),
        (r#"{"code":200,"data":""}"#, "Decode"),
        (r#"{"code":200,"data":{}}"#, "Decode"),
        (r#"{"code":200,"data":[]}"#, "Decode"),
        (r#"{"code":200,"data":{"status_cd":"1"}}"#, "Decode"),
        (r#"{"code":200,"data":{"status_cd":"1","data":null}}"#, "Decode"),
        (r#"{"code":200,"message":"queued","data":{"status_cd":"1"}}"#, "Decode queued"),
        ("<html><body>200</body></html>", "Decode"),
        ("\u{feff}<!DOCTYPE html>", "Decode"),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "Decode"),
        ("{\"code\":200,\"data\":{\"status_cd\":\"1\",\"data\":{\"all_oth\":", "Decode"),
        (
            "{\"code\":200,\"data\":{\"status_cd\":\"0\",\"error\":{\"error_cd\":\"RET1\",\"mess",
            "Business RET1",
        ),
        ("{\"code\":401,\"message\":\"expired\",\"data", "SessionExpired expired"),
        ("{'code': 200, 'data': {}}", "Decode"),
        ("{code: 200}", "Decode"),
        ("{\"data\":{\"data\":{\"x\":NaN}}}", "Decode"),
        (")]}',\n{\"data\":{\"data\":{}}}", "Decode"),
        ("callback({\"data\":{\"data\":{}}})", "Decode"),
        ("data: {\"data\":{\"data\":{}}}\n\n", "Decode"),
    ])
    .await;
}

#[tokio::test]
async fn what_follows_an_answer_does_not_hide_a_failure() {
    let failed = r#"{"data":{"status_cd":"0","error":{"error_cd":"RET1","message":"no"}}}"#;
    for (body, expected) in [
        (format!("{GOOD}\n \t"), "ok"),
        (format!("\u{feff}{GOOD}"), "ok"),
        (format!("{GOOD}x"), "Decode"),
        (format!("{GOOD}\0"), "Decode"),
        (format!("{GOOD}{GOOD}"), "Decode"),
        (format!("{GOOD}\n{failed}"), "Decode"),
        (format!("{GOOD}<!-- x -->"), "Decode"),
        (format!("{failed}x"), "Business RET1 no"),
        (format!("{failed}\n{GOOD}"), "Business RET1 no"),
        (format!("\u{feff}{failed}"), "Business RET1 no"),
        (format!("\u{feff}\n{failed}"), "Business RET1 no"),
    ] {
        assert_eq!(outcome(body.clone()).await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_body_may_be_in_utf_16() {
    let failed = r#"{"data":{"status_cd":"0","error":{"error_cd":"RET1","message":"né"}}}"#;
    for (text, expected) in [(GOOD, "ok"), (failed, "Business RET1 né"), ("<html>", "Decode")] {
        for mark in ["", "\u{feff}"] {
            let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            assert_eq!(outcome(little).await, expected, "{text}");
            assert_eq!(outcome(big).await, expected, "{text}");
        }
    }
    // Each byte of a message that is no text costs that byte.
    assert_eq!(
        outcome(
            b"{\"data\":{\"status_cd\":\"0\",\"error\":{\"error_cd\":\"RET1\",\"message\":\"n\xe9\"}}}"
                .to_vec()
        )
        .await,
        "Business RET1 n\u{fffd}"
    );
}

#[tokio::test]
async fn a_queued_answer_is_told_in_any_form() {
    let mut wrong = Vec::new();
    for data in [
        r#""data":{"status_cd":"2","data":{"token":"feed","est":"30"}}"#,
        r#""data":{"status_cd":2,"data":{"token":5,"est":30.0}}"#,
        r#""data":{"status_cd":"1","data":{"token":"feed","est":" 30 mins "}}"#,
        r#""data":{"status_cd":"1","data":{"token":"feed","est":null}}"#,
        r#""data":{"status_cd":"1","data":{"token":"feed","est":""}}"#,
        r#""data":{"data":{"Token":"feed","EST":"30"}}"#,
        r#""data":{"token":"feed","est":"30"}"#,
        r#""data":{"token":"feed","est":"30","data":{}}"#,
        r#""token":"feed","est":30"#,
        r#""data":{"status_cd":"0","error":{"error_cd":"RTN_24","message":"later"},"token":"feed","est":"30"}"#,
    ] {
        let found = outcome(format!(r#"{{"code":200,{data}}}"#)).await;
        if !found.starts_with("Business not ready") {
            wrong.push(format!("{data} is {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Without a token, or without a time, it is what its payload says.
    assert_eq!(outcome(r#"{"data":{"status_cd":"2","data":{"est":"30"}}}"#).await, "Decode");
    assert_eq!(outcome(r#"{"data":{"status_cd":"2","data":{"token":"x"}}}"#).await, "Decode");
}

/// With other statuses too the codes and the words are told.
#[tokio::test]
async fn a_failure_of_http_keeps_what_it_says() {
    let mut wrong = Vec::new();
    for (status, body, expected) in [
        (400, r#"[{"error_cd":"RET1","message":"no"}]"#, "Api RET1 no"),
        (400, r#"{"Errors":[{"Code":"RET1","Description":"no"}]}"#, "Api RET1 no"),
        (400, r#"{"errors":{"gstin":["is wrong"]}}"#, "Api"),
        (400, r#"{"error":"Bad Request"}"#, "Api Bad Request"),
        (422, r#"{"data":{"err_cd":"RET1","err_msg":"no"}}"#, "Api RET1 no"),
        (422, r#"{"code":"RET1","message":"no"}"#, "Api RET1 no"),
        (401, r#"{"Message":"expired"}"#, "SessionExpired expired"),
        (403, r#"{"MESSAGE":"Access Token has EXPIRED"}"#, "SessionExpired Access Token has EXPIRED"),
        (403, r#"{"message":null}"#, "Denied"),
        (500, "null", "Api"),
        (500, "", "Api"),
        (500, "[]", "Api"),
        (502, "<html>", "Api"),
        (520, r#"{"error":{"message":"down"}}"#, "Api down"),
        (504, "{\"message\":\"Endpoint request timed ou", "Api"),
        (429, r#"{"message":"Too Many Requests"}"#, "RateLimited Too Many Requests"),
        (
            404,
            r#"{"data":{"status_cd":"0","error":{"error_cd":"RET11416","message":"none"}}}"#,
            "Api RET11416 none",
        ),
        (201, GOOD, "Decode"),
        (204, "", "Decode"),
        (206, GOOD, "Decode"),
    ] {
        let found = with_status(status, body).await;
        if found != expected {
            wrong.push(format!("{status} {body} is {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What an unknown compression leaves is no answer.
#[tokio::test]
async fn a_body_that_is_not_compressed_as_declared_is_told() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00";
    for (header, body) in [
        (vec![("content-encoding", "gzip")], GOOD.as_bytes()),
        (vec![("content-encoding", "gzip")], &gzip[..]),
        (vec![], &gzip[..]),
        (vec![("content-encoding", "zstd")], &gzip[..]),
    ] {
        let server = Server::always(answer_with(200, &header, body)).await;
        let session = client(&server)
            .retry(sandbox_client::RetryPolicy::none())
            .build()
            .unwrap()
            .taxpayer_session()
            .unwrap();
        let error =
            session.call("get_invoice_count", &[("type_of_goods", "others")], None).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Transport), "{header:?}: {error:?}");
        assert!(error.maybe_processed());
    }
}

/// Of equal names the one that tells a failure counts, whatever its letters.
#[tokio::test]
async fn a_repeated_name_does_not_hide_a_failure() {
    all(&[
        (r#"{"data":{"status_cd":"1","STATUS_CD":"0","data":{"x":1}}}"#, "Business"),
        (r#"{"data":{"Status_cd":"0","status_cd":"1","data":{"x":1}}}"#, "Business"),
        (r#"{"success":false,"success":true,"data":{"data":{"x":1}}}"#, "Business"),
        (r#"{"code":500,"code":200,"data":{"data":{"x":1}}}"#, "Api"),
        (r#"{"code":200,"code":500,"data":{"data":{"x":1}}}"#, "Api"),
        (r#"{"data":{"data":{"x":1}},"data":{"error":{"error_cd":"RET1"}}}"#, "Business RET1"),
    ])
    .await;
    let long = json!(vec!["x".repeat(50); 200]).to_string();
    for body in [
        format!(r#"{{"STATUS_CD":"0","data":{{"data":{{"x":{long}}}}}}}"#),
        format!(r#"{{"data":{{"data":{{"x":{long}}},"Error":{{"Error_Cd":"RET1"}}}}}}"#),
    ] {
        assert!(outcome(body).await.starts_with("Business"));
    }
}
