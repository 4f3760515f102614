//! Documents that a file of `sandbox invoices list` names: a table or JSON.

use std::{collections::HashMap, path::Path};

use sandbox_client::{
    ItcDeclaration,
    values::{Amount, ItcReduction, Section},
};
use serde::Deserialize;
use serde_json::Value;

use super::arguments::listed_sections;
use crate::cli::{
    failure::Failure,
    output::text,
    table::{Column, Input, Row, gstin, shown, without_apostrophe},
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
    itc_reduction: Option<String>,
    /// Text of a table, numbers of JSON.
    #[serde(default)]
    declared_igst: Value,
    #[serde(default)]
    declared_cgst: Value,
    #[serde(default)]
    declared_sgst: Value,
    #[serde(default)]
    declared_cess: Value,
    /// Where it stands: the line of a CSV, the place in a JSON list.
    #[serde(skip)]
    pub place: String,
}

/// In the order in which [`Named::from`] takes them.
const COLUMNS: [Column; 14] = [
    Column::needed("section"),
    Column::needed("supplier_gstin"),
    Column::needed("return_period"),
    Column::needed("number"),
    Column::needed("status"),
    Column::optional("date"),
    Column::optional("source_form"),
    Column::optional("remarks"),
    Column::optional("hash"),
    Column::optional("itc_reduction"),
    Column::optional("declared_igst"),
    Column::optional("declared_cgst"),
    Column::optional("declared_sgst"),
    Column::optional("declared_cess"),
];

impl From<Row> for Named {
    fn from(mut row: Row) -> Self {
        let optional = |row: &mut Row, column| Some(row.take(column)).filter(|cell| !cell.is_empty());
        Self {
            section: row.take(0),
            supplier_gstin: gstin(row.get(1)),
            return_period: without_apostrophe(row.get(2)).to_owned(),
            number: without_apostrophe(row.get(3)).to_owned(),
            status: row.take(4).to_lowercase().replace(' ', "_"),
            date: optional(&mut row, 5),
            source_form: optional(&mut row, 6),
            remarks: optional(&mut row, 7),
            hash: optional(&mut row, 8),
            itc_reduction: optional(&mut row, 9),
            declared_igst: optional(&mut row, 10).into(),
            declared_cgst: optional(&mut row, 11).into(),
            declared_sgst: optional(&mut row, 12).into(),
            declared_cess: optional(&mut row, 13).into(),
            place: row.place,
        }
    }
}

impl Named {
    pub fn section(&self) -> Section {
        self.section.to_lowercase().as_str().into()
    }

    /// What the line declares on the reduction of credit, if anything.
    pub fn declaration(&self) -> Result<Option<ItcDeclaration>, String> {
        let amount = |column: &str, cell: &Value| {
            let text = text(cell).replace(',', "");
            match text.trim() {
                "" => Ok(None),
                text => match text.parse::<Amount>() {
                    Ok(amount) => Ok(Some(amount)),
                    Err(_) => Err(format!("`{}` in {column} is not an amount", shown(text))),
                },
            }
        };
        let mut amounts = ItcReduction::default();
        amounts.igst = amount("declared_igst", &self.declared_igst)?;
        amounts.cgst = amount("declared_cgst", &self.declared_cgst)?;
        amounts.sgst = amount("declared_sgst", &self.declared_sgst)?;
        amounts.cess = amount("declared_cess", &self.declared_cess)?;
        let has_amounts = amounts != ItcReduction::default();
        let word = self.itc_reduction.as_deref().unwrap_or_default().trim().to_lowercase();
        match word.as_str() {
            "" | "amounts" | "y" | "yes" if has_amounts => Ok(Some(ItcDeclaration::Amounts(amounts))),
            "" => Ok(None),
            "amounts" => Err("itc_reduction is amounts, but no column declared_… has one".to_owned()),
            "full" | "y" | "yes" if !has_amounts => Ok(Some(ItcDeclaration::Full)),
            "none" | "n" | "no" if !has_amounts => Ok(Some(ItcDeclaration::NotRequired)),
            "full" | "none" | "n" | "no" => {
                Err(format!("itc_reduction is {word}, but a column declared_… has an amount"))
            }
            _ => Err(format!("`{}` in itc_reduction must be full, none or amounts", shown(&word))),
        }
    }

    /// What tells a line from all others, in capitals.
    fn key(&self) -> [String; 6] {
        let empty = String::new();
        let [date, form] = [&self.date, &self.source_form].map(|text| text.as_ref().unwrap_or(&empty));
        [&self.section, &self.supplier_gstin, &self.return_period, &self.number, date, form]
            .map(|text| text.to_uppercase())
    }
}

/// Reads them. All mistakes are reported at once, before the first call.
pub fn read(path: &Path) -> Result<Vec<Named>, Failure> {
    let input = Input::read(path)?;
    let hint = "Write one with: sandbox invoices list --format csv";
    let text = if input.is_workbook() { None } else { Some(input.text()?) };
    let named = match text.filter(|text| text.trim_start().starts_with('[')) {
        Some(text) => json(&text).map_err(|reason| {
            Failure::usage(format!("{} is not a list of documents: {reason}", input.name)).hint(hint)
        })?,
        None => input.rows(&COLUMNS)?.into_iter().map(Named::from).collect(),
    };
    if named.is_empty() {
        return Err(Failure::usage(format!("{} contains no document", input.name)).hint(hint));
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
            wrong
                .push(format!("{place}: `{}` is not a section that can be listed", shown(&document.section)));
        } else if document.number.is_empty() {
            wrong.push(format!("{place}: no number"));
        } else if let Err(reason) = document.declaration() {
            wrong.push(format!("{place}: {reason}"));
        } else if let Some(before) = first.insert(document.key(), place) {
            wrong.push(format!("{place}: the same document as {before}"));
        }
    }
    wrong
}
