//! `sandbox gstr-2b`: regenerate it.

use clap::{Args, Subcommand};
use sandbox_client::values::ReturnPeriod;

use super::{
    arguments::{Select, Shared},
    confirm::{self, SendOptions},
    connection::Connection,
    failure::Failure,
    job::{self, Waiting},
    signals,
};

#[derive(Debug, Args)]
pub struct Gstr2b {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Regenerate the GSTR-2B of a period; asks first
    #[command(after_help = "Example: sandbox --mock gstr-2b regenerate --period 112025 --yes")]
    Regenerate {
        /// The period
        #[arg(long, value_name = "MMYYYY")]
        period: ReturnPeriod,
        #[command(flatten)]
        send_options: SendOptions,
        #[command(flatten)]
        select: Select,
    },
    /// Wait for a regeneration that was requested earlier, and show its result
    #[command(after_help = "Example: sandbox gstr-2b job 00f1a5c00000 --no-wait")]
    Job {
        /// The reference id that `regenerate` printed
        reference_id: String,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        select: Select,
    },
}

pub async fn run(shared: &Shared, arguments: &Gstr2b) -> Result<(), Failure> {
    match &arguments.action {
        Action::Regenerate { period, send_options, select } => {
            confirm::refuse_without_terminal(send_options)?;
            let connection = Connection::open(shared).await?;
            let session = connection.session(select).await?;
            let of =
                session.taxpayer_id().map_or(String::new(), |taxpayer| format!(" of {}", taxpayer.gstin));
            let what = format!("GSTR-2B {period}{of}");
            if send_options.dry_run {
                eprintln!("Without --dry-run, {what} would be regenerated.");
                return Ok(());
            }
            if !send_options.yes {
                confirm::ask(&format!("Regenerate {what}?"))?;
            }
            let look = "Request it again if the GSTR-2B does not change.";
            let job = signals::sending(session.gstr_2b().start_regeneration(*period), look).await?;
            let job = job.map_err(|error| job::not_sent(error, look))?;
            eprintln!("GSTN regenerates {what}, job {}.", job.reference_id());
            job::after_sending(&connection, job, send_options, shared.format, "gstr-2b job").await
        }
        Action::Job { reference_id, waiting, select } => {
            let connection = Connection::open(shared).await?;
            let session = connection.session(select).await?;
            let job = session.gstr_2b().job(reference_id.as_str());
            job::follow(&connection, job, waiting, shared.format, "gstr-2b job").await
        }
    }
}
