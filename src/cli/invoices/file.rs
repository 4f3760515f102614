//! Documents that a file of `sandbox invoices list` names, CSV or JSON.

use std::{collections::HashMap, fs, io::Read as _, path::Path};

use sandbox_client::values::Section;
use serde::Deserialize;

use super::{arguments::listed_sections, document::Key};
use crate::cli::{failure::Failure, output::unguarded};

/// One line. What a list has beside these is not needed to find the document again.
#[derive(Debug, Deserialize)]
pub struct Named {
    section: String,
    supplier_gstin: String,
    return_period: String,
    number: String,
    /// How it stood when the file was written.
    pub status: String,
    pub remarks: Option<String>,
    pub hash: Option<String>,
    /// Where it stands: the line of a CSV, the place in a JSON list.
    #[serde(skip)]
    pub place: String,
}

impl Named {
    pub fn key(&self) -> Key {
        [&self.section, &self.supplier_gstin, &self.return_period, &self.number]
            .map(|text| text.to_uppercase())
    }

    pub fn section(&self) -> Section {
        self.section.to_lowercase().as_str().into()
    }
}

/// Reads them. All mistakes are told at once, before the first call.
pub fn read(path: &Path) -> Result<Vec<Named>, Failure> {
    let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    let text = text(path).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    let text = text.trim_start_matches('\u{feff}');
    let unreadable = |reason: String| {
        Failure::usage(format!("{name} is no list of documents: {reason}"))
            .hint("Write one with: sandbox invoices list --format csv")
    };
    let named =
        if text.trim_start().starts_with('[') { json(text) } else { csv(text) }.map_err(unreadable)?;
    if named.is_empty() {
        return Err(Failure::usage(format!("{name} names no document")));
    }
    let wrong = mistakes(&named);
    if wrong.is_empty() { Ok(named) } else { Err(Failure::mistakes(name, wrong)) }
}

fn text(path: &Path) -> std::io::Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path)
}

fn json(text: &str) -> Result<Vec<Named>, String> {
    let named: Vec<Named> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let places = (1..).map(|place| format!("document {place}"));
    Ok(named.into_iter().zip(places).map(|(named, place)| Named { place, ..named }).collect())
}

fn csv(text: &str) -> Result<Vec<Named>, String> {
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = csv.headers().map_err(|error| error.to_string())?.clone();
    let mut named = Vec::new();
    for row in csv.records() {
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        let cells: csv::StringRecord = row.iter().map(unguarded).collect();
        let read: Named = cells.deserialize(Some(&headers)).map_err(|error| match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
            _ => error.to_string(),
        })?;
        named.push(Named { place: format!("line {line}"), ..read });
    }
    Ok(named)
}

fn mistakes(named: &[Named]) -> Vec<String> {
    let mut first: HashMap<Key, &str> = HashMap::new();
    let mut wrong = Vec::new();
    for document in named {
        let place = &document.place;
        if !listed_sections().any(|section| *section == document.section()) {
            wrong.push(format!("{place}: `{}` is no section that can be listed", document.section));
        } else if document.number.is_empty() {
            wrong.push(format!("{place}: no number"));
        } else if let Some(before) = first.insert(document.key(), place) {
            wrong.push(format!("{place}: the same document as {before}"));
        }
    }
    wrong
}
