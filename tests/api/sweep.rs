//! The sweep over a firm, over real sockets against the mock server.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sandbox_client::{
    BoxFuture, Client, ClientBuilder, ErrorKind, MemoryStore, RateLimiter, RetryPolicy, SweepItem,
    SweepStream, TaxpayerId,
    ims::types::TypeOfGoods,
    mock::{MockServer, RecordedRequest},
    values::Gstin,
};
use serde_json::json;

/// Valid GSTINs without end: the check digit is found by trial.
fn gstin(index: usize) -> Gstin {
    let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let start =
        format!("33AAAC{}{:04}A1Z", char::from(b'A' + u8::try_from(index / 10_000).unwrap()), index % 10_000);
    alphabet.chars().find_map(|check| Gstin::new(&format!("{start}{check}")).ok()).unwrap()
}

fn firm(count: usize) -> impl Iterator<Item = TaxpayerId> + Send {
    (0..count).map(|index| TaxpayerId { gstin: gstin(index), username: format!("user{index}") })
}

fn builder(mock: &MockServer) -> ClientBuilder {
    Client::builder()
        .base_url(mock.base_url())
        .key(mock.key())
        .secret(mock.secret())
        .no_rate_limit()
        .retry(RetryPolicy::default().base_backoff(Duration::from_millis(1)).budget(10.0, 1000))
}

/// A client whose store has a session of each taxpayer but those that `without` names.
async fn signed_in(mock: &MockServer, client: &Client, count: usize, without: impl Fn(usize) -> bool) {
    for (index, taxpayer) in firm(count).enumerate().filter(|(index, _)| !without(*index)) {
        let taxpayer = client.taxpayer(taxpayer.gstin, taxpayer.username).unwrap();
        taxpayer.verify_otp("575757").await.unwrap_or_else(|error| panic!("{index}: {error}"));
    }
    mock.clear();
}

async fn collect(mut sweep: SweepStream) -> Vec<SweepItem> {
    let mut items = Vec::new();
    while let Some(item) = sweep.next().await {
        items.push(item);
    }
    items
}

fn index_of(request: &RecordedRequest) -> usize {
    request.session_username.as_deref().unwrap().strip_prefix("user").unwrap().parse().unwrap()
}

/// The first request for each group of goods fails, and a repetition does not.
fn fails_first(mock: &MockServer, failure: &str, of: impl Fn(usize) -> bool + Send + Sync + 'static) {
    let seen = Mutex::new(HashSet::new());
    mock.on("get_invoice_count").error(failure).header("retry-after", "0").when(move |request| {
        let goods = request.query_value("type_of_goods").unwrap().to_owned();
        of(index_of(request)) && seen.lock().unwrap().insert((index_of(request), goods))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_taxpayers_with_faults_are_each_accounted_for_once() {
    let mock = MockServer::start().await.unwrap();
    let client = builder(&mock).build().unwrap();
    signed_in(&mock, &client, 500, |index| index % 10 == 3).await;
    // A session that GSTN has ended, one that fails for good, and passing faults.
    mock.on("get_invoice_count").example("invalid_session").when(|request| index_of(request) % 50 == 7);
    mock.on("get_invoice_count").error("service_unavailable").when(|request| index_of(request) % 50 == 9);
    fails_first(&mock, "too_many_requests", |index| index % 7 == 1);
    fails_first(&mock, "service_unavailable", |index| index % 7 == 2);

    let items = collect(client.sweep(firm(500)).start()).await;

    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for item in &items {
        *seen.entry((item.taxpayer.username.clone(), item.task.to_string())).or_default() += 1;
        let index: usize = item.taxpayer.username["user".len()..].parse().unwrap();
        match &item.result {
            _ if index % 10 == 3 || index % 50 == 7 => {
                let error = item.result.as_ref().unwrap_err();
                assert!(error.is_session_expired(), "{index}: {error}");
            }
            _ if index % 50 == 9 => {
                let error = item.result.as_ref().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Api);
                assert!(error.transaction_id().is_some());
            }
            Ok(counts) => assert!(counts.total() > 0),
            Err(error) => panic!("{index}: {error}"),
        }
    }
    assert_eq!((items.len(), seen.len()), (1500, 1500));
    assert!(seen.values().all(|times| *times == 1));
    let asked_without_session = mock.requests().iter().filter(|request| index_of(request) % 10 == 3).count();
    assert_eq!(asked_without_session, 0);
}

#[tokio::test]
async fn concurrency_is_bounded_and_taxpayers_are_taken_as_they_are_needed() {
    let mock = MockServer::start().await.unwrap();
    let client = builder(&mock).build().unwrap();
    signed_in(&mock, &client, 40, |_| false).await;
    mock.on("get_invoice_count").delay(Duration::from_millis(30));

    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let firm = firm(40).inspect(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut sweep = client.sweep(firm).goods([TypeOfGoods::Others]).concurrency(4).start();
    assert_eq!(taken.load(Ordering::Relaxed), 0, "nothing before it is polled");
    for answered in 1..=10 {
        assert!(sweep.next().await.unwrap().result.is_ok());
        assert!(taken.load(Ordering::Relaxed) <= answered + 4);
    }
    drop(sweep);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let hits = mock.hits("get_invoice_count");
    assert!((10..=14).contains(&hits), "{hits} requests for 10 answers, 4 at once");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(mock.hits("get_invoice_count"), hits, "no request after the stream is dropped");

    // And the client goes on as if nothing had been.
    let left = collect(client.sweep(firm_of(10)).goods([TypeOfGoods::Others]).start()).await;
    assert!(left.iter().all(|item| item.result.is_ok()));
}

/// More calls at once than there are places, and nobody asks for the next item.
#[tokio::test]
async fn an_idle_sweep_keeps_nobody_waiting() {
    let mock = MockServer::start().await.unwrap();
    let client = builder(&mock).max_in_flight(2).requests_per_minute(1000).build().unwrap();
    signed_in(&mock, &client, 20, |_| false).await;
    mock.on("get_invoice_count").delay(Duration::from_millis(20));
    let mut sweep = client.sweep(firm(20)).concurrency(8).start();
    assert!(sweep.next().await.unwrap().result.is_ok());

    let other = client.taxpayer(gstin(19), "user19").unwrap().restore().await.unwrap().unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(5), other.ims().counts(None)).await;
    answer.expect("the calls of the sweep go on").unwrap();
    assert_eq!(collect(sweep).await.len(), 59);
}

fn firm_of(count: usize) -> Vec<(Gstin, String)> {
    firm(count).map(|taxpayer| (taxpayer.gstin, taxpayer.username)).collect()
}

/// Lets one request through every 100 ms.
struct Slow(tokio::sync::Mutex<()>);

impl RateLimiter for Slow {
    fn acquire(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let _turn = self.0.lock().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        })
    }

    fn estimated_wait(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn pause(&self, _: Duration) {}
}

#[tokio::test]
async fn the_wait_for_the_pace_is_no_part_of_the_call() {
    let mock = MockServer::start().await.unwrap();
    let limiter = Arc::new(Slow(tokio::sync::Mutex::default()));
    let store = Arc::new(MemoryStore::default());
    let quick = builder(&mock).token_store(Arc::clone(&store) as _).build().unwrap();
    signed_in(&mock, &quick, 10, |_| false).await;

    // Ten calls queue at once, the last for a second; each may take 300 ms.
    let client =
        builder(&mock).token_store(store).rate_limiter(limiter).call_timeout(Duration::from_millis(300));
    let client = client.build().unwrap();
    let items = collect(client.sweep(firm(10)).goods([TypeOfGoods::Others]).start()).await;
    assert_eq!(items.len(), 10);
    assert!(items.iter().all(|item| item.result.is_ok()), "{items:?}");

    // The call itself keeps its limit.
    mock.on("get_invoice_count").delay(Duration::from_secs(5));
    let client = client.with_retry(RetryPolicy::none());
    let items = collect(client.sweep(firm(1)).goods([TypeOfGoods::Others]).start()).await;
    assert_eq!(items[0].result.as_ref().unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_session_near_its_end_is_refreshed_once_for_all_goods() {
    let lifetime = Duration::from_secs(2);
    let mock = MockServer::builder().token_lifetime("taxpayer_token", lifetime);
    let mock = mock.start().await.unwrap();
    let client = builder(&mock).build().unwrap();
    signed_in(&mock, &client, 1, |_| false).await;
    tokio::time::sleep(Duration::from_millis(1850)).await;
    let items = collect(client.sweep(firm(1)).concurrency(1).start()).await;
    assert!(items.iter().all(|item| item.result.is_ok()), "{items:?}");
    assert_eq!(mock.hits("refresh_session"), 1, "the refreshed session is in the store");
}

#[tokio::test]
async fn a_taxpayer_that_cannot_be_is_an_item_too() {
    let mock = MockServer::start().await.unwrap();
    let client = builder(&mock).build().unwrap();
    let items =
        collect(client.sweep([(gstin(0), "\n".to_owned())]).goods([TypeOfGoods::Others]).start()).await;
    assert_eq!(items[0].result.as_ref().unwrap_err().field(), Some("username"));
    assert_eq!(mock.connections(), 0);
}

#[tokio::test]
async fn a_sweep_that_goes_on_leaves_out_what_is_answered() {
    let mock = MockServer::start().await.unwrap();
    let client = builder(&mock).build().unwrap();
    signed_in(&mock, &client, 3, |_| false).await;
    let answered = firm(3).nth(1).unwrap();
    let sweep = client
        .sweep(firm(3))
        .only(move |taxpayer, goods| *taxpayer != answered || *goods == TypeOfGoods::Imports);
    let items = collect(sweep.start()).await;
    assert_eq!(items.len(), 7);
    let mut asked: Vec<_> =
        mock.requests().iter().map(|request| (index_of(request), request.query[0].1.clone())).collect();
    asked.sort();
    assert_eq!(
        asked.iter().filter(|(index, _)| *index == 1).collect::<Vec<_>>(),
        [&(1, "imports".to_owned())]
    );
}

#[tokio::test]
async fn a_taxpayer_without_records_is_counted_as_nothing() {
    let mock = MockServer::start().await.unwrap();
    let client = builder(&mock).build().unwrap();
    signed_in(&mock, &client, 1, |_| false).await;
    let none = json!({"code": 200, "data": {"status_cd": "0", "error": {"error_cd": "RET11416", "message": "No Record found"}}});
    mock.on("get_invoice_count").json(200, none);
    let items = collect(client.sweep(firm(1)).start()).await;
    assert_eq!(items.len(), 3);
    for item in items {
        assert_eq!(item.result.unwrap().total(), 0);
    }
}
