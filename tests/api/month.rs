//! One month of a taxpayer, from key and secret to a new GSTR-2B, over real
//! sockets, and what the server saw of it.

use std::time::Duration;

use sandbox_client::{
    Client, ErrorKind, JobState, Polling,
    ims::types::InvoiceStatus,
    mock::{MockServer, RecordedRequest},
    values::{Gstin, InvoiceAction, ReturnPeriod, Section},
};
use serde_json::{Value, json};

const GSTIN: &str = "33ABKCS2033B1ZW";
const IMS: &str = "/gst/compliance/tax-payer/invoices";

#[tokio::test]
async fn a_month_from_key_and_secret_to_a_new_gstr_2b() {
    let mock = MockServer::builder().stateful_ims().start().await.unwrap();
    let polling = Polling::default().first_pause(Duration::from_millis(5));

    // Key and secret, and an OTP.
    let client =
        Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret()).build().unwrap();
    let taxpayer = client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap();
    taxpayer.request_otp().await.unwrap();
    let session = taxpayer.verify_otp("005757").await.unwrap();

    // What there is.
    let before = session.ims().all_counts().await.unwrap();
    assert_eq!((before.others.no_action(), before.others.accepted()), (11, 1));
    let list = session.ims().invoices(Section::B2b, InvoiceStatus::NoActionTaken).await.unwrap();
    assert_eq!(list.invoices.len(), 11);

    // Somebody else acts on one of them in the meantime: its status is stale.
    let stale = &list.invoices[2];
    session.ims().actions().keep_pending(stale).send().await.unwrap().polling(polling).wait().await.unwrap();
    let batch =
        session.ims().actions().accept(&list.invoices[0]).reject(&list.invoices[1]).remarks("not ours");
    let job = batch.accept(stale).send().await.unwrap().polling(polling);
    let report = job.wait().await.unwrap();
    assert_eq!(
        (report.state, report.processed, report.error_count),
        (JobState::ProcessedWithErrors, Some(2), Some(1))
    );
    let [refused] = report.refused.as_slice() else { panic!("{report:?}") };
    assert_eq!((refused.number.as_str(), refused.code.as_str()), (stale.number(), "IMSSAV0010"));
    assert_eq!((refused.supplier_gstin.as_str(), &refused.section), (stale.supplier_gstin(), &Section::B2b));

    // List again and take back what is pending.
    let pending = session.ims().invoices(Section::B2b, InvoiceStatus::Pending).await.unwrap();
    assert_eq!(pending.invoices[0].action(), Some(&InvoiceAction::Pending));
    let job = session.ims().resets().reset_all(&pending).send().await.unwrap().polling(polling);
    assert_eq!(job.wait().await.unwrap().state, JobState::Processed);
    let after = session.ims().counts(None).await.unwrap();
    assert_eq!((after.no_action(), after.accepted(), after.rejected(), after.pending()), (9, 2, 1, 0));

    // The credit statement again, and the end of the session.
    let job = session.gstr_2b().start_regeneration(ReturnPeriod::new(2024, 11).unwrap()).await.unwrap();
    assert_eq!(job.polling(polling).wait().await.unwrap().state, JobState::Processed);
    taxpayer.logout().await.unwrap();
    let error = session.ims().counts(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);

    let requests = mock.requests();
    each_step_was_sent_as_documented(&mock, &requests);
    bodies_hold_what_was_listed(&requests);
}

/// Operation, method and path in order of arrival.
fn steps(requests: &[RecordedRequest]) -> Vec<(&str, &str, &str)> {
    requests
        .iter()
        .map(|request| {
            let operation = request.operation.as_deref().unwrap();
            (operation, request.method.as_str(), request.path.as_str())
        })
        .collect()
}

fn each_step_was_sent_as_documented(mock: &MockServer, requests: &[RecordedRequest]) {
    let count = ("get_invoice_count", "GET", &*format!("{IMS}/count"));
    let list = ("list_invoices", "GET", IMS);
    let save = ("save_invoice_status", "POST", &*format!("{IMS}/status/save"));
    let check = ("check_invoice_status", "GET", &*format!("{IMS}/status"));
    assert_eq!(
        steps(requests),
        [
            ("authenticate", "POST", "/authenticate"),
            ("generate_otp", "POST", "/gst/compliance/tax-payer/otp"),
            ("verify_otp", "POST", "/gst/compliance/tax-payer/otp/verify"),
            count,
            count,
            count,
            list,
            save,
            check,
            check,
            save,
            check,
            check,
            list,
            ("reset_invoice_status", "POST", &*format!("{IMS}/status/reset")),
            check,
            check,
            count,
            ("regenerate_gstr_2b", "POST", "/gst/compliance/tax-payer/gstrs/gstr-2b/2024/11/regenerate"),
            ("get_gstr_2b_regeneration_status", "GET", "/gst/compliance/tax-payer/gstrs/gstr-2b/regenerate"),
            ("logout", "POST", "/gst/compliance/tax-payer/logout"),
        ]
    );
    // After the logout nothing is sent: the client knows that it has no session.
    for request in requests {
        assert_eq!(request.status, Some(200));
        assert_eq!(request.header("x-api-key"), Some(mock.key()));
        assert!(request.header("x-api-version").is_some_and(|version| version.starts_with("1.0")));
        assert!(request.header("user-agent").unwrap().starts_with("sandbox-client/"));
        assert_eq!(request.header("api-version"), None);
        let operation = request.operation.as_deref().unwrap();
        assert_eq!(request.header("x-api-secret").is_some(), operation == "authenticate");
        assert_eq!(request.headers.get("authorization").is_some(), operation != "authenticate");
        assert!(request.query.iter().all(|(name, _)| name != "otp" || operation == "verify_otp"));
    }
    let token = |at: usize| requests[at].header("authorization").unwrap();
    assert_eq!(token(1), token(2), "the platform's token for the OTP");
    assert_ne!(token(2), token(3), "the taxpayer's from then on");
    for (at, request) in requests.iter().enumerate().skip(3) {
        assert_eq!(token(at), token(3), "{:?}", request.operation);
        assert_eq!(request.session_gstin.as_deref(), Some(GSTIN));
        assert_eq!(request.session_username.as_deref(), Some("acme.com"));
    }
    // Tokens of the mock look like this one.
    assert_eq!(
        token(3).split('.').count(),
        mock.issue_token("taxpayer_token", Duration::ZERO).split('.').count()
    );
}

fn bodies_hold_what_was_listed(requests: &[RecordedRequest]) {
    let body = |at: usize| requests[at].json().unwrap_or(Value::Null);
    let login = json!({"gstin": GSTIN, "username": "acme.com"});
    assert_eq!((body(1), body(2)), (login.clone(), login));
    assert_eq!(requests[2].query, [("otp".to_owned(), "005757".to_owned())]);
    let mut goods: Vec<_> = (3..6).map(|at| requests[at].query_value("type_of_goods").unwrap()).collect();
    goods.sort_unstable();
    assert_eq!(goods, ["imports", "inward_supplies", "others"]);
    let asked = |at: usize| (requests[at].query_value("section"), requests[at].query_value("status"));
    assert_eq!(asked(6), (Some("B2B"), Some("no_action_taken")));
    assert_eq!(asked(13), (Some("B2B"), Some("pending")));

    let stale = json!({"stin": "24ABCCC0123E1YZ", "rtnprd": "102024", "srcform": "R1", "inum": "AMD2-1463535",
        "idt": "16-10-2024", "inv_typ": "R", "pos": "24", "val": 401.02, "txval": 339.84, "iamt": 0,
        "camt": 30.59, "samt": 30.59, "cess": 0, "action": "A", "prev_status": "N"});
    let saved = body(10);
    assert_eq!((&saved["rtin"], &saved["reqtyp"]), (&json!(GSTIN), &json!("SAVE")));
    let items = saved["invdata"]["b2b"].as_array().unwrap();
    assert_eq!(items[2], stale);
    let told = |item: &Value| ["inum", "action", "prev_status", "remarks"].map(|name| item[name].clone());
    assert_eq!(told(&items[0]), [json!("1024250260344"), json!("A"), json!("N"), Value::Null]);
    assert_eq!(told(&items[1]), [json!("5096411148"), json!("R"), json!("N"), json!("not ours")]);

    let reset = body(14);
    assert_eq!((&reset["rtin"], &reset["reqtyp"]), (&json!(GSTIN), &json!("RESET")));
    let mut taken_back = stale;
    taken_back.as_object_mut().unwrap().remove("action");
    taken_back["prev_status"] = "P".into();
    assert_eq!(reset["invdata"], json!({"b2b": [taken_back]}));

    // Each job is asked for by the number that its own batch was given.
    let references: Vec<_> =
        [8, 9, 11, 12, 15, 16].map(|at| requests[at].query_value("reference_id").unwrap()).to_vec();
    assert_eq!(references[0], references[1]);
    assert_eq!(references[2], references[3]);
    assert_eq!(references[4], references[5]);
    assert!(references[0] != references[2] && references[2] != references[4]);
    for at in [3, 6, 8, 18, 19, 20] {
        assert!(requests[at].body.is_empty(), "{:?}", requests[at].operation);
    }
}
