//! `sandbox gstr-2a`.

use clap::{Args, Subcommand};

use super::{
    Period,
    sections::{self, Get},
    show,
};
use crate::cli::{
    arguments::{Select, Shared},
    connection::Connection,
    failure::Failure,
};

#[derive(Debug, Args)]
pub struct Command {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show the contents of a period, section by section
    #[command(after_help = GET)]
    Get(Get),
    /// Show a period with one call; GSTN documents three of its sections
    #[command(after_help = "Example: sandbox --mock gstr-2a summary --period 102026")]
    Summary {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        select: Select,
    },
}

const GET: &str = "\
Examples:
  sandbox --mock gstr-2a get --period 102026
  sandbox gstr-2a get --period 102026 --section b2b --format csv > b2b.csv

A table or CSV of one section has a row for each rate; of several, a row for each section.
JSON is the return as GSTN gave it.";

pub async fn run(shared: &Shared, arguments: &Command) -> Result<(), Failure> {
    let format = shared.format;
    match &arguments.action {
        Action::Get(get) => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&get.select).await?;
            sections::get(format, session.gstr_2a().all(get.of.period), &get.section, Ok).await
        }
        Action::Summary { of, select } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(select).await?;
            let answer = session.gstr_2a().get_gstr_2a().year(of.period).month(of.period).send().await?;
            show(&answer.into_document()?, sections::totals, format)
        }
    }
}
