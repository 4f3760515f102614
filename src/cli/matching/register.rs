//! A purchase register as documents.

use std::{collections::HashMap, path::Path};

use sandbox_client::{
    matching::{Document, Kind},
    values::{Amount, CalendarDate, Decimal},
};

use super::read::{Dates, amount, kind, reverse_charge, state};
use crate::cli::{
    failure::Failure,
    table::{Column, Input, Row, shown, spreadsheet},
};

const COLUMNS: [Column; 13] = [
    Column::needed("supplier_gstin").also(&[
        "gstin of supplier",
        "supplier gstin/uin",
        "party gstin",
        "party gstin/uin",
        "vendor gstin",
        "seller gstin",
        "ctin",
        "gstin/uin",
        "gstin",
    ]),
    Column::needed("number").also(&[
        "invoice number",
        "invoice no",
        "supplier invoice number",
        "supplier invoice no",
        "document number",
        "document no",
        "doc no",
        "bill number",
        "bill no",
        "inum",
    ]),
    Column::optional("date").also(&[
        "invoice date",
        "supplier invoice date",
        "document date",
        "doc date",
        "bill date",
        "idt",
    ]),
    Column::optional("kind").also(&["document type", "doc type", "type of document", "type"]),
    Column::optional("value").also(&[
        "invoice value",
        "document value",
        "total value",
        "grand total",
        "gross total",
        "total",
    ]),
    Column::optional("taxable_value").also(&["taxable amount", "taxable", "assessable value", "txval"]),
    Column::optional("igst").also(&["igst amount", "integrated tax", "iamt"]),
    Column::optional("cgst").also(&["cgst amount", "central tax", "camt"]),
    Column::optional("sgst").also(&[
        "sgst amount",
        "sgst/utgst",
        "sgst/utgst amount",
        "state tax",
        "state/ut tax",
        "samt",
    ]),
    Column::optional("cess").also(&["cess amount"]),
    Column::optional("place_of_supply").also(&["pos"]),
    Column::optional("reverse_charge").also(&["rcm", "is reverse charge", "reverse charge applicable"]),
    Column::optional("rate").also(&["tax rate", "gst rate", "rate of tax"]),
];
const AMOUNTS: std::ops::Range<usize> = 4..10;

/// The documents, and where each stands.
pub struct Register {
    pub documents: Vec<Document>,
    pub places: Vec<String>,
    /// Lines for people.
    pub notices: Vec<String>,
}

/// Reads it. All mistakes are reported at once, before the first call.
pub fn read(path: &Path) -> Result<Register, Failure> {
    let input = Input::read(path)?;
    let rows = input.rows(&COLUMNS)?;
    let total = rows.len();
    let rows: Vec<Row> = rows.into_iter().filter(|row| has_gstin(row.get(0))).collect();
    let mut register = Register { documents: Vec::new(), places: Vec::new(), notices: Vec::new() };
    if rows.len() < total {
        let left_out = total - rows.len();
        let rows = if left_out == 1 { "1 row has" } else { &format!("{left_out} rows have") };
        register.notices.push(format!(
            "{rows} no GSTIN of a supplier and {} skipped.",
            if left_out == 1 { "is" } else { "are" }
        ));
    }
    let dates = Dates::of(rows.iter().map(|row| row.get(2)));
    let mut wrong = Vec::new();
    let mut lines = Lines::default();
    for row in rows {
        let has_rate = row.has(12);
        match document(&row, dates) {
            Ok(document) => lines.add(&mut register, document, row.place, has_rate),
            Err(mistakes) => {
                wrong.extend(mistakes.into_iter().map(|mistake| format!("{}: {mistake}", row.place)));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::mistakes(input.name, wrong));
    }
    if register.documents.is_empty() {
        return Err(Failure::usage(format!(
            "{} contains no document with the GSTIN of a supplier",
            input.name
        )));
    }
    register.tell_unusual();
    Ok(register)
}

/// Unregistered suppliers have none, or a word such as URP in its place, and rows of
/// totals another.
fn has_gstin(cell: &str) -> bool {
    cell.contains(|c: char| c.is_ascii_digit())
}

fn document(row: &Row, dates: Dates) -> Result<Document, Vec<String>> {
    let mut wrong = Vec::new();
    let mut amounts = [None; 6];
    for (at, column) in AMOUNTS.enumerate() {
        match amount(row.get(column)) {
            // An empty cell of a tax means that there is none of it.
            Ok(None) if column > 5 && row.has(column) => amounts[at] = Some(Decimal::ZERO),
            Ok(amount) => amounts[at] = amount,
            Err(reason) => wrong.push(format!("{} {reason}", COLUMNS[column].name)),
        }
    }
    let mut tell = |reason| wrong.push(reason);
    let date = dates.read(row.get(2)).map_err(|reason| tell(format!("date {reason}"))).ok().flatten();
    let said = kind(row.get(3)).map_err(&mut tell).ok().flatten();
    let charge = reverse_charge(row.get(11)).map_err(&mut tell).ok().flatten();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let is_negative =
        amounts.into_iter().flatten().any(|amount| amount.is_sign_negative() && !amount.is_zero());
    let kind = said.unwrap_or(if is_negative { Kind::CreditNote } else { Kind::Invoice });
    // Books have what reduces a purchase with a minus, GSTN does not.
    if kind != Kind::Invoice {
        amounts = amounts.map(|amount| amount.map(|amount| amount.abs()));
    }
    let [value, taxable_value, igst, cgst, sgst, cess] = amounts.map(|amount| amount.map(Amount::from));
    let document = Document::new(row.get(0), row.get(1))
        .kind(kind)
        .date(date)
        .value(value)
        .taxable_value(taxable_value)
        .taxes([igst, cgst, sgst, cess])
        .reverse_charge(charge);
    Ok(match state(row.get(10)) {
        Some(state) => document.place_of_supply(state),
        None => document,
    })
}

/// Where rows are lines by rate of tax, those of one document are added up.
#[derive(Default)]
struct Lines {
    first: HashMap<(String, String, Option<CalendarDate>, Kind), usize>,
}

impl Lines {
    fn add(&mut self, register: &mut Register, document: Document, place: String, by_rate: bool) {
        let key = (
            document.supplier_gstin.to_uppercase(),
            document.number.to_uppercase(),
            document.date,
            document.kind,
        );
        if by_rate && let Some(first) = self.first.get(&key) {
            let whole = &mut register.documents[*first];
            let add = |one: Option<Amount>, other: Option<Amount>| {
                one.zip(other)
                    .map(|(one, other)| Amount::from(Decimal::from(one).saturating_add(other.into())))
            };
            // The value of the whole document may stand on each of its lines.
            if whole.value != document.value {
                whole.value = add(whole.value, document.value);
            }
            whole.taxable_value = add(whole.taxable_value, document.taxable_value);
            whole.igst = add(whole.igst, document.igst);
            whole.cgst = add(whole.cgst, document.cgst);
            whole.sgst = add(whole.sgst, document.sgst);
            whole.cess = add(whole.cess, document.cess);
            return;
        }
        if by_rate {
            self.first.insert(key, register.documents.len());
        }
        register.documents.push(document);
        register.places.push(place);
    }
}

impl Register {
    fn tell_unusual(&mut self) {
        let odd: Vec<&str> = (self.documents.iter().zip(&self.places))
            .filter(|(document, _)| {
                let gstin = document.supplier_gstin.trim();
                gstin.len() != 15 || !gstin.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
            .map(|(_, place)| place.as_str())
            .collect();
        self.notices.extend(first_of("no valid GSTIN, so GSTN cannot have the document", &odd));
        let nameless: Vec<&str> = (self.documents.iter().zip(&self.places))
            .filter(|(document, _)| document.number.is_empty())
            .map(|(_, place)| place.as_str())
            .collect();
        self.notices.extend(first_of("no number", &nameless));
    }

    /// Puts back numbers that a spreadsheet has changed, where one document of the
    /// supplier alone may be meant.
    pub fn recognise(&mut self, gstn: &[Document]) {
        let mut changed: Vec<(usize, Vec<usize>)> = (0..self.documents.len())
            .filter(|at| spreadsheet::is_rewritten(&self.documents[*at].number))
            .map(|at| (at, Vec::new()))
            .collect();
        if changed.is_empty() {
            return;
        }
        let mut by_supplier: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, document) in gstn.iter().enumerate() {
            by_supplier.entry(document.supplier_gstin.to_uppercase()).or_default().push(at);
        }
        let mut lost = Vec::new();
        for (at, fitting) in &mut changed {
            let document = &mut self.documents[*at];
            let same_day = |other: &Document| {
                document.date.is_none() || other.date.is_none() || document.date == other.date
            };
            let known = by_supplier.get(&document.supplier_gstin.to_uppercase()).into_iter().flatten();
            fitting.extend(known.filter(|other| {
                let other = &gstn[**other];
                same_day(other) && spreadsheet::may_be(&document.number, &other.number)
            }));
            match fitting[..] {
                [one] if gstn[one].number != document.number => {
                    self.notices.push(format!(
                        "{}: a spreadsheet has changed the number {} to {}.",
                        self.places[*at],
                        shown(&gstn[one].number),
                        shown(&document.number)
                    ));
                    document.number.clone_from(&gstn[one].number);
                }
                [_, _, ..] => lost.push(self.places[*at].as_str()),
                _ => {}
            }
        }
        let skipped =
            first_of("a number that a spreadsheet has changed, and several documents may be meant", &lost);
        self.notices.extend(skipped);
    }
}

/// `3 rows have …: line 2, line 5, line 9`.
fn first_of(what: &str, places: &[&str]) -> Option<String> {
    const NAMED: usize = 5;
    let count = match places.len() {
        0 => return None,
        1 => "1 row has".to_owned(),
        many => format!("{many} rows have"),
    };
    let more = if places.len() > NAMED { " …" } else { "" };
    Some(format!("{count} {what}: {}{more}", places[..places.len().min(NAMED)].join(", ")))
}
