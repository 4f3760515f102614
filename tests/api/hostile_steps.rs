//! Each kind of token, and each step on the way of one: a store that is wrong
//! in one step alone, a renewal that is answered with nonsense, a caller that goes
//! away after each step.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use sandbox_client::{
    BoxError, BoxFuture, ErrorKind, MemoryStore, SavedToken, Token, TokenKey, TokenStore, mock::MockServer,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::hostile_tokens::{KINDS, Kind, assert_all_ok, builder};

const MILLI: Duration = Duration::from_millis(1);

// --- stores that are wrong in one step ------------------------------------------------

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Get,
    Put,
    Replace,
    Remove,
    RemoveIf,
    Claim,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Fails,
    Hangs,
    /// Before it gives a future.
    PanicsAtOnce,
    PanicsLater,
    /// Says that it did what it was asked for, and did not.
    DoesNothing,
    /// Does it, and says that it did not, or failed to.
    DoesAndDenies,
}

/// A store that is wrong in one step, and otherwise keeps what it is given.
struct Store {
    step: Step,
    way: Way,
    /// Whether it is wrong now.
    wrong: AtomicBool,
    kept: Mutex<HashMap<String, SavedToken>>,
}

impl Store {
    fn new(step: Step, way: Way) -> Arc<Self> {
        Arc::new(Self { step, way, wrong: true.into(), kept: Mutex::default() })
    }

    /// A step that does `work`, or goes wrong: its answer then is `nothing` or `denied`.
    fn step<'a, T: Send + 'a>(
        &'a self,
        step: Step,
        work: impl FnOnce(&mut HashMap<String, SavedToken>) -> T + Send + 'a,
        nothing: T,
        denied: Result<T, BoxError>,
    ) -> BoxFuture<'a, Result<T, BoxError>> {
        let way = (step == self.step && self.wrong.load(Ordering::SeqCst)).then_some(self.way);
        assert!(way != Some(Way::PanicsAtOnce), "a bug of the store");
        Box::pin(async move {
            match way {
                None => Ok(work(&mut self.kept.lock().unwrap())),
                Some(Way::Fails) => Err("a fault of the store".into()),
                Some(Way::Hangs) => std::future::pending().await,
                Some(Way::PanicsAtOnce | Way::PanicsLater) => {
                    tokio::task::yield_now().await;
                    panic!("a bug of the store")
                }
                Some(Way::DoesNothing) => Ok(nothing),
                Some(Way::DoesAndDenies) => {
                    work(&mut self.kept.lock().unwrap());
                    denied
                }
            }
        })
    }
}

impl TokenStore for Store {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        self.step(Step::Get, |kept| kept.get(&key.id()).cloned(), None, Err("nothing is here".into()))
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        let put = |kept: &mut HashMap<_, _>| {
            kept.insert(key.id(), token.clone());
            true
        };
        self.step(Step::Put, put, true, Ok(false))
    }

    fn replace<'a>(
        &'a self,
        key: &'a TokenKey,
        old: &'a Token,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        let replace = move |kept: &mut HashMap<String, SavedToken>| {
            let known = kept.get_mut(&key.id()).filter(|known| known.token() == old);
            known.map(|known| *known = token.clone()).is_some()
        };
        self.step(Step::Replace, replace, true, Ok(false))
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        self.step(Step::Remove, |kept| drop(kept.remove(&key.id())), (), Err("nothing was here".into()))
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        let remove = move |kept: &mut HashMap<String, SavedToken>| {
            if kept.get(&key.id()).is_some_and(|known| known.token() == token) {
                kept.remove(&key.id());
            }
        };
        self.step(Step::RemoveIf, remove, (), Err("nothing was here".into()))
    }

    fn claim<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        self.step(Step::Claim, |_| true, true, Err("no claims are granted".into()))
    }

    fn release(&self, _: &TokenKey) {
        let panics = self.step == Step::Release && self.wrong.load(Ordering::SeqCst);
        assert!(!panics || self.way == Way::DoesNothing, "a bug of the store");
    }
}

/// The step at which it is wrong, and how.
fn wrong_steps() -> impl Iterator<Item = (Step, Way)> {
    use Step::{Claim, Get, Put, Release, Remove, RemoveIf, Replace};
    let ways = |step| {
        let all = [
            Way::Fails,
            Way::Hangs,
            Way::PanicsAtOnce,
            Way::PanicsLater,
            Way::DoesNothing,
            Way::DoesAndDenies,
        ];
        all.into_iter().map(move |way| (step, way))
    };
    let steps = [Get, Put, Replace, Remove, RemoveIf, Claim].into_iter().flat_map(ways);
    steps.chain([(Release, Way::PanicsAtOnce)])
}

/// Calls, a renewal or a refusal, the end of a session and the next one: none
/// of them fails for the store, and none takes longer than its steps.
#[tokio::test(flavor = "multi_thread")]
async fn no_step_of_a_store_costs_a_call_or_revives_a_session() {
    let cases = KINDS.into_iter().flat_map(|kind| wrong_steps().map(move |(step, way)| (kind, step, way)));
    let cases: JoinSet<_> = cases
        .map(|(kind, step, way)| async move {
            let what = format!("{kind:?} {step:?} {way:?}");
            let mock = MockServer::start().await.unwrap();
            let store = Store::new(step, way);
            let client = builder(&mock).token_store(Arc::clone(&store) as _).build().unwrap();
            let started = Instant::now();
            let opened = kind.open(&client).await;
            assert_all_ok(&kind.calls(&client, 10).await, &what);
            if let Some(taxpayer) = opened {
                taxpayer.refresh().await.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_all_ok(&kind.calls(&client, 10).await, &what);
                assert_eq!(mock.hits("refresh_session"), 1, "{what}");
                taxpayer.logout().await.unwrap_or_else(|error| panic!("{what}: {error}"));
                let before = mock.hits(kind.operation());
                // By this handle, and by one that knows nothing.
                assert!(!taxpayer.restore().await.is_ok_and(|session| session.is_some()), "{what}");
                drop(taxpayer);
                let error = kind.call(client.clone()).await.unwrap_err();
                assert!(
                    [ErrorKind::SessionExpired, ErrorKind::Store].contains(&error.kind()),
                    "{what}: {error}"
                );
                assert_eq!(mock.hits(kind.operation()), before, "{what}: the session is revived");
                // Nor when the store works again.
                store.wrong.store(false, Ordering::SeqCst);
                if way != Way::Hangs {
                    let error = kind.call(client.clone()).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::SessionExpired, "{what}: {error}");
                }
                let _opened = kind.open(&client).await;
                assert_all_ok(&kind.calls(&client, 10).await, &what);
                assert_eq!(mock.hits(kind.login()), 2, "{what}");
            } else {
                mock.expire_all_tokens();
                if kind != Kind::Platform {
                    // A login that is refused for another token would be counted too.
                    assert_all_ok(&Kind::Platform.calls(&client, 1).await, &what);
                }
                assert_all_ok(&kind.calls(&client, 10).await, &what);
                assert_eq!(mock.hits(kind.login()), 2, "{what}");
            }
            let took = started.elapsed();
            assert!(took < Duration::from_secs(50), "{what}: {took:?}");
        })
        .collect();
    cases.join_all().await;
}

/// A session that could not be removed from the store does not come back, and
/// who forgot it is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_could_not_be_removed_is_removed_when_it_is_seen() {
    for way in [Way::Fails, Way::Hangs, Way::PanicsAtOnce, Way::PanicsLater] {
        let mock = MockServer::start().await.unwrap();
        let store = Store::new(Step::Remove, way);
        let client = builder(&mock).token_store(Arc::clone(&store) as _).build().unwrap();
        let taxpayer = Kind::Taxpayer.open(&client).await.unwrap();
        let error = taxpayer.forget().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{way:?}");
        let text = error.to_string();
        assert!(text.contains("is forgotten here") && text.contains("forget it again"), "{text}");
        let id = taxpayer.token_key().id();
        let is_there = || store.kept.lock().unwrap().contains_key(&id);
        assert!(is_there(), "{way:?}");
        drop(taxpayer);
        if way == Way::Hangs {
            // It is not asked again for ten seconds.
            assert_eq!(Kind::Taxpayer.call(client).await.unwrap_err().kind(), ErrorKind::Store);
            continue;
        }
        let error = Kind::Taxpayer.call(client.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SessionExpired, "{way:?}: {error}");
        assert!(!is_there(), "{way:?}: it is removed now");
        assert_eq!(mock.hits("get_invoice_count"), 0);
    }
}

// --- renewals that are answered with nonsense ------------------------------------------

/// The old token stays in use, here and in the store, and the next renewal works.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_brings_nothing_leaves_the_session_as_it_was() {
    let data =
        |data: serde_json::Value| (200, json!({"code": 200, "timestamp": 1, "data": data}).to_string());
    let answers = [
        ("no body", (200, String::new())),
        ("no content", (204, String::new())),
        ("a page", (200, "<html>one moment please</html>".to_owned())),
        ("cut", (200, r#"{"code":200,"data":{"access_to"#.to_owned())),
        ("no token", data(json!({}))),
        ("null", data(json!(null))),
        ("a null token", data(json!({"access_token": null}))),
        ("an empty token", data(json!({"access_token": ""}))),
        ("a token of spaces", data(json!({"access_token": "   "}))),
        ("a token in two lines", data(json!({"access_token": "abc\r\nx-injected: 1"}))),
        ("a token in another script", data(json!({"access_token": "ट\u{94b}कन"}))),
        ("a list of tokens", data(json!({"access_token": ["abc", "def"]}))),
        ("an object", data(json!({"access_token": {"token": "abc"}}))),
        (
            "a failure beside a token",
            data(json!({"status_cd": "0", "access_token": "abc",
            "error": {"error_cd": "TEC4001", "message": "try later"}})),
        ),
        (
            "a failure of another kind",
            (403, json!({"code": 403, "message": "Insufficient privilege"}).to_string()),
        ),
        ("a redirect", (302, String::new())),
    ];
    for (what, (status, body)) in answers {
        let mock = MockServer::start().await.unwrap();
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
        let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
        let taxpayer = Kind::Taxpayer.open(&client).await.unwrap();
        let before = taxpayer.saved().unwrap();
        mock.on("refresh_session").body(status, "application/json", body).times(3);
        let refreshed = taxpayer.refresh().await;
        assert!(refreshed.is_err(), "{what}");
        mock.clear_rules();
        let after = taxpayer.saved().expect(what);
        assert_eq!(after.token(), before.token(), "{what}");
        let stored = store.get(taxpayer.token_key()).await.unwrap().expect(what);
        assert_eq!(stored.token(), before.token(), "{what}");
        assert_all_ok(&Kind::Taxpayer.calls(&client, 3).await, what);
        taxpayer.refresh().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_all_ok(&Kind::Taxpayer.calls(&client, 3).await, what);
    }
}

/// Times of the answer that cannot be true: the session lives on as its kind does.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_with_absurd_times_is_believed_within_the_kind_alone() {
    for (expiry, timestamp) in [
        (json!(0), json!(1_764_000_000_000_i64)),
        (json!(1), json!(0)),
        (json!(-1), json!(-1)),
        (json!(253_402_300_799_000_i64), json!(1_764_000_000_000_i64)),
        (json!(i64::MAX), json!(i64::MIN)),
        (json!("soon"), json!("now")),
        (json!(null), json!(null)),
        (json!([]), json!({})),
        // Over an hour before it was given.
        (json!(1_763_996_400_000_i64), json!(1_764_000_000_000_i64)),
    ] {
        let what = format!("{expiry} {timestamp}");
        let mock = MockServer::start().await.unwrap();
        let client = builder(&mock).build().unwrap();
        let taxpayer = Kind::Taxpayer.open(&client).await.unwrap();
        // A token that the server knows.
        let token = mock.issue_token("taxpayer_token", Duration::from_secs(600));
        let answer = json!({"code": 200, "timestamp": timestamp, "data": {"access_token": token,
            "token_expiry": expiry, "session_expiry": expiry}});
        mock.on("refresh_session").json(200, answer);
        taxpayer.refresh().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let saved = taxpayer.saved().unwrap();
        let left = saved.expires_at().duration_since(std::time::SystemTime::now()).unwrap();
        assert!(left <= Duration::from_secs(6 * 3600), "{what}: {left:?}");
        assert_eq!(saved.token().expose_secret(), token, "{what}");
        assert_all_ok(&Kind::Taxpayer.calls(&client, 3).await, &what);
        // No renewal follows another for it.
        assert_eq!(mock.hits("refresh_session"), 1, "{what}");
    }
}

/// The server gives the old token once more, as NIC does before its last ten minutes.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_gives_the_same_token_ends_nothing() {
    let mock = MockServer::start().await.unwrap();
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
    let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
    let taxpayer = Kind::Taxpayer.open(&client).await.unwrap();
    let token = taxpayer.saved().unwrap().token().expose_secret().to_owned();
    let answer = json!({"code": 200, "timestamp": 1, "data": {"access_token": token}});
    mock.on("refresh_session").json(200, answer);
    for round in 1..=3 {
        taxpayer.refresh().await.unwrap();
        assert_eq!(mock.hits("refresh_session"), round);
        let stored = store.get(taxpayer.token_key()).await.unwrap().unwrap();
        assert_eq!(stored.token().expose_secret(), token);
        drop(client.taxpayer(taxpayer.id().gstin, "acme.com").unwrap().restore().await.unwrap().unwrap());
    }
}

/// A login by itself that brings nothing is an error of those who wait, and the
/// next call makes another.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_brings_nothing_is_made_again_by_the_next_call() {
    for kind in [Kind::Platform, Kind::EInvoice, Kind::EWayBill] {
        for (what, body) in [
            ("no body", String::new()),
            ("a page", "<html>".to_owned()),
            ("no token", json!({"code": 200, "data": {}}).to_string()),
            ("a null token", json!({"code": 200, "data": {"access_token": null}}).to_string()),
            ("a token in two lines", json!({"code": 200, "data": {"access_token": "a\nb"}}).to_string()),
            ("a list", json!({"code": 200, "data": [{"access_token": "abc"}, 5]}).to_string()),
        ] {
            let mock = MockServer::start().await.unwrap();
            let client = builder(&mock).build().unwrap();
            // So that it is this login that fails.
            if kind != Kind::Platform {
                assert_all_ok(&Kind::Platform.calls(&client, 1).await, what);
            }
            mock.on(kind.login()).body(200, "application/json", body).times(1);
            let results = kind.calls(&client, 10).await;
            assert!(results.iter().any(Result::is_err), "{kind:?} {what}");
            for error in results.into_iter().filter_map(Result::err) {
                assert_eq!(error.kind(), ErrorKind::Decode, "{kind:?} {what}: {error}");
            }
            assert_all_ok(&kind.calls(&client, 10).await, &format!("{kind:?} {what}"));
            assert_eq!(mock.hits(kind.login()), 2, "{kind:?} {what}");
        }
    }
}

// --- callers that go away after each step -----------------------------------------------

/// Polls so many times, and then goes away.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Whatever has begun goes on to its end: the caller that goes away changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_may_go_away_after_any_step() {
    for work in ["verify", "refresh", "logout", "forget"] {
        for polls in 0..6 {
            let what = format!("{work} {polls}");
            let mock = MockServer::start().await.unwrap();
            let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
            let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
            let taxpayer = Kind::Taxpayer.open(&client).await.unwrap();
            let before = taxpayer.saved().unwrap().token().expose_secret().to_owned();
            for operation in ["verify_otp", "refresh_session", "logout"] {
                mock.on(operation).delay(20 * MILLI);
            }
            match work {
                "verify" => drop(polled(polls, taxpayer.verify_otp("575757")).await),
                "refresh" => drop(polled(polls, taxpayer.refresh()).await),
                "logout" => drop(polled(polls, taxpayer.logout()).await),
                _ => drop(polled(polls, taxpayer.forget()).await),
            }
            tokio::time::sleep(200 * MILLI).await;
            let stored = store.get(taxpayer.token_key()).await.unwrap();
            let [here, there] = [taxpayer.saved(), stored]
                .map(|saved| saved.map(|saved| saved.token().expose_secret().to_owned()));
            assert_eq!(here, there, "{what}");
            match (polls, work) {
                (0, _) => assert_eq!(here, Some(before), "{what}: it never began"),
                (_, "verify" | "refresh") => assert!(here.is_some_and(|token| token != before), "{what}"),
                _ => assert_eq!(here, None, "{what}"),
            }
            let begun = usize::from(polls > 0);
            let sent =
                [("verify", "verify_otp", 1), ("refresh", "refresh_session", 0), ("logout", "logout", 0)];
            for (by, operation, before) in sent {
                let expected = before + if by == work { begun } else { 0 };
                assert_eq!(mock.hits(operation), expected, "{what}: {operation}");
            }
        }
    }
}
