//! What each HTTP status becomes (cases H), and how often it is tried.

use sandbox_client::{Error, ErrorKind};
use serde_json::json;

use crate::support::{self, Server, answer, answer_with, call, client, failing, failure, success};

/// Gives every request `answer` and returns the failure with the hits.
async fn outcome(answer: Vec<u8>) -> (Error, usize) {
    let server = Server::always(answer).await;
    let error = failing(&client(&server).build().unwrap()).await;
    (error, server.hits())
}

/// The statuses that are worth another attempt.
#[tokio::test]
async fn a_passing_failure_is_retried() {
    for status in [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524] {
        let server = Server::answering([failure(status, "Try again"), success()]).await;
        let counts = call(&client(&server).build().unwrap()).await.unwrap();
        assert_eq!((counts.total(), server.hits()), (12, 2), "{status}");
    }
}

/// The error is that of the last answer.
#[tokio::test]
async fn a_lasting_failure_is_tried_three_times() {
    for status in [408, 500, 502, 503, 504, 520, 524] {
        let server =
            Server::answering([failure(500, "First"), failure(502, "Second"), failure(status, "Third")])
                .await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)), "{error:?}");
        assert_eq!(error.provider_message(), Some("Third"));
        assert_eq!(error.transaction_id(), Some(&*format!("t-{status}")));
        assert_eq!((error.attempts(), server.hits()), (3, 3));
        assert!(error.is_retryable());
        assert_eq!(error.maybe_processed(), status >= 500, "{status}");
    }
}

/// Every other status is told after one attempt. Of the 5xx only
/// 500, 502, 503, 504 and those of a CDN, 520 to 524, are known to pass.
#[tokio::test]
async fn any_other_status_is_told_after_one_attempt() {
    for status in (400..=599).chain([600, 999]) {
        if [401, 403, 408, 429, 500, 502, 503, 504].contains(&status) || (520..=524).contains(&status) {
            continue;
        }
        let (error, hits) = outcome(failure(status, "Not this time")).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)), "{error:?}");
        assert_eq!(error.provider_message(), Some("Not this time"));
        assert_eq!(error.transaction_id(), Some(&*format!("t-{status}")));
        assert_eq!((error.attempts(), hits), (1, 1), "{status}");
        assert!(!error.is_retryable(), "{status}");
    }
}

/// The account may not, and asking again changes nothing.
#[tokio::test]
async fn a_403_is_denied() {
    for message in [
        "Insufficient privilege",
        "Insufficient credits",
        "Usage quota exhausted",
        "Access revoked",
        "Forbidden",
        "A text that nobody knows",
        "",
    ] {
        let (error, hits) = outcome(failure(403, message)).await;
        assert_eq!((error.kind(), error.status(), hits), (ErrorKind::Denied, Some(403), 1), "{error:?}");
        assert_eq!(error.provider_message(), Some(message).filter(|message| !message.is_empty()));
        assert!(!error.is_retryable());
    }
}

/// An API gateway in front has a body of its own.
#[tokio::test]
async fn a_403_of_a_gateway_is_denied() {
    let (error, hits) = outcome(answer(403, &json!({"message": "Forbidden"}))).await;
    assert_eq!((error.kind(), hits), (ErrorKind::Denied, 1), "{error:?}");
    assert_eq!((error.provider_message(), error.transaction_id()), (Some("Forbidden"), None));
}

/// The gateway has a 403 for an address that it does not know: with another
/// text where the request has an `Authorization` header.
#[tokio::test]
async fn a_403_of_an_unknown_address_points_to_the_base_url() {
    for message in [
        "Missing Authentication Token",
        "'x' not a valid key=value pair (missing equal-sign) in Authorization header: 'x'.",
        "Authorization header requires 'Credential' parameter.",
    ] {
        let (error, hits) = outcome(answer(403, &json!({"message": message}))).await;
        assert_eq!((error.kind(), error.status(), hits), (ErrorKind::Api, Some(403), 1), "{error:?}");
        assert!(error.to_string().ends_with("check the base URL"), "{error}");
        assert!(!error.to_string().contains("privileges"), "{error}");
    }
}

/// Whatever the gateway calls it, its reason is told.
#[tokio::test]
async fn the_gateway_s_words_are_told() {
    for body in [
        json!({"Message": "an explicit deny"}),
        json!({"MESSAGE": "an explicit deny"}),
        json!({"error": "an explicit deny"}),
        json!({"error": {"message": "an explicit deny"}}),
        json!({"errorMessage": "an explicit deny", "errorType": "X"}),
        json!({"message": null, "data": {"message": "an explicit deny"}}),
    ] {
        let (error, _) = outcome(answer(403, &body)).await;
        assert_eq!((error.kind(), error.provider_message()), (ErrorKind::Denied, Some("an explicit deny")));
    }
    // What was read before a fault of the text counts.
    let cut = r#"{"message": "Access token has expired", "code": 1e400}"#;
    let (error, _) = outcome(answer_with(403, &[], cut)).await;
    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error:?}");
}

/// An expired token of a taxpayer needs a person and an OTP.
#[tokio::test]
async fn an_expired_token_of_a_taxpayer_ends_the_session() {
    for answer in [
        failure(401, "Unauthorized"),
        failure(403, "Invalid access token"),
        failure(403, "Access token has expired"),
        failure(403, "ACCESS TOKEN EXPIRED"),
        answer_with(401, &[], ""),
    ] {
        let (error, hits) = outcome(answer).await;
        assert_eq!((error.kind(), hits), (ErrorKind::SessionExpired, 1), "{error:?}");
        assert!(error.is_session_expired() && !error.is_retryable());
        assert!(error.to_string().ends_with("ask for a new OTP"), "{error}");
    }
}

/// A page of the CDN in front keeps its status, and stays out of the message.
#[tokio::test]
async fn a_page_of_html_keeps_its_status() {
    let page = "<!DOCTYPE html><HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD>\
                <BODY><H1>502 ERROR</H1>Generated by cloudfront</BODY></HTML>";
    for (status, kind, expected) in [
        (403, ErrorKind::Denied, 1),
        (404, ErrorKind::Api, 1),
        (502, ErrorKind::Api, 3),
        (503, ErrorKind::Api, 3),
    ] {
        let (error, hits) = outcome(answer_with(status, &[("content-type", "text/html")], page)).await;
        assert_eq!((error.kind(), error.status(), hits), (kind, Some(status), expected), "{error:?}");
        assert!(!error.to_string().contains('<'), "{error}");
        assert!(!error.to_string().to_lowercase().contains("cloudfront"), "{error}");
    }
}
#[tokio::test]
async fn a_page_of_html_with_status_200_is_no_answer() {
    for page in ["<html>Please log in</html>", "\n  <html>", "\u{feff}<html>"] {
        let (error, hits) = outcome(answer_with(200, &[("content-type", "text/html")], page)).await;
        assert_eq!((error.kind(), error.status(), hits), (ErrorKind::Decode, Some(200), 1), "{error:?}");
        assert!(!error.to_string().contains('<'), "{error}");
        assert!(error.maybe_processed(), "the provider said 200");
    }
}

/// Nor is a success that the document does not know.
#[tokio::test]
async fn an_empty_success_is_no_answer() {
    let empty = [
        answer_with(200, &[], ""),
        answer_with(200, &[], " \r\n\t "),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        answer_with(206, &[], ""),
    ];
    for answer in empty {
        let status = if answer.starts_with(b"HTTP/1.1 204") {
            204
        } else if answer.starts_with(b"HTTP/1.1 206") {
            206
        } else {
            200
        };
        let (error, hits) = outcome(answer).await;
        assert_eq!((error.kind(), error.status(), hits), (ErrorKind::Decode, Some(status), 1), "{error:?}");
        assert!(error.to_string().contains("empty"), "{error}");
    }
    for status in [201, 202, 206, 299] {
        let (error, hits) = outcome(answer_with(status, &[], r#"{"code": 200}"#)).await;
        assert_eq!((error.kind(), error.status(), hits), (ErrorKind::Decode, Some(status), 1), "{error:?}");
    }
}

/// No redirect is followed, wherever it leads.
#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::always(success()).await;
    let to_elsewhere = format!("{}/gst", elsewhere.url());
    for status in [300, 301, 302, 303, 304, 305, 307, 308] {
        for location in
            [Some("/elsewhere"), Some(&*to_elsewhere), Some("javascript:alert(1)"), Some(""), None]
        {
            let headers: Vec<_> = location.map(|location| ("location", location)).into_iter().collect();
            let (error, hits) = outcome(answer_with(status, &headers, "")).await;
            assert_eq!((error.kind(), error.status(), hits), (ErrorKind::Api, Some(status), 1), "{error:?}");
            assert!(!error.is_retryable());
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Over TLS, down to plain http.
#[tokio::test]
async fn a_redirect_to_plain_http_is_not_followed() {
    let elsewhere = Server::always(success()).await;
    let location = elsewhere.url();
    let authority = support::Authority::new();
    let server = Server::over_tls(authority.server("127.0.0.1"), move |mut connection| {
        let location = location.clone();
        async move {
            while connection.request().await.is_some() {
                connection.send(answer_with(307, &[("location", &location)], "")).await;
            }
        }
    })
    .await;
    let client = client(&server).http(authority.trusted()).build().unwrap();
    let error = failing(&client).await;
    assert_eq!((error.kind(), error.status(), server.hits()), (ErrorKind::Api, Some(307), 1));
    assert_eq!(elsewhere.connections(), 0);
}

/// The status of the envelope is taken for that of the answer, with all
/// that follows from it: 500 is retried, 404 is not.
#[tokio::test]
async fn a_failure_in_the_envelope_of_a_200_is_a_failure() {
    for (code, kind, expected) in [
        (json!(500), ErrorKind::Api, 3),
        (json!("503"), ErrorKind::Api, 3),
        (json!(404), ErrorKind::Api, 1),
        (json!(422), ErrorKind::Api, 1),
        (json!(403), ErrorKind::Denied, 1),
        (json!(401), ErrorKind::SessionExpired, 1),
        (json!(429), ErrorKind::RateLimited, 3),
        (json!(301), ErrorKind::Api, 1),
    ] {
        let body =
            json!({"code": code, "message": "No", "transaction_id": "t-1", "data": {"status_cd": "1"}});
        let (error, hits) = outcome(answer(200, &body)).await;
        assert_eq!((error.kind(), hits), (kind, expected), "{code}: {error:?}");
        assert_eq!((error.provider_message(), error.transaction_id()), (Some("No"), Some("t-1")));
        assert_ne!(error.status(), Some(200), "{code}");
    }
}

/// The body of a failure that is cut leaves its status standing.
#[tokio::test]
async fn a_failure_with_a_cut_body_keeps_its_status() {
    let server = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send("HTTP/1.1 422 No\r\ncontent-length: 500\r\n\r\n{\"message\": \"Inva").await;
    })
    .await;
    let error = failing(&client(&server).build().unwrap()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Transport, Some(422)), "{error:?}");
    assert_eq!(server.hits(), 3);
}
