use std::{env, fs, path::PathBuf};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::transport::attempt::Body;

/// An operation of another family, with its payload there.
fn operation(family: &'static str, payload: &'static [&'static str]) -> Operation {
    Operation { family, payload, ..*Operation::find("get_invoice_count").unwrap() }
}

fn verdict(operation: &Operation, status: u16, body: &Value) -> Result<(), Error> {
    let body = Body::new(Bytes::from(body.to_string()));
    check(
        operation,
        &RawAnswer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body },
    )
}

fn refused(operation: &Operation, data: &Value) -> Error {
    verdict(operation, 200, &json!({"code": 200, "data": data})).unwrap_err()
}

/// Portals number on their own, so a number means something in its family alone.
#[test]
fn a_number_means_what_its_family_says() {
    let bills = operation("e_way_bill", &["data", "data"]);
    let invoices = operation("e_invoice", &["data", "Data"]);
    let codes = |codes: &str| json!({"status": "0", "error": {"errorCodes": codes}});
    for (operation, code, kind, meaning) in [
        (&bills, "106", ErrorKind::SessionExpired, Some(CodeMeaning::SessionOver)),
        (&bills, "325,", ErrorKind::Business, Some(CodeMeaning::NoRecords)),
        (&bills, "604,", ErrorKind::Business, Some(CodeMeaning::Duplicate)),
        (&bills, "108", ErrorKind::Auth, Some(CodeMeaning::LoginRefused)),
        (&bills, "366", ErrorKind::Business, Some(CodeMeaning::NotReady)),
        (&bills, "705, ", ErrorKind::Business, None),
        (&bills, "2150", ErrorKind::Business, None),
        (&invoices, "2150", ErrorKind::Business, Some(CodeMeaning::Duplicate)),
        (&invoices, "106", ErrorKind::Business, None),
        (&bills, "325, 705", ErrorKind::Business, None),
        (&bills, "705, 106", ErrorKind::SessionExpired, Some(CodeMeaning::SessionOver)),
    ] {
        let error = refused(operation, &codes(code));
        assert_eq!((error.kind(), error.meaning()), (kind, meaning), "{code}");
    }
    // What comes without a word has those of the table.
    let error = refused(&bills, &codes("705, "));
    let [code] = error.codes() else { panic!("{:?}", error.codes()) };
    assert_eq!((code.code(), code.message()), ("705", Some("the transit type is invalid")));
    assert_eq!(error.provider_message(), None);
    assert!(error.to_string().contains("the transit type is invalid"), "{error}");
}

/// Only a taxpayer's session needs an OTP.
#[test]
fn another_session_that_is_over_needs_no_otp() {
    let taxpayer = operation("e_way_bill", &["data", "data"]);
    let portal = Operation { credential: Credential::Session("portal_token"), ..taxpayer };
    let over = json!({"status": "0", "error": {"errorCodes": "106"}});
    assert!(refused(&taxpayer, &over).to_string().contains("OTP"));
    let error = refused(&portal, &over);
    assert!(error.is_session_expired() && !error.to_string().contains("OTP"), "{error}");
}

/// Where the rules look, and where a payload may say what it likes.
#[test]
fn each_level_on_the_way_to_the_payload_is_judged() {
    let failure = |depth: usize| {
        let keys = ["data"; 4];
        keys[..depth].iter().fold(json!({"status_cd": "0", "x": 1}), |inner, key| json!({*key: inner}))
    };
    for (payload, failing, passing) in [
        (&[][..], &[0, 1][..], &[2, 3][..]),
        (&["data"], &[0, 1, 2], &[3]),
        (&["data", "data"], &[0, 1], &[2, 3]),
        (&["data", "data", "data"], &[0, 1, 2], &[3]),
    ] {
        let operation = operation("ims", payload);
        for depth in failing {
            assert!(verdict(&operation, 200, &failure(*depth)).is_err(), "{payload:?} {depth}");
        }
        for depth in passing {
            assert!(verdict(&operation, 200, &failure(*depth)).is_ok(), "{payload:?} {depth}");
        }
    }
}

/// A list is no answer. Its first entries are looked at, since one may tell why.
#[test]
fn a_list_in_the_place_of_the_answer_is_no_success() {
    let operation = operation("ims", &["data"]);
    let list = |good: usize| {
        let mut entries = vec![json!({"status_cd": "1", "x": 1}); good];
        entries.push(json!({"status_cd": "0", "message": "no"}));
        verdict(&operation, 200, &json!(entries)).unwrap_err()
    };
    let plain = verdict(&operation, 200, &json!([{"status_cd": "1", "x": 1}])).unwrap_err();
    assert_eq!(plain.kind(), ErrorKind::Decode);
    assert!(plain.maybe_processed() && plain.to_string().contains("not a JSON object"), "{plain}");
    assert_eq!((list(19).kind(), list(19).provider_message()), (ErrorKind::Business, Some("no")));
    assert_eq!(list(20).kind(), ErrorKind::Decode);
}

/// Each is there or not; a second one takes nothing back.
#[test]
fn of_several_signs_one_is_enough() {
    let operation = operation("ims", &["data"]);
    for error in [json!({"reason": "a"}), json!({"reason": "a", "hint": "b"})] {
        assert_eq!(refused(&operation, &json!({"x": 1, "error": error})).kind(), ErrorKind::Business);
    }
    for names in [&["reference_id"][..], &["reference_id", "referenceId"]] {
        let mut data = json!({"status_cd": "0"});
        for name in names {
            data[*name] = json!("r");
        }
        assert!(refused(&operation, &data).maybe_processed(), "{names:?}");
    }
    let below = Operation { payload: &["data", "data"], ..operation };
    for data in
        [json!({"status_cd": "0", "data": [1]}), json!({"status_cd": "0", "data": {"x": 1}, "Data": [1]})]
    {
        assert!(refused(&below, &data).maybe_processed(), "{data}");
    }
}

/// A payload has codes of its own; a gateway's stands beside it.
#[test]
fn a_code_is_the_answers_at_the_top_alone() {
    let operation = operation("ims", &["data"]);
    let answer = |top: &str, below: &str| json!({"code": top, "data": {"code": below, "x": 1}});
    assert!(verdict(&operation, 200, &answer("200", "HSN12")).is_ok());
    let error = verdict(&operation, 200, &answer("HSN12", "200")).unwrap_err();
    assert_eq!(error.codes().first().map(ErrorCode::code), Some("HSN12"));
}

#[test]
fn three_levels_below_the_top_are_read() {
    let operation = operation("ims", &["data"]);
    let nested = |depth| (0..depth).fold(json!({"token": "t", "est": 5}), |below, _| json!({"data": below}));
    let error = verdict(&operation, 200, &nested(3)).unwrap_err();
    assert_eq!(error.meaning(), Some(CodeMeaning::NotReady));
    assert!(verdict(&operation, 200, &nested(4)).is_ok());
}

#[test]
fn a_wait_of_more_than_a_month_is_none() {
    let operation = operation("ims", &["data"]);
    let month = std::time::Duration::from_secs(31 * 24 * 3600);
    for (minutes, wait) in [(31 * 24 * 60, Some(month)), (31 * 24 * 60 + 1, None)] {
        let error = refused(&operation, &json!({"token": "t", "est": minutes}));
        assert_eq!((error.meaning(), error.retry_after()), (Some(CodeMeaning::NotReady), wait));
    }
}

/// What the document says of an operation: further values of success, and
/// words of a job that failed.
#[test]
fn the_document_names_success_and_failure() {
    let plain = operation("gstr_2b", &["data", "data"]);
    let parts = Operation { success: &["1", "3"], ..plain };
    let answer = |status| json!({"data": {"status_cd": status, "data": {"x": 1}}});
    for status in [json!("3"), json!(3), json!(3.0)] {
        assert!(verdict(&parts, 200, &answer(status.clone())).is_ok(), "{status}");
        assert_eq!(verdict(&plain, 200, &answer(status)).unwrap_err().kind(), ErrorKind::Decode);
    }
    assert!(verdict(&parts, 200, &answer(json!("2"))).is_err());

    let job = operation("analytics", &["data"]);
    let told = Operation { failed_status: &["failed"], ..job };
    let failed = json!({"data": {"job_id": "j", "status": "Failed", "message": "No ledger"}});
    assert!(verdict(&job, 200, &failed).is_ok());
    let error = verdict(&told, 200, &failed).unwrap_err();
    assert_eq!((error.kind(), error.provider_message()), (ErrorKind::Business, Some("No ledger")));
    for status in ["created", "succeeded", "in_progress"] {
        assert!(verdict(&told, 200, &json!({"data": {"status": status}})).is_ok());
    }
}

/// All examples that the provider's pages have, where they are at hand: each is
/// a success or a failure as its name says, with the codes that it has.
#[test]
fn every_example_of_the_provider_is_told_apart() {
    let folder = env::var_os("SANDBOX_FACTS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/sandbox"), PathBuf::from);
    let Ok(table) = fs::read(folder.join("operations.json")) else {
        eprintln!("skipped: the provider's examples are not in {}", folder.display());
        return;
    };
    let table: Vec<Value> = serde_json::from_slice(&table).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut successes, mut failures) = (0, 0);
    for row in &table {
        let family: &'static str = text(&row["family"]).leak();
        let payload: Vec<&'static str> =
            text(&row["payload_at"]).split('/').skip(1).map(|key| &*key.to_owned().leak()).collect();
        let mut operation = operation(family, payload.leak());
        operation.id = text(&row["id"]).leak();
        if operation.id == "get_gstr_2b" {
            operation.success = &["1", "3"];
        }
        operation.failed_status = &["failed"];
        for example in row["examples"].as_array().into_iter().flatten() {
            let name = text(example);
            let (name, path) = (name.rsplit('/').next().unwrap_or_default().to_owned(), folder.join(&name));
            let body: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            if name.contains(".request") || name.contains("headers") || !body.is_object() {
                continue;
            }
            let status = body["code"].as_u64().filter(|code| *code != 200);
            let verdict = verdict(&operation, status.map_or(200, |code| u16::try_from(code).unwrap()), &body);
            let data = body["data"].to_string();
            let failed = ["ErrorCode", "errorCodes", "error_cd\":\"", "error_code\":", "\"failed\""]
                .iter()
                .any(|mark| data.contains(mark));
            // The payload of a success may tell of errors, and a list of codes is one.
            let failed = failed
                && !data.contains("error_report")
                && !data.contains("r3bautopop")
                && !name.contains(".ok");
            assert_eq!(verdict.is_err(), failed || status.is_some(), "{}, {name}: {verdict:?}", operation.id);
            match verdict {
                Ok(()) => successes += 1,
                Err(error) => {
                    failures += 1;
                    for code in error.codes() {
                        assert!(data.contains(code.code()) && code.message().is_some(), "{name}: {code:?}");
                    }
                    assert_ne!(error.kind(), ErrorKind::Decode, "{name}");
                }
            }
        }
    }
    eprintln!("{successes} successes, {failures} failures");
    assert!(successes > 100 && failures > 100);
}
