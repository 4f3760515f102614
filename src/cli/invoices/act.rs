//! `sandbox invoices accept`, `reject`, `pend` and `reset`.

use sandbox_client::{
    Error, InvoiceActions, InvoiceResets, Job, Session,
    values::{Gstin, Invoice, InvoiceAction},
};

use super::{
    arguments::{Act, Choice},
    file,
    filter::documents,
    list, preview,
    selection::{self, Chosen},
};
use crate::cli::{
    arguments::{Format, Shared},
    confirm,
    connection::Connection,
    failure::{Exit, Failure},
    job, signals,
};

/// Most documents that are shown before the question.
const SHOWN: usize = 40;

/// What is to become of the documents.
pub struct Wish {
    /// `None` resets.
    pub action: Option<InvoiceAction>,
    pub remark: Option<String>,
}

impl Wish {
    pub fn to(action: InvoiceAction, arguments: &Act) -> Self {
        Self { action: Some(action), remark: arguments.remark.clone() }
    }

    pub fn reset() -> Self {
        Self { action: None, remark: None }
    }

    pub fn is_reset(&self) -> bool {
        self.action.is_none()
    }

    /// How documents stand afterwards.
    pub fn outcome(&self) -> InvoiceAction {
        self.action.clone().unwrap_or(InvoiceAction::NoAction)
    }

    pub fn is_fulfilled(&self, invoice: &Invoice) -> bool {
        invoice.action() == Some(&self.outcome())
    }
}

pub async fn run(shared: &Shared, choice: &Choice, wish: &Wish) -> Result<(), Failure> {
    if !(choice.all || choice.from.is_some() || choice.filter.names_documents()) {
        return Err(Failure::usage("which documents?")
            .hint("Name them, by --number or --supplier for example or by --from FILE, or say --all."));
    }
    confirm::refuse_without_terminal(&choice.sending)?;
    let named = choice.from.as_deref().map(file::read).transpose()?;

    let connection = Connection::open(shared).await?;
    let session = connection.session(&choice.select).await?;
    let recipient = choice.recipient.as_deref().map(|gstin| connection.gstin(gstin)).transpose()?;
    if recipient.is_none() && session.taxpayer_id().is_none() {
        return Err(Failure::usage("whose documents? The token of SANDBOX_ACCESS_TOKEN does not tell")
            .hint("Name the taxpayer with --recipient."));
    }

    let selection = if let Some(named) = &named {
        let sections: Vec<_> = named.iter().map(file::Named::section).collect();
        selection::by_file(wish, named, list::fetch(&session, &sections, None).await?)
    } else {
        let listed = list::fetch(&session, &choice.filter.section, None).await?;
        selection::by_filter(wish, &choice.filter, listed)
    };
    for line in &selection.told {
        eprintln!("{line}");
    }
    let batch = Batch::of(&session, wish, &selection.chosen, recipient);
    if choice.sending.dry_run || selection.chosen.is_empty() {
        dry_run(shared.format, choice, wish, &selection.chosen, &batch)?;
    } else {
        batch.check()?;
        if !choice.sending.yes {
            let of = recipient.or(session.taxpayer_id().map(|taxpayer| taxpayer.gstin));
            ask(wish, &selection.chosen, of)?;
        }
        let look = "List the invoices before you send again: those acted on show it.";
        let job = signals::sending(batch.send(), look).await?;
        let job = job.map_err(|error| job::not_sent(error, look))?;
        let sent = documents(selection.chosen.len(), "was", "were");
        eprintln!("{sent} sent, job {}.", job.reference_id());
        job::after_sending(&connection, job, &choice.sending, shared.format, "invoices").await?;
    }
    match selection.missing {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Partial, "1 selected document was skipped, see above")),
        many => {
            Err(Failure::new(Exit::Partial, format!("{many} selected documents were skipped, see above")))
        }
    }
}

/// Ends without sending: there is nothing to send, or it shall be looked at.
fn dry_run(
    format: Format,
    choice: &Choice,
    wish: &Wish,
    chosen: &[Chosen],
    batch: &Batch,
) -> Result<(), Failure> {
    if choice.sending.dry_run {
        preview::sheet(wish, chosen, format).print(format)?;
    }
    if chosen.is_empty() {
        eprintln!("Nothing to send.");
        return Ok(());
    }
    batch.check()?;
    eprintln!("{} sent without --dry-run.", documents(chosen.len(), "would be", "would be"));
    Ok(())
}

fn ask(wish: &Wish, chosen: &[Chosen], of: Option<Gstin>) -> Result<(), Failure> {
    preview::sheet(wish, &chosen[..chosen.len().min(SHOWN)], Format::Table).show();
    if chosen.len() > SHOWN {
        eprintln!("and {} more; --dry-run shows all", chosen.len() - SHOWN);
    }
    let what = if chosen.len() == 1 {
        "this document".to_owned()
    } else {
        format!("these {} documents", chosen.len())
    };
    let what = of.map_or(what.clone(), |of| format!("{what} of {of}"));
    confirm::ask(&match wish.action {
        Some(InvoiceAction::Accepted) => format!("Accept {what}?"),
        Some(InvoiceAction::Rejected) => format!("Reject {what}?"),
        Some(_) => format!("Keep {what} pending?"),
        None => format!("Reset {what}?"),
    })
}

/// Actions and resets are requests of their own.
enum Batch {
    Actions(InvoiceActions),
    Resets(InvoiceResets),
}

impl Batch {
    fn of(session: &Session, wish: &Wish, chosen: &[Chosen], recipient: Option<Gstin>) -> Self {
        let invoices = chosen.iter().map(|chosen| &chosen.invoice);
        match &wish.action {
            None => {
                let resets = session.ims().resets().reset_all(invoices);
                Self::Resets(match recipient {
                    Some(gstin) => resets.recipient(gstin),
                    None => resets,
                })
            }
            Some(action) => {
                let actions = chosen.iter().fold(session.ims().actions(), |actions, chosen| {
                    let actions = match action {
                        InvoiceAction::Accepted => actions.accept(&chosen.invoice),
                        InvoiceAction::Rejected => actions.reject(&chosen.invoice),
                        _ => actions.keep_pending(&chosen.invoice),
                    };
                    match &chosen.remark {
                        Some(remark) => actions.remarks(remark),
                        None => actions,
                    }
                });
                Self::Actions(match recipient {
                    Some(gstin) => actions.recipient(gstin),
                    None => actions,
                })
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Actions(actions) => actions.check(),
            Self::Resets(resets) => resets.check(),
        }
    }

    async fn send(self) -> Result<Job, Error> {
        match self {
            Self::Actions(actions) => actions.send().await,
            Self::Resets(resets) => resets.send().await,
        }
    }
}
