//! The life of tokens, over real sockets against the mock server.
//!
//! `generate_otp` stands for an operation with the platform token (and for a
//! write), `get_invoice_count` for one with a taxpayer's.

use std::{sync::Arc, time::Duration};

use sandbox_client::{
    Client, ClientBuilder, Error, ErrorKind, MemoryStore, Phase, RetryPolicy, SavedToken, Session, Taxpayer,
    Token, TokenStore,
    ims::types::TypeOfGoods,
    mock::{Fault, MockServer, MockServerBuilder},
    session::types::TaxpayerLogin,
    values::{Gstin, Otp},
};
use tokio::task::JoinSet;

const GSTIN: &str = "33ABKCS2033B1ZW";
const OTHER_GSTIN: &str = "27AACCA8432H2ZP";

/// A client with key and secret alone, quick to retry.
fn builder(mock: &MockServer) -> ClientBuilder {
    Client::builder()
        .base_url(mock.base_url())
        .key(mock.key())
        .secret(mock.secret())
        .no_rate_limit()
        .retry(RetryPolicy::default().base_backoff(Duration::from_millis(5)))
}

async fn mock() -> MockServer {
    MockServer::start().await.unwrap()
}

async fn mock_with(configure: impl FnOnce(MockServerBuilder) -> MockServerBuilder) -> MockServer {
    configure(MockServer::builder()).start().await.unwrap()
}

fn login(gstin: &str) -> TaxpayerLogin {
    let gstin = Gstin::new(gstin).unwrap();
    TaxpayerLogin::builder().gstin(gstin).username("acme.com").try_into().unwrap()
}

async fn platform_call(client: &Client) -> Result<(), Error> {
    client.session().generate_otp().body(login(GSTIN)).send().await.map(drop)
}

/// The outcomes of `count` calls made at once.
async fn at_once(client: &Client, count: usize) -> Vec<Result<(), Error>> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let client = client.clone();
        calls.spawn(async move { platform_call(&client).await });
    }
    calls.join_all().await
}

fn taxpayer(client: &Client, gstin: &str) -> Taxpayer {
    client.taxpayer(Gstin::new(gstin).unwrap(), "acme.com").unwrap()
}

async fn session(client: &Client) -> (Taxpayer, Session) {
    let taxpayer = taxpayer(client, GSTIN);
    taxpayer.request_otp().await.unwrap();
    let session = taxpayer.verify_otp("575757").await.unwrap();
    (taxpayer, session)
}

#[tokio::test]
async fn an_otp_is_taken_in_every_form() {
    let mock = MockServer::start().await.unwrap();
    let taxpayer = taxpayer(&mock.client().unwrap(), GSTIN);
    let text = String::from("575757");
    taxpayer.verify_otp(Otp::new("575757").unwrap()).await.unwrap();
    taxpayer.verify_otp("575757").await.unwrap();
    taxpayer.verify_otp(&text).await.unwrap();
    taxpayer.verify_otp(text).await.unwrap();
    assert_eq!(mock.hits("verify_otp"), 4);
}

// --- platform token ---------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn k1_two_hundred_first_calls_make_one_login() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let outcomes = at_once(&client, 200).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(mock.hits("authenticate"), 1);
    assert_eq!(mock.hits("generate_otp"), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn k2_a_login_that_fails_once_is_retried_once_for_all() {
    let mock = mock().await;
    mock.on("authenticate").error("internal_server_error").times(1).delay(Duration::from_millis(50));
    let client = builder(&mock).build().unwrap();
    let outcomes = at_once(&client, 100).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(mock.hits("authenticate"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn k3_a_refused_login_is_shared_and_not_remembered() {
    let mock = mock().await;
    mock.on("authenticate").error("unauthorized").delay(Duration::from_millis(100));
    let client = builder(&mock).build().unwrap();
    for outcome in at_once(&client, 100).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(error.status(), Some(401));
    }
    assert!(mock.hits("authenticate") <= 2, "{} logins", mock.hits("authenticate"));
    assert_eq!(mock.hits("generate_otp"), 0, "nothing else is sent (H5)");

    mock.clear_rules();
    platform_call(&client).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn k4_near_its_end_a_token_is_renewed_once_while_calls_go_on_with_it() {
    // Renewed in the last tenth of its life: from 1.8 s to 2 s.
    let mock = mock_with(|mock| mock.token_lifetime("platform_token", Duration::from_secs(2))).await;
    let client = builder(&mock).build().unwrap();
    platform_call(&client).await.unwrap();
    mock.on("authenticate").delay(Duration::from_millis(50));
    // The token's own times are whole seconds, so where the tenth begins is
    // not known to the millisecond: calls are made until one meets it.
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let outcomes = at_once(&client, 3).await;
        assert!(outcomes.iter().all(Result::is_ok));
        if mock.hits("authenticate") > 1 {
            break;
        }
    }
    assert_eq!(mock.hits("authenticate"), 2);
    let refused = mock.requests().iter().filter(|request| request.status == Some(403)).count();
    assert_eq!(refused, 0, "no call met an expired token");
}

#[tokio::test]
async fn k5_a_failed_renewal_leaves_the_living_token_in_use() {
    let mock = mock().await;
    let store = Arc::new(MemoryStore::default());
    let client = builder(&mock)
        .token_store(store)
        .retry(RetryPolicy::none())
        .platform_token(mock.issue_token("platform_token", Duration::from_secs(30)))
        .build()
        .unwrap();
    mock.on("authenticate").error("service_unavailable");
    for _ in 0..3 {
        platform_call(&client).await.unwrap();
    }
    assert_eq!(mock.hits("generate_otp"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn k8_a_token_refused_to_many_is_replaced_once() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    platform_call(&client).await.unwrap();
    mock.expire_all_tokens();
    mock.clear();
    let outcomes = at_once(&client, 100).await;
    assert!(outcomes.iter().all(Result::is_ok), "{:?}", outcomes.iter().find(|outcome| outcome.is_err()));
    assert_eq!(mock.hits("authenticate"), 1);
    assert!(mock.hits("generate_otp") <= 200, "each is sent again once at most");
}

#[tokio::test]
async fn h6_h7_a_refused_platform_token_is_replaced_outside_the_retry_count() {
    for refusal in ["unauthorized", "invalid_access_token", "access_token_expired"] {
        let mock = mock().await;
        let client = builder(&mock).retry(RetryPolicy::none()).build().unwrap();
        platform_call(&client).await.unwrap();
        mock.on("generate_otp").error(refusal).times(1);
        platform_call(&client).await.unwrap();
        assert_eq!((mock.hits("generate_otp"), mock.hits("authenticate")), (3, 2), "{refusal}");
    }
}

#[tokio::test]
async fn h6_a_second_refusal_ends_the_call() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    platform_call(&client).await.unwrap();
    mock.clear();
    mock.on("generate_otp").error("invalid_access_token");
    let error = platform_call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(error.attempts(), 2);
    assert_eq!((mock.hits("generate_otp"), mock.hits("authenticate")), (2, 1));
}

#[tokio::test]
async fn k10_a_token_that_is_dead_at_issue_costs_one_login_a_call() {
    let mock = mock_with(|mock| mock.token_lifetime("platform_token", Duration::ZERO)).await;
    let client = builder(&mock).build().unwrap();
    for call in 1..=3 {
        let error = platform_call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!((mock.hits("authenticate"), mock.hits("generate_otp")), (call, call));
    }
}

#[tokio::test]
async fn h8_a_denial_is_no_reason_to_log_in_again() {
    for refusal in
        ["insufficient_privilege", "insufficient_credits", "usage_quota_exhausted", "access_revoked"]
    {
        let mock = mock().await;
        let client = builder(&mock).build().unwrap();
        mock.on("generate_otp").error(refusal);
        let error = platform_call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{refusal}");
        assert_eq!((mock.hits("generate_otp"), mock.hits("authenticate")), (1, 1), "{refusal}");
    }
}

#[tokio::test]
async fn e10_e11_both_forms_of_a_login_are_read_and_no_other() {
    use serde_json::json;
    const TOKEN: &str = "eyJhbGciOiJub25lIn0.e30.fake";
    for (body, logged_in) in [
        (json!({"access_token": TOKEN}), true),
        (json!({"code": 200, "data": {"access_token": TOKEN}}), true),
        (json!({"data": {"access_token": TOKEN}, "access_token": TOKEN}), true),
        (json!({"data": {"access_token": TOKEN}, "access_token": "another"}), false),
        (json!({"code": 200, "data": {}}), false),
        (json!({}), false),
        (json!({"access_token": ""}), false),
        (json!({"access_token": "to\nken"}), false),
        (json!({"access_token": 7}), false),
    ] {
        let mock = mock().await;
        mock.on("authenticate").json(200, body.clone());
        mock.on("generate_otp").before_checks().example("ok");
        let client = builder(&mock).build().unwrap();
        match platform_call(&client).await {
            Ok(()) => {
                assert!(logged_in, "{body}");
                assert_eq!(mock.requests()[1].header("authorization"), Some(TOKEN));
            }
            Err(error) => {
                assert!(!logged_in, "{body}: {error}");
                assert_eq!(error.kind(), ErrorKind::Decode);
                assert_eq!(error.operation(), Some("authenticate"));
                assert_eq!(mock.hits("generate_otp"), 0);
                platform_call(&client).await.unwrap_err();
                assert_eq!(mock.hits("authenticate"), 2, "a bad login is not kept");
            }
        }
    }
}

#[tokio::test]
async fn a_login_may_take_no_longer_than_the_call() {
    let mock = mock().await;
    mock.on("authenticate").fault(Fault::Hang);
    let client = builder(&mock).call_timeout(Duration::from_millis(200)).build().unwrap();
    let error = platform_call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.maybe_processed(), "the OTP was never asked for");
    assert_eq!(mock.hits("generate_otp"), 0);
}

// --- writes -----------------------------------------------------------------

#[tokio::test]
async fn writes_are_repeated_only_where_nothing_was_done() {
    // Status 500 may have been processed.
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    mock.on("generate_otp").error("internal_server_error").times(1);
    let error = platform_call(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(500)));
    assert!(error.maybe_processed() && !error.is_retryable());
    assert_eq!(mock.hits("generate_otp"), 1);

    // 429 was not.
    mock.clear();
    mock.on("generate_otp").error("too_many_requests").header("retry-after", "1").times(1);
    let start = std::time::Instant::now();
    platform_call(&client).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(mock.hits("generate_otp"), 2);

    // No answer may mean anything.
    mock.clear();
    mock.on("generate_otp").fault(Fault::CloseWithoutAnswer).times(1);
    let error = platform_call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.maybe_processed());
    assert!(error.to_string().contains("may have been processed"), "{error}");
    assert_eq!(mock.hits("generate_otp"), 1);
}

#[tokio::test]
async fn n2_a_write_that_was_never_sent_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::builder()
        .base_url(format!("http://{free}"))
        .key("key_test_0")
        .platform_token("some-token")
        .no_rate_limit()
        .retry(RetryPolicy::default().base_backoff(Duration::from_millis(5)))
        .build()
        .unwrap();
    let error = platform_call(&client).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.phase(), error.attempts()),
        (ErrorKind::Transport, Some(Phase::Connect), 3)
    );
    assert!(!error.maybe_processed());
}

#[tokio::test]
async fn k16_a_verification_without_answer_is_not_repeated() {
    let mock = mock().await;
    let client = builder(&mock).attempt_timeout(Duration::from_millis(200)).build().unwrap();
    let taxpayer = taxpayer(&client, GSTIN);
    taxpayer.request_otp().await.unwrap();
    mock.on("verify_otp").fault(Fault::Hang);
    let error = taxpayer.verify_otp("575757").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.maybe_processed());
    assert_eq!(mock.hits("verify_otp"), 1);
    assert!(!format!("{error} {error:?}").contains("575757"));
}

// --- taxpayer sessions ------------------------------------------------------

#[tokio::test]
async fn a_session_is_opened_used_and_closed() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    assert_eq!(session.taxpayer_id(), Some(taxpayer.id()));
    let session_end = taxpayer.saved().unwrap().session_expires_at();
    assert!(session_end.is_some_and(|end| end > std::time::SystemTime::now()), "{session_end:?}");
    assert_eq!(session.ims().counts(TypeOfGoods::Others).await.unwrap().total(), 12);
    taxpayer.logout().await.unwrap();

    let requests = mock.requests();
    let operations: Vec<_> = requests.iter().map(|request| request.operation.as_deref().unwrap()).collect();
    assert_eq!(operations, ["authenticate", "generate_otp", "verify_otp", "get_invoice_count", "logout"]);
    // The secret goes to the login and nowhere else.
    for request in &requests {
        let is_login = request.operation.as_deref() == Some("authenticate");
        assert_eq!(request.header("x-api-secret").is_some(), is_login, "{}", request.path);
        assert_eq!(request.header("x-api-key"), Some(mock.key()));
        assert_eq!(request.header("x-api-version"), Some("1.0.0"));
        assert_eq!(request.header("api-version"), None, "the generator's own header");
        assert_eq!(request.header("user-agent"), Some("sandbox-client/0.2.0"));
    }
    assert_eq!(requests[2].query_value("otp"), Some("575757"));
    assert_eq!(requests[1].header("authorization"), requests[2].header("authorization"));
    assert_ne!(requests[2].header("authorization"), requests[3].header("authorization"));

    let error = session.ims().counts(None).await.unwrap_err();
    assert!(error.is_session_expired());
    assert_eq!(mock.hits("get_invoice_count"), 1, "a closed session sends nothing");
}

#[tokio::test]
async fn an_otp_keeps_its_leading_zero() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    taxpayer(&client, GSTIN).verify_otp("005757").await.unwrap();
    assert_eq!(mock.requests().last().unwrap().query_value("otp"), Some("005757"));
}

#[tokio::test]
async fn c18_what_is_no_otp_is_refused_before_anything_is_sent() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let taxpayer = taxpayer(&client, GSTIN);
    for bad in ["", "57 57", "57a757", "575757&x=1", "５７５７５７", &"7".repeat(1 << 20)] {
        let error = taxpayer.verify_otp(bad).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("otp")));
    }
    assert!(client.taxpayer(Gstin::new(GSTIN).unwrap(), " ").is_err());
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn h9_a_dead_taxpayer_token_is_told_and_no_otp_is_asked_for() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (_, session) = session(&client).await;
    mock.expire_all_tokens();
    mock.clear();
    let error = session.ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::SessionExpired, Some(403), 1));
    assert!(error.to_string().contains("new OTP"), "{error}");
    assert_eq!(mock.requests().len(), 1);

    // Known to be expired now: nothing more is sent.
    assert!(session.ims().counts(TypeOfGoods::Others).await.unwrap_err().is_session_expired());
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn e1_e2_only_a_dead_session_closes_one() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (_, session) = session(&client).await;
    let too_many = serde_json::json!({"code": 200, "data": {"status_cd": "0",
        "error": {"error_cd": "AUTH403", "message": "Maximum session allowed"}}});
    mock.on("get_invoice_count").json(200, too_many).times(1);
    let error = session.ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("AUTH403")));
    session.ims().counts(TypeOfGoods::Others).await.unwrap();

    mock.on("get_invoice_count").example("invalid_session").times(1);
    let error = session.ims().counts(TypeOfGoods::Others).await.unwrap_err();
    assert_eq!((error.kind(), error.error_code()), (ErrorKind::SessionExpired, Some("AUTH4033")));
    let hits = mock.hits("get_invoice_count");
    assert!(session.ims().counts(TypeOfGoods::Others).await.unwrap_err().is_session_expired());
    assert_eq!(mock.hits("get_invoice_count"), hits, "the token was dropped");
}

#[tokio::test]
async fn a_refused_otp_says_nothing_of_the_platform_token() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let taxpayer = taxpayer(&client, GSTIN);
    mock.on("verify_otp").example("invalid_session");
    let error = taxpayer.verify_otp("575757").await.unwrap_err();
    assert_eq!(error.error_code(), Some("AUTH4033"));
    assert_eq!((mock.hits("verify_otp"), mock.hits("authenticate")), (1, 1));
    taxpayer.request_otp().await.unwrap();
    assert_eq!(mock.hits("authenticate"), 1);
}

#[tokio::test]
async fn k21_a_session_near_its_end_is_refreshed_and_the_old_token_not_used_again() {
    // Refreshed in the last tenth of its life: from 3.6 s to 4 s.
    let mock = mock_with(|mock| mock.token_lifetime("taxpayer_token", Duration::from_secs(4))).await;
    let client = builder(&mock).build().unwrap();
    let (_, session) = session(&client).await;
    tokio::time::sleep(Duration::from_millis(3700)).await;
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!(mock.hits("refresh_session"), 1);
    assert_eq!(mock.hits("generate_otp"), 1);
    let requests = mock.requests();
    let tokens: Vec<_> =
        requests.iter().rev().take(3).map(|request| request.header("authorization")).collect();
    assert_eq!(tokens[0], tokens[1], "both counts use the new token");
    assert_ne!(tokens[1], tokens[2], "the refresh used the old one");
}

#[tokio::test]
async fn a_refresh_that_hangs_does_not_take_the_call_with_it() {
    let mock = mock_with(|mock| mock.token_lifetime("taxpayer_token", Duration::from_secs(4))).await;
    let client = builder(&mock).build().unwrap();
    let (_, session) = session(&client).await;
    mock.on("refresh_session").fault(Fault::Hang);
    tokio::time::sleep(Duration::from_millis(3700)).await;
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!((mock.hits("refresh_session"), mock.hits("get_invoice_count")), (1, 1));
}

#[tokio::test]
async fn a_refresh_on_demand_gives_a_new_token_or_says_that_none_lives() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let unopened = taxpayer(&client, OTHER_GSTIN);
    assert!(unopened.refresh().await.unwrap_err().is_session_expired());
    assert!(mock.requests().is_empty());

    let (taxpayer, session) = session(&client).await;
    taxpayer.refresh().await.unwrap();
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    let requests = mock.requests();
    let [.., refresh, count] = requests.as_slice() else { panic!() };
    assert_eq!(refresh.operation.as_deref(), Some("refresh_session"));
    assert_ne!(refresh.header("authorization"), count.header("authorization"));
}

#[tokio::test]
async fn k22_logout_forgets_whatever_the_server_says() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    mock.on("logout").error("internal_server_error");
    assert_eq!(taxpayer.logout().await.unwrap_err().status(), Some(500));
    assert!(taxpayer.saved().is_none());
    assert!(taxpayer.restore().await.unwrap().is_none());
    assert!(session.ims().counts(TypeOfGoods::Others).await.unwrap_err().is_session_expired());
    taxpayer.logout().await.unwrap();
    assert_eq!(mock.hits("logout"), 1, "there is nothing to end any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn k13_tokens_of_two_taxpayers_never_mix() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let mut sessions = Vec::new();
    for gstin in [GSTIN, OTHER_GSTIN] {
        let taxpayer = taxpayer(&client, gstin);
        taxpayer.request_otp().await.unwrap();
        sessions.push(taxpayer.verify_otp("575757").await.unwrap());
    }
    mock.clear();
    let mut calls = JoinSet::new();
    for call in 0..100 {
        let session = sessions[call % 2].clone();
        calls.spawn(async move { session.ims().counts(TypeOfGoods::Others).await.map(drop) });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    for gstin in [GSTIN, OTHER_GSTIN] {
        let requests = mock.requests();
        let of_one =
            requests.iter().filter(|request| request.session_gstin.as_deref() == Some(gstin)).count();
        assert_eq!(of_one, 50, "{gstin}");
    }
}

#[tokio::test]
async fn k14_two_key_pairs_share_nothing() {
    let (one, two) = (mock().await, mock().await);
    let (first, second) = (builder(&one).build().unwrap(), builder(&two).build().unwrap());
    let (_, session) = session(&first).await;
    assert!(taxpayer(&second, GSTIN).restore().await.unwrap().is_none());
    platform_call(&second).await.unwrap();
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!((one.hits("authenticate"), two.hits("authenticate")), (1, 1));
}

#[tokio::test]
async fn c19_a_missing_token_is_told_before_anything_is_sent() {
    let mock = mock().await;
    let without_secret =
        Client::builder().base_url(mock.base_url()).key(mock.key()).no_rate_limit().build().unwrap();
    let error = without_secret.taxpayer_session().unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("taxpayer_token")));
    assert!(error.to_string().contains("Client::taxpayer"), "{error}");

    let goods = [("type_of_goods", "others")];
    let error = without_secret.call("get_invoice_count", &goods, None).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("taxpayer_token")));
    assert_eq!(error.operation(), Some("get_invoice_count"));
    assert!(error.to_string().contains("Client::taxpayer"), "{error}");

    let error = platform_call(&without_secret).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("secret")));
    assert!(mock.requests().is_empty());
}

// --- saving and restoring ---------------------------------------------------

#[tokio::test]
async fn a_session_in_a_store_is_found_by_another_client() {
    let mock = mock().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
    let first = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
    session(&first).await;
    drop(first);

    let second = builder(&mock).token_store(store).build().unwrap();
    let restored = taxpayer(&second, GSTIN).restore().await.unwrap().expect("kept in the store");
    restored.ims().counts(TypeOfGoods::Others).await.unwrap();
    platform_call(&second).await.unwrap();
    assert_eq!(mock.hits("verify_otp"), 1);
    assert_eq!(mock.hits("authenticate"), 1, "the platform token was shared as well");
}

#[tokio::test]
async fn a_session_written_down_is_resumed_without_a_new_otp() {
    let mock = mock().await;
    let first = builder(&mock).build().unwrap();
    let (taxpayer_before, _) = session(&first).await;
    let saved = taxpayer_before.saved().unwrap();
    assert!(!format!("{saved:?}").contains("eyJ"), "{saved:?}");
    let written = saved.expose_secret();

    let second = builder(&mock).build().unwrap();
    let session = taxpayer(&second, GSTIN).resume(SavedToken::from_exposed(&written).unwrap());
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!(mock.hits("verify_otp"), 1);

    let error = SavedToken::from_exposed("{\"token\": \"abc\"").unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("saved_token")));
}

#[tokio::test]
async fn a_newer_token_in_the_store_takes_the_place_of_a_refused_one() {
    let mock = mock().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
    let first = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
    let second = builder(&mock).token_store(store).build().unwrap();
    let (_, session) = session(&first).await;
    // The other worker opens a newer session, and the first one's ends.
    let other = taxpayer(&second, GSTIN).verify_otp("575757").await.unwrap();
    mock.on("get_invoice_count").error("access_token_expired").times(1);
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    other.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!(mock.hits("get_invoice_count"), 3);
}

#[tokio::test]
async fn a_broken_store_fails_no_call() {
    struct Broken;
    type Answer<'a, T> = sandbox_client::BoxFuture<'a, Result<T, sandbox_client::BoxError>>;
    impl TokenStore for Broken {
        fn get<'a>(&'a self, _: &'a sandbox_client::TokenKey) -> Answer<'a, Option<SavedToken>> {
            Box::pin(async { Err("store is down".into()) })
        }

        fn put_if_newer<'a>(
            &'a self,
            _: &'a sandbox_client::TokenKey,
            _: &'a SavedToken,
        ) -> Answer<'a, bool> {
            Box::pin(async { Err("store is down".into()) })
        }

        fn remove<'a>(&'a self, _: &'a sandbox_client::TokenKey) -> Answer<'a, ()> {
            Box::pin(async { Err("store is down".into()) })
        }
    }
    let mock = mock().await;
    let client = builder(&mock).token_store(Arc::new(Broken)).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    taxpayer.logout().await.unwrap();
}

#[tokio::test]
async fn a_given_token_is_used_as_it_is() {
    let mock = mock().await;
    let token = Token::new(format!("Bearer {}", mock.taxpayer_token())).unwrap();
    let session = builder(&mock).build().unwrap().with_taxpayer_token(token.clone());
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!(mock.requests()[0].header("authorization"), Some(token.expose_secret()));
    assert_eq!(mock.hits("authenticate"), 0);
}
