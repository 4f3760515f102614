//! What two documents differ in, and what that is called.

use std::cmp::Ordering;

use super::{Document, Kind};
use crate::values::{Amount, CalendarDate, Decimal};

/// Differences to tolerate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tolerance {
    /// Rupees that an amount may differ by. Each amount is compared by itself.
    pub amount: Decimal,
    /// Tolerance of dates, in days. A document of another financial year is
    /// another document, however near.
    pub days: u16,
}

/// One rupee, and the same day.
impl Default for Tolerance {
    fn default() -> Self {
        Self { amount: Decimal::ONE, days: 0 }
    }
}

impl Tolerance {
    /// Sets the rupees; a negative value counts as zero.
    #[must_use]
    pub fn amount(self, rupees: impl Into<Decimal>) -> Self {
        Self { amount: rupees.into().max(Decimal::ZERO), ..self }
    }

    /// Sets the days.
    #[must_use]
    pub fn days(self, days: u16) -> Self {
        Self { days, ..self }
    }
}

/// A document or a pair of them, and the verdict.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// Its place in the register.
    pub register: Option<usize>,
    /// Its place in the documents of GSTN.
    pub gstn: Option<usize>,
    /// The result of the comparison.
    pub verdict: Verdict,
}

/// The result of comparing a document.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Both sides have it, and all fields that both have are equal.
    Exact,
    /// Both sides have it, but fields differ.
    Differs {
        /// The fields, each once.
        differences: Vec<Difference>,
        /// Whether all of them are within the tolerance.
        within_tolerance: bool,
    },
    /// Two documents may be the same: their amounts agree. A person decides.
    Probable {
        /// Why the match is not certain.
        reason: Reason,
        /// Fields that differ within the tolerance, and the date.
        differences: Vec<Difference>,
    },
    /// GSTN does not have it.
    OnlyInRegister,
    /// The register does not have it.
    OnlyAtGstn,
    /// It appears twice on the same side.
    Duplicate {
        /// The place of the other on that side.
        of: usize,
    },
}

impl Verdict {
    /// All words of [`as_str`](Self::as_str), the best first.
    pub const WORDS: [&str; 7] =
        ["exact", "within_tolerance", "differs", "probable", "only_in_register", "only_at_gstn", "duplicate"];

    /// `exact`, `within_tolerance`, `differs`, `probable`, `only_in_register`,
    /// `only_at_gstn` or `duplicate`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Differs { within_tolerance: true, .. } => "within_tolerance",
            Self::Differs { .. } => "differs",
            Self::Probable { .. } => "probable",
            Self::OnlyInRegister => "only_in_register",
            Self::OnlyAtGstn => "only_at_gstn",
            Self::Duplicate { .. } => "duplicate",
        }
    }

    /// The fields that differ.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        match self {
            Self::Differs { differences, .. } | Self::Probable { differences, .. } => differences,
            _ => &[],
        }
    }
}

/// Why two documents with equal amounts have different keys. The first reason
/// that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Same number; the dates are in different financial years.
    FinancialYear,
    /// Same number; one is an invoice and one a note, or the notes are of two kinds.
    Kind,
    /// Same number; the supplier has another GSTIN under the same PAN.
    Registration,
    /// Same number of a bill of entry; the port is another.
    Port,
    /// Same day, of a bill of entry up to ten days apart; one number is the other with
    /// something more in front or behind.
    PartOfNumber,
    /// Same day; the numbers differ by one or two characters.
    Typing,
    /// Same day and amounts, which no other unmatched document of the supplier
    /// has; the numbers have nothing in common.
    AmountsAlone,
}

impl Reason {
    /// A word for programs, such as `financial_year`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FinancialYear => "financial_year",
            Self::Kind => "kind",
            Self::Registration => "registration",
            Self::Port => "port",
            Self::PartOfNumber => "part_of_number",
            Self::Typing => "typing",
            Self::AmountsAlone => "amounts_alone",
        }
    }

    /// A sentence for people, without a full stop.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::FinancialYear => "same number, another financial year",
            Self::Kind => "same number, another kind of document",
            Self::Registration => "same number, another GSTIN of the supplier",
            Self::Port => "same number, another port",
            Self::PartOfNumber => "one number is a part of the other",
            Self::Typing => "the numbers differ by a character or two",
            Self::AmountsAlone => "another number, but no other document has these amounts on this day",
        }
    }
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// Which field.
    pub field: Field,
    /// How much more GSTN has: in rupees, or in days later. `None` for text.
    pub by: Option<Decimal>,
    /// Whether the tolerance covers it.
    pub within_tolerance: bool,
}

/// The fields that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// [`Document::supplier_gstin`], of a bill of entry.
    SupplierGstin,
    /// [`Document::date`].
    Date,
    /// [`Document::value`].
    Value,
    /// [`Document::taxable_value`].
    TaxableValue,
    /// [`Document::igst`].
    Igst,
    /// [`Document::cgst`].
    Cgst,
    /// [`Document::sgst`].
    Sgst,
    /// [`Document::cess`].
    Cess,
    /// [`Document::place_of_supply`].
    PlaceOfSupply,
    /// [`Document::reverse_charge`].
    ReverseCharge,
}

impl Field {
    /// The name of the field, such as `taxable_value`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SupplierGstin => "supplier_gstin",
            Self::Date => "date",
            Self::Value => "value",
            Self::TaxableValue => "taxable_value",
            Self::Igst => "igst",
            Self::Cgst => "cgst",
            Self::Sgst => "sgst",
            Self::Cess => "cess",
            Self::PlaceOfSupply => "place_of_supply",
            Self::ReverseCharge => "reverse_charge",
        }
    }
}

type AmountOf = fn(&Document) -> Option<Amount>;

const AMOUNTS: [(Field, AmountOf); 6] = [
    (Field::Value, |document| document.value),
    (Field::TaxableValue, |document| document.taxable_value),
    (Field::Igst, |document| document.igst),
    (Field::Cgst, |document| document.cgst),
    (Field::Sgst, |document| document.sgst),
    (Field::Cess, |document| document.cess),
];

/// All fields that both know and that differ.
pub(super) fn differences(register: &Document, gstn: &Document, tolerance: &Tolerance) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let (Some(register), Some(gstn)) = (register.date, gstn.date)
        && register != gstn
    {
        let days = day_number(gstn) - day_number(register);
        differences.push(Difference {
            field: Field::Date,
            by: Some(days.into()),
            within_tolerance: days.unsigned_abs() <= u32::from(tolerance.days),
        });
    }
    for (field, amount) in AMOUNTS {
        if let (Some(register), Some(gstn)) = (amount(register), amount(gstn))
            && register != gstn
        {
            let by = Decimal::from(gstn).saturating_sub(register.into());
            let within_tolerance = by.abs() <= tolerance.amount;
            differences.push(Difference { field, by: Some(by), within_tolerance });
        }
    }
    let text = |field| Difference { field, by: None, within_tolerance: false };
    // Of other documents it is a part of the key.
    let (one, other) = (register.supplier_gstin.trim(), gstn.supplier_gstin.trim());
    if register.kind == Kind::BillOfEntry
        && !one.is_empty()
        && !other.is_empty()
        && !one.eq_ignore_ascii_case(other)
    {
        differences.push(text(Field::SupplierGstin));
    }
    if let (Some(register), Some(gstn)) = (&register.place_of_supply, &gstn.place_of_supply)
        && register.trim_start_matches('0') != gstn.trim_start_matches('0')
    {
        differences.push(text(Field::PlaceOfSupply));
    }
    if let (Some(register), Some(gstn)) = (register.reverse_charge, gstn.reverse_charge)
        && register != gstn
    {
        differences.push(text(Field::ReverseCharge));
    }
    differences
}

/// The verdict on two documents with one key.
pub(super) fn verdict(register: &Document, gstn: &Document, tolerance: &Tolerance) -> Verdict {
    let differences = differences(register, gstn, tolerance);
    if differences.is_empty() {
        return Verdict::Exact;
    }
    let within_tolerance = differences.iter().all(|difference| difference.within_tolerance);
    Verdict::Differs { differences, within_tolerance }
}

/// Whether both know an amount other than zero, and no amount is beyond the tolerance.
pub(super) fn amounts_agree(register: &Document, gstn: &Document, tolerance: &Tolerance) -> bool {
    let mut compared = false;
    for (_, amount) in AMOUNTS {
        if let (Some(register), Some(gstn)) = (amount(register), amount(gstn)) {
            if Decimal::from(gstn).saturating_sub(register.into()).abs() > tolerance.amount {
                return false;
            }
            compared |= register != Amount::ZERO && gstn != Amount::ZERO;
        }
    }
    compared
}

/// How far two documents with one key are apart, the nearest first: differences
/// beyond the tolerance, all differences, rupees, days.
pub(super) fn distance(
    register: &Document,
    gstn: &Document,
    tolerance: &Tolerance,
) -> (usize, usize, Decimal, u32) {
    let differences = differences(register, gstn, tolerance);
    let beyond = differences.iter().filter(|difference| !difference.within_tolerance).count();
    let (mut rupees, mut days) = (Decimal::ZERO, 0);
    for difference in &differences {
        match (difference.field, difference.by) {
            (Field::Date, Some(by)) => days = u32::try_from(by.abs()).unwrap_or(u32::MAX),
            (_, Some(by)) => rupees = rupees.saturating_add(by.abs()),
            (_, None) => {}
        }
    }
    (beyond, differences.len(), rupees, days)
}

/// An order of documents by all that is known of them.
pub(super) fn by_content(one: &Document, other: &Document) -> Ordering {
    let amounts = |document: &Document| AMOUNTS.map(|(_, amount)| amount(document).map(Decimal::from));
    let texts = |document: &Document| (document.date, document.kind, document.reverse_charge);
    (texts(one).cmp(&texts(other)))
        .then_with(|| amounts(one).cmp(&amounts(other)))
        .then_with(|| one.number.cmp(&other.number))
        .then_with(|| one.supplier_gstin.cmp(&other.supplier_gstin))
        .then_with(|| one.port_code.cmp(&other.port_code))
        .then_with(|| one.place_of_supply.cmp(&other.place_of_supply))
}

/// Whether day and amounts are equal, as far as they are known.
pub(super) fn same_content(one: &Document, other: &Document) -> bool {
    one.date == other.date && AMOUNTS.iter().all(|(_, amount)| amount(one) == amount(other))
}

/// Days since 1 March of year 0, so that February ends a year.
pub(super) fn day_number(date: CalendarDate) -> i32 {
    let (year, month, day) = (i32::from(date.year()), i32::from(date.month()), i32::from(date.day()));
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_the_ends_of_months_and_years() {
        let day = |year, month, day| day_number(CalendarDate::new(year, month, day).unwrap());
        assert_eq!(day(2024, 3, 1) - day(2024, 2, 28), 2);
        assert_eq!(day(2025, 3, 1) - day(2025, 2, 28), 1);
        assert_eq!(day(2025, 1, 1) - day(2024, 12, 31), 1);
        assert_eq!(day(2025, 4, 1) - day(2024, 4, 1), 365);
        assert_eq!(day(2000, 3, 1) - day(1900, 3, 1), 36_525);
    }
}
