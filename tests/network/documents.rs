//! What is saved or filed is what was fetched, to the last digit.

use sandbox_client::{
    Document, Error, ErrorKind,
    gstr_1::types::{Gstr1, Gstr1Summary},
    mock::MockServer,
    values::EvcOtp,
};

use crate::support::{Server, answer_with, client, envelope};

/// Members that no type knows, and digits that no number type keeps.
const SUMMARY: &str = r#"{"gstin": "29AAACQ3770E000", "ret_period": "102026", "chksum": "e3b0", "new": {"later": 1.10},
  "sec_sum": [{"sec_nm": "B2B", "ttl_val": 1.10, "ttl_tax": 100.00, "ttl_igst": 0.50, "grade": 12345678901234567890.10}]}"#;

fn with_payload(payload: &str) -> Vec<u8> {
    let body = format!(r#"{{"code": 200, "data": {{"status_cd": "1", "data": {payload}}}, "timestamp": 1}}"#);
    answer_with(200, &[("content-type", "application/json")], body)
}

#[tokio::test]
async fn a_summary_is_filed_as_it_was_received() {
    let filed = envelope(&serde_json::json!({"status_cd": "1", "data": {"ack_num": "AA2910260000001"}}));
    let server = Server::answering([
        with_payload(SUMMARY),
        answer_with(200, &[("content-type", "application/json")], filed.to_string()),
    ])
    .await;
    let client = client(&server).build().unwrap();
    let gstr_1 = client.taxpayer_session().unwrap().gstr_1();
    let summary = gstr_1.get_gstr_1_summary().year("2026").month("10").send().await.unwrap();
    assert_eq!(summary.sec_sum.as_ref().unwrap()[0].ttl_val.unwrap().to_string(), "1.1");

    let otp = EvcOtp::new("55B4DF").unwrap();
    let filing = gstr_1
        .file_gstr_1()
        .year("2026")
        .month("10")
        .pan("ABCDE1234F")
        .otp(otp)
        .body(summary.into_document().unwrap());
    assert_eq!(filing.send().await.unwrap().ack_num.as_deref(), Some("AA2910260000001"));

    let sent = &server.requests()[1];
    assert_eq!(
        sent.line(),
        "POST /gst/compliance/tax-payer/gstrs/gstr-1/2026/10/file?pan=ABCDE1234F&otp=55B4DF"
    );
    assert_eq!(str::from_utf8(&sent.body).unwrap(), SUMMARY);
}

#[tokio::test]
async fn sections_become_a_return_and_stay_as_they_were() {
    let b2b = r#"{"b2b": [{"ctin": "33ABKCS2033B1ZW", "odd": 1.10, "inv": [{"val": 10.00}]}]}"#;
    let at = r#"{"at":[{"itms":[{"rt":5.0,"ad_amt":"100.50"}]}]}"#;
    let saved = envelope(&serde_json::json!({"status_cd": "1", "data": {"reference_id": "r"}}));
    let server = Server::answering([
        with_payload(b2b),
        with_payload(at),
        answer_with(200, &[("content-type", "application/json")], saved.to_string()),
    ])
    .await;
    let client = client(&server).build().unwrap();
    let gstr_1 = client.taxpayer_session().unwrap().gstr_1();
    let b2b = gstr_1.get_gstr_1_b2b().year("2026").month("10").send().await.unwrap();
    let at = gstr_1.get_gstr_1_at().year("2026").month("10").send().await.unwrap();
    let whole = b2b.into_document().unwrap().with_all_of(at.into_document().unwrap()).unwrap();
    assert!(whole.at.is_some() && whole.b2b.is_some());

    // GSTIN and period are asked for before anything is sent.
    let save = |body: Document<Gstr1>| gstr_1.save_gstr_1().year("2026").month("10").body(body).send();
    let whole = whole.with("gstin", "29AAACQ3770E000").unwrap();
    let error = save(whole.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("fp")));
    let error = save(whole.clone().with("fp", None::<String>).unwrap()).await.unwrap_err();
    assert_eq!(error.field(), Some("fp"));
    assert_eq!(server.requests().len(), 2);

    save(whole.with("fp", "102026").unwrap()).await.unwrap();
    assert_eq!(
        str::from_utf8(&server.requests()[2].body).unwrap(),
        r#"{"at":[{"itms":[{"rt":5.0,"ad_amt":"100.50"}]}],"b2b":[{"ctin": "33ABKCS2033B1ZW", "odd": 1.10, "inv": [{"val": 10.00}]}],"fp":"102026","gstin":"29AAACQ3770E000"}"#
    );
}

#[tokio::test]
async fn a_value_is_a_document_too() {
    let mock = MockServer::start().await.unwrap();
    let gstr_1 = mock.session().unwrap().gstr_1();
    let nil: Gstr1Summary = Gstr1Summary::builder()
        .gstin(sandbox_client::values::Gstin::unchecked("29AAACQ3770E000").unwrap())
        .ret_period("102026".to_owned())
        .isnil("Y".to_owned())
        .try_into()
        .unwrap();
    let filing = gstr_1.file_gstr_1().year("2026").month("10").pan("ABCDE1234F").otp("55B4DF").body(nil);
    assert!(filing.send().await.unwrap().ack_num.is_some());
    let sent = &mock.requests()[0];
    assert_eq!(sent.body, br#"{"gstin":"29AAACQ3770E000","isnil":"Y","ret_period":"102026"}"#);
}

/// A draft that was read tolerantly can be changed and sent, with what was odd
/// in it; what is put in must have its form.
#[tokio::test]
async fn a_document_is_read_again_as_tolerantly_as_its_answer() {
    let odd = r#"{"gstin": "29AAACQ3770E000", "ret_period": 102026, "sec_sum": {"sec_nm": "B2B", "ttl_rec": "7", "ttl_val": "1,234.50"}, "isnil": []}"#;
    let server = Server::answering([with_payload(odd)]).await;
    let gstr_1 = client(&server).build().unwrap().taxpayer_session().unwrap().gstr_1();
    let answer = gstr_1.get_gstr_1_summary().year("2026").month("10").send().await.unwrap();
    assert_eq!(answer.unread(), ["data.data.isnil"]);
    let fetched = answer.into_document().unwrap();
    assert_eq!(fetched.unread(), ["isnil"]);

    let parsed: Document<Gstr1Summary> = odd.parse().unwrap();
    for document in [fetched, parsed] {
        let changed = document.with("chksum", "e3b0").unwrap();
        assert_eq!(
            (changed.chksum.as_deref(), changed.ret_period.as_deref()),
            (Some("e3b0"), Some("102026"))
        );
        assert_eq!(changed.sec_sum.as_ref().unwrap()[0].ttl_val.unwrap().to_string(), "1234.5");
        assert_eq!(changed.unread(), ["isnil"]);
        assert!(changed.to_json().unwrap().contains(r#""isnil":[]"#), "it is sent as it came");

        let error = changed.clone().with("chksum", [1]).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("chksum")));
        let error = changed.clone().with("sec_sum", [[("ttl_val", "private")]]).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("sec_sum")));
        assert!(!error.to_string().contains("private"), "{error}");
        assert!(changed.with("isnil", "Y").unwrap().unread().is_empty());
    }
    let deep = format!(r#"{{"gstin": "29AAACQ3770E000", "new": {}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(deep.parse::<Document<Gstr1Summary>>().unwrap().with("isnil", "Y").is_ok());
}

/// Where it is, and nothing of what it says.
#[test]
fn text_that_is_no_document_is_refused() {
    let refused = |json: &str| -> Error { json.parse::<Document<Gstr1>>().unwrap_err() };
    for (json, said) in [
        ("", "is not JSON (line 1, column 0)"),
        ("{\"b2b\": [}", "is not JSON (line 1, column 10)"),
        ("[]  private", "is not JSON"),
        ("\"private\"", "does not have the form of this document"),
    ] {
        let error = refused(json);
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("body")), "{json}");
        assert!(error.to_string().contains(said), "{json}: {error}");
        assert!(!error.to_string().contains("private"), "{error}");
    }
}
