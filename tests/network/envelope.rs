//! Failures and successes as the envelope tells them (cases E), all with
//! HTTP status 200 unless said otherwise.

use sandbox_client::{Client, Error, ErrorKind, values::InvoiceCounts};
use serde_json::{Value, json};

use crate::support::{self, Server, answer, answer_with, call, client, envelope, failing};

async fn result(body: impl AsRef<[u8]>) -> (Result<InvoiceCounts, Error>, usize) {
    let server = Server::always(answer_with(200, &[], body)).await;
    let result = call(&client(&server).build().unwrap()).await;
    (result, server.hits())
}

async fn fails(body: impl AsRef<[u8]>) -> Error {
    let text = String::from_utf8_lossy(body.as_ref()).into_owned();
    let (result, hits) = result(body).await;
    assert_eq!(hits, 1, "{text}");
    result.expect_err(&text)
}

async fn succeeds(body: impl AsRef<[u8]>) -> InvoiceCounts {
    let text = String::from_utf8_lossy(body.as_ref()).into_owned();
    let (result, hits) = result(body).await;
    assert_eq!(hits, 1, "{text}");
    result.unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

fn refused(error: &Value) -> String {
    envelope(&json!({"status_cd": "0", "error": error})).to_string()
}

fn counts() -> Value {
    json!({"all_oth": {"b2b": {"noaction": 11, "accept": 1}, "ttl_cnt": 12}})
}
#[tokio::test]
async fn business_failures_keep_their_code() {
    for (code, kind) in [
        ("AUTH4033", ErrorKind::SessionExpired),
        ("AUTH4038", ErrorKind::SessionExpired),
        ("AUTH403", ErrorKind::Business),
        ("RETPV01", ErrorKind::Business),
        ("ÄNY-thing/1", ErrorKind::Business),
    ] {
        for name in ["error_cd", "error_code"] {
            let error = fails(refused(&json!({name: code, "message": "Invalid Session"}))).await;
            assert_eq!((error.kind(), error.error_code()), (kind, Some(code)), "{error:?}");
            assert_eq!(error.provider_message(), Some("Invalid Session"));
            assert_eq!((error.status(), error.transaction_id()), (Some(200), Some("t-200")));
            assert!(!error.is_retryable());
            assert_eq!(error.is_session_expired(), kind == ErrorKind::SessionExpired);
            assert!(!error.is_no_records());
        }
    }
}

/// Text, number and boolean count alike. What the document does not
/// know is neither success nor failure, and so no success.
#[tokio::test]
async fn the_status_may_have_any_form() {
    for status in [json!("0"), json!(0), json!("0 "), json!(false), json!("false"), json!(0.0)] {
        let body = envelope(&json!({"status_cd": status, "data": counts()}));
        let error = fails(body.to_string()).await;
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, None), "{body}");
        // Laid out by somebody else.
        let spaced = serde_json::to_string_pretty(&body).unwrap().replace("\": ", "\"\n :\t ");
        assert_eq!(fails(spaced).await.kind(), ErrorKind::Business, "{body}");
    }
    for status in [json!("1"), json!(1), json!(" 1 "), json!(1.0), json!("01"), json!(""), Value::Null] {
        let body = envelope(&json!({"status_cd": status, "data": counts()}));
        assert_eq!(succeeds(body.to_string()).await.total(), 12, "{status}");
    }
    for status in [
        json!(true),
        json!("true"),
        json!("3"),
        json!(10),
        json!(1.5),
        json!(-1),
        json!("P"),
        json!("success"),
        json!(["0"]),
        json!({"code": "0"}),
    ] {
        for body in [
            envelope(&json!({"status_cd": status, "data": counts()})),
            json!({"status_cd": status, "data": {"status_cd": "1", "data": counts()}}),
        ] {
            let error = fails(body.to_string()).await;
            assert_eq!((error.kind(), error.maybe_processed()), (ErrorKind::Decode, true), "{body}: {error}");
            assert!(error.to_string().contains("status"), "{error}");
        }
    }
    assert_eq!(succeeds(envelope(&json!({"data": counts()})).to_string()).await.total(), 12);
}

/// An error with content wins over a status that claims success; an empty
/// one is nothing.
#[tokio::test]
async fn an_error_beside_a_success_is_a_failure() {
    for error in
        [json!({"error_cd": "RET1"}), json!({"message": "No"}), json!({"error_cd": "RET1", "message": null})]
    {
        let body = envelope(&json!({"status_cd": "1", "data": counts(), "error": error}));
        assert_eq!(fails(body.to_string()).await.kind(), ErrorKind::Business, "{body}");
    }
    for error in [
        json!("Forbidden"),
        json!(true),
        json!(500),
        json!([{"error_cd": "RET1"}]),
        json!({"reason": {"text": "No"}}),
    ] {
        for body in [
            envelope(&json!({"status_cd": "1", "data": counts(), "error": error})),
            json!({"error": error, "data": {"status_cd": "1", "data": counts()}}),
        ] {
            assert_eq!(fails(body.to_string()).await.kind(), ErrorKind::Business, "{body}");
        }
    }
    for error in [
        json!({}),
        Value::Null,
        json!({"error_cd": "", "message": " "}),
        json!(""),
        json!([]),
        json!(false),
        json!(0),
        json!("null"),
    ] {
        let body = envelope(&json!({"status_cd": "1", "data": counts(), "error": error}));
        assert_eq!(succeeds(body.to_string()).await.total(), 12);
    }
}

/// An error code straight under `data`, as some operations have it.
#[tokio::test]
async fn a_bare_error_code_is_a_failure() {
    let body = envelope(&json!({"error_cd": "RETPV01", "message": "No"}));
    let error = fails(body.to_string()).await;
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("RETPV01")), "{error:?}");
}

/// GSTN's reason is told whatever the HTTP status beside it.
#[tokio::test]
async fn a_reason_beside_another_status_is_told() {
    for data in [
        json!({"status_cd": "0", "error": {"error_cd": "RET1", "message": "No"}}),
        json!({"error_code": "RET1", "message": "No"}),
    ] {
        let server = Server::always(answer(422, &json!({"code": 422, "data": data}))).await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)), "{error:?}");
        assert_eq!((error.error_code(), error.provider_message()), (Some("RET1"), Some("No")), "{data}");
    }
}

/// Members in another order, the status as a number.
#[tokio::test]
async fn nested_data_is_read_in_any_order() {
    let body = r#"{"data": {"data": {"all_oth": {"ttl_cnt": 3, "b2b": {"accept": 3}}}, "status_cd": 1}, "code": 200}"#;
    let counts = succeeds(body).await;
    assert_eq!((counts.total(), counts.accepted()), (3, 3));
}

/// A key may be written with escapes, which changes nothing of its meaning.
#[tokio::test]
async fn an_escaped_failure_is_a_failure() {
    for body in [
        r#"{"code": 200, "data": {"\u0073tatus_cd": "0", "data": {"all_oth": {}}}}"#,
        r#"{"\u0063ode": 500, "data": {"status_cd": "1", "data": {"all_oth": {}}}}"#,
        r#"{"code": 200, "data": {"status_cd": "1", "data": {"all_oth": {}}, "err\u006fr": {"error_cd": "X"}}}"#,
    ] {
        let server = Server::always(answer_with(200, &[], body)).await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert!(matches!(error.kind(), ErrorKind::Business | ErrorKind::Api), "{body}: {error:?}");
    }
}

/// What a call does not need cannot fail it.
#[tokio::test]
async fn optional_members_may_be_odd_or_missing() {
    let data = json!({"status_cd": "1", "data": counts()});
    for timestamp in [
        json!("1763446641000"),
        json!(1_763_446_641_000.5),
        json!(-5),
        json!(1_763_446_641),
        json!("soon"),
        Value::Null,
    ] {
        let body = json!({"code": 200, "timestamp": timestamp, "data": data});
        assert_eq!(succeeds(body.to_string()).await.total(), 12, "{body}");
    }
    let long = "x".repeat(10 * 1024);
    for id in [Value::Null, json!(""), json!(long), json!("a\r\n\u{1b}[31mb"), json!([1]), json!({})] {
        let body = json!({"transaction_id": id, "data": data});
        assert_eq!(
            succeeds(body.to_string()).await.transaction_id.as_deref(),
            id.as_str().filter(|id| !id.is_empty())
        );
    }
    let everywhere = json!({
        "code": 200, "new": [1, {"x": null}], "data": {
            "status_cd": "1", "new": {"status": 0}, "data": {
                "new_group": {"b2b": {"accept": 1, "new_counter": 2}, "ttl_cnt": 3},
            },
        },
    });
    let counts = succeeds(everywhere.to_string()).await;
    assert_eq!(counts.total(), 3);
    assert_eq!(counts.section("b2b").unwrap().other["new_counter"], 2);
}

/// What the provider says is escaped, cut, and never fails the error.
#[tokio::test]
async fn the_provider_s_words_are_escaped_and_cut() {
    let odd = [
        (Value::Null, None),
        (json!(["a"]), None),
        (json!({"a": 1}), None),
        (json!(" "), None),
        (json!(17), Some("17".to_owned())),
        (json!("a\r\nb\u{202e}\u{1b}[31m"), Some(r"a\u{d}\u{a}b\u{202e}\u{1b}[31m".to_owned())),
        (json!("é".repeat(1024 * 1024)), Some("é".repeat(512) + "…")),
    ];
    for (message, expected) in &odd {
        let body = json!({"code": 422, "message": message});
        let server = Server::always(answer(422, &body)).await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)), "{error:?}");
        assert_eq!(error.provider_message(), expected.as_deref());
        assert!(error.to_string().chars().count() < 1000, "{error}");

        let error = fails(refused(&json!({"error_cd": "RET1", "message": message}))).await;
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("RET1")), "{error:?}");
        assert_eq!(error.provider_message(), expected.as_deref());
    }
    for (id, expected) in [
        (json!("x".repeat(10 * 1024)), Some("x".repeat(80) + "…")),
        (json!("a\nb"), Some(r"a\u{a}b".to_owned())),
        (Value::Null, None),
    ] {
        let server = Server::always(answer(404, &json!({"transaction_id": id}))).await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!(error.transaction_id(), expected.as_deref());
        assert!(error.to_string().chars().count() < 200, "{error}");
    }
    let error = fails(refused(&json!({"error_cd": "X".repeat(1024)}))).await;
    assert_eq!(error.error_code(), Some(&*("X".repeat(80) + "…")));
}

/// The path is told, what stands there is not.
#[tokio::test]
async fn data_of_the_wrong_shape_is_told_by_its_path() {
    for (data, path) in [
        (Value::Null, "data.data"),
        (json!([]), "data"),
        (json!("AAAAA0000A"), "data"),
        (json!(17), "data"),
        (json!({"status_cd": "1", "data": []}), "data.data"),
        (json!({"status_cd": "1", "data": "AAAAA0000A"}), "data.data"),
        (json!({"status_cd": "1", "data": {"all_oth": [7]}}), "data.data.all_oth"),
        (json!({"status_cd": "1", "data": {"all_oth": {"b2b": 5}}}), "data.data.all_oth.b2b"),
        (
            json!({"status_cd": "1", "data": {"all_oth": {"b2b": {"accept": "AAAAA0000A"}}}}),
            "data.data.all_oth.b2b.accept",
        ),
        (json!({"status_cd": "1"}), "data.data"),
        (json!({"status_cd": "1", "data": null}), "data.data"),
        (json!({}), "data.data"),
    ] {
        let error = fails(envelope(&data).to_string()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{data}: {error:?}");
        assert_eq!((error.operation(), error.transaction_id()), (Some("get_invoice_count"), Some("t-200")));
        assert_eq!((error.attempts(), error.is_retryable()), (1, false));
        assert!(error.to_string().contains(&format!("`{path}`")), "{data}: {error}");
        assert!(!format!("{error:?}").contains("AAAAA0000A"), "{error:?}");
    }
}

/// With a success, no answer; with a failure, still that failure.
#[tokio::test]
async fn a_top_level_that_is_no_envelope() {
    for body in ["null", "[]", "{}", "\"ok\"", "42", "true", "[200, {}]", "{\"data\"", "nonsense", "\0\u{1}"]
    {
        let error = fails(body).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{body}: {error:?}");
        for (status, hits) in [(404, 1), (500, 3)] {
            let server = Server::always(answer_with(status, &[], body)).await;
            let error = failing(&client(&server).build().unwrap()).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)), "{body}: {error:?}");
            assert_eq!(server.hits(), hits);
        }
    }
}

/// An envelope read as a list of its members is no envelope.
#[tokio::test]
async fn a_list_in_the_place_of_an_envelope_is_refused() {
    let body = json!([200, {"status_cd": "1", "data": counts(), "error": null}, 1, "t"]).to_string();
    assert_eq!(fails(body).await.kind(), ErrorKind::Decode);
}

/// The generated way gives the payload and what the envelope says, and the same failures.
#[tokio::test]
async fn the_generated_way_fails_alike() {
    async fn send(client: &Client) -> Error {
        let ims = client.taxpayer_session().unwrap().ims();
        ims.get_invoice_count().type_of_goods("others").send().await.expect_err("a failure")
    }
    for (body, kind) in [
        (refused(&json!({"error_cd": "AUTH4033"})), ErrorKind::SessionExpired),
        (refused(&json!({"error_cd": "RET1"})), ErrorKind::Business),
        (json!({"code": 500}).to_string(), ErrorKind::Api),
        ("[]".to_owned(), ErrorKind::Decode),
        (String::new(), ErrorKind::Decode),
    ] {
        let server = Server::always(answer_with(200, &[], &body)).await;
        let error = send(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.operation()), (kind, Some("get_invoice_count")), "{body}");
    }
    let server = Server::always(support::success()).await;
    let client = client(&server).build().unwrap();
    let ims = client.taxpayer_session().unwrap().ims();
    let answer = ims.get_invoice_count().type_of_goods("others").send().await.unwrap();
    assert_eq!((answer.status(), answer.transaction_id()), (200, Some("t-200")));
    assert_eq!(answer.status_cd().unwrap().as_str(), "1");
    assert_eq!(answer.raw(), support::success_body());
    assert_eq!(answer.groups.len(), 1);

    // The whole body as the payload, and what its envelope says beside it.
    let session = client.taxpayer_session().unwrap();
    let answer = session.call("get_invoice_count", &[("type_of_goods", "others")], None).await.unwrap();
    assert_eq!((answer.transaction_id(), answer["transaction_id"].as_str()), (Some("t-200"), Some("t-200")));
    assert_eq!(answer.status_cd().unwrap().as_str(), "1");
}

/// What a parser cannot read never turns a failure into a success, and costs
/// neither its code nor its meaning.
#[tokio::test]
async fn a_failure_with_unreadable_text_is_a_failure() {
    let dead = |message: &[u8]| {
        let mut body = br#"{"code": 200, "transaction_id": "t-9", "data": {"error": {"message": ""#.to_vec();
        body.extend_from_slice(message);
        body.extend_from_slice(br#"", "error_cd": "AUTH4033"}, "status_cd": "0"}}"#);
        body
    };
    for message in [&b"over \xff"[..], b"over \\ud83d", b"\\uDE00\\ud83d", b"\xf0\x9f", b"\xed\xa0\x80"] {
        let error = fails(dead(message)).await;
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::SessionExpired, Some("AUTH4033")));
        assert_eq!(error.transaction_id(), Some("t-9"), "{message:?}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for odd in ["1e400", "-1e999", &deep] {
        let body =
            format!(r#"{{"data": {{"status_cd": "0", "odd": {odd}, "error": {{"error_cd": "X1"}}}}}}"#);
        let error = fails(body).await;
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("X1")), "{odd}");
    }
    // Where the rules look, it cannot be judged: no success, and it may have been processed.
    for odd in ["1e400", "\"cut", "{"] {
        let error = fails(format!(r#"{{"data": {{"data": {{}}, "status_cd": {odd}"#)).await;
        assert_eq!((error.kind(), error.maybe_processed()), (ErrorKind::Decode, true), "{odd}");
    }
    for zero in ["\"00\"", "0.0", "-0", "\" 0 \"", "\"False\"", "false"] {
        let error = fails(format!(r#"{{"data": {{"data": {{}}, "status_cd": {zero}}}}}"#)).await;
        assert_eq!(error.kind(), ErrorKind::Business, "{zero}");
    }
}

/// GSTN's own failure, passed on without an envelope or beside one.
#[tokio::test]
async fn a_failure_outside_of_data_is_a_failure() {
    let gstn = json!({"error_cd": "GTR2B-002", "message": "being generated"});
    for body in [
        json!({"status_cd": 0, "error": gstn}),
        json!({"status_cd": "1", "error": gstn, "data": {"status_cd": "1", "data": counts()}}),
        json!({"code": 200, "transaction_id": "t-1", "data": null, "error": gstn}),
    ] {
        let error = fails(body.to_string()).await;
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("GTR2B-002")), "{body}");
        assert_eq!(error.provider_message(), Some("being generated"));
    }
    let refused = json!({"status_cd": "0", "data": {"status_cd": "1", "data": counts()}});
    assert_eq!(fails(refused.to_string()).await.kind(), ErrorKind::Business);
}

/// A byte order mark and broken text beside the counts cost nothing; the body
/// is kept as it was received.
#[tokio::test]
async fn odd_text_in_a_success_costs_nothing() {
    let plain = String::from_utf8(support::success_body()).unwrap();
    let marked = [b"\xef\xbb\xbf", plain.as_bytes()].concat();
    assert_eq!(succeeds(&marked).await.total(), 12);
    let broken = plain.replacen('{', "{\"note\": \"\\ud83d \", ", 1).into_bytes();
    assert_eq!(succeeds(&broken).await.total(), 12);

    let server = Server::always(answer_with(200, &[], &marked)).await;
    let ims = client(&server).build().unwrap().taxpayer_session().unwrap().ims();
    let answer = ims.get_invoice_count().type_of_goods("others").send().await.unwrap();
    assert_eq!(answer.raw(), marked);
}
