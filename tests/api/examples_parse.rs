//! Every payload that the provider documents, or that was inferred from its
//! documents (`.inferred.` in the name), one by one: read or produced, and
//! checked by value.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use sandbox_client::{
    Error, ErrorKind, JobState, RetryPolicy, Session,
    ims::types::{ResetInvoiceStatusRequest, SaveInvoiceStatusRequest, TypeOfGoods},
    mock::MockServer,
    public::types::ChangedGstinsQuery,
    session::types::TaxpayerLogin,
    values::{
        Amount, Gstin, InvoiceAction, InvoiceCounts, ReturnPeriod, ReturnType, Section, SupplierSection,
        Timestamp, YesNo,
    },
};
use serde_json::Value;

/// A sample of the provider, whose GSTINs have wrong check digits.
fn sample<T: serde::de::DeserializeOwned>(payload: Value) -> T {
    Gstin::unchecked_within(|| serde_json::from_value(payload)).unwrap()
}

/// Where each payload is, by its name without `.json`: an example of the document,
/// or in `tests/fixtures` what belongs to no operation of the document.
static PAYLOADS: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut payloads = BTreeMap::new();
    let mut folders = vec![root.join("openapi"), root.join("tests/fixtures")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                assert_eq!(payloads.insert(name, path), None, "two files of one name");
            }
        }
    }
    payloads
});

fn payload(name: &str) -> Value {
    let path = PAYLOADS.get(name).unwrap_or_else(|| panic!("no file {name}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

// --- failures -----------------------------------------------------------------

async fn start() -> (MockServer, Session) {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    (mock, session)
}

/// What Get Invoice Count says to this answer.
async fn failure(status: u16, answer: Value) -> Error {
    let (mock, session) = start().await;
    mock.on("get_invoice_count").json(status, answer);
    session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap_err()
}

#[tokio::test]
async fn failures_with_a_status() {
    use ErrorKind::{Api, Denied, RateLimited, SessionExpired};
    for (name, status, kind, message) in [
        ("ClientError.unauthorized", 401, SessionExpired, "Unauthorized"),
        ("ClientError.access_revoked.inferred", 403, Denied, "Access revoked"),
        ("ClientError.access_token_expired.inferred", 403, SessionExpired, "Access token has expired"),
        ("ClientError.insufficient_credits.inferred", 403, Denied, "Insufficient credits"),
        ("ClientError.insufficient_privilege.inferred", 403, Denied, "Insufficient privilege"),
        ("ClientError.invalid_access_token.inferred", 403, SessionExpired, "Invalid access token"),
        ("ClientError.usage_quota_exhausted.inferred", 403, Denied, "Usage quota exhausted"),
        ("ClientError.too_many_requests.inferred", 429, RateLimited, "Too Many Requests"),
        ("ServerError.internal_server_error.inferred", 500, Api, "Internal Server Error"),
        ("ServerError.service_unavailable.inferred", 503, Api, "Service Unavailable"),
        ("ServerError.gateway_timeout.inferred", 504, Api, "Gateway Timeout"),
        ("ClientError.invalid_gstin", 422, Api, "Invalid GSTIN pattern"),
        ("ServerError.invalid_gstin_as_500", 500, Api, "Invalid GSTIN pattern"),
    ] {
        let answer = payload(name);
        let error = failure(status, answer.clone()).await;
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{name}");
        assert_eq!(error.provider_message(), Some(message), "{name}");
        assert_eq!(error.transaction_id(), answer["transaction_id"].as_str(), "{name}");
        assert_eq!(answer["message"], message);
    }
}

#[tokio::test]
async fn failures_inside_status_200() {
    for (name, kind, code, message) in [
        (
            "list_added_back_liabilities.none",
            ErrorKind::Business,
            "IMS0027",
            "No added back liability records",
        ),
        ("file_gstr_9.not_ready", ErrorKind::Business, "RET00014", "not in ready to be filed"),
        ("file_gstr_9.invalid_summary", ErrorKind::Business, "RETPV01", "Invalid summary payload"),
        ("generate_evc_otp.no_signatory", ErrorKind::Business, "OTP0010", "authorized signatory"),
        ("generate_otp.too_many_sessions", ErrorKind::Business, "AUTH403", "Maximum session allowed"),
        ("generate_otp.otp_server_down", ErrorKind::Business, "TEC4001", "OTP server is down"),
        (
            "get_invoice_count.invalid_session.inferred",
            ErrorKind::SessionExpired,
            "AUTH4033",
            "Invalid Session",
        ),
        ("get_gstr_1_at.ret11416", ErrorKind::Business, "RET11416", "No document found"),
        (
            "get_gstr_2b_regeneration_status.unknown_reference",
            ErrorKind::Business,
            "IMS0008",
            "internal transaction Id",
        ),
        ("list_sales_invoices.none", ErrorKind::Business, "RET11416", "No document found"),
        ("regenerate_gstr_2b.period_closed", ErrorKind::Business, "IMS2B007", "3B filed"),
        ("regenerate_gstr_2b.too_early", ErrorKind::Business, "IMS2B009", "after 14/05/2025"),
        ("verify_otp.invalid_session", ErrorKind::SessionExpired, "AUTH4033", "Invalid Session"),
    ] {
        let answer = payload(name);
        let error = failure(200, answer.clone()).await;
        assert_eq!(
            (error.kind(), error.error_code(), error.status()),
            (kind, Some(code), Some(200)),
            "{name}"
        );
        assert!(error.provider_message().unwrap().contains(message), "{name}: {error}");
        assert_eq!(error.transaction_id(), answer["transaction_id"].as_str(), "{name}");
        assert_eq!(error.is_no_records(), ["IMS0027", "RET11416"].contains(&code), "{name}");
    }
}

// --- session ------------------------------------------------------------------

#[tokio::test]
async fn both_shapes_of_the_login_give_the_token() {
    for (name, transaction_id) in [
        ("authenticate.ok", Some("3a31716a-6a4d-4670-83fe-849d8209e35a")),
        ("authenticate.legacy_top_level", None),
    ] {
        let (mock, session) = start().await;
        let client = session.client();
        mock.on("authenticate").json(200, payload(name));
        let answer = client.authentication().authenticate().send().await.unwrap().into_inner();
        let token = answer.data.and_then(|data| data.access_token).or(answer.access_token).unwrap();
        assert_eq!(token.expose_secret(), "eyJhbGciOiJub25lIn0.e30.fake");
        assert_eq!(answer.transaction_id.as_deref(), transaction_id);
        // And it is the one that the next call carries.
        let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW").unwrap(), "acme.com").unwrap();
        mock.on("generate_otp").json(200, payload("generate_otp.ok")).before_checks();
        taxpayer.request_otp().await.unwrap();
        assert_eq!(
            mock.requests().last().unwrap().header("authorization"),
            Some("eyJhbGciOiJub25lIn0.e30.fake")
        );
    }
    let (mock, session) = start().await;
    let client = session.client();
    mock.on("authenticate").json(403, payload("ClientError.bad_credentials"));
    let error = client.authentication().authenticate().send().await.unwrap_err();
    assert_eq!((error.kind(), error.provider_message()), (ErrorKind::Auth, Some("Bad Credentials")));
    assert_eq!((error.status(), error.transaction_id()), (Some(403), None));
}

#[tokio::test]
async fn the_requests_of_a_session_are_produced_and_its_answers_read() {
    let (mock, session) = start().await;
    let client = session.client();
    let sample = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let taxpayer = client.taxpayer(sample, "acme.com").unwrap();
    let produced = || mock.requests().last().unwrap().json();
    mock.on("generate_otp").json(200, payload("generate_otp.ok"));
    taxpayer.request_otp().await.unwrap();
    assert_eq!(produced(), Some(payload("generate_otp.request.documented")));
    let answer = client.session().generate_otp().body(login(sample)).send().await.unwrap();
    assert_eq!(answer.status_cd.as_ref().unwrap().as_str(), "1");
    assert_eq!(answer.transaction_id(), Some("9a6ce7b9-de63-48a8-b45b-0c5420538b25"));
    assert_eq!(millis(answer.timestamp()), 1_712_926_086_000);

    mock.on("verify_otp").json(200, payload("verify_otp.ok"));
    taxpayer.verify_otp("575757").await.unwrap();
    assert_eq!(produced(), Some(payload("verify_otp.request.documented")));
    assert!(taxpayer.saved().unwrap().expose_secret().contains("eyJhbGciOiJub25lIn0.e30.fake-taxpayer"));
    let opened = client.session().verify_otp().otp("575757").body(login(sample)).send().await.unwrap();
    assert_eq!(millis(opened.token_expiry.as_ref()), 1_712_947_711_000);
    assert_eq!(millis(opened.session_expiry.as_ref()), 1_712_947_711_000);
    assert_eq!(millis(opened.timestamp()), 1_712_926_110_000);

    mock.on("refresh_session").json(200, payload("refresh_session.ok")).before_checks();
    taxpayer.refresh().await.unwrap();
    assert!(taxpayer.saved().unwrap().expose_secret().contains("eyJhbGciOiJub25lIn0.e30.fake-refreshed"));
    let refreshed = session.session().refresh_session().send().await.unwrap();
    assert_eq!(millis(refreshed.session_expiry.as_ref()), 1_712_947_710_000);
    assert_eq!(refreshed.transaction_id(), Some("460019fb-f79a-4c1d-bc21-46c9f8210c1d"));

    mock.on("logout").json(200, payload("logout.ok"));
    let answer = session.session().logout().send().await.unwrap();
    assert_eq!(answer.transaction_id(), Some("a7eda5e8-1558-4689-ace8-f085cd699041"));
    assert!(!answer.status_cd.as_ref().unwrap().is_failure());

    // An envelope of another operation; its timestamp counts seconds.
    mock.clear_rules();
    mock.on("logout").json(200, payload("generate_evc_otp.ok"));
    let answer = session.session().logout().send().await.unwrap();
    assert_eq!(answer.timestamp().unwrap().to_string(), "1763446641");
    assert_eq!(millis(answer.timestamp()), 1_763_446_641_000);
    assert_eq!(answer.status_cd.as_ref().unwrap().as_str(), "1");
}

fn login(gstin: Gstin) -> TaxpayerLogin {
    TaxpayerLogin::builder().gstin(gstin).username("acme.com").try_into().unwrap()
}

fn millis(timestamp: Option<&Timestamp>) -> i64 {
    timestamp.unwrap().unix_millis().unwrap()
}

// --- counts -------------------------------------------------------------------

#[tokio::test]
async fn counts() {
    let mut read = 0;
    // Accepted, rejected, pending, without action, all; sections; total as sent.
    for (name, sums, sections, sent) in [
        ("others", [1, 0, 0, 11, 12], 8, 12),
        ("others_mixed.inferred", [2, 2, 1, 47, 52], 8, 52),
        ("partial_sections.inferred", [2, 1, 1, 8, 12], 2, 12),
        ("zero.inferred", [0, 0, 0, 0, 0], 8, 0),
        ("unknown_section.inferred", [1, 0, 0, 12, 13], 9, 13),
        ("inward_supplies.inferred", [4, 1, 1, 9, 15], 4, 15),
        ("imports.inferred", [5, 0, 1, 14, 20], 4, 20),
        ("with_names", [4, 1, 0, 9, 14], 2, 14),
        ("with_scalar_in_group", [4, 1, 0, 7, 12], 1, 12),
    ] {
        let answer = payload(&format!("get_invoice_count.{name}"));
        let (mock, session) = start().await;
        mock.on("get_invoice_count").json(200, answer.clone());
        let counts = session.ims().counts(TypeOfGoods::Others).await.unwrap();
        assert_eq!(sums_of(&counts), sums, "{name}");
        assert_eq!((counts.sections().len(), counts.total_as_sent), (sections, Some(sent)), "{name}");
        assert_eq!(counts.transaction_id.as_deref(), answer["transaction_id"].as_str());
        assert_eq!(counts.timestamp.as_ref().unwrap().unix_millis(), answer["timestamp"].as_i64());
        let groups =
            answer["data"]["data"].as_object().unwrap().values().find(|group| group.is_object()).unwrap();
        for (section, counts) in counts.sections() {
            assert_eq!(groups[section.as_str()], serde_json::to_value(counts).unwrap(), "{name} {section}");
        }
        read += 1;
    }
    assert_eq!(read, PAYLOADS.keys().filter(|name| name.starts_with("get_invoice_count.")).count() - 2);
}

fn sums_of(counts: &InvoiceCounts) -> [u64; 5] {
    [counts.accepted(), counts.rejected(), counts.pending(), counts.no_action(), counts.by_status().total()]
}

#[tokio::test]
async fn headers_of_answers_reach_the_caller_and_disturb_nothing() {
    // Those of the connection itself are the server's to choose.
    let of_connection = ["Connection", "Content-Length", "Date"];
    for (operation, name) in [
        ("get_invoice_count", "get_invoice_count.others.response_headers"),
        ("save_invoice_status", "save_invoice_status.ok.response_headers"),
    ] {
        let (mock, session) = start().await;
        let mut rule = mock.on(operation);
        let headers = payload(name);
        let headers: Vec<_> = headers.as_object().unwrap().iter().collect();
        let told = || headers.iter().filter(|(header, _)| !of_connection.contains(&header.as_str()));
        for (header, value) in told() {
            rule = rule.header(header, value.as_str().unwrap());
        }
        let received = if operation == "get_invoice_count" {
            session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap().headers().clone()
        } else {
            let body: SaveInvoiceStatusRequest = sample(payload("save_invoice_status.request.all_sections"));
            session.ims().save_invoice_status().body(body).send().await.unwrap().headers().clone()
        };
        for (header, value) in told() {
            assert_eq!(received[header.as_str()], value.as_str().unwrap(), "{name} {header}");
        }
        assert!(told().count() >= 3);
        for header in of_connection {
            assert!(headers.iter().any(|(name, _)| *name == header));
        }
    }
}

// --- lists, actions, jobs -----------------------------------------------------

#[tokio::test]
async fn lists_of_invoices() {
    for (name, count) in [("list_invoices.b2b", 12), ("list_invoices.b2b_accepted", 1)] {
        let answer = payload(name);
        let (mock, session) = start().await;
        mock.on("list_invoices").json(200, answer.clone());
        let list = session.ims().invoices(Section::B2b, None).await.unwrap();
        assert_eq!(list.invoices.len(), count);
        assert_eq!(list.transaction_id.as_deref(), answer["transaction_id"].as_str());
        for (invoice, sent) in list.iter().zip(answer["data"]["data"]["b2b"].as_array().unwrap()) {
            // Every member, amounts to the last digit, under its own name.
            assert_eq!(serde_json::to_value(invoice).unwrap(), *sent);
            let amount = |name: &str| Some(sent[name].to_string().parse::<Amount>().unwrap());
            assert_eq!((invoice.value(), invoice.cgst()), (amount("val"), amount("camt")));
            assert_eq!(Some(invoice.supplier_gstin()), sent["stin"].as_str());
            assert_eq!(invoice.date().unwrap().to_date().unwrap().year(), 2024);
        }
        let accepted = list.iter().filter(|invoice| invoice.action() == Some(&InvoiceAction::Accepted));
        assert_eq!(
            accepted.map(|invoice| invoice.number().to_owned()).collect::<Vec<_>>(),
            ["AO2SA2425002517"]
        );
    }
}

#[test]
fn requests_are_read_and_written_without_loss() {
    for (name, documents) in
        [("save_invoice_status.request.all_sections", 8), ("save_invoice_status.request.with_remarks", 4)]
    {
        let sent = payload(name);
        let read: SaveInvoiceStatusRequest = sample(sent.clone());
        assert_eq!(serde_json::to_value(&read).unwrap(), sent);
        let lists = sent["invdata"].as_object().unwrap();
        assert_eq!(lists.values().map(|list| list.as_array().unwrap().len()).sum::<usize>(), documents);
        assert_eq!(Some(read.rtin.as_str()), sent["rtin"].as_str());
        let note = &read.invdata.b2bdna.unwrap()[0];
        assert_eq!(
            (note.nt_num.as_deref(), note.ont_num.as_deref(), &note.inum),
            (Some("dn2"), Some("ca2"), &None)
        );
        assert_eq!(note.val, Some("1000.1".parse().unwrap()));
        assert_eq!(
            (&note.action, &note.prev_status),
            (&Some(InvoiceAction::Accepted), &InvoiceAction::Accepted)
        );
        if documents == 4 {
            assert_eq!(note.remarks.as_deref(), Some("Business to business debit ammendment changes"));
            assert_eq!((&note.itc_red_req, note.decl_igst), (&Some(YesNo::Yes), Some(Amount::from(2000))));
        }
    }
    let sent = payload("reset_invoice_status.request.all_sections");
    let read: ResetInvoiceStatusRequest = sample(sent.clone());
    assert_eq!(serde_json::to_value(&read).unwrap(), sent);
    assert!(read.invdata.ecoma.unwrap()[0].action.is_none());
}

#[tokio::test]
async fn references_and_reports_of_jobs() {
    let (mock, session) = start().await;
    let body: SaveInvoiceStatusRequest = sample(payload("save_invoice_status.request.all_sections"));
    mock.on("save_invoice_status").json(200, payload("save_invoice_status.ok"));
    let saved = session.ims().save_invoice_status().body(body).send().await.unwrap();
    assert_eq!(saved.reference_id.as_deref(), Some("0032e479bcb644c"));
    assert_eq!(saved.transaction_id(), Some("0f7f60a2-862c-4a1b-b6b4-baa76c6faae6"));

    let body: ResetInvoiceStatusRequest = sample(payload("reset_invoice_status.request.all_sections"));
    mock.on("reset_invoice_status").json(200, payload("reset_invoice_status.ok"));
    let reset = session.ims().reset_invoice_status().body(body).send().await.unwrap();
    assert_eq!(reset.reference_id.as_deref(), Some("b34b5a43e4b1"));

    mock.on("regenerate_gstr_2b").json(200, payload("regenerate_gstr_2b.ok"));
    let job = session.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 4).unwrap()).await.unwrap();
    assert_eq!(job.reference_id(), "0032e479bcb644c");
    mock.on("get_gstr_2b_regeneration_status").json(200, payload("get_gstr_2b_regeneration_status.ok"));
    let report = job.status().await.unwrap();
    assert_eq!((report.state, report.code, report.message), (JobState::Processed, None, None));
    assert_eq!(report.transaction_id.as_deref(), Some("a09371de-fc91-466b-80fd-d85430583ee2"));

    for (name, state, processed, errors, refused) in [
        ("processed", JobState::Processed, Some(8), None, vec![]),
        (
            "processed_with_errors",
            JobState::ProcessedWithErrors,
            Some(10),
            Some(2),
            vec!["invoice-b2b", "invoice-dn"],
        ),
        ("schema_failure", JobState::Failed, Some(0), Some(0), vec![]),
    ] {
        let answer = payload(&format!("check_invoice_status.{name}"));
        mock.on("check_invoice_status").json(200, answer.clone()).times(1);
        let report = session.ims().job("0032e479bcb644c").status().await.unwrap();
        assert_eq!(
            (report.state, report.processed, report.error_count),
            (state, processed, errors),
            "{name}"
        );
        assert_eq!(report.refused.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(), refused);
        assert!(report.refused.iter().all(|one| one.code == "IMSSAV0010" && one.return_period == "042023"));
        let code = answer["data"]["data"]["err_cd"].as_str().filter(|code| !code.is_empty());
        assert_eq!(
            (report.code.as_deref(), report.transaction_id.as_deref()),
            (code, answer["transaction_id"].as_str())
        );
    }
}

#[tokio::test]
async fn lists_of_the_supplier() {
    let (mock, session) = start().await;
    let period = ReturnPeriod::new(2025, 11).unwrap();
    mock.on("list_sales_invoices").json(200, payload("list_sales_invoices.ok.inferred"));
    let sales = session.ims().sales_invoices(period, SupplierSection::B2b, ReturnType::Gstr1).await.unwrap();
    assert_eq!(sales.transaction_id.as_deref(), Some("b2c3d4e5-f6a7-4829-93a4-b5c6d7e8f9a0"));
    let sent = payload("list_sales_invoices.ok.inferred");
    assert_eq!(serde_json::to_value(sales.documents.unwrap()).unwrap(), sent["data"]["data"]);

    mock.on("list_added_back_liabilities")
        .json(200, payload("list_added_back_liabilities.ok.inferred"))
        .times(1);
    let liabilities = session.ims().added_back_liabilities(period, SupplierSection::Cdnr).await.unwrap();
    let sent = payload("list_added_back_liabilities.ok.inferred");
    assert_eq!(serde_json::to_value(liabilities.documents.unwrap()).unwrap(), sent["data"]["data"]);
    mock.on("list_added_back_liabilities").json(200, payload("list_added_back_liabilities.none"));
    let none = session.ims().added_back_liabilities(period, SupplierSection::Cdnr).await.unwrap();
    assert_eq!((none.documents.is_none(), none.no_records_code.as_deref()), (true, Some("IMS0027")));
}

#[tokio::test]
async fn nothing_filed_is_a_success_without_a_list() {
    let (mock, session) = start().await;
    let answer = payload("track_taxpayer_returns.none");
    assert_eq!(answer["data"]["data"], serde_json::json!({}));
    mock.on("track_taxpayer_returns").json(200, answer);
    let period = ReturnPeriod::new(2025, 11).unwrap();
    let answer =
        session.returns_common().track_taxpayer_returns().year(period).month(period).send().await.unwrap();
    assert_eq!(answer.transaction_id(), Some("9fff47a3-15e0-4cd1-864f-7cf72338498c"));
    assert!(answer.e_filedlist.is_none(), "a record, if an empty one");
}

#[tokio::test]
async fn changes_of_a_day_are_asked_for_by_state() {
    let (mock, session) = start().await;
    let client = session.client();
    let sent = payload("get_changed_gstins.request.documented");
    let query = ChangedGstinsQuery::builder().date("04-01-2017").state_code("01").page(1);
    client.public().get_changed_gstins().body(query).send().await.unwrap();
    assert_eq!(mock.requests().pop().unwrap().json(), Some(sent));

    let everywhere = ChangedGstinsQuery::builder().date("04-01-2017");
    let error = client.public().get_changed_gstins().body(everywhere).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.to_string().contains("state_code"), "{error}");
    let everywhere = serde_json::json!({"date": "04-01-2017"});
    let error = client.call("get_changed_gstins", &[], Some(&everywhere)).await.unwrap_err();
    assert_eq!(error.status(), Some(400), "the mock server misses it too: {error}");
}
