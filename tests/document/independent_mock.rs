//! The client against a mock server that is not ours and knows the merged
//! document alone: it judges our requests, and we read its answers.
//!
//! Run by `.ci/prism`, which starts that server and names it in `PRISM_URL`;
//! ignored otherwise, since it needs Node.

use std::env;

use reqwest::header::{HeaderMap, HeaderValue};
use sandbox_client::{
    Client, Credential, ErrorKind, RetryPolicy,
    ims::types::{InvoiceStatus, TypeOfGoods},
    mock::{document, round_trip},
    operations,
    values::{Gstin, Section},
};
use serde_json::Value;

use crate::samples::{Sample, examples, is_failure};

/// A client that has the server answer with the example of this name.
fn client(example: Option<&str>) -> Client {
    let mut headers = HeaderMap::new();
    if let Some(name) = example {
        headers.insert("prefer", HeaderValue::from_str(&format!("example={name}")).unwrap());
    }
    Client::builder()
        .base_url(env::var("PRISM_URL").expect("PRISM_URL is set by .ci/prism"))
        .key("key_test_0")
        .secret("secret_test_0")
        .platform_token("platform")
        .taxpayer_token("taxpayer")
        .no_rate_limit()
        .retry(RetryPolicy::none())
        .http(reqwest::Client::builder().default_headers(headers))
        .build()
        .unwrap()
}

#[tokio::test]
#[ignore = "needs an independent mock server: run .ci/prism"]
async fn every_request_is_accepted_and_every_answer_read() {
    let mut checked = 0;
    for operation in operations() {
        let Sample { parameters, body, described } = Sample::of(operation);
        for (name, example) in examples(document(), &described["responses"]["200"]) {
            checked += 1;
            let client = client(Some(name));
            let answer =
                client.call_with_token("token".parse().unwrap(), operation.id, &parameters, body).await;
            match answer {
                Ok(answer) => {
                    assert_eq!(*answer, *example, "{} {name}", operation.id);
                    round_trip(operation.id, answer.raw()).unwrap().unwrap();
                }
                Err(error)
                    if error.status() == Some(200) && is_failure(&described["responses"]["200"], name) => {}
                Err(error) => panic!("{} {name}: {error}", operation.id),
            }
        }
    }
    assert!(checked > operations().len(), "{checked} answers were read");
}

/// The same through generated methods and helpers, which write parameters and
/// bodies in their own way.
#[tokio::test]
#[ignore = "needs an independent mock server: run .ci/prism"]
async fn helpers_send_what_the_document_says() {
    let client = client(None);
    let gstin = Gstin::new("33ABKCS2033B1ZW").unwrap();
    let session = client.taxpayer_session().unwrap();
    let counts = session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert!(counts.total() > 0);
    let list = session.ims().invoices(Section::B2b, InvoiceStatus::NoActionTaken).await.unwrap();
    let job = session.ims().actions().recipient(gstin).accept_all(&list).send().await.unwrap();
    assert!(!job.reference_id().is_empty());
    let taxpayer = client.taxpayer(gstin, "user").unwrap();
    taxpayer.request_otp().await.unwrap();
    taxpayer.verify_otp("575757").await.unwrap();
}

/// The server is one that can say no.
#[tokio::test]
#[ignore = "needs an independent mock server: run .ci/prism"]
async fn a_wrong_request_is_refused() {
    let operation =
        operations().iter().find(|known| known.body && known.credential == Credential::PlatformToken);
    let operation = operation.unwrap();
    let parameters = Sample::of(operation).parameters;
    let error = client(None).call(operation.id, &parameters, Some(&Value::from(7))).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap()), (ErrorKind::Api, 422), "{error}");
}
