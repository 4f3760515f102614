//! A document of either side.

use std::fmt;

use crate::values::{Amount, CalendarDate, Invoice, ProviderDate, Section};

/// A document of a purchase register, or as a supplier reported it.
///
/// `None` means that a field is unknown; it is then not compared. Amounts are
/// in rupees; those of a credit note are positive, as in GSTN's data.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// GSTIN of the supplier. Case and spaces around it do not matter. Empty for an
    /// import from overseas.
    pub supplier_gstin: String,
    /// Code of the port, of a bill of entry. Case does not matter.
    pub port_code: Option<String>,
    /// Number of the document, as it is written.
    pub number: String,
    /// Date of the document.
    pub date: Option<CalendarDate>,
    /// What kind of document it is.
    pub kind: Kind,
    /// Value of the whole document, taxes included.
    pub value: Option<Amount>,
    /// Value without tax.
    pub taxable_value: Option<Amount>,
    /// Integrated tax.
    pub igst: Option<Amount>,
    /// Central tax.
    pub cgst: Option<Amount>,
    /// State or union territory tax.
    pub sgst: Option<Amount>,
    /// Cess.
    pub cess: Option<Amount>,
    /// Place of supply: a state code of two digits, 96 or 97.
    pub place_of_supply: Option<String>,
    /// Whether the recipient pays the tax.
    pub reverse_charge: Option<bool>,
}

/// The kinds of documents, each with its own number series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// An invoice, amended or not.
    #[default]
    Invoice,
    /// A credit note, amended or not.
    CreditNote,
    /// A debit note, amended or not.
    DebitNote,
    /// A bill of entry: an import of goods, from overseas or a special economic zone. Its
    /// key has the port in the place of the supplier.
    BillOfEntry,
}

impl Kind {
    /// `invoice`, `credit_note`, `debit_note` or `bill_of_entry`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
            Self::DebitNote => "debit_note",
            Self::BillOfEntry => "bill_of_entry",
        }
    }
}

impl Document {
    /// An invoice with only supplier and number.
    #[must_use]
    pub fn new(supplier_gstin: impl Into<String>, number: impl Into<String>) -> Self {
        Self { supplier_gstin: supplier_gstin.into(), number: number.into(), ..Self::default() }
    }

    /// A bill of entry of which only port and number are known.
    #[must_use]
    pub fn bill_of_entry(port_code: impl Into<Option<String>>, number: impl Into<String>) -> Self {
        Self { port_code: port_code.into(), kind: Kind::BillOfEntry, ..Self::new("", number) }
    }

    /// Sets the date.
    #[must_use]
    pub fn date(self, date: impl Into<Option<CalendarDate>>) -> Self {
        Self { date: date.into(), ..self }
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Sets the value with taxes.
    #[must_use]
    pub fn value(self, value: impl Into<Option<Amount>>) -> Self {
        Self { value: value.into(), ..self }
    }

    /// Sets the value without tax.
    #[must_use]
    pub fn taxable_value(self, value: impl Into<Option<Amount>>) -> Self {
        Self { taxable_value: value.into(), ..self }
    }

    /// Sets integrated, central and state tax, and cess.
    #[must_use]
    pub fn taxes(self, [igst, cgst, sgst, cess]: [Option<Amount>; 4]) -> Self {
        Self { igst, cgst, sgst, cess, ..self }
    }

    /// Sets the place of supply.
    #[must_use]
    pub fn place_of_supply(self, state: impl Into<String>) -> Self {
        Self { place_of_supply: Some(state.into()), ..self }
    }

    /// Sets whether the recipient pays the tax.
    #[must_use]
    pub fn reverse_charge(self, reverse_charge: impl Into<Option<bool>>) -> Self {
        Self { reverse_charge: reverse_charge.into(), ..self }
    }

    /// The first calendar year of the financial year, which begins in April.
    pub(super) fn financial_year(&self) -> Option<u16> {
        self.date.map(CalendarDate::financial_year)
    }

    /// Taxes that are absent in what GSTN sends are zero.
    fn with_taxes(self, taxes: [Option<Amount>; 4]) -> Self {
        self.taxes(taxes.map(|tax| Some(tax.unwrap_or(Amount::ZERO))))
    }
}

/// Leaves out what is the taxpayer's business.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A document of the Invoice Management System. Its list does not have reverse
/// charge.
impl From<&Invoice> for Document {
    fn from(invoice: &Invoice) -> Self {
        let kind = match invoice.section() {
            Some(Section::B2bcn | Section::B2bcna | Section::Isdcn | Section::Isdcna) => Kind::CreditNote,
            Some(Section::B2bdn | Section::B2bdna) => Kind::DebitNote,
            Some(Section::Impg | Section::Impga | Section::Impgsez | Section::Impgseza) => Kind::BillOfEntry,
            _ => Kind::Invoice,
        };
        Self {
            place_of_supply: invoice.place_of_supply().map(str::to_owned),
            ..Self::new(invoice.supplier_gstin(), invoice.number())
        }
        .kind(kind)
        .date(invoice.date().and_then(day))
        .value(invoice.value())
        .taxable_value(invoice.taxable_value())
        .with_taxes([invoice.igst(), invoice.cgst(), invoice.sgst(), invoice.cess()])
    }
}

fn day(date: &ProviderDate) -> Option<CalendarDate> {
    date.to_date().ok()
}

#[cfg(feature = "gstr_2b")]
mod gstr_2b {
    use super::{Amount, Document, Kind, day};
    use crate::{
        gstr_2b::types::{
            Gstr2b, Gstr2bBillOfEntry, Gstr2bInvoice, Gstr2bIsdDocument, Gstr2bItem, Gstr2bNote,
        },
        values::ProviderDate,
    };

    impl Document {
        /// The documents of a GSTR-2B, or of one of its files: invoices, notes, those of
        /// input service distributors and e-commerce operators, and bills of entry,
        /// amended ones included. Documents that the recipient has rejected
        /// (`docRejdata`) and those of reversed credit (`itcrev`) are left out.
        #[must_use]
        pub fn of_gstr_2b(statement: &Gstr2b) -> Vec<Self> {
            let Some(documents) = &statement.docdata else { return Vec::new() };
            let mut all = Vec::new();
            for supplier in documents.suppliers() {
                let gstin = supplier.ctin.as_deref().unwrap_or_default();
                all.extend(supplier.inv.iter().flatten().map(|invoice| of_invoice(gstin, invoice)));
                all.extend(supplier.nt.iter().flatten().map(|note| of_note(gstin, note)));
                all.extend(supplier.doclist.iter().flatten().map(|document| of_isd(gstin, document)));
            }
            all.extend(documents.impg.iter().flatten().map(|bill| of_bill_of_entry("", bill)));
            for supplier in documents.impgsez.iter().flatten() {
                let gstin = supplier.ctin.as_deref().unwrap_or_default();
                all.extend(supplier.boe.iter().flatten().map(|bill| of_bill_of_entry(gstin, bill)));
            }
            all
        }

        fn of_supplier(gstin: &str, number: Option<&String>, date: Option<&ProviderDate>) -> Self {
            Self::new(gstin, number.map_or("", String::as_str)).date(date.and_then(day))
        }
    }

    fn of_invoice(gstin: &str, invoice: &Gstr2bInvoice) -> Document {
        let items = invoice.items.as_deref();
        let taxes = [
            (invoice.igst, item_igst as Column),
            (invoice.cgst, item_cgst),
            (invoice.sgst, item_sgst),
            (invoice.cess, item_cess),
        ];
        Document {
            place_of_supply: invoice.pos.clone(),
            ..Document::of_supplier(gstin, invoice.inum.as_ref(), invoice.dt.as_ref())
        }
        .value(invoice.val)
        .taxable_value(invoice.txval.or_else(|| sum(items, |item| item.txval)))
        .with_taxes(taxes.map(|(whole, column)| whole.or_else(|| sum(items, column))))
        .reverse_charge(yes_or_no(invoice.rev.as_deref()))
    }

    fn of_note(gstin: &str, note: &Gstr2bNote) -> Document {
        let items = note.items.as_deref();
        let taxes = [
            (note.igst, item_igst as Column),
            (note.cgst, item_cgst),
            (note.sgst, item_sgst),
            (note.cess, item_cess),
        ];
        let kind = if note.typ.as_deref() == Some("D") { Kind::DebitNote } else { Kind::CreditNote };
        Document {
            place_of_supply: note.pos.clone(),
            ..Document::of_supplier(gstin, note.ntnum.as_ref(), note.dt.as_ref())
        }
        .kind(kind)
        .value(note.val)
        .taxable_value(note.txval.or_else(|| sum(items, |item| item.txval)))
        .with_taxes(taxes.map(|(whole, column)| whole.or_else(|| sum(items, column))))
        .reverse_charge(yes_or_no(note.rev.as_deref()))
    }

    fn of_isd(gstin: &str, document: &Gstr2bIsdDocument) -> Document {
        let kind = if document.doctyp.as_deref() == Some("ISDC") { Kind::CreditNote } else { Kind::Invoice };
        Document::of_supplier(gstin, document.docnum.as_ref(), document.docdt.as_ref())
            .kind(kind)
            .with_taxes([document.igst, document.cgst, document.sgst, document.cess])
    }

    fn of_bill_of_entry(gstin: &str, bill: &Gstr2bBillOfEntry) -> Document {
        Document {
            port_code: bill.portcode.clone(),
            ..Document::of_supplier(gstin, bill.boenum.as_ref(), bill.boedt.as_ref())
        }
        .kind(Kind::BillOfEntry)
        .taxable_value(bill.txval)
        .with_taxes([bill.igst, None, None, bill.cess])
    }

    type Column = fn(&Gstr2bItem) -> Option<Amount>;

    fn item_igst(item: &Gstr2bItem) -> Option<Amount> {
        item.igst
    }

    fn item_cgst(item: &Gstr2bItem) -> Option<Amount> {
        item.cgst
    }

    fn item_sgst(item: &Gstr2bItem) -> Option<Amount> {
        item.sgst
    }

    fn item_cess(item: &Gstr2bItem) -> Option<Amount> {
        item.cess
    }

    /// Of statements before October 2024, which have amounts by rate.
    fn sum(items: Option<&[Gstr2bItem]>, column: Column) -> Option<Amount> {
        Some(items?.iter().filter_map(column).fold(Amount::ZERO, Amount::saturating_add))
    }

    fn yes_or_no(text: Option<&str>) -> Option<bool> {
        match text {
            Some("Y") => Some(true),
            Some("N") => Some(false),
            _ => None,
        }
    }
}
