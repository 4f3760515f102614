//! A sweep that several workers share.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use sandbox_client::{
    Client, Error, TaxpayerId,
    mock::{MockServer, RecordedRequest},
    values::Gstin,
};

use crate::{
    support::RedisServer,
    worker::{MARK, Setting, Worker},
};

const AT_ONCE: usize = 4;

/// Valid GSTINs: the check digit is found by trial.
pub fn firm(count: usize) -> Vec<TaxpayerId> {
    let gstin = |index| {
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".iter();
        let mut attempts =
            digits.map(|check| Gstin::new(&format!("33AAACA{index:04}A1Z{}", char::from(*check))));
        attempts.find_map(Result::ok).unwrap()
    };
    (0..count).map(|index| TaxpayerId { gstin: gstin(index), username: format!("user{index}") }).collect()
}

/// The work of a worker: tells each answer as it comes.
pub async fn work(client: &Client, name: &str, count: usize) -> Result<String, Error> {
    let mut sweep = client.sweep(firm(count)).concurrency(AT_ONCE).share(name).await?;
    while let Some(item) = sweep.next().await? {
        let outcome = item.result.map_or_else(|error| format!("failed ({error})"), |_| "counted".to_owned());
        println!("{MARK}{outcome} {} {}", item.taxpayer.username, item.task);
    }
    Ok("end".to_owned())
}

/// What a worker tells until its end, or until it was killed.
fn told(worker: &mut Worker) -> Vec<String> {
    std::iter::from_fn(|| worker.line()).take_while(|line| line != "end").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_s_share_is_taken_over_and_nothing_is_asked_twice() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let setting = Setting::new(&mock, &redis);
    let mut workers = setting.start_many(3);
    assert_eq!(workers[0].ask("sign-in 60"), "signed in");
    mock.on("get_invoice_count").delay(Duration::from_millis(100));
    for worker in &mut workers {
        worker.tell("sweep november 60");
    }
    while mock.hits("get_invoice_count") < 60 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    workers[0].signal("KILL");
    let lists = || redis.keys().into_iter().filter(|key| key.contains(":sweep:")).collect::<Vec<_>>();
    let size = |key: &str| -> u64 { redis.cli(&["memory", "usage", key]).parse().unwrap() };
    let half_way: u64 = lists().iter().map(|key| size(key)).sum();

    let told: Vec<_> = workers.iter_mut().map(told).collect();
    assert!(told.iter().all(|told| told.len() > 10), "{:?}", told.iter().map(Vec::len).collect::<Vec<_>>());
    let mut times = BTreeMap::new();
    for line in told.iter().flatten() {
        *times.entry(line).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 180, "every call has its answer");
    assert!(times.keys().all(|line| line.starts_with("counted ")));
    // The killed worker's last answer may not have been noted.
    assert!(times.values().filter(|times| **times > 1).count() <= 1);
    let again = mock.hits("get_invoice_count") - 180;
    assert!(again <= AT_ONCE + 1, "{again} calls were made again, {AT_ONCE} were in flight");

    // Nothing is left but the memory that this sweep is done.
    let left = lists();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(size(&left[0]) < 400 && half_way > 1000, "{} of {half_way}", size(&left[0]));
    let mut late = setting.start();
    late.tell("sweep november 60");
    assert_eq!(self::told(&mut late), Vec::<String>::new());
    assert_eq!(mock.hits("get_invoice_count"), 180 + again);
    let refused = late.ask("sweep november 59");
    assert!(refused.contains("is the name of a sweep over other taxpayers"), "{refused}");
}

/// Two of three answers are noted when the worker dies: only the third is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_worker_has_answered_is_not_asked_again() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).start_many(2);
    assert_eq!(workers[0].ask("sign-in 1"), "signed in");
    let imports = |request: &RecordedRequest| request.query_value("type_of_goods") == Some("imports");
    mock.on("get_invoice_count").delay(Duration::from_secs(60)).when(imports).times(1);
    workers[0].tell("sweep february 1");
    let mut answers = [workers[0].answer(), workers[0].answer()];
    answers.sort();
    assert_eq!(answers, ["counted user0 inward_supplies", "counted user0 others"]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    workers[0].signal("KILL");
    workers[1].tell("sweep february 1");
    assert_eq!(told(&mut workers[1]), ["counted user0 imports"]);
    assert_eq!(mock.hits("get_invoice_count"), 4);
}

/// A worker that wakes up after the others have taken over its share.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_frozen_leaves_its_share_to_the_others() {
    let (mock, redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut workers = Setting::new(&mock, &redis).start_many(2);
    assert_eq!(workers[0].ask("sign-in 20"), "signed in");
    mock.on("get_invoice_count").delay(Duration::from_millis(100));
    for worker in &mut workers {
        worker.tell("sweep december 20");
    }
    while mock.hits("get_invoice_count") < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    workers[0].signal("STOP");
    let started = Instant::now();
    let other = told(&mut workers[1]);
    assert!(started.elapsed() > Duration::from_secs(20), "the share was taken over at once");
    workers[0].signal("CONT");
    let mut all = told(&mut workers[0]);
    all.extend(other);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);
    assert!(mock.hits("get_invoice_count") <= 60 + 2 * AT_ONCE);
}

/// The server goes and comes back empty in the middle: the workers say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_gone_is_told() {
    let (mock, mut redis) = (MockServer::start().await.unwrap(), RedisServer::start());
    let mut worker = Setting::new(&mock, &redis).start();
    assert_eq!(worker.ask("sign-in 20"), "signed in");
    mock.on("get_invoice_count").delay(Duration::from_millis(200));
    worker.tell("sweep january 20");
    while mock.hits("get_invoice_count") < 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.stop();
    redis.start_again();
    let last = loop {
        let line = worker.answer();
        if !line.starts_with("counted ") {
            break line;
        }
    };
    assert!(last.starts_with("error decode: the shared list is gone"), "{last}");
}
