//! `sandbox gstr-3b`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sandbox_client::{
    Document,
    filing::{Confirmed, Filing, PaymentState, step},
    gstr_3b::types::{
        Gstr3b, Gstr3bAmounts, Gstr3bCashPaid, Gstr3bCreditUsed, Gstr3bDue, Gstr3bLiability,
        Gstr3bNegativeUsed, Gstr3bOffset,
    },
    values::Amount,
};

use super::{
    Name, Period, Save, Status, Totals, agrees_to_save, read, show,
    signing::{Signing, ToFile},
    status, sum, unknown_member,
};
use crate::cli::{
    arguments::{Format, Select, Shared},
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
    #[command(after_help = "Example: sandbox --mock gstr-3b get --period 112024 --format json > draft.json")]
    Get {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        select: Select,
    },
    /// Save a draft from a file and wait until GSTN has checked it; asks first
    #[command(after_help = "Example: sandbox gstr-3b save --period 112024 --from draft.json")]
    Save {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        save: Save,
    },
    /// Show whether the return is filed, or the result of a save
    #[command(after_help = "Example: sandbox --mock gstr-3b status --period 112024")]
    Status {
        #[command(flatten)]
        of: Period,
        #[command(flatten)]
        status: Status,
    },
    /// Pay the liability and file the return; shows the totals, asks, and reads the OTP
    ///
    /// Shows the totals and asks before it pays, and again before it files. If the
    /// return is already filed, shows its ARN.
    #[command(after_help = FILE)]
    File {
        #[command(flatten)]
        of: Period,
        /// How the liability is paid, as JSON with pdcash, pditc and nettaxpay
        #[arg(long, value_name = "FILE", conflicts_with_all = ["nil", "nothing_to_pay"])]
        offset: Option<PathBuf>,
        /// The return has figures, but no liability
        #[arg(long, conflicts_with = "nil")]
        nothing_to_pay: bool,
        /// The return is nil: nothing was saved
        #[arg(long)]
        nil: bool,
        #[command(flatten)]
        signing: Signing,
    },
}

const FILE: &str = "\
Examples:
  sandbox gstr-3b file --period 112024 --pan ABCDE1234F --offset payment.json --dry-run
  sandbox gstr-3b file --period 112024 --pan ABCDE1234F        once the liability is paid
  sandbox gstr-3b file --period 112024 --pan ABCDE1234F --nil";

pub async fn run(shared: &Shared, arguments: &Command) -> Result<(), Failure> {
    let format = shared.format;
    match &arguments.action {
        Action::Get { of, select } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(select).await?;
            show(&session.gstr_3b().filing(of.period).draft().await?, totals, format)
        }
        Action::Status { of, status: asked } => {
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&asked.select).await?;
            let name = Name::monthly("GSTR-3B", of, &session);
            status(&connection, &session, session.gstr_3b().filing(of.period), (&name, asked), format).await
        }
        Action::Save { of, save } => {
            confirm::refuse_without_terminal(&save.send_options)?;
            let draft = read::<Gstr3b>(&save.from)?;
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&save.select).await?;
            let name = Name::monthly("GSTR-3B", of, &session);
            if !agrees_to_save(&draft, totals, &name, &save.send_options, format)? {
                return Ok(());
            }
            let look = "It is safe to save again: the draft is replaced.";
            let saved = signals::sending(session.gstr_3b().filing(of.period).save(draft), look).await?;
            let saved = saved.map_err(|error| job::not_sent(error, look))?;
            job::after_sending(&connection, saved.job(), &save.send_options, format, &name.status).await
        }
        Action::File { of, offset, nothing_to_pay, nil, signing } => {
            signing.refuse_without_terminal()?;
            // A file that cannot be read is told before anything is asked.
            let payment = offset.as_deref().map(read_payment).transpose()?;
            let connection = Connection::for_returns(shared).await?;
            let session = connection.session(&signing.select).await?;
            let name = Name::monthly(if *nil { "nil GSTR-3B" } else { "GSTR-3B" }, of, &session);
            let filing = session.gstr_3b().filing(of.period);
            let to_file = ToFile { connection: &connection, filing, name, signing, totals, format };
            if to_file.is_filed().await? {
                return Ok(());
            }
            if *nil {
                return to_file.sign(&to_file.filing.nil()).await;
            }
            let processed = to_file.filing.saved_draft().await?;
            let ready = if *nothing_to_pay {
                Some(processed.nothing_to_pay())
            } else {
                pay(&processed, payment, &to_file.name, signing, format).await?
            };
            match ready {
                Some(ready) => to_file.sign(&ready).await,
                None => Ok(()),
            }
        }
    }
}

/// A payment as a file has it. A misspelt member would be left out, and less be
/// paid than the file says.
fn read_payment(file: &Path) -> Result<Gstr3bOffset, Failure> {
    let read = read::<Gstr3bOffset>(file)?;
    match unknown_member(&read)? {
        None => Ok(read.into_inner()),
        Some(member) => {
            Err(Failure::usage(format!("{}: a payment has no member `{member}`", file.display())))
        }
    }
}

/// The step after payment; nothing where the payment was only to be shown.
async fn pay(
    processed: &Filing<Gstr3b, step::Processed>,
    payment: Option<Gstr3bOffset>,
    name: &Name,
    signing: &Signing,
    format: Format,
) -> Result<Option<Filing<Gstr3b, step::Ready>>, Failure> {
    let payment = match (processed.payment().await?, payment) {
        (PaymentState::Paid, None) => return Ok(Some(processed.already_paid().await?)),
        (PaymentState::Paid, Some(_)) => {
            return Err(Failure::usage(format!("{name} is already paid")).hint("Omit --offset to file it."));
        }
        (_, None) => {
            return Err(Failure::usage(format!("{name} is not paid yet"))
                .hint("Pay with --offset FILE, or file with --nothing-to-pay."));
        }
        (_, Some(payment)) => Document::from(payment),
    };
    if signing.dry_run {
        show(&payment, payment_totals, format)?;
        eprintln!("Without --dry-run, this payment would be made and {name} would be filed.");
        return Ok(None);
    }
    payment_totals(&payment).show();
    signing.agrees(&format!("Pay the liability of {name}? This cannot be undone."))?;
    let look = "Check with `sandbox gstr-3b get` whether it is paid before you pay again.";
    let ready =
        signals::sending(processed.offset(Confirmed::irreversible(payment.into_inner())), look).await?;
    Ok(Some(ready.map_err(|error| job::not_sent(error, look))?))
}

/// What the return declares and what was paid.
fn totals(document: &Document<Gstr3b>) -> Sheet {
    let mut totals = Totals::new();
    let mut add = |name: &str, parts: &[Option<&Gstr3bAmounts>]| {
        let of = |amount: fn(&Gstr3bAmounts) -> Option<Amount>| {
            sum(parts.iter().flatten().map(|part| amount(part)))
        };
        let amounts = [
            of(|part| part.txval),
            of(|part| part.iamt),
            of(|part| part.camt),
            of(|part| part.samt),
            of(|part| part.csamt),
        ];
        totals.row(name, amounts);
    };
    let supplies = document.sup_details.as_ref();
    let outward = supplies.map(|of| {
        [of.osup_det.as_ref(), of.osup_zero.as_ref(), of.osup_nil_exmp.as_ref(), of.osup_nongst.as_ref()]
    });
    add("Outward supplies", &outward.unwrap_or_default());
    let operators = document.eco_dtls.as_ref();
    let through = operators.map(|of| [of.eco_sup.as_ref(), of.eco_reg_sup.as_ref()]);
    add("By and through operators", &through.unwrap_or_default());
    add("Inward on reverse charge", &[supplies.and_then(|of| of.isup_rev.as_ref())]);
    add("Input tax credit", &[document.itc_elg.as_ref().and_then(|of| of.itc_net.as_ref())]);
    let extra = document.intr_ltfee.as_ref();
    let extra = extra.map(|of| [of.intr_details.as_ref(), of.ltfee_details.as_ref()]);
    add("Interest and late fee", &extra.unwrap_or_default());
    if let Some(payment) = &document.tx_pmt {
        let due = payment.net_tax_pay.as_ref().or(payment.tx_py.as_ref());
        due_row(&mut totals, due.map(Vec::as_slice).unwrap_or_default());
        let cash = payment.pdcash.as_deref().unwrap_or_default();
        pay_rows(&mut totals, cash, payment.pditc.as_ref());
        if let Some(used) = &payment.pdnls {
            let of = |amount: fn(&Gstr3bNegativeUsed) -> Option<Amount>| sum(used.iter().map(amount));
            let amounts =
                [None, of(|used| used.ipd), of(|used| used.cpd), of(|used| used.spd), of(|used| used.cspd)];
            totals.row("Paid by negative liability", amounts);
        }
    }
    totals.0
}

fn payment_totals(payment: &Document<Gstr3bOffset>) -> Sheet {
    let mut totals = Totals::new();
    due_row(&mut totals, payment.nettaxpay.as_deref().unwrap_or_default());
    pay_rows(&mut totals, payment.pdcash.as_deref().unwrap_or_default(), payment.pditc.as_ref());
    totals.0
}

/// What is to be paid, interest and late fee included, where it is told.
fn due_row(totals: &mut Totals, due: &[Gstr3bLiability]) {
    let of = |tax: fn(&Gstr3bLiability) -> Option<&Gstr3bDue>| {
        sum(due.iter().filter_map(tax).flat_map(|due| [due.tx, due.intr, due.fee]))
    };
    let amounts = [
        None,
        of(|due| due.igst.as_ref()),
        of(|due| due.cgst.as_ref()),
        of(|due| due.sgst.as_ref()),
        of(|due| due.cess.as_ref()),
    ];
    totals.row("To be paid", amounts);
}

fn pay_rows(totals: &mut Totals, cash: &[Gstr3bCashPaid], credit: Option<&Gstr3bCreditUsed>) {
    let igst = sum(cash.iter().flat_map(|paid| [paid.ipd, paid.i_intrpd, paid.i_lfeepd]));
    let cgst = sum(cash.iter().flat_map(|paid| [paid.cpd, paid.c_intrpd, paid.c_lfeepd]));
    let sgst = sum(cash.iter().flat_map(|paid| [paid.spd, paid.s_intrpd, paid.s_lfeepd]));
    let cess = sum(cash.iter().flat_map(|paid| [paid.cspd, paid.cs_intrpd, paid.cs_lfeepd]));
    totals.row("Paid in cash", [None, igst, cgst, sgst, cess]);
    let of = |amounts: &[Option<Amount>]| sum(amounts.iter().copied());
    let row = credit.map_or([None; 5], |used| {
        [
            None,
            of(&[used.i_pdi, used.i_pdc, used.i_pds]),
            of(&[used.c_pdi, used.c_pdc]),
            of(&[used.s_pdi, used.s_pds]),
            of(&[used.cs_pdcs]),
        ]
    });
    totals.row("Paid with credit", row);
}
