//! What an OpenTelemetry exporter receives: names, kinds and types as its
//! conventions for HTTP clients and errors ask for.
#![cfg(test)]

use opentelemetry::{
    Value,
    trace::{SpanKind, Status, TracerProvider as _},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use sandbox_client::{RetryPolicy, ims::types::TypeOfGoods, mock::MockServer};
use tracing_subscriber::layer::SubscriberExt as _;

#[tokio::test(flavor = "current_thread")]
async fn spans_follow_the_conventions() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(layer);
    let _active = tracing::subscriber::set_default(subscriber);

    let mock = MockServer::start().await.unwrap();
    let retry = RetryPolicy::default().base_backoff(std::time::Duration::from_millis(5));
    let client = mock.client_builder().retry(retry).build().unwrap();
    let session = client.taxpayer_session().unwrap();
    mock.on("get_invoice_count").error("service_unavailable").times(1);
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    mock.on("get_invoice_count").example("invalid_session").times(1);
    session.ims().counts(TypeOfGoods::Others).await.unwrap_err();

    let spans = exporter.get_finished_spans().unwrap();
    let spans: Vec<_> = spans.iter().filter(|span| of(span, "operation").is_some()).collect();
    let [success, failure] = spans.as_slice() else { panic!("{spans:?}") };
    for span in [success, failure] {
        assert_eq!(span.name, "GET /gst/compliance/tax-payer/invoices/count");
        assert_eq!(span.span_kind, SpanKind::Client);
        assert_eq!(of(span, "http.request.method"), Some(Value::from("GET")));
        assert_eq!(of(span, "server.address"), Some(Value::from("127.0.0.1")));
        assert_eq!(of(span, "http.response.status_code"), Some(Value::I64(200)));
        assert!(matches!(of(span, "duration_ms"), Some(Value::I64(_))), "{span:?}");
    }
    assert_eq!(success.status, Status::Unset);
    assert_eq!(of(success, "attempts"), Some(Value::I64(2)));
    assert_eq!(of(success, "http.request.resend_count"), Some(Value::I64(1)));
    assert_eq!(of(success, "error.type"), None);
    assert!(matches!(failure.status, Status::Error { .. }), "{:?}", failure.status);
    assert_eq!(of(failure, "error.type"), Some(Value::from("session_expired")));
    assert_eq!(of(failure, "error.code"), Some(Value::from("AUTH4033")));
}

fn of(span: &SpanData, name: &str) -> Option<Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == name).map(|found| found.value.clone())
}
