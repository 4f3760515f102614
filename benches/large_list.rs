//! A list of 100,000 invoices, about 40 MB of JSON: this crate beside what one
//! would write by hand.
//!
//! ```sh
//! cargo bench --bench large_list
//! ```
//!
//! Time is that of decoding alone, on the processor, the fastest of interleaved
//! rounds: whatever else the machine does only adds. Memory is the peak of a process of
//! its own as the system sees it, on Linux alone; the whole calls go over a
//! socket and are answered by this process. `tests/large_list.rs` counts what
//! is allocated, byte by byte.

#![allow(clippy::cast_precision_loss)] // figures for people

use std::{
    env, fs,
    process::Command,
    time::{Duration, Instant},
};

use sandbox_client::{
    Client,
    mock::{MockServer, unread},
    values::Section,
};
use serde::Deserialize;

#[path = "large_list/body.rs"]
mod body;

const DOCUMENTS: usize = 100_000;
const ROUNDS: usize = 15;
const CAP: usize = 1 << 30;

/// What one would write by hand.
#[derive(Deserialize)]
struct Plain {
    data: PlainData,
}

#[derive(Deserialize)]
struct PlainData {
    data: PlainSections,
}

#[derive(Deserialize)]
struct PlainSections {
    b2b: Vec<PlainInvoice>,
}

#[allow(dead_code)] // read for their size
#[derive(Deserialize)]
struct PlainInvoice {
    stin: String,
    rtnprd: String,
    srcform: String,
    inum: String,
    idt: String,
    inv_typ: String,
    pos: String,
    action: String,
    ispendactblocked: String,
    srcfilstatus: String,
    hash: String,
    val: f64,
    txval: f64,
    iamt: f64,
    camt: f64,
    samt: f64,
    cess: f64,
}

/// As the client reads an answer, with the envelope and what is odd.
fn ours(body: &[u8]) -> usize {
    let unread = unread("list_invoices", body).expect("the operation").expect("a list");
    DOCUMENTS - unread.len()
}

fn plain(body: &[u8]) -> usize {
    let answer: Plain = serde_json::from_slice(body).expect("a list");
    answer.data.data.b2b.len()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--measure") {
        return measure(&arguments[at + 1..]).await;
    }
    let body = body::body(DOCUMENTS);
    println!("{DOCUMENTS} invoices, {:.1} MB of JSON\n", megabytes(body.len()));

    let started = Instant::now();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (decode, times) in [ours as fn(&[u8]) -> usize, plain].into_iter().zip(&mut times) {
            let start = cpu_time(started);
            assert_eq!(decode(&body), DOCUMENTS);
            times.push(cpu_time(started).saturating_sub(start));
        }
    }
    let [ours, plain] = times.map(|times| times.into_iter().min().expect("rounds"));
    println!("{:<22}  {:>9}  {:>9}  {:>5}", "", "this", "by hand", "ratio");
    println!(
        "{:<22}  {:>6.0} ms  {:>6.0} ms  {:>5.2}",
        "decoding, time",
        millis(ours),
        millis(plain),
        millis(ours) / millis(plain)
    );

    let mock = MockServer::start().await.expect("a port");
    mock.on("list_invoices").body(200, "application/json", body.clone());
    for (title, kind) in [("decoding, memory", "decode"), ("whole call, memory", "call")] {
        let [ours, plain] =
            ["ours", "plain"].map(|whose| peak_of(&mock, kind, whose) as f64 / body.len() as f64);
        if ours > 0.0 {
            println!("{title:<22}  {ours:>7.2} x  {plain:>7.2} x  {:>5.2}", ours / plain);
        }
    }
    println!("\nMemory in multiples of the body, the body included.");
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// Peak memory of a process that does this one thing; zero if it is not told.
fn peak_of(mock: &MockServer, kind: &str, whose: &str) -> usize {
    let program = env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--measure", kind, whose, &mock.base_url(), mock.key(), &mock.taxpayer_token()])
        .output()
        .expect("a process");
    String::from_utf8(output.stdout).expect("text").trim().parse().expect("a number")
}

async fn measure(arguments: &[String]) {
    let [kind, whose, base_url, key, token] = arguments else { panic!("five arguments") };
    let before;
    match (kind.as_str(), whose.as_str()) {
        ("decode", whose) => {
            before = resident("VmRSS:");
            let body = body::body(DOCUMENTS);
            let decode = if whose == "ours" { ours } else { plain };
            assert_eq!(decode(&body), DOCUMENTS);
        }
        (_, "ours") => {
            let client = Client::builder().base_url(base_url).key(key).taxpayer_token(token);
            let client = client.max_body_bytes(CAP).build().expect("a client");
            before = resident("VmRSS:");
            let session = client.taxpayer_session().expect("a token");
            let list = session.ims().invoices(Section::B2b, None).await.expect("a list");
            assert_eq!(list.invoices.len(), DOCUMENTS);
        }
        _ => {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            before = resident("VmRSS:");
            let url = format!("{base_url}/gst/compliance/tax-payer/invoices?section=B2B");
            let request = client.get(url).header("x-api-key", key).header("authorization", token);
            let body = request.send().await.expect("an answer").bytes().await.expect("a body");
            assert_eq!(plain(&body), DOCUMENTS);
        }
    }
    println!("{}", resident("VmHWM:").saturating_sub(before));
}

/// Time that this thread has had on a processor; where the system does not
/// tell, the time since the start.
fn cpu_time(started: Instant) -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| started.elapsed(), Duration::from_nanos)
}

/// A figure of this process in bytes; zero where the system does not tell.
fn resident(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap_or(0) * 1024
}
