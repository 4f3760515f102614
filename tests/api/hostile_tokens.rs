//! Each kind of token under fire: stores that fail and lie, files that are
//! broken, refusals without end, absurd waits, callers that go away.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use sandbox_client::{
    BoxError, BoxFuture, Client, ClientBuilder, Error, ErrorKind, FileStore, RetryPolicy, SavedToken,
    Taxpayer, TokenKey, TokenStore,
    ims::types::TypeOfGoods,
    mock::{ErrorBuilder, MockServer},
    session::types::TaxpayerLogin,
    values::Gstin,
};
use tokio::task::JoinSet;

const MILLI: Duration = Duration::from_millis(1);
const GSTIN: &str = "33ABKCS2033B1ZW";
const PASSWORD: &str = "not-a-real-password";
const IRN: &str = "49a7c675b25f730d2353622e4767df203fed2495411953e0351737d47308d868";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Platform,
    Taxpayer,
    EInvoice,
    EWayBill,
}

pub const KINDS: [Kind; 4] = [Kind::Platform, Kind::Taxpayer, Kind::EInvoice, Kind::EWayBill];

impl Kind {
    /// The operation that a token of this kind comes from.
    pub fn login(self) -> &'static str {
        match self {
            Self::Platform => "authenticate",
            Self::Taxpayer => "verify_otp",
            Self::EInvoice => "e_invoice_authenticate",
            Self::EWayBill => "e_way_bill_authenticate",
        }
    }

    /// The operation that the token is needed for.
    pub fn operation(self) -> &'static str {
        match self {
            Self::Platform => "generate_otp",
            Self::Taxpayer => "get_invoice_count",
            Self::EInvoice => "get_e_invoice",
            Self::EWayBill => "get_error_list",
        }
    }

    /// Opens the session of a person, which lives with what is given.
    pub async fn open(self, client: &Client) -> Option<Taxpayer> {
        if self != Self::Taxpayer {
            return None;
        }
        let taxpayer = client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap();
        taxpayer.verify_otp("575757").await.unwrap();
        Some(taxpayer)
    }

    pub async fn call(self, client: Client) -> Result<(), Error> {
        let gstin = Gstin::new(GSTIN)?;
        match self {
            Self::Platform => {
                let login = TaxpayerLogin::builder().gstin(gstin).username("acme.com");
                client.session().generate_otp().body(login).send().await.map(drop)
            }
            Self::Taxpayer => {
                let taxpayer = client.taxpayer(gstin, "acme.com")?;
                let session = taxpayer.restore().await?;
                let session = session.ok_or_else(|| ErrorBuilder::new(ErrorKind::SessionExpired).build())?;
                session.ims().counts(TypeOfGoods::Others).await.map(drop)
            }
            Self::EInvoice => {
                let session = client.e_invoice(gstin, "api_user", PASSWORD)?;
                session.e_invoice().get_e_invoice().irn(IRN).send().await.map(drop)
            }
            Self::EWayBill => {
                let session = client.e_way_bill(gstin, "api_user", PASSWORD)?;
                session.e_way_bill().get_error_list().send().await.map(drop)
            }
        }
    }

    /// So many calls at once.
    pub async fn calls(self, client: &Client, count: usize) -> Vec<Result<(), Error>> {
        let calls: JoinSet<_> = (0..count).map(|_| self.call(client.clone())).collect();
        calls.join_all().await
    }
}

pub fn builder(mock: &MockServer) -> ClientBuilder {
    Client::builder()
        .base_url(mock.base_url())
        .key(mock.key())
        .secret(mock.secret())
        .no_rate_limit()
        .call_timeout(Duration::from_secs(60))
        .retry(RetryPolicy::default().base_backoff(5 * MILLI).budget(10.0, 1000))
}

#[track_caller]
pub fn assert_all_ok(results: &[Result<(), Error>], what: &str) {
    for result in results {
        assert!(result.is_ok(), "{what}: {result:?}");
    }
}

// --- stores ---------------------------------------------------------------------

/// One way in which a store is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    GetFails,
    PutFails,
    AllHangs,
    ClaimHangs,
    GetPanics,
    PutPanics,
    ReleasePanics,
    ForgetsAtOnce,
    ClaimIsNeverGranted,
    OfAnotherKey,
    OfAnotherGstin,
    Refused,
    Eternal,
    IssuedTomorrow,
    LongOver,
    OverBeforeItBegan,
}

const WRONG: [Wrong; 16] = [
    Wrong::GetFails,
    Wrong::PutFails,
    Wrong::AllHangs,
    Wrong::ClaimHangs,
    Wrong::GetPanics,
    Wrong::PutPanics,
    Wrong::ReleasePanics,
    Wrong::ForgetsAtOnce,
    Wrong::ClaimIsNeverGranted,
    Wrong::OfAnotherKey,
    Wrong::OfAnotherGstin,
    Wrong::Refused,
    Wrong::Eternal,
    Wrong::IssuedTomorrow,
    Wrong::LongOver,
    Wrong::OverBeforeItBegan,
];

/// A store that is wrong in one way, and otherwise keeps what it is given.
struct Store {
    wrong: Wrong,
    kept: Mutex<HashMap<String, SavedToken>>,
}

/// A token with these times, in milliseconds since 1970, of the key with this id.
fn saved(token: &str, issued_at: u128, expires_at: u128, key: Option<&str>) -> SavedToken {
    let text = serde_json::json!({
        "token": token, "issued_at": issued_at, "expires_at": expires_at, "key": key
    });
    SavedToken::from_exposed(&text.to_string()).unwrap()
}

impl Store {
    /// What it gives in the place of what it has.
    fn lie(&self, key: &TokenKey) -> Option<SavedToken> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let (hour, day) = (3_600_000, 86_400_000);
        let other = "0".repeat(64);
        match self.wrong {
            Wrong::OfAnotherKey => Some(saved("of-another-key", now, now + hour, Some(&other))),
            // Without the mark of its key, as other programs write: the server will refuse it.
            Wrong::OfAnotherGstin => Some(saved("of-another-gstin", now, now + hour, None)),
            Wrong::Refused => Some(saved("refused", now, now + hour, Some(&key.id()))),
            Wrong::Eternal => Some(saved("eternal", now, u128::from(u64::MAX), Some(&key.id()))),
            Wrong::IssuedTomorrow => Some(saved("of-tomorrow", now + day, now + 2 * day, Some(&key.id()))),
            Wrong::LongOver => Some(saved("long-over", 0, 1, Some(&key.id()))),
            Wrong::OverBeforeItBegan => Some(saved("odd", now + hour, now - hour, Some(&key.id()))),
            _ => None,
        }
    }

    async fn step(&self, fails: Wrong, panics: Wrong) -> Result<(), BoxError> {
        if self.wrong == Wrong::AllHangs {
            std::future::pending::<()>().await;
        }
        assert!(self.wrong != panics, "a bug of the store");
        if self.wrong == fails { Err("a fault of the store".into()) } else { Ok(()) }
    }
}

impl TokenStore for Store {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async move {
            self.step(Wrong::GetFails, Wrong::GetPanics).await?;
            let kept = self.kept.lock().unwrap().get(&key.id()).cloned();
            Ok(self.lie(key).or(kept.filter(|_| self.wrong != Wrong::ForgetsAtOnce)))
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            self.step(Wrong::PutFails, Wrong::PutPanics).await?;
            self.kept.lock().unwrap().insert(key.id(), token.clone());
            Ok(true)
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            self.step(Wrong::PutFails, Wrong::PutPanics).await?;
            self.kept.lock().unwrap().remove(&key.id());
            Ok(())
        })
    }

    fn claim<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            if matches!(self.wrong, Wrong::AllHangs | Wrong::ClaimHangs) {
                std::future::pending::<()>().await;
            }
            Ok(self.wrong != Wrong::ClaimIsNeverGranted)
        })
    }

    fn release(&self, _: &TokenKey) {
        assert!(self.wrong != Wrong::ReleasePanics, "a bug of the store");
    }
}

/// Twenty calls succeed with one login or two, and none takes longer than the
/// steps of a store that hangs.
#[tokio::test(flavor = "multi_thread")]
async fn no_store_costs_a_call() {
    let cases = KINDS.into_iter().flat_map(|kind| WRONG.map(|wrong| (kind, wrong)));
    let cases: JoinSet<_> = cases
        // Where the right to renew is never granted, somebody else renews: that is waited for.
        .filter(|(_, wrong)| *wrong != Wrong::ClaimIsNeverGranted)
        .map(|(kind, wrong)| async move {
            let mock = MockServer::start().await.unwrap();
            let store = Arc::new(Store { wrong, kept: Mutex::default() });
            // The token of the platform is not in question here, but in its own case.
            let builder = match kind {
                Kind::Platform => builder(&mock),
                _ => builder(&mock).platform_token(mock.token("platform_token")),
            };
            let client = builder.token_store(store).build().unwrap();
            let started = Instant::now();
            let opened = kind.open(&client).await;
            assert_all_ok(&kind.calls(&client, 20).await, &format!("{kind:?} {wrong:?}"));
            // And those that come later.
            assert_all_ok(&kind.calls(&client, 20).await, &format!("{kind:?} {wrong:?}, later"));
            let took = started.elapsed();
            assert!(took < Duration::from_secs(45), "{kind:?} {wrong:?}: {took:?}");
            let logins = mock.hits(kind.login());
            assert!((1..=2).contains(&logins), "{kind:?} {wrong:?}: {logins} logins");
            if let Some(taxpayer) = opened {
                let left = taxpayer.saved().unwrap().expires_at().duration_since(SystemTime::now()).unwrap();
                assert!(left <= Duration::from_secs(6 * 3600), "{wrong:?}: {left:?}");
            }
        })
        .collect();
    cases.join_all().await;
}

/// Another process has the right to renew and never gives it back: the call
/// ends within its own limit, and a session that is open goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_never_granted_ends_with_the_call() {
    for kind in KINDS {
        let mock = MockServer::start().await.unwrap();
        let store = Arc::new(Store { wrong: Wrong::ClaimIsNeverGranted, kept: Mutex::default() });
        let builder = builder(&mock).call_timeout(Duration::from_millis(800));
        // A token of the platform that is not in question here.
        let builder = if kind == Kind::Platform {
            builder
        } else {
            builder.platform_token(mock.token("platform_token"))
        };
        let client = builder.token_store(store).build().unwrap();
        let _opened = kind.open(&client).await;
        let started = Instant::now();
        let results = kind.calls(&client, 5).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{kind:?}: {:?}", started.elapsed());
        for result in results {
            assert_eq!(result.is_ok(), kind == Kind::Taxpayer, "{kind:?}: {result:?}");
        }
    }
}

// --- files ----------------------------------------------------------------------

type Breaks = fn(&Path);

/// What happens to the files of a store.
const BROKEN: [(&str, Breaks); 9] = [
    ("empty", |file| fs::write(file, "").unwrap()),
    ("cut", |file| {
        let text = fs::read(file).unwrap();
        fs::write(file, &text[..text.len() / 2]).unwrap();
    }),
    ("no JSON", |file| fs::write(file, [0xff, 0xfe, 0, 1]).unwrap()),
    ("another form", |file| fs::write(file, r#"{"token": 5, "gstin": []}"#).unwrap()),
    ("a token of another form", |file| fs::write(file, r#"{"token": "{}"}"#).unwrap()),
    ("endless", |file| fs::File::options().write(true).open(file).unwrap().set_len(1 << 40).unwrap()),
    ("gone", |file| fs::remove_file(file).unwrap()),
    ("a link to itself", |file| {
        fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink(file, file).unwrap();
    }),
    ("a named pipe", |file| {
        fs::remove_file(file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
    }),
];

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

fn with_files(mock: &MockServer, folder: &Path) -> (Client, Arc<FileStore>) {
    let store = Arc::new(FileStore::open(folder).unwrap());
    (builder(mock).token_store(Arc::clone(&store) as Arc<dyn TokenStore>).build().unwrap(), store)
}

/// What cannot be read is replaced by the next login, and the process after that finds it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_costs_a_login() {
    for kind in KINDS {
        for (how, breaks) in BROKEN {
            let mock = MockServer::start().await.unwrap();
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("sessions");
            let what = format!("{kind:?}, {how}");
            let (client, _) = with_files(&mock, &folder);
            let opened = kind.open(&client).await;
            assert_all_ok(&kind.calls(&client, 2).await, &what);
            drop((client, opened));
            for file in &files(&folder) {
                breaks(file);
            }

            let (client, store) = with_files(&mock, &folder);
            let started = Instant::now();
            if kind == Kind::Taxpayer {
                let taxpayer = client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap();
                let restored = taxpayer.restore().await;
                let fits = if how == "gone" {
                    restored.unwrap().is_none()
                } else {
                    restored.is_err_and(|error| error.kind() == ErrorKind::Store)
                };
                assert!(fits, "{what}");
                assert!(store.sessions().unwrap().is_empty(), "{what}");
            }
            let opened = kind.open(&client).await;
            assert_all_ok(&kind.calls(&client, 2).await, &what);
            assert!(started.elapsed() < Duration::from_secs(5), "{what}: {:?}", started.elapsed());
            assert_eq!((mock.hits(kind.login()), store.failure()), (2, None), "{what}");
            drop((client, opened));

            let (client, _) = with_files(&mock, &folder);
            assert_all_ok(&kind.calls(&client, 2).await, &what);
            assert_eq!(mock.hits(kind.login()), 2, "{what}");
        }
    }
}

/// Nothing can take its place: the session lives in memory, and the reason is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_place_of_a_file_is_told() {
    for kind in KINDS {
        let mock = MockServer::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("sessions");
        let (client, _) = with_files(&mock, &folder);
        let opened = kind.open(&client).await;
        assert_all_ok(&kind.calls(&client, 2).await, "first");
        drop((client, opened));
        for file in files(&folder) {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            fs::write(file.join("full"), "").unwrap();
        }
        let (client, store) = with_files(&mock, &folder);
        let _opened = kind.open(&client).await;
        assert_all_ok(&kind.calls(&client, 10).await, &format!("{kind:?}"));
        assert_eq!(mock.hits(kind.login()), 2, "{kind:?}");
        assert!(store.failure().is_some(), "{kind:?}");
        assert_eq!(store.check_writable().map_err(|error| error.kind()), Ok(()));
    }
}

/// Somebody holds the lock of the folder, or of a token, and does not let go.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_costs_seconds() {
    use rustix::fs::{FlockOperation, flock};
    let cases: JoinSet<_> = KINDS
        .into_iter()
        .map(|kind| async move {
            let mock = MockServer::start().await.unwrap();
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("sessions");
            let (client, _) = with_files(&mock, &folder);
            let lock = fs::File::open(&folder).unwrap();
            flock(&lock, FlockOperation::LockExclusive).unwrap();
            let started = Instant::now();
            let _opened = kind.open(&client).await;
            assert_all_ok(&kind.calls(&client, 10).await, &format!("{kind:?}"));
            assert!(started.elapsed() < Duration::from_secs(20), "{kind:?}: {:?}", started.elapsed());
            assert_eq!(mock.hits(kind.login()), 1, "{kind:?}");
            assert!(files(&folder).is_empty(), "{kind:?}: nothing can be written");
        })
        .collect();
    cases.join_all().await;
}

/// A process that is killed while it writes leaves a file with a token in it,
/// which the next one deletes, unless somebody is writing.
#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_process_was_writing_is_deleted() {
    use rustix::fs::{FlockOperation, flock};
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("sessions");
    FileStore::open(&folder).unwrap();
    let left = folder.join(".newA1b2C3");
    fs::write(&left, "a token").unwrap();
    let lock = fs::File::open(&folder).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    FileStore::open(&folder).unwrap();
    assert!(left.exists(), "somebody is writing");
    drop(lock);
    FileStore::open(&folder).unwrap();
    assert!(!left.exists());
}

/// Two processes as far as the store can tell: each has its own descriptors.
#[tokio::test(flavor = "multi_thread")]
async fn two_who_share_a_folder_share_its_tokens() {
    for kind in KINDS {
        let mock = MockServer::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("sessions");
        let (one, _) = with_files(&mock, &folder);
        let opened = kind.open(&one).await;
        assert_all_ok(&kind.calls(&one, 1).await, "first");
        let (other, _) = with_files(&mock, &folder);
        for round in 1..=3 {
            let (ones, others) = tokio::join!(kind.calls(&one, 25), kind.calls(&other, 25));
            assert_all_ok(&ones, &format!("{kind:?} {round}"));
            assert_all_ok(&others, &format!("{kind:?} {round}"));
            let logins = if kind == Kind::Taxpayer { 1 } else { round };
            assert_eq!(mock.hits(kind.login()), logins, "{kind:?} {round}");
            if kind != Kind::Taxpayer {
                mock.expire_all_tokens();
            }
            if kind != Kind::Platform {
                // Only the token in question is to be counted.
                assert_all_ok(&Kind::Platform.calls(&one, 1).await, "platform");
                assert_all_ok(&Kind::Platform.calls(&other, 1).await, "platform");
            }
        }
        drop(opened);
    }
}

// --- refusals --------------------------------------------------------------------

/// Fifty calls, and a server that refuses each token: every call ends, soon,
/// and logins do not follow one another without end.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_refusals_ends() {
    for kind in KINDS {
        for (status, expected) in [(401, &["auth", "session_expired"][..]), (403, &["denied"])] {
            let mock = MockServer::start().await.unwrap();
            let client = builder(&mock).build().unwrap();
            let _opened = kind.open(&client).await;
            let body = serde_json::json!({"code": status, "message": "Unauthorized", "timestamp": 1});
            mock.on(kind.operation()).json(status, body);
            let started = Instant::now();
            for result in kind.calls(&client, 50).await {
                let error = result.unwrap_err();
                assert!(expected.contains(&error.kind().as_str()), "{kind:?} {status}: {error}");
            }
            let (logins, took) = (mock.hits(kind.login()), started.elapsed());
            let most = if status == 403 || kind == Kind::Taxpayer { 1 } else { 60 };
            assert!((1..=most).contains(&logins), "{kind:?} {status}: {logins} logins");
            assert!(took < Duration::from_secs(30), "{kind:?} {status}: {took:?}");
            assert_eq!(mock.hits("refresh_session"), 0, "{kind:?} {status}");
            if kind == Kind::Taxpayer {
                assert_eq!(mock.hits("generate_otp"), 0, "nobody is sent an OTP");
            }
        }
    }
}

/// All tokens die while fifty calls are in flight: one login replaces them.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_dies_under_fifty_calls_is_replaced_once() {
    for kind in [Kind::Platform, Kind::EInvoice, Kind::EWayBill] {
        let mock = MockServer::start().await.unwrap();
        // Platform tokens that are not in question do not die.
        let client = builder(&mock).build().unwrap();
        assert_all_ok(&kind.calls(&client, 1).await, "first");
        let before = mock.hits(kind.login());
        mock.expire_all_tokens();
        assert_all_ok(&Kind::Platform.calls(&client, 1).await, "platform");
        let before = if kind == Kind::Platform { mock.hits(kind.login()) } else { before };
        if kind == Kind::Platform {
            mock.expire_all_tokens();
        }
        assert_all_ok(&kind.calls(&client, 50).await, &format!("{kind:?}"));
        assert_eq!(mock.hits(kind.login()), before + 1, "{kind:?}");
    }
}

// --- absurd waits -----------------------------------------------------------------

/// `Retry-After` as no server should write it, on a call and on a login. What
/// says nothing, or a moment that is past, is no wait; what is absurd fails
/// at once and is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_retry_after_never_hangs_a_call() {
    const ODD: [(&str, bool); 26] = [
        ("-1", true),
        ("", true),
        ("soon", true),
        ("NaN", true),
        ("0", true),
        ("  0 ", true),
        ("Thu, 01 Jan 1970 00:00:00 GMT", true),
        ("Sun Nov  6 08:49:37 1994", true),
        ("Sunday, 06-Nov-94 08:49:37 GMT", true),
        ("-0", true),
        ("-1.5", true),
        ("+1", true),
        ("0.25", true),
        ("1e0", true),
        ("inf", true),
        ("0x10", true),
        ("1s", true),
        ("500ms", true),
        ("1, 86400", true),
        ("2026-11-26T15:00:00Z", true),
        ("Thu, 99 Foo 2025 25:61:61 GMT", true),
        // Milliseconds of an epoch.
        ("1764168000000", false),
        ("1000000000", false),
        ("99999999999999999999999999", false),
        ("Fri, 31 Dec 9999 23:59:59 GMT", false),
        ("86400", false),
    ];
    let cases = KINDS.into_iter().flat_map(|kind| ODD.map(|(value, waited)| (kind, value, waited)));
    let cases: JoinSet<_> = cases
        .flat_map(|case| [(case, true), (case, false)])
        .filter(|((kind, ..), at_login)| !(*at_login && *kind == Kind::Taxpayer))
        .map(|((kind, value, passes), at_login)| async move {
            let mock = MockServer::start().await.unwrap();
            let client = builder(&mock).build().unwrap();
            let _opened = kind.open(&client).await;
            let operation = if at_login { kind.login() } else { kind.operation() };
            mock.on(operation).error("too_many_requests").header("retry-after", value).times(1);
            let started = Instant::now();
            let result = kind.call(client.clone()).await;
            let (what, took) = (format!("{kind:?} {operation} {value:?}"), started.elapsed());
            assert!(took < Duration::from_secs(10), "{what}: {took:?}");
            match result {
                Ok(()) => assert!(passes, "{what}: it was waited for"),
                Err(error) => {
                    assert!(!passes && error.kind() == ErrorKind::RateLimited, "{what}: {error}");
                    assert!(
                        error.retry_after().is_some_and(|wait| wait >= Duration::from_secs(86_400)),
                        "{what}"
                    );
                }
            }
        })
        .collect();
    cases.join_all().await;
}

// --- callers that go away ----------------------------------------------------------

/// Calls that are dropped at every moment of a login: the login is made once, and
/// the next call has its token.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_go_away_cost_no_second_login() {
    for kind in [Kind::Platform, Kind::EInvoice, Kind::EWayBill] {
        let mock = MockServer::start().await.unwrap();
        mock.on(kind.login()).delay(150 * MILLI);
        let client = builder(&mock).build().unwrap();
        // So that the moments are those of one login.
        if kind != Kind::Platform {
            assert_all_ok(&Kind::Platform.calls(&client, 1).await, "platform");
        }
        let calls: JoinSet<_> = (0..50_u32)
            .map(|number| tokio::time::timeout(number * 2 * MILLI, kind.call(client.clone())))
            .collect();
        assert!(calls.join_all().await.iter().all(Result::is_err), "{kind:?}: all went away");
        assert_all_ok(&kind.calls(&client, 10).await, &format!("{kind:?}"));
        assert_eq!(mock.hits(kind.login()), 1, "{kind:?}");
    }
}

/// What may happen to a session while others look at it.
const STEPS: [&str; 7] = ["refresh", "logout", "forget", "verify", "restore", "resume", "call"];

/// Any three things at once, some of them given up: afterwards the session is
/// as its last opening or ending left it, here and in the store, and can be
/// opened again.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_at_once_leaves_one_state() {
    let mut random = 88_172_645_463_325_252_u64;
    for _ in 0..150 {
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below).unwrap()
        };
        let mock = MockServer::start().await.unwrap();
        mock.on("refresh_session").delay(10 * MILLI);
        mock.on("verify_otp").delay(10 * MILLI);
        let store: Arc<dyn TokenStore> = Arc::new(sandbox_client::MemoryStore::default());
        let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
        let taxpayer = Kind::Taxpayer.open(&client).await.unwrap();
        let kept = taxpayer.saved().unwrap();
        let steps: Vec<_> = (0..3).map(|_| (STEPS[next(7)], next(12), next(3) == 0)).collect();
        let tasks: JoinSet<_> = steps
            .clone()
            .into_iter()
            .map(|(step, begin, given_up)| {
                let (taxpayer, client, kept) = (taxpayer.clone(), client.clone(), kept.clone());
                async move {
                    tokio::time::sleep(u32::try_from(begin).unwrap() * MILLI).await;
                    let work = async {
                        match step {
                            "refresh" => drop(taxpayer.refresh().await),
                            "logout" => drop(taxpayer.logout().await),
                            "forget" => drop(taxpayer.forget().await),
                            "verify" => drop(taxpayer.verify_otp("575757").await),
                            "restore" => drop(taxpayer.restore().await),
                            "resume" => drop(taxpayer.resume(kept)),
                            _ => drop(Kind::Taxpayer.call(client).await),
                        }
                    };
                    let limit = if given_up { 4 * MILLI } else { Duration::from_secs(20) };
                    drop(tokio::time::timeout(limit, work).await);
                }
            })
            .collect();
        tasks.join_all().await;
        // What goes on by itself ends.
        tokio::time::sleep(40 * MILLI).await;
        let resumed = steps.iter().any(|(step, ..)| *step == "resume");
        let (here, there) = (taxpayer.saved(), store.get(taxpayer.token_key()).await.unwrap());
        let [here, there] =
            [here, there].map(|saved| saved.map(|saved| saved.token().expose_secret().to_owned()));
        // A resumed session is the caller's to keep; otherwise memory and store agree.
        assert!(here == there || resumed, "{steps:?}: {here:?} {there:?}");
        taxpayer.forget().await.unwrap();
        assert!(taxpayer.restore().await.unwrap().is_none(), "{steps:?}");
        taxpayer.verify_otp("575757").await.unwrap();
        Kind::Taxpayer.call(client.clone()).await.unwrap_or_else(|error| panic!("{steps:?}: {error}"));
    }
}
