//! The statement itself: amounts to the paisa, and documents that come in files.

use sandbox_client::{
    CreditInPeriod, CreditTotals, ErrorKind,
    mock::MockServer,
    values::{Amount, Decimal, ReturnPeriod},
};
use serde_json::json;

use crate::firm;

/// As text, so that nothing of `f64` comes in between.
fn rupees(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_small_statement_has_its_invoices() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let statement =
        session.gstr_2b().get_gstr_2b().year("2024").month("03").send().await.unwrap().into_inner();
    assert_eq!((statement.fc, statement.rtnprd.as_deref()), (None, Some("032024")));

    let suppliers = statement.docdata.unwrap().b2b.unwrap();
    assert_eq!(suppliers.len(), 3);
    let invoices = suppliers[1].inv.as_deref().unwrap();
    let taxes = invoices.iter().flat_map(|invoice| invoice.items.as_deref().unwrap());
    let sum: Decimal = taxes.map(|item| item.igst.unwrap().to_decimal()).sum();
    assert_eq!(sum, rupees("1606.26"));
}

/// `status_cd` 3 is a success, and `fc` says how many files to ask for.
#[tokio::test]
async fn a_large_statement_is_asked_for_in_files() {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_gstr_2b").times(1).example("split");
    let session = mock.session().unwrap();
    let gstr_2b = session.gstr_2b();
    let ask = || gstr_2b.get_gstr_2b().year("2024").month("03");
    let answer = ask().send().await.unwrap();
    assert_eq!(answer.status_cd().unwrap().as_str(), "3");
    let statement = answer.into_inner();
    assert!(statement.docdata.is_none());
    let credit = statement.itcsumm.unwrap().itcavl.unwrap().nonrevsup.unwrap();
    assert_eq!(credit.igst.unwrap().to_decimal(), rupees("31046327.99"));

    for file in 1..=statement.fc.unwrap() {
        let part = ask().file_number(file.to_string()).send().await.unwrap();
        assert!(part.docdata.is_some());
    }
    let requests = mock.requests();
    let asked: Vec<_> = requests.iter().map(|request| request.query_value("file_number")).collect();
    assert_eq!(asked, [None, Some("1"), Some("2")]);
}

#[tokio::test]
async fn an_empty_period_is_told_from_one_that_is_not_ready() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    for (example, code, empty) in [("nothing", "RET2B1016", true), ("not_ready", "RET2B1023", false)] {
        mock.on("get_gstr_2b").times(1).example(example);
        let error = session.gstr_2b().get_gstr_2b().year("2024").month("03").send().await.unwrap_err();
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some(code)));
        assert_eq!(error.is_no_records(), empty);
    }
}

/// The head of a large statement has totals by kind of supply, and how many documents
/// each supplier has.
#[tokio::test]
async fn a_statement_is_summed_up() {
    let mock = MockServer::start().await.unwrap();
    let gstr_2b = mock.session().unwrap().gstr_2b();
    let march = ReturnPeriod::new(2024, 3).unwrap();
    mock.on("get_gstr_2b").times(1).example("summary");
    let totals = gstr_2b.totals(march).await.unwrap();
    let taxes =
        [totals.available.igst, totals.available.cgst, totals.credit_notes.igst, totals.not_available.sgst];
    // Supplies and reverse charge; credit notes stand apart.
    let expected = ["31240168.24", "1417301.64", "1559541.46", "5330.83"];
    assert_eq!(taxes.map(Amount::to_decimal), expected.map(rupees));
    assert_eq!((totals.documents, totals.generated.unwrap().as_str()), (Some(23), "14-04-2024"));

    mock.on("get_gstr_2b").times(1).example("nothing");
    let nothing = gstr_2b.totals(march).await.unwrap();
    assert_eq!((nothing.available, nothing.documents), (CreditTotals::default().available, Some(0)));

    // Imports and other groups without a total of their own: their sections are added up.
    let with = |itcsumm| json!({"code": 200, "data": {"status_cd": "1", "data": {"data": itcsumm}}});
    let imports = json!({"impg": {"igst": 6000, "cess": 1.5}, "impgsez": {"igst": "500.10"}, "cess": 2});
    let statement = json!({
        "itcsumm": {"itcavl": {"imports": imports, "isdsup": {"igst": 50}}},
        "docdata": {
            "impg": [{"portcode": "INBLR4", "boenum": 8_108_363, "igst": 6000}],
            "impgsez": [{"ctin": "24ABCFG0123H1YZ", "boe": [{"boenum": "8108364"}, {"boenum": "8108365"}]}],
            "ecom": [{"ctin": "24ABCFG0123H1YZ", "inv": [{"inum": "E-1"}]}],
        },
    });
    mock.on("get_gstr_2b").times(1).json(200, with(statement));
    let totals = gstr_2b.totals(march).await.unwrap();
    assert_eq!(totals.available.igst.to_decimal(), rupees("6550.10"));
    assert_eq!((totals.available.cess.to_decimal(), totals.documents), (rupees("2"), Some(4)));

    // No sum of what could not be read.
    for (statement, documents) in [
        (json!({"gstin": "29AAACQ3770E000"}), None),
        (json!({"itcsumm": {"itcavl": 7}}), None),
        (json!({"itcsumm": {}, "cpsumm": {"b2b": [{"ttldocs": 2}, {"ctin": "x"}]}}), Some(None)),
        (json!({"itcsumm": {}, "docdata": {"b2b": 7}}), Some(None)),
        (json!({"itcsumm": {}}), Some(None)),
    ] {
        mock.on("get_gstr_2b").times(1).json(200, with(statement.clone()));
        match (gstr_2b.totals(march).await, documents) {
            (Ok(totals), Some(documents)) => assert_eq!(totals.documents, documents, "{statement}"),
            (Err(error), None) => assert_eq!(error.kind(), ErrorKind::Decode, "{statement}"),
            (outcome, _) => panic!("{statement}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_sweep_tells_what_is_not_generated_from_failures() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let firm = firm();
    client.taxpayer(firm[0].gstin, "acme.com").unwrap().verify_otp("575757").await.unwrap();
    mock.on("get_gstr_2b").example("not_ready").when(|request| request.path.ends_with("/2026/11"));
    let periods = [10, 11].map(|month| CreditInPeriod(ReturnPeriod::new(2026, month).unwrap()));
    let mut sweep = client.sweep(firm).tasks(periods).start();
    let mut told = Vec::new();
    while let Some(item) = sweep.next().await {
        let outcome = match &item.result {
            Ok(totals) => format!("{} documents", totals.documents.unwrap()),
            Err(error) if error.is_not_ready() => "not generated".to_owned(),
            Err(error) => error.kind().as_str().to_owned(),
        };
        told.push(format!("{} {} {outcome}", item.taxpayer.username, item.task));
    }
    told.sort();
    assert_eq!(
        told,
        [
            "acme.com 102026 4 documents",
            "acme.com 112026 not generated",
            "nobody 102026 session_expired",
            "nobody 112026 session_expired",
        ]
    );
}
