//! Which documents an action is taken on, and what is reported of the others.

use std::collections::BTreeMap;

use sandbox_client::{
    ItcDeclaration,
    values::{Invoice, InvoiceAction},
};

use super::{
    act::RequestedAction,
    arguments::{Filter, Status},
    document::{listed, status, title},
    file::Named,
    filter::documents,
    lookup::Lookup,
};
use crate::cli::output::strip_controls;

/// Longest remark that GSTN takes, in characters.
pub const LONGEST_REMARK: usize = 250;

/// What came of the choice.
#[derive(Default)]
pub struct Selection {
    pub chosen: Vec<Chosen>,
    /// Lines for people on documents that were selected and are skipped.
    pub notices: Vec<String>,
    /// How many were named and cannot be acted on.
    pub missing: usize,
}

/// A document to act on.
pub struct Chosen {
    pub invoice: Invoice,
    pub remark: Option<String>,
    pub declaration: Option<ItcDeclaration>,
}

/// What a line of a file says beside the document that it names.
#[derive(Default)]
struct Words {
    remark: Option<String>,
    declaration: Option<ItcDeclaration>,
}

/// By what was typed. Without `--status` no decision of a person is undone
/// but by a reset.
pub fn by_filter(requested: &RequestedAction, filter: &Filter, listed: Vec<Invoice>) -> Selection {
    let wanted = filter.status.unwrap_or(if requested.is_reset() { Status::Any } else { Status::NoAction });
    let mut selection = Selection { notices: filter.not_comparable(&listed), ..Selection::default() };
    let fitting: Vec<Invoice> = listed.into_iter().filter(|invoice| filter.fits(invoice)).collect();
    let nowhere = filter.without_match(&fitting);
    selection.missing += nowhere.len();
    selection.notices.extend(nowhere);

    let (mut already, mut others) = (0, BTreeMap::<_, usize>::new());
    for invoice in fitting {
        if requested.is_fulfilled(&invoice) {
            already += 1;
        } else if !wanted.fits(invoice.action()) {
            *others.entry(title(invoice.action())).or_default() += 1;
        } else {
            selection.choose(requested, None, invoice, Words::default());
        }
    }
    selection.tell_fulfilled(requested, already);
    for (status, count) in others {
        // Who named a number means this document, however it stands.
        selection.missing += if filter.number.is_empty() { 0 } else { count };
        let skipped = documents(count, "has", "have");
        selection.notices.push(format!("{skipped} the status {status}: skipped without --status any."));
    }
    selection
}

/// By a file that was written before: what has changed since is skipped.
pub fn by_file(requested: &RequestedAction, named: &[Named], listed: Vec<Invoice>) -> Selection {
    let mut lookup = Lookup::new(listed, named);
    let mut selection = Selection::default();
    let (mut already, mut recognised) = (0, Vec::new());
    for document in named {
        let invoice = match lookup.take(document) {
            Ok(invoice) => invoice,
            Err(reason) => {
                selection.leave(&document.place, &reason);
                continue;
            }
        };
        if !document.number.eq_ignore_ascii_case(invoice.number()) {
            recognised.push(format!("{}: {} is {}", document.place, document.number, invoice.number()));
        }
        if requested.is_fulfilled(&invoice) {
            already += 1;
        } else if document.status != status(invoice.action()) {
            let reason = format!("its status is now {}", title(invoice.action()));
            selection.leave(&document.place, &reason);
        } else if document.hash.as_ref().is_some_and(|hash| changed(hash, &invoice)) {
            selection.leave(&document.place, "the supplier has changed it since");
        } else {
            let remark = document.remarks.clone().filter(|remark| !remark.is_empty());
            // Mistakes in it were reported when the file was read.
            let declaration = document.declaration().ok().flatten();
            selection.choose(requested, Some(&document.place), invoice, Words { remark, declaration });
        }
    }
    selection.tell_recognised(&recognised);
    selection.tell_fulfilled(requested, already);
    selection
}

/// Whether the supplier has another version by now. A file without the column
/// does not tell.
fn changed(hash: &str, invoice: &Invoice) -> bool {
    !hash.is_empty() && invoice.hash().is_some_and(|now| now != hash)
}

/// The remark to send with a document. What stood in the list before is no
/// reason to leave it out.
fn remark(
    requested: &RequestedAction,
    invoice: &Invoice,
    of_line: Option<String>,
) -> Result<Option<String>, String> {
    let Some(remark) = of_line.or_else(|| requested.remark.clone()).filter(|_| !requested.is_reset()) else {
        return Ok(None);
    };
    let length = remark.chars().count();
    let refused = if invoice.is_remarks_blocked() {
        Some("accepts no remark (isRemarksBlocked)".to_owned())
    } else if length > LONGEST_REMARK {
        Some(format!("has a remark of {length} characters; GSTN accepts {LONGEST_REMARK}"))
    } else {
        None
    };
    let known = invoice.remarks() == Some(remark.as_str());
    match refused {
        None => Ok(Some(remark)),
        Some(_) if known => Ok(None),
        Some(reason) => Err(reason),
    }
}

/// The declaration to send with a document.
fn declaration(
    requested: &RequestedAction,
    invoice: &Invoice,
    of_line: Option<ItcDeclaration>,
) -> Result<Option<ItcDeclaration>, String> {
    if requested.action != Some(InvoiceAction::Accepted) {
        return Ok(None);
    }
    let flag = requested.reduction.filter(|_| ItcDeclaration::is_needed_for(invoice));
    let Some(declaration) = of_line.or(flag) else { return Ok(None) };
    match declaration.check_for(invoice) {
        Ok(()) => Ok(Some(declaration)),
        // What stood in the list before is no reason to leave it out.
        Err(_) if listed(invoice) == Some(declaration) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

impl Selection {
    fn choose(&mut self, requested: &RequestedAction, place: Option<&str>, invoice: Invoice, words: Words) {
        let chosen = if requested.action == Some(InvoiceAction::Pending) && invoice.is_pending_blocked() {
            Err("cannot be kept pending (ispendactblocked)".to_owned())
        } else {
            remark(requested, &invoice, words.remark)
                .and_then(|remark| Ok((remark, declaration(requested, &invoice, words.declaration)?)))
        };
        match chosen {
            Ok((remark, declaration)) => self.chosen.push(Chosen { invoice, remark, declaration }),
            Err(reason) => {
                let name = format!("{} of {}", invoice.number(), invoice.supplier_gstin());
                let name = place.map_or(name.clone(), |place| format!("{place}, {name}"));
                self.leave(&name, &reason);
            }
        }
    }

    fn leave(&mut self, name: &str, reason: &str) {
        self.missing += 1;
        self.notices.push(strip_controls(&format!("Skipped, {name}: {reason}.")));
    }

    /// Numbers that a spreadsheet has changed, the first of them by name.
    fn tell_recognised(&mut self, recognised: &[String]) {
        const NAMED: usize = 5;
        if !recognised.is_empty() {
            let numbers =
                if recognised.len() == 1 { "1 number" } else { &format!("{} numbers", recognised.len()) };
            let more = if recognised.len() > NAMED { " …" } else { "" };
            let first = recognised[..recognised.len().min(NAMED)].join(", ");
            self.notices.push(strip_controls(&format!("A spreadsheet has changed {numbers}: {first}{more}")));
        }
    }

    fn tell_fulfilled(&mut self, requested: &RequestedAction, count: usize) {
        if count > 0 {
            let stand = documents(count, "already has", "already have");
            self.notices.push(format!("{stand} the status {}.", title(Some(&requested.outcome()))));
        }
    }
}
