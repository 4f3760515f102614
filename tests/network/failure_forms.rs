//! The forms that failures inside status 200 have, what their codes mean, and
//! answers that are still being prepared.

use std::time::Duration;

use sandbox_client::{CodeMeaning, Error, ErrorKind};
use serde_json::{Value, json};

use crate::support::{Server, answer, client, envelope, success_body};

const READ: (&str, &[(&str, &str)]) = ("get_invoice_count", &[("type_of_goods", "others")]);
const WRITE: (&str, &[(&str, &str)]) = ("regenerate_gstr_2b", &[("year", "2025"), ("month", "11")]);

/// What a call makes of these answers, one after the other, and how often it is sent.
async fn outcome(call: (&str, &[(&str, &str)]), answers: &[&Value]) -> (Result<Value, Error>, usize) {
    let server = Server::answering(answers.iter().map(|body| answer(200, body))).await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let result = session.call(call.0, call.1, None).await;
    (result.map(sandbox_client::Answer::into_inner), server.hits())
}

/// The failure of a call that is sent once.
async fn fails(call: (&str, &[(&str, &str)]), body: &Value) -> Error {
    let (result, hits) = outcome(call, &[body]).await;
    assert_eq!(hits, 1, "{body}");
    result.expect_err(&body.to_string())
}

fn refused(code: &str) -> Value {
    envelope(&json!({"status_cd": "0", "error": {"error_cd": code, "message": "the reason"}}))
}

fn accepted() -> Value {
    serde_json::from_slice(&success_body()).unwrap()
}

/// The registration portal: a number, and a list of errors.
#[tokio::test]
async fn a_list_of_errors_is_told_entry_by_entry() {
    let body = envelope(&json!({
        "Data": null,
        "ErrorDetails": [
            {"ErrorCode": "3026", "ErrorMessage": "not enabled"},
            {"ErrorCode": 2300, "ErrorMessage": "not regular"},
            {"ErrorCode": "2193"},
            "a text",
            null,
        ],
        "InfoDtls": null,
        "Status": 0,
    }));
    let error = fails(READ, &body).await;
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("3026")));
    let codes: Vec<_> = error.codes().iter().map(|code| (code.code(), code.message())).collect();
    assert_eq!(codes, [("3026", Some("not enabled")), ("2300", Some("not regular")), ("2193", None)]);
    assert_eq!(error.transaction_id(), Some("t-200"));
    assert!(error.to_string().contains("codes 3026, 2300, 2193"), "{error}");

    // Without a word of a status, and where the status claims success.
    for status in [Value::Null, json!(1)] {
        let body = envelope(&json!({"Status": status, "ErrorDetails": [{"ErrorCode": "9"}]}));
        assert_eq!(fails(READ, &body).await.error_code(), Some("9"), "{body}");
    }
    // Null and an empty list are no errors, and 1 is success.
    for none in [Value::Null, json!([])] {
        let body = envelope(&json!({"Status": 1, "ErrorDetails": none, "InfoDtls": [], "data": {"x": 1}}));
        assert!(outcome(READ, &[&body]).await.0.is_ok(), "{body}");
    }
}

/// What comes with the failure is kept, in both of its forms, and not printed.
#[tokio::test]
async fn information_beside_a_failure_is_kept() {
    let body = envelope(&json!({
        "Status": 0,
        "ErrorDetails": [{"ErrorCode": "2150", "ErrorMessage": "Duplicate IRN"}],
        "InfoDtls": [
            {"InfCd": "DUPIRN", "Desc": {"AckNo": 112_410_188_589_976_u64, "Irn": "feed0001", "odd": [1]}},
            {"InfCd": "EWBPPD", "Desc": "57KM"},
            17,
            [],
        ],
    }));
    let error = fails(READ, &body).await;
    assert_eq!(error.provider_message(), Some("Duplicate IRN"));
    let [duplicate, distance, ..] = error.info() else { panic!("{:?}", error.info()) };
    assert_eq!((duplicate.code(), duplicate.text()), ("DUPIRN", None));
    assert_eq!((duplicate.get("AckNo"), duplicate.get("Irn")), (Some("112410188589976"), Some("feed0001")));
    assert_eq!((duplicate.get("odd"), distance.text()), (None, Some("57KM")));
    assert!(!format!("{error} {error:?} {:?}", error.info()).contains("feed0001"));
}

/// E-way bills: a status as text, and codes joined in one text.
#[tokio::test]
async fn codes_in_one_text_are_told_apart() {
    for (codes, expected) in
        [("705, ", vec!["705"]), ("212,", vec!["212"]), ("1, 2,,3", vec!["1", "2", "3"]), (",", vec![])]
    {
        let body = envelope(&json!({"status": "0", "error": {"errorCodes": codes}, "info": ""}));
        let error = fails(READ, &body).await;
        let told: Vec<_> = error.codes().iter().map(sandbox_client::ErrorCode::code).collect();
        assert_eq!((error.kind(), told), (ErrorKind::Business, expected), "{codes:?}");
    }
    let body = envelope(&json!({"status": "0", "error": {"errorCodes": "702,"}, "info": ", The distance "}));
    assert_eq!(fails(READ, &body).await.provider_message(), Some("The distance"));
}

/// 0 in any form and by any of the three names, beside the payload or around it.
#[tokio::test]
async fn zero_by_any_name_is_a_failure() {
    for name in ["status_cd", "Status", "status"] {
        for zero in
            [json!(0), json!("0"), json!("00"), json!(" 0 "), json!(0.0), json!(false), json!("FALSE")]
        {
            let mut inside = accepted();
            inside["data"][name] = zero.clone();
            let mut around = accepted();
            around[name] = zero;
            for body in [inside, around] {
                assert_eq!(fails(READ, &body).await.kind(), ErrorKind::Business, "{body}");
            }
        }
    }
    // Words and other members of a payload mean nothing here.
    for status in ["created", "ACT", "Failed to file", ""] {
        let mut body = accepted();
        body["data"]["status"] = status.into();
        body["data"]["data"]["status"] = json!(0);
        body["data"]["data"]["error"] = json!({"error_cd": "R3B0001"});
        assert!(outcome(READ, &[&body]).await.0.is_ok(), "{body}");
    }
}

/// Of two members of one name, the worse one counts.
#[tokio::test]
async fn a_repeated_status_does_not_hide_a_failure() {
    for body in [
        r#"{"data": {"status_cd": "0", "status_cd": "1", "data": {"x": 1}}}"#,
        r#"{"data": {"status_cd": "1", "status_cd": "0", "data": {"x": 1}}}"#,
        r#"{"data": {"status_cd": "0"}, "data": {"status_cd": "1", "data": {"x": 1}}}"#,
        r#"{"code": 200, "data": {"error": {"error_cd": "X"}, "error": null, "data": {"x": 1}}}"#,
    ] {
        let server = Server::always(crate::support::answer_with(200, &[], body)).await;
        let session = client(&server).build().unwrap().taxpayer_session().unwrap();
        let error = session.call(READ.0, READ.1, None).await.expect_err(body);
        assert_eq!(error.kind(), ErrorKind::Business, "{body}");
    }
}

/// The provider could not reach GSTN: worth another attempt where that is safe.
#[tokio::test]
async fn a_provider_that_is_down_is_asked_again_by_reads() {
    let down = json!({"success": false, "message": "GSPERR300 : Ei : GSPGSTDOWN"});
    for body in [down.clone(), envelope(&down), json!({"success": "false", "Message": down["message"]})] {
        let (result, hits) = outcome(READ, &[&body, &accepted()]).await;
        assert!(result.is_ok() && hits == 2, "{body}: {result:?}");

        let (result, hits) = outcome(READ, &[&body, &body, &body]).await;
        let error = result.unwrap_err();
        assert_eq!((error.provider_message(), hits), (Some("GSPERR300 : Ei : GSPGSTDOWN"), 3));
        assert!(error.is_retryable());

        let error = fails(WRITE, &body).await;
        assert!(!error.is_retryable() && error.maybe_processed(), "{error:?}");
    }
    for none in [json!(true), Value::Null, json!("true")] {
        let mut body = accepted();
        body["success"] = none;
        assert!(outcome(READ, &[&body]).await.0.is_ok(), "{body}");
    }
}

/// A failure of GSTN without an envelope, and a code without anything around it.
#[tokio::test]
async fn a_code_without_an_envelope_is_told() {
    for body in [
        json!({"error": {"error_cd": "GTR2B-002", "message": "the reason"}, "status_cd": 0}),
        json!({"error_cd": "GTR2B-002", "message": "the reason"}),
        json!({"errorCode": "GTR2B-002", "errorMessage": "the reason"}),
        envelope(&json!({"status_cd": "1", "error_cd": "GTR2B-002", "message": "the reason", "data": {}})),
    ] {
        let error = fails(READ, &body).await;
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("GTR2B-002")), "{body}");
        assert_eq!(error.provider_message(), Some("the reason"), "{body}");
        assert!(error.is_not_ready());
    }
}

/// The failure of a job stands below a payload at `/data`.
#[tokio::test]
async fn a_failure_below_the_payload_of_a_job_is_told() {
    let job = |inside: Value| envelope(&json!({"job_id": "j", "status": "failed", "data": inside}));
    let error = json!({"error_cd": "EINV30113", "message": "Invalid Return Period"});
    for inside in
        [json!({"status_cd": "0", "error": error}), json!({"status_cd": "0", "error": error, "x": []})]
    {
        let told = fails(("refresh_session", &[]), &job(inside)).await;
        assert_eq!((told.kind(), told.error_code()), (ErrorKind::Business, Some("EINV30113")));
        assert_eq!(told.provider_message(), Some("Invalid Return Period"));
    }
}

/// Everybody's table: what codes mean, for reads and writes.
#[tokio::test]
async fn codes_mean_what_the_table_says() {
    for code in ["AUTH4033", "AUTH4038", "AUTH158", "OTP0011", "RET11402", "RET2B1010", "RT-R1R3BAV-1007"] {
        let error = fails(READ, &refused(code)).await;
        assert_eq!(
            (error.kind(), error.meaning()),
            (ErrorKind::SessionExpired, Some(CodeMeaning::SessionOver))
        );
    }
    for code in [
        "RET11416",
        "RET11417",
        "RETWEB_04",
        "RET13508",
        "RET13509",
        "RET13510",
        "RT-3BAS1009",
        "IMS0027",
        "FO8000",
        "NOGSTIN",
        "EINV30118",
    ] {
        let error = fails(READ, &refused(code)).await;
        assert!(error.is_no_records() && error.kind() == ErrorKind::Business, "{error:?}");
        assert!(!error.is_retryable() && !error.is_not_ready());
        // With another status it is a failure like any other.
        for status in [404, 422, 500] {
            let server = Server::always(answer(status, &refused(code))).await;
            let session = client(&server).build().unwrap().taxpayer_session().unwrap();
            let error = session.call(READ.0, READ.1, None).await.unwrap_err();
            assert!(!error.is_no_records() && error.kind() == ErrorKind::Api, "{error:?}");
            assert_eq!(error.error_code(), Some(code));
        }
        let mut inside = refused(code);
        inside["code"] = json!(422);
        assert!(!fails(READ, &inside).await.is_no_records());
    }
    for code in ["RET2B1018", "GTR2B-001", "GTR2B-002", "RTN_24", "RT-9AS-1007"] {
        let error = fails(READ, &refused(code)).await;
        assert!(error.is_not_ready() && error.is_retryable() && !error.is_no_records(), "{error:?}");
        assert_eq!((error.retry_after(), error.attempts()), (None, 1));
    }
    for code in ["RET12501", "GEN4004"] {
        let (result, hits) = outcome(READ, &[&refused(code), &accepted()]).await;
        assert!(result.is_ok() && hits == 2, "{code}: {result:?}");
        let error = fails(WRITE, &refused(code)).await;
        assert!(!error.is_retryable() && error.maybe_processed(), "{error:?}");
    }
}

/// A code that ends the session does so with a 4xx and beside other codes too.
#[tokio::test]
async fn a_dead_session_is_told_whatever_is_beside_it() {
    for (status, body, kind) in [
        (422, refused("AUTH4033"), ErrorKind::SessionExpired),
        (500, refused("AUTH4033"), ErrorKind::Api),
        (
            200,
            envelope(&json!({"error": [{"error_cd": "X"}, {"error_cd": "AUTH158"}]})),
            ErrorKind::SessionExpired,
        ),
        (
            200,
            envelope(&json!({"error": [{"error_cd": "RET11416"}, {"error_cd": "X"}]})),
            ErrorKind::Business,
        ),
    ] {
        let server = Server::always(answer(status, &body)).await;
        let session = client(&server).build().unwrap().taxpayer_session().unwrap();
        let error = session.call(READ.0, READ.1, None).await.unwrap_err();
        assert_eq!((error.kind(), error.is_no_records()), (kind, false), "{body}");
    }
}

/// An earlier job is not finished: not processed, and nothing for a moment.
#[tokio::test]
async fn a_busy_job_may_be_sent_again_later() {
    let error = fails(WRITE, &refused("IMSSAV0015")).await;
    assert_eq!((error.kind(), error.meaning()), (ErrorKind::Business, Some(CodeMeaning::Busy)));
    assert!(error.is_retryable() && !error.maybe_processed(), "{error:?}");
    assert!(error.to_string().contains("wait for the earlier job"), "{error}");
}

/// A write that is answered with its reference and an error has been heard.
#[tokio::test]
async fn a_write_with_a_reference_and_an_error_may_have_been_processed() {
    let error = json!({"error_cd": "RET1", "message": "No"});
    for body in [
        envelope(&json!({"status_cd": "1", "data": {"reference_id": "r-1"}, "error": error})),
        envelope(&json!({"status_cd": "0", "data": {"reference_id": "r-1"}, "error": error})),
        envelope(&json!({"status_cd": "0", "reference_id": "r-1", "error": error})),
        json!({"reference_id": "r-1", "status_cd": "0", "error": error}),
        // Even a code that promises the contrary, and an expired session.
        envelope(&json!({"reference_id": "r-1", "error": {"error_cd": "IMSSAV0015"}})),
        envelope(&json!({"reference_id": "r-1", "error": {"error_cd": "AUTH4033"}})),
    ] {
        let error = fails(WRITE, &body).await;
        assert!(error.maybe_processed() && !error.is_retryable(), "{body}: {error:?}");
        assert!(error.to_string().contains("may have been processed"), "{error}");
    }
    let error = fails(WRITE, &envelope(&json!({"status_cd": "0", "data": {}, "error": error}))).await;
    assert!(!error.maybe_processed(), "{error:?}");
}

/// A token and a time in the place of the list: no empty list, and no retry at once.
#[tokio::test]
async fn an_answer_that_is_being_prepared_is_told() {
    const MINUTE: Duration = Duration::from_secs(60);
    for (data, wait) in [
        (json!({"status_cd": "2", "data": {"token": "feed0002", "est": "30"}}), Some(30 * MINUTE)),
        (json!({"status_cd": "1", "data": {"token": "feed0002", "est": 30}}), Some(30 * MINUTE)),
        (json!({"data": {"token": "feed0002", "est": "30 minutes"}}), Some(30 * MINUTE)),
        (json!({"token": "feed0002", "est": "soon"}), None),
        (json!({"status_cd": "1", "data": {"token": "feed0002", "est": "99999999999999999999"}}), None),
    ] {
        let error = fails(READ, &envelope(&data)).await;
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Business, wait), "{data}");
        assert!(error.is_not_ready() && error.is_retryable(), "{data}: {error:?}");
        assert_eq!((error.file_token(), error.transaction_id()), (Some("feed0002"), Some("t-200")));
        assert!(!format!("{error} {error:?}").contains("feed0002"), "{error}");
        assert!(!fails(WRITE, &envelope(&data)).await.is_retryable());
    }
    let told = envelope(&json!({
        "status_cd": "0",
        "error": {"error_cd": "RTN_24", "message": "later"},
        "requestid": "x",
        "retryTimeInMinutes": 20,
    }));
    let error = fails(READ, &told).await;
    assert_eq!((error.error_code(), error.retry_after()), (Some("RTN_24"), Some(20 * MINUTE)));
    assert!(error.is_not_ready());

    // A header says it more exactly; one of the two alone is no queue.
    let server =
        Server::always(crate::support::answer_with(200, &[("retry-after", "90")], told.to_string())).await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let error = session.call(READ.0, READ.1, None).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    let token = envelope(&json!({"status_cd": "1", "data": {"token": "feed0002"}}));
    assert!(outcome(READ, &[&token]).await.0.is_ok());
}

/// What members beside the payload say is found at both ends of a long answer.
#[tokio::test]
async fn a_failure_beside_a_long_payload_is_found() {
    let long: Vec<_> = (0..5000).map(|number| json!({"inum": number, "status": "ACT"})).collect();
    for failure in [json!({"success": false}), json!({"status_cd": "0"}), json!({"ErrorDetails": ["x"]})] {
        let data = json!({"status_cd": "1", "data": {"b2b": long}});
        let (name, value) = failure.as_object().unwrap().iter().next().unwrap();
        for body in [
            format!(r#"{{"{name}": {value}, "data": {data}}}"#),
            format!(r#"{{"data": {data}, "{name}": {value}}}"#),
        ] {
            let server = Server::always(crate::support::answer_with(200, &[], body)).await;
            let session = client(&server).build().unwrap().taxpayer_session().unwrap();
            let error = session.call("regenerate_gstr_2b", WRITE.1, None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Business, "{failure}");
        }
    }
}

/// No value of any shape makes a panic or a success of a failure.
#[tokio::test]
async fn odd_values_where_the_rules_look_are_no_success() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for value in ["1e400", "-1e999", &deep, "{\"a\": 1e400}", "[1e400]", "\"\\ud800\"", "9e307", "[[\"0\"]]"]
    {
        for body in [
            format!(r#"{{"data": {{"status_cd": {value}, "data": {{"x": 1}}}}}}"#),
            format!(r#"{{"data": {{"Status": {value}, "data": {{"x": 1}}}}}}"#),
            format!(r#"{{"data": {{"error": {value}, "data": {{"x": 1}}}}}}"#),
            format!(r#"{{"data": {{"error": {{"x": {value}}}, "data": {{"x": 1}}}}}}"#),
            format!(r#"{{"data": {{"ErrorDetails": [{value}], "data": {{"x": 1}}}}}}"#),
        ] {
            let server = Server::always(crate::support::answer_with(200, &[], &body)).await;
            let session = client(&server).build().unwrap().taxpayer_session().unwrap();
            match session.call(READ.0, READ.1, None).await {
                // A word beside a payload means nothing.
                Ok(_) => assert!(body.contains("Status") && value.starts_with('"'), "{body}"),
                Err(error) => {
                    assert!(
                        matches!(error.kind(), ErrorKind::Business | ErrorKind::Decode),
                        "{body}: {error:?}"
                    );
                }
            }
        }
    }
}
