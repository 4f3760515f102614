//! Documents of one request, checked before anything is sent.

use std::collections::HashSet;

use crate::{
    Error,
    error::printable,
    ims::{
        SessionApi,
        types::{ActedInvoice, ActedInvoices, TypeOfGoods},
    },
    values::{Gstin, Invoice, InvoiceAction, Section},
};

/// What a batch holds so far. The first refusal is kept for `send`, so that
/// calls can be chained.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) api: SessionApi,
    recipient: Option<Gstin>,
    items: Vec<(Section, ActedInvoice)>,
    refusal: Option<Error>,
}

impl Batch {
    pub(super) fn new(api: SessionApi) -> Self {
        Self { api, recipient: None, items: Vec::new(), refusal: None }
    }

    pub(super) fn set_recipient(&mut self, recipient: Gstin) {
        self.recipient = Some(recipient);
    }

    /// Adds a document with the action to take; none resets it.
    pub(super) fn add(&mut self, invoice: &Invoice, action: Option<InvoiceAction>) {
        match checked(invoice, action.as_ref()) {
            Ok((section, known)) => {
                let item = item(&section, invoice, known, action);
                self.items.push((section, item));
            }
            Err(reason) => self.refuse("invoice", &reason),
        }
    }

    /// Adds a word to the supplier to the last document.
    pub(super) fn remark(&mut self, text: String) {
        let Some((section, item)) = self.items.last_mut() else {
            // Where the document itself was refused, that is the reason to tell.
            return self.refuse("remarks", "belong to a document; add one first");
        };
        match section {
            Section::B2b | Section::B2ba | Section::B2bdn | Section::B2bdna => item.remarks = Some(text),
            _ => self.refuse(
                "remarks",
                "are shown by the provider's page for invoices, debit notes and their amendments only",
            ),
        }
    }

    fn refuse(&mut self, field: &'static str, reason: &str) {
        let position = self.items.len() + usize::from(field == "invoice");
        self.refusal.get_or_insert_with(|| Error::input(field, format!("{position} of the batch: {reason}")));
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Refuses what must not be sent, and finds the recipient.
    pub(super) fn check(&self) -> Result<Gstin, Error> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        if self.items.is_empty() {
            return Err(Error::input("invoice", "is missing: the batch is empty"));
        }
        let mut seen = HashSet::new();
        let twice = self.items.iter().any(|(section, item)| {
            let number = item.inum.as_ref().or(item.nt_num.as_ref());
            !seen.insert((section, &item.stin, &item.rtnprd, number))
        });
        if twice {
            return Err(Error::input(
                "invoice",
                "is in the batch twice; choose one action for each document",
            ));
        }
        let session = self.api.state.taxpayer_id().map(|taxpayer| taxpayer.gstin);
        match (self.recipient, session) {
            (Some(named), Some(session)) if named != session => {
                Err(Error::input("recipient", "is not the taxpayer of the session"))
            }
            (named, session) => named.or(session).ok_or_else(|| {
                Error::input("recipient", "is missing: a token alone does not tell whose it is")
                    .advice("name the taxpayer with `recipient`")
            }),
        }
    }

    /// The recipient and the documents by section.
    pub(super) fn into_body(self) -> Result<(Gstin, ActedInvoices), Error> {
        let recipient = self.check()?;
        let mut body = ActedInvoices::default();
        for (section, item) in self.items {
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
            list.get_or_insert_default().push(item);
        }
        Ok((recipient, body))
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
            let section = printable(section.as_str(), 80);
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
