//! Answers as GSTN really gives them: what public reports show, and what is
//! documented in another shape. `src/tolerant/tests.rs` has every odd form.

use std::time::Duration;

use sandbox_client::{
    ErrorKind, Job, JobState, Polling, RetryPolicy, Session,
    ims::types::SaveInvoiceStatusRequest,
    mock::{MockServer, round_trip, unread},
    values::{Gstin, InvoiceAction, Section},
};
use serde_json::{Value, json};

async fn start() -> (MockServer, Session) {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    (mock, session)
}

/// An answer of a public report, invented names and numbers in it.
fn reported(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn envelope(data: &Value) -> Value {
    json!({"code": 200, "timestamp": 1_763_446_641_000_i64, "transaction_id": "t-1",
        "data": {"status_cd": "1", "data": data}})
}

// --- counts -------------------------------------------------------------------

#[tokio::test]
async fn members_that_are_no_counts_are_skipped() {
    for (name, total, no_action) in
        [("get_invoice_count.with_names", 14, 9), ("get_invoice_count.with_scalar_in_group", 12, 7)]
    {
        let (mock, session) = start().await;
        mock.on("get_invoice_count").json(200, reported(name));
        let answer = session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap();
        assert!(answer.unread().is_empty(), "nobody knows them, so nobody misses them");
        let counts = session.ims().counts(None).await.unwrap();
        assert_eq!((counts.total(), counts.no_action(), counts.total_mismatch()), (total, no_action, None));
    }
    let (mock, session) = start().await;
    let odd = json!({
        "gstin": "33ABKCS2033B1ZW", "seen": [1, {"b2b": 2}], "names": {"trade": "x", "b2b": "y"}, "none": null,
        "all_oth": {
            "b2b": {"accept": "4", "noaction": 7.0, "asOn": "25-11-2026", "by": {"who": 1}, "held": "2"},
            "ecom": "", "isd": [], "note": {"text": "x"}, "ttl_cnt": "n/a",
        },
    });
    mock.on("get_invoice_count").json(200, envelope(&odd));
    let answer = session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap();
    // What nobody knows and has the name of a section may have been a group.
    assert_eq!(answer.unread(), ["data.data.names", "data.data.all_oth.ttl_cnt"]);
    let counts = session.ims().counts(None).await.unwrap();
    assert_eq!((counts.total(), counts.accepted(), counts.no_action()), (13, 4, 7));
    let sections: Vec<_> = counts.sections().map(|(section, _)| section.as_str()).collect();
    assert_eq!(sections, ["b2b"]);
}

/// What is known as a count and is none would be missing in the sum.
#[tokio::test]
async fn a_count_that_cannot_be_read_is_an_error() {
    for (group, path) in [
        (json!({"b2b": {"accept": "many"}}), "data.data.all_oth.b2b.accept"),
        (json!({"b2b": {"accept": [1]}}), "data.data.all_oth.b2b.accept"),
        (json!({"b2b": 5}), "data.data.all_oth.b2b"),
        (json!(5), "data.data.all_oth"),
    ] {
        let (mock, session) = start().await;
        mock.on("get_invoice_count").json(200, envelope(&json!({"all_oth": group})));
        let error = session.ims().counts(None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains(&format!("`{path}`")), "{error}");
    }
}

#[tokio::test]
async fn an_answer_with_all_groups_is_counted_once() {
    let (mock, session) = start().await;
    let section = json!({"accept": 1, "noaction": 2, "pending": 0, "reject": 0});
    let all = json!({
        "all_oth": {"b2b": section, "ttl_cnt": 3},
        "inv_supp_isd": {"isd": section, "ttl_cnt": 3},
        "imp_gds": {"impg": section, "ttl_cnt": 3},
    });
    mock.on("get_invoice_count").json(200, envelope(&all));
    let counts = session.ims().all_counts().await.unwrap();
    assert_eq!((counts.by_status().total(), counts.by_status().no_action), (9, 6));
    assert_eq!((counts.others.total(), counts.imports.total_as_sent), (3, Some(3)));
    assert!(counts.imports.section("impg").is_some() && counts.imports.section("b2b").is_none());

    // Without the group that was asked for there is nothing of it.
    mock.clear_rules();
    let two = json!({"all_oth": {"b2b": section}, "imp_gds": {"impg": section}});
    mock.on("get_invoice_count").json(200, envelope(&two));
    let counts = session.ims().all_counts().await.unwrap();
    assert_eq!((counts.by_status().total(), counts.inward_supplies.total()), (6, 0));
}

/// GSTN says by a code that there is nothing: counts of nothing, and no failure.
#[tokio::test]
async fn no_records_are_counts_of_nothing() {
    let refused = |code: &str| {
        json!({"code": 200, "transaction_id": "t-9",
            "data": {"status_cd": "0", "error": {"error_cd": code, "message": "nothing"}}})
    };
    for code in ["RETWEB_04", "RT-3BAS1009", "RET11416"] {
        let (mock, session) = start().await;
        mock.on("get_invoice_count").json(200, refused(code));
        let counts = session.ims().counts(None).await.unwrap();
        assert_eq!((counts.total(), counts.sections().len(), counts.total_as_sent), (0, 0, None));
        assert_eq!(counts.transaction_id.as_deref(), Some("t-9"));
        assert_eq!(session.ims().all_counts().await.unwrap().total(), 0);
        // Whoever asks for the answer itself learns what was answered.
        let error = session.ims().get_invoice_count().type_of_goods("others").send().await.unwrap_err();
        assert_eq!((error.is_no_records(), error.error_code()), (true, Some(code)));
        // With another status it is a failure.
        mock.clear_rules();
        mock.on("get_invoice_count").json(422, refused(code));
        assert_eq!(session.ims().counts(None).await.unwrap_err().kind(), ErrorKind::Api);
    }
}

// --- lists --------------------------------------------------------------------

#[tokio::test]
async fn flags_may_be_booleans() {
    let (mock, session) = start().await;
    mock.on("list_invoices").json(200, reported("list_invoices.boolean_flags"));
    let answer = session.ims().list_invoices().section("B2B").send().await.unwrap();
    assert!(answer.unread().is_empty());
    let list = session.ims().invoices(Section::B2b, None).await.unwrap();
    let bound: Vec<_> = list.iter().map(|invoice| (invoice.number(), invoice.is_pending_blocked())).collect();
    assert_eq!(bound, [("FREE-1", false), ("BOUND-2", true)]);
}

#[tokio::test]
async fn notes_keep_remarks_and_declarations() {
    let (mock, session) = start().await;
    mock.on("list_invoices").json(200, reported("list_invoices.notes_with_remarks"));
    let list = session.ims().invoices(Section::B2bcn, None).await.unwrap();
    let [first, second] = list.invoices.as_slice() else { panic!("two notes") };
    assert_eq!((first.number(), first.remarks()), ("CN-7", Some("under discussion")));
    assert_eq!(first.itc_reduction_required().unwrap().as_str(), "N");
    assert_eq!(
        (second.number(), second.remarks(), second.action()),
        ("CN-8", None, Some(&InvoiceAction::Pending))
    );
}

#[tokio::test]
async fn documents_of_one_number_are_different_documents() {
    let (mock, session) = start().await;
    mock.on("list_invoices").json(200, reported("list_invoices.same_number_twice"));
    let list = session.ims().invoices(Section::B2b, None).await.unwrap();
    let read: Vec<_> = list
        .iter()
        .map(|one| (one.number(), one.date().unwrap().as_str(), one.value().unwrap().to_string()))
        .collect();
    assert_eq!(read[0], ("1", "28-03-2026", "500".to_owned()));
    assert_eq!(read[1], ("1", "02-05-2026", "900".to_owned()));
    assert_eq!(read.len(), 3);
}

#[tokio::test]
async fn an_odd_document_does_not_cost_the_others() {
    let (mock, session) = start().await;
    let list = json!({"b2b": [
        {"inum": 12.50, "val": "1,18,000.50", "pos": 5, "idt": ["x"], "hash": {"a": 1}},
        null, "none", 5, {"inum": "2", "pos": [], "val": ""},
    ], "token": "x"});
    mock.on("list_invoices").json(200, envelope(&list));
    let answer = session.ims().list_invoices().section("B2B").send().await.unwrap();
    let path = "data.data.b2b";
    assert_eq!(
        answer.unread(),
        [
            format!("{path}[0].idt"),
            format!("{path}[0].hash"),
            format!("{path}[2]"),
            format!("{path}[3]"),
            format!("{path}[4].pos")
        ]
    );
    let [first, second] = answer.sections[0].1.as_slice() else { panic!("two documents") };
    assert_eq!((first.number(), first.place_of_supply(), first.date()), ("12.5", Some("5"), None));
    assert_eq!(first.value().unwrap().to_string(), "118000.5");
    assert_eq!((second.number(), second.value(), second.section()), ("2", None, Some(&Section::B2b)));
    assert!(answer.raw().starts_with(b"{"), "the rest is in the raw answer");

    mock.clear_rules();
    mock.on("list_invoices").json(200, envelope(&json!({"b2b": [{"inum": "1"}, {"val": "AAAAA0000A"}]})));
    let error = session.ims().invoices(Section::B2b, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("`data.data.b2b[1].val`: expected an amount"), "{error}");
    assert!(!format!("{error:?}").contains("AAAAA0000A"));
}

#[tokio::test]
async fn an_open_gstr_2b_is_read_and_written_back_whole() {
    let answer = reported("get_gstr_2b.imports_isd_amended");
    let sent = answer.to_string();
    let read = round_trip("get_gstr_2b", sent.as_bytes()).unwrap().unwrap();
    let whole = &answer["data"]["data"]["data"];
    assert_eq!(with_floats(&read), with_floats(whole));
    assert!(unread("get_gstr_2b", sent.as_bytes()).unwrap().unwrap().is_empty());
}

fn with_floats(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), with_floats(member))).collect()
        }
        Value::Array(entries) => entries.iter().map(with_floats).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

// --- the envelope -------------------------------------------------------------

/// A code as text and a number for an id cost neither a job nor a token.
#[tokio::test]
async fn an_odd_envelope_does_not_cost_the_answer() {
    let mock = MockServer::start().await.unwrap();
    mock.on("authenticate").json(
        200,
        json!({"code": "200", "timestamp": [], "transaction_id": 17, "data": {"access_token": "eyJhbGciOiJub25lIn0.e30.fake"}}),
    );
    mock.on("generate_otp").before_checks().example("ok");
    let client =
        sandbox_client::Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret());
    let client = client.build().unwrap();
    let answer = client.authentication().authenticate().send().await.unwrap();
    assert_eq!((answer.code, answer.transaction_id.as_deref()), (Some(200), Some("17")));
    assert_eq!(answer.unread(), ["timestamp"]);
    let body = json!({"gstin": "33ABKCS2033B1ZW", "username": "acme.com"});
    client.call("generate_otp", &[], Some(&body)).await.unwrap();

    let (mock, session) = start().await;
    let mut saved = envelope(&json!({"reference_id": 5512}));
    (saved["code"], saved["transaction_id"]) = (json!("200"), json!(17));
    mock.on("save_invoice_status").json(200, saved);
    let sample = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/openapi/ims/examples/save_invoice_status.request.all_sections.json"
    ));
    let request: SaveInvoiceStatusRequest = Gstin::unchecked_within(|| serde_json::from_str(sample)).unwrap();
    let answer = session.ims().save_invoice_status().body(request).send().await.unwrap();
    assert_eq!((answer.reference_id.as_deref(), answer.transaction_id()), (Some("5512"), Some("17")));
}

#[tokio::test]
async fn two_members_on_the_way_to_the_payload_are_an_error() {
    for body in [
        r#"{"data": {"status_cd": "1", "data": {"b2b": []}, "data": {"b2b": [{}]}}}"#,
        r#"{"data": {"data": {}}, "data": {"data": {}}}"#,
    ] {
        let (mock, session) = start().await;
        mock.on("list_invoices").body(200, "application/json", body);
        let error = session.ims().list_invoices().section("B2B").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
    }
}

#[tokio::test]
async fn a_number_that_no_float_holds_costs_only_itself() {
    let (mock, session) = start().await;
    let body = r#"{"transaction_id": 1e400, "data": {"data": {"b2b": [{"inum": "1", "pos": 1e999, "new": -1e400}], "b2ba": 1e400}}}"#;
    mock.on("list_invoices").body(200, "application/json", body);
    let answer = session.ims().list_invoices().section("B2B").send().await.unwrap();
    assert_eq!(answer.sections[0].1[0].number(), "1");
    assert_eq!(answer.sections[0].1[0].place_of_supply(), Some("1e999"));
    assert_eq!(answer.unread(), ["data.data.b2ba"]);
    assert_eq!(answer.raw(), body.as_bytes());
}

/// By its id too, a call loses what is nested too deep and nothing else.
#[tokio::test]
async fn what_is_nested_too_deep_costs_only_itself() {
    let (mock, session) = start().await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let body = format!(
        r#"{{"data": {{"status_cd": "1", "data": {{"b2b": [{{"inum": "1", "pos": {deep}, "new": {deep}}}]}}}}, "new": {deep}}}"#
    );
    mock.on("list_invoices").body(200, "application/json", body);
    let answer = session.ims().list_invoices().section("B2B").send().await.unwrap();
    assert_eq!(answer.sections[0].1[0].number(), "1");
    assert_eq!(answer.unread(), ["data.data.b2b[0].pos"]);
    let answer = session.call("list_invoices", &[("section", "B2B")], None).await.unwrap();
    assert_eq!(answer["data"]["data"]["b2b"][0]["inum"], "1");
    assert_eq!(answer.unread(), ["data.data.b2b", "new[0][0]"]);
}

/// Levels are counted from the payload on; two of them lead to a document of a notice.
#[test]
fn a_hundred_levels_below_the_payload_are_read() {
    for (levels, noted) in [(99, &[][..]), (100, &["data.data.maindocs[0]"])] {
        let deep = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let body = format!(r#"{{"data": {{"status_cd": "1", "data": {{"maindocs": [{deep}, {{}}]}}}}}}"#);
        assert_eq!(unread("get_notice", body.as_bytes()).unwrap().unwrap(), noted, "{levels}");
    }
}

/// Where a type takes members by name, the first of two holds.
#[tokio::test]
async fn of_two_members_of_one_name_one_holds_and_the_other_is_listed() {
    let (mock, session) = start().await;
    let body =
        r#"{"data": {"status_cd": "1", "data": {"status_cd": "P", "proc_cnt": "8", "status_cd": "ER"}}}"#;
    mock.on("check_invoice_status").body(200, "application/json", body);
    let answer = session.ims().check_invoice_status().reference_id("1").send().await.unwrap();
    assert_eq!(answer.status_cd.as_ref().unwrap().as_str(), "P");
    assert_eq!(answer.unread(), ["data.data.status_cd"]);
}

// --- jobs ---------------------------------------------------------------------

fn job(session: &Session) -> Job {
    let polling =
        Polling::default().first_pause(Duration::from_millis(2)).longest_pause(Duration::from_millis(5));
    session.ims().job("0032e479bcb644c").polling(polling.deadline(Duration::from_millis(200)))
}

#[tokio::test]
async fn documents_that_a_job_refused_are_named() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, reported("check_invoice_status.declaration_missing"));
    let report = job(&session).wait().await.unwrap();
    assert_eq!((report.state, report.error_count), (JobState::ProcessedWithErrors, Some(2)));
    let refused: Vec<_> = report
        .refused
        .iter()
        .map(|one| (&one.section, one.number.as_str(), one.return_period.as_str(), one.code.as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (&Section::B2bcn, "CN-7", "102026", "IMSSAV0054"),
            (&Section::B2bcn, "CN-12", "102026", "IMSSAV0054"),
        ]
    );
}

#[tokio::test]
async fn a_job_that_failed_as_a_whole_says_why() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, reported("check_invoice_status.error_report_of_texts"));
    let answer = session.ims().check_invoice_status().reference_id("1").send().await.unwrap();
    assert!(answer.unread().is_empty(), "{:?}", answer.unread());
    let report = job(&session).wait().await.unwrap();
    assert_eq!((report.state, report.code.as_deref()), (JobState::Failed, Some("IMSSAV005")));
    assert_eq!(report.message.as_deref(), Some("the request does not fit the schema"));
    assert!(report.refused.is_empty());
}

#[tokio::test]
async fn a_report_of_a_job_may_have_any_shape() {
    for (errors, refused, message) in [
        (
            json!({"b2b": [{"stin": 5, "error_cd": "E", "inv": [{"inum": 7, "rtnprd": 102_026}, null]}, null]}),
            vec!["7"],
            None,
        ),
        (json!({"b2b": {"error_cd": "E", "inv": {"inum": "8"}}, "dn": null, "cn": ""}), vec!["8"], None),
        (json!([{"error_cd": "E", "inv": [{"inum": "9"}]}]), vec!["9"], None),
        (json!({"b2b": "all of them"}), vec![], None),
        (json!("the batch is too large"), vec![], Some("the batch is too large")),
        (json!({"error_msg": "too large", "error_cd": ["x"]}), vec![], Some("too large")),
        (json!(""), vec![], None),
        (json!([]), vec![], None),
        (json!(5), vec![], None),
        (json!(null), vec![], None),
    ] {
        let (mock, session) = start().await;
        let data = json!({"status_cd": "PE", "proc_cnt": 3.0, "err_cnt": "1", "error_report": errors});
        mock.on("check_invoice_status").json(200, envelope(&data));
        let report = job(&session).wait().await.unwrap_or_else(|error| panic!("{data}: {error}"));
        let numbers: Vec<_> = report.refused.iter().map(|one| one.number.as_str()).collect();
        assert_eq!((numbers, report.message.as_deref()), (refused, message), "{data}");
        assert_eq!((report.state, report.processed), (JobState::ProcessedWithErrors, Some(3)), "{data}");
    }
}

/// Errors that cannot be read are none the less errors, and a status in another
/// shape is more than none.
#[tokio::test]
async fn a_report_that_cannot_be_read_is_no_success() {
    for (report, state) in [
        (json!({"status_cd": "P", "proc_cnt": "3"}), JobState::Processed),
        (json!({"status_cd": "P", "proc_cnt": "3", "error_report": null}), JobState::Processed),
        (
            json!({"status_cd": "P", "proc_cnt": "3", "error_report": {"b2b": "all"}}),
            JobState::ProcessedWithErrors,
        ),
        (
            json!({"status_cd": "P", "proc_cnt": "3", "error_report": {"b2b": [5]}}),
            JobState::ProcessedWithErrors,
        ),
        (json!({"status_cd": "P", "proc_cnt": "3", "error_report": 5}), JobState::ProcessedWithErrors),
        (json!({"status_cd": "P", "proc_cnt": "3", "error_report": "all"}), JobState::ProcessedWithErrors),
        (json!({"status_cd": "P", "proc_cnt": "3", "err_cnt": "many"}), JobState::ProcessedWithErrors),
        (json!({"status_cd": "P", "proc_cnt": "3", "err_cnt": " "}), JobState::Processed),
        (json!({"status_cd": ["P"], "proc_cnt": "3"}), JobState::Unknown),
        (json!({"status_cd": {}}), JobState::Unknown),
        (json!({"status_cd": null}), JobState::InProgress),
    ] {
        let (mock, session) = start().await;
        mock.on("check_invoice_status").json(200, envelope(&report));
        let told = job(&session).status().await.unwrap();
        assert_eq!(told.state, state, "{report}");
    }
    for (report, state) in [
        (json!({"status_cd": "P"}), JobState::Processed),
        (json!({"status_cd": "P", "error_report": "all"}), JobState::ProcessedWithErrors),
        (json!({"status_cd": "P", "error_report": [{"error_cd": "X"}]}), JobState::ProcessedWithErrors),
        (json!({"status_cd": ["P"]}), JobState::Unknown),
    ] {
        let (mock, session) = start().await;
        mock.on("get_return_status").json(200, envelope(&report));
        let period = sandbox_client::values::ReturnPeriod::new(2024, 11).unwrap();
        let told = session.returns_common().job(period, "1").status().await.unwrap();
        assert_eq!(told.state, state, "{report}");
    }
    let (mock, session) = start().await;
    mock.on("get_gstr_2b_regeneration_status").json(200, envelope(&json!({"status_cd": [1]})));
    assert_eq!(session.gstr_2b().job("1").status().await.unwrap().state, JobState::Unknown);
}

/// Nothing is paid or filed once more because an answer could not be read.
#[tokio::test]
async fn what_cannot_be_read_is_no_proof_of_absence() {
    use sandbox_client::filing::FilingOutcome;

    let (mock, session) = start().await;
    let filing = session.gstr_3b().filing(sandbox_client::values::ReturnPeriod::new(2024, 11).unwrap());
    for (list, filed) in [
        (json!({}), FilingOutcome::NotFiled),
        (json!({"EFiledlist": []}), FilingOutcome::NotFiled),
        (json!({"EFiledlist": "see the portal"}), FilingOutcome::Unknown { status: None }),
        (json!({"EFiledlist": [5]}), FilingOutcome::Unknown { status: None }),
        (
            json!({"EFiledlist": [{"arn": [], "ret_prd": "112024", "rtntype": "GSTR3B", "status": "Filed"}]}),
            FilingOutcome::Unknown { status: Some("Filed".to_owned()) },
        ),
    ] {
        mock.clear_rules();
        mock.on("track_taxpayer_returns").json(200, envelope(&list));
        assert_eq!(filing.outcome().await.unwrap(), filed, "{list}");
    }
    mock.clear_rules();
    let refused = json!({"code": 200, "data": {"status_cd": "0", "error": {"error_cd": "RET13510"}}});
    mock.on("track_taxpayer_returns").json(200, refused);
    assert_eq!(filing.outcome().await.unwrap(), FilingOutcome::NotFiled);

    let draft = |payment: Value| {
        envelope(&json!({"gstin": "24ABKCS2033B1ZV", "ret_period": "112024", "tx_pmt": payment}))
    };
    mock.on("get_gstr_3b").json(200, draft(Value::Null));
    let filing = filing.saved_draft().await.unwrap();
    assert_eq!(filing.payment().await.unwrap(), sandbox_client::filing::PaymentState::NotPaid);
    for payment in
        [json!("paid"), json!({"pdcash": "paid"}), json!({"pdcash": [5]}), json!([{"pdcash": []}, 5])]
    {
        mock.clear_rules();
        mock.on("get_gstr_3b").json(200, draft(payment.clone()));
        let error = filing.payment().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{payment}");
    }
}

/// A status that nobody knows is told at once, for both kinds of jobs.
#[tokio::test]
async fn an_unknown_status_ends_the_waiting() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").json(200, envelope(&json!({"status_cd": "HOLD", "proc_cnt": "1"})));
    let report = job(&session).wait().await.unwrap();
    assert_eq!((report.state, report.status.unwrap().as_str()), (JobState::Unknown, "HOLD"));
    assert_eq!(mock.hits("check_invoice_status"), 1);

    mock.on("get_gstr_2b_regeneration_status").json(200, envelope(&json!({"status_cd": 7})));
    let report = session.gstr_2b().job("1").wait().await.unwrap();
    assert_eq!((report.state, report.status.unwrap().as_str()), (JobState::Unknown, "7"));
}

#[tokio::test]
async fn a_job_whose_questions_all_failed_says_why() {
    let (mock, session) = start().await;
    mock.on("check_invoice_status").error("service_unavailable");
    let error = job(&session).wait().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
    let told = error.to_string();
    assert!(told.contains("job 0032e479bcb644c") && told.contains("503"), "{told}");
    assert!(std::error::Error::source(&error).is_some());
    assert!(mock.hits("check_invoice_status") > 2);

    // A status that was told once says more than a question that failed later.
    mock.clear_rules();
    mock.on("check_invoice_status").json(200, envelope(&json!({"status_cd": "IP"}))).times(1);
    mock.on("check_invoice_status").error("service_unavailable");
    let told = job(&session).wait().await.unwrap_err().to_string();
    assert!(told.contains("its last status was IP"), "{told}");
}
