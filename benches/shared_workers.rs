//! What workers that share a Redis server make of one rate limit: how much of
//! it they use, and whether anything is asked for twice.
//!
//! ```sh
//! cargo bench --features redis --bench shared_workers
//! ```
//!
//! Real processes and a real `redis-server` for each row, all at the same
//! time; a little over two minutes, since the provider counts in windows of 60
//! seconds. In the last row one of the workers is killed half-way.

use std::{
    collections::{BTreeMap, HashSet},
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sandbox_client::{
    Client, ClientBuilder, TaxpayerId,
    ims::types::TypeOfGoods,
    mock::MockServer,
    redis::{EncryptionKey, Redis},
    session::types::TaxpayerLogin,
    values::Gstin,
};

#[allow(dead_code)] // the tests use the rest
#[path = "../tests/support/redis.rs"]
mod redis;

use redis::RedisServer;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const LIMIT: u32 = 300;
const KEY: [u8; 32] = *b"an encryption key for a bench...";
const GROUPS: [(u32, bool); 5] = [(1, false), (2, false), (4, false), (8, false), (4, true)];

#[tokio::main]
async fn main() -> Outcome<()> {
    if let Ok(setting) = env::var("SANDBOX_BENCH_WORKER") {
        return work(&setting).await;
    }
    println!(
        "{LIMIT} a minute          | used   | most in 60 s | 429 | logins | answers | made twice | lost and made again"
    );
    let groups = GROUPS.map(|(workers, kill)| tokio::spawn(measure(workers, kill)));
    for group in groups {
        println!("{}", group.await??);
    }
    Ok(())
}

// --- a worker -------------------------------------------------------------------

fn builder(redis: &str, workers: u32) -> Outcome<ClientBuilder> {
    Ok(ClientBuilder::from_env()?.redis(Redis::new(redis, &EncryptionKey::new(KEY), workers)?))
}

async fn work(setting: &str) -> Outcome<()> {
    let (redis, workers) = setting.split_once(' ').ok_or("no setting")?;
    let client = builder(redis, workers.parse()?)?.requests_per_minute(LIMIT).build()?;
    // All workers need the platform's token at the same moment.
    let taxpayer = TaxpayerLogin::builder().gstin(gstin(0)).username("anybody");
    client.session().generate_otp().body(taxpayer).send().await?;
    let mut sweep = client.sweep(firm()).goods([TypeOfGoods::Others]).share("bench").await?;
    while let Some(item) = sweep.next().await? {
        item.result?;
        println!("{}", item.taxpayer.username);
    }
    Ok(())
}

fn start(mock: &MockServer, redis: &RedisServer, workers: u32) -> Outcome<Child> {
    Ok(Command::new(env::current_exe()?)
        .env("SANDBOX_BENCH_WORKER", format!("{} {workers}", redis.url()))
        .env("SANDBOX_API_KEY", mock.key())
        .env("SANDBOX_API_SECRET", mock.secret())
        .env("SANDBOX_BASE_URL", mock.base_url())
        .stdout(Stdio::piped())
        .spawn()?)
}

// --- a row ------------------------------------------------------------------------

async fn measure(workers: u32, kill: bool) -> Outcome<String> {
    let (mock, redis) = (MockServer::start().await?, RedisServer::start());
    sign_in(&mock, &redis).await?;
    mock.clear();
    mock.rate_limit(LIMIT as usize, Duration::from_secs(60));
    mock.on("get_invoice_count").delay(Duration::from_millis(50));
    let processes: Outcome<Vec<_>> = (0..workers).map(|_| start(&mock, &redis, workers)).collect();
    let (processes, answers): (Vec<_>, Vec<_>) = processes?.into_iter().map(listen).unzip();
    let mut processes = processes.into_iter();
    if kill && let Some(mut killed) = processes.next() {
        while mock.requests().len() < LIMIT as usize * 3 / 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        killed.kill()?;
        killed.wait()?;
    }
    for mut process in processes {
        let status = tokio::task::spawn_blocking(move || process.wait()).await??;
        assert!(status.success(), "a worker failed");
    }
    let answers: Vec<_> =
        answers.into_iter().flat_map(|answers| answers.join().unwrap_or_default()).collect();
    Ok(row(&mock, workers, kill, &answers))
}

/// Collects what a worker has answers for.
fn listen(mut process: Child) -> (Child, JoinHandle<Vec<String>>) {
    let output = process.stdout.take().map(BufReader::new);
    let lines = move || output.into_iter().flat_map(|output| output.lines().map_while(Result::ok)).collect();
    (process, thread::spawn(lines))
}

fn row(mock: &MockServer, workers: u32, kill: bool, answers: &[String]) -> String {
    let requests = mock.requests();
    let mut arrivals: Vec<_> = requests.iter().map(|request| request.arrived).collect();
    arrivals.sort();
    // From the first request of the first window to the first of the third.
    let two_windows = 2 * LIMIT;
    let minutes = (arrivals[two_windows as usize] - arrivals[0]).as_secs_f64() / 60.0;
    let used = 100.0 * f64::from(two_windows) / (f64::from(LIMIT) * minutes);
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    let mut calls = BTreeMap::new();
    for user in requests.into_iter().filter_map(|request| request.session_username) {
        *calls.entry(user).or_insert(0) += 1;
    }
    let again = calls.values().filter(|times| **times > 1).count();
    // Answered twice, so a call too many; the others went down with the killed worker.
    let twice = answers.len() - answers.iter().collect::<HashSet<_>>().len();
    format!(
        "{workers} workers{:12} | {used:.1} % | {:12} | {refused:3} | {:6} | {:7} | {twice:10} | {}",
        if kill { ", one killed" } else { "" },
        most_in_a_minute(&arrivals),
        mock.hits("authenticate"),
        answers.len() - twice,
        again - twice,
    )
}

fn most_in_a_minute(arrivals: &[Instant]) -> usize {
    let within = |first: usize| {
        arrivals[first..].iter().take_while(|&&at| at - arrivals[first] < Duration::from_secs(60)).count()
    };
    (0..arrivals.len()).map(within).max().unwrap_or_default()
}

/// Opens a session for each taxpayer, without a login of the platform.
async fn sign_in(mock: &MockServer, redis: &RedisServer) -> Outcome<()> {
    let client = Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret());
    let redis = Redis::new(&redis.url(), &EncryptionKey::new(KEY), 1)?;
    let client = client.platform_token(mock.platform_token()).redis(redis).no_rate_limit().build()?;
    for taxpayer in firm() {
        client.taxpayer(taxpayer.gstin, taxpayer.username)?.verify_otp("575757").await?;
    }
    Ok(())
}

/// Two minutes' allowance, and as much as is needed to see the third begin.
fn firm() -> Vec<TaxpayerId> {
    let taxpayer = |index| TaxpayerId { gstin: gstin(index), username: format!("user{index}") };
    (0..2 * LIMIT + 50).map(taxpayer).collect()
}

fn gstin(index: u32) -> Gstin {
    let mut checks = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".iter();
    let found =
        checks.find_map(|check| Gstin::new(&format!("33AAACA{index:04}A1Z{}", char::from(*check))).ok());
    found.expect("one check digit fits")
}
