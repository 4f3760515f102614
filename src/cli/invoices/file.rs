//! Documents that a file of `sandbox invoices list` names: a table or JSON.

use std::{collections::HashMap, path::Path};

use sandbox_client::values::Section;
use serde::Deserialize;

use super::arguments::listed_sections;
use crate::cli::{
    failure::Failure,
    table::{Column, Input, Row, shown},
};

/// One line. What a list has beside these is not needed to find the document again.
#[derive(Debug, Deserialize)]
pub struct Named {
    section: String,
    pub supplier_gstin: String,
    pub return_period: String,
    pub number: String,
    /// How it stood when the file was written.
    pub status: String,
    pub date: Option<String>,
    pub source_form: Option<String>,
    pub remarks: Option<String>,
    pub hash: Option<String>,
    /// Where it stands: the line of a CSV, the place in a JSON list.
    #[serde(skip)]
    pub place: String,
}

/// In the order in which [`Named::from`] takes them.
const COLUMNS: [Column; 9] = [
    Column::needed("section"),
    Column::needed("supplier_gstin"),
    Column::needed("return_period"),
    Column::needed("number"),
    Column::needed("status"),
    Column::optional("date"),
    Column::optional("source_form"),
    Column::optional("remarks"),
    Column::optional("hash"),
];

impl From<Row> for Named {
    fn from(mut row: Row) -> Self {
        let optional = |row: &mut Row, column| Some(row.take(column)).filter(|cell| !cell.is_empty());
        Self {
            section: row.take(0),
            supplier_gstin: row.take(1),
            return_period: row.take(2),
            number: row.take(3),
            status: row.take(4).to_lowercase().replace(' ', "_"),
            date: optional(&mut row, 5),
            source_form: optional(&mut row, 6),
            remarks: optional(&mut row, 7),
            hash: optional(&mut row, 8),
            place: row.place,
        }
    }
}

impl Named {
    pub fn section(&self) -> Section {
        self.section.to_lowercase().as_str().into()
    }

    /// What tells a line from all others, in capitals.
    fn key(&self) -> [String; 6] {
        let empty = String::new();
        let [date, form] = [&self.date, &self.source_form].map(|text| text.as_ref().unwrap_or(&empty));
        [&self.section, &self.supplier_gstin, &self.return_period, &self.number, date, form]
            .map(|text| text.to_uppercase())
    }
}

/// Reads them. All mistakes are told at once, before the first call.
pub fn read(path: &Path) -> Result<Vec<Named>, Failure> {
    let input = Input::read(path)?;
    let hint = "Write one with: sandbox invoices list --format csv";
    let text = if input.is_workbook() { None } else { Some(input.text()?) };
    let named = match text.filter(|text| text.trim_start().starts_with('[')) {
        Some(text) => json(&text).map_err(|reason| {
            Failure::usage(format!("{} is no list of documents: {reason}", input.name)).hint(hint)
        })?,
        None => input.rows(&COLUMNS)?.into_iter().map(Named::from).collect(),
    };
    if named.is_empty() {
        return Err(Failure::usage(format!("{} names no document", input.name)).hint(hint));
    }
    let wrong = mistakes(&named);
    if wrong.is_empty() { Ok(named) } else { Err(Failure::mistakes(input.name, wrong)) }
}

fn json(text: &str) -> Result<Vec<Named>, String> {
    let named: Vec<Named> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let places = (1..).map(|place| format!("document {place}"));
    Ok(named.into_iter().zip(places).map(|(named, place)| Named { place, ..named }).collect())
}

fn mistakes(named: &[Named]) -> Vec<String> {
    let mut first = HashMap::new();
    let mut wrong = Vec::new();
    for document in named {
        let place = &document.place;
        if !listed_sections().any(|section| *section == document.section()) {
            wrong.push(format!("{place}: `{}` is no section that can be listed", shown(&document.section)));
        } else if document.number.is_empty() {
            wrong.push(format!("{place}: no number"));
        } else if let Some(before) = first.insert(document.key(), place) {
            wrong.push(format!("{place}: the same document as {before}"));
        }
    }
    wrong
}
