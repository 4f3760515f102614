//! What a sweep costs: how much of the allowance it uses, how many calls it
//! has in flight, and how much memory a large firm takes.
//!
//! ```sh
//! cargo bench --features cli --bench sweep
//! ```
//!
//! The server runs in a process of its own, so that its work and memory do
//! not count. Three minutes, since the provider counts in windows of 60 seconds.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use sandbox_client::{
    BoxError, BoxFuture, Client, ClientBuilder, SavedToken, TaxpayerId, TokenKey, TokenStore,
    ims::types::TypeOfGoods, mock::MockServer, values::Gstin,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    if let [_, serve, delay, limit] = &arguments[..]
        && serve == "serve"
    {
        return serve_until_closed(delay.parse()?, limit.parse()?).await;
    }
    memory().await?;
    throughput().await?;
    allowance().await
}

// --- the server, in a process of its own --------------------------------------

async fn serve_until_closed(delay: u64, limit: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mock = MockServer::start().await?;
    mock.on("get_invoice_count").delay(Duration::from_millis(delay));
    if limit > 0 {
        mock.rate_limit(limit, Duration::from_secs(60));
    }
    println!("{} {} {}", mock.base_url(), mock.key(), mock.secret());
    std::io::stdout().flush()?;
    // Every line is a question. Ends with its parent, whose end of the pipe closes then.
    tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        for _ in std::io::stdin().lines() {
            let requests = mock.requests();
            let refused = requests.iter().filter(|request| request.status == Some(429)).count();
            println!("{} {refused}", requests.len());
            std::io::stdout().flush()?;
        }
        Ok(())
    })
    .await??;
    Ok(())
}

struct Server {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    address: String,
    key: String,
    secret: String,
}

impl Server {
    fn start(delay: u64, limit: usize) -> Result<Self, Box<dyn std::error::Error>> {
        let mut child = Command::new(env::current_exe()?)
            .args(["serve", &delay.to_string(), &limit.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take().ok_or("no input")?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let [address, key, secret] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err("the server did not start".into());
        };
        let [address, key, secret] = [address, key, secret].map(str::to_owned);
        Ok(Self { child, questions, answers, address, key, secret })
    }

    /// How many requests it had, and how many of them it refused with 429.
    fn requests(&mut self) -> Result<(usize, usize), Box<dyn std::error::Error>> {
        writeln!(self.questions)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (all, refused) = line.trim().split_once(' ').ok_or("no answer")?;
        Ok((all.parse()?, refused.parse()?))
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder().base_url(&self.address).key(&self.key).secret(&self.secret)
    }

    /// A client to which every taxpayer has a session.
    async fn client(
        &self,
        set: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Client, Box<dyn std::error::Error>> {
        let client = self.builder().no_rate_limit().build()?;
        let taxpayer = client.taxpayer(gstin(0), "anybody")?;
        taxpayer.verify_otp("575757").await?;
        let session = taxpayer.saved().ok_or("no session")?;
        Ok(set(self.builder()).token_store(Arc::new(OneSession(session))).build()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives everybody the same session, so that the store takes no memory.
struct OneSession(SavedToken);

impl TokenStore for OneSession {
    fn get<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<Option<SavedToken>, BoxError>> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }

    fn put_if_newer<'a>(
        &'a self,
        _: &'a TokenKey,
        _: &'a SavedToken,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async { Ok(true) })
    }

    fn remove<'a>(&'a self, _: &'a TokenKey) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async { Ok(()) })
    }
}

fn gstin(index: usize) -> Gstin {
    let letter = char::from(b'A' + u8::try_from(index / 10_000 % 26).unwrap_or_default());
    let start = format!("33AAAC{letter}{:04}A1Z", index % 10_000);
    (b'0'..=b'9')
        .chain(b'A'..=b'Z')
        .find_map(|check| Gstin::new(&format!("{start}{}", char::from(check))).ok())
        .expect("one check digit fits")
}

fn firm(count: usize) -> impl Iterator<Item = TaxpayerId> + Send {
    (0..count).map(|index| TaxpayerId { gstin: gstin(index), username: format!("user{index}") })
}

// --- what is measured ---------------------------------------------------------

async fn memory() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start(0, 0)?;
    let client = server.client(ClientBuilder::no_rate_limit).await?;
    let mut peaks = Vec::new();
    for count in [100, 10_000] {
        let mut sweep = client.sweep(firm(count)).start();
        let mut failed = 0;
        while let Some(item) = sweep.next().await {
            failed += usize::from(item.result.is_err());
        }
        assert_eq!(failed, 0);
        peaks.push(peak_kib());
    }
    match peaks[..] {
        [Some(small), Some(large)] => println!(
            "memory      peak {small} KiB with 100 taxpayers, {large} KiB with 10,000: {} KiB more (at most 10,240)",
            large - small
        ),
        _ => println!("memory      not known on this system"),
    }
    Ok(())
}

async fn throughput() -> Result<(), Box<dyn std::error::Error>> {
    const AT_ONCE: u32 = 64;
    const DELAY: f64 = 0.05;
    let server = Server::start(50, 0)?;
    let client = server.client(ClientBuilder::no_rate_limit).await?;
    let alone = alone(&client).await?;
    let mut sweep = client.sweep(firm(100_000)).concurrency(AT_ONCE as usize).start();
    // Connections are made by then.
    for _ in 0..10 * AT_ONCE {
        sweep.next().await;
    }
    let (start, busy) = (Instant::now(), cpu_seconds(&server));
    let mut answered = 0_u32;
    while start.elapsed() < Duration::from_secs(5) {
        answered += u32::from(sweep.next().await.is_some_and(|item| item.result.is_ok()));
    }
    let (seconds, after) = (start.elapsed().as_secs_f64(), cpu_seconds(&server));
    let (rate, possible) = (f64::from(answered) / seconds, f64::from(AT_ONCE) / DELAY);
    let share = 100.0 * rate / possible;
    // Its calls would stay in flight.
    drop(sweep);
    let plain = without_sweep(&client, AT_ONCE).await?;
    print!(
        "throughput  {rate:.0} calls a second, {share:.1} % of the {possible:.0} that 64 at once allow at 50 ms; \
         a call alone takes {:.1} ms, which allows {:.0}; {plain:.0} by 64 tasks without a sweep",
        1000.0 * alone,
        f64::from(AT_ONCE) / alone
    );
    let cores =
        std::thread::available_parallelism().map_or(1.0, |n| f64::from(u32::try_from(n.get()).unwrap_or(1)));
    match (busy, after) {
        (Some(before), Some(after)) => {
            let load = 100.0 * (after - before) / seconds / cores;
            println!(
                "; client and server used {load:.0} % of the {cores} cores{}",
                if share < 95.0 && load > 80.0 { ": CPU bound" } else { "" }
            );
        }
        _ => println!(),
    }
    Ok(())
}

/// Seconds that one call takes while there is no other: the server's delay,
/// which timers round up, and all the rest.
async fn alone(client: &Client) -> Result<f64, Box<dyn std::error::Error>> {
    const CALLS: u32 = 40;
    let session = client.taxpayer(gstin(0), "anybody")?.restore().await?.ok_or("no session")?;
    session.ims().counts(TypeOfGoods::Others).await?;
    let start = Instant::now();
    for _ in 0..CALLS {
        session.ims().counts(TypeOfGoods::Others).await?;
    }
    Ok(start.elapsed().as_secs_f64() / f64::from(CALLS))
}

/// Calls a second of as many tasks that each make one after the other: what
/// timers and machine leave of the possible.
async fn without_sweep(client: &Client, tasks: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let session = client.taxpayer(gstin(0), "anybody")?.restore().await?.ok_or("no session")?;
    let start = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while start.elapsed() < Duration::from_secs(5) {
                    answered += u32::from(session.ims().counts(TypeOfGoods::Others).await.is_ok());
                }
                answered
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += task.await?;
    }
    Ok(f64::from(answered) / start.elapsed().as_secs_f64())
}

async fn allowance() -> Result<(), Box<dyn std::error::Error>> {
    const LIMIT: u32 = 1000;
    let mut server = Server::start(0, LIMIT as usize)?;
    let client = server.client(|builder| builder.requests_per_minute(LIMIT)).await?;
    // The login for the session has a client of its own, and is counted by the
    // server: let it leave the first window.
    tokio::time::sleep(Duration::from_secs(61)).await;
    let (before, _) = server.requests()?;
    let mut sweep = client.sweep(firm(10_000)).goods([TypeOfGoods::Others]).start();
    let (mut first, mut answered) = (None, 0_u32);
    while let Some(item) = sweep.next().await {
        first.get_or_insert_with(Instant::now);
        item.result?;
        answered += 1;
        // The first answer of the third window.
        if answered > 2 * LIMIT {
            break;
        }
    }
    let minutes = first.map_or(0.0, |first| first.elapsed().as_secs_f64()) / 60.0;
    let used = 100.0 * f64::from(answered - 1) / (f64::from(LIMIT) * minutes);
    let (after, refused) = server.requests()?;
    println!(
        "allowance   {used:.1} % of {LIMIT} a minute used (at least 97); \
         the server had {} requests and refused {refused} of them with 429 (none)",
        after - before
    );
    Ok(())
}

/// Most memory that this process has had, from `/proc`.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Time on the processor of this process and the server, from `/proc`.
fn cpu_seconds(server: &Server) -> Option<f64> {
    let ticks = |process: &str| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?)
    };
    // A hundred ticks a second on every Linux that there is.
    Some(f64::from(ticks("self")? + ticks(&server.child.id().to_string())?) / 100.0)
}
