//! The mock server as a client sees it, over real sockets.
#![cfg(all(feature = "mock", feature = "ring"))]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Method, RequestBuilder, Response};
use sandbox_client::mock::{Fault, MockServer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

const COUNT: &str = "/gst/compliance/tax-payer/invoices/count";

fn http() -> Client {
    // The second call of a test run finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A request that lacks nothing.
fn count(http: &Client, mock: &MockServer) -> RequestBuilder {
    http.get(format!("{}{COUNT}", mock.base_url()))
        .query(&[("type_of_goods", "others")])
        .header("x-api-key", mock.key())
        .header("authorization", mock.taxpayer_token())
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn failure(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["code"], status);
    (status, body["message"].as_str().unwrap().to_owned())
}

fn panic_text(action: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(action)).unwrap_err().downcast().unwrap()
}

/// A document that exists nowhere else: what it holds is served with no code for it.
fn document() -> Value {
    let platform = json!([{"api_key": [], "platform_token": []}]);
    let taxpayer = json!([{"api_key": [], "taxpayer_token": []}]);
    let answers = |examples: Value| json!({"200": {"content": {"application/json": {"examples": examples}}}});
    let session = json!({"value": {"code": 200, "timestamp": 1, "data": {
        "status_cd": "1", "access_token": "x", "token_expiry": 1, "session_expiry": "1"}}});
    let refused = json!({"value": {"code": 200, "timestamp": 1, "data": {
        "status_cd": "0", "access_token": "x", "error": {"error_cd": "AUTH4033"}}}});
    json!({
        "openapi": "3.0.3",
        "paths": {
            "/authenticate": {"post": {
                "operationId": "authenticate", "x-grants": "platform_token",
                "security": [{"api_key": [], "api_secret": []}],
                "responses": answers(json!({"ok": {"value": {"timestamp": 1, "data": {"access_token": "x"}}}})),
            }},
            "/verify": {"post": {
                "operationId": "verify_otp", "x-grants": "taxpayer_token", "security": platform,
                "parameters": [{"name": "otp", "in": "query", "required": true, "schema": {"type": "string"}}],
                "requestBody": {"$ref": "#/components/requestBodies/Login"},
                "responses": answers(json!({"bad": refused, "ok": {"$ref": "#/components/examples/Session"}})),
            }},
            "/refresh": {"post": {
                "operationId": "refresh_session", "x-grants": "taxpayer_token", "security": taxpayer,
                "responses": answers(json!({"ok": session})),
            }},
            "/logout": {"post": {
                "operationId": "logout", "x-revokes": "taxpayer_token", "security": taxpayer,
                "responses": answers(json!({"ok": {"value": {"data": {"status_cd": "1"}}}})),
            }},
            "/returns/{year}/{kind}": {
                "parameters": [
                    {"$ref": "#/components/parameters/Kind"},
                    {"name": "x-source", "in": "header", "required": true, "schema": {"type": "string"}},
                ],
                "get": {
                    "operationId": "get_return", "security": [{"api_key": []}],
                    "responses": answers(json!({
                        "any": {"value": "any"},
                        "blank": {"x-when": {"year": 2025}, "value": "2025"},
                        "both": {"x-when": {"year": 2025, "kind": "b"}, "value": "2025 b"},
                        "slow": {"x-when": {"year": "19 50"}, "x-status": 504, "value": "too old"},
                    })),
                },
            },
            "/returns/{year}/summary": {"get": {
                "operationId": "get_summary", "security": [{"api_key": []}],
                "responses": {"200": {"$ref": "#/components/responses/Summary"}},
            }},
            "/save": {"post": {
                "operationId": "save", "security": [{"api_key": []}],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {
                    "allOf": [{"$ref": "#/components/schemas/Save"}]}}}},
                "responses": answers(json!({
                    "saved": {"value": "saved"},
                    "zero": {"x-when": {"count": 0}, "value": "nothing to save"},
                })),
            }},
        },
        "components": {
            "securitySchemes": {
                "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "api_secret": {"type": "apiKey", "in": "header", "name": "x-api-secret"},
                "platform_token": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "taxpayer_token": {"type": "apiKey", "in": "header", "name": "Authorization"},
            },
            "examples": {"Session": session},
            "parameters": {"Kind": {"name": "kind", "in": "path", "required": true,
                "schema": {"$ref": "#/components/schemas/Kind"}}},
            "requestBodies": {"Login": {"required": true, "content": {"application/json": {"schema": {
                "type": "object", "required": ["gstin"]}}}}},
            "responses": {"Summary": {"content": {"application/json": {"examples": {"sum": {"value": "sum"}}}}}},
            "schemas": {
                "Kind": {"type": "string", "enum": ["a", "b"]},
                "Save": {"type": "object", "required": ["count"], "properties": {
                    "count": {"type": "integer"},
                    "items": {"type": "array", "items": {"type": "object", "required": ["kind"],
                        "properties": {"kind": {"$ref": "#/components/schemas/Kind"}}}}}},
            },
        },
    })
}

#[tokio::test]
async fn the_documented_examples_are_the_answers() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    for (goods, group, total) in
        [("others", "all_oth", 12), ("inward_supplies", "inv_supp_isd", 15), ("imports", "imp_gds", 20)]
    {
        let url = format!("{}{COUNT}?type_of_goods={goods}", mock.base_url());
        let answer =
            http.get(url).header("x-api-key", mock.key()).header("authorization", mock.taxpayer_token());
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["data"]["data"][group]["ttl_cnt"], total, "{goods}");
        assert_eq!(body["timestamp"], 1_763_446_641_000_u64, "left as documented");
    }
    assert_eq!(mock.connections(), 1, "the connection is kept alive");
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let url = format!("{}{COUNT}?type_of_goods=others", mock.base_url());
    let bearer = format!("Bearer {}", mock.taxpayer_token());
    let revoked = mock.taxpayer_token();
    mock.revoke(&revoked);
    let fresh = mock.taxpayer_token();
    for (key, token, expected) in [
        (None, Some(&fresh), (401, "Unauthorized")),
        (Some("key_test_other"), Some(&fresh), (401, "Unauthorized")),
        (Some("key_test_other"), None, (401, "Unauthorized")),
        (Some(mock.key()), None, (403, "Invalid access token")),
        (Some(mock.key()), Some(&"invented".to_owned()), (403, "Invalid access token")),
        (Some(mock.key()), Some(&mock.platform_token()), (403, "Invalid access token")),
        (Some(mock.key()), Some(&bearer), (403, "Invalid access token")),
        (Some(mock.key()), Some(&revoked), (403, "Invalid access token")),
    ] {
        let mut request = http.get(&url);
        for (name, value) in [("x-api-key", key), ("authorization", token.map(String::as_str))] {
            request = request.headers(
                value.map(|value| (name.parse().unwrap(), value.parse().unwrap())).into_iter().collect(),
            );
        }
        let response = request.send().await.unwrap();
        let reason = response.headers()["x-mock-reason"].to_str().unwrap().to_owned();
        assert!(!token.is_some_and(|token| reason.contains(token.as_str())), "{reason}");
        let (status, message) = failure(response).await;
        assert_eq!((status, message.as_str()), expected, "{reason}");
    }
    mock.expire_all_tokens();
    let response =
        http.get(&url).header("x-api-key", mock.key()).header("authorization", fresh).send().await.unwrap();
    assert_eq!(failure(response).await, (403, "Access token has expired".to_owned()));
}

#[tokio::test]
async fn tokens_have_the_shape_of_a_jwt() {
    let mock = MockServer::start().await.unwrap();
    let token = mock.issue_token("platform_token", Duration::from_secs(100));
    let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, claims, signature] = <[_; 3]>::try_from(parts).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({"alg": "none"}));
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 100);
    assert!(signature.is_empty());
}

#[tokio::test]
async fn tokens_expire_by_the_clock() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let token = mock.issue_token("taxpayer_token", Duration::from_secs(1));
    assert_ne!(token, mock.issue_token("taxpayer_token", Duration::from_secs(1)));
    let ask = || {
        let url = format!("{}{COUNT}?type_of_goods=others", mock.base_url());
        http.get(url).header("x-api-key", mock.key()).header("authorization", &token)
    };
    assert_eq!(status(ask()).await, 200);
    sleep(Duration::from_millis(1010)).await;
    assert_eq!(failure(ask().send().await.unwrap()).await, (403, "Access token has expired".to_owned()));
}

#[tokio::test]
async fn wrong_addresses_and_parameters_are_refused() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let ask = |method: Method, path: &str| {
        http.request(method, format!("{}{path}", mock.base_url()))
            .header("x-api-key", mock.key())
            .header("authorization", mock.taxpayer_token())
    };
    for (method, path, expected) in [
        (Method::GET, "/gst/compliance/tax-payer/nothing", (404, "Not Found")),
        (Method::DELETE, COUNT, (404, "Not Found")),
        (Method::GET, COUNT, (400, "Bad Request")),
        (Method::GET, &format!("{COUNT}?type_of_goods="), (422, "Invalid type_of_goods")),
        (Method::GET, &format!("{COUNT}?type_of_goods=services"), (422, "Invalid type_of_goods")),
    ] {
        let (status, message) = failure(ask(method, path).send().await.unwrap()).await;
        assert_eq!((status, message.as_str()), expected, "{path}");
    }
    assert_eq!(status(ask(Method::HEAD, COUNT)).await, 404);
    assert_eq!(status(ask(Method::OPTIONS, COUNT)).await, 404);
    assert_eq!(mock.hits("get_invoice_count"), 3, "refused requests count too");
}

#[tokio::test]
async fn malformed_requests_are_answered_400() {
    let mock = MockServer::start().await.unwrap();
    let chunked = "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n";
    for request in ["what?\r\n\r\n", chunked] {
        let mut stream = TcpStream::connect(mock.base_url().trim_start_matches("http://")).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let too_large = http().post(mock.base_url()).body(vec![b' '; (64 << 20) + 1]).send().await;
    // The answer may be lost while the client is still sending.
    assert!(too_large.is_err() || too_large.unwrap().status() == 413);
    assert_eq!(mock.requests().last().unwrap().status, Some(413));
}

#[tokio::test]
async fn any_document_is_served() {
    let http = http();
    let mock = MockServer::builder().document(document()).start().await.unwrap();
    let get = |path: &str| {
        let request = http.get(format!("{}{path}", mock.base_url()));
        request.header("x-api-key", mock.key()).header("x-source", "primary")
    };
    for (path, status, answer) in [
        ("/returns/2024/a", 200, "any"),
        ("/returns/2025/a", 200, "2025"),
        ("/returns/2025/b", 200, "2025 b"),
        ("/returns/2025/%62", 200, "2025 b"),
        ("/returns/19%2050/a", 504, "too old"),
        ("/returns/2025/summary", 200, "sum"),
    ] {
        let response = get(path).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.json::<String>().await.unwrap(), answer, "{path}");
    }
    assert_eq!(status(get("/returns//a")).await, 404);
    assert_eq!(failure(get("/returns/2025/c").send().await.unwrap()).await.1, "Invalid kind");
    let bare = http.get(format!("{}/returns/2025/a", mock.base_url())).header("x-api-key", mock.key());
    assert_eq!(failure(bare.send().await.unwrap()).await, (400, "x-source is missing".to_owned()));
}

#[tokio::test]
async fn bodies_are_checked() {
    let http = http();
    let mock = MockServer::builder().document(document()).start().await.unwrap();
    let post = |body: &str| {
        let request = http.post(format!("{}/save", mock.base_url())).header("x-api-key", mock.key());
        request.body(body.to_owned()).send()
    };
    for (body, expected) in [
        ("", (400, "body is missing")),
        ("{", (422, "Invalid body")),
        ("[]", (422, "Invalid body")),
        ("{}", (400, "count is missing")),
        (r#"{"count": null}"#, (422, "Invalid count")),
        (r#"{"count": "1"}"#, (422, "Invalid count")),
        (r#"{"count": 1.5}"#, (422, "Invalid count")),
        (r#"{"count": 1, "items": {}}"#, (422, "Invalid items")),
        (r#"{"count": 1, "items": [{"kind": "a"}, {}]}"#, (400, "kind is missing")),
        (r#"{"count": 1, "items": [{"kind": "c"}]}"#, (422, "Invalid kind")),
    ] {
        let (status, message) = failure(post(body).await.unwrap()).await;
        assert_eq!((status, message.as_str()), expected, "{body}");
    }
    for (body, expected) in [
        (r#"{"count": 1, "items": [{"kind": "b"}]}"#, "saved"),
        (r#"{"count": 1.0}"#, "saved"),
        (r#"{"count": -2e16}"#, "saved"),
        (r#"{"count": 0}"#, "nothing to save"),
    ] {
        assert_eq!(post(body).await.unwrap().json::<String>().await.unwrap(), expected, "{body}");
    }
}

#[tokio::test]
async fn a_session_from_login_to_logout() {
    let http = http();
    let builder = MockServer::builder().document(document()).credentials("key_a", "secret_b");
    let mock = builder.token_lifetime("taxpayer_token", Duration::from_secs(90)).start().await.unwrap();
    let post = |path: &str, token: &str| {
        http.post(format!("{}{path}", mock.base_url()))
            .header("x-api-key", "key_a")
            .header("authorization", token)
    };

    assert_eq!(status(post("/authenticate", "").header("x-api-secret", "secret_c")).await, 401);
    let response = post("/authenticate", "").header("x-api-secret", "secret_b").send().await.unwrap();
    let body: Value = response.json().await.unwrap();
    let platform = body["data"]["access_token"].as_str().unwrap().to_owned();
    let now = body["timestamp"].as_u64().unwrap();
    assert!(now > 1_700_000_000_000, "timestamp is renewed");

    let login = json!({"gstin": "29AAACQ3770E000", "username": "one"});
    let bad = post("/verify?otp=0", &platform).json(&login);
    mock.on("verify_otp").example("bad").times(1);
    let body: Value = bad.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["data"]["access_token"], "x", "a failure grants nothing");
    assert_eq!(status(post("/verify", &platform).json(&login)).await, 400);

    let response = post("/verify?otp=0", &platform).json(&login).send().await.unwrap();
    let body: Value = response.json().await.unwrap();
    let taxpayer = body["data"]["access_token"].as_str().unwrap().to_owned();
    let expiry = body["data"]["token_expiry"].as_u64().unwrap();
    assert!((now + 90_000..now + 100_000).contains(&expiry));
    assert_eq!(body["data"]["session_expiry"], expiry.to_string(), "text stays text");

    assert_eq!(status(post("/refresh", &platform)).await, 403, "the level is wrong");
    let response = post("/refresh", &taxpayer).send().await.unwrap();
    let body: Value = response.json().await.unwrap();
    let refreshed = body["data"]["access_token"].as_str().unwrap().to_owned();
    assert_ne!(refreshed, taxpayer);
    assert_eq!(status(post("/logout", &refreshed)).await, 200);
    let logout = mock.requests().pop().unwrap();
    assert_eq!(logout.session_gstin.as_deref(), Some("29AAACQ3770E000"), "inherited from the first token");
    assert_eq!(logout.session_username.as_deref(), Some("one"));
    assert_eq!(status(post("/logout", &refreshed)).await, 403, "revoked");
    assert_eq!(status(post("/refresh", &taxpayer)).await, 200, "another token lives on");
}

#[tokio::test]
async fn a_test_chooses_the_answer() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let get = || count(&http, &mock).send();
    mock.on("get_invoice_count").when(|request| request.header("x-special").is_some()).body(
        299,
        "text/html",
        "<p>",
    );
    mock.on("get_invoice_count").error("service_unavailable").header("retry-after", "7").times(1);
    mock.on("get_invoice_count").json(418, json!({"a": 1})).times(1);
    mock.on("get_invoice_count").example("imports").delay(Duration::from_millis(120));

    let first = get().await.unwrap();
    assert_eq!(first.headers()["retry-after"], "7");
    assert_eq!(failure(first).await, (503, "Service Unavailable".to_owned()));
    let second = get().await.unwrap();
    assert_eq!(second.status(), 418);
    assert_eq!(second.text().await.unwrap(), r#"{"a":1}"#);
    for _ in 0..2 {
        let start = Instant::now();
        let body: Value = get().await.unwrap().json().await.unwrap();
        assert_eq!(body["data"]["data"]["imp_gds"]["ttl_cnt"], 20);
        assert!(start.elapsed() >= Duration::from_millis(120));
    }
    let special = count(&http, &mock).header("x-special", "1").send().await.unwrap();
    assert_eq!(
        (special.status().as_u16(), &special.headers()["content-type"]),
        (299, &"text/html".parse().unwrap())
    );

    mock.clear_rules();
    let body: Value = get().await.unwrap().json().await.unwrap();
    assert_eq!(body["data"]["data"]["all_oth"]["ttl_cnt"], 12);
}

#[tokio::test]
async fn rules_come_after_the_checks_unless_asked() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let bare = || http.get(format!("{}{COUNT}", mock.base_url()));
    mock.on("get_invoice_count").json(201, json!(null)).times(1);
    assert_eq!(status(bare()).await, 401, "the rule is not used up");
    assert_eq!(status(count(&http, &mock)).await, 201);
    mock.on("get_invoice_count").json(202, json!(null)).before_checks();
    assert_eq!(status(bare()).await, 202);
}

#[tokio::test]
async fn faults_reach_the_client() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let rule = || mock.on("get_invoice_count").times(1);

    rule().fault(Fault::Status(502)).header("retry-after", "1");
    let empty = count(&http, &mock).send().await.unwrap();
    assert_eq!((empty.status().as_u16(), &empty.headers()["retry-after"]), (502, &"1".parse().unwrap()));
    assert_eq!(empty.bytes().await.unwrap().len(), 0);

    rule().fault(Fault::CloseWithoutAnswer);
    assert!(count(&http, &mock).send().await.unwrap_err().is_request());

    rule().body(200, "application/json", vec![b'['; 1_000_000]).fault(Fault::CutBody);
    let mut cut = count(&http, &mock).send().await.unwrap();
    assert_eq!((cut.status().as_u16(), cut.content_length()), (200, Some(1_000_000)));
    assert_eq!(cut.headers()["content-type"], "application/json");
    let mut received = 0;
    let error = loop {
        match cut.chunk().await {
            Ok(chunk) => received += chunk.expect("more was promised").len(),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(received, 500_000);

    rule().fault(Fault::Garbage);
    assert!(count(&http, &mock).send().await.unwrap_err().is_request());

    rule().fault(Fault::Hang);
    let hung = count(&http, &mock).timeout(Duration::from_millis(200)).send().await;
    assert!(hung.unwrap_err().is_timeout());

    assert_eq!(status(count(&http, &mock)).await, 200, "served as before");
    let statuses: Vec<_> = mock.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(502), None, Some(200), None, None, Some(200)]);
}

#[tokio::test]
async fn the_rate_limit_slides() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    mock.rate_limit(2, Duration::from_secs(1)).retry_after(1);
    let start = Instant::now();
    assert_eq!(status(count(&http, &mock)).await, 200);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(status(count(&http, &mock)).await, 200);
    let refused = count(&http, &mock).send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(failure(refused).await, (429, "Too Many Requests".to_owned()));
    sleep(Duration::from_millis(1050).saturating_sub(start.elapsed())).await;
    assert_eq!(
        status(count(&http, &mock)).await,
        200,
        "the first has left the window, refusals do not count"
    );
    assert_eq!(status(count(&http, &mock)).await, 429, "the second has not");
    assert_eq!(mock.hits("get_invoice_count"), 5);
    mock.clear_rules();
    assert_eq!(status(count(&http, &mock)).await, 200);
}

#[tokio::test]
async fn what_was_received_can_be_read_back() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    let token = mock.taxpayer_token();
    let url = format!("{}/some%20where?a=1+2&a=%26&b", mock.base_url());
    http.post(url).header("authorization", &token).json(&json!({"x": [1]})).send().await.unwrap();
    count(&http, &mock).send().await.unwrap();

    let [first, second] = <[_; 2]>::try_from(mock.requests()).unwrap();
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/some%20where"));
    let pairs =
        [("a", "1 2"), ("a", "&"), ("b", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(first.query, pairs);
    assert_eq!(first.header("Authorization"), Some(token.as_str()));
    assert_eq!((first.body.as_slice(), first.json()), (&br#"{"x":[1]}"#[..], Some(json!({"x": [1]}))));
    assert_eq!((first.operation, first.status), (None, Some(404)));
    assert_eq!((second.operation.as_deref(), second.status), (Some("get_invoice_count"), Some(200)));
    assert_eq!(second.query_value("type_of_goods"), Some("others"));
    assert!(first.arrived <= second.arrived);

    let printed = format!("{mock:?} {:?} {:?}", mock.requests(), mock.on("get_invoice_count"));
    assert!(!printed.contains(&token) && !printed.contains(mock.key()), "{printed}");
    mock.clear();
    assert_eq!((mock.requests().len(), mock.connections()), (0, 0));
}

#[tokio::test]
async fn unknown_names_panic_with_those_that_exist() {
    let mock = MockServer::start().await.unwrap();
    let text = panic_text(|| drop(mock.on("get_invoices_count")));
    assert!(text.contains("`get_invoices_count`") && text.contains("get_invoice_count"), "{text}");
    assert!(panic_text(|| _ = mock.hits("nothing")).contains("get_invoice_count"));
    let text = panic_text(|| drop(mock.on("get_invoice_count").example("exports")));
    assert!(text.contains("`exports`") && text.contains("imports"), "{text}");
    let text = panic_text(|| drop(mock.on("get_invoice_count").error("teapot")));
    assert!(text.contains("`teapot`") && text.contains("service_unavailable"), "{text}");
    assert!(panic_text(|| drop(mock.on("get_invoice_count").fault(Fault::Status(100)))).contains("100"));
}

#[tokio::test]
async fn only_this_machine_and_only_known_credentials() {
    let refused = MockServer::builder().bind(([0, 0, 0, 0], 0).into()).start().await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    let mut odd = document();
    odd["paths"]["/logout"]["post"]["security"] = json!([{"passport": []}]);
    let refused = MockServer::builder().document(odd).start().await.unwrap_err();
    assert_eq!(refused.to_string(), "logout: the mock knows no credential `passport`");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_stops_and_cuts() {
    let (http, mock) = (http(), MockServer::start().await.unwrap());
    mock.on("get_invoice_count").fault(Fault::Hang);
    let address = mock.base_url().trim_start_matches("http://").to_owned();
    let hung = tokio::spawn(count(&http, &mock).send());
    while mock.hits("get_invoice_count") == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    drop(mock);
    let cut = timeout(Duration::from_secs(5), hung).await.expect("cut, not left hanging").unwrap();
    assert!(cut.unwrap_err().is_request());
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}
