//! The command `sandbox`: the API from a terminal, and a sweep over a firm.

mod cli;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::main().await
}
