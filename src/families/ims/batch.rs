//! Documents of a batch, checked before anything is sent.

use std::collections::HashSet;

use serde::Serialize;

use super::declaration::{self, ItcDeclaration, Need};
use crate::{
    Error,
    error::escape_and_truncate,
    field,
    ims::types::{ActedInvoice, ActedInvoices, TypeOfGoods},
    values::{Invoice, InvoiceAction, Section},
};

/// Longest remark that GSTN takes, in characters.
const LONGEST_REMARK: usize = 250;

/// What a batch holds so far. The first refusal is kept for `send`, so that
/// calls can be chained.
#[derive(Debug, Clone, Default)]
pub(super) struct Documents {
    items: Vec<Item>,
    refusal: Option<Error>,
}

#[derive(Debug, Clone)]
struct Item {
    section: Section,
    sent: ActedInvoice,
    remarks_blocked: bool,
    need: Need,
}

impl Documents {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds a document with the action to take; none resets it.
    pub(super) fn add(&mut self, invoice: &Invoice, action: Option<InvoiceAction>) {
        match checked(invoice, action.as_ref()) {
            Ok((section, known)) => self.items.push(Item {
                sent: item(&section, invoice, known, action.clone()),
                remarks_blocked: invoice.is_remarks_blocked(),
                need: Need::of(&section, invoice, action.as_ref()),
                section,
            }),
            Err(reason) => self.refuse(field::INVOICE, &reason),
        }
    }

    /// Adds a word to the supplier to the last document.
    pub(super) fn remark(&mut self, text: String) {
        let Some(item) = self.items.last_mut() else {
            // Where the document itself was refused, that is the reason to tell.
            return self.refuse(field::REMARKS, "belong to a document; add one first");
        };
        let length = text.chars().count();
        if item.remarks_blocked {
            self.refuse(field::REMARKS, "are blocked for this document (isRemarksBlocked)");
        } else if length > LONGEST_REMARK {
            let reason = format!("have {length} characters; GSTN accepts {LONGEST_REMARK} at most");
            self.refuse(field::REMARKS, &reason);
        } else {
            item.sent.remarks = Some(text);
        }
    }

    /// Adds a declaration on credit to the last document.
    pub(super) fn declare(&mut self, declaration: ItcDeclaration) {
        let Some(item) = self.items.last_mut() else {
            return self.refuse(field::ITC_REDUCTION, "belongs to a document; add one first");
        };
        if let Err(reason) = declaration::put(&mut item.sent, item.need, declaration) {
            self.refuse(field::ITC_REDUCTION, &reason);
        }
    }

    /// Declares it for each document that needs a declaration and has none.
    pub(super) fn declare_where_needed(&mut self, declaration: ItcDeclaration) {
        if matches!(declaration, ItcDeclaration::Amounts(_)) {
            return self
                .refuse(field::ITC_REDUCTION, "cannot be amounts for many documents; name them for each");
        }
        for item in self.items.iter_mut().filter(|item| item.lacks_declaration()) {
            // What is needed is allowed.
            let _ = declaration::put(&mut item.sent, item.need, declaration);
        }
    }

    fn refuse(&mut self, field: &'static str, reason: &str) {
        let position = self.items.len() + usize::from(field == field::INVOICE);
        self.refusal.get_or_insert_with(|| Error::input(field, format!("{position} of the batch: {reason}")));
    }

    /// Refuses what must not be sent.
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        if self.items.is_empty() {
            return Err(Error::input(field::INVOICE, "is missing: the batch is empty"));
        }
        let mut seen = HashSet::new();
        if self.items.iter().any(|item| !seen.insert(item.identity())) {
            return Err(Error::input(
                field::INVOICE,
                "is in the batch twice; choose one action for each document",
            ));
        }
        if let Some(position) = self.items.iter().position(Item::lacks_declaration) {
            let count = self.items.iter().filter(|item| item.lacks_declaration()).count();
            let reason = format!(
                "is missing for {count} of the documents, {} of the batch first: whoever accepts a credit note \
                 or an amended document declares whether credit is reduced",
                position + 1
            );
            return Err(Error::input(field::ITC_REDUCTION, reason).with_advice(
                "declare it with `itc_reduction` for one document or `itc_reduction_where_needed` for all",
            ));
        }
        Ok(())
    }

    /// The bodies of requests with at most so many bytes of JSON each. A
    /// document that is larger by itself has a request of its own.
    pub(super) fn into_bodies(self, most: usize) -> Vec<Body> {
        let mut bodies: Vec<Body> = Vec::new();
        let mut left = 0;
        for Item { section, sent, .. } in self.items {
            // With the comma between two documents.
            let length = length_of(&sent) + 1;
            if bodies.is_empty() || length > left {
                bodies.push(Body::default());
                left = most.saturating_sub(AROUND);
            }
            left = left.saturating_sub(length);
            let body = bodies.last_mut().expect("there is one");
            body.documents += 1;
            list_of(&mut body.invoices, &section).push(sent);
        }
        bodies
    }
}

/// Bytes of a request beside its documents: recipient, kind, names of sections.
const AROUND: usize = 256;

/// The documents of one request.
#[derive(Default)]
pub(super) struct Body {
    pub(super) documents: usize,
    pub(super) invoices: ActedInvoices,
}

fn length_of(sent: &impl Serialize) -> usize {
    serde_json::to_vec(sent).map_or(0, |json| json.len())
}

fn list_of<'a>(body: &'a mut ActedInvoices, section: &Section) -> &'a mut Vec<ActedInvoice> {
    let list = match section {
        Section::B2b => &mut body.b2b,
        Section::B2ba => &mut body.b2ba,
        Section::B2bcn => &mut body.b2bcn,
        Section::B2bcna => &mut body.b2bcna,
        Section::B2bdn => &mut body.b2bdn,
        Section::B2bdna => &mut body.b2bdna,
        Section::Ecom => &mut body.ecom,
        Section::Ecoma => &mut body.ecoma,
        _ => unreachable!("other sections are refused when they are added"),
    };
    list.get_or_insert_default()
}

impl Item {
    fn lacks_declaration(&self) -> bool {
        matches!(self.need, Need::Required(_)) && self.sent.itc_red_req.is_none()
    }

    /// What tells a document from all others: a supplier may use a number
    /// again in another year or another form.
    fn identity(&self) -> impl Eq + std::hash::Hash {
        let sent = &self.sent;
        let number = sent.inum.as_ref().or(sent.nt_num.as_ref());
        let date = sent.idt.as_ref().or(sent.nt_dt.as_ref()).map(|date| date.as_str().to_owned());
        (
            self.section.clone(),
            sent.stin.clone(),
            sent.rtnprd.clone(),
            number.cloned(),
            date,
            sent.srcform.clone(),
        )
    }
}

/// Section and known action of a document that the action can be taken on.
fn checked(invoice: &Invoice, action: Option<&InvoiceAction>) -> Result<(Section, InvoiceAction), String> {
    let section = invoice.section().ok_or("its section is not known; name it with `Invoice::in_section`")?;
    match (section.type_of_goods(), action) {
        (Some(TypeOfGoods::Others), _) => {}
        (Some(TypeOfGoods::Imports), Some(InvoiceAction::Rejected)) => {
            return Err("imports can be accepted or kept pending, not rejected".to_owned());
        }
        _ => {
            let section = escape_and_truncate(section.as_str(), 80);
            return Err(format!("the operation takes no documents of the section `{section}`"));
        }
    }
    if action == Some(&InvoiceAction::Pending) && invoice.is_pending_blocked() {
        return Err("it cannot be kept pending: it was listed with `ispendactblocked` Y (inferred from the name of that member, which no page explains)".to_owned());
    }
    if invoice.number().is_empty()
        || invoice.supplier_gstin().is_empty()
        || invoice.return_period().is_empty()
    {
        return Err("it lacks number, supplier or return period".to_owned());
    }
    let known = invoice.action().ok_or("it was listed without `action`, so its status is not known")?;
    Ok((section.clone(), known.clone()))
}

/// What the request repeats of a listed document.
fn item(
    section: &Section,
    invoice: &Invoice,
    known: InvoiceAction,
    action: Option<InvoiceAction>,
) -> ActedInvoice {
    let text = |text: &str| Some(text.to_owned());
    let (number, date) = (text(invoice.number()), invoice.date().cloned());
    let (original_number, original_date) =
        (invoice.original_number().and_then(text), invoice.original_date().cloned());
    let note = matches!(section, Section::B2bcn | Section::B2bcna | Section::B2bdn | Section::B2bdna);
    let ((inum, idt, oinum, oidt), (nt_num, nt_dt, ont_num, ont_dt)) = if note {
        (Default::default(), (number, date, original_number, original_date))
    } else {
        ((number, date, original_number, original_date), Default::default())
    };
    ActedInvoice {
        stin: invoice.supplier_gstin().to_owned(),
        rtnprd: invoice.return_period().to_owned(),
        srcform: invoice.source_form().cloned(),
        inum,
        idt,
        nt_num,
        nt_dt,
        oinum,
        oidt,
        ont_num,
        ont_dt,
        inv_typ: invoice.invoice_type().cloned(),
        pos: invoice.place_of_supply().and_then(text),
        val: invoice.value(),
        txval: invoice.taxable_value(),
        iamt: invoice.igst(),
        camt: invoice.cgst(),
        samt: invoice.sgst(),
        cess: invoice.cess(),
        action,
        prev_status: known,
        remarks: None,
        itc_red_req: None,
        decl_igst: None,
        decl_cgst: None,
        decl_sgst: None,
        decl_cess: None,
    }
}
