//! The same client in front of wiremock, for programs that have it for all they call.

use sandbox_client::{Client, Token, ims::types::TypeOfGoods};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

#[tokio::test]
async fn a_client_talks_to_wiremock() {
    let server = MockServer::start().await;
    let counts = json!({"all_oth": {"b2b": {"noaction": 11, "accept": 1, "reject": 0, "pending": 0}}});
    let body = json!({"code": 200, "transaction_id": "t-1", "data": {"status_cd": "1", "data": counts}});
    Mock::given(method("GET"))
        .and(path("/gst/compliance/tax-payer/invoices/count"))
        .and(query_param("type_of_goods", "others"))
        .and(header("authorization", "a-token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;

    let client = Client::builder().key("key_test_0").base_url(server.uri()).build().unwrap();
    let session = client.with_taxpayer_token(Token::new("a-token").unwrap());
    let counts = session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!((counts.total(), counts.no_action()), (12, 11));
}
