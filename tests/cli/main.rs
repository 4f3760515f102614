//! The command `sandbox`, and the first example, as programs.

#[path = "../support/command.rs"]
mod command;
mod doctor;
mod documents;
mod endings;
mod files;
mod first_run;
mod invoices;
mod matching;
mod output;
mod program;
mod returns;
mod sessions;
mod sweeps;
#[cfg(unix)]
#[path = "../support/terminal.rs"]
mod terminal;
