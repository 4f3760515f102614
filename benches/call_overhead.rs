//! What a call costs through this crate and through what a program would use
//! in its place. `benches/README.md` says how to read the figures.
//!
//! ```sh
//! cargo bench --bench call_overhead
//! ```

mod server;
mod variants;

use std::{
    env, fs, io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use server::Server;
use tokio::task::JoinSet;
use variants::{Failure, NAMES, REFERENCE, Variant};

const IN_FLIGHT: [u32; 2] = [1, 32];
const ROUNDS: usize = 31;
/// How long a variant is to take in one round, about.
const TURN: Duration = Duration::from_millis(150);

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        ["--count", variant, calls] => count(variant, calls.parse()?),
        [server::ARGUMENT] => Ok(server::run()?),
        _ => Err("usage: call_overhead [--count <variant> <calls>]".into()),
    }
}

/// Does so many calls of one variant, for a tool that counts instructions.
#[tokio::main(flavor = "current_thread")]
async fn count(variant: &str, calls: u32) -> Result<(), Failure> {
    let server = Server::start()?;
    let variant = Variant::new(variant, &server.base_url)?;
    for _ in 0..calls {
        variant.call().await?;
    }
    Ok(())
}

/// All variants in turn, round after round, so that whatever else the machine
/// does meets them alike.
#[tokio::main(flavor = "current_thread")]
async fn compare() -> Result<(), Failure> {
    let server = Server::start()?;
    let mut variants = Vec::new();
    for name in NAMES {
        let variant = Variant::new(name, &server.base_url)?;
        let total = variant.call().await?;
        if total != server::TOTAL {
            return Err(format!("{name} reads {total} documents").into());
        }
        variants.push(Arc::new(variant));
    }
    for in_flight in IN_FLIGHT {
        let calls = calibrate(&variants, in_flight).await?;
        let mut turns = vec![Vec::new(); variants.len()];
        for _ in 0..ROUNDS {
            for (variant, turns) in variants.iter().zip(&mut turns) {
                turns.push(turn(variant, in_flight, calls).await?);
            }
        }
        print(in_flight, calls, &turns);
    }
    Ok(())
}

/// What one variant took in one round, per call.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: Option<f64>,
}

/// How many calls fill a turn. Opens the connections on the way.
async fn calibrate(variants: &[Arc<Variant>], in_flight: u32) -> Result<u32, Failure> {
    const PROBE: u32 = 500;
    for variant in variants {
        turn(variant, in_flight, PROBE).await?;
    }
    let wall = turn(&variants[REFERENCE], in_flight, PROBE).await?.wall;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive, and far from the end
    Ok((TURN.as_secs_f64() / wall) as u32)
}

async fn turn(variant: &Arc<Variant>, in_flight: u32, calls: u32) -> Result<Cost, Failure> {
    let left = Arc::new(AtomicU32::new(calls));
    let mut tasks = JoinSet::new();
    let cpu_before = cpu();
    let started = Instant::now();
    for _ in 0..in_flight {
        let (variant, left) = (Arc::clone(variant), Arc::clone(&left));
        tasks.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                variant.call().await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    let wall = started.elapsed();
    let cpu = cpu_before.zip(cpu()).map(|(before, after)| after.saturating_sub(before));
    let per_call = |time: Duration| time.as_secs_f64() / f64::from(calls);
    Ok(Cost { wall: per_call(wall), cpu: cpu.map(per_call) })
}

/// Time that this process has had on the processors, in user and kernel mode.
/// Linux tells it to the nanosecond; other systems tell nothing without `unsafe`.
fn cpu() -> Option<Duration> {
    // The kernel brings the figure up to date when the thread gives way.
    thread::yield_now();
    let of_thread = |folder: io::Result<fs::DirEntry>| -> Option<u64> {
        let text = fs::read_to_string(folder.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let nanos = fs::read_dir("/proc/self/task").ok()?.map(of_thread).sum::<Option<u64>>()?;
    Some(Duration::from_nanos(nanos))
}

fn print(in_flight: u32, calls: u32, turns: &[Vec<Cost>]) {
    println!("\n{in_flight} in flight, {ROUNDS} rounds of {calls} calls each, medians");
    println!("| variant | calls/s | CPU/call | CPU ratio | time ratio |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let reference = &turns[REFERENCE];
    for (name, turns) in NAMES.iter().zip(turns) {
        let per_second = 1.0 / median(turns.iter().map(|cost| cost.wall));
        let time_ratio = median(turns.iter().zip(reference).map(|(cost, other)| cost.wall / other.wall));
        let cpu: Option<Vec<f64>> = turns.iter().map(|cost| cost.cpu).collect();
        let reference_cpu: Option<Vec<f64>> = reference.iter().map(|cost| cost.cpu).collect();
        let (micros, cpu_ratio) = match cpu.zip(reference_cpu) {
            Some((cpu, other)) => (
                format!("{:.1} µs", 1e6 * median(cpu.iter().copied())),
                format!("{:.3}", median(cpu.iter().zip(&other).map(|(cpu, other)| cpu / other))),
            ),
            None => ("Linux only".to_owned(), "-".to_owned()),
        };
        println!("| {name} | {per_second:.0} | {micros} | {cpu_ratio} | {time_ratio:.3} |");
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
