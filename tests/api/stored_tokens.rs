//! Tokens that a store has kept since version 0.1.0.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use sandbox_client::{
    BoxError, BoxFuture, Client, ErrorKind, Phase, RetryPolicy, SavedToken, TokenKey, TokenStore,
    values::Gstin,
};
use serde_json::json;

/// Nobody listens there.
const BASE_URL: &str = "http://127.0.0.1:1";
const KEY: &str = "key_test_0000000000000000";
const GSTIN: &str = "33ABKCS2033B1ZW";

/// SHA-256 over base URL and SHA-256 of the key, each part behind its length
/// in eight bytes; for a taxpayer also over GSTIN and user name.
const PLATFORM: &str = "09eb58119a4d38090eea4b8132c8e749c0b041e98dbf99e82ee1547261f74f45";
const TAXPAYER: &str = "a8265f1214da34cca60c1bed5e89564dbd798050c0864e56ad94a1c7edb639c2";

/// Names of tokens and what was written under them, as files have them.
struct Files(HashMap<&'static str, &'static str>);

impl TokenStore for Files {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async { Ok(self.0.get(&*key.id()).map(|text| SavedToken::from_exposed(text)).transpose()?) })
    }

    fn put_if_newer<'a>(
        &'a self,
        _: &'a TokenKey,
        _: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async { Ok(true) })
    }

    fn remove<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async { Ok(()) })
    }
}

fn client(files: &[(&'static str, &'static str)]) -> Client {
    Client::builder()
        .base_url(BASE_URL)
        .key(KEY)
        .token_store(Arc::new(Files(files.iter().copied().collect())))
        .no_rate_limit()
        .retry(RetryPolicy::none())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_taxpayer_s_session_is_still_found() {
    let written = r#"{"token":"old-taxpayer","issued_at":1763446641000,"expires_at":4102444800000,"session_expires_at":4102444800000}"#;
    let client = client(&[(TAXPAYER, written)]);
    let taxpayer = client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap();
    assert_eq!(taxpayer.token_key().id(), TAXPAYER);
    assert_eq!(taxpayer.token_key().kind(), "taxpayer_token");
    assert!(taxpayer.restore().await.unwrap().is_some());
    assert_eq!(taxpayer.saved().unwrap().token().expose_secret(), "old-taxpayer");
    // What cannot be true is not shown: no such token lives until the year 2100.
    let left = taxpayer.saved().unwrap().expires_at().duration_since(SystemTime::now()).unwrap();
    assert!(left <= Duration::from_secs(6 * 3600), "{left:?}");
    let session_end = SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800);
    assert_eq!(taxpayer.saved().unwrap().session_expires_at(), Some(session_end));
    assert_eq!(SavedToken::from_exposed(written).unwrap().expose_secret(), written);

    let other = client.taxpayer(Gstin::new(GSTIN).unwrap(), "other.com").unwrap();
    assert!(other.restore().await.unwrap().is_none());
}

#[tokio::test]
async fn a_platform_token_is_still_found() {
    let written = r#"{"token":"old-platform","issued_at":1763446641000,"expires_at":4102444800000}"#;
    let login = json!({"gstin": GSTIN, "username": "acme.com"});
    // The token lets the call go as far as the network.
    let error = client(&[(PLATFORM, written)]).call("generate_otp", &[], Some(&login)).await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Transport, Some(Phase::Connect)));
    assert_eq!(error.operation(), Some("generate_otp"));
    // Without it a login would be needed, and there is no secret.
    let error = client(&[]).call("generate_otp", &[], Some(&login)).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("secret")));
}
