//! `sandbox gstr-1`.

use clap::{Args, Subcommand};
use sandbox_client::gstr_1::types::Gstr1Summary;
use serde_json::Value;

use super::{
    Name, Period, Status, cell,
    signing::{Signing, ToFile},
    status,
};
use crate::cli::{arguments::Shared, connection::Connection, failure::Failure, output::Sheet};

#[derive(Debug, Args)]
pub struct Command {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show whether the return is filed, or what became of a save
    #[command(after_help = "Example: sandbox --mock gstr-1 status --period 112024")]
    Status {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        status: Status,
    },
    /// Close the return and file it; shows what, asks, and reads the OTP
    ///
    /// Shows the totals of each section and asks before it closes the return, and again
    /// before it files it. A return that is filed already is not filed again: its ARN is
    /// shown.
    #[command(after_help = FILE)]
    File {
        #[command(flatten)]
        of: Period,
        /// The return is nil: the period has no supplies
        #[arg(long)]
        nil: bool,
        #[command(flatten)]
        signing: Signing,
    },
}

const FILE: &str = "\
Examples:
  sandbox gstr-1 file --period 112024 --pan ABCDE1234F --dry-run
  sandbox gstr-1 file --period 112024 --pan ABCDE1234F
  sandbox gstr-1 file --period 112024 --pan ABCDE1234F --nil";

pub async fn run(shared: &Shared, arguments: &Command) -> Result<(), Failure> {
    let format = shared.format;
    match &arguments.action {
        Action::Status { of, status: asked } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&asked.select).await?;
            let name = Name::monthly("GSTR-1", of, &session);
            status(&connection, &session, session.gstr_1().filing(of.period), (&name, asked), format).await
        }
        Action::File { of, nil, signing } => {
            signing.refuse_without_terminal()?;
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&signing.select).await?;
            let name = Name::monthly(if *nil { "nil GSTR-1" } else { "GSTR-1" }, of, &session);
            let filing = session.gstr_1().filing(of.period);
            let mut to_file = ToFile { connection: &connection, filing, name, signing, totals, format };
            if to_file.is_filed().await? {
                return Ok(());
            }
            let draft = to_file.filing.draft().await?;
            to_file.name_taxpayer(&session, draft.gstin);
            if *nil {
                return to_file.close_and_file(&draft, to_file.filing.nil(), None).await;
            }
            let processed = to_file.filing.saved_draft().await?;
            let ready = processed.already_ready();
            to_file.close_and_file(&draft, processed.proceed(), Some(ready)).await
        }
    }
}

/// Documents and amounts of each section.
fn totals(summary: &Gstr1Summary) -> Sheet {
    let mut sheet = Sheet::new(&[
        ("section", "Section"),
        ("records", "Records"),
        ("value", "Value"),
        ("taxable", "Taxable value"),
        ("igst", "IGST"),
        ("cgst", "CGST"),
        ("sgst", "SGST"),
        ("cess", "Cess"),
    ])
    .amounts(&["value", "taxable", "igst", "cgst", "sgst", "cess"]);
    for section in summary.sec_sum.iter().flatten() {
        let amounts = [
            section.ttl_val,
            section.ttl_tax,
            section.ttl_igst,
            section.ttl_cgst,
            section.ttl_sgst,
            section.ttl_cess,
        ];
        let mut row = vec![Value::from(section.sec_nm.clone()), section.ttl_rec.into()];
        row.extend(amounts.map(|amount| cell(amount.map(Into::into))));
        sheet.row(row);
    }
    sheet
}
