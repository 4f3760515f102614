//! The crate without its default features, in a program with another TLS
//! provider than *ring*: what is safe by default is so there too.
#![cfg(test)]

use sandbox_client::{Client, Error, ErrorKind, RetryPolicy, ims::types::TypeOfGoods};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

fn client(base_url: &str) -> Result<Client, Error> {
    Client::builder().key("key_test_1").taxpayer_token("token").base_url(base_url).build()
}
#[test]
fn a_provider_is_needed_and_everything_else_stays_as_it_is() {
    let error = client("https://sandbox.invalid").expect_err("there is no provider");
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("http")), "{error:?}");

    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    client("https://sandbox.invalid").unwrap();
    let error = client("http://sandbox.invalid").expect_err("plain http must be refused");
    assert_eq!(error.field(), Some("base_url"), "{error:?}");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(redirects_are_not_followed());
}

async fn redirects_are_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut requests = 0;
        loop {
            let accepted = tokio::time::timeout(std::time::Duration::from_secs(1), listener.accept()).await;
            let Ok(Ok((mut stream, _))) = accepted else { return requests };
            let mut head = [0; 4096];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            requests += 1;
            let answer = format!(
                "HTTP/1.1 302 Found\r\nlocation: http://{address}/else\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let session = Client::builder()
        .key("key_test_1")
        .taxpayer_token("token")
        .base_url(format!("http://{address}"))
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
        .taxpayer_session()
        .unwrap();
    let error = session.ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(302)), "{error:?}");
    assert_eq!(server.await.unwrap(), 1);
}
