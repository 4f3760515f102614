//! A real Redis server for tests, and what can happen to it.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// `redis-server` on a free port of the loopback interface, nothing on disk.
/// Stopped when it is dropped.
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With further settings, as on the command line of `redis-server`.
    pub fn with(settings: &[&str]) -> Self {
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { folder: tempfile::tempdir().unwrap(), port: 0, settings, process: None };
        // A port that is free now may be taken before the server has it.
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.try_start() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    /// On the same port.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let started = Instant::now();
        while !self.try_start() {
            assert!(started.elapsed() < Duration::from_secs(10), "redis-server does not start again");
            sleep(Duration::from_millis(100));
        }
    }

    /// Whether it got its port.
    fn try_start(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.settings)
            .stdout(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| {
            panic!(
                "redis-server cannot be started ({error}). These tests need it: install the system's package, \
                 on Debian and Ubuntu `apt-get install redis-server`"
            )
        });
        let process = self.process.insert(process);
        let started = Instant::now();
        while process.try_wait().unwrap().is_none() {
            if answers(self.port) {
                return true;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "redis-server does not answer");
            sleep(Duration::from_millis(20));
        }
        self.process = None;
        false
    }

    /// Kills it: all that it held is gone.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        signal(self.process.as_ref().expect("it runs").id(), name);
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What `redis-cli` answers.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = command(self.port, arguments).output().expect("redis-cli");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.cli(&["keys", "*"]).lines().map(str::to_owned).collect();
        keys.sort();
        keys
    }
}

fn command(port: u16, arguments: &[&str]) -> Command {
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p"]).arg(port.to_string()).args(arguments);
    command
}

fn answers(port: u16) -> bool {
    command(port, &["ping"]).output().is_ok_and(|output| output.stdout.starts_with(b"PONG"))
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Sends a signal, such as `STOP`, to a process.
#[track_caller]
pub fn signal(process: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
    assert!(status.success(), "kill -{name}");
}
