//! The statement itself: amounts to the paisa, and documents that come in files.

use sandbox_client::{ErrorKind, mock::MockServer, values::Decimal};

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
