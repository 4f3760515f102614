//! The question before something is sent that changes what GSTN has.

use std::io::{self, IsTerminal as _};

use clap::Args;

use super::{
    connection::read_line,
    failure::{Exit, Failure},
    job::Waiting,
};

/// How something is sent that changes what GSTN has.
#[derive(Debug, Args)]
pub struct SendOptions {
    /// Send without asking, for scripts
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be sent, without sending it
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Where nobody can be asked, nothing is begun.
pub fn refuse_without_terminal(send_options: &SendOptions) -> Result<(), Failure> {
    if send_options.yes || send_options.dry_run { Ok(()) } else { refuse_without_a_terminal() }
}

/// The same, where a question is certain.
pub fn refuse_without_a_terminal() -> Result<(), Failure> {
    if can_ask() {
        return Ok(());
    }
    Err(Failure::usage("cannot ask for confirmation without a terminal; nothing was sent")
        .hint("Check with --dry-run, then send with --yes."))
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

pub fn ask(question: &str) -> Result<(), Failure> {
    eprint!("{question} [y/N] ");
    let answer = read_line()?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    if answer.is_empty() {
        // Ctrl-D leaves the cursor behind the question.
        eprintln!();
    }
    Err(Failure::new(Exit::Other, "not confirmed; nothing was sent"))
}
