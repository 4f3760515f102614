//! Returns that are read as a whole, and the sweep over who has filed.

use sandbox_client::{
    ErrorKind, FiledInPeriod, RetryPolicy,
    filing::FilingOutcome,
    mock::MockServer,
    values::{ReturnPeriod, ReturnType},
};
use serde_json::{Value, json};

use crate::firm;

fn october() -> ReturnPeriod {
    ReturnPeriod::new(2026, 10).unwrap()
}

#[tokio::test]
async fn every_section_is_read_and_says_how_it_went() {
    let mock = MockServer::start().await.unwrap();
    mock.on("get_gstr_1_at").example("ret11416");
    mock.on("get_gstr_1_cdnr").error("internal_server_error");
    mock.on("get_gstr_1_nil").json(200, json!({"code": 200, "data": {"status_cd": "1", "data": {}}}));
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    let mut sections = session.gstr_1().all(october());
    let mut seen = Vec::new();
    while let Some(section) = sections.next().await {
        seen.push(section.name);
        assert_eq!(mock.requests().len(), seen.len(), "one at a time, none in advance");
        match (section.name, section.result) {
            ("at", Ok(None)) => {}
            ("cdnr", Err(error)) => assert_eq!(error.kind(), ErrorKind::Api),
            ("nil", Err(error)) => assert_eq!(error.kind(), ErrorKind::Decode, "neither records nor none"),
            (name, Ok(Some(_))) => assert!(!["at", "cdnr", "nil"].contains(&name)),
            (name, result) => panic!("{name}: {result:?}"),
        }
    }
    assert_eq!(
        seen.join(" "),
        "at ata b2b b2ba b2cl b2cla b2cs b2csa cdnr cdnra cdnur cdnura doc_issue ecom ecoma exp expa hsn nil \
         supeco supecoa txp txpa"
    );
    let requests = mock.requests();
    assert!(requests.iter().all(|request| request.path.ends_with("/2026/10")));
    assert_eq!(requests[12].path, "/gst/compliance/tax-payer/gstrs/gstr-1/doc-issue/2026/10");
}

#[tokio::test]
async fn each_return_has_its_sections() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let whole = session.gstr_1a().all(october()).into_document().await.unwrap();
    assert!(whole.b2b.is_some() && whole.txpda.is_some() && whole.supecoa.is_some());
    assert_eq!(mock.requests().len(), 23);

    mock.clear();
    let whole = session.gstr_2a().all(october()).into_document().await.unwrap();
    assert!(whole.b2b.is_some() && whole.tcs.is_some());
    let paths: Vec<String> = mock.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths.len(), 11, "{paths:?}");
    assert!(paths.iter().all(|path| !path.contains("amdhist")), "it needs a bill of entry");
}

#[tokio::test]
async fn a_whole_return_lacks_nothing_and_is_as_received() {
    let mock = MockServer::start().await.unwrap();
    let body = br#"{"code": 200, "data": {"status_cd": "1", "data": {"at": [{"pos": "05", "new": 1.10}]}}}"#;
    mock.on("get_gstr_1_at").body(200, "application/json", body.to_vec());
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    let gstr_1 = session.gstr_1();
    let some = gstr_1.all(october()).only(["b2csa", "at"]).unwrap().into_document().await.unwrap();
    assert!(some.to_json().unwrap().starts_with(r#"{"at":[{"pos": "05", "new": 1.10}],"b2csa":[{"#));
    assert_eq!(mock.requests().len(), 2);

    let error = gstr_1.all(october()).only(["b2b", "b2z"]).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("section")));

    mock.on("get_gstr_1_b2csa").error("service_unavailable");
    let error = gstr_1.all(october()).into_document().await.unwrap_err();
    assert_eq!(error.operation(), Some("get_gstr_1_b2csa"));
}

/// Older pages show this section without the inner level.
#[tokio::test]
async fn a_section_without_the_inner_level_is_read_and_kept() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    mock.on("get_gstr_2a_isd").example("ok_flat");
    let answer = session.gstr_2a().get_gstr_2a_isd().year(october()).month(october()).send().await.unwrap();
    assert_eq!(answer.isd.as_ref().unwrap().len(), 1);
    let document = answer.into_document().unwrap().to_json().unwrap();
    assert!(document.starts_with("{\"isd\""), "{document}");
    let sections = session.gstr_2a().all(october()).only(["isd"]).unwrap();
    assert_eq!(sections.into_document().await.unwrap().isd.as_ref().unwrap().len(), 1);

    // Neither level has it: no success by accident.
    for data in [json!({}), json!({"fp": "102026"}), json!({"data": null})] {
        mock.clear_rules();
        mock.on("get_gstr_2a_isd").json(200, json!({"code": 200, "data": data}));
        let answer = session.gstr_2a().get_gstr_2a_isd().year(october()).month(october()).send().await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn a_sweep_tells_who_has_filed() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let firm = firm();
    let acme = client.taxpayer(firm[0].gstin, "acme.com").unwrap();
    acme.verify_otp("575757").await.unwrap();
    mock.clear();
    let filing = |period: &str, name: &str| -> Value {
        json!({"arn": "AA3310260000001", "ret_prd": period, "rtntype": name, "status": "Filed", "valid": "Y"})
    };
    let list = [filing("102026", "GSTR1"), filing("092026", "GSTR3B")];
    mock.on("track_taxpayer_returns")
        .times(1)
        .json(200, json!({"code": 200, "data": {"status_cd": "1", "data": {"EFiledlist": list}}}));

    let mut sweep = client.sweep(firm).tasks([FiledInPeriod(october())]).start();
    let mut answered = 0;
    while let Some(item) = sweep.next().await {
        assert_eq!(item.task, FiledInPeriod(october()));
        match item.result {
            Ok(filed) => {
                let names: Vec<_> = filed.iter().map(|filed| filed.rtntype.as_deref().unwrap()).collect();
                assert_eq!((item.taxpayer.username.as_str(), names), ("acme.com", vec!["GSTR1"]));
                let told = |of| FilingOutcome::listed(&of, october(), &filed);
                assert!(matches!(told(ReturnType::Gstr1), FilingOutcome::Filed { .. }));
                assert_eq!(told(ReturnType::Gstr3b), FilingOutcome::NotFiled);
                answered += 1;
            }
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.operation()),
                    (ErrorKind::SessionExpired, Some("track_taxpayer_returns"))
                );
            }
        }
    }
    assert_eq!((answered, mock.requests().len()), (1, 1));
    assert_eq!(mock.requests()[0].path, "/gst/compliance/tax-payer/gstrs/2026/10/track");
}
