//! Bodies of odd size, form and content (cases B).

use std::sync::Mutex;

use proptest::prelude::*;
use sandbox_client::{
    Error, ErrorKind, Phase, RetryPolicy,
    values::{InvoiceCounts, ReturnPeriod, Section},
};
use serde_json::{Value, json};

use crate::support::{
    self, Child, Server, answer_with, assert_fault, call, client, client_of, envelope, failing, gzip,
    quick_retries, success, success_body,
};

/// The result of one call that is answered with status 200 and `body`.
async fn read(body: impl AsRef<[u8]>) -> Result<InvoiceCounts, Error> {
    let server = Server::always(answer_with(200, &[], body)).await;
    let result = call(&client(&server).build().unwrap()).await;
    assert_eq!(server.hits(), 1);
    result
}

/// `groups` as text in an envelope, for JSON that no library would write.
fn with_groups(groups: &str) -> String {
    format!(r#"{{"code": 200, "transaction_id": "t-200", "data": {{"status_cd": "1", "data": {groups}}}}}"#)
}

fn with_count(count: &str) -> String {
    with_groups(&format!(r#"{{"all_oth": {{"b2b": {{"accept": {count}}}}}}}"#))
}

/// Sections, groups and counters are open lists; what is new is kept.
#[tokio::test]
async fn what_is_new_is_kept_as_text() {
    let groups = r#"{"new_group": {"newsec": {"accept": 1, "new counter": 2}, "B2B": {"accept": 4}}}"#;
    let counts = read(with_groups(groups)).await.unwrap();
    assert_eq!(counts.total(), 7);
    assert_eq!(counts.section(Section::Other("newsec".into())).unwrap().other["new counter"], 2);
    assert_eq!(counts.section("B2B").unwrap().accepted, 4);
}

/// In counts, the last of two equal keys holds; an envelope with two of
/// one member is refused.
#[tokio::test]
async fn of_equal_keys_the_last_holds() {
    for groups in [
        r#"{"all_oth": {"b2b": {"accept": 1, "accept": 2}}}"#,
        r#"{"all_oth": {"b2b": {"accept": 1}, "b2b": {"accept": 2}}}"#,
        r#"{"all_oth": {"new": {"accept": 1}, "b2b": {}, "new": {"accept": 2}}}"#,
        r#"{"all_oth": {"b2b": {"accept": 1}}, "all_oth": {"b2b": {"accept": 2}}}"#,
        r#"{"all_oth": {"b2b": {"x": 1, "x": 2}}}"#,
        r#"{"all_oth": {"ttl_cnt": 1, "ttl_cnt": 2}}"#,
    ] {
        assert_eq!(read(with_groups(groups)).await.unwrap().total(), 2, "{groups}");
    }
    for body in [
        r#"{"data": {"status_cd": "1", "status_cd": "1", "data": {}}}"#,
        r#"{"data": {"status_cd": "1", "data": {}, "data": {}}}"#,
        r#"{"data": {"status_cd": "1", "data": {}}, "data": {"status_cd": "1", "data": {}}}"#,
    ] {
        assert_eq!(read(body).await.unwrap_err().kind(), ErrorKind::Decode, "{body}");
    }
    // One that fails is a failure, in whatever order.
    for body in [
        r#"{"data": {"status_cd": "1", "status_cd": "0", "data": {}}}"#,
        r#"{"data": {"status_cd": "0", "status_cd": "1", "data": {}}}"#,
    ] {
        assert_eq!(read(body).await.unwrap_err().kind(), ErrorKind::Business, "{body}");
    }
}

/// Exact or refused, never wrapped or rounded.
#[tokio::test]
async fn a_count_is_exact_or_refused() {
    for (sent, count) in [
        ("7", 7),
        ("-0", 0),
        ("0.0", 0),
        ("-0.0", 0),
        ("1.0", 1),
        ("1e3", 1000),
        ("\"12\"", 12),
        ("\" 12 \"", 12),
        ("null", 0),
        ("123456789012345.0", 123_456_789_012_345),
        ("18446744073709551615", u64::MAX),
    ] {
        assert_eq!(read(with_count(sent)).await.unwrap().accepted(), count, "{sent}");
    }
    for sent in [
        "99999999999999999999",
        "18446744073709551616",
        "1e400",
        "1e30",
        "9007199254740991.0",
        "NaN",
        "Infinity",
        "-1",
        "-9223372036854775808",
        "0.5",
        "1.5",
        "01",
        "+1",
        "0x10",
        "\"\"",
        "\"1.5\"",
        "\"-1\"",
        "\"99999999999999999999\"",
        "true",
        "[1]",
        "{}",
    ] {
        let error = read(with_count(sent)).await.expect_err(sent);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{sent}: {error:?}");
        assert!(!error.to_string().contains(sent.trim_matches('"')) || sent.len() < 3, "{sent}: {error}");
    }
    // The sum of two large counts has an end.
    let groups = format!(r#"{{"all_oth": {{"b2b": {{"accept": {0}, "reject": {0}}}}}}}"#, u64::MAX);
    assert_eq!(read(with_groups(&groups)).await.unwrap().total(), u64::MAX);
}

const CAP: usize = 64 * 1024;

/// A success of exactly `length` bytes.
fn padded(length: usize) -> Vec<u8> {
    let mut body = success_body();
    body.resize(length, b' ');
    body
}

/// The limit holds to the byte, however the body comes, and what is left
/// of a body that is too large is not read.
#[tokio::test]
async fn a_body_above_the_limit_is_not_read() {
    type Form<'a> = (&'a str, &'a dyn Fn(&[u8]) -> Vec<u8>);
    let chunked = |body: &[u8]| {
        let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(1000) {
            answer.extend(format!("{:x}\r\n", chunk.len()).bytes());
            answer.extend(chunk);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        answer
    };
    let until_closed = |body: &[u8]| [b"HTTP/1.1 200 OK\r\n\r\n", body].concat();
    let with_length = |body: &[u8]| answer_with(200, &[], body);
    let packed = |body: &[u8]| answer_with(200, &[("content-encoding", "gzip")], gzip(body));
    let forms: [Form; 4] = [
        ("with length", &with_length),
        ("chunked", &chunked),
        ("until closed", &until_closed),
        ("packed", &packed),
    ];
    for (form, answer) in forms {
        for (length, fits) in [(CAP - 1, true), (CAP, true), (CAP + 1, false), (40 * CAP, false)] {
            let bytes = answer(&padded(length));
            let server = Server::scripted(move |mut connection| {
                let bytes = bytes.clone();
                async move {
                    connection.request().await;
                    connection.send(bytes).await;
                }
            })
            .await;
            let client = client(&server).max_body_bytes(CAP).build().unwrap();
            let result = call(&client).await;
            assert_eq!(server.hits(), 1);
            if fits {
                assert_eq!(result.unwrap().total(), 12, "{form}, {length}");
            } else {
                let error = result.expect_err(form);
                assert_eq!(
                    (error.kind(), error.status()),
                    (ErrorKind::TooLarge, Some(200)),
                    "{form}: {error:?}"
                );
                assert!(error.maybe_processed() && !error.is_retryable());
                assert!(error.to_string().contains("65536"), "{error}");
            }
        }
    }
}

/// The connection of a body that was left is not used again.
#[tokio::test]
async fn the_connection_of_a_body_that_was_left_is_closed() {
    let server = Server::scripted(|mut connection| async move {
        while connection.request().await.is_some() {
            let body = if connection.hits() == 1 { padded(40 * CAP) } else { padded(CAP) };
            connection.send(answer_with(200, &[], body)).await;
        }
    })
    .await;
    let client = client(&server).max_body_bytes(CAP).build().unwrap();
    assert_eq!(failing(&client).await.kind(), ErrorKind::TooLarge);
    assert_eq!(call(&client).await.unwrap().total(), 12);
    assert_eq!((server.hits(), server.connections()), (2, 2));
}

/// What a header claims is neither waited for nor set aside.
#[tokio::test]
async fn a_claimed_length_is_not_believed() {
    for (length, cap) in [
        (10 * 1024 * 1024 * 1024_u64, 16 * 1024 * 1024),
        (u64::from(u32::MAX), 16 * 1024 * 1024),
        (u64::MAX - 2, 16 * 1024 * 1024),
        // Within the limit: two pieces come, and then the end.
        (1 << 62, usize::MAX),
    ] {
        let server = Server::scripted(move |mut connection| async move {
            connection.request().await;
            connection.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{{")).await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            connection.send("  ").await;
        })
        .await;
        let client = client(&server).max_body_bytes(cap).retry(RetryPolicy::none()).build().unwrap();
        let error = failing(&client).await;
        if cap == usize::MAX {
            assert_fault(&error, ErrorKind::Transport, Phase::ResponseBody, true);
        } else {
            assert_eq!(error.kind(), ErrorKind::TooLarge, "{length}: {error:?}");
        }
        assert_eq!(server.hits(), 1);
    }
}

/// 200 KB of gzip that would become 200 MB: one block of a megabyte, again and
/// again. Its end does not matter, nobody should get there.
fn bomb() -> Vec<u8> {
    let mut block = Vec::with_capacity(100_000);
    flate2::Compress::new(flate2::Compression::best(), false)
        .compress_vec(&vec![b' '; 1_000_000], &mut block, flate2::FlushCompress::Full)
        .unwrap();
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    [head.to_vec(), block.repeat(200)].concat()
}
#[cfg(target_os = "linux")]
#[test]
fn a_gzip_bomb_costs_little_memory() {
    const NAME: &str = "body_shape::a_gzip_bomb_costs_little_memory";
    if Child::is_this() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(async {
            let client_of = |path: &str| {
                client_of(std::env::var("URL").unwrap() + path).max_body_bytes(1024 * 1024).build().unwrap()
            };
            // Code and buffers of a call are there from the first one on.
            call(&client_of("/small")).await.unwrap();
            let before = support::peak_memory();
            assert_eq!(failing(&client_of("/bomb")).await.kind(), ErrorKind::TooLarge);
            let grown = support::peak_memory() - before;
            assert!(grown < 8 * 1024 * 1024, "{grown} bytes more");
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bomb = answer_with(200, &[("content-encoding", "gzip")], bomb());
    assert!(bomb.len() < 300_000, "{}", bomb.len());
    let server = runtime.block_on(Server::scripted(move |mut connection| {
        let bomb = bomb.clone();
        async move {
            while let Some(request) = connection.request().await {
                let answer = if request.line().contains("/bomb/") { bomb.clone() } else { success() };
                connection.send(answer).await;
            }
        }
    }));
    Child::of(NAME).env("URL", server.url()).run();
    assert_eq!(server.hits(), 2);
}

/// Data that is no gzip is the server's fault, not the connection's.
#[tokio::test]
async fn a_body_that_does_not_unpack_is_no_answer() {
    let cut = gzip(&padded(CAP));
    for body in [b"{\"code\": 200}".to_vec(), cut[..cut.len() / 2].to_vec(), vec![0x1f, 0x8b], gzip(b"")] {
        let server = Server::always(answer_with(200, &[("content-encoding", "gzip")], body)).await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{error:?}");
        assert_eq!(server.hits(), 1);
    }
    let server = Server::always(answer_with(200, &[("content-encoding", "gzip")], gzip(&padded(CAP)))).await;
    assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12);
}

/// The status decides, not the content type.
#[tokio::test]
async fn the_content_type_does_not_matter() {
    let body = padded(CAP);
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/problem+json")],
        &[("content-type", "text/html; charset=utf-8")],
        &[("content-type", "\u{ff}")],
    ] {
        let server = Server::always(answer_with(200, headers, &body)).await;
        assert_eq!(call(&client(&server).build().unwrap()).await.unwrap().total(), 12, "{headers:?}");

        let problem = json!({"title": "No", "message": "Not this", "transaction_id": "t-1"}).to_string();
        let server = Server::always(answer_with(422, headers, problem)).await;
        let error = failing(&client(&server).build().unwrap()).await;
        assert_eq!((error.kind(), error.provider_message()), (ErrorKind::Api, Some("Not this")));
    }
}

/// Keys are data, however many and however odd.
#[tokio::test]
async fn odd_keys_are_only_keys() {
    let odd = ["__proto__", "constructor", "a.b", "", " ", "\\u0000", "💥", "a[0]", "../..", "all_oth"];
    let sections: Vec<_> = odd.iter().map(|key| format!(r#""{key}": {{"accept": 1, "{key}": 1}}"#)).collect();
    let groups: Vec<_> = odd.iter().map(|key| format!(r#""{key}": {{{}}}"#, sections.join(","))).collect();
    let counts = read(with_groups(&format!("{{{}}}", groups.join(",")))).await.unwrap();
    let keys = odd.len() as u64;
    assert_eq!((counts.sections().len() as u64, counts.total()), (keys, keys * keys * 2));
    assert!(!counts.to_string().is_empty());
}

/// A hundred thousand keys at each level take a moment, not minutes.
#[tokio::test]
async fn a_hundred_thousand_keys_take_a_moment() {
    const KEYS: usize = 100_000;
    let started = std::time::Instant::now();
    // In an order that is the worst for a sorted list.
    let keys = |of: &dyn Fn(usize) -> String| -> String {
        let entries: Vec<_> = (0..KEYS).rev().map(|key| format!("\"k{key:06}\":{}", of(key))).collect();
        format!("{{{}}}", entries.join(","))
    };
    let counters = format!(r#"{{"all_oth": {{"b2b": {}}}}}"#, keys(&|_| "1".to_owned()));
    let sections = format!(r#"{{"all_oth": {}}}"#, keys(&|_| r#"{"accept":1}"#.to_owned()));
    let groups = keys(&|_| r#"{"b2b":{"accept":1}}"#.to_owned());
    let unknown = format!(r#"{{"code":200,"data":{{"data":{{}},"new":{}}}}}"#, keys(&|_| "[]".to_owned()));
    for groups in [counters, sections, groups] {
        assert_eq!(read(with_groups(&groups)).await.unwrap().total(), KEYS as u64);
    }
    assert_eq!(read(unknown).await.unwrap().total(), 0);
    let deep = with_groups(&("[".repeat(KEYS) + &"]".repeat(KEYS)));
    assert_eq!(read(deep).await.unwrap_err().kind(), ErrorKind::Decode);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

/// JSON in a string is a string.
#[tokio::test]
async fn json_in_a_string_is_not_read_twice() {
    let counts = String::from_utf8(padded(300)).unwrap();
    let error = read(Value::from(counts.trim()).to_string()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)), "{error:?}");
    let inner = json!({"status_cd": "1", "data": {"all_oth": {"ttl_cnt": 12}}}).to_string();
    let error = read(envelope(&Value::from(inner)).to_string()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
}

/// Whether envelope and type allow a success; written without the code that is
/// tested. What is no UTF-8 is read as a character that says so.
fn may_succeed(status: u16, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    let envelope = match serde_json::from_str(&text) {
        Ok(Value::Object(envelope)) => envelope,
        // A number that no float holds costs only itself; serde_json reads nothing then.
        Err(error) if error.to_string().starts_with("number out of range") => return status == 200,
        _ => return false,
    };
    let failed = |status: &Value| match status {
        Value::String(text) => text.trim().parse() == Ok(0.0) || text.trim().eq_ignore_ascii_case("false"),
        Value::Number(number) => number.as_f64() == Some(0.0),
        other => other == &json!(false),
    };
    let failed = envelope.get("status_cd").is_some_and(failed) || failed(&envelope["data"]["status_cd"]);
    let refused = envelope.get("code").and_then(Value::as_u64).is_some_and(|code| (300..600).contains(&code));
    status == 200 && !failed && !refused && envelope["data"]["data"].is_object()
}

/// JSON that resembles an envelope, member by member.
fn resembling() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::sample::select(vec!["0", "1", "3", "false", "200", "500", "AUTH4033"]).prop_map(Value::from),
        prop::sample::select(vec![0, 1, 200, 401, 429, 500]).prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "code",
            "message",
            "transaction_id",
            "timestamp",
            "data",
            "status_cd",
            "error",
            "error_cd",
            "all_oth",
            "b2b",
            "accept",
            "ttl_cnt",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    let any_value = leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    any_value.prop_map(|value| value.to_string().into_bytes())
}

/// A success with some bytes changed or cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(changes, end, cut)| {
        let mut body = padded(230);
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if cut {
            body.truncate(end.index(body.len()));
        }
        body
    })
}

/// Whatever comes, no panic, and a success only where all agree on it.
#[test]
fn no_answer_is_a_success_by_accident() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let next: &'static Mutex<Vec<u8>> = Box::leak(Box::default());
    let server = runtime.block_on(Server::scripted(move |mut connection| async move {
        while connection.request().await.is_some() {
            let answer = next.lock().unwrap().clone();
            connection.send(&answer).await;
            // No further answer follows an interim one.
            if answer.starts_with(b"HTTP/1.1 1") {
                break;
            }
        }
    }));
    let client = client(&server).retry(quick_retries().max_attempts(1)).build().unwrap();
    let body = prop_oneof![any::<Vec<u8>>(), resembling(), damaged()];
    let status = prop_oneof![3 => Just(200_u16), 2 => 100_u16..600];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&(status, body), |(status, body)| {
        *next.lock().unwrap() = answer_with(status, &[], &body);
        match runtime.block_on(call(&client)) {
            Ok(_) => prop_assert!(may_succeed(status, &body)),
            Err(error) => {
                // An interim answer without another is a connection that broke.
                let told = if status < 200 && status != 101 { None } else { Some(status) };
                prop_assert!(told.is_none() || error.status().is_some(), "{:?}", error);
                prop_assert!(error.to_string().chars().count() < 1000);
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// A number in the place of text is that text, to the last digit.
#[tokio::test]
async fn digits_in_the_place_of_text_stay_as_written() {
    for digits in ["1.10", "12345678901234567890123", "-0.0"] {
        let body = format!(r#"{{"code":200,"data":{{"status_cd":"1","data":{{"reference_id":{digits}}}}}}}"#);
        let server = Server::always(answer_with(200, &[], body)).await;
        let session = client(&server).build().unwrap().taxpayer_session().unwrap();
        let period = ReturnPeriod::new(2025, 11).unwrap();
        let answer = session.gstr_2b().regenerate_gstr_2b().year(period).month(period).send().await.unwrap();
        assert_eq!(answer.reference_id.as_deref(), Some(digits));
    }
}
