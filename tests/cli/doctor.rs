//! `sandbox doctor`: each thing that can be wrong is named, with its exit code.

use sandbox_client::mock::MockServer;
use serde_json::{Value, json};

use crate::command::{Home, Run};

/// State and detail of a check.
fn check(run: &Run, name: &str) -> (String, String) {
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let row =
        rows.iter().find(|row| row["check"] == name).unwrap_or_else(|| panic!("{name}: {}", run.stdout));
    (row["state"].as_str().unwrap().to_owned(), row["detail"].as_str().unwrap().to_owned())
}

fn doctor(home: &Home) -> Run {
    home.run(&["doctor", "--format", "json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_with_one_request_and_no_token_stored() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);
    let run = doctor(&home).succeeds();
    for name in ["proxy", "configuration", "network", "key and secret", "clock", "rate limit"] {
        assert_eq!(check(&run, name).0, "ok", "{name}: {}", run.stdout);
    }
    assert_eq!(check(&run, "TLS").0, "-");
    assert!(check(&run, "sessions").1.contains("none saved; open one with sandbox login"), "{}", run.stdout);
    let paths: Vec<_> = mock.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/authenticate"]);
    let written: Vec<_> =
        std::fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(written.iter().all(|name| *name == "config.toml" || *name == "sessions"), "{written:?}");
    let stored = std::fs::read_dir(home.path("sessions")).into_iter().flatten().count();
    assert_eq!(stored, 0, "no token is stored");
    for secret in [mock.key(), mock.secret(), "eyJ"] {
        assert!(!run.stdout.contains(secret), "{}", run.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let mock = MockServer::start().await.unwrap();
    let home = Home::of(&mock);

    mock.on("authenticate").json(401, json!({"code": 401, "message": "Unauthorized"})).times(1);
    let run = doctor(&home);
    assert_eq!((run.code, check(&run, "key and secret").0.as_str()), (Some(4), "problem"));

    mock.on("authenticate").header("date", "Thu, 01 Jan 2026 00:00:00 GMT").times(1);
    let run = doctor(&home);
    assert_eq!(run.code, Some(1));
    assert!(check(&run, "clock").1.contains("ahead of the service's"), "{}", run.stdout);

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    home.configure(&format!(
        "api_key = \"key_test_0\"\napi_secret = \"secret_test_0\"\nbase_url = \"http://{closed}\""
    ));
    let run = doctor(&home);
    assert_eq!((run.code, check(&run, "network").0.as_str()), (Some(1), "problem"));

    let run = doctor(&Home::new());
    assert_eq!((run.code, check(&run, "configuration").0.as_str()), (Some(3), "problem"));
    assert!(check(&run, "configuration").1.contains("SANDBOX_API_KEY"), "{}", run.stdout);
}
