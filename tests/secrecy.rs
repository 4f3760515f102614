//! Nothing secret comes out (cases S): not in an error, not in `Debug`, not in
//! a log at the most talkative level of every crate underneath.
//!
//! Each scenario has fresh credentials, and each server repeats what it was
//! sent in the place where it hurts.
//!
//! A program of its own, since it collects what the whole process logs.

mod support;

use std::{
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use sandbox_client::{
    Client, ClientBuilder, Content, Document, ErrorKind, RetryPolicy, Token,
    gstr_3b::types::Gstr3b,
    gstr_9::types::Gstr9,
    ims::types::TypeOfGoods,
    values::{Gstin, Otp, SignedUrl},
};
use serde_json::{Value, json};

use support::{
    Authority, Frames, Request, Secrets, Server, answer, answer_with, call, envelope, failing, failure, gzip,
    quick_retries, self_signed, success, success_body,
};

/// All that any crate has logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    // `init` also takes what is logged by the `log` crate.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    log
});

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Asserts that the log holds what `crates` say, and none of the secrets.
#[track_caller]
fn assert_log_is_clean(secrets: &Secrets, crates: &[&str]) {
    let text = LOG.text();
    for name in crates {
        assert!(text.contains(&format!(" {name}")), "{name} has logged nothing: the test sees too little");
    }
    secrets.assert_absent("the log", &text);
}

fn builder(secrets: &Secrets, server: &Server) -> ClientBuilder {
    LazyLock::force(&LOG);
    secrets
        .client(server.url())
        .no_rate_limit()
        .retry(quick_retries())
        .attempt_timeout(std::time::Duration::from_millis(500))
}

/// A server that makes its answer out of the request.
async fn echoing(answer: impl Fn(&Request) -> Vec<u8> + Clone + Send + Sync + 'static) -> Server {
    Server::scripted(move |mut connection| {
        let answer = answer.clone();
        async move {
            while let Some(request) = connection.request().await {
                connection.send(answer(&request)).await;
            }
        }
    })
    .await
}

/// The headers of a request as an answer may repeat them.
fn echo(request: &Request) -> String {
    let token = request.header("authorization").unwrap();
    let key = request.header("x-api-key").unwrap();
    format!("you sent {key} and {token}.")
}

/// Every way in which a server repeats what it was sent.
#[tokio::test]
async fn an_echo_of_the_request_is_not_shown() {
    type Echo = fn(&Request) -> Vec<u8>;
    let echoes: [(&str, ErrorKind, Echo); 20] = [
        ("message", ErrorKind::Api, |request| answer(422, &json!({"message": echo(request)}))),
        ("message of a denial", ErrorKind::Denied, |request| answer(403, &json!({"message": echo(request)}))),
        ("message below data", ErrorKind::Api, |request| {
            answer(500, &json!({"data": {"message": echo(request)}}))
        }),
        ("message cut at a secret", ErrorKind::Api, |request| {
            let token = request.header("authorization").unwrap();
            answer(422, &json!({"message": "x".repeat(512 - 20) + token}))
        }),
        ("message cut after many", ErrorKind::Api, |request| {
            answer(422, &json!({"message": echo(request).repeat(100)}))
        }),
        ("transaction id", ErrorKind::Api, |request| {
            answer(422, &json!({"transaction_id": request.header("x-api-key").unwrap()}))
        }),
        ("transaction id cut at a secret", ErrorKind::Api, |request| {
            let token = request.header("authorization").unwrap();
            answer(422, &json!({"transaction_id": "x".repeat(80 - 20) + token}))
        }),
        ("error code", ErrorKind::Business, |request| {
            let code = request.header("authorization").unwrap();
            answer(
                200,
                &envelope(&json!({"status_cd": "0", "error": {"error_cd": code, "message": echo(request)}})),
            )
        }),
        ("raw request as text", ErrorKind::Api, |request| answer_with(404, &[], &request.head)),
        ("html", ErrorKind::Api, |request| answer_with(501, &[], format!("<html>{}", request.head))),
        ("html with status 200", ErrorKind::Decode, |request| {
            answer_with(200, &[], format!("<html>{}", request.head))
        }),
        ("data as text", ErrorKind::Decode, |request| answer(200, &envelope(&Value::from(echo(request))))),
        ("count as text", ErrorKind::Decode, |request| {
            answer(
                200,
                &envelope(
                    &json!({"status_cd": "1", "data": {"all_oth": {"b2b": {"accept": echo(request)}}}}),
                ),
            )
        }),
        ("transaction id of an unknown shape", ErrorKind::Decode, |request| {
            answer(200, &json!({"transaction_id": request.header("x-api-key").unwrap(), "data": []}))
        }),
        ("what looks like the end of a message of serde", ErrorKind::Decode, |request| {
            let token = request.header("authorization").unwrap();
            let text = format!("x expected {token} at line 5");
            answer(200, &envelope(&json!({"status_cd": "1", "data": {"all_oth": {"b2b": text}}})))
        }),
        ("broken json", ErrorKind::Decode, |request| answer_with(200, &[], format!("{{{}", echo(request)))),
        ("headers", ErrorKind::Api, |request| {
            answer_with(302, &[("location", &echo(request)), ("set-cookie", &echo(request))], "")
        }),
        ("broken header", ErrorKind::Decode, |request| {
            format!("HTTP/1.1 200 OK\r\n{}\0: x\r\n\r\n", echo(request)).into_bytes()
        }),
        ("broken status line", ErrorKind::Decode, |request| {
            format!("{}\r\n\r\n", echo(request)).into_bytes()
        }),
        ("broken gzip", ErrorKind::Decode, |request| {
            answer_with(200, &[("content-encoding", "gzip")], echo(request))
        }),
    ];
    for (name, kind, answer) in echoes {
        let secrets = Secrets::fresh();
        let server = echoing(answer).await;
        let client = builder(&secrets, &server).build().unwrap();
        let error = failing(&client).await;
        assert_eq!(error.kind(), kind, "{name}: {error:?}");
        secrets.assert_not_in(&error);
        assert_log_is_clean(&secrets, &["sandbox_client", "hyper_util", "reqwest"]);
        assert!(server.hits() > 0);
    }
}

/// A success without what its helper needs is an error like any other.
#[tokio::test]
async fn an_incomplete_success_shows_nothing() {
    let otp = "83927465";
    let incomplete = |id: fn(&Request) -> &str| {
        echoing(move |request| {
            answer(200, &json!({"transaction_id": id(request), "data": {"status_cd": "1"}}))
        })
    };
    let key = incomplete(|request| request.header("x-api-key").unwrap()).await;
    let token = incomplete(|request| request.header("authorization").unwrap()).await;
    for server in [key, token] {
        let secrets = Secrets::fresh();
        let client = builder(&secrets, &server).build().unwrap();
        let error = failing(&client).await;
        assert_eq!((error.kind(), error.transaction_id()), (ErrorKind::Decode, Some("[redacted]")));
        secrets.assert_not_in(&error);
    }

    for data in [json!({}), json!([])] {
        let data = data.clone();
        let server = echoing(move |request| {
            let otp = request.head.split("otp=").nth(1).unwrap()[..8].to_owned();
            answer(200, &json!({"transaction_id": otp, "data": data}))
        })
        .await;
        let client = builder(&Secrets::fresh(), &server).build().unwrap();
        let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW").unwrap(), "user").unwrap();
        let error = taxpayer.verify_otp(otp).await.unwrap_err();
        assert_eq!((error.kind(), error.transaction_id()), (ErrorKind::Decode, Some("[redacted]")));
        assert!(!format!("{error} {error:?}").contains(otp));
    }
}

/// The code that signs a return, which may hold letters.
#[tokio::test]
async fn an_evc_otp_is_not_shown() {
    let otp = "55B4DFxq7Z";
    let server = echoing(|request| {
        let otp = request.head.split("otp=").nth(1).unwrap()[..10].to_owned();
        let error = json!({"error_cd": otp, "message": format!("{otp} is not the OTP of {otp}")});
        answer(200, &json!({"transaction_id": otp, "data": {"status_cd": "0", "error": error}}))
    })
    .await;
    let secrets = Secrets::fresh();
    let session = builder(&secrets, &server).build().unwrap().taxpayer_session().unwrap();
    let (gstr_3b, gstr_9) = (session.gstr_3b(), session.gstr_9());
    let monthly =
        gstr_3b.file_gstr_3b().year("2024").month("11").pan("ABCDE1234F").otp(otp).body(Gstr3b::default());
    let documented = include_str!("../openapi/gstr_9/examples/file_gstr_9.request.late_fee.json");
    let documented: Document<Gstr9> = documented.parse().unwrap();
    let annual = gstr_9.file_gstr_9().financial_year("2023-24").pan("ABCDE1234F").otp(otp).body(documented);
    let shown = format!("{monthly:?} {monthly:#?} {annual:?} {annual:#?}");
    assert!(!shown.contains(otp) && !shown.contains("ABCDE"), "{shown}");
    // What was refused is repeated no more than what was taken.
    assert!(!format!("{:?}", gstr_3b.file_gstr_3b().otp("55B4-DF")).contains("55B4"));
    for error in [Box::pin(monthly.send()).await.unwrap_err(), Box::pin(annual.send()).await.unwrap_err()] {
        assert_eq!((error.kind(), error.error_code()), (ErrorKind::Business, Some("[redacted]")));
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains(otp) && !shown.contains("ABCDE"), "{shown}");
    }
    assert_eq!(server.hits(), 2);
    assert_log_is_clean(&secrets, &["sandbox_client"]);
    let log = LOG.text();
    assert!(!log.contains(otp) && !log.contains("ABCDE1234F"));
}

/// What is around a secret survives its removal.
#[tokio::test]
async fn only_the_secret_is_taken_out_of_a_message() {
    let server = echoing(|request| answer(422, &json!({"message": echo(request)}))).await;
    let error = failing(&builder(&Secrets::fresh(), &server).build().unwrap()).await;
    assert_eq!(error.provider_message(), Some("you sent [redacted] and [redacted]."));
}

/// The faults of the connection, of time and of size.
#[tokio::test]
async fn faults_of_the_connection_show_nothing() {
    let cut = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{").await;
    })
    .await;
    let reset = Server::scripted(|mut connection| async move {
        connection.request().await;
        connection.reset();
    })
    .await;
    let faults = [
        (cut, ErrorKind::Transport),
        (reset, ErrorKind::Transport),
        (Server::silent().await, ErrorKind::Timeout),
        (Server::always(failure(429, "Too Many Requests")).await, ErrorKind::RateLimited),
        (Server::always(failure(401, "Unauthorized")).await, ErrorKind::SessionExpired),
        (Server::always(failure(503, "Service Unavailable")).await, ErrorKind::Api),
        (Server::always(answer_with(200, &[], vec![b' '; 100_000])).await, ErrorKind::TooLarge),
        (
            Server::always(answer_with(200, &[("content-encoding", "gzip")], gzip(&vec![b' '; 100_000])))
                .await,
            ErrorKind::TooLarge,
        ),
    ];
    for (server, kind) in faults {
        let secrets = Secrets::fresh();
        let client = builder(&secrets, &server).max_body_bytes(50_000).build().unwrap();
        let error = failing(&client).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        secrets.assert_not_in(&error);
        // Nor the address, which has parameters in it.
        assert!(!format!("{error:?}").contains("type_of_goods"), "{error:?}");
        assert_log_is_clean(&secrets, &["sandbox_client"]);
    }
}

/// Over TLS, good and bad.
#[tokio::test]
async fn tls_shows_nothing() {
    let authority = Authority::new();
    for (acceptor, good) in [(authority.server("127.0.0.1"), true), (self_signed("127.0.0.1"), false)] {
        let secrets = Secrets::fresh();
        let server = Server::over_tls(acceptor, |mut connection| async move {
            connection.request().await;
            connection.send(success()).await;
        })
        .await;
        // A caller who asks for the traffic in the log does not get it.
        let http = authority.trusted().connection_verbose(true);
        match call(&builder(&secrets, &server).http(http).build().unwrap()).await {
            Ok(_) => assert!(good),
            Err(error) => {
                assert!(!good);
                secrets.assert_not_in(&error);
            }
        }
        assert_log_is_clean(&secrets, &["hyper_util"]);
    }
}

/// HTTP/2, whose crate logs every frame.
#[tokio::test]
async fn http2_shows_nothing() {
    let secrets = Secrets::fresh();
    let server = Server::scripted(|connection| async move {
        let Some(mut frames) = Frames::accept(connection).await else { return };
        while let Some(stream) = frames.request().await {
            match frames.hits() {
                1 => {
                    frames.answer(stream, &success_body()).await;
                }
                2 => frames.answer(stream, b"{").await,
                _ => frames.reset(stream, Frames::<tokio::net::TcpStream>::INTERNAL_ERROR).await,
            }
        }
    })
    .await;
    let http = reqwest::Client::builder().http2_prior_knowledge();
    let client = builder(&secrets, &server).http(http).build().unwrap();
    assert_eq!(call(&client).await.unwrap().total(), 12);
    for kind in [ErrorKind::Decode, ErrorKind::Transport] {
        let error = failing(&client).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        secrets.assert_not_in(&error);
    }
    assert_log_is_clean(&secrets, &["h2", "sandbox_client"]);
    assert_eq!(server.hits(), 1 + 1 + 3);
}

/// What is logged of a call is on the list of what may be.
#[tokio::test]
async fn a_call_is_logged_without_its_values() {
    let secrets = Secrets::fresh();
    let server = Server::always(success()).await;
    let client = builder(&secrets, &server).build().unwrap();
    let ims = client.taxpayer_session().unwrap().ims();
    ims.counts(TypeOfGoods::InwardSupplies).await.unwrap();
    let log = LOG.text();
    let ours: String = log.lines().filter(|line| line.contains(" sandbox_client")).collect();
    assert!(ours.contains("get_invoice_count") && ours.contains("/gst/compliance/tax-payer/invoices/count"));
    assert!(!ours.contains("inward_supplies"), "the values of parameters are not ours to log");
    // The host is, and nothing else of the address.
    assert!(ours.contains("127.0.0.1") && !ours.contains("http://") && !ours.contains("127.0.0.1:"));
}
#[tokio::test]
async fn debug_shows_nothing() {
    let secrets = Secrets::fresh();
    let server = Server::always(success()).await;
    let builder = builder(&secrets, &server);
    secrets.assert_absent("the builder", &format!("{builder:?} {builder:#?}"));
    let client = builder.build().unwrap();
    let token = Token::new(secrets.taxpayer_token.as_str()).unwrap();
    secrets.assert_absent("the token", &format!("{token:?} {token:#?}"));
    secrets.assert_absent("the client", &format!("{client:?} {client:#?}"));
    let own = client.taxpayer_session().unwrap();
    let given = client.with_taxpayer_token(token).with_retry(RetryPolicy::none());
    for session in [own, given] {
        secrets.assert_absent("the session", &format!("{session:?} {session:#?}"));
        let ims = session.ims();
        secrets.assert_absent("the handle", &format!("{ims:?} {ims:#?}"));
        let request = ims.get_invoice_count().type_of_goods("others");
        secrets.assert_absent("the request", &format!("{request:?} {request:#?}"));
        let answer = request.send().await.unwrap();
        secrets.assert_absent("the answer", &format!("{answer:?} {answer:#?}"));
        let counts = call(&session).await.unwrap();
        secrets.assert_absent("the counts", &format!("{counts:?} {counts}"));
    }
    // The forms that the search knows are found where they are.
    let found = std::panic::catch_unwind(|| secrets.assert_absent("a text", &secrets.key.to_uppercase()));
    assert!(found.is_err());
}

/// Nor do answers that carry tokens, and what leads to them.
#[tokio::test]
async fn debug_of_tokens_and_otps_shows_nothing() {
    let secrets = Secrets::fresh();
    let sent = secrets.clone();
    let server = echoing(move |request| {
        if request.line().contains("/authenticate") {
            return answer(
                200,
                &json!({"transaction_id": "t-1", "data": {"access_token": sent.platform_token}}),
            );
        }
        // The key in the place that an answer shows beside its payload.
        let id = request.header("x-api-key").unwrap();
        let data = json!({"status_cd": "1", "access_token": sent.taxpayer_token});
        answer(200, &json!({"code": 200, "transaction_id": id, "data": data}))
    })
    .await;
    let client = builder(&secrets, &server).build().unwrap();
    let authentication = client.authentication();
    secrets.assert_absent("the handle", &format!("{authentication:?} {authentication:#?}"));
    let request = authentication.authenticate();
    secrets.assert_absent("the request", &format!("{request:?} {request:#?}"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.transaction_id(), Some("t-1"));
    secrets.assert_absent("the answer", &format!("{answer:?} {answer:#?}"));

    let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW").unwrap(), "user").unwrap();
    let otp = "83927465";
    let handle = client.session();
    let request = handle.verify_otp().otp(Otp::new(otp).unwrap());
    assert!(!format!("{request:?} {request:#?}").contains(otp));
    // What was refused is repeated no more than what was taken.
    let request = handle.verify_otp().otp("83 927 465");
    assert!(!format!("{request:?} {request:#?}").contains("927"));

    let session = taxpayer.verify_otp(otp).await.unwrap();
    let saved = taxpayer.saved().unwrap();
    assert_eq!(saved.token().expose_secret(), secrets.taxpayer_token);
    for shown in [format!("{session:?} {session:#?}"), format!("{taxpayer:?} {saved:?} {saved:#?}")] {
        secrets.assert_absent("the session", &shown);
        assert!(!shown.contains(otp));
    }
    let handle = session.session();
    secrets.assert_absent("the handle", &format!("{handle:?} {handle:#?}"));
    let answer = handle.refresh_session().send().await.unwrap();
    assert!(answer.access_token.is_some());
    assert_eq!(answer.transaction_id(), Some("[redacted]"));
    secrets.assert_absent("the answer", &format!("{answer:?} {answer:#?}"));
    assert_log_is_clean(&secrets, &["sandbox_client"]);
}

/// The signature of a signed URL, and its path, are secrets too.
#[tokio::test]
async fn a_signed_url_is_not_shown() {
    let secrets = Secrets::fresh();
    // All of the URL behind the host is made of secrets.
    let behind = format!("/{}/{}?X-Amz-Signature={}", secrets.key, secrets.secret, secrets.taxpayer_token);
    let repeated = format!("<Error><Code>{behind}</Code><Message>{behind}</Message></Error>");
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n12345".to_vec();
    for (answer, fails) in [
        (answer_with(200, &[("etag", "\"v1\"")], "a file"), false),
        (answer_with(403, &[], &repeated), true),
        (answer_with(500, &[("location", &behind)], &repeated), true),
        (answer_with(307, &[("location", &behind)], &repeated), true),
        (cut, true),
        (b"not HTTP at all\r\n\r\n".to_vec(), true),
        (Vec::new(), true),
    ] {
        let server = Server::scripted(move |mut connection| {
            let answer = answer.clone();
            async move {
                connection.request().await;
                connection.send(answer).await;
            }
        })
        .await;
        let url = SignedUrl::new(format!("{}{behind}", server.url())).unwrap();
        let job = json!({"data": {"job_id": "j", "status": "succeeded", "reconciliation_report_url": url.expose_secret()}});
        let api = Server::always(answer_with(200, &[], job.to_string())).await;
        let client = builder(&secrets, &api).build().unwrap();
        let answer = client.analytics().get_gstr_2b_reconciliation().job_id("j").send().await.unwrap();
        let written = serde_json::to_string(&*answer).unwrap();
        secrets.assert_absent("the answer", &format!("{answer:?} {answer:#?} {written} {url:?}"));

        let report = client.analytics().gstr_2b_reconciliation("j").status().await.unwrap();
        let transfers = client.transfers().allow_host(".example");
        secrets.assert_absent("the report", &format!("{report:?} {transfers:?}"));
        match client.transfers().download(&url).await {
            Ok(mut download) => {
                secrets.assert_absent("the download", &format!("{download:?}"));
                match download.chunk().await {
                    Ok(Some(_)) if !fails => assert!(download.chunk().await.unwrap().is_none()),
                    Ok(_) => {
                        let error = download.chunk().await.unwrap_err();
                        secrets.assert_not_in(&error);
                    }
                    Err(error) => secrets.assert_not_in(&error),
                }
            }
            Err(error) => {
                assert!(fails, "{error}");
                secrets.assert_not_in(&error);
            }
        }
        match client.transfers().upload(&url, &Content::json("{}")).await {
            Ok(()) => {}
            Err(error) => secrets.assert_not_in(&error),
        }
        // Refused before it is asked.
        let elsewhere = SignedUrl::new(format!("https://files.example{behind}")).unwrap();
        secrets.assert_not_in(&client.transfers().download(&elsewhere).await.unwrap_err());
        assert_log_is_clean(&secrets, &["sandbox_client", "hyper_util"]);
    }
    let error = SignedUrl::new(format!("ftp://files.example{behind}")).unwrap_err();
    secrets.assert_not_in(&error);
}

/// Cookies are neither kept nor handed on.
#[tokio::test]
async fn cookies_are_dropped() {
    let cookie = [("set-cookie", "session=canary; Path=/"), ("content-type", "application/json")];
    let server = Server::always(answer_with(200, &cookie, success_body())).await;
    let ims = builder(&Secrets::fresh(), &server).build().unwrap().taxpayer_session().unwrap().ims();
    for _ in 0..2 {
        let response = ims.get_invoice_count().type_of_goods("others").send().await.unwrap();
        assert!(response.headers().contains_key("content-type"));
        assert!(!response.headers().contains_key("set-cookie"));
    }
    assert_eq!(server.hits(), 2);
    assert!(server.requests().iter().all(|request| request.header("cookie").is_none()));
}

/// No header of an answer makes the client send anything anywhere.
#[tokio::test]
async fn headers_of_an_answer_change_nothing() {
    let elsewhere = Server::always(success()).await;
    let service = format!("h2=\"127.0.0.1:{}\"; ma=86400", elsewhere.port());
    let headers = [
        ("www-authenticate", "Basic realm=\"x\""),
        ("proxy-authenticate", "Basic realm=\"x\""),
        ("alt-svc", &service),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("refresh", "0; url=/elsewhere"),
        ("link", "</elsewhere>; rel=preload"),
        ("clear-site-data", "\"*\""),
        ("connection", "upgrade"),
        ("upgrade", "h2c"),
    ];
    for (status, hits) in [(200, 1), (401, 1), (407, 1), (426, 1), (503, 3)] {
        let server = Server::always(answer_with(status, &headers, success_body())).await;
        let client = builder(&Secrets::fresh(), &server).build().unwrap();
        assert_eq!(call(&client).await.is_ok(), status == 200);
        assert_eq!(server.hits(), hits, "{status}");
        let _ = call(&client).await;
        let requests = server.requests();
        let head = |request: &Request| request.head.clone();
        assert!(requests.iter().all(|request| head(request) == head(&requests[0])), "{status}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Name and version of this crate, nothing of the machine.
#[tokio::test]
async fn the_user_agent_is_name_and_version() {
    let server = Server::always(success()).await;
    call(&builder(&Secrets::fresh(), &server).build().unwrap()).await.unwrap();
    let chosen = reqwest::Client::builder().user_agent("canary");
    call(&builder(&Secrets::fresh(), &server).http(chosen).build().unwrap()).await.unwrap();
    let expected = concat!("sandbox-client/", env!("CARGO_PKG_VERSION"));
    assert_eq!(server.hits(), 2);
    assert!(server.requests().iter().all(|request| request.header("user-agent") == Some(expected)));
}

/// A secret goes to no operation that does not ask for it.
#[tokio::test]
async fn the_secret_is_not_sent_with_other_calls() {
    let secrets = Secrets::fresh();
    let server = Server::always(success()).await;
    let client: Client = builder(&secrets, &server).build().unwrap();
    call(&client).await.unwrap();
    let sent = &server.requests()[0].head;
    assert!(!sent.contains("secret") && !sent.contains(&secrets.platform_token));
}

/// What did not fit is told once, by operation and path, and never by value.
#[tokio::test]
async fn an_odd_answer_is_warned_of_by_its_paths() {
    let secrets = Secrets::fresh();
    let list = json!({"b2b": [{"pos": ["29AAACQ3770E000"]}, {"pos": {"a": "29AAACQ3770E000"}}, {"pos": 7}]});
    let server = Server::always(answer(200, &envelope(&json!({"status_cd": "1", "data": list})))).await;
    let session = builder(&secrets, &server).build().unwrap().taxpayer_session().unwrap();
    let answer = session.ims().list_invoices().section("B2B").send().await.unwrap();
    assert_eq!(answer.unread(), ["data.data.b2b[0].pos", "data.data.b2b[1].pos"]);
    let text = LOG.text();
    let told: Vec<_> = text.lines().filter(|line| line.contains("data.data.b2b[0].pos")).collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    for part in [" WARN ", "list_invoices", "count=2", "data.data.b2b[0].pos, data.data.b2b[1].pos"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!text.contains("29AAACQ3770E000"));
    assert_log_is_clean(&secrets, &["sandbox_client"]);
}

/// The password of an API user: sent in the body of the login and shown nowhere,
/// not where the server repeats it, and never put into a store.
#[tokio::test]
async fn a_password_is_shown_nowhere() {
    LazyLock::force(&LOG);
    let secrets = Secrets::fresh();
    // It takes the place of a secret in the search.
    let password = format!("p@ss-{}", secrets.secret);
    let canary = Secrets { secret: password.clone(), ..Secrets::fresh() };
    let told: [fn(&str) -> Value; 4] = [
        |echo| json!({"code": 200, "data": {"Status": 0, "ErrorDetails": [{"ErrorCode": echo, "ErrorMessage": echo}]}}),
        |echo| json!({"code": 200, "data": {"status": "0", "error": {"errorCodes": echo}, "info": echo}}),
        |echo| json!({"code": 422, "message": echo}),
        |echo| json!({"code": 200, "data": {"Status": 1}, "transaction_id": echo}),
    ];
    for body in told {
        let server = echoing(move |request| {
            let sent: Value = serde_json::from_slice(&request.body).unwrap();
            answer(200, &body(&format!("you sent {}", sent["password"].as_str().unwrap())))
        })
        .await;
        let client = builder(&secrets, &server).build().unwrap();
        let gstin = Gstin::new("33ABKCS2033B1ZW").unwrap();
        let session = client.e_invoice(gstin, "api_user", password.as_str()).unwrap();
        canary.assert_absent("the session", &format!("{session:?} {:?}", session.e_invoice()));
        let error = session.e_invoice().get_e_invoice().irn("a".repeat(64)).send().await.unwrap_err();
        canary.assert_not_in(&error);
        let session = client.e_way_bill(gstin, "api_user", password.as_str()).unwrap();
        let error = session.e_way_bill().get_error_list().send().await.unwrap_err();
        canary.assert_not_in(&error);
    }
    canary.assert_absent("the log", &LOG.text());

    // What a store gets is the token.
    let mock = sandbox_client::mock::MockServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = sandbox_client::FileStore::open(folder.path().join("tokens")).unwrap();
    let client = mock.client_builder().token_store(Arc::new(store)).build().unwrap();
    let gstin = Gstin::new("33ABKCS2033B1ZW").unwrap();
    let session = client.e_invoice(gstin, "api_user", password.as_str()).unwrap();
    session.e_invoice().get_e_invoice().irn("a".repeat(64)).send().await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(folder.path().join("tokens")).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            canary.assert_absent("the store", &String::from_utf8_lossy(&std::fs::read(file).unwrap()));
            files += 1;
        }
    }
    assert!(files > 0, "the store has the token");
}
