//! Calls the operation that the recipe has added.

use sandbox_client::{ErrorKind, Operation, signature::types::Signer, mock::MockServer};

#[tokio::test]
async fn a_new_operation_works_after_one_edit_of_the_document() {
    let operation = Operation::find("request_signature").expect("in the operation table");
    assert!(!operation.idempotent);

    let mock = MockServer::start().await.unwrap();
    let signature = mock.session().unwrap().signature();
    let signatory = || -> Signer { Signer::builder().pan("ABCDE1234F").try_into().unwrap() };

    let answer = signature.request_signature().gstr("gstr-1").body(signatory()).send().await.unwrap();
    assert_eq!(answer.timestamp().unwrap().unix_millis(), Some(1_763_446_641_000));
    let requests = mock.requests();
    assert_eq!(requests[0].query_value("gstr"), Some("gstr-1"));
    assert_eq!(requests[0].json().unwrap()["pan"], "ABCDE1234F");

    // A failure inside status 200, chosen by the document's own condition.
    let error = signature.request_signature().gstr("gstr-9").body(signatory()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("OTP0010")));
    assert_eq!(error.operation(), Some("request_signature"));

    // A write: sent once, whatever the server says.
    mock.clear();
    mock.on("request_signature").error("service_unavailable");
    signature.request_signature().gstr("gstr-1").body(signatory()).send().await.unwrap_err();
    assert_eq!(mock.hits("request_signature"), 1);

    let error = signature.request_signature().body(signatory()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("gstr")));
}
