//! The Invoice Management System by its helpers, against the mock server.

use std::time::{Duration, Instant};

use sandbox_client::{
    Error, ErrorKind, InvoiceActions, InvoiceList, ItcDeclaration, Job, JobReport, JobState, Polling,
    RetryPolicy, Session,
    ims::types::InvoiceStatus,
    mock::{MockServer, RecordedRequest},
    values::{
        Amount, FilingStatus, Gstin, Invoice, InvoiceAction, InvoiceType, ItcReduction, JobStatus,
        ReturnPeriod, ReturnType, Section, SourceForm, SupplierSection, YesNo,
    },
};
use serde_json::{Value, json};

const GSTIN: &str = "33ABKCS2033B1ZW";
const EIGHT: [(Section, &str); 8] = [
    (Section::B2b, "B2B"),
    (Section::B2ba, "B2BA"),
    (Section::B2bcn, "CN"),
    (Section::B2bcna, "CNA"),
    (Section::B2bdn, "DN"),
    (Section::B2bdna, "DNA"),
    (Section::Ecom, "ECOM"),
    (Section::Ecoma, "ECOMA"),
];

async fn start() -> (MockServer, Session) {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    (mock, session)
}

async fn stateful() -> (MockServer, Session) {
    let mock = MockServer::builder().stateful_ims().start().await.unwrap();
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    (mock, session)
}

#[allow(clippy::needless_pass_by_value)] // made by `json!` at each call
fn envelope(data: Value) -> Value {
    json!({"code": 200, "transaction_id": "t-1", "data": {"status_cd": "1", "data": data}})
}

fn business(code: &str) -> Value {
    let error = json!({"error_cd": code, "message": "No"});
    json!({"code": 200, "transaction_id": "t-1", "data": {"status_cd": "0", "error": error}})
}

fn period() -> ReturnPeriod {
    ReturnPeriod::new(2025, 11).unwrap()
}

fn last(mock: &MockServer, operation: &str) -> RecordedRequest {
    let requests = mock.requests();
    requests.into_iter().rfind(|request| request.operation.as_deref() == Some(operation)).unwrap()
}

// --- counts -------------------------------------------------------------------

#[tokio::test]
async fn all_three_counts_are_asked_for_at_once() {
    let (mock, session) = start().await;
    mock.on("get_invoice_count").delay(Duration::from_millis(300));
    let start = Instant::now();
    let counts = session.ims().all_counts().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(800), "one after the other");
    let totals: Vec<_> = counts.groups().map(|(goods, counts)| (goods.to_string(), counts.total())).collect();
    assert_eq!(
        totals,
        [("others".to_owned(), 12), ("inward_supplies".to_owned(), 15), ("imports".to_owned(), 20)]
    );
    assert_eq!((counts.by_status().no_action, counts.by_status().total()), (34, 47));
    assert_eq!((counts.no_action(), counts.total()), (34, 47));
    let sums = counts.by_status();
    assert_eq!(
        (counts.accepted(), counts.rejected(), counts.pending()),
        (sums.accepted, sums.rejected, sums.pending)
    );
    assert!(!counts.all_acted_on());
}

#[tokio::test]
async fn one_failing_count_fails_all() {
    let (mock, session) = start().await;
    mock.on("get_invoice_count")
        .error("service_unavailable")
        .when(|request| request.query_value("type_of_goods") == Some("imports"));
    assert_eq!(session.ims().all_counts().await.unwrap_err().status(), Some(503));
}

// --- lists --------------------------------------------------------------------

#[tokio::test]
async fn a_list_is_typed_and_knows_its_section() {
    let (mock, session) = start().await;
    let list = session.ims().invoices(Section::B2b, None).await.unwrap();
    assert_eq!((list.invoices.len(), list.no_records_code), (12, None));
    assert_eq!(list.transaction_id.as_deref(), Some("661cc68b-0e48-4d39-a744-9afd56895340"));
    assert_eq!(list.timestamp.unwrap().unix_millis(), Some(1_763_446_641_000));

    let invoice = &list.invoices[4];
    assert_eq!(invoice.section(), Some(&Section::B2b));
    assert_eq!(invoice.supplier_gstin(), "24ABCCU0123M1YZ");
    assert_eq!((invoice.number(), invoice.return_period()), ("AO2SA2425002517", "112024"));
    assert_eq!(invoice.date().unwrap().to_date().unwrap().to_string(), "2024-11-05");
    assert_eq!(invoice.action(), Some(&InvoiceAction::Accepted));
    assert_eq!(invoice.filing_status(), Some(&FilingStatus::NotFiled));
    assert_eq!(invoice.source_form(), Some(&SourceForm::R1));
    assert_eq!(invoice.invoice_type(), Some(&InvoiceType::Regular));
    assert_eq!(invoice.place_of_supply(), Some("24"));
    assert!(!invoice.is_pending_blocked());
    let amounts = [
        invoice.value(),
        invoice.taxable_value(),
        invoice.igst(),
        invoice.cgst(),
        invoice.sgst(),
        invoice.cess(),
    ]
    .map(|amount| amount.unwrap().to_string());
    assert_eq!(amounts, ["142700", "120932.18", "0", "10883.91", "10883.91", "0"]);
    assert_eq!(invoice.total_tax(), "21767.82".parse::<Amount>().unwrap());
    assert_eq!(
        invoice.hash().as_deref(),
        Some("dbd0f1c65631f9fdbfd3ab8d56c2949c3354b688ea53dee44e42768c07b676e2")
    );
    assert_eq!((invoice.original_number(), invoice.original_date(), invoice.remarks()), (None, None, None));
    let shown = format!("{invoice:?}");
    assert!(!shown.contains("AO2SA") && !shown.contains("142700"), "{shown}");

    let request = last(&mock, "list_invoices");
    assert_eq!(request.query, [("section".to_owned(), "B2B".to_owned())]);
}

#[tokio::test]
async fn a_status_narrows_the_list() {
    let (mock, session) = start().await;
    let list = session.ims().invoices("b2b", InvoiceStatus::Accepted).await.unwrap();
    let numbers: Vec<_> = list.iter().map(Invoice::number).collect();
    assert_eq!(numbers, ["AO2SA2425002517"]);
    for (status, sent) in [
        (InvoiceStatus::Rejected, "rejected"),
        (InvoiceStatus::Pending, "pending"),
        (InvoiceStatus::NoActionTaken, "no_action_taken"),
    ] {
        session.ims().invoices(Section::B2b, status).await.unwrap();
        assert_eq!(last(&mock, "list_invoices").query_value("status"), Some(sent));
    }
}

#[tokio::test]
async fn each_of_the_eight_sections_has_its_own_name_and_members() {
    let (mock, session) = start().await;
    for (section, name) in EIGHT {
        let note = section.as_str().contains("cn") || section.as_str().contains("dn");
        let document = if note {
            json!({"nt_num": "n1", "nt_dt": "24-02-2023", "ont_num": "n0", "ont_dt": "23-02-2023"})
        } else {
            json!({"inum": "n1", "idt": "24-02-2023", "oinum": "n0", "oidt": "23-02-2023", "remarks": "late",
                "itcRedReq": "Y", "declIgst": 2000, "declCgst": 500.5, "declSgst": 500.5, "declCess": 100})
        };
        mock.clear_rules();
        mock.on("list_invoices").json(200, envelope(json!({section.as_str(): [document]})));
        let list = session.ims().invoices(section.clone(), None).await.unwrap();
        assert_eq!(last(&mock, "list_invoices").query_value("section"), Some(name));
        let [invoice] = list.invoices.as_slice() else { panic!("{section}") };
        assert_eq!(invoice.section(), Some(&section));
        assert_eq!((invoice.number(), invoice.original_number()), ("n1", Some("n0")));
        assert_eq!(invoice.date().unwrap().as_str(), "24-02-2023");
        assert_eq!(invoice.original_date().unwrap().as_str(), "23-02-2023");
        assert_eq!((invoice.action(), invoice.value(), invoice.hash()), (None, None, None));
        if note {
            assert_eq!((invoice.remarks(), invoice.itc_reduction()), (None, None));
        } else {
            assert_eq!(invoice.remarks(), Some("late"));
            assert_eq!(invoice.itc_reduction_required(), Some(&YesNo::Yes));
            let declared = invoice.itc_reduction().unwrap();
            let amounts = [declared.igst, declared.cgst, declared.sgst, declared.cess];
            assert_eq!(amounts.map(|amount| amount.unwrap().to_string()), ["2000", "500.5", "500.5", "100"]);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_with_the_reason() {
    let (mock, session) = start().await;
    for section in Section::KNOWN.iter().filter(|section| EIGHT.iter().all(|known| known.0 != **section)) {
        let error = session.ims().invoices(section.clone(), None).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("section")));
        assert!(error.to_string().contains("counted but not listed"), "{error}");
    }
    let error = session.ims().invoices("new", None).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("section")));
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn no_records_are_an_empty_list_and_the_code_is_kept() {
    let (mock, session) = start().await;
    let list = session.ims().invoices(Section::B2bcn, None).await.unwrap();
    assert_eq!((list.invoices.len(), list.no_records_code.as_deref()), (0, Some("IMS0027")));
    assert_eq!(list.transaction_id.as_deref(), Some("4c1d7e52-9a3b-4f60-8d21-6e5f4a3b2c1d"));
    for code in ["RET11416", "RET13508", "RET13509", "RET13510"] {
        mock.on("list_invoices").json(200, business(code)).times(1);
        let list = session.ims().invoices(Section::B2b, None).await.unwrap();
        assert_eq!(list.no_records_code.as_deref(), Some(code));
    }
    mock.on("list_invoices").json(200, business("RET11405")).times(1);
    let error = session.ims().invoices(Section::B2b, None).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("RET11405")));
}

#[tokio::test]
async fn odd_lists_are_read_or_told() {
    let (mock, session) = start().await;
    let ims = session.ims();
    let ask = |data: Value| {
        mock.clear_rules();
        mock.on("list_invoices").json(200, envelope(data));
        ims.invoices(Section::B2b, None)
    };
    assert!(ask(json!({})).await.unwrap().invoices.is_empty());
    assert!(ask(json!({"b2b": []})).await.unwrap().invoices.is_empty());
    assert!(ask(json!({"b2b": null})).await.unwrap().invoices.is_empty());
    let two = ask(json!({"b2b": [{"inum": "1"}], "later": [{"inum": "2"}]})).await.unwrap();
    let sections: Vec<_> = two.iter().map(|invoice| invoice.section().unwrap().as_str()).collect();
    assert_eq!(sections, ["b2b", "later"]);
    let odd = ask(json!({"b2b": [{"action": "X", "inv_typ": "NEW", "idt": "00-00-0000", "more": {"a": 1}}]}));
    let odd = odd.await.unwrap();
    assert_eq!(odd.invoices[0].action().unwrap().as_str(), "X");
    assert_eq!(odd.invoices[0].invoice_type().unwrap().as_str(), "NEW");
    assert_eq!(odd.invoices[0].date().unwrap().to_date().unwrap_err().kind(), ErrorKind::Decode);

    let most = "79228162514264337593543950335";
    let rich = ask(json!({"b2b": [{"iamt": most, "camt": most, "cess": "1"}]})).await.unwrap();
    assert_eq!(rich.invoices[0].total_tax().to_string(), most);

    assert_eq!(ask(Value::Null).await.unwrap_err().kind(), ErrorKind::Decode);
    let error = ask(json!({"b2b": [{"val": "a lot"}]})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error.to_string().contains("data.data.b2b[0]") && !error.to_string().contains("a lot"),
        "{error}"
    );
}

// --- acting -------------------------------------------------------------------

/// The provider's sample requests.
const SAVE_REQUEST: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/openapi/ims/examples/save_invoice_status.request.all_sections.json"
));
const RESET_REQUEST: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/openapi/ims/examples/reset_invoice_status.request.all_sections.json"
));

/// Documents of the provider's sample request, as a list would have them.
fn sample() -> Vec<Invoice> {
    let request: Value = serde_json::from_str(SAVE_REQUEST).unwrap();
    let sections = request["invdata"].as_object().unwrap();
    let documents = sections.iter().flat_map(|(section, items)| {
        items.as_array().unwrap().iter().map(move |item| {
            let invoice: Invoice = serde_json::from_value(item.clone()).unwrap();
            invoice.in_section(section.as_str().into())
        })
    });
    documents.collect()
}

fn recipient(gstin: &str) -> Gstin {
    Gstin::unchecked(gstin).unwrap()
}

#[tokio::test]
async fn the_documented_requests_are_what_is_sent() {
    let (mock, session) = start().await;
    let batch = session.ims().actions().recipient(recipient("05ABNTY3290P8ZB")).accept_all(&sample());
    assert_eq!((batch.len(), batch.is_empty(), batch.requests()), (8, false, 1));
    // The sample is older than the declaration that credit notes need.
    let batch = batch.itc_reduction_where_needed(ItcDeclaration::NotRequired);
    let job = batch.send().await.unwrap();
    assert_eq!(job.reference_id(), "0032e479bcb644c");
    let mut documented: Value = serde_json::from_str(SAVE_REQUEST).unwrap();
    for section in ["b2bcn", "b2bcna"] {
        documented["invdata"][section][0]["itcRedReq"] = "N".into();
    }
    let request = last(&mock, "save_invoice_status");
    assert_eq!((request.json(), request.method.as_str()), (Some(documented), "POST"));

    let batch = session.ims().resets().recipient(recipient("05ABNTY3290P8ZB"));
    // Its items have no action, so the documents are made of what they say was done.
    let reset: Value = serde_json::from_str(RESET_REQUEST).unwrap();
    let documents = reset["invdata"].as_object().unwrap().iter().map(|(section, items)| {
        let mut item = items[0].clone();
        item["action"] = item["prev_status"].take();
        serde_json::from_value::<Invoice>(item).unwrap().in_section(section.as_str().into())
    });
    let documents: Vec<_> = documents.collect();
    let job = batch.reset_all(&documents).send().await.unwrap();
    assert_eq!(job.reference_id(), "b34b5a43e4b1");
    assert_eq!(last(&mock, "reset_invoice_status").json(), Some(reset));
}

#[tokio::test]
async fn each_document_carries_the_status_it_was_listed_with() {
    let (mock, session) = start().await;
    let list = session.ims().invoices(Section::B2b, None).await.unwrap();
    assert!(list.clone().into_iter().eq(list.invoices.iter().cloned()), "by value as by reference");
    let batch = session.ims().actions().recipient(recipient(GSTIN));
    let batch = batch.accept(&list.invoices[0]).reject(&list.invoices[4]).remarks("not ours");
    batch.keep_pending(&list.invoices[5]).send().await.unwrap();
    let body = last(&mock, "save_invoice_status").json().unwrap();
    assert_eq!((&body["rtin"], &body["reqtyp"]), (&json!(GSTIN), &json!("SAVE")));
    let items = body["invdata"]["b2b"].as_array().unwrap();
    let actions: Vec<_> = items
        .iter()
        .map(|item| ["inum", "action", "prev_status"].map(|name| item[name].as_str().unwrap()))
        .collect();
    assert_eq!(
        actions,
        [["1024250260344", "A", "N"], ["AO2SA2425002517", "R", "A"], ["C24E242500143276", "P", "N"]]
    );
    assert_eq!(
        items[1],
        json!({"stin": "24ABCCU0123M1YZ", "rtnprd": "112024", "srcform": "R1", "inum": "AO2SA2425002517",
            "idt": "05-11-2024", "inv_typ": "R", "pos": "24", "val": 142_700, "txval": 120_932.18, "iamt": 0,
            "camt": 10883.91, "samt": 10883.91, "cess": 0, "action": "R", "prev_status": "A",
            "remarks": "not ours"})
    );
}

fn refused(error: &Error, field: &str, reason: &str) {
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_before_anything_is_sent() {
    let (mock, session) = start().await;
    let document = |section: Section, more: Value| {
        let mut invoice = json!({"stin": "s", "rtnprd": "112024", "inum": "1", "action": "N"});
        invoice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Invoice>(invoice).unwrap().in_section(section)
    };
    let plain = document(Section::B2b, json!({}));
    let act = || session.ims().actions().recipient(recipient(GSTIN));
    let send = async |batch: InvoiceActions| {
        let told = batch.check().unwrap_err();
        let error = batch.send().await.unwrap_err();
        assert_eq!(told.to_string(), error.to_string(), "a check tells the same");
        error
    };

    let import = document(Section::Impg, json!({}));
    refused(
        &send(act().accept(&plain).reject(&import)).await,
        "invoice",
        "2 of the batch: imports can be accepted",
    );
    refused(&send(act().accept(&import)).await, "invoice", "no documents of the section `impg`");
    refused(&send(act().accept(&document(Section::Isd, json!({})))).await, "invoice", "section `isd`");
    refused(&send(act().accept(&document("new".into(), json!({})))).await, "invoice", "section `new`");
    let nowhere: Invoice = serde_json::from_value(json!({"inum": "1", "action": "N"})).unwrap();
    refused(&send(act().accept(&nowhere)).await, "invoice", "in_section");
    refused(&send(act().accept(&nowhere.in_section(Section::B2b))).await, "invoice", "lacks number");

    let blocked = document(Section::B2b, json!({"ispendactblocked": "Y"}));
    refused(&send(act().keep_pending(&blocked)).await, "invoice", "ispendactblocked");
    assert!(act().reject(&blocked).check().is_ok() && mock.requests().is_empty(), "a check sends nothing");
    assert!(act().reject(&blocked).send().await.is_ok(), "only pending is blocked");
    mock.clear();

    let unknown = document(Section::B2b, json!({"action": null}));
    refused(&send(act().accept(&unknown)).await, "invoice", "status is not known");
    refused(&send(act().accept(&plain).reject(&plain)).await, "invoice", "twice");
    refused(&send(act()).await, "invoice", "empty");
    refused(&send(act().remarks("why")).await, "remarks", "add one first");
    let silent = document(Section::B2b, json!({"isRemarksBlocked": true}));
    refused(&send(act().reject(&silent).remarks("why")).await, "remarks", "isRemarksBlocked");
    assert!(act().reject(&silent).check().is_ok(), "only remarks are blocked");
    refused(&send(act().reject(&plain).remarks("é".repeat(251))).await, "remarks", "have 251 characters");
    for (section, _) in EIGHT {
        let document = document(section, json!({}));
        assert!(act().reject(&document).remarks("é".repeat(250)).check().is_ok());
    }
    refused(&send(session.ims().actions().accept(&plain)).await, "recipient", "a bare token");
    let reset = || session.ims().resets().recipient(recipient(GSTIN));
    refused(&reset().check().unwrap_err(), "invoice", "empty");
    refused(&reset().send().await.unwrap_err(), "invoice", "empty");
    assert!(mock.requests().is_empty());

    // The first reason is the one that is told.
    refused(&send(act().reject(&import).remarks("why").accept(&nowhere_again())).await, "invoice", "imports");
}

// --- credit notes ---------------------------------------------------------------

fn read(fixture: &str) -> Value {
    let path = format!("{}/tests/fixtures/{fixture}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A document with 180 integrated tax and 10 cess.
fn taxed(section: Section, blocked: Value) -> Invoice {
    let document = json!({"stin": "s", "rtnprd": "112024", "inum": "1", "action": "N", "iamt": 180, "camt": 0,
        "cess": 10, "isItcRedReqBlocked": blocked});
    serde_json::from_value::<Invoice>(document).unwrap().in_section(section)
}

#[tokio::test]
async fn a_credit_note_is_accepted_with_a_declaration_alone() {
    let (mock, session) = start().await;
    mock.on("list_invoices").json(200, read("list_invoices.credit_notes"));
    let list = session.ims().invoices(Section::B2bcn, None).await.unwrap();
    let act = || session.ims().actions().recipient(recipient(GSTIN));
    let missing = act().accept_all(&list).check().unwrap_err();
    refused(&missing, "itc_reduction", "missing for 2 of the documents, 1 of the batch first");
    assert!(missing.to_string().contains("itc_reduction_where_needed"), "{missing}");
    assert!(act().reject(&list.invoices[0]).keep_pending(&list.invoices[1]).check().is_ok());

    let half = ItcReduction::new(90, 0, 0, 0);
    let batch = act().accept(&list.invoices[0]).itc_reduction(ItcDeclaration::Amounts(half));
    let batch = batch.accept(&list.invoices[1]).itc_reduction_where_needed(ItcDeclaration::Full);
    batch.send().await.unwrap();
    let body = last(&mock, "save_invoice_status").json().unwrap();
    let sent = |index: usize| {
        ["itcRedReq", "declIgst", "declCgst", "declSgst", "declCess"]
            .map(|name| body["invdata"]["b2bcn"][index][name].clone())
    };
    assert_eq!(sent(0), [json!("Y"), json!(90), json!(0), json!(0), json!(0)]);
    assert_eq!(sent(1), [json!("Y"), Value::Null, Value::Null, Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_declaration_is_needed_where_gstn_asks_and_refused_where_it_does_not() {
    let (_mock, session) = start().await;
    let act = || session.ims().actions().recipient(recipient(GSTIN));
    for (section, blocked, needed, taken) in [
        (Section::B2bcn, Value::Null, true, true),
        (Section::B2bcna, json!("N"), true, true),
        (Section::B2bcn, json!("Y"), false, false),
        (Section::B2bcna, json!(true), false, false),
        (Section::B2ba, Value::Null, false, true),
        (Section::B2ba, json!(false), true, true),
        (Section::B2bdna, json!("N"), true, true),
        (Section::Ecoma, json!("Y"), false, false),
        (Section::B2b, json!("N"), false, false),
        (Section::B2bdn, Value::Null, false, false),
        (Section::Ecom, Value::Null, false, false),
    ] {
        let place = format!("{section} {blocked}");
        let document = taxed(section, blocked);
        assert_eq!(ItcDeclaration::is_needed_for(&document), needed, "{place}");
        assert_eq!(act().accept(&document).check().is_err(), needed, "{place}");
        for declaration in [ItcDeclaration::Full, ItcDeclaration::NotRequired] {
            assert_eq!(declaration.check_for(&document).is_ok(), taken, "{place}");
            let declared = act().accept(&document).itc_reduction(declaration).check();
            assert_eq!(declared.is_ok(), taken, "{place}: {declared:?}");
            let anyway = act().accept(&document).itc_reduction_where_needed(declaration);
            assert!(anyway.check().is_ok(), "{place}");
            let rejected = act().reject(&document).itc_reduction(declaration);
            refused(&rejected.check().unwrap_err(), "itc_reduction", "is for");
        }
    }
    refused(
        &act().itc_reduction(ItcDeclaration::Full).check().unwrap_err(),
        "itc_reduction",
        "add one first",
    );
}

#[tokio::test]
async fn declared_amounts_are_those_of_the_document_at_most() {
    let (mock, session) = start().await;
    let note = taxed(Section::B2bcn, Value::Null);
    let amount = |text: &str| text.parse::<Amount>().unwrap();
    let declare = |igst: &str, cess: &str| {
        let amounts = ItcReduction::new(amount(igst), 0, 0, amount(cess));
        let batch = session.ims().actions().recipient(recipient(GSTIN)).accept(&note);
        batch.itc_reduction(ItcDeclaration::Amounts(amounts))
    };
    for (igst, cess, reason) in [
        ("180.01", "0", "more igst than the document"),
        ("180", "10.01", "more cess than the document"),
        ("-1", "0", "negative igst"),
        ("0.001", "0", "more than two decimals"),
        ("0", "0.00", "is nothing"),
    ] {
        refused(&declare(igst, cess).check().unwrap_err(), "itc_reduction", reason);
    }
    // All tax of the document is told by no amounts.
    for (igst, cess, sent) in [("180.00", "10", Value::Null), ("179.99", "10", json!(179.99))] {
        declare(igst, cess).send().await.unwrap();
        let body = last(&mock, "save_invoice_status").json().unwrap();
        assert_eq!(body["invdata"]["b2bcn"][0]["declIgst"], sent);
    }
    let all = ItcDeclaration::Amounts(ItcReduction::new(1, 0, 0, 0));
    let batch = session.ims().actions().recipient(recipient(GSTIN)).accept(&note);
    refused(
        &batch.itc_reduction_where_needed(all).check().unwrap_err(),
        "itc_reduction",
        "for many documents",
    );
}

/// A supplier may use a number again in another year.
#[tokio::test]
async fn one_number_of_two_days_is_two_documents() {
    let (mock, session) = start().await;
    mock.on("list_invoices").json(200, read("list_invoices.same_number_twice"));
    let list = session.ims().invoices(Section::B2b, None).await.unwrap();
    let act = || session.ims().actions().recipient(recipient(GSTIN));
    act().accept_all(&list).send().await.unwrap();
    let body = last(&mock, "save_invoice_status").json().unwrap();
    let dates: Vec<_> =
        body["invdata"]["b2b"].as_array().unwrap().iter().map(|item| item["idt"].clone()).collect();
    assert_eq!(dates, ["28-03-2026", "02-05-2026", "03-05-2026"]);
    let twice = act().accept(&list.invoices[1]).reject(&list.invoices[1]);
    refused(&twice.check().unwrap_err(), "invoice", "twice");
}

// --- large batches ----------------------------------------------------------------

fn numbered(count: usize) -> Vec<Invoice> {
    let document = |number: usize| {
        let section = if number.is_multiple_of(2) { Section::B2b } else { Section::Ecom };
        let document =
            json!({"stin": "24ABCFG0123H1YZ", "rtnprd": "102024", "inum": number.to_string(), "action": "N"});
        serde_json::from_value::<Invoice>(document).unwrap().in_section(section)
    };
    (0..count).map(document).collect()
}

#[tokio::test]
async fn a_large_batch_is_several_requests_one_after_the_other() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, envelope(json!({"status_cd": "IP"}))).times(1);
    mock.on("check_invoice_status").example("processed_with_errors").times(1);
    let steps = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&steps);
    let batch = session.ims().actions().recipient(recipient(GSTIN)).accept_all(&numbered(100));
    let batch = batch.max_request_bytes(3_000).polling(quick());
    let requests = batch.requests();
    assert!((3..8).contains(&requests), "{requests}");
    refused(&batch.clone().send().await.unwrap_err(), "invoice", &format!("{requests} requests are needed"));
    assert_eq!(mock.requests().len(), 0);

    let report = batch.on_step(move |step| seen.lock().unwrap().push(step)).run().await.unwrap();
    assert_eq!((report.jobs.len(), report.not_sent), (requests, 0));
    assert!(report.error.is_none());
    assert_eq!(report.jobs.iter().map(|job| job.documents).sum::<usize>(), 100);
    let total = report.total();
    assert_eq!((total.state, total.refused.len()), (JobState::ProcessedWithErrors, 2));
    assert_eq!(total.processed, Some(10 + 8 * (requests as u64 - 1)));
    assert_eq!(steps.lock().unwrap().len(), requests);

    let saved: Vec<_> =
        mock.requests().into_iter().filter(|request| request.path.ends_with("/status/save")).collect();
    assert!(saved.iter().all(|request| request.body.len() <= 3_000));
    let numbers: std::collections::HashSet<String> = saved
        .iter()
        .flat_map(|request| {
            let body = request.json().unwrap();
            let items =
                ["b2b", "ecom"].map(|name| body["invdata"][name].as_array().cloned().unwrap_or_default());
            items
                .concat()
                .into_iter()
                .map(|item| item["inum"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(numbers.len(), 100, "each document once");
    // A request follows the end of the job before it.
    let order: Vec<_> =
        mock.requests().iter().map(|request| request.path.ends_with("/status/save")).collect();
    assert_eq!(order[..4], [true, false, false, true]);
}

#[tokio::test]
async fn a_batch_that_stops_half_way_tells_what_was_sent() {
    let (mock, session) = start().await;
    let batch = || {
        let batch = session.ims().actions().recipient(recipient(GSTIN)).accept_all(&numbered(100));
        batch.max_request_bytes(3_000).polling(quick())
    };
    mock.on("save_invoice_status").error("gateway_timeout").times(1);
    assert_eq!(batch().run().await.unwrap_err().status(), Some(504));
    mock.on("save_invoice_status").body(413, "text/html", "<html>").times(1);
    let error = batch().run().await.unwrap_err();
    assert!(error.to_string().contains("max_request_bytes"), "{error}");

    let count = std::sync::atomic::AtomicUsize::new(0);
    mock.on("save_invoice_status")
        .error("gateway_timeout")
        .when(move |_| count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1);
    let report = batch().run().await.unwrap();
    let error = report.error.as_ref().unwrap();
    assert!(error.status() == Some(504) && error.maybe_processed());
    assert_eq!((report.jobs.len(), report.not_sent), (1, 100 - report.jobs[0].documents));
    assert_eq!(report.total().state, JobState::Processed);

    mock.clear_rules();
    mock.on("check_invoice_status").json(200, envelope(json!({"status_cd": "IP"})));
    let report = batch().polling(quick().deadline(Duration::from_millis(40))).run().await.unwrap();
    assert_eq!(report.error.as_ref().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!((report.jobs.len(), report.jobs[0].report.is_none()), (1, true));
    assert_eq!(report.total().state, JobState::InProgress);
}

#[tokio::test]
async fn an_earlier_batch_is_waited_for() {
    let (mock, session) = start().await;
    let busy = || read("save_invoice_status.earlier_batch_runs");
    mock.on("save_invoice_status").json(200, busy()).times(3);
    let batch = || session.ims().actions().recipient(recipient(GSTIN)).accept(&sample()[0]);
    let report = batch().polling(quick()).run().await.unwrap();
    assert_eq!((report.total().state, mock.hits("save_invoice_status")), (JobState::Processed, 4));

    mock.on("save_invoice_status").json(200, busy());
    let error = batch().send().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("IMSSAV0015")));
    assert!(!error.maybe_processed());
    let error = batch().polling(quick().deadline(Duration::from_millis(50))).run().await.unwrap_err();
    assert_eq!(error.error_code(), Some("IMSSAV0015"));
}

fn nowhere_again() -> Invoice {
    serde_json::from_value(json!({})).unwrap()
}

#[tokio::test]
async fn a_session_names_its_own_taxpayer() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let taxpayer = client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap();
    let session = taxpayer.verify_otp("575757").await.unwrap();
    let invoice = &sample()[0];
    session.ims().actions().accept(invoice).send().await.unwrap();
    assert_eq!(last(&mock, "save_invoice_status").json().unwrap()["rtin"], GSTIN);
    session.ims().actions().recipient(recipient(GSTIN)).accept(invoice).send().await.unwrap();
    let other = session.ims().actions().recipient(recipient("27AACCA8432H2ZP")).accept(invoice);
    refused(&other.send().await.unwrap_err(), "recipient", "not the taxpayer");
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_not_repeated() {
    let (mock, session) = start().await;
    let session = session.with_retry(RetryPolicy::default().base_backoff(Duration::from_millis(1)));
    mock.on("save_invoice_status").error("gateway_timeout");
    let batch = session.ims().actions().recipient(recipient(GSTIN)).accept(&sample()[0]);
    let error = batch.send().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(504), 1));
    assert!(error.maybe_processed() && !error.is_retryable());

    mock.clear_rules();
    for answer in [json!({}), json!({"reference_id": ""}), json!({"reference_id": null}), Value::Null] {
        mock.on("save_invoice_status").json(200, envelope(answer)).times(1);
        let batch = session.ims().actions().recipient(recipient(GSTIN)).accept(&sample()[0]);
        let error = batch.send().await.unwrap_err();
        assert_eq!((error.kind(), error.transaction_id()), (ErrorKind::Decode, Some("t-1")));
        assert!(error.maybe_processed());
    }
}

// --- jobs ---------------------------------------------------------------------

fn quick() -> Polling {
    Polling::default().first_pause(Duration::from_millis(5)).longest_pause(Duration::from_millis(20))
}

fn job(session: &Session) -> Job {
    session.ims().job("0032e479bcb644c").polling(quick())
}

async fn report_of(data: Value) -> Result<JobReport, Error> {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, envelope(data));
    job(&session).status().await
}

#[tokio::test]
async fn the_documented_outcomes_are_told_apart() {
    let (mock, session) = start().await;
    let report = job(&session).wait().await.unwrap();
    assert_eq!((report.state, report.status), (JobState::Processed, Some(JobStatus::P)));
    assert_eq!((report.processed, report.error_count, report.refused.len()), (Some(8), None, 0));
    assert_eq!((report.code, report.message), (None, None));
    assert_eq!(report.transaction_id.as_deref(), Some("619ed667-3bc3-4fc2-954c-340174e52a53"));
    assert_eq!(last(&mock, "check_invoice_status").query_value("reference_id"), Some("0032e479bcb644c"));

    mock.on("check_invoice_status").example("processed_with_errors").times(1);
    let report = job(&session).wait().await.unwrap();
    assert_eq!(
        (report.state, report.processed, report.error_count),
        (JobState::ProcessedWithErrors, Some(10), Some(2))
    );
    let refused: Vec<_> = report
        .refused
        .iter()
        .map(|one| (one.section.as_str(), one.number.as_str(), one.return_period.as_str(), one.code.as_str()))
        .collect();
    assert_eq!(
        refused,
        [("b2b", "invoice-b2b", "042023", "IMSSAV0010"), ("b2bdn", "invoice-dn", "042023", "IMSSAV0010")]
    );
    assert_eq!(report.refused[0].supplier_gstin, "32TAAOA2947A1Z7");
    assert!(report.refused[1].message.starts_with("Either previous action is incorrect"));

    mock.on("check_invoice_status").example("schema_failure").times(1);
    let report = job(&session).wait().await.unwrap();
    assert_eq!((report.state, report.code.as_deref()), (JobState::Failed, Some("IMSSAV005")));
    assert_eq!(report.message.as_deref(), Some("Schema validation failure"));
}

#[tokio::test]
async fn both_readings_of_the_codes_are_taken() {
    for (data, state) in [
        (json!({"status_cd": "P", "proc_cnt": "8"}), JobState::Processed),
        (json!({"status_cd": "P", "proc_cnt": 8}), JobState::Processed),
        (json!({"status_cd": "P", "proc_cnt": "0"}), JobState::Processed),
        (json!({"status_cd": "P", "proc_cnt": "8", "err_cnt": "1"}), JobState::ProcessedWithErrors),
        (json!({"status_cd": "P"}), JobState::InProgress),
        (json!({"status_cd": "P", "proc_cnt": ""}), JobState::InProgress),
        (json!({"status_cd": "S"}), JobState::Processed),
        (json!({"status_cd": "PE"}), JobState::ProcessedWithErrors),
        (json!({"status_cd": "ER"}), JobState::Failed),
        (json!({"status_cd": "IP"}), JobState::InProgress),
        (json!({"status_cd": "REC"}), JobState::InProgress),
        (json!({"status_cd": "XYZ"}), JobState::Unknown),
        (json!({"status_cd": 5}), JobState::Unknown),
        (json!({"status_cd": ""}), JobState::InProgress),
        (json!({"status_cd": null}), JobState::InProgress),
        (json!({}), JobState::InProgress),
    ] {
        assert_eq!(report_of(data.clone()).await.unwrap().state, state, "{data}");
    }
    assert_eq!(report_of(Value::Null).await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn reports_of_odd_shape_are_read() {
    let report = report_of(json!({"status_cd": "PE", "error_report": {
        "cna": [{"stin": "s", "error_cd": "E", "inv": [{"nt_num": "n"}, {"inum": "i"}]}],
        "b2b": null,
        "later": [{"error_msg": "m"}],
    }}));
    let refused = report.await.unwrap().refused;
    let told: Vec<_> = refused.iter().map(|one| (one.section.as_str(), one.number.as_str())).collect();
    assert_eq!(told, [("b2bcna", "n"), ("b2bcna", "i"), ("later", "")]);
    assert_eq!((refused[1].code.as_str(), refused[2].message.as_str()), ("E", "m"));
    assert!(report_of(json!({"status_cd": "PE", "error_report": null})).await.unwrap().refused.is_empty());
}

#[tokio::test]
async fn waiting_pauses_longer_and_longer() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, envelope(json!({"status_cd": "IP"}))).times(4);
    let polling =
        Polling::default().first_pause(Duration::from_millis(40)).longest_pause(Duration::from_millis(100));
    let report = session.ims().job("r").polling(polling).wait().await.unwrap();
    assert_eq!(report.state, JobState::Processed);
    let arrived: Vec<_> = mock.requests().iter().map(|request| request.arrived).collect();
    let pauses: Vec<_> = arrived.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (pause, least) in pauses.iter().zip([40, 80, 100, 100]) {
        assert!(*pause >= Duration::from_millis(least), "{pauses:?}");
    }
    assert_eq!(pauses.len(), 4);
}

#[tokio::test]
async fn a_first_pause_without_end_ends_at_the_deadline() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, envelope(json!({"status_cd": "IP"})));
    let polling = Polling::default().first_pause(Duration::MAX).deadline(Duration::from_millis(100));
    let error = session.ims().job("r").polling(polling).wait().await.unwrap_err();
    assert_eq!((error.kind(), mock.hits("check_invoice_status")), (ErrorKind::Timeout, 2));
}

#[tokio::test]
async fn waiting_ends_at_the_deadline_with_the_reference_id() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, envelope(json!({"status_cd": "P"})));
    let job = session.ims().job("0032e479bcb644c").polling(quick().deadline(Duration::from_millis(100)));
    let start = Instant::now();
    let error = job.wait().await.unwrap_err();
    assert!((100..5000).contains(&start.elapsed().as_millis()));
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, Some("check_invoice_status")));
    assert!(
        error.to_string().contains("0032e479bcb644c") && error.to_string().contains("status was P"),
        "{error}"
    );
    assert!(error.maybe_processed() && error.is_retryable());
    assert!(mock.hits("check_invoice_status") >= 3);

    // Another process goes on with the id alone.
    mock.clear_rules();
    let resumed = mock.session().unwrap().ims().job(job.reference_id());
    assert_eq!(resumed.wait().await.unwrap().state, JobState::Processed);
}

#[tokio::test]
async fn what_passes_is_waited_out_and_what_does_not_ends_the_wait() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").error("service_unavailable").times(2);
    assert_eq!(job(&session).wait().await.unwrap().state, JobState::Processed);
    assert_eq!(mock.hits("check_invoice_status"), 3);
    mock.on("check_invoice_status").error("too_many_requests").header("retry-after", "1").times(1);
    let start = Instant::now();
    assert_eq!(job(&session).wait().await.unwrap().state, JobState::Processed);
    assert!(start.elapsed() >= Duration::from_secs(1));

    mock.on("check_invoice_status").json(200, business("RET11405"));
    assert_eq!(job(&session).wait().await.unwrap_err().error_code(), Some("RET11405"));
}

// --- GSTR-2B ------------------------------------------------------------------

#[tokio::test]
async fn a_gstr_2b_is_made_again() {
    let (mock, session) = start().await;
    let job = session.gstr_2b().start_regeneration(period()).await.unwrap().polling(quick());
    assert_eq!(job.reference_id(), "0032e479bcb644c");
    let request = last(&mock, "regenerate_gstr_2b");
    assert_eq!(request.path, "/gst/compliance/tax-payer/gstrs/gstr-2b/2025/11/regenerate");
    assert_eq!((request.method.as_str(), request.body.len()), ("POST", 0));

    mock.on("get_gstr_2b_regeneration_status").json(200, envelope(json!({"status_cd": "IP"}))).times(1);
    let report = job.wait().await.unwrap();
    assert_eq!((report.state, report.code, report.processed), (JobState::Processed, None, None));
    assert_eq!(
        last(&mock, "get_gstr_2b_regeneration_status").path,
        "/gst/compliance/tax-payer/gstrs/gstr-2b/regenerate"
    );
    for (code, state) in [
        ("S", JobState::Processed),
        ("PE", JobState::ProcessedWithErrors),
        ("ER", JobState::Failed),
        ("?", JobState::Unknown),
    ] {
        let answer = json!({"status_cd": code, "err_cd": "E1", "err_msg": "m"});
        mock.on("get_gstr_2b_regeneration_status").json(200, envelope(answer)).times(1);
        let report = session.gstr_2b().job("r").status().await.unwrap();
        assert_eq!(
            (report.state, report.code.as_deref(), report.message.as_deref()),
            (state, Some("E1"), Some("m"))
        );
    }
    mock.on("get_gstr_2b_regeneration_status").json(200, envelope(Value::Null)).times(1);
    assert_eq!(job.status().await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn refusals_of_a_regeneration_have_their_codes() {
    let (mock, session) = start().await;
    for (example, code, word) in
        [("period_closed", "IMS2B007", "3B filed"), ("too_early", "IMS2B009", "after 14/05/2025")]
    {
        mock.on("regenerate_gstr_2b").example(example).times(1);
        let error = session.gstr_2b().start_regeneration(period()).await.unwrap_err();
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some(code)));
        assert!(error.provider_message().unwrap().contains(word), "{error}");
    }
    mock.on("get_gstr_2b_regeneration_status").example("unknown_reference");
    let error = session.gstr_2b().job("none").polling(quick()).wait().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("IMS0008")));
}

// --- the supplier's view ------------------------------------------------------

#[tokio::test]
async fn sales_are_listed_with_the_recipients_actions() {
    let (mock, session) = start().await;
    let list = session.ims().sales_invoices(period(), SupplierSection::B2b, ReturnType::Gstr1).await.unwrap();
    let request = last(&mock, "list_sales_invoices");
    assert_eq!(request.path, "/gst/compliance/tax-payer/invoices/2025/11/sales");
    assert_eq!(
        (request.query_value("section"), request.query_value("return_type")),
        (Some("b2b"), Some("gstr-1"))
    );
    let sales = list.documents.unwrap();
    assert_eq!((sales.gstin.as_deref(), sales.rtnprd.as_deref()), (Some("29ABCCQ3123E1ZZ"), Some("112025")));
    let recipients = sales.gstr1.unwrap().b2b.unwrap();
    assert_eq!(recipients[0].ctin.as_deref(), Some("24ABCCU0123M1ZZ"));
    let document = &recipients[0].inv.as_ref().unwrap()[0];
    assert_eq!(
        (document.imsactn.as_ref(), document.inum.as_deref()),
        (Some(&InvoiceAction::Rejected), Some("INV-001"))
    );
    assert_eq!(document.val, Some(Amount::from(1180)));
    let line = document.itms.as_ref().unwrap()[0].itm_det.as_ref().unwrap();
    assert_eq!((line.rt, line.iamt, line.camt), (Some(Amount::from(18)), Some(Amount::from(180)), None));

    let notes = json!({"gstr1a": {"cdnr": [{"ctin": "c", "nt": [{"nt_num": "1", "imsactn": "P"}]}]}});
    mock.on("list_sales_invoices").json(200, envelope(notes)).times(1);
    let sales = session
        .ims()
        .sales_invoices(period(), SupplierSection::B2b, ReturnType::Gstr1)
        .await
        .unwrap()
        .documents
        .unwrap();
    let recipient = &sales.gstr1a.unwrap().cdnr.unwrap()[0];
    assert_eq!(recipient.extra["nt"][0]["imsactn"], "P");

    mock.on("list_sales_invoices").example("shortened").times(1);
    let sales = session
        .ims()
        .sales_invoices(period(), SupplierSection::B2b, ReturnType::Gstr1)
        .await
        .unwrap()
        .documents;
    let recipients = sales.unwrap().gstr1.unwrap().b2b.unwrap();
    let actions = recipients.iter().map(|recipient| recipient.inv.as_ref().unwrap()[0].imsactn.clone());
    assert_eq!(actions.collect::<Vec<_>>(), [Some(InvoiceAction::Accepted), None]);

    mock.on("list_sales_invoices").example("none").times(1);
    let none = session.ims().sales_invoices(period(), SupplierSection::B2b, ReturnType::Gstr1).await.unwrap();
    assert!(none.documents.is_none() && none.no_records_code.as_deref() == Some("RET11416"));
    mock.on("list_sales_invoices").json(200, business("RET11405")).times(1);
    assert_eq!(
        session
            .ims()
            .sales_invoices(period(), SupplierSection::B2b, ReturnType::Gstr1)
            .await
            .unwrap_err()
            .error_code(),
        Some("RET11405")
    );
}

#[tokio::test]
async fn liabilities_added_back_are_listed() {
    let (mock, session) = start().await;
    let list = session.ims().added_back_liabilities(period(), SupplierSection::Cdnr).await.unwrap();
    let request = last(&mock, "list_added_back_liabilities");
    assert_eq!(request.path, "/gst/compliance/tax-payer/invoices/added-back-liabilities/2025/11");
    assert_eq!(request.query_value("section"), Some("cdnr"));
    let sections = list.documents.unwrap().rej_inv_add_back_liab.unwrap();
    let note = &sections.cdnr.unwrap()[0];
    assert_eq!((note.nt_num.as_deref(), note.val), (Some("CN-001"), Some(Amount::from(1180))));
    assert_eq!((note.sup_prd.as_deref(), note.remarks.as_deref()), (Some("102025"), Some("Not received")));
    assert_eq!((list.no_records_code, sections.b2ba.is_none()), (None, true));

    mock.on("list_added_back_liabilities").example("none");
    let empty = session.ims().added_back_liabilities(period(), SupplierSection::Cdnr).await.unwrap();
    assert!(empty.documents.is_none());
    assert_eq!(empty.no_records_code.as_deref(), Some("IMS0027"));
    assert_eq!(empty.transaction_id.as_deref(), Some("0ab634ae-dd3b-4d73-80ec-3b54295df359"));
}

#[tokio::test]
async fn lists_of_the_supplier_can_be_asked_for_by_codes_that_are_new() {
    let (mock, session) = start().await;
    session.ims().sales_invoices(period(), "new", "gstr-1a").await.unwrap();
    let request = last(&mock, "list_sales_invoices");
    assert_eq!(
        (request.query_value("section"), request.query_value("return_type")),
        (Some("new"), Some("gstr-1a"))
    );
    session.ims().added_back_liabilities(period(), "new").await.unwrap();
    assert_eq!(last(&mock, "list_added_back_liabilities").query_value("section"), Some("new"));
}

#[tokio::test]
async fn lists_of_the_supplier_need_a_section() {
    let (mock, session) = start().await;
    let (year, month) = (period(), period());
    let ims = session.ims();
    let sales = || ims.list_sales_invoices().year(year).month(month);
    let without_section = sales().return_type("gstr-1").send().await.unwrap_err();
    assert_eq!((without_section.kind(), without_section.field()), (ErrorKind::Input, Some("section")));
    let without_type = sales().section("b2b").send().await.unwrap_err();
    assert_eq!((without_type.kind(), without_type.field()), (ErrorKind::Input, Some("return_type")));
    let without_section = ims.list_added_back_liabilities().year(year).month(month).send().await;
    assert_eq!(without_section.unwrap_err().field(), Some("section"));
    assert!(mock.requests().is_empty(), "told before anything is sent");
}

// --- the mock's memory --------------------------------------------------------

async fn listed(session: &Session, status: InvoiceStatus) -> InvoiceList {
    session.ims().invoices(Section::B2b, status).await.unwrap()
}

#[tokio::test]
async fn the_mock_remembers_what_was_done_once_the_job_is_worked_off() {
    let (_mock, session) = stateful().await;
    let counts = session.ims().all_counts().await.unwrap();
    assert_eq!((counts.others.no_action(), counts.others.accepted(), counts.imports.total()), (11, 1, 20));
    let list = session.ims().invoices(Section::B2b, None).await.unwrap();
    let batch = session.ims().actions().recipient(recipient(GSTIN));
    let batch = batch.accept(&list.invoices[0]).reject(&list.invoices[1]).remarks("why");
    let job = batch.keep_pending(&list.invoices[2]).send().await.unwrap().polling(quick());

    assert_eq!(job.status().await.unwrap().state, JobState::InProgress);
    assert_eq!(listed(&session, InvoiceStatus::NoActionTaken).await.invoices.len(), 11, "not yet");
    let report = job.wait().await.unwrap();
    assert_eq!((report.state, report.processed), (JobState::Processed, Some(3)));
    assert_eq!(job.status().await.unwrap(), report, "the report stays");

    let counts = session.ims().counts(None).await.unwrap();
    assert_eq!((counts.no_action(), counts.accepted(), counts.rejected(), counts.pending()), (8, 2, 1, 1));
    assert_eq!((counts.total(), counts.total_mismatch()), (12, None));
    let rejected = listed(&session, InvoiceStatus::Rejected).await;
    assert_eq!(rejected.invoices[0].number(), list.invoices[1].number());
    assert_eq!(rejected.invoices[0].remarks(), Some("why"));

    // What was listed before is stale now.
    let batch = session.ims().resets().recipient(recipient(GSTIN));
    let stale = batch.reset(&list.invoices[1]).reset(&rejected.invoices[0].clone()).send().await;
    refused(&stale.unwrap_err(), "invoice", "twice");
    let batch = session.ims().resets().recipient(recipient(GSTIN)).reset(&list.invoices[1]);
    let job = batch.send().await.unwrap().polling(quick());
    let report = job.wait().await.unwrap();
    assert_eq!((report.state, report.processed), (JobState::ProcessedWithErrors, Some(0)));
    assert_eq!(report.refused[0].number, list.invoices[1].number());
    let batch = session.ims().resets().recipient(recipient(GSTIN)).reset_all(&rejected);
    assert!(!batch.is_empty());
    batch.send().await.unwrap().polling(quick()).wait().await.unwrap();
    let none = listed(&session, InvoiceStatus::Rejected).await;
    assert_eq!((none.invoices.len(), none.no_records_code.as_deref()), (0, Some("IMS0027")));
}

#[tokio::test]
async fn the_mock_forgets_nothing_by_rule_and_nothing_without_being_asked() {
    let (mock, session) = stateful().await;
    mock.on("list_invoices").example("b2b_accepted").times(1);
    assert_eq!(
        session.ims().invoices(Section::B2b, None).await.unwrap().invoices.len(),
        1,
        "rules come first"
    );
    mock.on("list_invoices").header("x-more", "1").times(1);
    assert_eq!(session.ims().invoices(Section::B2b, None).await.unwrap().invoices.len(), 12);
    assert!(session.ims().invoices(Section::B2bdna, None).await.unwrap().invoices.is_empty());
    // A job of an earlier life is answered as documented.
    assert_eq!(session.ims().job("0032e479bcb644c").status().await.unwrap().processed, Some(8));

    let bare = MockServer::builder().document(json!({"openapi": "3.0.3", "paths": {}})).stateful_ims();
    assert!(bare.start().await.unwrap_err().to_string().contains("list_invoices"));
}
