//! `sandbox invoices accept`, `reject`, `pend` and `reset`.

use std::sync::atomic::{AtomicBool, Ordering};

use sandbox_client::{
    BatchReport, BatchStep, Error, InvoiceActions, InvoiceResets, ItcDeclaration, Job, Polling, Session,
    values::{Gstin, Invoice, InvoiceAction},
};

use super::{
    arguments::{Accept, Act, Choice, Reduction},
    file,
    filter::documents,
    list, preview,
    selection::{self, Chosen, LONGEST_REMARK},
};
use crate::cli::{
    arguments::{Format, Shared},
    confirm,
    connection::Connection,
    failure::{Exit, Failure},
    job,
    output::strip_controls,
    signals,
};

/// Most documents that are shown before the question.
const SHOWN: usize = 40;

const LIST_AGAIN: &str =
    "List the invoices before you send again: their status shows which actions took effect.";

/// What is to become of the documents.
pub struct RequestedAction {
    /// `None` resets.
    pub action: Option<InvoiceAction>,
    pub remark: Option<String>,
    /// For documents that need a declaration and have none.
    pub reduction: Option<ItcDeclaration>,
}

impl RequestedAction {
    pub fn to(action: InvoiceAction, arguments: &Act) -> Self {
        Self { action: Some(action), remark: arguments.remark.clone(), reduction: None }
    }

    pub fn accept(arguments: &Accept) -> Self {
        let reduction = arguments.itc_reduction.map(Reduction::declaration);
        Self { reduction, ..Self::to(InvoiceAction::Accepted, &arguments.act) }
    }

    pub fn reset() -> Self {
        Self { action: None, remark: None, reduction: None }
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

pub async fn run(shared: &Shared, choice: &Choice, requested: &RequestedAction) -> Result<(), Failure> {
    if !(choice.all || choice.from.is_some() || choice.filter.names_documents()) {
        return Err(Failure::usage("no documents were selected")
            .hint("Select them, for example with --number, --supplier or --from FILE, or use --all."));
    }
    let length = requested.remark.as_ref().map_or(0, |remark| remark.chars().count());
    if length > LONGEST_REMARK {
        return Err(Failure::usage(format!(
            "--remark has {length} characters; GSTN accepts {LONGEST_REMARK} at most"
        )));
    }
    confirm::refuse_without_terminal(&choice.send_options)?;
    let named = choice.from.as_deref().map(file::read).transpose()?;

    let connection = Connection::open(shared).await?;
    let session = connection.session(&choice.select).await?;
    let recipient = choice.recipient.as_deref().map(|gstin| connection.gstin(gstin)).transpose()?;
    if recipient.is_none() && session.taxpayer_id().is_none() {
        return Err(Failure::usage("the token of SANDBOX_ACCESS_TOKEN does not identify the taxpayer")
            .hint("Name the taxpayer with --recipient."));
    }

    let selection = if let Some(named) = &named {
        let sections: Vec<_> = named.iter().map(file::Named::section).collect();
        selection::by_file(requested, named, list::fetch(&session, &sections, None).await?)
    } else {
        let listed = list::fetch(&session, &choice.filter.section, None).await?;
        selection::by_filter(requested, &choice.filter, listed)
    };
    for line in &selection.notices {
        eprintln!("{line}");
    }
    if requested.action == Some(InvoiceAction::Accepted) {
        refuse_undeclared(&selection.chosen)?;
    }
    let batch = Batch::of(&session, requested, &selection.chosen, recipient, choice.max_request_bytes);
    if choice.send_options.dry_run || selection.chosen.is_empty() {
        dry_run(shared.format, choice, requested, &selection.chosen, &batch)?;
    } else {
        batch.check()?;
        let requests = batch.requests();
        if requests > 1 && choice.send_options.waiting.no_wait {
            return Err(Failure::usage(format!(
                "these documents need {requests} requests, each sent after the job of the previous one"
            ))
            .hint("Omit --no-wait, or select fewer documents."));
        }
        if !choice.send_options.yes {
            let of = recipient.or(session.taxpayer_id().map(|taxpayer| taxpayer.gstin));
            ask(requested, &selection.chosen, of)?;
        }
        if choice.send_options.waiting.no_wait {
            let job = signals::sending(batch.send(), LIST_AGAIN).await?;
            let job = job.map_err(|error| job::not_sent(error, LIST_AGAIN))?;
            let sent = documents(selection.chosen.len(), "was", "were");
            eprintln!("{sent} sent, job {}.", job.reference_id());
            job::after_sending(&connection, job, &choice.send_options, shared.format, "invoices job").await?;
        } else {
            let polling = connection.polling(choice.send_options.waiting.timeout);
            let run = batch.run(polling, choice.send_options.waiting.timeout);
            let report = signals::sending(run, LIST_AGAIN).await?;
            let report = report.map_err(|error| job::not_sent(error, LIST_AGAIN))?;
            job::of_batch(report, shared.format)?;
        }
    }
    match selection.missing {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Partial, "1 selected document was skipped, see above")),
        many => {
            Err(Failure::new(Exit::Partial, format!("{many} selected documents were skipped, see above")))
        }
    }
}

/// Refuses documents for which GSTN wants to know whether credit is reduced.
fn refuse_undeclared(chosen: &[Chosen]) -> Result<(), Failure> {
    const NAMED: usize = 5;
    let lacks =
        |chosen: &&Chosen| chosen.declaration.is_none() && ItcDeclaration::is_needed_for(&chosen.invoice);
    let undeclared: Vec<_> = chosen.iter().filter(lacks).map(|chosen| &chosen.invoice).collect();
    if undeclared.is_empty() {
        return Ok(());
    }
    let name = |invoice: &&Invoice| format!("{} of {}", invoice.number(), invoice.supplier_gstin());
    let names: Vec<_> = undeclared.iter().take(NAMED).map(name).collect();
    let more = if undeclared.len() > NAMED { " …" } else { "" };
    let text = format!(
        "{} accepted without a declaration of whether input tax credit is reduced: {}{more}",
        documents(undeclared.len(), "cannot be", "cannot be"),
        names.join(", ")
    );
    Err(Failure::usage(strip_controls(&text)).hint(
        "Use --itc-reduction full, or none if no credit was claimed, for all of them;\n\
         or fill the column itc_reduction of --from for each.",
    ))
}

/// Ends without sending: there is nothing to send, or it shall be looked at.
fn dry_run(
    format: Format,
    choice: &Choice,
    requested: &RequestedAction,
    chosen: &[Chosen],
    batch: &Batch,
) -> Result<(), Failure> {
    if choice.send_options.dry_run {
        preview::sheet(requested, chosen, format).print(format)?;
    }
    if chosen.is_empty() {
        eprintln!("Nothing to send.");
        return Ok(());
    }
    batch.check()?;
    eprintln!("{} sent without --dry-run.", documents(chosen.len(), "would be", "would be"));
    Ok(())
}

fn ask(requested: &RequestedAction, chosen: &[Chosen], of: Option<Gstin>) -> Result<(), Failure> {
    preview::sheet(requested, &chosen[..chosen.len().min(SHOWN)], Format::Table).show();
    if chosen.len() > SHOWN {
        eprintln!("and {} more; --dry-run shows all", chosen.len() - SHOWN);
    }
    let what = if chosen.len() == 1 {
        "this document".to_owned()
    } else {
        format!("these {} documents", chosen.len())
    };
    let what = of.map_or(what.clone(), |of| format!("{what} of {of}"));
    confirm::ask(&match requested.action {
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
    fn of(
        session: &Session,
        requested: &RequestedAction,
        chosen: &[Chosen],
        recipient: Option<Gstin>,
        most: usize,
    ) -> Self {
        let invoices = chosen.iter().map(|chosen| &chosen.invoice);
        match &requested.action {
            None => {
                let resets = session.ims().resets().max_request_bytes(most).reset_all(invoices);
                Self::Resets(match recipient {
                    Some(gstin) => resets.recipient(gstin),
                    None => resets,
                })
            }
            Some(action) => {
                let actions =
                    chosen.iter().fold(session.ims().actions().max_request_bytes(most), |actions, chosen| {
                        let actions = match action {
                            InvoiceAction::Accepted => actions.accept(&chosen.invoice),
                            InvoiceAction::Rejected => actions.reject(&chosen.invoice),
                            _ => actions.keep_pending(&chosen.invoice),
                        };
                        let actions = match &chosen.remark {
                            Some(remark) => actions.remarks(remark),
                            None => actions,
                        };
                        match chosen.declaration {
                            Some(declaration) => actions.itc_reduction(declaration),
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

    fn requests(&self) -> usize {
        match self {
            Self::Actions(actions) => actions.requests(),
            Self::Resets(resets) => resets.requests(),
        }
    }

    /// Sends it and waits for its jobs, one after the other.
    async fn run(self, polling: Polling, minutes: u16) -> Result<BatchReport, Error> {
        match self {
            Self::Actions(actions) => actions.polling(polling).on_step(steps(minutes)).run().await,
            Self::Resets(resets) => resets.polling(polling).on_step(steps(minutes)).run().await,
        }
    }
}

/// Tells what happens, the waiting once.
fn steps(minutes: u16) -> impl Fn(BatchStep) + Send + Sync + 'static {
    let busy = AtomicBool::new(false);
    move |step| match step {
        BatchStep::Busy if !busy.swap(true, Ordering::Relaxed) => {
            eprintln!("GSTN is still processing an earlier batch; waiting for it, at most {minutes} min.");
        }
        BatchStep::Sent { reference_id, request, requests, documents: count } => {
            let sent = documents(count, "was", "were");
            let part = if requests > 1 { format!(" ({request} of {requests})") } else { String::new() };
            eprintln!("{sent} sent{part}, job {reference_id}.");
            if request == 1 {
                eprintln!("{}", job::patience(minutes));
            }
        }
        _ => {}
    }
}
