//! Which documents fit what was typed.

use sandbox_client::values::Invoice;

use super::arguments::Filter;
use crate::cli::output::grouped;

impl Filter {
    /// Whether anything but the status was typed: what an action may go by.
    pub fn names_documents(&self) -> bool {
        let Self { section, status: _, supplier, number, period, since, until, min_value, max_value } = self;
        !(section.is_empty() && supplier.is_empty() && number.is_empty())
            || period.is_some()
            || since.is_some()
            || until.is_some()
            || min_value.is_some()
            || max_value.is_some()
    }

    /// Whether a document of a section that was asked for fits, whatever its status.
    pub fn fits(&self, invoice: &Invoice) -> bool {
        let date = || invoice.date().and_then(|date| date.to_date().ok());
        any(&self.supplier, invoice.supplier_gstin())
            && any(&self.number, invoice.number())
            && self.period.is_none_or(|period| invoice.return_period() == period.to_string())
            && self.since.is_none_or(|since| date().is_some_and(|date| date >= since))
            && self.until.is_none_or(|until| date().is_some_and(|date| date <= until))
            && self.min_value.is_none_or(|least| invoice.value().is_some_and(|value| value >= least))
            && self.max_value.is_none_or(|most| invoice.value().is_some_and(|value| value <= most))
    }

    /// A line for each number and supplier that none of these has.
    pub fn without_match(&self, fitting: &[Invoice]) -> Vec<String> {
        let missing = |what: &str, names: &[String], of: fn(&Invoice) -> &str| -> Vec<String> {
            let has = |name: &&String| fitting.iter().any(|invoice| same(name, of(invoice)));
            let names = names.iter().filter(|name| !has(name));
            names.map(|name| format!("{what} {}: no document matches.", name.trim())).collect()
        };
        let mut lines = missing("Number", &self.number, Invoice::number);
        lines.extend(missing("Supplier", &self.supplier, Invoice::supplier_gstin));
        lines
    }

    /// A line for documents that a day or an amount cannot be compared with.
    pub fn not_comparable(&self, listed: &[Invoice]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut tell = |asked: bool, what: &str, lacks: fn(&Invoice) -> bool| {
            let count = listed.iter().filter(|invoice| lacks(invoice)).count();
            if asked && count > 0 {
                lines.push(format!("{} skipped: no readable {what}.", documents(count, "is", "are")));
            }
        };
        let dated = self.since.is_some() || self.until.is_some();
        tell(dated, "date", |invoice| invoice.date().is_none_or(|date| date.to_date().is_err()));
        let valued = self.min_value.is_some() || self.max_value.is_some();
        tell(valued, "value", |invoice| invoice.value().is_none());
        lines
    }
}

/// `1 document is`, `2 documents are`.
pub fn documents(count: usize, one: &str, several: &str) -> String {
    if count == 1 {
        format!("1 document {one}")
    } else {
        format!("{} documents {several}", grouped(&count.to_string()))
    }
}

fn same(name: &str, text: &str) -> bool {
    name.trim().eq_ignore_ascii_case(text)
}

/// Whether a text is one of those named, or none is.
fn any(named: &[String], text: &str) -> bool {
    named.is_empty() || named.iter().any(|name| same(name, text))
}
