//! Any operation by its id, over the same pipeline as the generated methods.

use sandbox_client::{
    Client, Credential, ErrorKind, Location, RetryPolicy, ims::types::TypeOfGoods, mock::MockServer,
    operations,
};
use serde_json::json;

#[tokio::test]
async fn an_answer_comes_whole_and_the_request_is_the_generated_one() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let answer =
        session.call("get_invoice_count", &[("type_of_goods", "inward_supplies")], None).await.unwrap();
    assert_eq!(answer["code"], 200);
    assert_eq!(answer["data"]["data"]["inv_supp_isd"]["isd"]["noaction"], 4);

    session.ims().get_invoice_count().type_of_goods(TypeOfGoods::InwardSupplies).send().await.unwrap();
    let [raw, generated] = &mock.requests()[..] else { panic!("two requests") };
    assert_eq!((&raw.method, &raw.path, &raw.query), (&generated.method, &generated.path, &generated.query));
    assert_eq!(raw.headers, generated.headers);
}

#[tokio::test]
async fn a_body_and_a_header_are_sent_as_given() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let body = json!({"username": "acme.com", "gstin": "33ABKCS2033B1ZW"});
    let answer = session.call("generate_otp", &[("x-source", "secondary")], Some(&body)).await.unwrap();
    assert_eq!(answer["data"]["status_cd"], "1");
    let requests = mock.requests();
    let request = requests.last().unwrap();
    assert_eq!(request.header("x-source"), Some("secondary"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.json(), Some(body));
    assert_eq!(mock.hits("authenticate"), 1, "the platform token was had first");
}

#[tokio::test]
async fn what_does_not_fit_the_document_is_refused_before_any_connection() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap();
    let body = json!({});
    for (operation, parameters, body, field) in [
        ("get_everything", &[][..], None, "operation"),
        ("get_invoice_count", &[], None, "type_of_goods"),
        ("get_invoice_count", &[("type_of_goods", "")], None, "type_of_goods"),
        ("get_invoice_count", &[("type_of_goods", "cars")], None, "type_of_goods"),
        (
            "get_invoice_count",
            &[("type_of_goods", "others"), ("type_of_goods", "imports")],
            None,
            "type_of_goods",
        ),
        ("get_invoice_count", &[("type_of_goods", "others"), ("goods", "x")], None, "goods"),
        (
            "get_invoice_count",
            &[("type_of_goods", "others"), ("x-api-version", "1\r\n0")],
            None,
            "x-api-version",
        ),
        ("get_invoice_count", &[("type_of_goods", "others")], Some(&body), "body"),
        ("generate_otp", &[], None, "body"),
    ] {
        let error = session.call(operation, parameters, body).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some(field)), "{error}");
    }
    assert_eq!(mock.connections(), 0);
}

#[tokio::test]
async fn failures_are_those_of_the_pipeline() {
    let mock = MockServer::start().await.unwrap();
    let session = mock.session().unwrap().with_retry(RetryPolicy::none());
    let goods = [("type_of_goods", "others")];

    mock.on("get_invoice_count").error("service_unavailable").times(1);
    let error = session.call("get_invoice_count", &goods, None).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(503)));
    assert_eq!(error.operation(), Some("get_invoice_count"));

    mock.on("get_invoice_count").example("invalid_session").times(1);
    let error = session.call("get_invoice_count", &goods, None).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::SessionExpired, Some("AUTH4033")));

    mock.on("get_invoice_count").body(200, "application/json", "not json").times(1);
    let error = session.call("get_invoice_count", &goods, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_secret_parameter_is_taken_out_of_what_the_provider_says() {
    let mock = MockServer::start().await.unwrap();
    mock.on("verify_otp").json(422, json!({"code": 422, "message": "OTP 575757 is wrong"}));
    let client = Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret());
    let client = client.no_rate_limit().build().unwrap();
    let body = json!({"username": "acme.com", "gstin": "33ABKCS2033B1ZW"});
    let error = client.call("verify_otp", &[("otp", "575757")], Some(&body)).await.unwrap_err();
    assert_eq!(error.provider_message(), Some("OTP [redacted] is wrong"));
}

#[test]
fn the_table_tells_what_an_operation_takes() {
    let find = |id: &str| operations().iter().find(|operation| operation.id == id).unwrap();
    let count = find("get_invoice_count");
    assert_eq!((count.body, count.credential), (false, Credential::Session("taxpayer_token")));
    assert!(count.description.starts_with("Counts the invoices"));
    let goods = count.parameters[0];
    assert_eq!((goods.name, goods.location, goods.required), ("type_of_goods", Location::Query, true));
    assert_eq!(goods.values, ["others", "inward_supplies", "imports"]);

    let verify = find("verify_otp");
    assert!(verify.body);
    let secret: Vec<_> =
        verify.parameters.iter().filter(|known| known.secret).map(|known| known.name).collect();
    assert_eq!(secret, ["otp"]);
}
