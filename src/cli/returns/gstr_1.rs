//! `sandbox gstr-1`.

use std::path::Path;

use clap::{Args, Subcommand};
use sandbox_client::{
    Document,
    gstr_1::types::{Gstr1, Gstr1Summary},
    values::ReturnPeriod,
};
use serde_json::Value;

use super::{
    Name, Period, Save, Status, agrees_to_save, cell, read,
    sections::{self, Get},
    show,
    signing::{Signing, ToFile},
    status,
};
use crate::cli::{
    arguments::{Select, Shared},
    confirm,
    connection::Connection,
    failure::Failure,
    job,
    output::Sheet,
    signals,
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
    /// Show the totals of each section; --format json prints the summary that is filed
    #[command(after_help = "Example: sandbox --mock gstr-1 summary --period 112024")]
    Summary {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        select: Select,
    },
    /// Save sections from a file and wait until GSTN has checked them; asks first
    ///
    /// Each row replaces the row with the same number. The file comes from `get --format
    /// json` or from the offline tool of the GST portal. Its members `gstin` and `fp`
    /// name the taxpayer and the period. It is sent unchanged.
    #[command(after_help = SAVE)]
    Save(Save),
    /// Show whether the return is filed, or the result of a save
    #[command(after_help = "Example: sandbox --mock gstr-1 status --period 112024")]
    Status {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        status: Status,
    },
    /// Close the return and file it; shows the totals, asks, and reads the OTP
    ///
    /// Shows the totals of each section and asks before it closes the return, and again
    /// before it files it. If the return is already filed, shows its ARN.
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

const GET: &str = "\
Examples:
  sandbox --mock gstr-1 get --period 112024
  sandbox gstr-1 get --period 112024 --section b2b --format csv > b2b.csv
  sandbox gstr-1 get --period 112024 --format json > gstr-1.json

A table or CSV of one section has a row for each rate; of several, a row for each section.
JSON is the return as GSTN gave it, with gstin and fp.";

const SAVE: &str = "\
Examples:
  sandbox --mock gstr-1 save --from gstr-1.json --dry-run
  sandbox gstr-1 save --from returns_offline.json";

/// Members that the offline tool of the GST portal writes beside the return (inferred
/// from files of that tool).
const OFFLINE_TOOL: [&str; 2] = ["version", "hash"];

const FILE: &str = "\
Examples:
  sandbox gstr-1 file --period 112024 --pan ABCDE1234F --dry-run
  sandbox gstr-1 file --period 112024 --pan ABCDE1234F
  sandbox gstr-1 file --period 112024 --pan ABCDE1234F --nil";

pub async fn run(shared: &Shared, arguments: &Command) -> Result<(), Failure> {
    let format = shared.format;
    match &arguments.action {
        Action::Get(get) => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&get.select).await?;
            let period = get.of.period;
            // With whose it is, and when: so it can be saved.
            let whole = |document: Document<Gstr1>| {
                let document = document.with("fp", period)?;
                match session.taxpayer_id() {
                    Some(taxpayer) => document.with("gstin", taxpayer.gstin),
                    None => Ok(document),
                }
            };
            sections::get(format, session.gstr_1().all(period), &get.section, whole).await
        }
        Action::Summary { of, select } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(select).await?;
            show(&session.gstr_1().filing(of.period).draft().await?, totals, format)
        }
        Action::Save(save) => {
            confirm::refuse_without_terminal(&save.send_options)?;
            let (draft, of) = read_draft(&save.from)?;
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&save.select).await?;
            let name = Name::monthly("GSTR-1", &of, &session);
            if !agrees_to_save(&draft, sections::totals, &name, &save.send_options, format)? {
                return Ok(());
            }
            let look = "It is safe to save again: rows replace those with the same number.";
            let saved = signals::sending(session.gstr_1().filing(of.period).save(draft), look).await?;
            let saved = saved.map_err(|error| job::not_sent(error, look))?;
            job::after_sending(&connection, saved.job(), &save.send_options, format, &name.status).await
        }
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

/// The sections of a file, and the period that it names.
fn read_draft(file: &Path) -> Result<(Document<Gstr1>, Period), Failure> {
    let mut draft = read::<Gstr1>(file)?;
    for member in OFFLINE_TOOL {
        draft = draft.without(member)?;
    }
    if sections::totals(&draft).is_empty() {
        return Err(Failure::usage(format!("{} has no section to save", file.display())));
    }
    let period = draft.fp.as_deref().and_then(|period| period.parse::<ReturnPeriod>().ok());
    match period {
        Some(period) => Ok((draft, Period { period })),
        None => Err(Failure::usage(format!("{}: `fp` must be the period, MMYYYY", file.display()))),
    }
}

/// Documents and amounts of each section.
fn totals(summary: &Document<Gstr1Summary>) -> Sheet {
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
