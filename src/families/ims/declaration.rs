//! The declaration on input tax credit when a recipient accepts a document
//! that reduces it.

use crate::{
    Error, field,
    ims::types::ActedInvoice,
    values::{Amount, Decimal, Invoice, InvoiceAction, ItcReduction, Section, YesNo},
};

/// Whether and by how much credit is reduced when a credit note or an amended document is
/// accepted (`itcRedReq`). GSTN requires it since October 2025: credit that was never
/// claimed need not be reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItcDeclaration {
    /// By the full tax of the document: `Y` without amounts.
    Full,
    /// By these amounts, none above the tax of the document: `Y` with amounts.
    Amounts(ItcReduction),
    /// Not at all, since no credit was claimed: `N`.
    NotRequired,
}

/// Whether a document takes a declaration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// It does not, for this reason.
    No(&'static str),
    Optional(ItcReduction),
    /// It does, with at most these amounts.
    Required(ItcReduction),
}

impl Need {
    pub(super) fn of(section: &Section, invoice: &Invoice, action: Option<&InvoiceAction>) -> Self {
        let note = match section {
            Section::B2bcn | Section::B2bcna => true,
            Section::B2ba | Section::B2bdna | Section::Ecoma => false,
            _ => return Self::No("is for credit notes and amended documents only"),
        };
        if action != Some(&InvoiceAction::Accepted) {
            return Self::No("is for documents that are accepted");
        }
        let taxes = ItcReduction {
            igst: invoice.igst(),
            cgst: invoice.cgst(),
            sgst: invoice.sgst(),
            cess: invoice.cess(),
        };
        match invoice.is_itc_reduction_blocked() {
            Some(true) => Self::No("is blocked for this document (isItcRedReqBlocked)"),
            // An amended document needs it where its value is lower, which no
            // list tells: so where GSTN has opened it (inferred).
            Some(false) => Self::Required(taxes),
            None if note => Self::Required(taxes),
            None => Self::Optional(taxes),
        }
    }
}

/// Puts a declaration into what is sent of a document.
pub(super) fn put(sent: &mut ActedInvoice, need: Need, declaration: ItcDeclaration) -> Result<(), String> {
    let [igst, cgst, sgst, cess] = amounts(need, declaration)?.map_or([None; 4], |amounts| amounts.map(Some));
    sent.itc_red_req = Some(match declaration {
        ItcDeclaration::NotRequired => YesNo::No,
        _ => YesNo::Yes,
    });
    (sent.decl_igst, sent.decl_cgst, sent.decl_sgst, sent.decl_cess) = (igst, cgst, sgst, cess);
    Ok(())
}

/// The amounts to send with a declaration, or why it cannot be made.
fn amounts(need: Need, declaration: ItcDeclaration) -> Result<Option<[Amount; 4]>, String> {
    let taxes = match need {
        Need::No(reason) => return Err(reason.to_owned()),
        Need::Optional(taxes) | Need::Required(taxes) => taxes,
    };
    match declaration {
        ItcDeclaration::Full | ItcDeclaration::NotRequired => Ok(None),
        ItcDeclaration::Amounts(declared) => checked(&declared, &taxes),
    }
}

/// The four amounts, or none if they are all tax of the document: GSTN takes
/// their absence for that.
fn checked(declared: &ItcReduction, taxes: &ItcReduction) -> Result<Option<[Amount; 4]>, String> {
    let each = |amounts: &ItcReduction| {
        [amounts.igst, amounts.cgst, amounts.sgst, amounts.cess].map(|amount| amount.unwrap_or(Amount::ZERO))
    };
    let (amounts, taxes) = (each(declared), each(taxes));
    for ((amount, tax), name) in amounts.iter().zip(&taxes).zip(["igst", "cgst", "sgst", "cess"]) {
        let (amount, tax) = (amount.to_decimal(), tax.to_decimal());
        if amount < Decimal::ZERO {
            return Err(format!("has a negative {name}"));
        }
        if amount.scale() > 2 && amount.normalize().scale() > 2 {
            return Err(format!("has more than two decimals in {name}"));
        }
        if amount > tax.abs() {
            return Err(format!("has more {name} than the document"));
        }
    }
    if amounts.iter().all(|amount| amount.to_decimal().is_zero()) {
        return Err("is nothing; declare that none is required".to_owned());
    }
    Ok((amounts != taxes).then_some(amounts))
}

impl ItcDeclaration {
    /// Whether a document needs a declaration to be accepted; see
    /// [`InvoiceActions::itc_reduction`](crate::InvoiceActions).
    #[must_use]
    pub fn is_needed_for(invoice: &Invoice) -> bool {
        matches!(Self::need(invoice), Need::Required(_))
    }

    /// Whether a document accepts this declaration.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `itc_reduction` and the reason.
    pub fn check_for(&self, invoice: &Invoice) -> Result<(), Error> {
        let sent = amounts(Self::need(invoice), *self);
        sent.map(drop).map_err(|reason| Error::input(field::ITC_REDUCTION, reason))
    }

    fn need(invoice: &Invoice) -> Need {
        let section = invoice.section().cloned().unwrap_or_else(|| "".into());
        Need::of(&section, invoice, Some(&InvoiceAction::Accepted))
    }
}
