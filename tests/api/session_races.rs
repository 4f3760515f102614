//! Sessions that are ended, renewed and lost at the same moment, callers that
//! go away, stores that fail and lie, and clocks that are wrong.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sandbox_client::{
    BoxError, BoxFuture, Client, ClientBuilder, ErrorKind, FileStore, MemoryStore, RetryPolicy, SavedToken,
    Session, Taxpayer, Token, TokenKey, TokenStore,
    ims::types::TypeOfGoods,
    mock::{Fault, MockServer, check_token_store},
    values::Gstin,
};
use tokio::{task::JoinSet, time::sleep};

const GSTIN: &str = "33ABKCS2033B1ZW";
const MILLI: Duration = Duration::from_millis(1);

fn builder(mock: &MockServer) -> ClientBuilder {
    Client::builder()
        .base_url(mock.base_url())
        .key(mock.key())
        .secret(mock.secret())
        .no_rate_limit()
        .retry(RetryPolicy::default().base_backoff(5 * MILLI))
}

async fn mock() -> MockServer {
    MockServer::start().await.unwrap()
}

fn taxpayer(client: &Client) -> Taxpayer {
    client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap()
}

async fn session(client: &Client) -> (Taxpayer, Session) {
    let taxpayer = taxpayer(client);
    let session = taxpayer.verify_otp("575757").await.unwrap();
    (taxpayer, session)
}

async fn until(mock: &MockServer, operation: &str, hits: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while mock.hits(operation) < hits {
        assert!(Instant::now() < deadline, "{operation} was not asked for");
        sleep(MILLI).await;
    }
}

// --- logout and forget win --------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_ends_after_the_end_of_a_session_does_not_revive_it() {
    for logout in [true, false] {
        let mock = mock().await;
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
        let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
        let (taxpayer, session) = session(&client).await;
        mock.on("refresh_session").delay(200 * MILLI);
        let refresh = tokio::spawn({
            let taxpayer = taxpayer.clone();
            async move { taxpayer.refresh().await }
        });
        until(&mock, "refresh_session", 1).await;
        if logout {
            taxpayer.logout().await.unwrap();
        } else {
            taxpayer.forget().await.unwrap();
        }
        assert!(refresh.await.unwrap().unwrap_err().is_session_expired());
        // Not here, not in the store, and not at the provider.
        assert!(taxpayer.saved().is_none() && taxpayer.restore().await.unwrap().is_none());
        assert!(store.get(taxpayer.token_key()).await.unwrap().is_none());
        assert!(session.ims().counts(TypeOfGoods::Others).await.unwrap_err().is_session_expired());
        assert_eq!(mock.hits("get_invoice_count"), 0);
        assert_eq!(mock.hits("logout"), if logout { 2 } else { 1 }, "the new token is logged out");
        // A person may open a new one at once.
        taxpayer.verify_otp("575757").await.unwrap();
        assert!(taxpayer.restore().await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_another_client_ends_is_not_revived() {
    let mock = mock().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
    let [one, other] = [(); 2].map(|()| builder(&mock).token_store(Arc::clone(&store)).build().unwrap());
    let (first, _) = session(&one).await;
    mock.on("refresh_session").delay(200 * MILLI);
    let refresh = tokio::spawn({
        let first = first.clone();
        async move { first.refresh().await }
    });
    until(&mock, "refresh_session", 1).await;
    taxpayer(&other).forget().await.unwrap();
    assert!(refresh.await.unwrap().unwrap_err().is_session_expired());
    assert!(store.get(first.token_key()).await.unwrap().is_none());
    assert!(first.saved().is_none());
    assert_eq!(mock.hits("logout"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_otp_that_is_verified_during_a_logout_leaves_no_session() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let taxpayer = taxpayer(&client);
    mock.on("verify_otp").delay(200 * MILLI);
    let verify = tokio::spawn({
        let taxpayer = taxpayer.clone();
        async move { taxpayer.verify_otp("575757").await.map(drop) }
    });
    until(&mock, "verify_otp", 1).await;
    taxpayer.forget().await.unwrap();
    assert!(verify.await.unwrap().unwrap_err().is_session_expired());
    assert!(taxpayer.restore().await.unwrap().is_none());
    assert_eq!(mock.hits("logout"), 1);
}

// --- renewals belong to nobody ----------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn twenty_who_refresh_at_once_share_one_request() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    mock.on("refresh_session").delay(100 * MILLI);
    let mut all = JoinSet::new();
    for _ in 0..20 {
        let taxpayer = taxpayer.clone();
        all.spawn(async move { taxpayer.refresh().await });
    }
    assert!(all.join_all().await.iter().all(Result::is_ok));
    assert_eq!(mock.hits("refresh_session"), 1);
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_loses_no_token() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    let before = taxpayer.saved().unwrap();
    mock.on("refresh_session").delay(100 * MILLI);
    assert!(tokio::time::timeout(30 * MILLI, taxpayer.refresh()).await.is_err());
    // The second joins the first.
    taxpayer.refresh().await.unwrap();
    assert_eq!(mock.hits("refresh_session"), 1);
    assert_ne!(taxpayer.saved().unwrap().token(), before.token());
    session.ims().counts(TypeOfGoods::Others).await.unwrap();

    // Nor does a login, of a person or of the SDK.
    let other = builder(&mock).build().unwrap();
    mock.on("authenticate").delay(50 * MILLI);
    mock.on("verify_otp").delay(50 * MILLI);
    let taxpayer = self::taxpayer(&other);
    assert!(tokio::time::timeout(70 * MILLI, taxpayer.verify_otp("575757")).await.is_err());
    sleep(200 * MILLI).await;
    let session = taxpayer.restore().await.unwrap().expect("kept though nobody waited");
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    assert_eq!(mock.hits("verify_otp"), 2);
}

/// A web server whose client hangs up while the OTP is being verified.
#[tokio::test(flavor = "multi_thread")]
async fn a_web_client_that_hangs_up_loses_no_session() {
    use http_body_util::Empty;
    use hyper_util::rt::TokioIo;

    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    mock.on("verify_otp").delay(200 * MILLI);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handled = taxpayer(&client);
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(move |_| {
            let taxpayer = handled.clone();
            async move {
                taxpayer.verify_otp("575757").await.unwrap();
                Ok::<_, std::convert::Infallible>(hyper::Response::new(Empty::<bytes::Bytes>::new()))
            }
        });
        // Ends, and drops the handler, when the client is gone.
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    });
    let mut browser = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut browser, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until(&mock, "verify_otp", 1).await;
    drop(browser);
    server.await.unwrap();
    assert!(taxpayer(&client).saved().is_none(), "it is not there yet");
    sleep(400 * MILLI).await;
    assert!(taxpayer(&client).restore().await.unwrap().is_some());
}

/// The provider may end the old token at the refresh, or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_during_a_refresh_waits_for_it() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    let old = taxpayer.saved().unwrap();
    mock.on("refresh_session").delay(300 * MILLI);
    let refresh = tokio::spawn({
        let taxpayer = taxpayer.clone();
        async move { taxpayer.refresh().await }
    });
    until(&mock, "refresh_session", 1).await;
    mock.revoke(old.token().expose_secret());
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
    refresh.await.unwrap().unwrap();
    assert_eq!((mock.hits("get_invoice_count"), mock.hits("refresh_session")), (2, 1));
}

/// A write whose caller is gone still completes, and its job is reported.
#[tokio::test]
async fn a_write_that_has_left_is_finished() {
    let mock = mock().await;
    let client = builder(&mock).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    mock.on("logout").delay(100 * MILLI);
    assert!(tokio::time::timeout(50 * MILLI, taxpayer.logout()).await.is_err());
    sleep(200 * MILLI).await;
    let logout =
        mock.requests().into_iter().rev().find(|request| request.operation.as_deref() == Some("logout"));
    assert_eq!(logout.unwrap().status, Some(200), "the provider has answered it");
    assert!(session.ims().counts(None).await.unwrap_err().is_session_expired());
}

// --- stores -----------------------------------------------------------------

/// How a store misbehaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Fails,
    Hangs,
    Panics,
    /// Says yes and keeps nothing.
    Forgets,
    /// Gives the first token that it was given, for ever, and to everybody.
    IsStale,
}

struct Bad {
    way: Way,
    works: AtomicBool,
    inner: MemoryStore,
    first: Mutex<Option<SavedToken>>,
}

impl Bad {
    fn new(way: Way) -> Arc<Self> {
        Arc::new(Self { way, works: false.into(), inner: MemoryStore::default(), first: Mutex::default() })
    }

    async fn step(&self) -> Result<(), BoxError> {
        if self.works.load(Ordering::SeqCst) {
            return Ok(());
        }
        match self.way {
            Way::Fails => Err("the disk is on fire".into()),
            Way::Hangs => std::future::pending().await,
            Way::Panics => panic!("the store has a bug"),
            Way::Forgets | Way::IsStale => Ok(()),
        }
    }
}

impl TokenStore for Bad {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async move {
            self.step().await?;
            match self.way {
                Way::Forgets => Ok(None),
                Way::IsStale => Ok(self.first.lock().unwrap().clone()),
                _ => self.inner.get(key).await,
            }
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            self.step().await?;
            self.first.lock().unwrap().get_or_insert_with(|| token.clone());
            self.inner.put_if_newer(key, token).await
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            self.step().await?;
            self.inner.remove(key).await
        })
    }
}

#[tokio::test]
async fn a_store_that_misbehaves_costs_seconds_and_no_call() {
    for way in [Way::Fails, Way::Hangs, Way::Panics, Way::Forgets, Way::IsStale] {
        let mock = mock().await;
        let client = builder(&mock).token_store(Bad::new(way)).build().unwrap();
        let started = Instant::now();
        let (taxpayer, session) = session(&client).await;
        session.ims().counts(TypeOfGoods::Others).await.unwrap();
        taxpayer.refresh().await.unwrap();
        session.ims().counts(TypeOfGoods::Others).await.unwrap();
        taxpayer.logout().await.unwrap();
        assert!(session.ims().counts(None).await.unwrap_err().kind() != ErrorKind::Decode, "{way:?}");
        assert!(taxpayer.saved().is_none(), "{way:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "{way:?} took {:?}", started.elapsed());
        assert_eq!((mock.hits("verify_otp"), mock.hits("refresh_session")), (1, 1), "{way:?}");
    }
}

#[tokio::test]
async fn a_broken_store_is_not_a_missing_session() {
    let mock = mock().await;
    let store = Bad::new(Way::Fails);
    let client = builder(&mock).token_store(store.clone()).build().unwrap();
    let error = taxpayer(&client).restore().await.unwrap_err();
    assert_eq!((error.kind(), error.is_session_expired()), (ErrorKind::Store, false));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("the disk is on fire"), "{cause}");
    // A sweep tells it too.
    let taxpayers = [(Gstin::new(GSTIN).unwrap(), "acme.com".to_owned())];
    let mut sweep = client.sweep(taxpayers).goods([TypeOfGoods::Others]).start();
    assert_eq!(sweep.next().await.unwrap().result.unwrap_err().kind(), ErrorKind::Store);

    store.works.store(true, Ordering::SeqCst);
    assert!(taxpayer(&client).restore().await.unwrap().is_none(), "and now it is known");
    assert!(mock.requests().is_empty());
}

/// One from the store that is refused leaves the new login to be tried.
#[tokio::test]
async fn a_stale_token_does_not_use_up_the_new_login() {
    let mock = mock().await;
    let stale = Bad::new(Way::IsStale);
    let first = builder(&mock).token_store(stale.clone()).build().unwrap();
    taxpayer(&first).request_otp().await.unwrap();
    mock.expire_all_tokens();
    mock.clear();
    let second = builder(&mock).token_store(stale).build().unwrap();
    for login in 1..=2 {
        taxpayer(&second).request_otp().await.unwrap();
        assert_eq!(mock.hits("authenticate"), login);
        mock.expire_all_tokens();
    }
}

#[tokio::test]
async fn stores_pass_the_suite_and_bad_ones_do_not() {
    check_token_store(Arc::new(MemoryStore::default())).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = FileStore::open(folder.path().join("sessions")).unwrap();
    check_token_store(Arc::new(files)).await.unwrap();
    for way in [Way::Fails, Way::Panics, Way::Forgets, Way::IsStale] {
        let faults = check_token_store(Bad::new(way)).await.unwrap_err();
        assert!(faults.lines().count() > 2, "{way:?}: {faults}");
    }
}

#[tokio::test]
async fn a_file_store_keeps_sessions_for_the_next_process() {
    let mock = mock().await;
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(FileStore::open(folder.path().join("sessions")).unwrap());
    let first = builder(&mock).token_store(open()).build().unwrap();
    session(&first).await;
    let store = open();
    let second = builder(&mock).token_store(store.clone()).build().unwrap();
    taxpayer(&second).restore().await.unwrap().unwrap().ims().counts(None).await.unwrap();
    let listed = store.sessions().unwrap();
    assert_eq!((listed.len(), listed[0].taxpayer.username.as_str()), (1, "acme.com"));
    assert_eq!(listed[0].id, taxpayer(&second).token_key().id());
    store.check_writable().unwrap();
    assert_eq!(store.sessions().unwrap().len(), 1, "the check leaves nothing");
    assert!(store.failure().is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_of_sessions_is_for_its_owner_alone() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    FileStore::open(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let error = FileStore::open(&path).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some("folder")));
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(FileStore::open(folder.path().join("file")).is_err());
}

// --- clocks -----------------------------------------------------------------

/// Written when the clock was a day ahead.
fn from_the_future(token: &str) -> SavedToken {
    let millis = |ahead: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
        u64::try_from(now.as_millis()).unwrap() + ahead * 3_600_000
    };
    let text = format!(r#"{{"token":"{token}","issued_at":{},"expires_at":{}}}"#, millis(24), millis(48));
    SavedToken::from_exposed(&text).unwrap()
}

#[tokio::test]
async fn a_clock_that_was_ahead_keeps_no_new_token_out() {
    let mock = mock().await;
    let folder = tempfile::tempdir().unwrap();
    let files: Arc<dyn TokenStore> = Arc::new(FileStore::open(folder.path().join("sessions")).unwrap());
    for store in [Arc::new(MemoryStore::default()) as Arc<dyn TokenStore>, files] {
        let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
        let taxpayer = taxpayer(&client);
        let key = taxpayer.token_key().clone();
        store.put_if_newer(&key, &from_the_future("stale-and-from-the-future")).await.unwrap();
        // It is shown with no more than a token can have.
        taxpayer.restore().await.unwrap().expect("it may live");
        let left =
            taxpayer.saved().unwrap().expires_at().duration_since(std::time::SystemTime::now()).unwrap();
        assert!(left <= Duration::from_secs(6 * 3600), "{left:?}");
        assert!(taxpayer.saved().unwrap().issued_at() <= std::time::SystemTime::now());

        taxpayer.verify_otp("575757").await.unwrap();
        let held = taxpayer.saved().unwrap();
        assert_ne!(held.token().expose_secret(), "stale-and-from-the-future");
        assert_eq!(store.get(&key).await.unwrap().unwrap().token(), held.token());
        // Refreshed from a token whose stored times are in the future.
        store.replace(&key, held.token(), &from_the_future(held.token().expose_secret())).await.unwrap();
        taxpayer.refresh().await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().unwrap().token(), taxpayer.saved().unwrap().token());
    }
}

#[tokio::test]
async fn a_token_of_another_key_is_not_taken() {
    let mock = mock().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::default());
    let client = builder(&mock).token_store(Arc::clone(&store)).build().unwrap();
    let (one, _) = session(&client).await;
    let other = client.taxpayer(Gstin::new("27AACCA8432H2ZP").unwrap(), "acme.com").unwrap();
    store.put_if_newer(other.token_key(), &one.saved().unwrap()).await.unwrap();
    assert!(other.restore().await.unwrap().is_none());
    assert!(Token::new("a").is_ok() && mock.hits("get_invoice_count") == 0);
}

#[tokio::test]
async fn a_refresh_that_hangs_leaves_the_session_in_use() {
    let mock = mock().await;
    let client = builder(&mock).attempt_timeout(Duration::from_secs(5)).build().unwrap();
    let (taxpayer, session) = session(&client).await;
    mock.on("refresh_session").fault(Fault::Hang);
    assert!(tokio::time::timeout(50 * MILLI, taxpayer.refresh()).await.is_err());
    session.ims().counts(TypeOfGoods::Others).await.unwrap();
}
