//! How a command fails: what it says, and the exit code that scripts go by.

use std::{fmt, io, process::ExitCode};

use sandbox_client::{CodeMeaning, Error, ErrorKind, field};

use super::output::{has_colours, strip_controls};

/// Exit codes, as `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The service, the network or this machine failed.
    Other = 1,
    /// The arguments do not fit; clap ends with the same.
    Usage = 2,
    /// Credentials or configuration are missing or refused before anything was sent.
    Configuration = 3,
    /// The provider does not let the account in.
    Authentication = 4,
    /// A person must ask for an OTP.
    OtpNeeded = 5,
    RateLimited = 6,
    /// A part of many failed.
    Partial = 7,
    /// GSTN is still preparing the answer, or an earlier job is not finished.
    NotReady = 8,
    /// Stopped by Ctrl-C, as shells count it.
    Interrupted = 130,
    /// Stopped by SIGTERM, as shells count it.
    Terminated = 143,
}

/// Why a command ends early.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string(), hint: None }
    }

    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub fn configuration(message: impl fmt::Display) -> Self {
        Self::new(Exit::Configuration, message)
    }

    /// Mistakes of a file, the first ten of them.
    pub fn mistakes(file: impl fmt::Display, mut mistakes: Vec<String>) -> Self {
        const TOLD: usize = 10;
        let more = mistakes.len().saturating_sub(TOLD);
        mistakes.truncate(TOLD);
        if more > 0 {
            mistakes.push(format!("and {more} more"));
        }
        Self::usage(format!("{file} has mistakes")).hint(mistakes.join("\n"))
    }

    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// Message and hint as one line.
    pub fn advice(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}. {}", self.message, hint.replace('\n', " ")),
            None => self.message.clone(),
        }
    }

    /// Tells it on standard error, in colour where that is a terminal.
    pub fn report(&self) -> ExitCode {
        let (red, plain) = if has_colours(&io::stderr()) { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        eprintln!("{red}error:{plain} {}", lines(&self.message));
        if let Some(hint) = &self.hint {
            eprintln!("{}", lines(hint));
        }
        ExitCode::from(self.exit as u8)
    }
}

/// Names of files and cells may stand in them, and have anything in them.
fn lines(text: &str) -> String {
    text.split('\n').map(strip_controls).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(exit_of(&error), error)
    }
}

/// Of what is printed; files, folders and ports are named where they fail.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Other, format!("cannot write to standard output: {error}"))
    }
}

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        let text = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            _ => Self::new(Exit::Other, text),
        }
    }
}

/// The exit code that an error of the library stands for.
pub fn exit_of(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::Config => match error.field() {
            Some(field::TAXPAYER_TOKEN) => Exit::OtpNeeded,
            Some(
                field::KEY
                | field::SECRET
                | field::BASE_URL
                | field::ENVIRONMENT
                | field::HTTP
                | field::PLATFORM_TOKEN
                | field::REDIS_WORKERS
                | field::FOLDER,
            ) => Exit::Configuration,
            Some(field) if field.starts_with("SANDBOX_") => Exit::Configuration,
            _ => Exit::Usage,
        },
        ErrorKind::Input => Exit::Usage,
        ErrorKind::Auth | ErrorKind::Denied => Exit::Authentication,
        ErrorKind::SessionExpired => Exit::OtpNeeded,
        ErrorKind::RateLimited => Exit::RateLimited,
        _ if error.is_not_ready() || error.meaning() == Some(CodeMeaning::Busy) => Exit::NotReady,
        _ => Exit::Other,
    }
}
