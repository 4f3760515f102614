//! `sandbox match`: a purchase register against what suppliers reported.

mod arguments;
mod gstn;
mod read;
mod register;
mod report;
mod view;

use std::io::Write as _;

use sandbox_client::{
    matching::{Document, Entry, Tolerance, reconcile},
    values::{Decimal, Invoice, InvoiceAction},
};

use super::{
    arguments::{Format, Shared},
    connection::Connection,
    failure::Failure,
    invoices::sheet_of_invoices,
    output::{Out, strip_controls},
    page,
};
use arguments::Propose;
pub use arguments::{HELP, Match};
use gstn::Reported;
use register::Register;

/// Both sides and what the comparison came to.
pub struct Matching {
    register: Register,
    reported: Reported,
    entries: Vec<Entry>,
    /// Whose documents of GSTN they are, for people.
    with: String,
}

pub async fn run(shared: &Shared, arguments: &Match) -> Result<(), Failure> {
    if arguments.propose == Some(Propose::Reject) && arguments.only.is_empty() {
        return Err(Failure::usage("--propose reject requires --only")
            .hint("For example: --propose reject --only duplicate"));
    }
    if let Some(path) = &arguments.report {
        page::check(path)?;
    }
    let tolerance = Decimal::from(arguments.tolerance);
    if tolerance.is_sign_negative() {
        return Err(Failure::usage(format!("--tolerance must not be negative, found {tolerance}")));
    }
    let mut register = register::read(&arguments.register)?;
    if arguments.gstr_2b.is_none() {
        register.without_imports();
    }

    let connection = Connection::open(shared).await?;
    let session = connection.session(&arguments.select).await?;
    let (reported, with) = match arguments.gstr_2b {
        Some(period) => (gstn::from_gstr_2b(&session, period).await?, format!("GSTR-2B of {period}")),
        None => (gstn::from_ims(&session).await?, "documents in the IMS".to_owned()),
    };
    register.recognise(&reported.documents);
    for line in &register.notices {
        eprintln!("{}", strip_controls(line));
    }
    let tolerance = Tolerance::default().amount(tolerance).days(arguments.days);
    let entries = reconcile(&register.documents, &reported.documents, &tolerance);
    let matching = Matching { register, reported, entries, with };

    if let Some(action) = arguments.propose {
        propose(&matching, action, &arguments.only, shared.format)?;
    } else {
        view::sheet(&matching, &arguments.only, shared.format).print(shared.format)?;
        if shared.format == Format::Table {
            writeln!(Out, "\n{}", view::summary(&matching))?;
        }
    }
    if let Some(path) = &arguments.report {
        page::write(path, &report::page(&matching))?;
    }
    Ok(())
}

impl Matching {
    fn registered(&self, entry: &Entry) -> Option<&Document> {
        entry.register.map(|at| &self.register.documents[at])
    }

    fn place(&self, entry: &Entry) -> Option<&str> {
        entry.register.map(|at| self.register.places[at].as_str())
    }

    fn reported(&self, entry: &Entry) -> Option<&Document> {
        entry.gstn.map(|at| &self.reported.documents[at])
    }

    fn invoice(&self, entry: &Entry) -> Option<&Invoice> {
        self.reported.invoices.get(entry.gstn?)
    }
}

/// Writes the documents without action that have the verdicts. Nothing is sent.
fn propose(matching: &Matching, action: Propose, only: &[String], format: Format) -> Result<(), Failure> {
    let wanted = |entry: &&Entry| {
        let verdict = entry.verdict.as_str();
        if only.is_empty() {
            action.verdicts().contains(&verdict)
        } else {
            only.iter().any(|word| word == verdict)
        }
    };
    let documents = matching.entries.iter().filter(wanted).filter_map(|entry| matching.invoice(entry));
    let (open, others): (Vec<&Invoice>, Vec<&Invoice>) =
        documents.partition(|invoice| invoice.action() == Some(&InvoiceAction::NoAction));
    let (may, may_not): (Vec<&Invoice>, Vec<&Invoice>) =
        open.into_iter().partition(|invoice| action != Propose::Pend || !invoice.is_pending_blocked());
    let format = if format == Format::Table { Format::Csv } else { format };
    let proposed: Vec<Invoice> = may.into_iter().cloned().collect();
    sheet_of_invoices(&proposed, format).print(format)?;
    if !others.is_empty() {
        eprintln!("Skipped because they already have a status: {}.", others.len());
    }
    if !may_not.is_empty() {
        eprintln!("Skipped because they cannot be kept pending: {}.", may_not.len());
    }
    let action = action.as_str();
    eprintln!(
        "{} proposed, none sent. Send them with: sandbox invoices {action} --from FILE",
        proposed.len()
    );
    Ok(())
}
