//! Which listed document a line of a file means.
//!
//! A spreadsheet may have saved the file, and changed numbers, periods and dates
//! in it. A line is recognised where one listed document alone may be meant.

use std::collections::HashMap;

use sandbox_client::values::{Invoice, ProviderDate, SourceForm};

use super::file::Named;
use crate::cli::table::{
    shown,
    spreadsheet::{is_rewritten, is_vague, key, may_be},
};

pub struct Lookup {
    listed: Vec<Option<Invoice>>,
    /// By section and supplier.
    of_supplier: HashMap<[String; 2], Vec<usize>>,
    /// By section, supplier and [`key`] of the number.
    numbered: HashMap<[String; 3], Vec<usize>>,
    /// A spreadsheet has saved the file: `7` in it may have been `007`.
    saved_by_spreadsheet: bool,
}

impl Lookup {
    pub fn new(listed: Vec<Invoice>, named: &[Named]) -> Self {
        let (mut of_supplier, mut numbered) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (index, invoice) in listed.iter().enumerate() {
            let section = invoice.section().map_or("", |section| section.as_str()).to_uppercase();
            let supplier = invoice.supplier_gstin().to_uppercase();
            numbered
                .entry([section.clone(), supplier.clone(), key(invoice.number())])
                .or_default()
                .push(index);
            of_supplier.entry([section, supplier]).or_default().push(index);
        }
        let saved = |line: &Named| is_rewritten(&line.number) || line.return_period.len() == 5;
        Self {
            listed: listed.into_iter().map(Some).collect(),
            of_supplier,
            numbered,
            saved_by_spreadsheet: named.iter().any(saved),
        }
    }

    /// Takes the document out, so that no other line can mean it.
    ///
    /// # Errors
    ///
    /// Why no document, or none alone, is meant.
    pub fn take(&mut self, line: &Named) -> Result<Invoice, String> {
        let mut fitting = self.fitting(line);
        let exact = |index: &usize| {
            let invoice = self.listed[*index].as_ref();
            invoice.is_some_and(|invoice| {
                line.number.eq_ignore_ascii_case(invoice.number())
                    && line.return_period == invoice.return_period()
            })
        };
        if !self.saved_by_spreadsheet && fitting.iter().any(exact) {
            fitting.retain(exact);
        }
        if let [_, _, ..] = fitting[..]
            && let Some(hash) = &line.hash
            && fitting.iter().any(|index| self.hash(*index).as_ref() == Some(hash))
        {
            fitting.retain(|index| self.hash(*index).as_ref() == Some(hash));
        }
        match fitting[..] {
            [] => Err("is not listed".to_owned()),
            [index] => self.listed[index].take().ok_or_else(|| "is not listed".to_owned()),
            _ => Err(self.not_clear(line, &fitting)),
        }
    }

    /// Those not yet taken that the line may mean.
    fn fitting(&self, line: &Named) -> Vec<usize> {
        let (section, supplier) =
            (line.section().as_str().to_uppercase(), line.supplier_gstin.to_uppercase());
        let known = if is_vague(&line.number) {
            self.of_supplier.get(&[section, supplier])
        } else {
            self.numbered.get(&[section, supplier, key(&line.number)])
        };
        let fits = |index: &usize| {
            self.listed[*index].as_ref().is_some_and(|invoice| {
                may_be(&line.number, invoice.number())
                    && may_be(&line.return_period, invoice.return_period())
                    && either_lacks(line.date.as_deref(), invoice.date().map(ProviderDate::as_str), may_be)
                    && either_lacks(
                        line.source_form.as_deref(),
                        invoice.source_form().map(SourceForm::as_str),
                        str::eq_ignore_ascii_case,
                    )
            })
        };
        known.into_iter().flatten().copied().filter(|index| fits(index)).collect()
    }

    fn hash(&self, index: usize) -> Option<String> {
        self.listed[index].as_ref()?.hash()
    }

    fn not_clear(&self, line: &Named, fitting: &[usize]) -> String {
        let invoices: Vec<&Invoice> =
            fitting.iter().filter_map(|index| self.listed[*index].as_ref()).take(4).collect();
        let name = |invoice: &&Invoice| {
            let date = invoice.date().map_or("no date", ProviderDate::as_str);
            format!("{} of {date}", shown(invoice.number()))
        };
        let names: Vec<String> = invoices.iter().map(name).collect();
        let number = shown(&line.number);
        if invoices.iter().all(|invoice| line.number.eq_ignore_ascii_case(invoice.number())) {
            format!(
                "{number} may be {}; add the columns date and source_form to distinguish them",
                names.join(" or ")
            )
        } else {
            format!(
                "{number} may be {}, since a spreadsheet has changed the column; format it as text",
                names.join(" or ")
            )
        }
    }
}

/// Whether two texts agree, or one of them is not there.
fn either_lacks(cell: Option<&str>, text: Option<&str>, agree: fn(&str, &str) -> bool) -> bool {
    match (cell, text) {
        (Some(cell), Some(text)) if !cell.is_empty() && !text.is_empty() => agree(cell, text),
        _ => true,
    }
}
