//! The command `sandbox`, one idea per file.
//!
//! Data go to standard output and everything else to standard error, so that
//! a pipe carries data alone.

// Those of std panic where standard error is closed, and the exit code would be lost.
macro_rules! eprint {
    ($($text:tt)*) => { crate::cli::output::say(format_args!($($text)*)) };
}
macro_rules! eprintln {
    () => { crate::cli::output::say(format_args!("\n")) };
    ($($text:tt)*) => { crate::cli::output::say(format_args!("{}\n", format_args!($($text)*))) };
}

mod analytics;
mod api;
mod arguments;
mod checkpoint;
mod config;
mod confirm;
mod connection;
mod counts;
mod doctor;
mod documents;
mod failure;
mod files;
mod folders;
mod gstr_2b;
mod invoices;
mod job;
mod login;
mod matching;
mod mock;
mod output;
mod page;
mod problem;
mod returns;
mod sessions;
#[cfg(feature = "redis")]
mod shared_store;
mod signals;
mod sweep;
mod table;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::FromArgMatches as _;
use tracing::Level;

use arguments::{Arguments, Command};
use failure::Failure;

/// Reads the arguments, runs what they ask for and tells how it ended.
pub async fn main() -> ExitCode {
    let matches = arguments::command().get_matches();
    // What clap has accepted fits the type that it was made from.
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    show_warnings();
    let outcome = match &arguments.command {
        Command::Counts(counts) => counts::run(&arguments.shared, counts).await,
        Command::Invoices(invoices) => invoices::run(&arguments.shared, invoices).await,
        Command::Match(matching) => matching::run(&arguments.shared, matching).await,
        Command::Gstr2b(gstr_2b) => gstr_2b::run(&arguments.shared, gstr_2b).await,
        Command::Gstr1(gstr_1) => returns::gstr_1::run(&arguments.shared, gstr_1).await,
        Command::Gstr2a(gstr_2a) => returns::gstr_2a::run(&arguments.shared, gstr_2a).await,
        Command::Gstr3b(gstr_3b) => returns::gstr_3b::run(&arguments.shared, gstr_3b).await,
        Command::Gstr9(gstr_9) => returns::gstr_9::run(&arguments.shared, gstr_9).await,
        Command::Analytics(analytics) => analytics::run(&arguments.shared, analytics).await,
        Command::EInvoice(command) => documents::e_invoice(&arguments.shared, command).await,
        Command::EWayBill(command) => documents::e_way_bill(&arguments.shared, command).await,
        Command::Login(login) => login::run(&arguments.shared, login).await,
        Command::Sessions(sessions) => sessions::run(&arguments.shared, sessions).await,
        Command::Sweep(sweep) => sweep::run(&arguments.shared, sweep).await,
        Command::Mock(mock) => mock::run(&arguments.shared, mock).await,
        Command::Api => api::run(&arguments.shared, &matches).await,
        Command::Config => config::run(&arguments.shared),
        Command::Doctor => doctor::run(&arguments.shared).await,
        Command::Completions { shell } => completions(*shell),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What the library warns of and goes on: a store or a server that fails.
fn show_warnings() {
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .without_time()
        .init();
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut arguments::command(), "sandbox", &mut script);
    Ok(output::Out.write_all(&script)?)
}
