//! Failures of NIC: codes in a list, or joined in one text with commas.

use sandbox_client::{
    Credential, ErrorKind,
    mock::{MockServer, document},
    operations,
};
use serde_json::Value;

use crate::samples::{Sample, examples};

/// Every failure that the provider documents for e-invoices and e-way bills
/// comes out with the codes of its example, whatever their form, and a text.
#[tokio::test]
async fn every_documented_failure_has_its_codes() {
    let mock = MockServer::start().await.unwrap();
    let client = mock.client().unwrap();
    let mut seen = 0;
    for operation in operations().iter().filter(|one| ["e_invoice", "e_way_bill"].contains(&one.family)) {
        let sample = Sample::of(operation);
        for (name, value) in examples(document(), &sample.described["responses"]["200"]) {
            let data = &value["data"];
            let expected: Vec<&str> = match (&data["ErrorDetails"], data["error"]["errorCodes"].as_str()) {
                (Value::Array(details), _) => {
                    details.iter().map(|detail| detail["ErrorCode"].as_str().unwrap()).collect()
                }
                (_, Some(codes)) => vec![codes.trim_end_matches([',', ' '])],
                _ => continue,
            };
            mock.clear_rules();
            mock.on(operation.id).example(name);
            let outcome = match operation.credential {
                Credential::Session(scheme) => {
                    let token = mock.token(scheme).parse().unwrap();
                    client.call_with_token(token, operation.id, &sample.parameters, sample.body).await
                }
                _ => client.call(operation.id, &sample.parameters, sample.body).await,
            };
            let error = outcome.unwrap_err();
            let codes: Vec<_> = error.codes().iter().map(sandbox_client::ErrorCode::code).collect();
            assert_eq!(codes, expected, "{}, {name}", operation.id);
            assert!([ErrorKind::Business, ErrorKind::Auth].contains(&error.kind()), "{error}");
            // What 827 means is documented nowhere.
            let told = error.codes().iter().all(|code| code.message().is_some() || code.code() == "827");
            assert!(told, "{}, {name}: {error}", operation.id);
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen} failures");
}
