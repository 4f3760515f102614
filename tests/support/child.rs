//! Tests that need a process of their own: its environment, its memory.

use std::{
    env,
    ffi::OsString,
    process::{Command, Stdio},
};

const MARK: &str = "SANDBOX_TEST_CHILD";

/// One test of this binary, named with its module, run once more in a child
/// process with other environment variables.
///
/// ```ignore
/// #[test]
/// fn some_test() {
///     if Child::is_this() {
///         return the_part_that_needs_the_environment();
///     }
///     Child::of("some_module::some_test").env("NAME", "value").run();
/// }
/// ```
pub struct Child {
    test: &'static str,
    command: Command,
}

impl Child {
    /// Whether this process is such a child.
    pub fn is_this() -> bool {
        env::var_os(MARK).is_some()
    }

    /// Without the variables that a client or its HTTP library reads.
    pub fn of(test: &'static str) -> Self {
        let mut command = Command::new(env::current_exe().expect("this binary"));
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, "1");
        let read = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"];
        for name in read.into_iter().map(String::from).chain(read.map(str::to_lowercase)) {
            command.env_remove(name);
        }
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SANDBOX_")) {
            if name != MARK {
                command.env_remove(name);
            }
        }
        Self { test, command }
    }

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Runs it to its end and panics unless it passed.
    #[track_caller]
    pub fn run(mut self) {
        let output = self.command.stdin(Stdio::null()).output().expect("a child process");
        let text = String::from_utf8_lossy(&output.stdout);
        // A test that was renamed would run nothing, successfully.
        assert!(
            output.status.success() && text.contains("1 passed"),
            "the child of {} failed:\n{text}\n{}",
            self.test,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
