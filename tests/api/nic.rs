//! E-invoices and e-way bills over real sockets: sessions that open by
//! themselves, failures in the forms of NIC, and documents that are made once.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sandbox_client::{
    CancelReason, Client, ErrorKind, EwbId, InvoiceId, MemoryStore, Session, TokenStore,
    e_invoice::types::Inv01,
    e_way_bill::types::{EwbRequest, EwbVehicleRequest},
    mock::{Fault, MockServer, RecordedRequest},
    session::kinds::{EInvoiceToken, EWayBillToken},
    values::{EwbNumber, Gstin, Irn, NicServer},
};
use tokio::task::JoinSet;

use crate::e_invoice_checks::sample;

const IRN: &str = "49a7c675b25f730d2353622e4767df203fed2495411953e0351737d47308d868";
const PASSWORD: &str = "not-a-real-password";

fn gstin() -> Gstin {
    Gstin::unchecked("29AAACQ3770E000").unwrap()
}

fn invoices(client: &Client) -> Session<EInvoiceToken> {
    client.e_invoice(gstin(), "api_user", PASSWORD).unwrap()
}

fn bills(client: &Client) -> Session<EWayBillToken> {
    client.e_way_bill(gstin(), "api_user", PASSWORD).unwrap()
}

async fn stateful() -> MockServer {
    MockServer::builder().stateful_documents().start().await.unwrap()
}

fn numbered(number: usize) -> Inv01 {
    let mut invoice = sample();
    invoice.doc_dtls.no = format!("DOC/{number}");
    invoice.ewb_dtls = None;
    invoice
}

fn bill() -> EwbRequest {
    let json = include_str!("../../openapi/e_way_bill/examples/generate_e_way_bill.request.documented.json");
    serde_json::from_str(json).unwrap()
}

fn vehicle() -> EwbVehicleRequest {
    let json =
        include_str!("../../openapi/e_way_bill/examples/update_e_way_bill_vehicle_request_documented.json");
    serde_json::from_str(json).unwrap()
}

fn force(mock: &MockServer) -> Vec<String> {
    let logins = mock.requests().into_iter();
    let logins = logins.filter(|request| request.operation.as_deref() == Some("e_invoice_authenticate"));
    logins.map(|request| request.query_value("force").unwrap_or_default().to_owned()).collect()
}

// --- sessions -----------------------------------------------------------------

#[tokio::test]
async fn many_calls_wait_for_one_login() {
    let mock = MockServer::start().await.unwrap();
    mock.on("e_invoice_authenticate").delay(Duration::from_millis(50));
    let client = mock.client().unwrap();
    assert_eq!(mock.requests().len(), 0, "a session alone sends nothing");
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let session = invoices(&client);
        calls.spawn(async move { session.e_invoice().get_e_invoice().irn(IRN).send().await.map(drop) });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert_eq!((mock.hits("e_invoice_authenticate"), mock.hits("get_e_invoice")), (1, 50));
    assert_eq!(force(&mock), ["false"]);
    let login = mock.requests().into_iter().find(|request| !request.body.is_empty()).unwrap();
    assert_eq!(login.json().unwrap()["password"], PASSWORD);
}

#[tokio::test]
async fn a_token_is_renewed_by_force_and_shared_over_the_store() {
    let mock = MockServer::builder()
        .token_lifetime("e_invoice_token", Duration::from_millis(600))
        .start()
        .await
        .unwrap();
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
    let client = || mock.client_builder().token_store(Arc::clone(&store)).build().unwrap();
    let session = invoices(&client());
    session.e_invoice().get_e_invoice().irn(IRN).send().await.unwrap();
    // Another process finds the token.
    invoices(&client()).e_invoice().get_e_invoice().irn(IRN).send().await.unwrap();
    assert_eq!(mock.hits("e_invoice_authenticate"), 1);

    tokio::time::sleep(Duration::from_millis(650)).await;
    session.e_invoice().get_e_invoice().irn(IRN).send().await.unwrap();
    assert_eq!(force(&mock), ["false", "true"]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_by_another_login() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let (invoices, bills) = (invoices(&client), bills(&client));
    invoices.e_invoice().get_e_invoice().irn(IRN).send().await.unwrap();
    bills.e_way_bill().get_e_way_bill().ewb_no(291_010_077_005).send().await.unwrap();
    mock.expire_all_tokens();
    invoices.e_invoice().get_e_invoice().irn(IRN).send().await.unwrap();
    bills.e_way_bill().get_e_way_bill().ewb_no(291_010_077_005).send().await.unwrap();
    // One of the logins came with a platform token that had expired too.
    assert_eq!((mock.hits("e_invoice_authenticate"), mock.hits("e_way_bill_authenticate")), (3, 2));

    // The portal's own words for the same.
    let gone = serde_json::json!({"code": 200, "data": {"status": "0", "error": {"errorCodes": "238,"}, "info": ""}});
    mock.on("get_e_way_bill").json(200, gone).times(1);
    bills.e_way_bill().get_e_way_bill().ewb_no(291_010_077_005).send().await.unwrap();
    assert_eq!(mock.hits("e_way_bill_authenticate"), 3);
}

#[tokio::test]
async fn a_wrong_password_is_told_by_the_first_call() {
    let mock = MockServer::start().await.unwrap();
    mock.on("e_invoice_authenticate").example("wrong_password");
    mock.on("e_way_bill_authenticate").example("invalid_login");
    let client = mock.client().unwrap();
    let error = invoices(&client).e_invoice().get_e_invoice().irn(IRN).send().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Auth, Some("1019")));
    assert_eq!(error.operation(), Some("e_invoice_authenticate"));
    let error = bills(&client).e_way_bill().get_error_list().send().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Auth, Some("108")));
    assert_eq!(mock.hits("get_e_invoice") + mock.hits("get_error_list"), 0);
    assert_eq!(
        (
            mock.hits("e_invoice_authenticate"),
            mock.hits("e_way_bill_authenticate"),
            mock.hits("authenticate")
        ),
        (1, 1, 1),
        "a wrong password is sent once: portals lock users"
    );

    for (user, password, field) in
        [("", PASSWORD, "username"), ("a\nb", PASSWORD, "username"), ("a", "", "password")]
    {
        let error = client.e_invoice(gstin(), user, password).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)));
    }
}

#[tokio::test]
async fn each_server_has_a_token_of_its_own_and_is_named_on_every_call() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let first = bills(&client);
    let third = first.on(NicServer::Tertiary).unwrap();
    first.e_way_bill().get_error_list().send().await.unwrap();
    third.e_way_bill().get_error_list().send().await.unwrap();
    // This operation knows two servers only.
    third.e_way_bill().get_e_way_bill().ewb_no(291_010_077_005).send().await.unwrap();
    let through = first.through(NicServer::Secondary);
    through.e_way_bill().get_e_way_bill().ewb_no(291_010_077_005).send().await.unwrap();

    let requests = mock.requests();
    let named = |operation: &str, header: &str| -> Vec<String> {
        let requests = requests.iter().filter(|request| request.operation.as_deref() == Some(operation));
        requests.map(|request| request.header(header).unwrap_or("none").to_owned()).collect()
    };
    assert_eq!(named("e_way_bill_authenticate", "x-source"), ["primary", "tertiary"]);
    assert_eq!(named("get_error_list", "x-source"), ["primary", "tertiary"]);
    assert_eq!(named("get_e_way_bill", "x-source"), ["none", "primary"]);
    assert_eq!(named("get_e_way_bill", "x-proxy"), ["none", "secondary"]);
    assert_eq!(third.server(), Some(NicServer::Tertiary));

    let error = invoices(&client).on(NicServer::Tertiary).unwrap_err();
    assert_eq!(error.field(), Some("x-source"));
}

// --- documents that are made once ------------------------------------------------

#[tokio::test]
async fn a_lost_answer_costs_no_second_invoice() {
    let mock = stateful().await;
    let session = invoices(&mock.client().unwrap());
    mock.on("generate_e_invoice").fault(Fault::CloseWithoutAnswer).times(1);
    let registered = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap();
    assert!(registered.found);
    assert_eq!((mock.hits("generate_e_invoice"), mock.hits("get_e_invoice_by_document")), (1, 1));

    // The portal's own word for it.
    let again = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap();
    assert_eq!((again.found, &again.id), (true, &registered.id));
    let kept: InvoiceId = serde_json::from_str(&serde_json::to_string(&registered.id).unwrap()).unwrap();
    assert_eq!(kept, registered.id);
}

#[tokio::test]
async fn an_invoice_that_did_not_arrive_is_sent_again() {
    let mock = stateful().await;
    let session = invoices(&mock.client().unwrap());
    mock.on("generate_e_invoice").error("service_unavailable").times(1);
    let registered = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap();
    assert!(!registered.found);
    assert_eq!((mock.hits("generate_e_invoice"), mock.hits("get_e_invoice_by_document")), (2, 1));
}

#[tokio::test]
async fn what_cannot_be_found_out_is_told_and_found_out_later() {
    let mock = stateful().await;
    let client = mock.client_builder().retry(sandbox_client::RetryPolicy::none()).build().unwrap();
    let session = invoices(&client);
    mock.on("generate_e_invoice").fault(Fault::CloseWithoutAnswer).times(1);
    mock.on("get_e_invoice_by_document").fault(Fault::CloseWithoutAnswer).times(1);
    let error = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap_err();
    assert!(error.maybe_processed(), "{error}");
    assert_eq!(error.operation(), Some("generate_e_invoice"));
    assert!(session.e_invoice().generate_or_get(&numbered(1)).await.unwrap().found);
}

#[tokio::test]
async fn another_invoice_of_the_same_number_is_not_taken_for_this_one() {
    let mock = stateful().await;
    let session = invoices(&mock.client().unwrap());
    let first = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap();
    let mut other = numbered(1);
    other.buyer_dtls.gstin = "29AAACQ3770E111".into();
    let error = session.e_invoice().generate_or_get(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Business);
    assert!(error.to_string().contains("another invoice is registered"), "{error}");

    // The duplicate names what there is; so does a number that was cancelled.
    let error = session.e_invoice().generate_e_invoice().body(numbered(1)).send().await.unwrap_err();
    assert_eq!(error.info()[0].get("Irn"), Some(first.id.irn.as_str()));
    session.e_invoice().cancel(&first.id, CancelReason::DataEntryMistake, "wrong buyer").await.unwrap();
    let error = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap_err();
    assert_eq!(error.error_code(), Some("2278"));
}

#[tokio::test]
async fn a_lost_answer_costs_no_second_e_way_bill() {
    let mock = stateful().await;
    let session = bills(&mock.client().unwrap());
    mock.on("generate_e_way_bill").fault(Fault::CutBody).times(1);
    let generated = session.e_way_bill().generate_or_get(&bill()).await.unwrap();
    assert!(generated.found);
    assert_eq!(mock.hits("generate_e_way_bill"), 1);
    let again = session.e_way_bill().generate_or_get(&bill()).await.unwrap();
    assert_eq!((again.found, again.id), (true, generated.id));

    // A cancelled bill is none; one of another date is another.
    session.e_way_bill().cancel(generated.id, CancelReason::OrderCancelled, "").await.unwrap();
    mock.on("generate_e_way_bill").error("service_unavailable").times(1);
    let third = session.e_way_bill().generate_or_get(&bill()).await.unwrap();
    assert!(!third.found && third.id != generated.id);
    let mut other = bill();
    other.doc_date = "16/12/2018".into();
    let error = session.e_way_bill().generate_or_get(&other).await.unwrap_err();
    assert_eq!(error.error_code(), Some("604"));
}

#[tokio::test]
async fn a_document_of_another_server_is_not_touched() {
    let mock = stateful().await;
    let client = mock.client().unwrap();
    let (invoices, bills) = (invoices(&client), bills(&client));
    let second = bills.on(NicServer::Secondary).unwrap();
    let generated = second.e_way_bill().generate_or_get(&bill()).await.unwrap();
    assert_eq!(generated.id.server, NicServer::Secondary);
    mock.clear();
    let error = bills.e_way_bill().cancel(generated.id, CancelReason::Other, "").await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("x-source")));
    assert!(error.to_string().contains("secondary"), "{error}");
    assert!(bills.e_way_bill().update_vehicle(generated.id, vehicle()).await.is_err());
    assert!(bills.e_way_bill().update_transporter(generated.id, "29AAACW6874H1ZS").await.is_err());
    assert!(bills.e_way_bill().close(generated.id, "01/05/2024", "delivered").await.is_err());
    let id = InvoiceId { irn: Irn::new(IRN).unwrap(), server: NicServer::Secondary };
    assert!(invoices.e_invoice().cancel(&id, CancelReason::Other, "").await.is_err());
    assert_eq!(mock.requests().len(), 0, "nothing is sent");

    // The server would have refused it too.
    let id = EwbId { number: generated.id.number, server: NicServer::Primary };
    let error = bills.e_way_bill().cancel(id, CancelReason::Other, "").await.unwrap_err();
    assert_eq!(error.error_code(), Some("444"));
    second.e_way_bill().cancel(generated.id, CancelReason::Other, "").await.unwrap();
}

/// From an invoice to its end, over real sockets.
#[tokio::test]
async fn an_invoice_travels_and_is_cancelled() {
    let mock = stateful().await;
    let client = mock.client().unwrap();
    let (invoices, bills) = (invoices(&client), bills(&client));
    let (invoices, bills) = (invoices.e_invoice(), bills.e_way_bill());

    let registered = invoices.generate_or_get(&numbered(1)).await.unwrap();
    let irn = &registered.id.irn;
    let (invoice, code) =
        (registered.invoice.signed_invoice_data(), registered.invoice.signed_qr_code_data());
    assert_eq!(invoice.unwrap()["DocDtls"]["No"], "DOC/1");
    assert_eq!(code.unwrap()["Irn"], irn.as_str());
    let transport =
        serde_json::from_value(serde_json::json!({"Irn": irn, "Distance": 500, "TransMode": "1"}));
    let transport: sandbox_client::e_invoice::types::IrnEwbRequest = transport.unwrap();
    let made =
        invoices.generate_e_way_bill_by_irn().irn(irn.clone()).body(transport.clone()).send().await.unwrap();
    let number = EwbNumber::new(made.ewb_no).unwrap();
    let error =
        invoices.generate_e_way_bill_by_irn().irn(irn.clone()).body(transport).send().await.unwrap_err();
    assert_eq!(error.error_code(), Some("4002"));
    let found = invoices.get_e_way_bill_by_irn().irn(irn.clone()).send().await.unwrap();
    assert_eq!((found.ewb_no, found.status.as_deref()), (made.ewb_no, Some("ACT")));

    let id = EwbId { number, server: registered.id.server };
    bills.update_vehicle(id, vehicle()).await.unwrap();
    let details = bills.get_e_way_bill().ewb_no(number).send().await.unwrap();
    let vehicles = details.vehicl_list_details.as_ref().unwrap();
    assert_eq!(vehicles.last().unwrap().vehicle_no.as_deref(), Some("PQR1234"));
    let pdf = bills.generate_e_way_bill_pdf().ewb_no(number).send().await.unwrap();
    let file = client.transfers().download(pdf.e_way_bill_pdf_url.as_ref().unwrap()).await.unwrap();
    assert!(file.bytes().await.unwrap().starts_with(b"%PDF"));

    let error = invoices.cancel(&registered.id, CancelReason::OrderCancelled, "").await.unwrap_err();
    assert_eq!(error.error_code(), Some("2230"), "its e-way bill is active");
    bills.cancel(id, CancelReason::OrderCancelled, "not needed").await.unwrap();
    let error = bills.cancel(id, CancelReason::OrderCancelled, "").await.unwrap_err();
    assert_eq!(error.error_code(), Some("312"));
    invoices.cancel(&registered.id, CancelReason::OrderCancelled, "not needed").await.unwrap();
    let sent = mock.requests();
    let sent =
        sent.iter().rev().find(|request| request.operation.as_deref() == Some("cancel_e_invoice")).unwrap();
    assert_eq!(sent.json().unwrap()["CnlRsn"], "3", "order cancelled, as e-invoices number it");
    let invoice = invoices.get_e_invoice().irn(irn.clone()).send().await.unwrap();
    assert_eq!(invoice.status.as_deref(), Some("CNL"));

    let other = bills.generate_or_get(&bill()).await.unwrap();
    bills.close(other.id, "21/05/2026", "Closed after delivery").await.unwrap();
    let error = bills.close(other.id, "21/05/2026", "again").await.unwrap_err();
    assert_eq!(error.error_code(), Some("827"));
}

#[tokio::test]
async fn an_invoice_is_cancelled_within_the_window_alone() {
    let mock = MockServer::builder().cancellation_window(Duration::ZERO).start().await.unwrap();
    let session = invoices(&mock.client().unwrap());
    let registered = session.e_invoice().generate_or_get(&numbered(1)).await.unwrap();
    let error = session.e_invoice().cancel(&registered.id, CancelReason::Duplicate, "").await.unwrap_err();
    assert_eq!(error.error_code(), Some("2270"));
}

// --- batches -------------------------------------------------------------------

/// Faults of every kind on the way: each invoice is registered once, the one
/// that comes twice is refused, the one that is wrong is not sent.
#[tokio::test]
async fn each_invoice_of_a_batch_is_registered_once() {
    const COUNT: usize = 200;
    let mock = stateful().await;
    let count = Arc::new(AtomicUsize::new(0));
    let of = |every: usize| {
        let count = Arc::clone(&count);
        move |_: &RecordedRequest| count.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
    };
    mock.on("generate_e_invoice").fault(Fault::CloseWithoutAnswer).when(of(7)).times(20);
    mock.on("generate_e_invoice").error("service_unavailable").when(of(11)).times(10);
    let session = invoices(&mock.client().unwrap());
    let mut given: Vec<Inv01> = (1..=COUNT).map(numbered).collect();
    given.push(numbered(7));
    let mut wrong = numbered(COUNT + 1);
    wrong.item_list[0].tot_item_val = 1.into();
    given.push(wrong);

    let batch = session.e_invoice().generate_all(futures_util::stream::iter(given)).concurrency(8);
    let mut batch = batch.start();
    let (mut numbers, mut positions, mut failed) = (HashSet::new(), HashSet::new(), Vec::new());
    while let Some(item) = batch.next().await {
        assert!(positions.insert(item.position));
        match item.result {
            Ok(registered) => assert!(numbers.insert(registered.id.irn), "an IRN twice"),
            Err(error) => failed.push((item.position, error.field().map(str::to_owned))),
        }
    }
    failed.sort();
    assert_eq!((positions.len(), numbers.len()), (COUNT + 2, COUNT));
    assert_eq!(
        failed,
        [(COUNT, Some("DocDtls.No".to_owned())), (COUNT + 1, Some("ItemList[0].TotItemVal".to_owned())),]
    );
}
