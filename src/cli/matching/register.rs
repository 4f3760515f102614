//! A purchase register as documents.

#[cfg(test)]
mod odd_files;

use std::{collections::HashMap, path::Path};

use sandbox_client::{
    matching::{Document, Kind},
    values::{Amount, CalendarDate, Decimal},
};

use super::read::{Dates, Fractions, kind, reverse_charge, state};
use crate::cli::{
    failure::Failure,
    table::{Column, Input, Row, gstin, shown, spreadsheet, without_apostrophe},
};

const COLUMNS: [Column; 16] = [
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
    Column::needed("number")
        .also(&[
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
        ])
        // A register of imports alone.
        .sharing(BILL_NUMBERS),
    Column::optional("date")
        .also(&[
            "invoice date",
            "supplier invoice date",
            "document date",
            "doc date",
            "bill date",
            "idt",
            "bill of entry date",
        ])
        .sharing(BILL_DATES),
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
    Column::optional("port_code").also(&["port", "port of entry", "portcode", "portcd"]),
    Column::optional("bill_of_entry").sharing(BILL_NUMBERS),
    Column::optional("bill_of_entry_date").sharing(BILL_DATES),
];
const BILL_NUMBERS: &[&str] =
    &["bill of entry number", "bill of entry no", "boe number", "boe no", "boenum", "benum"];
const BILL_DATES: &[&str] = &["boe date", "boedt", "bedt"];
const AMOUNTS: std::ops::Range<usize> = 4..10;
/// Date and amounts, which tell an exact match from a chance one.
const COMPARED: [usize; 7] = [2, 4, 5, 6, 7, 8, 9];
const PORT: usize = 13;
const BILL: usize = 14;
const BILL_DATE: usize = 15;

/// How the columns are written.
struct Forms {
    dates: Dates,
    bill_dates: Dates,
    fractions: Fractions,
}

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
    let (rows, left_out): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| has_gstin(row.get(0)) || is_import(row));
    let mut register = Register { documents: Vec::new(), places: Vec::new(), notices: Vec::new() };
    let left_out: Vec<&str> = left_out.iter().map(|row| row.place.as_str()).collect();
    register.notices.extend(first_of("no GSTIN of a supplier and no bill of entry; skipped", &left_out));
    let forms = Forms {
        dates: Dates::of(rows.iter().map(|row| row.get(2))),
        bill_dates: Dates::of(rows.iter().map(|row| row.get(BILL_DATE))),
        fractions: Fractions::of(rows.iter().flat_map(|row| AMOUNTS.map(|column| row.get(column)))),
    };
    if let Some(row) = rows.first() {
        let lacks: Vec<_> = (COMPARED.iter().filter(|column| !row.has(**column)))
            .map(|column| COLUMNS[*column].name)
            .collect();
        if !lacks.is_empty() {
            let lacks = lacks.join(", ");
            register.notices.push(format!("Not compared, since the register has no such column: {lacks}."));
        }
    }
    let unread: Vec<_> = (rows.iter())
        .filter(|row| !row.get(10).is_empty() && state(row.get(10)).is_none())
        .map(|row| row.place.as_str())
        .collect();
    let stateless = "a place of supply without the code of a state; it is not compared";
    register.notices.extend(first_of(stateless, &unread));
    let mut wrong = Vec::new();
    let mut lines = Lines::default();
    for row in rows {
        let has_rate = row.has(12);
        match document(&row, &forms) {
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
            "{} contains no document with the GSTIN of a supplier, and no bill of entry",
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

/// Whether it is a bill of entry: by its kind, or by a number of one where no supplier has
/// a GSTIN. An agent's invoice may name one too.
fn is_import(row: &Row) -> bool {
    match kind(row.get(3)) {
        Ok(Some(kind)) if kind != Kind::Invoice => kind == Kind::BillOfEntry,
        _ => !has_gstin(row.get(0)) && has_number(row.get(BILL)),
    }
}

/// A dash or a zero may stand where there is none.
fn has_number(cell: &str) -> bool {
    cell.contains(|c: char| c.is_ascii_digit() && c != '0')
}

/// Number and day of a bill of entry. In columns of its own they come first; the day of
/// another document's number is not the bill's.
fn bill_of_entry(row: &Row, forms: &Forms) -> (String, Result<Option<CalendarDate>, String>) {
    let (number, bill) = (row.get(1), row.get(BILL));
    let own = has_number(bill);
    let date = if !row.get(BILL_DATE).is_empty() {
        forms.bill_dates.read(row.get(BILL_DATE)).map_err(|reason| format!("bill_of_entry_date {reason}"))
    } else if own && !number.is_empty() && number != bill {
        Ok(None)
    } else {
        forms.dates.read(row.get(2)).map_err(|reason| format!("date {reason}"))
    };
    (if own { bill } else { number }.to_owned(), date)
}

fn document(row: &Row, forms: &Forms) -> Result<Document, Vec<String>> {
    let mut wrong = Vec::new();
    let mut amounts = [None; 6];
    for (at, column) in AMOUNTS.enumerate() {
        match forms.fractions.read(row.get(column)) {
            // An empty cell of a tax means that there is none of it.
            Ok(None) if column > 5 && row.has(column) => amounts[at] = Some(Decimal::ZERO),
            Ok(amount) => amounts[at] = amount,
            Err(reason) => wrong.push(format!("{} {reason}", COLUMNS[column].name)),
        }
    }
    let mut tell = |reason| wrong.push(reason);
    let is_import = is_import(row);
    let (number, date) = if is_import {
        bill_of_entry(row, forms)
    } else {
        (
            without_apostrophe(row.get(1)).to_owned(),
            forms.dates.read(row.get(2)).map_err(|reason| format!("date {reason}")),
        )
    };
    let date = date.map_err(&mut tell).ok().flatten();
    let said = kind(row.get(3)).map_err(&mut tell).ok().flatten();
    let charge = reverse_charge(row.get(11)).map_err(&mut tell).ok().flatten();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let is_negative =
        amounts.into_iter().flatten().any(|amount| amount.is_sign_negative() && !amount.is_zero());
    let kind = match said {
        _ if is_import => Kind::BillOfEntry,
        Some(kind) => kind,
        None if is_negative => Kind::CreditNote,
        None => Kind::Invoice,
    };
    // Books have what reduces a purchase with a minus, GSTN does not.
    if matches!(kind, Kind::CreditNote | Kind::DebitNote) {
        amounts = amounts.map(|amount| amount.map(|amount| amount.abs()));
    }
    let [value, taxable_value, igst, cgst, sgst, cess] = amounts.map(|amount| amount.map(Amount::from));
    let mut document = if is_import {
        let port = Some(row.get(PORT)).filter(|port| !port.is_empty());
        Document::bill_of_entry(port.map(str::to_owned), number)
    } else {
        Document::new("", number).kind(kind)
    };
    // In the place of the GSTIN of an overseas supplier there may be a word.
    if !is_import || has_gstin(row.get(0)) {
        document.supplier_gstin = gstin(row.get(0));
    }
    let document = document
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
    first: HashMap<DocumentKey, usize>,
}

/// GSTIN, port, number, date and kind.
type DocumentKey = (String, Option<String>, String, Option<CalendarDate>, Kind);

impl Lines {
    fn add(&mut self, register: &mut Register, document: Document, place: String, by_rate: bool) {
        let key = (
            document.supplier_gstin.to_uppercase(),
            document.port_code.clone(),
            document.number.to_uppercase(),
            document.date,
            document.kind,
        );
        if by_rate && let Some(first) = self.first.get(&key) {
            let whole = &mut register.documents[*first];
            let add = |one: Option<Amount>, other: Option<Amount>| {
                one.zip(other).map(|(one, other)| one.saturating_add(other))
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
            .filter(|(document, _)| document.kind != Kind::BillOfEntry)
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

    /// Leaves out bills of entry, which the IMS does not list.
    pub fn without_imports(&mut self) {
        let is_import: Vec<bool> =
            self.documents.iter().map(|document| document.kind == Kind::BillOfEntry).collect();
        let left_out = is_import.iter().filter(|is_import| **is_import).count();
        if left_out == 0 {
            return;
        }
        let (mut at, mut place) = (is_import.iter(), is_import.iter());
        self.documents.retain(|_| at.next() == Some(&false));
        self.places.retain(|_| place.next() == Some(&false));
        let bills =
            if left_out == 1 { "1 bill of entry is" } else { &format!("{left_out} bills of entry are") };
        self.notices.push(format!(
            "{bills} left out: the IMS does not list imports. Match them with --gstr-2b MMYYYY."
        ));
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
