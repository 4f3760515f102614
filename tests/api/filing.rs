//! Filing returns step by step over real sockets: what the server saw, what
//! is refused out of order, and how a filing is resumed.
//! Lost answers are in `network/filing.rs`.

use std::time::Duration;

use sandbox_client::{
    Document, Error, ErrorKind, JobState, Polling, Session,
    filing::{Confirmed, FilingOutcome, FilingState, PaymentState, ResumedFiling},
    gstr_1::types::Gstr1,
    gstr_3b::types::{Gstr3b, Gstr3bOffset},
    gstr_9::types::Gstr9,
    mock::{MockServer, document},
    values::{EvcOtp, FinancialYear, Gstin, Pan, ReturnPeriod},
};
use serde_json::{Value, json};

const OTP: &str = "55B4DF";
const PAN: &str = "ABCDE1234F";
const GSTRS: &str = "/gst/compliance/tax-payer/gstrs";

fn november() -> ReturnPeriod {
    ReturnPeriod::new(2024, 11).unwrap()
}

fn quick() -> Polling {
    Polling::default().first_pause(Duration::from_millis(2))
}

fn pan() -> Pan {
    PAN.parse().unwrap()
}

fn otp() -> EvcOtp {
    OTP.parse().unwrap()
}

async fn start() -> (MockServer, Session) {
    let mock = MockServer::builder().stateful_returns().start().await.unwrap();
    let session = mock.session().unwrap();
    (mock, session)
}

/// An example of the document.
fn example(operation: &str, part: &str, name: &str) -> Value {
    let paths = document()["paths"].as_object().unwrap().values();
    let operation = paths
        .flat_map(|path| path.as_object().unwrap().values())
        .find(|node| node["operationId"] == operation)
        .unwrap();
    let holder = match part {
        "request" => &operation["requestBody"],
        status => &operation["responses"][status],
    };
    holder["content"]["application/json"]["examples"][name]["value"].clone()
}

fn payment() -> Gstr3bOffset {
    serde_json::from_value(example("offset_liability_gstr_3b", "request", "documented")).unwrap()
}

/// Method, path and query of each request, each of which carried the token.
fn seen(mock: &MockServer) -> Vec<String> {
    let requests = mock.requests();
    let token = requests[0].header("authorization").unwrap();
    let lines = requests.iter().map(|request| {
        assert_eq!(request.header("authorization"), Some(token));
        let query: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = request.path.replace(GSTRS, "…");
        format!("{} {path}?{}", request.method, query.join("&")).trim_end_matches('?').to_owned()
    });
    lines.collect()
}

fn body(mock: &MockServer, at: usize) -> Value {
    mock.requests()[at].json().unwrap()
}

fn reference(mock: &MockServer, at: usize) -> String {
    mock.requests()[at].query_value("reference_id").unwrap().to_owned()
}

#[tokio::test]
async fn gstr_3b_goes_from_draft_to_arn() {
    let (mock, session) = start().await;
    let filing = session.gstr_3b().filing(november()).polling(quick());
    let draft = filing.draft().await.unwrap();
    assert!(draft.tx_pmt.is_none());
    let processed = filing.save(draft.clone()).await.unwrap().wait().await.unwrap();
    assert_eq!(processed.payment().await.unwrap(), PaymentState::NotPaid);
    let ready = processed.offset(Confirmed::irreversible(payment())).await.unwrap();
    assert_eq!(processed.payment().await.unwrap(), PaymentState::Paid);
    assert_eq!(ready.outcome().await.unwrap(), FilingOutcome::NotFiled);
    let signing = ready.request_otp(&pan()).await.unwrap();
    let document = signing.review().await.unwrap();
    let shown: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
    let filed = signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    assert_eq!(filed.arn, "AB2410242527396");
    assert_eq!(filed.acknowledgement, "AB2410242527396 19/11/2024 16:23");
    let FilingOutcome::Filed { arn, .. } = signing.outcome().await.unwrap() else { panic!() };
    assert_eq!(arn, filed.arn);

    let saved = reference(&mock, 2);
    assert_eq!(
        seen(&mock),
        [
            "GET …/gstr-3b/2024/11",
            "POST …/gstr-3b/2024/11",
            &format!("GET …/2024/11/status?reference_id={saved}"),
            &format!("GET …/2024/11/status?reference_id={saved}"),
            "GET …/gstr-3b/2024/11",
            "POST …/gstr-3b/2024/11/offset-liability",
            "GET …/gstr-3b/2024/11",
            "GET …/2024/11/track?return_type=gstr-3b",
            "POST /gst/compliance/tax-payer/evc/otp?gstr=gstr-3b",
            "GET …/gstr-3b/2024/11",
            &format!("POST …/gstr-3b/2024/11/file?pan={PAN}&otp={OTP}"),
            "GET …/2024/11/track?return_type=gstr-3b",
        ]
    );
    let mut unpaid = example("get_gstr_3b", "200", "ok")["data"]["data"].clone();
    unpaid.as_object_mut().unwrap().remove("tx_pmt");
    assert_eq!(body(&mock, 1), unpaid);
    assert_eq!(body(&mock, 5), example("offset_liability_gstr_3b", "request", "documented"));
    assert_eq!(body(&mock, 8), json!({"pan": PAN}));
    assert_eq!(body(&mock, 10), shown);
    assert!(shown["tx_pmt"]["pdcash"].is_array());
}

/// The mock's answers fit the document, which has no null in the place of credit.
#[tokio::test]
async fn a_payment_without_credit_leaves_none_in_the_draft() {
    let (_mock, session) = start().await;
    let filing = session.gstr_3b().filing(november()).polling(quick());
    let processed = filing.saved_draft().await.unwrap();
    let mut in_cash = payment();
    in_cash.pditc = None;
    let ready = processed.offset(Confirmed::irreversible(in_cash)).await.unwrap();
    let signing = ready.request_otp(&pan()).await.unwrap();
    let draft: Value = serde_json::from_str(&signing.review().await.unwrap().to_json().unwrap()).unwrap();
    assert!(draft["tx_pmt"]["pdcash"].is_array());
    assert_eq!(draft["tx_pmt"].get("pditc"), None);
}

#[tokio::test]
async fn gstr_9_goes_from_draft_to_arn() {
    let (mock, session) = start().await;
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let year: FinancialYear = "2023-24".parse().unwrap();
    let filing = session.gstr_9().filing(year).taxpayer(gstin).polling(quick());
    let table = json!({"gstin": "29AAACQ3770E000", "fp": "032024", "table16": {"comp_supp": {"txval": 1.5}},
        "tax_pay": [{"trancd": 30002, "liab_id": 0}]});
    let tables: Document<Gstr9> = table.to_string().parse().unwrap();
    let processed = filing.save(tables).await.unwrap().wait().await.unwrap();
    let ready = processed.proceed().await.unwrap().wait().await.unwrap();
    let signing = ready.request_otp(&pan()).await.unwrap();
    let document = signing.review().await.unwrap();
    let filed = signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    assert_eq!(filed.arn, "AC240324630721I");
    assert!(matches!(signing.outcome().await.unwrap(), FilingOutcome::Filed { .. }));

    let (saved, proceeded) = (reference(&mock, 1), reference(&mock, 4));
    assert_ne!(saved, proceeded);
    assert_eq!(
        seen(&mock),
        [
            "POST …/gstr-9/save?financial_year=FY 2023-24",
            &format!("GET …/2024/03/status?reference_id={saved}"),
            &format!("GET …/2024/03/status?reference_id={saved}"),
            "POST …/gstr-9/2024/03/proceed?is_nil=N",
            &format!("GET …/2024/03/status?reference_id={proceeded}"),
            &format!("GET …/2024/03/status?reference_id={proceeded}"),
            "POST /gst/compliance/tax-payer/evc/otp?gstr=gstr-9",
            "GET …/gstr-9?financial_year=FY 2023-24",
            &format!("POST …/gstr-9/file?financial_year=FY 2023-24&pan={PAN}&otp={OTP}"),
            "GET …/2024/03/track?return_type=gstr-9",
        ]
    );
    assert_eq!(body(&mock, 0), table);
    assert_eq!(body(&mock, 3), json!({"gstin": "29AAACQ3770E000", "ret_period": "032024"}));
    let mut filed = table;
    filed["isnil"] = "N".into();
    assert_eq!(body(&mock, 8), filed);
}

#[tokio::test]
async fn a_nil_gstr_3b_is_an_empty_document() {
    let (mock, session) = start().await;
    let signing = session.gstr_3b().filing(november()).nil().request_otp(&pan()).await.unwrap();
    let document = signing.review().await.unwrap();
    signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    assert_eq!(body(&mock, 1), json!({}));
    assert_eq!(mock.requests().len(), 2);
}

#[tokio::test]
async fn what_comes_out_of_order_is_refused_with_the_documented_code() {
    let (_mock, session) = start().await;
    let code = |error: Error| (error.kind(), error.error_code().map(str::to_owned), error.maybe_processed());
    let refused = |code: &str| (ErrorKind::Business, Some(code.to_owned()), false);

    // Filed before it is paid, paid twice, filed twice.
    let processed = session.gstr_3b().filing(november()).saved_draft().await.unwrap();
    let unpaid = processed.already_paid().await.unwrap_err();
    assert_eq!((unpaid.kind(), unpaid.field()), (ErrorKind::Input, Some("filing")));
    let signing = processed.nothing_to_pay().request_otp(&pan()).await.unwrap();
    let file = async || {
        let document = signing.review().await.unwrap();
        signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await
    };
    assert_eq!(code(file().await.unwrap_err()), refused("RT-3BAS1027"));
    drop(processed.offset(Confirmed::irreversible(payment())).await.unwrap());
    let twice = processed.offset(Confirmed::irreversible(payment())).await;
    assert_eq!(code(twice.unwrap_err()), refused("RT-3BAS1070"));
    let wrong = signing.review().await.unwrap();
    let wrong = signing.file(&pan(), &"000000".parse().unwrap(), Confirmed::irreversible(wrong)).await;
    let wrong = wrong.unwrap_err();
    assert!(!format!("{wrong} {wrong:?}").contains("000000"));
    // A plain refusal: nothing is in doubt, and the same filing takes the right OTP.
    assert_eq!(code(wrong), refused("AUTH4034"));
    file().await.unwrap();
    signing.request_otp(&pan()).await.unwrap();
    assert_eq!(code(file().await.unwrap_err()), refused("RET00009"));

    // Filed before it is closed, closed twice.
    let year: FinancialYear = "2023-24".parse().unwrap();
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let filing = session.gstr_9().filing(year).taxpayer(gstin).polling(quick());
    let processed = filing.saved_draft().await.unwrap();
    let signing = processed.already_ready().request_otp(&pan()).await.unwrap();
    let document = signing.review().await.unwrap().with("tax_pay", json!([])).unwrap();
    let early = signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await;
    assert_eq!(code(early.unwrap_err()), refused("RET00014"));
    drop(processed.proceed().await.unwrap().wait().await.unwrap());
    assert_eq!(code(processed.proceed().await.unwrap_err()), refused("RET00003"));
}

#[tokio::test]
async fn a_foreign_document_is_refused_before_anything_is_sent() {
    let (mock, session) = start().await;
    let filing = session.gstr_3b().filing(november()).taxpayer(Gstin::new("33ABKCS2033B1ZW").unwrap());
    for (gstin, period, field) in
        [("24ABKCS2033B1ZV", "112024", "gstin"), ("33ABKCS2033B1ZW", "102024", "period")]
    {
        let document: Document<Gstr3b> =
            json!({"gstin": gstin, "ret_period": period}).to_string().parse().unwrap();
        let error = filing.save(document.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
        let signing = filing.nil().otp_at_hand();
        let error = signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
    }
    // What GSTN requires of a document.
    let year: FinancialYear = "2023-24".parse().unwrap();
    let error = Box::pin(session.gstr_9().filing(year).save(Gstr9::default())).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("gstin")));
    assert_eq!(mock.requests().len(), 0);
}

#[tokio::test]
async fn a_save_with_errors_ends_the_filing_and_names_the_first() {
    let (mock, session) = start().await;
    let year: FinancialYear = "2023-24".parse().unwrap();
    mock.on("get_return_status").example("annual_return_error");
    let tables: Document<Gstr9> = r#"{"gstin": "29AAACQ3770E000", "fp": "032024"}"#.parse().unwrap();
    let saved = session.gstr_9().filing(year).polling(quick()).save(tables).await.unwrap();
    let error = saved.wait().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("RET91708")));
    let report = saved.job().status().await.unwrap();
    assert_eq!(report.state, JobState::ProcessedWithErrors);
    assert_eq!(report.errors[0].section.as_deref(), Some("table17"));
}

// --- saved and resumed ------------------------------------------------------------

#[tokio::test]
async fn a_filing_is_resumed_in_another_process_and_looks_before_it_files() {
    let (mock, session) = start().await;
    let processed = session.gstr_3b().filing(november()).saved_draft().await.unwrap();
    let ready = processed.offset(Confirmed::irreversible(payment())).await.unwrap();
    let signing = ready.request_otp(&pan()).await.unwrap();
    let saved = serde_json::to_string(&signing.state()).unwrap();
    assert_eq!(saved, r#"{"return_type":"gstr-3b","period":"112024","step":"signing","nil":false}"#);

    let state: FilingState = serde_json::from_str(&saved).unwrap();
    let error = session.gstr_9().resume_filing(state.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let ResumedFiling::Signing(signing) = session.gstr_3b().resume_filing(state).unwrap() else { panic!() };
    let document = signing.review().await.unwrap();
    let confirmed = || Confirmed::irreversible(document.clone());
    let error = signing.file(&pan(), &otp(), confirmed()).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("filing")));
    assert_eq!(mock.hits("file_gstr_3b"), 0);
    assert_eq!(signing.outcome().await.unwrap(), FilingOutcome::NotFiled);
    signing.file(&pan(), &otp(), confirmed()).await.unwrap();

    // Each other step comes back as itself.
    let state = serde_json::to_string(&processed.state()).unwrap();
    let resumed = session.gstr_3b().resume_filing(serde_json::from_str(&state).unwrap()).unwrap();
    let ResumedFiling::Processed(processed) = resumed else { panic!() };
    let error = processed.offset(Confirmed::irreversible(payment())).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("filing")));
    let job = json!({"return_type": "gstr-3b", "period": "112024", "step": "saved", "reference_id": "r-1"});
    let ResumedFiling::Saved(saved) =
        session.gstr_3b().resume_filing(serde_json::from_value(job).unwrap()).unwrap()
    else {
        panic!()
    };
    assert_eq!(saved.job().reference_id(), "r-1");
}

/// Each step comes back as itself, with all that its next one needs.
#[tokio::test]
async fn a_gstr_1_is_resumed_at_every_step() {
    let (mock, session) = start().await;
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let filing = session.gstr_1().filing(november()).taxpayer(gstin).polling(quick());
    let again = |state: FilingState| {
        let text = serde_json::to_string(&state).unwrap();
        assert!(!text.contains(OTP) && !text.contains(PAN), "{text}");
        session.gstr_1().resume_filing(serde_json::from_str(&text).unwrap()).unwrap()
    };

    let ResumedFiling::Draft(filing) = again(filing.state()) else { panic!() };
    let sections = json!({"gstin": "29AAACQ3770E000", "fp": "112024"}).to_string();
    let saved = filing.save(sections.parse::<Document<Gstr1>>().unwrap()).await.unwrap();
    let ResumedFiling::Saved(saved) = again(saved.state()) else { panic!() };
    let processed = saved.polling(quick()).wait().await.unwrap();
    let ResumedFiling::Processed(processed) = again(processed.state()) else { panic!() };
    let proceeding = processed.proceed().await.unwrap();
    let reference = proceeding.job().reference_id().to_owned();
    let ResumedFiling::Proceeding(proceeding) = again(proceeding.state()) else { panic!() };
    assert_eq!(proceeding.job().reference_id(), reference);
    let ready = proceeding.polling(quick()).wait().await.unwrap();
    let ResumedFiling::Ready(ready) = again(ready.state()) else { panic!() };
    let signing = ready.request_otp(&pan()).await.unwrap();
    let ResumedFiling::Signing(signing) = again(signing.state()) else { panic!() };
    let document = signing.review().await.unwrap();
    let confirmed = || Confirmed::irreversible(document.clone());
    assert_eq!(signing.file(&pan(), &otp(), confirmed()).await.unwrap_err().field(), Some("filing"));
    assert_eq!(signing.outcome().await.unwrap(), FilingOutcome::NotFiled);
    signing.file(&pan(), &otp(), confirmed()).await.unwrap();
    assert_eq!(
        (mock.hits("save_gstr_1"), mock.hits("new_proceed_to_file"), mock.hits("file_gstr_1")),
        (1, 1, 1)
    );
}

/// A nil return stays one: what is filed after the pause has no figures.
#[tokio::test]
async fn a_nil_return_is_resumed_as_one() {
    let (mock, session) = start().await;
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let again = |state: FilingState| session.gstr_1().resume_filing(state).unwrap();
    let proceeding = session.gstr_1().filing(november()).taxpayer(gstin).nil().await.unwrap();
    let ResumedFiling::Proceeding(proceeding) = again(proceeding.state()) else { panic!() };
    let ready = proceeding.polling(quick()).wait().await.unwrap();
    let ResumedFiling::Ready(ready) = again(ready.state()) else { panic!() };
    let signing = ready.request_otp(&pan()).await.unwrap();
    let document = signing.review().await.unwrap();
    signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    let nil = json!({"gstin": "29AAACQ3770E000", "ret_period": "112024", "isnil": "Y"});
    assert_eq!(mock.requests().last().unwrap().json(), Some(nil));

    let ready = session.gstr_3b().filing(november()).nil();
    let ResumedFiling::Ready(ready) = session.gstr_3b().resume_filing(ready.state()).unwrap() else {
        panic!()
    };
    assert_eq!(ready.review().await.unwrap().to_json().unwrap(), "{}");
}

// --- GSTR-1 ---------------------------------------------------------------------------

#[tokio::test]
async fn gstr_1_goes_from_draft_to_arn() {
    let (mock, session) = start().await;
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let period = ReturnPeriod::new(2023, 12).unwrap();
    let filing = session.gstr_1().filing(period).taxpayer(gstin).polling(quick());
    let sections = json!({"gstin": "29AAACQ3770E000", "fp": "122023", "later": 1});
    let document: Document<Gstr1> = sections.to_string().parse().unwrap();
    let processed = filing.save(document).await.unwrap().wait().await.unwrap();

    // Not before it is ready.
    let early = processed.already_ready().request_otp(&pan()).await.unwrap();
    let summary = early.review().await.unwrap();
    let error = early.file(&pan(), &otp(), Confirmed::irreversible(summary)).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("RT_FIL_10")));

    let from = mock.requests().len();
    let ready = processed.proceed().await.unwrap().wait().await.unwrap();
    let signing = ready.request_otp(&pan()).await.unwrap();
    let summary = signing.review().await.unwrap();
    let shown: Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
    let filed = signing.file(&pan(), &otp(), Confirmed::irreversible(summary)).await.unwrap();
    let FilingOutcome::Filed { arn, .. } = signing.outcome().await.unwrap() else { panic!() };
    assert_eq!(arn, filed.arn);

    let saved = reference(&mock, 1);
    assert_eq!(
        seen(&mock)[..from],
        [
            "POST …/gstr-1/2023/12",
            &format!("GET …/2023/12/status?reference_id={saved}"),
            &format!("GET …/2023/12/status?reference_id={saved}"),
            "POST /gst/compliance/tax-payer/evc/otp?gstr=gstr-1",
            "GET …/gstr-1/2023/12?summary_type=long",
            &format!("POST …/gstr-1/2023/12/file?pan={PAN}&otp={OTP}"),
        ]
    );
    assert_eq!(body(&mock, 0), sections);
    assert_eq!(body(&mock, 3), json!({"pan": PAN}));
    let proceeded = reference(&mock, from + 1);
    assert_eq!(
        seen(&mock)[from..],
        [
            "POST …/gstr-1/2023/12/new-proceed?is_nil=N",
            &format!("GET …/2023/12/status?reference_id={proceeded}"),
            &format!("GET …/2023/12/status?reference_id={proceeded}"),
            "POST /gst/compliance/tax-payer/evc/otp?gstr=gstr-1",
            "GET …/gstr-1/2023/12?summary_type=long",
            &format!("POST …/gstr-1/2023/12/file?pan={PAN}&otp={OTP}"),
            "GET …/2023/12/track?return_type=gstr-1",
        ]
    );
    assert_eq!(body(&mock, from), json!({"gstin": "29AAACQ3770E000", "ret_period": "122023"}));
    assert_eq!(body(&mock, from + 5), shown);
    let again = filing.save(Gstr1::default()).await.unwrap_err();
    assert_eq!((again.kind(), again.field()), (ErrorKind::Input, Some("gstin")));
    let again = filing.save(sections.to_string().parse::<Document<Gstr1>>().unwrap()).await.unwrap_err();
    assert_eq!(again.error_code(), Some("AUTH117"));
}

#[tokio::test]
async fn a_nil_gstr_1_is_closed_and_filed_as_nil() {
    let (mock, session) = start().await;
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let period = ReturnPeriod::new(2023, 12).unwrap();
    let filing = session.gstr_1().filing(period).taxpayer(gstin).polling(quick());
    let ready = filing.nil().await.unwrap().wait().await.unwrap();
    let signing = ready.request_otp(&pan()).await.unwrap();
    let document = signing.review().await.unwrap();
    signing.file(&pan(), &otp(), Confirmed::irreversible(document)).await.unwrap();
    assert_eq!(seen(&mock)[0], "POST …/gstr-1/2023/12/new-proceed?is_nil=Y");
    let nil = json!({"gstin": "29AAACQ3770E000", "ret_period": "122023", "isnil": "Y"});
    assert_eq!(mock.requests().last().unwrap().json().unwrap(), nil);
}
