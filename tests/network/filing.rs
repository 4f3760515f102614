//! Filing returns where answers are lost, and what is filed to the last digit.

use std::time::Duration;

use sandbox_client::{
    Error, ErrorKind,
    filing::{Confirmed, FilingOutcome, PaymentState},
    gstr_3b::types::Gstr3bOffset,
    values::{EvcOtp, Pan, ReturnPeriod},
};
use serde_json::{Value, json};

use crate::support::{Connection, Server, answer, answer_with, client, envelope};

fn november() -> ReturnPeriod {
    ReturnPeriod::new(2024, 11).unwrap()
}

fn pan() -> Pan {
    "ABCDE1234F".parse().unwrap()
}

fn otp() -> EvcOtp {
    "55B4DF".parse().unwrap()
}

fn payment() -> Gstr3bOffset {
    serde_json::from_value(json!({"pdcash": [{"trans_typ": 30002, "ipd": 1.5}]})).unwrap()
}

/// Answers with the draft, and cuts the connection after a request whose line
/// ends with `lost` was read.
async fn losing(lost: &'static str, draft: Value, track: Value) -> Server {
    Server::scripted(move |mut connection: Connection| {
        let (draft, track) = (draft.clone(), track.clone());
        async move {
            while let Some(request) = connection.request().await {
                let line = request.line().to_owned();
                if line.contains(lost) {
                    return;
                }
                let data = if line.contains("/track") { &track } else { &draft };
                connection.send(answer(200, &envelope(&json!({"status_cd": "1", "data": data})))).await;
            }
        }
    })
    .await
}

fn count(server: &Server, part: &str) -> usize {
    server.requests().iter().filter(|request| request.line().contains(part)).count()
}

fn assert_lost(error: &Error, look: &str) {
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1), "{error:?}");
    assert!(error.maybe_processed() && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(look), "{error}");
}

#[tokio::test]
async fn a_lost_payment_is_sent_once_and_looked_at() {
    let draft = json!({"gstin": "24ABKCS2033B1ZV", "ret_period": "112024"});
    let server = losing("/offset-liability", draft.clone(), json!({})).await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let processed = session.gstr_3b().filing(november()).saved_draft().await.unwrap();
    let error = processed.offset(Confirmed::irreversible(payment())).await.unwrap_err();
    assert_lost(&error, "check `payment()`");
    // Not again before a look, by no clone.
    let error = processed.clone().offset(Confirmed::irreversible(payment())).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("filing")));
    assert_eq!(count(&server, "/offset-liability"), 1);
    // The draft shows no payment, so it may be sent again.
    assert_eq!(processed.payment().await.unwrap(), PaymentState::NotPaid);
    processed.offset(Confirmed::irreversible(payment())).await.unwrap_err();
    assert_eq!(count(&server, "/offset-liability"), 2);

    // It shows one: what is next is to file.
    let paid = json!({"tx_pmt": {"pdcash": [{"ipd": 0}], "pditc": {"i_pdi": 12}}});
    let server = losing("/offset-liability", paid, json!({})).await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let processed = session.gstr_3b().filing(november()).saved_draft().await.unwrap();
    processed.offset(Confirmed::irreversible(payment())).await.unwrap_err();
    assert_eq!(processed.payment().await.unwrap(), PaymentState::Paid);
    let error = processed.offset(Confirmed::irreversible(payment())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    drop(processed.already_paid().await.unwrap());
    assert_eq!(count(&server, "/offset-liability"), 1);
}

/// The caller goes away while a payment is in flight, as a web client that hangs
/// up, or two pay at once: one request, whatever the draft shows meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_caller_goes_away_is_not_sent_again() {
    let pause = Duration::from_millis(300);
    let server = Server::scripted(move |mut connection: Connection| async move {
        while let Some(request) = connection.request().await {
            if request.line().contains("/offset-liability") {
                tokio::time::sleep(pause).await;
            }
            let data = json!({"gstin": "24ABKCS2033B1ZV", "ret_period": "112024"});
            connection.send(answer(200, &envelope(&json!({"status_cd": "1", "data": data})))).await;
        }
    })
    .await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let processed = session.gstr_3b().filing(november()).saved_draft().await.unwrap();
    let refused = async || {
        let error = processed.offset(Confirmed::irreversible(payment())).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("filing")), "{error}");
    };

    let gone = tokio::time::timeout(pause / 3, processed.offset(Confirmed::irreversible(payment()))).await;
    assert!(gone.is_err());
    refused().await;
    // The draft does not show yet what is in flight.
    assert_eq!(processed.payment().await.unwrap(), PaymentState::NotPaid);
    refused().await;
    tokio::time::sleep(2 * pause).await;
    // It was paid, and nobody has learned of it.
    refused().await;
    assert_eq!(count(&server, "/offset-liability"), 1);
    // A look that says otherwise frees it.
    assert_eq!(processed.payment().await.unwrap(), PaymentState::NotPaid);

    let other = processed.clone();
    let (one, two) = tokio::join!(
        processed.offset(Confirmed::irreversible(payment())),
        other.offset(Confirmed::irreversible(payment()))
    );
    assert!(one.is_ok() != two.is_ok(), "one of them");
    assert_eq!(count(&server, "/offset-liability"), 2);
}

#[tokio::test]
async fn a_lost_filing_is_sent_once_and_looked_at() {
    let filed = json!({"EFiledlist": [{"arn": "AB1", "ret_prd": "112024", "rtntype": "GSTR3B",
        "status": "Filed", "valid": "Y", "dof": "19-11-2024"}]});
    let draft = json!({"gstin": "24ABKCS2033B1ZV", "ret_period": "112024"});
    for (track, is_filed) in [(json!({}), false), (filed, true)] {
        let server = losing("/file?", draft.clone(), track).await;
        let session = client(&server).build().unwrap().taxpayer_session().unwrap();
        let processed = session.gstr_3b().filing(november()).saved_draft().await.unwrap();
        let signing = processed.nothing_to_pay().otp_at_hand();
        let file = async || {
            let document = signing.review().await.unwrap();
            signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap_err()
        };
        assert_lost(&file().await, "check `outcome()`");
        let error = file().await;
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("filing")));
        assert_eq!(count(&server, "/file?"), 1);
        match signing.outcome().await.unwrap() {
            FilingOutcome::Filed { arn, .. } => assert_eq!((arn.as_str(), is_filed), ("AB1", true)),
            FilingOutcome::NotFiled => assert!(!is_filed),
            other => panic!("{other:?}"),
        }
        file().await;
        assert_eq!(count(&server, "/file?"), if is_filed { 1 } else { 2 });
    }
}

#[tokio::test]
async fn a_lost_annual_filing_is_sent_once() {
    let draft = json!({"gstin": "29AAACQ3770E000", "fp": "032024", "tax_pay": []});
    let server = losing("/file?", draft, json!({})).await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let filing = session.gstr_9().filing("2023-24".parse().unwrap());
    let signing = filing.saved_draft().await.unwrap().already_ready().otp_at_hand();
    for _ in 0..2 {
        let document = signing.review().await.unwrap();
        let error = signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap_err();
        assert!(error.to_string().contains("check `outcome()`"), "{error}");
    }
    assert_eq!(count(&server, "/file?"), 1);
}

#[tokio::test]
async fn a_lost_gstr_1_is_sent_once() {
    let draft = json!({"gstin": "29AAACQ3770E000", "ret_period": "112024", "sec_sum": []});
    let server = losing("/file?", draft, json!({})).await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let filing = session.gstr_1().filing(november());
    let signing = filing.saved_draft().await.unwrap().already_ready().otp_at_hand();
    for _ in 0..2 {
        let document = signing.review().await.unwrap();
        let error = signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap_err();
        assert!(error.to_string().contains("check `outcome()`"), "{error}");
    }
    assert_eq!(count(&server, "/file?"), 1);
}

#[tokio::test]
async fn what_is_filed_is_what_was_fetched_to_the_last_digit() {
    let monthly = r#"{"ret_period":"112024","gstin":"24ABKCS2033B1ZV","later":{"z":1.10,"a":[1e2]},"sup_details":{"osup_det":{"txval":1.10,"new":0.0}},"chk":"5001234567890.12"}"#;
    let annual = r#"{"fp":"032024","gstin":"29AAACQ3770E000","later":[1.10],"table4":{"b2b":{"txval":5001234567890.120}},"tax_pay":[]}"#;
    let server = Server::scripted(move |mut connection: Connection| async move {
        while let Some(request) = connection.request().await {
            let draft = if request.line().contains("gstr-9") { annual } else { monthly };
            let payload = if request.line().contains("/file?") { r#"{"ack_num":"AB1"}"# } else { draft };
            let body = format!(r#"{{"code":200,"data":{{"status_cd":"1","data":{payload}}}}}"#);
            connection.send(answer_with(200, &[], body)).await;
        }
    })
    .await;
    let session = client(&server).build().unwrap().taxpayer_session().unwrap();
    let signing =
        session.gstr_3b().filing(november()).saved_draft().await.unwrap().nothing_to_pay().otp_at_hand();
    let document = signing.review().await.unwrap();
    signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    assert_eq!(String::from_utf8(server.requests().pop().unwrap().body).unwrap(), monthly);

    let filing = session.gstr_9().filing("2023-24".parse().unwrap());
    let signing = filing.saved_draft().await.unwrap().already_ready().otp_at_hand();
    let document = signing.review().await.unwrap();
    signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    let sent = String::from_utf8(server.requests().pop().unwrap().body).unwrap();
    assert_eq!(
        sent,
        r#"{"fp":"032024","gstin":"29AAACQ3770E000","isnil":"N","later":[1.10],"table4":{"b2b":{"txval":5001234567890.120}},"tax_pay":[]}"#
    );
}
