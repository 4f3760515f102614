//! Several clients with one token store that takes its time, as one on
//! another machine does: each client stands for a process.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sandbox_client::{
    BoxError, BoxFuture, Client, ErrorKind, MemoryStore, SavedToken, Token, TokenKey, TokenStore,
    ims::types::TypeOfGoods, mock::MockServer, session::types::TaxpayerLogin, values::Gstin,
};
use tokio::{task::JoinSet, time::sleep};

const GSTIN: &str = "33ABKCS2033B1ZW";

/// A store with claims, each step of which takes some milliseconds.
#[derive(Default)]
struct Far {
    tokens: MemoryStore,
    claims: Mutex<HashSet<String>>,
    /// Says that a newer token is there already.
    has_newer: AtomicBool,
    /// Loses what it has when it is next asked.
    emptied: AtomicBool,
}

async fn far_away() {
    sleep(Duration::from_millis(3)).await;
}

impl TokenStore for Far {
    fn get<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async {
            if self.emptied.swap(false, Ordering::SeqCst) {
                self.tokens.remove(key).await?;
            }
            let found = self.tokens.get(key).await;
            far_away().await;
            found
        })
    }

    fn put_if_newer<'a>(
        &'a self,
        key: &'a TokenKey,
        token: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            far_away().await;
            if self.has_newer.load(Ordering::SeqCst) {
                return Ok(false);
            }
            self.tokens.put_if_newer(key, token).await
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        self.tokens.remove(key)
    }

    fn remove_if<'a>(&'a self, key: &'a TokenKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async {
            far_away().await;
            self.tokens.remove_if(key, token).await
        })
    }

    fn claim<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async {
            far_away().await;
            Ok(self.claims.lock().unwrap().insert(key.id()))
        })
    }

    fn release(&self, key: &TokenKey) {
        assert!(self.claims.lock().unwrap().remove(&key.id()), "released without a claim");
    }
}

fn clients(mock: &MockServer, store: &Arc<Far>, count: usize) -> Vec<Client> {
    let client = || {
        let builder = Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret());
        builder.no_rate_limit().token_store(Arc::clone(store) as _).build().unwrap()
    };
    (0..count).map(|_| client()).collect()
}

async fn platform_call(client: Client) {
    let login = TaxpayerLogin::builder().gstin(Gstin::new(GSTIN).unwrap()).username("acme.com");
    client.session().generate_otp().body(login).send().await.unwrap();
}

async fn calls(clients: &[Client], each: usize) {
    let calls = clients.iter().flat_map(|client| std::iter::repeat_n(client.clone(), each));
    calls.map(platform_call).collect::<JoinSet<_>>().join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_clients_there_is_one_login() {
    let mock = MockServer::start().await.unwrap();
    mock.on("authenticate").delay(Duration::from_millis(300));
    let store = Arc::new(Far::default());
    let clients = clients(&mock, &store, 4);
    calls(&clients, 20).await;
    assert_eq!((mock.hits("authenticate"), mock.hits("generate_otp")), (1, 80));
    // And one for each token that is refused, whoever meets it.
    for logins in 2..=4 {
        mock.expire_all_tokens();
        calls(&clients, 20).await;
        assert_eq!(mock.hits("authenticate"), logins);
    }
    assert!(store.claims.lock().unwrap().is_empty(), "a claim was kept");
}

/// A login that fails leaves no claim behind, nor one that nobody waits for any more.
#[tokio::test]
async fn a_claim_ends_with_the_login_however_that_ends() {
    let mock = MockServer::start().await.unwrap();
    let store = Arc::new(Far::default());
    let client = clients(&mock, &store, 1).remove(0);
    mock.on("authenticate").error("bad_credentials").times(1);
    let login = TaxpayerLogin::builder().gstin(Gstin::new(GSTIN).unwrap()).username("acme.com");
    client.session().generate_otp().body(login).send().await.unwrap_err();
    assert!(store.claims.lock().unwrap().is_empty());

    mock.on("authenticate").delay(Duration::from_secs(1)).times(1);
    let given_up = tokio::time::timeout(Duration::from_millis(200), platform_call(client.clone())).await;
    assert!(given_up.is_err());
    // It goes on, and the next call has its token.
    platform_call(client).await;
    assert_eq!(mock.hits("authenticate"), 2);
    assert!(store.claims.lock().unwrap().is_empty());
}

/// While another has the claim a call waits, no longer than it may.
#[tokio::test]
async fn a_claim_that_never_ends_fails_the_call_in_time() {
    let mock = MockServer::start().await.unwrap();
    let store = Arc::new(Far::default());
    let client = clients(&mock, &store, 1).remove(0).with_call_timeout(Duration::from_millis(500));
    let taxpayer = client.taxpayer(Gstin::new(GSTIN).unwrap(), "acme.com").unwrap();
    let platform = clients(&mock, &store, 1).remove(0);
    // Somebody logs in, and has the claim for good.
    mock.on("authenticate").delay(Duration::from_secs(30));
    let hanging = tokio::spawn(platform_call(platform));
    while mock.hits("authenticate") == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let error = taxpayer.request_otp().await.unwrap_err();
    assert_eq!((error.kind(), mock.hits("authenticate")), (ErrorKind::Timeout, 1));
    hanging.abort();
}

/// Several calls that look for one session at once all find it.
#[tokio::test]
async fn a_session_of_another_client_is_found_by_all_calls_at_once() {
    let mock = MockServer::start().await.unwrap();
    let store = Arc::new(Far::default());
    let [one, other] = clients(&mock, &store, 2).try_into().unwrap();
    let gstin = Gstin::new(GSTIN).unwrap();
    one.taxpayer(gstin, "acme.com").unwrap().verify_otp("575757").await.unwrap();
    let taxpayer = other.taxpayer(gstin, "acme.com").unwrap();
    let counts = (0..20).map(|_| {
        let taxpayer = taxpayer.clone();
        async move {
            let session = taxpayer.restore().await.unwrap().expect("the session that is stored");
            session.ims().counts(TypeOfGoods::Others).await.unwrap();
        }
    });
    counts.collect::<JoinSet<_>>().join_all().await;
    assert_eq!(mock.hits("get_invoice_count"), 20);
}

/// A token that comes too late is not the one to use.
#[tokio::test]
async fn a_token_that_is_not_kept_gives_way_to_the_one_that_is() {
    let mock = MockServer::start().await.unwrap();
    let store = Arc::new(Far::default());
    let [one, other] = clients(&mock, &store, 2).try_into().unwrap();
    let gstin = Gstin::new(GSTIN).unwrap();
    let first = one.taxpayer(gstin, "acme.com").unwrap();
    first.verify_otp("575757").await.unwrap();
    store.has_newer.store(true, Ordering::SeqCst);
    let second = other.taxpayer(gstin, "acme.com").unwrap();
    second.verify_otp("575757").await.unwrap();
    assert_eq!(second.saved().unwrap().token(), first.saved().unwrap().token());
}

/// The platform token can be had again without a person, so nobody meant to end it.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_token_is_renewed_although_the_store_was_emptied() {
    let mock =
        MockServer::builder().token_lifetime("platform_token", Duration::from_secs(2)).start().await.unwrap();
    let store = Arc::new(Far::default());
    let client = clients(&mock, &store, 1).remove(0);
    platform_call(client.clone()).await;
    store.emptied.store(true, Ordering::SeqCst);
    // In the last tenth of its life, which begins at a time that is known to the second.
    for _ in 0..300 {
        sleep(Duration::from_millis(10)).await;
        platform_call(client.clone()).await;
        if mock.hits("authenticate") > 1 {
            break;
        }
    }
    assert_eq!(mock.hits("authenticate"), 2);
    assert!(!store.emptied.load(Ordering::SeqCst), "the store was asked");
}
