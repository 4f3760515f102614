//! One worker of many: a process with a client of its own, which does what it
//! is told on standard input, a line each, and answers with a line.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use sandbox_client::{
    Client, Error, RetryPolicy,
    ims::types::TypeOfGoods,
    mock::MockServer,
    redis::{EncryptionKey, Redis},
    session::types::TaxpayerLogin,
    values::Gstin,
};
use tokio::task::JoinSet;

use crate::support::{RedisServer, signal};

/// The encryption key of all workers.
pub const KEY: [u8; 32] = *b"an encryption key for tests only";
pub const MARK: &str = "@ ";
/// The password of an API user of NIC.
pub const PASSWORD: &str = "canary-of-a-password";
const IRN: &str = "49a7c675b25f730d2353622e4767df203fed2495411953e0351737d47308d868";
const WORKER: &str = "SANDBOX_TEST_WORKER";

/// A worker's process, killed when it is dropped.
pub struct Worker {
    process: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

/// How workers are started.
#[derive(Clone)]
pub struct Setting<'a> {
    pub mock: &'a MockServer,
    pub redis: String,
    /// Requests a minute; 0 for no limit.
    pub limit: u32,
    pub workers: u32,
    /// How far its clock is from the true time, as `faketime` takes it.
    pub clock: Option<&'a str>,
    /// A file that says so, for clocks that are set while it runs.
    pub clock_file: Option<&'a str>,
    /// File of the certificates that it trusts.
    pub certificates: Option<&'a str>,
}

impl<'a> Setting<'a> {
    pub fn new(mock: &'a MockServer, redis: &RedisServer) -> Self {
        Self {
            mock,
            redis: redis.url(),
            limit: 0,
            workers: 8,
            clock: None,
            clock_file: None,
            certificates: None,
        }
    }

    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    pub fn clock(mut self, clock: &'a str) -> Self {
        self.clock = Some(clock);
        self
    }

    pub fn clock_of(mut self, file: &'a str) -> Self {
        self.clock_file = Some(file);
        self
    }

    pub fn certificates(mut self, file: &'a str) -> Self {
        self.certificates = Some(file);
        self
    }

    pub fn start(&self) -> Worker {
        let program = std::env::current_exe().unwrap();
        let moved = |clock| {
            let mut command = Command::new("faketime");
            command.args(["-m", "--exclude-monotonic", "-f", clock]);
            command
        };
        let mut command = match (self.clock, self.clock_file) {
            (None, None) => Command::new(program),
            (Some(clock), _) => {
                let mut command = moved(clock);
                command.arg(program);
                command
            }
            // Of both, its library would take what the program `faketime` sets.
            (None, Some(file)) => {
                let mut command = moved("+0");
                command.args(["env", "-u", "FAKETIME"]).arg(program);
                command.env("FAKETIME_TIMESTAMP_FILE", file).env("FAKETIME_NO_CACHE", "1");
                command
            }
        };
        command
            .args(["worker::a_worker_does_what_it_is_told", "--exact", "--nocapture", "--test-threads=1"])
            .env(WORKER, format!("{} {} {}", self.redis, self.limit, self.workers))
            .env("SANDBOX_API_KEY", self.mock.key())
            .env("SANDBOX_API_SECRET", self.mock.secret())
            .env("SANDBOX_BASE_URL", self.mock.base_url())
            .env_remove("SANDBOX_ACCESS_TOKEN")
            .envs(self.certificates.map(|file| ("SSL_CERT_FILE", file)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("a worker cannot be started ({error}); one with a moved clock needs the package faketime")
        });
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, answer)) = line.split_once(MARK) {
                    let _ = send.send(answer.to_owned());
                }
            }
        });
        let mut worker = Worker { process, input, lines };
        assert_eq!(worker.ask("hello"), "hello");
        worker
    }

    pub fn start_many(&self, count: usize) -> Vec<Worker> {
        (0..count).map(|_| self.start()).collect()
    }
}

impl Worker {
    pub fn tell(&mut self, command: &str) {
        writeln!(self.input, "{command}").unwrap();
    }

    #[track_caller]
    pub fn answer(&mut self) -> String {
        self.lines.recv_timeout(Duration::from_secs(150)).expect("an answer of the worker")
    }

    /// The next line; `None` once the process has ended.
    pub fn line(&mut self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(150)).ok()
    }

    #[track_caller]
    pub fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer()
    }

    pub fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Tells all and then waits for all.
#[track_caller]
pub fn ask_all(workers: &mut [Worker], command: &str) -> Vec<String> {
    for worker in workers.iter_mut() {
        worker.tell(command);
    }
    workers.iter_mut().map(Worker::answer).collect()
}

// --- in the process of a worker ------------------------------------------------

#[test]
fn a_worker_does_what_it_is_told() {
    let Ok(setting) = std::env::var(WORKER) else {
        // Started by the test runner: one that cannot reach anything still answers.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mock = runtime.block_on(MockServer::start()).unwrap();
        let redis = "redis://127.0.0.1:1".to_owned();
        let mut worker = Setting {
            mock: &mock,
            redis,
            limit: 0,
            workers: 1,
            clock: None,
            clock_file: None,
            certificates: None,
        }
        .start();
        assert_eq!(worker.ask("calls 3"), "3 done");
        assert_eq!(worker.ask("up"), "false");
        return;
    };
    tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let client = client(&setting).unwrap();
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let answer = runtime.block_on(obey(&client, &line));
        println!(
            "{MARK}{}",
            answer.unwrap_or_else(|error| format!("error {}: {error}", error.kind().as_str()))
        );
    }
}

/// What the worker's log says.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn client(setting: &str) -> Result<Client, Error> {
    let [url, limit, workers] = setting.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let redis = Redis::new(url, &EncryptionKey::new(KEY), workers.parse().unwrap())?;
    let builder = sandbox_client::ClientBuilder::from_env()?
        .redis(redis)
        // Workers are not served in order: one of many may wait for minutes.
        .call_timeout(Duration::from_secs(600))
        .retry(RetryPolicy::default().base_backoff(Duration::from_millis(5)));
    match limit.parse().unwrap() {
        0 => builder.no_rate_limit().build(),
        limit => builder.requests_per_minute(limit).build(),
    }
}

async fn obey(client: &Client, line: &str) -> Result<String, Error> {
    let words: Vec<_> = line.split(' ').collect();
    Ok(match words[..] {
        // So many calls at once.
        ["calls", count] => {
            let calls: JoinSet<_> = (0..count.parse().unwrap()).map(|_| call(client.clone())).collect();
            tell(calls.join_all().await)
        }
        // A call that has half a second, and why it failed.
        ["hurry"] => match call(client.with_call_timeout(Duration::from_millis(500))).await {
            Ok(()) => "done".to_owned(),
            Err(error) => error.to_string(),
        },
        // So many calls that are given up soon.
        ["drop", count] => {
            let calls: JoinSet<_> = (0..count.parse().unwrap())
                .map(|_| tokio::time::timeout(Duration::from_millis(300), call(client.clone())))
                .collect();
            assert!(calls.join_all().await.iter().all(Result::is_err), "a call was made");
            "dropped".to_owned()
        }
        // Two calls at a time for so many seconds; those that wait then are given up.
        ["flood", seconds] => {
            let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
            let done = Arc::new(Mutex::new(Vec::new()));
            let floods: JoinSet<_> = (0..2)
                .map(|_| {
                    let (client, done) = (client.clone(), done.clone());
                    async move {
                        loop {
                            let result = call(client.clone()).await;
                            done.lock().unwrap().push(result);
                        }
                    }
                })
                .collect();
            let _ = tokio::time::timeout_at(end.into(), floods.join_all()).await;
            tell(std::mem::take(&mut done.lock().unwrap()))
        }
        // So many calls with the token of an API user of NIC, at once.
        ["invoices", gstin, count] => {
            let session = client.e_invoice(Gstin::unchecked(gstin)?, "canary-of-a-user", PASSWORD)?;
            let calls: JoinSet<_> = (0..count.parse().unwrap())
                .map(|_| {
                    let session = session.clone();
                    async move { session.e_invoice().get_e_invoice().irn(IRN).send().await.map(drop) }
                })
                .collect();
            tell(calls.join_all().await)
        }
        ["bills", gstin, count] => {
            let session = client.e_way_bill(Gstin::unchecked(gstin)?, "canary-of-a-user", PASSWORD)?;
            let calls: JoinSet<_> = (0..count.parse().unwrap())
                .map(|_| {
                    let session = session.clone();
                    async move { session.e_way_bill().get_error_list().send().await.map(drop) }
                })
                .collect();
            tell(calls.join_all().await)
        }
        ["otp", gstin] => {
            let taxpayer = client.taxpayer(Gstin::unchecked(gstin)?, "canary-of-a-user")?;
            taxpayer.verify_otp("575757").await?;
            "session".to_owned()
        }
        ["count", gstin] => {
            let taxpayer = client.taxpayer(Gstin::unchecked(gstin)?, "canary-of-a-user")?;
            match taxpayer.restore().await? {
                Some(session) => {
                    session.ims().counts(TypeOfGoods::Others).await.map(|_| "counted".to_owned())?
                }
                None => "no session".to_owned(),
            }
        }
        // Seconds that a session lives on, as it is shown.
        ["left", gstin] => {
            let taxpayer = client.taxpayer(Gstin::unchecked(gstin)?, "canary-of-a-user")?;
            taxpayer.restore().await?;
            let until = taxpayer.saved().map(|saved| saved.expires_at());
            let left = until.and_then(|until| until.duration_since(std::time::SystemTime::now()).ok());
            left.unwrap_or_default().as_secs().to_string()
        }
        ["refresh", gstin] => {
            client.taxpayer(Gstin::unchecked(gstin)?, "canary-of-a-user")?.refresh().await?;
            "refreshed".to_owned()
        }
        ["logout", gstin] => {
            client.taxpayer(Gstin::unchecked(gstin)?, "canary-of-a-user")?.logout().await?;
            "ended".to_owned()
        }
        ["forget", gstin] => {
            client.taxpayer(Gstin::unchecked(gstin)?, "canary-of-a-user")?.forget().await?;
            "ended".to_owned()
        }
        ["log"] => String::from_utf8_lossy(&LOG.lock().unwrap()).replace('\n', " | "),
        ["up"] => client.redis().unwrap().is_up().to_string(),
        ["sign-in", firm] => {
            for taxpayer in crate::sweep::firm(firm.parse().unwrap()) {
                client.taxpayer(taxpayer.gstin, taxpayer.username)?.verify_otp("575757").await?;
            }
            "signed in".to_owned()
        }
        ["sweep", name, firm] => crate::sweep::work(client, name, firm.parse().unwrap()).await?,
        _ => line.to_owned(),
    })
}

async fn call(client: Client) -> Result<(), Error> {
    let taxpayer = TaxpayerLogin::builder().gstin(Gstin::unchecked("33ABKCS2033B1ZW")?).username("acme.com");
    client.session().generate_otp().body(taxpayer).send().await.map(drop)
}

fn tell(results: Vec<Result<(), Error>>) -> String {
    match results.iter().find_map(|result| result.as_ref().err()) {
        None => format!("{} done", results.len()),
        Some(error) => format!("error {}: {error}", error.kind().as_str()),
    }
}
