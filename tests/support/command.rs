//! The command `sandbox` as a program, with folders of its own.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use sandbox_client::mock::MockServer;
use tempfile::TempDir;

/// A user's configuration and data, gone at the end.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// One whose configuration file names a mock server.
    pub fn of(mock: &MockServer) -> Self {
        let home = Self::new();
        home.configure(&format!(
            "api_key = {:?}\napi_secret = {:?}\nbase_url = {:?}\nrequests_per_minute = 1000000\n",
            mock.key(),
            mock.secret(),
            mock.base_url()
        ));
        home
    }

    /// Writes a configuration file that its owner alone may read.
    pub fn configure(&self, text: &str) {
        fs::write(self.path("config.toml"), text).unwrap();
        restrict(&self.path("config.toml"), 0o600);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
        command.args(arguments).stdin(Stdio::null());
        for name in
            ["API_KEY", "API_SECRET", "ACCESS_TOKEN", "BASE_URL", "REDIS_URL", "REDIS_KEY", "REDIS_WORKERS"]
        {
            command.env_remove(format!("SANDBOX_{name}"));
        }
        command
            .env("SANDBOX_CONFIG_DIR", self.folder.path())
            .env("SANDBOX_DATA_DIR", self.folder.path())
            .env("TZ", "Asia/Kolkata");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// Runs with a line on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{input}").unwrap();
        Run::of(child.wait_with_output().unwrap())
    }
}

/// How a run of the command ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }
}

#[cfg(unix)]
pub fn restrict(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub fn restrict(_: &Path, _: u32) {}
