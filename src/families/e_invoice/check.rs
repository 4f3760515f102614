//! Checks an invoice before it is sent: what the registration portal refuses
//! most, told by member and rule.
//!
//! `form` looks at each member alone, `sums` at what must fit together.

use std::{collections::HashSet, fmt};

use crate::{Error, e_invoice::types::Inv01, field, values::ProviderDate};

use super::{form, sums};

/// A reason why the portal would refuse an invoice: a member, and the rule that it breaks.
///
/// [`Display`](fmt::Display) shows both, but never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceFault {
    member: String,
    rule: &'static str,
}

impl InvoiceFault {
    pub(super) fn new(member: impl Into<String>, rule: &'static str) -> Self {
        Self { member: member.into(), rule }
    }

    /// The member, such as `ItemList[0].AssAmt`. Items are counted from 0.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The rule, such as `must be TotAmt less Discount, within 1 rupee`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for InvoiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.member, self.rule)
    }
}

/// What tells two documents apart: the portal registers each once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DocumentKey {
    seller: String,
    kind: &'static str,
    number: String,
    /// The year in which the financial year begins, in April.
    year: u16,
}

impl Inv01 {
    /// Lists what the portal would refuse in this invoice, as far as that can
    /// be checked offline. Empty if the invoice may be sent.
    ///
    /// It checks the form of each member; state codes against GSTIN and supply type; the
    /// tax type against the place of supply; taxable value, taxes and total of each item;
    /// and the totals of the invoice. Values of items, and sums of them, may be off by 1
    /// rupee; the total by 2 rupees (inferred: a guide on e-way bills has the second
    /// figure, no page of the provider has either). Taxes of credit and debit notes are
    /// not compared with their rates, as the portal does not.
    ///
    /// ```
    /// use sandbox_client::e_invoice::types::Inv01;
    /// # let json = include_str!("../../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json");
    ///
    /// let mut invoice: Inv01 = serde_json::from_str(json)?;
    /// assert!(invoice.faults().is_empty());
    ///
    /// invoice.item_list[0].ass_amt = 9_000.into();
    /// let faults = invoice.faults();
    /// assert_eq!(faults[0].member(), "ItemList[0].AssAmt");
    /// assert_eq!(faults[0].rule(), "must be TotAmt less Discount, within 1 rupee");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Sources: the schema of the request in the provider's document, and a [guide to the
    /// portal's
    /// checks](https://gst-online.com/key-validation-for-item-value-taxable-value-and-invoice-value-while-generating-e-invoice).
    #[must_use]
    pub fn faults(&self) -> Vec<InvoiceFault> {
        let mut faults = form::faults(self);
        sums::check(self, &mut faults);
        faults
    }

    /// Returns the invoice if [`faults`](Inv01::faults) finds nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the first faulty
    /// member as its field; the message names the others.
    pub fn check(&self) -> Result<(), Error> {
        refused(&self.faults())
    }

    /// Type, number and financial year with the supplier; `None` if the
    /// date is none.
    pub(crate) fn key(&self) -> Option<DocumentKey> {
        let date = ProviderDate::from(self.doc_dtls.dt.as_str()).to_date().ok()?;
        Some(DocumentKey {
            seller: self.seller_dtls.gstin.to_ascii_uppercase(),
            kind: form::document_type(self.doc_dtls.typ),
            number: self.doc_dtls.no.to_ascii_uppercase(),
            year: date.financial_year(),
        })
    }
}

/// One error for all faults.
pub(super) fn refused(faults: &[InvoiceFault]) -> Result<(), Error> {
    /// More would fill a screen.
    const TOLD: usize = 5;
    let Some((first, others)) = faults.split_first() else { return Ok(()) };
    let mut reason = first.rule.to_owned();
    for fault in others.iter().take(TOLD - 1) {
        reason.push_str(&format!("; `{}` {}", fault.member, fault.rule));
    }
    if let Some(left) = faults.len().checked_sub(TOLD).filter(|left| *left > 0) {
        reason.push_str(&format!("; {left} more"));
    }
    Err(Error::input(first.member.clone(), reason))
}

/// Finds documents that come twice. Number and type count within a financial
/// year of the supplier; small letters are capitals.
#[derive(Default)]
pub(crate) struct Duplicates(HashSet<DocumentKey>);

impl Duplicates {
    pub fn add(&mut self, invoice: &Inv01) -> Result<(), Error> {
        let new = invoice.key().is_none_or(|key| self.0.insert(key));
        if new {
            return Ok(());
        }
        Err(Error::input(field::DOC_DTLS_NO, "stands twice among these invoices of one financial year"))
    }
}
