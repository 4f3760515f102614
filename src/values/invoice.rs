//! One document of the Invoice Management System.

use std::{fmt, sync::Arc};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{
    Amount, Decimal, FilingStatus, InvoiceAction, InvoiceType, Section, SourceForm, VendorDate, YesNo,
    hash_text::HashText, text,
};

/// A document as the recipient sees it in the IMS: an invoice, a note or an
/// e-commerce document of any of the eight sections.
///
/// Which members there are depends on the section, so most accessors may give
/// nothing. Names are the same for all sections: [`number`](Invoice::number)
/// reads `inum` of an invoice and `nt_num` of a note. Written as JSON, each has
/// the provider's own names again; members that this version does not know are
/// dropped.
///
/// ```
/// use sandbox_client::values::{Amount, Invoice, InvoiceAction, Section};
///
/// let note: Invoice = serde_json::from_str(
///     r#"{"stin": "24MAYAS0100J1JD", "nt_num": "dn2", "nt_dt": "24-02-2023", "action": "N", "val": 1000.1}"#,
/// )?;
/// let note = note.in_section(Section::B2bdn);
/// assert_eq!(note.number(), "dn2");
/// assert_eq!(note.date().unwrap().to_date()?.day(), 24);
/// assert_eq!(note.value().unwrap().to_string(), "1000.1");
/// assert_eq!(note.action(), Some(&InvoiceAction::NoAction));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Behind a pointer, so that a growing list moves pointers, and so that the
// unused end of a list costs next to nothing.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Invoice(Box<Fields>);

#[derive(Clone, PartialEq, Default)]
struct Fields {
    section: Option<Arc<Section>>,
    supplier: CompactString,
    period: CompactString,
    number: CompactString,
    date: Option<VendorDate>,
    /// Whether number and date travel as `nt_num` and `nt_dt`.
    is_note: bool,
    place_of_supply: Option<CompactString>,
    form: Option<SourceForm>,
    kind: Option<InvoiceType>,
    action: Option<InvoiceAction>,
    pending_blocked: Option<YesNo>,
    filing_status: Option<FilingStatus>,
    hash: Option<HashText>,
    value: Option<Amount>,
    taxable_value: Option<Amount>,
    igst: Option<Amount>,
    cgst: Option<Amount>,
    sgst: Option<Amount>,
    cess: Option<Amount>,
    rare: Option<Box<Rare>>,
}

/// What few documents have.
#[derive(Clone, PartialEq, Default)]
struct Rare {
    original_number: Option<CompactString>,
    original_date: Option<VendorDate>,
    remarks: Option<CompactString>,
    reduction_required: Option<YesNo>,
    declared: ItcReduction,
}

/// The input tax credit that a recipient declares to give back for an amended
/// document or a credit note.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItcReduction {
    /// Integrated tax (`declIgst`).
    pub igst: Option<Amount>,
    /// Central tax (`declCgst`).
    pub cgst: Option<Amount>,
    /// State tax (`declSgst`).
    pub sgst: Option<Amount>,
    /// Cess (`declCess`).
    pub cess: Option<Amount>,
}

impl Invoice {
    /// The same document as one of `section`. Lists do this by themselves;
    /// documents that were kept as JSON and read back need it before they can
    /// be acted on, since their section is not among their members.
    #[must_use]
    pub fn in_section(self, section: Section) -> Self {
        self.in_shared_section(&Arc::new(section))
    }

    /// The same, for many documents of one section.
    pub(crate) fn in_shared_section(mut self, section: &Arc<Section>) -> Self {
        self.0.section = Some(Arc::clone(section));
        self
    }

    /// The section that the document was listed in.
    #[must_use]
    pub fn section(&self) -> Option<&Section> {
        self.0.section.as_deref()
    }

    /// GSTIN of the supplier (`stin`), empty if absent. Text, since samples of
    /// the provider do not pass the checks of [`Gstin`](super::Gstin).
    #[must_use]
    pub fn supplier_gstin(&self) -> &str {
        &self.0.supplier
    }

    /// Return period of the supplier (`rtnprd`), `MMYYYY`, empty if absent.
    #[must_use]
    pub fn return_period(&self) -> &str {
        &self.0.period
    }

    /// Number of the document (`inum`, `nt_num`), empty if absent.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.0.number
    }

    /// Date of the document (`idt`, `nt_dt`).
    #[must_use]
    pub fn date(&self) -> Option<&VendorDate> {
        self.0.date.as_ref()
    }

    /// Number of the document that this one amends (`oinum`, `ont_num`).
    #[must_use]
    pub fn original_number(&self) -> Option<&str> {
        self.0.rare.as_ref()?.original_number.as_deref()
    }

    /// Date of the document that this one amends (`oidt`, `ont_dt`).
    #[must_use]
    pub fn original_date(&self) -> Option<&VendorDate> {
        self.0.rare.as_ref()?.original_date.as_ref()
    }

    /// The form that the supplier reported it in (`srcform`).
    #[must_use]
    pub fn source_form(&self) -> Option<&SourceForm> {
        self.0.form.as_ref()
    }

    /// The kind of supply (`inv_typ`). E-commerce documents have none.
    #[must_use]
    pub fn invoice_type(&self) -> Option<&InvoiceType> {
        self.0.kind.as_ref()
    }

    /// Place of supply (`pos`): two digits, a state, 96 or 97.
    #[must_use]
    pub fn place_of_supply(&self) -> Option<&str> {
        self.0.place_of_supply.as_deref()
    }

    /// What the recipient has done with it so far (`action`).
    #[must_use]
    pub fn action(&self) -> Option<&InvoiceAction> {
        self.0.action.as_ref()
    }

    /// Whether it may not be kept pending (`ispendactblocked`); so by the name
    /// of the member, no page explains it.
    #[must_use]
    pub fn is_pending_blocked(&self) -> bool {
        self.0.pending_blocked == Some(YesNo::Yes)
    }

    /// Whether the supplier has filed the form or only saved it (`srcfilstatus`).
    #[must_use]
    pub fn filing_status(&self) -> Option<&FilingStatus> {
        self.0.filing_status.as_ref()
    }

    /// The document's hash, as text (`hash`).
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        self.0.hash.as_ref().map(ToString::to_string)
    }

    /// Value of the whole document (`val`), in rupees as all amounts are.
    #[must_use]
    pub fn value(&self) -> Option<Amount> {
        self.0.value
    }

    /// Value without tax (`txval`).
    #[must_use]
    pub fn taxable_value(&self) -> Option<Amount> {
        self.0.taxable_value
    }

    /// Integrated tax (`iamt`).
    #[must_use]
    pub fn igst(&self) -> Option<Amount> {
        self.0.igst
    }

    /// Central tax (`camt`).
    #[must_use]
    pub fn cgst(&self) -> Option<Amount> {
        self.0.cgst
    }

    /// State tax (`samt`).
    #[must_use]
    pub fn sgst(&self) -> Option<Amount> {
        self.0.sgst
    }

    /// Cess (`cess`).
    #[must_use]
    pub fn cess(&self) -> Option<Amount> {
        self.0.cess
    }

    /// The three taxes and cess together; what is absent counts as nothing.
    #[must_use]
    pub fn total_tax(&self) -> Amount {
        let parts = [self.igst(), self.cgst(), self.sgst(), self.cess()];
        parts.into_iter().flatten().map(Decimal::from).sum::<Decimal>().into()
    }

    /// What the recipient wrote to the supplier (`remarks`).
    #[must_use]
    pub fn remarks(&self) -> Option<&str> {
        self.0.rare.as_ref()?.remarks.as_deref()
    }

    /// Whether credit has to be given back (`itcRedReq`).
    #[must_use]
    pub fn itc_reduction_required(&self) -> Option<&YesNo> {
        self.0.rare.as_ref()?.reduction_required.as_ref()
    }

    /// The credit that was declared to be given back, if any was.
    #[must_use]
    pub fn itc_reduction(&self) -> Option<ItcReduction> {
        let declared = self.0.rare.as_ref()?.declared;
        (declared != ItcReduction::default()).then_some(declared)
    }
}

/// Leaves out amounts and text of the taxpayer's business.
impl fmt::Debug for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoice")
            .field("section", &self.section())
            .field("return_period", &self.return_period())
            .field("action", &self.action())
            .finish_non_exhaustive()
    }
}

/// The names of the provider, all sections together.
#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Wire {
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    stin: Option<CompactString>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    rtnprd: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    srcform: Option<SourceForm>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    inum: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idt: Option<VendorDate>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    nt_num: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nt_dt: Option<VendorDate>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    oinum: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidt: Option<VendorDate>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    ont_num: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ont_dt: Option<VendorDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inv_typ: Option<InvoiceType>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    pos: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<InvoiceAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ispendactblocked: Option<YesNo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    srcfilstatus: Option<FilingStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<HashText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    val: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txval: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iamt: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    camt: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samt: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cess: Option<Amount>,
    #[serde(deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    remarks: Option<CompactString>,
    #[serde(rename = "itcRedReq", skip_serializing_if = "Option::is_none")]
    itc_red_req: Option<YesNo>,
    #[serde(rename = "declIgst", skip_serializing_if = "Option::is_none")]
    decl_igst: Option<Amount>,
    #[serde(rename = "declCgst", skip_serializing_if = "Option::is_none")]
    decl_cgst: Option<Amount>,
    #[serde(rename = "declSgst", skip_serializing_if = "Option::is_none")]
    decl_sgst: Option<Amount>,
    #[serde(rename = "declCess", skip_serializing_if = "Option::is_none")]
    decl_cess: Option<Amount>,
}

impl From<Wire> for Invoice {
    fn from(wire: Wire) -> Self {
        let rare = Rare {
            original_number: wire.oinum.or(wire.ont_num),
            original_date: wire.oidt.or(wire.ont_dt),
            remarks: wire.remarks,
            reduction_required: wire.itc_red_req,
            declared: ItcReduction {
                igst: wire.decl_igst,
                cgst: wire.decl_cgst,
                sgst: wire.decl_sgst,
                cess: wire.decl_cess,
            },
        };
        Self(Box::new(Fields {
            section: None,
            is_note: wire.inum.is_none() && wire.nt_num.is_some(),
            supplier: wire.stin.unwrap_or_default(),
            period: wire.rtnprd.unwrap_or_default(),
            number: wire.inum.or(wire.nt_num).unwrap_or_default(),
            date: wire.idt.or(wire.nt_dt),
            place_of_supply: wire.pos,
            form: wire.srcform,
            kind: wire.inv_typ,
            action: wire.action,
            pending_blocked: wire.ispendactblocked,
            filing_status: wire.srcfilstatus,
            hash: wire.hash,
            value: wire.val,
            taxable_value: wire.txval,
            igst: wire.iamt,
            cgst: wire.camt,
            sgst: wire.samt,
            cess: wire.cess,
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
        }))
    }
}

impl From<Invoice> for Wire {
    fn from(invoice: Invoice) -> Self {
        let fields = *invoice.0;
        let present = |text: CompactString| (!text.is_empty()).then_some(text);
        let rare = fields.rare.map(|rare| *rare).unwrap_or_default();
        let mut wire = Self {
            stin: present(fields.supplier),
            rtnprd: present(fields.period),
            srcform: fields.form,
            inv_typ: fields.kind,
            pos: fields.place_of_supply,
            action: fields.action,
            ispendactblocked: fields.pending_blocked,
            srcfilstatus: fields.filing_status,
            hash: fields.hash,
            val: fields.value,
            txval: fields.taxable_value,
            iamt: fields.igst,
            camt: fields.cgst,
            samt: fields.sgst,
            cess: fields.cess,
            remarks: rare.remarks,
            itc_red_req: rare.reduction_required,
            decl_igst: rare.declared.igst,
            decl_cgst: rare.declared.cgst,
            decl_sgst: rare.declared.sgst,
            decl_cess: rare.declared.cess,
            ..Self::default()
        };
        let number = present(fields.number);
        if fields.is_note {
            (wire.nt_num, wire.nt_dt) = (number, fields.date);
            (wire.ont_num, wire.ont_dt) = (rare.original_number, rare.original_date);
        } else {
            (wire.inum, wire.idt) = (number, fields.date);
            (wire.oinum, wire.oidt) = (rare.original_number, rare.original_date);
        }
        wire
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Invoice, "Invoice", std::collections::BTreeMap<String, serde_json::Value>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_small() {
        // A list of 100,000 has to stay below one and a half times its JSON.
        assert!(size_of::<Fields>() <= 424, "{}", size_of::<Fields>());
        assert_eq!(size_of::<Invoice>(), 8);
    }

    #[test]
    fn every_section_comes_back_under_its_own_names() {
        for sent in [
            r#"{"stin":"s","rtnprd":"112024","srcform":"R1","inum":"1","idt":"05-11-2024","inv_typ":"R","pos":"24","action":"A","ispendactblocked":"N","srcfilstatus":"Not Filed","hash":"abc","val":142700,"txval":120932.18,"iamt":0,"camt":10883.91,"samt":10883.91,"cess":0}"#,
            r#"{"stin":"s","nt_num":"1","nt_dt":"05-11-2024","ont_num":"0","ont_dt":"","action":"Z","val":0.1}"#,
            r#"{"inum":"2","idt":"NA","oinum":"1","oidt":"01-11-2024","remarks":"why","itcRedReq":"Y","declIgst":2000,"declCgst":500,"declSgst":500,"declCess":100}"#,
            "{}",
        ] {
            let read: Invoice = serde_json::from_str(sent).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), sent);
        }
    }

    #[test]
    fn null_new_members_and_numbers_for_text_fail_nothing() {
        let read: Invoice = serde_json::from_str(
            r#"{"inum":7,"pos":5,"idt":null,"val":"1.50","new":{"a":[1]},"action":null}"#,
        )
        .unwrap();
        assert_eq!((read.number(), read.place_of_supply(), read.date()), ("7", Some("5"), None));
        assert_eq!(read.value(), Some("1.5".parse().unwrap()));
        assert!(serde_json::from_str::<Invoice>(r#"{"val":1e400}"#).is_err());
    }
}
