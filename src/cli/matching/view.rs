//! Entries as a table, JSON or CSV.

use sandbox_client::{
    matching::{Difference, Document, Entry, Field, Verdict},
    values::{Amount, Invoice, ProviderDate},
};
use serde_json::{Value, json};

use super::Matching;
use crate::cli::{
    arguments::Format,
    invoices::{rupees, status_word},
    output::Sheet,
};

/// Few columns for people, without what is exact; all for programs.
pub fn sheet(matching: &Matching, only: &[String], format: Format) -> Sheet {
    let shown = |entry: &&Entry| {
        let verdict = entry.verdict.as_str();
        if only.is_empty() {
            format != Format::Table || entry.verdict != Verdict::Exact
        } else {
            only.iter().any(|word| word == verdict)
        }
    };
    let entries = matching.entries.iter().filter(shown);
    if format == Format::Table { table(matching, entries) } else { records(matching, entries, format) }
}

fn table<'a>(matching: &Matching, entries: impl Iterator<Item = &'a Entry>) -> Sheet {
    let mut sheet = Sheet::new(&[
        ("verdict", "Verdict"),
        ("supplier_gstin", "Supplier"),
        ("number", "Number"),
        ("date", "Date"),
        ("taxable_value", "Taxable value"),
        ("note", "Note"),
    ])
    .amounts(&["taxable_value"]);
    for entry in entries {
        let Some(document) = matching.registered(entry).or_else(|| matching.reported(entry)) else {
            continue;
        };
        sheet.row(vec![
            title(entry.verdict.as_str()).into(),
            party(document).into(),
            document.number.as_str().into(),
            date(document),
            rupees(document.taxable_value.or(document.value)),
            note(matching, entry).into(),
        ]);
    }
    sheet
}

/// Number and taxes of GSTN go under the names that `sandbox invoices` reads.
fn records<'a>(matching: &Matching, entries: impl Iterator<Item = &'a Entry>, format: Format) -> Sheet {
    let mut sheet = Sheet::new(&[
        ("verdict", ""),
        ("reason", ""),
        ("differences", ""),
        ("kind", ""),
        ("register_place", ""),
        ("register_supplier_gstin", ""),
        ("register_port_code", ""),
        ("register_number", ""),
        ("register_date", ""),
        ("register_value", ""),
        ("register_taxable_value", ""),
        ("register_igst", ""),
        ("register_cgst", ""),
        ("register_sgst", ""),
        ("register_cess", ""),
        ("section", ""),
        ("supplier_gstin", ""),
        ("port_code", ""),
        ("return_period", ""),
        ("number", ""),
        ("date", ""),
        ("value", ""),
        ("taxable_value", ""),
        ("igst", ""),
        ("cgst", ""),
        ("sgst", ""),
        ("cess", ""),
        ("status", ""),
        ("source_form", ""),
        ("hash", ""),
    ]);
    for entry in entries {
        let (registered, reported) = (matching.registered(entry), matching.reported(entry));
        let invoice = matching.invoice(entry);
        let reason =
            if let Verdict::Probable { reason, .. } = entry.verdict { Some(reason.as_str()) } else { None };
        let differences = if format == Format::Json {
            entry.verdict.differences().iter().map(object).collect()
        } else {
            Value::from(text(entry.verdict.differences()))
        };
        let kind = registered.or(reported).map(|document| document.kind.as_str());
        let mut cells: Vec<Value> = vec![
            entry.verdict.as_str().into(),
            reason.into(),
            differences,
            kind.into(),
            matching.place(entry).into(),
        ];
        cells.push(registered.map(|document| document.supplier_gstin.as_str()).into());
        cells.push(registered.and_then(|document| document.port_code.as_deref()).into());
        cells.push(registered.map(|document| document.number.as_str()).into());
        cells.push(registered.map_or(Value::Null, date));
        cells.extend(amounts(registered));
        cells.push(json!(invoice.and_then(Invoice::section)));
        cells.push(reported.map(|document| document.supplier_gstin.as_str()).into());
        cells.push(reported.and_then(|document| document.port_code.as_deref()).into());
        cells.push(invoice.map(Invoice::return_period).into());
        cells.push(reported.map(|document| document.number.as_str()).into());
        // As `sandbox invoices list` writes it, which a file of documents is compared with.
        cells.push(match invoice {
            Some(invoice) => invoice.date().map(ProviderDate::as_str).into(),
            None => reported.map_or(Value::Null, date),
        });
        cells.extend(amounts(reported));
        cells.push(invoice.map(|invoice| status_word(invoice.action())).into());
        cells.push(json!(invoice.and_then(Invoice::source_form)));
        cells.push(invoice.and_then(Invoice::hash).into());
        sheet.row(cells);
    }
    sheet
}

fn amounts(document: Option<&Document>) -> [Value; 6] {
    let amounts = document.map_or([None; 6], |document| {
        [document.value, document.taxable_value, document.igst, document.cgst, document.sgst, document.cess]
    });
    amounts.map(|amount: Option<Amount>| json!(amount))
}

/// Whose document it is, for people: a supplier, or the port of an import.
pub fn party(document: &Document) -> String {
    match &document.port_code {
        Some(port) if document.supplier_gstin.is_empty() => format!("port {port}"),
        _ => document.supplier_gstin.clone(),
    }
}

fn date(document: &Document) -> Value {
    document.date.map(|date| date.to_string()).into()
}

fn object(difference: &Difference) -> Value {
    json!({
        "field": difference.field.as_str(),
        "by": difference.by.map(Amount::from),
        "within_tolerance": difference.within_tolerance,
    })
}

/// `within tolerance` for `within_tolerance`.
pub fn title(verdict: &str) -> String {
    verdict.replace('_', " ").replace("gstn", "GSTN")
}

/// Why a verdict is what it is, in a line.
pub fn note(matching: &Matching, entry: &Entry) -> String {
    let differences = text(entry.verdict.differences());
    match &entry.verdict {
        Verdict::Probable { reason, .. } => {
            let other = matching.reported(entry).map_or("", |document| document.number.as_str());
            let same = matching.registered(entry).is_some_and(|document| document.number == other);
            let number = if same { String::new() } else { format!("{other} at GSTN; ") };
            let differences = if differences.is_empty() { differences } else { format!("; {differences}") };
            format!("{number}{}{differences}", reason.description())
        }
        Verdict::Duplicate { of } if entry.register.is_some() => {
            format!("the same as {}", matching.register.places[*of])
        }
        Verdict::Duplicate { of } => {
            format!("GSTN has it as {} too", matching.reported.documents[*of].number)
        }
        _ => differences,
    }
}

/// What GSTN has more: `taxable value +0.40, date +2 days`.
fn text(differences: &[Difference]) -> String {
    let one = |difference: &Difference| {
        let field = difference.field.as_str().replace('_', " ");
        match (difference.field, difference.by) {
            (Field::Date, Some(days)) => {
                let unit = if days.abs() == 1.into() { "day" } else { "days" };
                format!("{field} {days:+} {unit}")
            }
            (_, Some(by)) => format!("{field} {by:+.2}"),
            (_, None) => field,
        }
    };
    differences.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How many there are of each verdict, in the order of the verdicts.
pub fn counts(matching: &Matching) -> [usize; 7] {
    Verdict::WORDS.map(|word| matching.entries.iter().filter(|entry| entry.verdict.as_str() == word).count())
}

pub fn summary(matching: &Matching) -> String {
    let counts: Vec<String> = (Verdict::WORDS.iter().zip(counts(matching)))
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {}", title(word)))
        .collect();
    format!(
        "{} in the register, {} {}: {}.",
        matching.register.documents.len(),
        matching.reported.documents.len(),
        matching.with,
        counts.join(", ")
    )
}
