//! Settings, credentials and parameters that are refused before anything is
//! sent, and those that go out exactly as they should (cases C).

use std::{ffi::OsString, time::Duration};

use sandbox_client::{
    Client, ClientBuilder, Environment, Error, ErrorKind, RetryPolicy, Token, ims::types::TypeOfGoods,
};

use crate::support::{
    self, Child, PATH, Secrets, Server, answer, call, client, client_of, envelope, failing, impatient,
    success,
};

const LIVE: &str = "https://api.sandbox.co.in";
const TEST: &str = "https://test-api.sandbox.co.in";

/// Builds, and gives why that is refused.
#[track_caller]
fn refused(builder: ClientBuilder, field: &str) -> Error {
    let error = builder.build().expect_err("the settings should be refused");
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some(field)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("`{field}` ")), "{error}");
    assert!(!error.maybe_processed() && !error.is_retryable());
    error
}
#[test]
fn a_key_is_needed() {
    refused(Client::builder(), "key");
    refused(Client::builder().key(""), "key");
    refused(Client::builder().key("   "), "key");
    refused(Client::builder().key("key_test_1").secret(""), "secret");
    refused(Client::builder().key("key_test_1").taxpayer_token(""), "taxpayer_token");
    refused(Client::builder().key("key_test_1").platform_token(" "), "platform_token");
}

/// Nothing is trimmed, replaced or sent as other bytes.
#[test]
fn credentials_must_be_visible_ascii() {
    for odd in [
        "\r\n", "\n", "\r", "\0", "\t", " ", "\u{7f}", "\u{b}", "é", "ключ", "\u{200b}", "\u{feff}",
        "\u{a0}", "１",
    ] {
        for spoilt in [format!("canary{odd}canary"), format!("{odd}canary"), format!("canary{odd}")] {
            let key = format!("key_test_{spoilt}");
            let good = || Client::builder().key("key_test_1");
            for (builder, field) in [
                (Client::builder().key(&key), "key"),
                (Client::builder().key(&spoilt), "key"),
                (good().secret(format!("secret_test_{spoilt}")), "secret"),
                (good().platform_token(&spoilt), "platform_token"),
                (good().taxpayer_token(&spoilt), "taxpayer_token"),
            ] {
                let error = refused(builder, field);
                assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
            }
            let error = Token::new(spoilt.as_str()).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("token")));
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }
}

/// A key goes to its own environment, unless the caller insists.
#[test]
fn a_key_goes_to_its_own_environment() {
    support::install_tls_provider();
    let live = || Client::builder().key("key_live_1");
    let test = || Client::builder().key("key_test_1");
    assert_eq!(live().build().unwrap().base_url(), LIVE);
    assert_eq!(test().build().unwrap().base_url(), TEST);
    assert_eq!(live().build().unwrap().environment(), Some(Environment::Live));

    refused(live().environment(Environment::Test), "environment");
    refused(test().environment(Environment::Live), "environment");
    refused(live().base_url(TEST), "base_url");
    refused(test().base_url(LIVE), "base_url");
    refused(test().base_url("https://API.SANDBOX.CO.IN/"), "base_url");
    refused(Client::builder().key("abc"), "key");
    refused(Client::builder().key("abc").base_url(LIVE), "key");

    let mixed = live().base_url(TEST).allow_mixed_environments().build().unwrap();
    assert_eq!(mixed.base_url(), TEST);
    let named = Client::builder().key("abc").environment(Environment::Test).build().unwrap();
    assert_eq!(named.base_url(), TEST);
}
#[test]
fn key_and_secret_are_of_one_environment() {
    support::install_tls_provider();
    refused(Client::builder().key("key_live_1").secret("secret_test_1"), "secret");
    refused(Client::builder().key("key_test_1").secret("secret_live_1"), "secret");
    refused(Client::builder().key("key_test_1").secret("abc"), "secret");
    refused(
        Client::builder().key("key_test_1").secret("secret_live_1").base_url("http://localhost:1"),
        "secret",
    );
    Client::builder().key("key_live_1").secret("secret_live_1").build().unwrap();
}
#[test]
fn a_base_url_must_be_plain_and_safe() {
    for url in [
        "http://api.sandbox.co.in",
        "http://test-api.sandbox.co.in",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://192.168.0.1:8080",
        "http://0.0.0.0:8080",
        "https://user@gateway.example",
        "https://user:canary@gateway.example",
        "https://:canary@gateway.example",
        "https://gateway.example?x=canary",
        "https://gateway.example/?",
        "https://gateway.example#canary",
        "https://gateway.example/#",
        "ftp://gateway.example",
        "file:///etc/canary",
        "javascript:alert(1)",
        "data:text/plain,x",
        "unix:/run/x",
        "",
        " ",
        "/relative",
        "gateway.example",
        "//gateway.example",
        "https://",
        "https:///",
        "https://gateway.example:99999",
        "https://gateway.example /x",
        "https://gateway.example\n",
        " https://gateway.example",
        "https://gate\tway.example",
        "https://https://gateway.example",
        "https:/gateway.example/canary@gateway.example",
        "https://gateway.example/a//b",
    ] {
        let error = refused(Client::builder().key("key_test_1").base_url(url), "base_url");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
#[tokio::test]
async fn plain_http_is_for_loopback() {
    let server = Server::always(success()).await;
    let port = server.port();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "127.1"] {
        let client = client_of(format!("http://{host}:{port}")).build().unwrap();
        assert_eq!(call(&client).await.unwrap().total(), 12, "{host}");
    }
    assert_eq!(server.hits(), 4);
    for host in ["[::1]", "127.0.0.2", "127.255.255.254"] {
        client_of(format!("http://{host}:{port}")).build().unwrap();
    }
}
#[tokio::test]
async fn the_path_is_put_after_the_prefix() {
    let server = Server::always(success()).await;
    for (given, prefix) in [
        ("", ""),
        ("/", ""),
        ("//", ""),
        ("/prefix", "/prefix"),
        ("/prefix/", "/prefix"),
        ("/a/b%20c/", "/a/b%20c"),
    ] {
        let client = client_of(server.url() + given).build().unwrap();
        call(&client).await.unwrap();
        assert_eq!(server.requests().last().unwrap().line(), format!("GET {prefix}{PATH}"), "{given}");
        assert!(!client.base_url().ends_with('/'));
    }
    assert_eq!(server.hits(), 6);
}

/// Numbers without sense are moved to the nearest that has some.
#[tokio::test]
async fn extreme_numbers_are_clamped() {
    let server = Server::always(support::failure(500, "Internal Server Error")).await;
    let retry = RetryPolicy::default()
        .max_attempts(u32::MAX)
        .base_backoff(Duration::ZERO)
        .max_backoff(Duration::ZERO)
        .max_retry_after(Duration::MAX)
        .budget(f64::NAN, u32::MAX);
    let extreme = client(&server)
        .retry(retry)
        .connect_timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .call_timeout(Duration::MAX)
        .max_body_bytes(usize::MAX)
        .max_in_flight(usize::MAX)
        .requests_per_minute(u32::MAX)
        .build()
        .unwrap();
    let error = failing(&extreme).await;
    assert_eq!((error.attempts(), server.hits()), (10, 10), "{error:?}");

    let server = Server::silent().await;
    let none = RetryPolicy::default().max_attempts(0).base_backoff(Duration::MAX).budget(-1.0, 0);
    let zero = impatient(&server)
        .retry(none)
        .attempt_timeout(Duration::ZERO)
        .max_in_flight(0)
        .requests_per_minute(0)
        .build()
        .unwrap();
    let error = failing(&zero).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1), "{error:?}");
    let error = failing(&zero.with_call_timeout(Duration::ZERO)).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0), "zero a minute counts as one");

    refused(client(&server).max_body_bytes(0), "max_body_bytes");
    let error = client(&server).connect_timeout(Duration::ZERO).build().map(drop);
    assert!(error.is_ok(), "{error:?}");
}
#[tokio::test]
async fn the_token_is_sent_raw() {
    let server = Server::always(success()).await;
    for given in ["abc.def", "Bearer abc.def", "bearer abc.def", "BEARER abc.def"] {
        call(&client(&server).taxpayer_token(given).build().unwrap()).await.unwrap();
        let scoped = client(&server).build().unwrap().with_taxpayer_token(Token::new(given).unwrap());
        call(&scoped).await.unwrap();
    }
    assert_eq!(server.hits(), 8);
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("abc.def"));
    }
    for odd in ["Bearer ", "Bearer", "Bearer  abc", "Bearer\tabc", "Bearer Bearer abc", "abc def"] {
        if odd != "Bearer" {
            refused(client(&server).taxpayer_token(odd), "taxpayer_token");
        }
    }
}

/// What a request holds, to the last header.
#[tokio::test]
async fn a_request_holds_what_it_needs_and_no_more() {
    let server = Server::always(success()).await;
    let secrets = Secrets::fresh();
    call(&secrets.client(server.url()).build().unwrap()).await.unwrap();
    let [request] = &server.requests()[..] else { panic!("{} hits", server.hits()) };
    assert_eq!(request.line(), format!("GET {PATH}"));
    assert_eq!(
        request.header_names(),
        ["accept", "accept-encoding", "authorization", "host", "user-agent", "x-api-key", "x-api-version"]
    );
    assert_eq!(request.header("authorization"), Some(&*secrets.taxpayer_token));
    assert_eq!(request.header("x-api-key"), Some(&*secrets.key));
    assert_eq!(request.header("x-api-version"), Some("1.0.0"));
    assert!(request.body.is_empty());
    assert!(!request.head.contains(&secrets.secret) && !request.head.contains(&secrets.platform_token));
}
#[test]
fn the_environment_is_read_and_told_by_name() {
    const NAME: &str = "configuration::the_environment_is_read_and_told_by_name";
    if Child::is_this() {
        support::install_tls_provider();
        let expected = std::env::var("EXPECTED").unwrap();
        match Client::from_env() {
            Ok(client) => assert_eq!(client.base_url(), expected),
            Err(error) => {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some(&*expected)), "{error:?}");
                assert!(error.to_string().contains(&expected), "{error}");
                assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
            }
        }
        return;
    }
    let run = |variables: &[(&str, OsString)], expected: &str| {
        let child = Child::of(NAME).env("EXPECTED", expected);
        variables.iter().fold(child, |child, (name, value)| child.env(name, value)).run();
    };
    let key = || ("SANDBOX_API_KEY", "key_test_1".into());
    run(&[], "SANDBOX_API_KEY");
    run(&[("SANDBOX_API_KEY", "".into())], "SANDBOX_API_KEY");
    run(&[("SANDBOX_API_KEY", "key_test_canary\n".into())], "SANDBOX_API_KEY");
    run(&[("SANDBOX_API_KEY", "canary".into())], "SANDBOX_API_KEY");
    run(&[key()], TEST);
    run(&[key(), ("SANDBOX_BASE_URL", "http://localhost:7/".into())], "http://localhost:7");
    for (name, malformed) in [
        ("SANDBOX_API_SECRET", "secret_test_canary canary"),
        ("SANDBOX_API_SECRET", "secret_live_canary"),
        ("SANDBOX_ACCESS_TOKEN", "canary canary"),
        ("SANDBOX_BASE_URL", "http://canary.example"),
        ("SANDBOX_BASE_URL", LIVE),
    ] {
        run(&[key(), (name, malformed.into())], name);
        run(&[key(), (name, "".into())], name);
    }
    #[cfg(unix)]
    for name in ["SANDBOX_API_KEY", "SANDBOX_API_SECRET", "SANDBOX_ACCESS_TOKEN", "SANDBOX_BASE_URL"] {
        use std::os::unix::ffi::OsStringExt;
        run(&[key(), (name, OsString::from_vec(b"canary\xff\xfe".to_vec()))], name);
    }
}

/// Where the system has no certificates, plain http to a mock server works,
/// and https says what is missing.
#[cfg(target_os = "linux")]
#[test]
fn certificates_are_needed_for_https_alone() {
    if Child::is_this() {
        client_of("http://127.0.0.1:9").build().unwrap();
        let error = refused(Client::builder().key("key_test_1"), "http");
        assert!(error.to_string().contains("ca-certificates"), "{error}");
        return;
    }
    Child::of("configuration::certificates_are_needed_for_https_alone")
        .env("SSL_CERT_FILE", "/nowhere")
        .env("SSL_CERT_DIR", "/nowhere")
        .run();
}

/// Told by name, with the
/// operation, and nothing is sent.
#[tokio::test]
async fn parameters_are_checked_before_sending() {
    let server = Server::always(success()).await;
    let client = client(&server).build().unwrap();
    let ims = client.taxpayer_session().unwrap().ims();
    let count = || ims.get_invoice_count();
    for (call, parameter) in [
        (count(), "type_of_goods"),
        (count().type_of_goods("canary"), "type_of_goods"),
        (count().type_of_goods("Others"), "type_of_goods"),
        (count().type_of_goods("others&x=canary"), "type_of_goods"),
    ] {
        let error = call.send().await.expect_err("a parameter should be refused");
        assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
        assert_eq!(
            (error.field(), error.operation()),
            (Some(parameter), Some("get_invoice_count")),
            "{error:?}"
        );
        assert!(error.to_string().starts_with(&format!("get_invoice_count: `{parameter}` ")), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert_eq!(error.attempts(), 0);
    }
    let error = count().type_of_goods("others").x_api_version("1\r\nx-canary: 1").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.field(), error.operation()),
        (ErrorKind::Input, Some("x-api-version"), Some("get_invoice_count")),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    assert_eq!(server.connections(), 0);

    for goods in [TypeOfGoods::Others, TypeOfGoods::InwardSupplies, TypeOfGoods::Imports] {
        ims.counts(goods).await.unwrap();
        let sent = server.requests().pop().unwrap();
        assert!(sent.line().ends_with(&format!("?type_of_goods={goods}")), "{}", sent.line());
    }
    count().type_of_goods("others").x_api_version("2.0").send().await.unwrap();
    assert_eq!(server.requests().pop().unwrap().header("x-api-version"), Some("2.0"));
}

#[tokio::test]
async fn dates_keep_their_slashes() {
    let server = Server::always(success()).await;
    let client = client(&server).build().unwrap();
    let session = client.taxpayer_session().unwrap();
    let (ledgers, returns) = (session.ledgers(), session.returns_common());
    let ledger = || ledgers.get_return_liability_ledger().year("2024").month("04");
    for (call, parameter) in [(ledger().to("30/04/2024"), "from"), (ledger().from("01/04/2024"), "to")] {
        assert_eq!(call.send().await.unwrap_err().field(), Some(parameter));
    }
    assert_eq!(server.connections(), 0);
    // What the scripted server answers fits none of these; what it was asked counts.
    let _ = ledger().from("01/04/2024").to("30/04/2024").send().await;
    let _ = returns.list_notices().date("20/01/2024").send().await;
    let _ = returns.list_notices().send().await;
    let sent: Vec<String> = server.requests().iter().map(|request| request.line().to_owned()).collect();
    for (line, end) in sent.iter().zip([
        "/ledgers/tax/2024/04?from=01%2F04%2F2024&to=30%2F04%2F2024",
        "/notices?date=20%2F01%2F2024",
        "/notices",
    ]) {
        assert!(line.ends_with(end), "{line}");
    }
    assert_eq!(sent.len(), 3);
}

/// No call with the wrong token or none.
#[tokio::test]
async fn a_missing_token_is_told_before_sending() {
    support::install_tls_provider();
    let server = Server::always(success()).await;
    let client = Client::builder()
        .key("key_test_1")
        .secret("secret_test_1")
        .platform_token("platform")
        .base_url(server.url())
        .build()
        .unwrap();
    let error = failing(&client).await;
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("taxpayer_token")), "{error:?}");
    // Without a session there is no handle with the operation; by its id it is named.
    assert_eq!((error.operation(), error.attempts()), (None, 0));
    let by_id = client.call("get_invoice_count", &[("type_of_goods", "others")], None).await.unwrap_err();
    assert_eq!((by_id.kind(), by_id.field()), (ErrorKind::Config, Some("taxpayer_token")), "{by_id:?}");
    assert_eq!((by_id.operation(), by_id.attempts()), (Some("get_invoice_count"), 0));
    assert_eq!(server.connections(), 0);
}

/// Clones are the same client, down to the connection.
#[tokio::test]
async fn a_thousand_clones_are_one_client() {
    let server = Server::always(answer(
        200,
        &envelope(&serde_json::json!({"status_cd": "1", "data": {"all_oth": {"ttl_cnt": 1}}})),
    ))
    .await;
    let secrets = Secrets::fresh();
    let mut client = secrets.client(server.url()).no_rate_limit().build().unwrap();
    for _ in 0..1000 {
        client = client.clone();
        assert_eq!(call(&client).await.unwrap().total(), 1);
    }
    assert_eq!((server.hits(), server.connections()), (1000, 1));
    secrets.assert_absent("the client", &format!("{client:?} {client:#?}"));
}
