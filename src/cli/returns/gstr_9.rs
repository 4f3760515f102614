//! `sandbox gstr-9`.

use clap::{Args, Subcommand};
use sandbox_client::{
    Document, Session,
    gstr_9::types::{Gstr9, Gstr9Amounts, Gstr9TaxPaid},
    values::{Amount, FinancialYear, Gstin},
};

use super::{
    Name, Save, Status, Totals, agrees_to_save, read, show,
    signing::{Signing, ToFile},
    status, sum,
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
    /// Show the draft at GSTN; --format json prints all of it, to edit and save
    #[command(after_help = "Example: sandbox --mock gstr-9 get --year 2023-24 --format json > draft.json")]
    Get {
        #[command(flatten)]
        of: Year,
        /// Show the figures that GSTN has computed, instead of the draft
        #[arg(long)]
        computed: bool,
        #[command(flatten)]
        select: Select,
    },
    /// Save tables from a file and wait until GSTN has checked them; asks first
    #[command(after_help = "Example: sandbox gstr-9 save --year 2023-24 --from tables.json")]
    Save {
        #[command(flatten)]
        of: Year,
        #[command(flatten)]
        save: Save,
    },
    /// Show whether the return is filed, or the result of a save
    #[command(after_help = "Example: sandbox --mock gstr-9 status --year 2023-24")]
    Status {
        #[command(flatten)]
        of: Year,
        #[command(flatten)]
        status: Status,
    },
    /// Prepare the return and file it; shows the totals, asks, and reads the OTP
    ///
    /// Shows the totals and asks before it files. If the return is already filed,
    /// shows its ARN.
    #[command(after_help = "Example: sandbox gstr-9 file --year 2023-24 --pan ABCDE1234F --dry-run")]
    File {
        #[command(flatten)]
        of: Year,
        #[command(flatten)]
        signing: Signing,
    },
}

#[derive(Debug, Args)]
pub struct Year {
    /// The financial year, such as 2023-24
    #[arg(long)]
    pub year: FinancialYear,
}

pub async fn run(shared: &Shared, arguments: &Command) -> Result<(), Failure> {
    let format = shared.format;
    match &arguments.action {
        Action::Get { of, computed, select } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(select).await?;
            let draft = if *computed {
                let api = session.gstr_9();
                api.get_gstr_9_auto_calculated().financial_year(of.year).send().await?.into_document()?
            } else {
                session.gstr_9().filing(of.year).draft().await?
            };
            show(&draft, totals, format)
        }
        Action::Status { of, status: asked } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&asked.select).await?;
            let (name, filing) = (name(of, &session), session.gstr_9().filing(of.year));
            status(&connection, &session, filing, (&name, asked), format).await
        }
        Action::Save { of, save } => {
            confirm::refuse_without_terminal(&save.send_options)?;
            let draft = read::<Gstr9>(&save.from)?;
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&save.select).await?;
            let name = name(of, &session);
            if !agrees_to_save(&draft, totals, &name, &save.send_options, format)? {
                return Ok(());
            }
            let look = "It is safe to save again: each table is replaced.";
            let saved = signals::sending(session.gstr_9().filing(of.year).save(draft), look).await?;
            let saved = saved.map_err(|error| job::not_sent(error, look))?;
            job::after_sending(&connection, saved.job(), &save.send_options, format, &name.status).await
        }
        Action::File { of, signing } => {
            signing.refuse_without_terminal()?;
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&signing.select).await?;
            let (name, filing) = (name(of, &session), session.gstr_9().filing(of.year));
            let mut to_file = ToFile { connection: &connection, filing, name, signing, totals, format };
            if to_file.is_filed().await? {
                return Ok(());
            }
            let draft = to_file.filing.draft().await?;
            let gstin = draft.gstin.as_deref().map(Gstin::unchecked).transpose()?;
            to_file.name_taxpayer(&session, gstin);
            let processed = to_file.filing.saved_draft().await?;
            let ready = processed.already_ready();
            to_file.close_and_file(&draft, processed.proceed(), Some(ready)).await
        }
    }
}

fn name(of: &Year, session: &Session) -> Name {
    // As an argument has it, without `FY `.
    let year = of.year.to_string();
    Name::of("GSTR-9", year.trim_start_matches("FY "), "--year", session)
}

/// Supplies, credit and tax of the year, and what is to be paid with it.
fn totals(document: &Document<Gstr9>) -> Sheet {
    let mut totals = Totals::new();
    let mut add = |name: &str, of: Option<&Gstr9Amounts>| {
        let amount = |amount: fn(&Gstr9Amounts) -> Option<Amount>| of.and_then(amount).map(Into::into);
        let amounts = [
            amount(|of| of.txval),
            amount(|of| of.iamt),
            amount(|of| of.camt),
            amount(|of| of.samt),
            amount(|of| of.csamt),
        ];
        totals.row(name, amounts);
    };
    add("Supplies with tax", document.table4.as_ref().and_then(|table| table.sup_adv.as_ref()));
    add("All supplies", document.table5.as_ref().and_then(|table| table.total_tover.as_ref()));
    add("Credit availed", document.table6.as_ref().and_then(|table| table.total_itc_availed.as_ref()));
    add("Credit reversed", document.table7.as_ref().and_then(|table| table.tot_itc_revd.as_ref()));
    let payable = |of: Option<&Gstr9TaxPaid>| of.and_then(|of| of.txpyble).map(Into::into);
    if let Some(table) = &document.table9 {
        let amounts = [
            payable(table.iamt.as_ref()),
            payable(table.camt.as_ref()),
            payable(table.samt.as_ref()),
            payable(table.csamt.as_ref()),
        ];
        totals.row("Tax payable", [None, amounts[0], amounts[1], amounts[2], amounts[3]]);
    }
    let due = document.tax_pay.as_deref().unwrap_or_default();
    if !due.is_empty() {
        let cgst = sum(due.iter().map(|due| due.cgst.as_ref().and_then(|due| due.tot)));
        let sgst = sum(due.iter().map(|due| due.sgst.as_ref().and_then(|due| due.tot)));
        totals.row("To be paid with it", [None, None, cgst, sgst, None]);
    }
    totals.0
}
