//! Get Invoice Count, by helper and by generated method, against the mock server.

use sandbox_client::{
    ErrorKind,
    ims::types::TypeOfGoods,
    mock::MockServer,
    values::{InvoiceCounts, Section},
};
use serde_json::json;

async fn counts_of(example: &str) -> InvoiceCounts {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_invoice_count").example(example);
    mock.session().unwrap().ims().counts(TypeOfGoods::Others).await.unwrap()
}

/// Counts for an answer with this inner `data`.
async fn counts_in(data: serde_json::Value) -> Result<InvoiceCounts, sandbox_client::Error> {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_invoice_count").json(200, json!({"code": 200, "data": {"status_cd": "1", "data": data}}));
    mock.session().unwrap().ims().counts(TypeOfGoods::Others).await
}

#[tokio::test]
async fn each_type_of_goods_is_asked_for_and_read() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    for (goods, value, total, left, sections) in [
        (TypeOfGoods::Others, "others", 12, 11, 8),
        (TypeOfGoods::InwardSupplies, "inward_supplies", 15, 9, 4),
        (TypeOfGoods::Imports, "imports", 20, 14, 4),
    ] {
        let counts = session.ims().counts(goods).await.unwrap();
        assert_eq!((counts.total(), counts.no_action()), (total, left), "{value}");
        assert_eq!(counts.sections().len(), sections);
        assert!(counts.sections().all(|(section, _)| section.type_of_goods() == Some(goods)));
        assert_eq!(counts.total_mismatch(), None);
        let request = mock.requests().pop().unwrap();
        assert_eq!(request.query, [("type_of_goods".to_owned(), value.to_owned())]);
        assert_eq!(request.path, "/gst/compliance/tax-payer/invoices/count");
    }
}

#[tokio::test]
async fn no_type_means_others() {
    let mock = MockServer::start().await.unwrap();
    mock.session().unwrap().ims().counts(None).await.unwrap();
    assert_eq!(mock.requests()[0].query_value("type_of_goods"), Some("others"));
}

#[tokio::test]
async fn sums_sections_and_questions() {
    let counts = counts_of("others_mixed").await;
    assert_eq!(
        (counts.accepted(), counts.rejected(), counts.pending(), counts.no_action(), counts.total()),
        (2, 2, 1, 47, 52)
    );
    // The answer has them in another order.
    let order: Vec<_> = counts.sections().map(|(section, _)| section.as_str()).collect();
    assert_eq!(order, ["b2b", "b2ba", "b2bcn", "b2bcna", "b2bdn", "b2bdna", "ecom", "ecoma"]);
    assert_eq!(counts.section(Section::B2bcn).unwrap().rejected, 1);
    assert_eq!(counts.section("ecom").unwrap().no_action, 11);
    assert_eq!(counts.section("impg"), None);
    assert!(!counts.all_acted_on());
    assert_eq!(counts.transaction_id.as_deref(), Some("7c0d9a51-2f44-4c0e-9a77-4b5de1c2f901"));
    assert_eq!(counts.timestamp.as_ref().unwrap().unix_millis(), Some(1_763_446_641_000));
    assert!(counts_of("zero").await.all_acted_on());
}

#[tokio::test]
async fn a_transaction_id_that_is_no_uuid_survives() {
    let counts = counts_of("others").await;
    assert_eq!(counts.transaction_id.as_deref(), Some("07457fe3-fb26-4e02-bfdb-5a396c80ffea000"));
}

#[tokio::test]
async fn what_is_unknown_or_absent_is_no_error() {
    let counts = counts_of("unknown_section").await;
    let (last, unknown) = counts.sections().last().unwrap();
    assert_eq!((last, unknown.no_action), (&Section::from("newsec"), 1));
    assert_eq!((counts.total(), counts.no_action()), (13, 12));

    let counts = counts_of("partial_sections").await;
    assert_eq!((counts.sections().len(), counts.total()), (2, 12));

    let counts = counts_in(json!({"all_oth": {"b2b": {"accept": 2, "held": 3}, "isd": null}})).await.unwrap();
    assert_eq!(counts.section("b2b").unwrap().other["held"], 3);
    assert_eq!((counts.total_as_sent, counts.total(), counts.no_action()), (None, 5, 0));

    let counts = counts_in(json!({})).await.unwrap();
    assert_eq!((counts.sections().len(), counts.total()), (0, 0));
}

#[tokio::test]
async fn several_groups_in_one_answer_are_all_read() {
    let counts = counts_in(json!({
        "all_oth": {"b2b": {"noaction": 1}, "ttl_cnt": 1},
        "new_group": {"b2b": {"noaction": 2}, "zzz": {"reject": 4}, "ttl_cnt": 6},
        "imp_gds": null,
    }))
    .await
    .unwrap();
    assert_eq!((counts.total_as_sent, counts.total_mismatch()), (Some(7), None));
    assert_eq!(counts.section("b2b").unwrap().no_action, 3);
}

#[tokio::test]
async fn a_total_that_disagrees_is_told() {
    let counts = counts_in(json!({"all_oth": {"b2b": {"noaction": 3}, "ttl_cnt": 4}})).await.unwrap();
    assert_eq!(counts.total(), 4);
    assert_eq!(counts.total_mismatch(), Some((4, 3)));
    assert!(counts.to_string().contains("The provider's own total is 4, not 3."));
}

#[tokio::test]
async fn numbers_are_exact_or_an_error_that_names_the_place() {
    for (sent, expected) in
        [(json!(7), 7), (json!(7.0), 7), (json!("7"), 7), (json!(-0.0), 0), (json!(u64::MAX), u64::MAX)]
    {
        let counts = counts_in(json!({"all_oth": {"b2b": {"noaction": sent}}})).await.unwrap();
        assert_eq!(counts.no_action(), expected, "{sent}");
    }
    for sent in [json!(-1), json!(1.5), json!(1e300), json!("1.5"), json!([]), json!(true)] {
        let error = counts_in(json!({"all_oth": {"b2b": {"noaction": sent}}})).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{sent}");
        assert!(error.to_string().contains("data.data.all_oth.b2b.noaction"), "{error}");
    }
}

#[tokio::test]
async fn counts_survive_a_round_trip_through_json() {
    for example in ["others_mixed", "unknown_section", "partial_sections"] {
        let counts = counts_of(example).await;
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<InvoiceCounts>(&text).unwrap(), counts, "{text}");
    }
}

#[tokio::test]
async fn a_person_can_read_them() {
    let printed = counts_of("partial_sections").await.to_string();
    let expected = "\
Section               No action    Pending   Accepted   Rejected      Total
Invoices (b2b)                5          1          2          0          8
Credit notes (b2bcn)          3          0          0          1          4
Total                         8          1          2          1         12
";
    assert_eq!(printed, expected);
}

/// A section that is new is text of the provider: the body's cap is its own.
#[tokio::test]
async fn a_section_with_an_endless_name_can_be_printed() {
    let name = "x\u{1b}".repeat(100_000);
    let counts = counts_in(json!({"all_oth": {name: {"noaction": 3}, "ttl_cnt": 3}})).await.unwrap();
    let printed = counts.to_string();
    assert!(printed.len() < 1000 && !printed.contains('\u{1b}'), "{} bytes", printed.len());
    assert!(printed.contains("x\\u{1b}x") && counts.no_action() == 3, "{printed}");
}

#[tokio::test]
async fn a_business_failure_is_an_error_with_its_code() {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_invoice_count").example("invalid_session");
    let error = mock.session().unwrap().ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "get_invoice_count: the taxpayer's session has expired: Invalid Session (code AUTH4033, status 200, \
         transaction d8c9e0f1-a2b3-4445-8556-677889900112); ask for a new OTP"
    );
}

#[tokio::test]
async fn a_success_without_counts_is_no_success() {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_invoice_count").json(200, json!({"code": 200, "data": {"status_cd": "1"}}));
    let error = mock.session().unwrap().ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn the_generated_method_gives_payload_and_envelope() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let answer =
        session.ims().get_invoice_count().type_of_goods("imports").x_api_version("2.0").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.status_cd().unwrap().as_str(), "1");
    assert_eq!(answer.groups[0].0, "imp_gds");
    assert_eq!(mock.requests()[0].header("x-api-version"), Some("2.0"));
}
