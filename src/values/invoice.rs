//! One document of the Invoice Management System.

use std::{fmt, sync::Arc};

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use super::{
    Amount, FilingStatus, InvoiceAction, InvoiceType, ProviderDate, Section, SourceForm, YesNo,
    hash_text::HashText, optional_text::OptionalText,
};

/// A document as the recipient sees it in the IMS: an invoice, a note or an
/// e-commerce document of any of the eight sections.
///
/// The members depend on the section, so most accessors may return `None`. Names are the
/// same for all sections: [`number`](Invoice::number) reads `inum` of an invoice and
/// `nt_num` of a note. JSON output uses the provider's own names; members that this
/// version does not know are dropped.
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
#[derive(Clone, PartialEq)]
pub struct Invoice(Box<Fields>);

#[derive(Clone, PartialEq, Default)]
struct Fields {
    section: Option<Arc<Section>>,
    supplier: CompactString,
    period: CompactString,
    number: CompactString,
    date: Option<ProviderDate>,
    /// Whether number and date travel as `nt_num` and `nt_dt`.
    is_note: bool,
    place_of_supply: Option<CompactString>,
    form: Option<SourceForm>,
    kind: Option<InvoiceType>,
    action: Option<InvoiceAction>,
    pending_blocked: Option<YesNo>,
    remarks_blocked: Option<bool>,
    reduction_blocked: Option<bool>,
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
    original_date: Option<ProviderDate>,
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

impl ItcReduction {
    /// These amounts of the four taxes.
    pub fn new(
        igst: impl Into<Amount>,
        cgst: impl Into<Amount>,
        sgst: impl Into<Amount>,
        cess: impl Into<Amount>,
    ) -> Self {
        Self {
            igst: Some(igst.into()),
            cgst: Some(cgst.into()),
            sgst: Some(sgst.into()),
            cess: Some(cess.into()),
        }
    }
}

impl Invoice {
    /// Sets the section of the document. Lists do this automatically; documents that you
    /// stored as JSON need it before you can act on them, since JSON does not contain the
    /// section.
    #[must_use]
    pub fn in_section(mut self, section: Section) -> Self {
        self.set_section(&Arc::new(section));
        self
    }

    /// The same, for many documents of one section.
    pub(super) fn set_section(&mut self, section: &Arc<Section>) {
        self.0.section = Some(Arc::clone(section));
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
    pub fn date(&self) -> Option<&ProviderDate> {
        self.0.date.as_ref()
    }

    /// Number of the document that this one amends (`oinum`, `ont_num`).
    #[must_use]
    pub fn original_number(&self) -> Option<&str> {
        self.0.rare.as_ref()?.original_number.as_deref()
    }

    /// Date of the document that this one amends (`oidt`, `ont_dt`).
    #[must_use]
    pub fn original_date(&self) -> Option<&ProviderDate> {
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

    /// The recipient's action so far (`action`).
    #[must_use]
    pub fn action(&self) -> Option<&InvoiceAction> {
        self.0.action.as_ref()
    }

    /// Whether it may not be kept pending (`ispendactblocked`); so by the name
    /// of the member, no page explains it.
    #[must_use]
    pub fn is_pending_blocked(&self) -> bool {
        self.0.pending_blocked.as_ref().and_then(flag) == Some(true)
    }

    /// Whether it takes no remarks (`isRemarksBlocked`); so by the name of the
    /// member, no page explains it.
    #[must_use]
    pub fn is_remarks_blocked(&self) -> bool {
        self.0.remarks_blocked == Some(true)
    }

    /// Whether it takes no declaration on the reduction of credit
    /// (`isItcRedReqBlocked`); `None` if the list does not tell. So by the name
    /// of the member, no page explains it.
    #[must_use]
    pub fn is_itc_reduction_blocked(&self) -> Option<bool> {
        self.0.reduction_blocked
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

    /// The three taxes and cess together; what is absent counts as nothing. At
    /// the end of the range of [`Decimal`](super::Decimal), about 10²⁸, where the sum is beyond.
    #[must_use]
    pub fn total_tax(&self) -> Amount {
        let parts = [self.igst(), self.cgst(), self.sgst(), self.cess()];
        parts.into_iter().flatten().fold(Amount::ZERO, Amount::saturating_add)
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

/// What a flag says, in the forms that lists have it.
fn flag(flag: &YesNo) -> Option<bool> {
    match flag.as_str().to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" | "1" => Some(true),
        "n" | "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// The same as GSTN writes it.
fn letter(flag: Option<bool>) -> Option<YesNo> {
    flag.map(|flag| if flag { YesNo::Yes } else { YesNo::No })
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
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Member {
    #[serde(rename = "stin")]
    Supplier,
    #[serde(rename = "rtnprd")]
    Period,
    #[serde(rename = "srcform")]
    Form,
    #[serde(rename = "inum")]
    Number,
    #[serde(rename = "idt")]
    Date,
    #[serde(rename = "nt_dt")]
    NoteDate,
    #[serde(rename = "nt_num")]
    NoteNumber,
    #[serde(rename = "oinum", alias = "ont_num")]
    OriginalNumber,
    #[serde(rename = "oidt", alias = "ont_dt")]
    OriginalDate,
    #[serde(rename = "inv_typ")]
    Kind,
    #[serde(rename = "pos")]
    PlaceOfSupply,
    #[serde(rename = "action")]
    Action,
    #[serde(rename = "ispendactblocked")]
    PendingBlocked,
    #[serde(rename = "isRemarksBlocked")]
    RemarksBlocked,
    #[serde(rename = "isItcRedReqBlocked", alias = "itcRedReqBlocked")]
    ReductionBlocked,
    #[serde(rename = "srcfilstatus")]
    FilingStatus,
    #[serde(rename = "hash")]
    Hash,
    #[serde(rename = "val")]
    Value,
    #[serde(rename = "txval")]
    TaxableValue,
    #[serde(rename = "iamt")]
    Igst,
    #[serde(rename = "camt")]
    Cgst,
    #[serde(rename = "samt")]
    Sgst,
    #[serde(rename = "cess")]
    Cess,
    #[serde(rename = "remarks")]
    Remarks,
    #[serde(rename = "itcRedReq")]
    ReductionRequired,
    #[serde(rename = "declIgst")]
    DeclaredIgst,
    #[serde(rename = "declCgst")]
    DeclaredCgst,
    #[serde(rename = "declSgst")]
    DeclaredSgst,
    #[serde(rename = "declCess")]
    DeclaredCess,
    #[serde(other)]
    Unknown,
}

/// Written by hand, since what serde derives moves each document several times
/// and knows no second name for one member.
impl<'de> Deserialize<'de> for Invoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Invoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a document")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Invoice, A::Error> {
                let mut fields = Box::<Fields>::default();
                while let Some(member) = map.next_key()? {
                    fields.read(&member, &mut map)?;
                }
                Ok(Invoice(fields))
            }
        }
        // Without names: of two members of one name the last holds here.
        deserializer.deserialize_struct("Invoice", &[], Visitor)
    }
}

impl Fields {
    /// Takes one member. Of one that comes twice, the last counts.
    fn read<'de, A: de::MapAccess<'de>>(&mut self, member: &Member, map: &mut A) -> Result<(), A::Error> {
        fn text<'de, T, A>(map: &mut A) -> Result<Option<T>, A::Error>
        where
            T: for<'a> From<&'a str>,
            A: de::MapAccess<'de>,
        {
            map.next_value::<OptionalText<T>>().map(|text| text.0)
        }
        match member {
            Member::Supplier => self.supplier = text(map)?.unwrap_or_default(),
            Member::Period => self.period = text(map)?.unwrap_or_default(),
            Member::Form => self.form = text(map)?,
            Member::Number | Member::NoteNumber => {
                if let Some(number) = text(map)? {
                    self.number = number;
                    self.is_note = matches!(member, Member::NoteNumber);
                }
            }
            Member::Date => self.date = text(map)?,
            Member::NoteDate => {
                self.date = text(map)?;
                self.is_note |= self.number.is_empty();
            }
            Member::OriginalNumber => self.rare().original_number = text(map)?,
            Member::OriginalDate => self.rare().original_date = text(map)?,
            Member::Kind => self.kind = text(map)?,
            Member::PlaceOfSupply => self.place_of_supply = text(map)?,
            Member::Action => self.action = text(map)?,
            Member::PendingBlocked => self.pending_blocked = text(map)?,
            Member::RemarksBlocked => self.remarks_blocked = text(map)?.as_ref().and_then(flag),
            Member::ReductionBlocked => self.reduction_blocked = text(map)?.as_ref().and_then(flag),
            Member::FilingStatus => self.filing_status = text(map)?,
            Member::Hash => self.hash = text(map)?,
            Member::Value => self.value = map.next_value()?,
            Member::TaxableValue => self.taxable_value = map.next_value()?,
            Member::Igst => self.igst = map.next_value()?,
            Member::Cgst => self.cgst = map.next_value()?,
            Member::Sgst => self.sgst = map.next_value()?,
            Member::Cess => self.cess = map.next_value()?,
            Member::Remarks => self.rare().remarks = text(map)?,
            Member::ReductionRequired => self.rare().reduction_required = text(map)?,
            Member::DeclaredIgst => self.rare().declared.igst = map.next_value()?,
            Member::DeclaredCgst => self.rare().declared.cgst = map.next_value()?,
            Member::DeclaredSgst => self.rare().declared.sgst = map.next_value()?,
            Member::DeclaredCess => self.rare().declared.cess = map.next_value()?,
            Member::Unknown => drop(map.next_value::<de::IgnoredAny>()?),
        }
        Ok(())
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// Members that are absent stay so; number and date go under the names that
/// they came by.
impl Serialize for Invoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &*self.0;
        let none = Rare::default();
        let rare = fields.rare.as_deref().unwrap_or(&none);
        let (number, date, original_number, original_date) = if fields.is_note {
            ("nt_num", "nt_dt", "ont_num", "ont_dt")
        } else {
            ("inum", "idt", "oinum", "oidt")
        };

        let mut map = Members(serializer.serialize_map(None)?);
        map.entry("stin", present(&fields.supplier))?;
        map.entry("rtnprd", present(&fields.period))?;
        map.entry("srcform", fields.form.as_ref())?;
        map.entry(number, present(&fields.number))?;
        map.entry(date, fields.date.as_ref())?;
        map.entry(original_number, rare.original_number.as_ref())?;
        map.entry(original_date, rare.original_date.as_ref())?;
        map.entry("inv_typ", fields.kind.as_ref())?;
        map.entry("pos", fields.place_of_supply.as_ref())?;
        map.entry("action", fields.action.as_ref())?;
        map.entry("ispendactblocked", fields.pending_blocked.as_ref())?;
        map.entry("isRemarksBlocked", letter(fields.remarks_blocked).as_ref())?;
        map.entry("isItcRedReqBlocked", letter(fields.reduction_blocked).as_ref())?;
        map.entry("srcfilstatus", fields.filing_status.as_ref())?;
        map.entry("hash", fields.hash.as_ref())?;
        map.entry("val", fields.value.as_ref())?;
        map.entry("txval", fields.taxable_value.as_ref())?;
        map.entry("iamt", fields.igst.as_ref())?;
        map.entry("camt", fields.cgst.as_ref())?;
        map.entry("samt", fields.sgst.as_ref())?;
        map.entry("cess", fields.cess.as_ref())?;
        map.entry("remarks", rare.remarks.as_ref())?;
        map.entry("itcRedReq", rare.reduction_required.as_ref())?;
        map.entry("declIgst", rare.declared.igst.as_ref())?;
        map.entry("declCgst", rare.declared.cgst.as_ref())?;
        map.entry("declSgst", rare.declared.sgst.as_ref())?;
        map.entry("declCess", rare.declared.cess.as_ref())?;
        map.0.end()
    }
}

fn present(text: &CompactString) -> Option<&CompactString> {
    Some(text).filter(|text| !text.is_empty())
}

/// Writes the members that are there.
struct Members<M>(M);

impl<M: SerializeMap> Members<M> {
    fn entry<T: Serialize>(&mut self, name: &str, value: Option<&T>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.0.serialize_entry(name, value))
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
            r#"{"inum":"3","ispendactblocked":"Y","isRemarksBlocked":"N","isItcRedReqBlocked":"Y","srcfilstatus":"Filed"}"#,
            r#"{"stin":"s","nt_num":"1","nt_dt":"05-11-2024","ont_num":"0","ont_dt":"","action":"Z","val":0.1}"#,
            r#"{"inum":"2","idt":"NA","oinum":"1","oidt":"01-11-2024","remarks":"why","itcRedReq":"Y","declIgst":2000,"declCgst":500,"declSgst":500,"declCess":100}"#,
            "{}",
        ] {
            let read: Invoice = serde_json::from_str(sent).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), sent);
        }
    }

    /// A note keeps its names where its number is blank.
    #[test]
    fn a_note_without_a_number_is_a_note() {
        for (sent, written) in [
            (r#"{"nt_num":"","nt_dt":"05-11-2024"}"#, r#"{"nt_dt":"05-11-2024"}"#),
            (r#"{"nt_dt":"05-11-2024","inum":"1"}"#, r#"{"inum":"1","idt":"05-11-2024"}"#),
        ] {
            let read: Invoice = serde_json::from_str(sent).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
    }

    #[test]
    fn flags_are_read_in_every_form() {
        for (sent, blocked) in [
            ("\"Y\"", Some(true)),
            ("true", Some(true)),
            ("\"true\"", Some(true)),
            ("1", Some(true)),
            ("\"N\"", Some(false)),
            ("false", Some(false)),
            ("\"\"", None),
            ("null", None),
            ("\"?\"", None),
        ] {
            let json = format!(
                r#"{{"ispendactblocked":{sent},"isRemarksBlocked":{sent},"isItcRedReqBlocked":{sent}}}"#
            );
            let read: Invoice = serde_json::from_str(&json).unwrap();
            assert_eq!(read.is_itc_reduction_blocked(), blocked, "{sent}");
            assert_eq!(read.is_remarks_blocked(), blocked == Some(true), "{sent}");
            assert_eq!(read.is_pending_blocked(), blocked == Some(true), "{sent}");
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
