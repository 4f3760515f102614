//! A return section by section: `get`, and what a file would save.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use clap::Args;
use sandbox_client::{Answer, Document, Error, ReturnSections};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::{Period, rows::Rows};
use crate::cli::{
    arguments::{Format, Select},
    failure::{Exit, Failure},
    output::{Out, Sheet},
};

#[derive(Debug, Args)]
#[group(skip)]
pub struct Get {
    #[command(flatten)]
    pub of: Period,
    /// Only these sections, such as b2b,cdnr
    #[arg(long, value_delimiter = ',', value_name = "SECTIONS")]
    pub section: Vec<String>,
    #[command(flatten)]
    pub select: Select,
}

/// Shows what a period has. `whole` completes the document that programs get.
pub async fn get<T>(
    format: Format,
    sections: ReturnSections<T>,
    only: &[String],
    whole: impl FnOnce(Document<T>) -> Result<Document<T>, Error>,
) -> Result<(), Failure>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let sections = if only.is_empty() { sections } else { sections.only(only)? };
    match (format, only) {
        // Whole or not at all: a return that lacks a section must not look like one.
        (Format::Json, _) => Ok(writeln!(Out, "{}", whole(sections.into_document().await?)?.to_json()?)?),
        (_, [_]) => rows(format, sections).await,
        _ => overview(format, sections).await,
    }
}

/// The documents of one section.
async fn rows<T>(format: Format, mut sections: ReturnSections<T>) -> Result<(), Failure>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let Some(section) = sections.next().await else { return Ok(()) };
    if let Some(answer) = section.result? {
        Rows::of(&json(answer)?).sheet().print(format)?;
    } else {
        eprintln!("No records.");
    }
    Ok(())
}

/// A row for each section.
async fn overview<T>(format: Format, mut sections: ReturnSections<T>) -> Result<(), Failure>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let mut sheet = sheet();
    let mut failed = 0;
    while let Some(section) = sections.next().await {
        let name = section.name;
        match section.result {
            Ok(Some(answer)) => sheet.row(totals_of(name, &json(answer)?)),
            Ok(None) => {
                sheet.row(vec![name.into(), 0.into(), Value::Null, Value::Null, "no records".into()]);
            }
            Err(error) => {
                failed += 1;
                sheet.row(vec![name.into(), Value::Null, Value::Null, Value::Null, error.to_string().into()]);
            }
        }
    }
    sheet.print(format)?;
    match failed {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Partial, "1 section could not be read")),
        many => Err(Failure::new(Exit::Partial, format!("{many} sections could not be read"))),
    }
}

/// Rows and totals of each section of a document.
pub fn totals<T: Serialize>(document: &Document<T>) -> Sheet {
    // What was read from JSON can be written and read again.
    let json = document.to_json().unwrap_or_default();
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(&json).unwrap_or_default();
    let mut sheet = sheet();
    for (name, section) in members {
        if section.get().starts_with(['[', '{']) {
            sheet.row(totals_of(&name, section));
        }
    }
    sheet
}

fn sheet() -> Sheet {
    let columns = [
        ("section", "Section"),
        ("rows", "Rows"),
        ("taxable_value", "Taxable value"),
        ("tax", "Tax"),
        ("note", "Note"),
    ];
    Sheet::new(&columns).amounts(&["taxable_value", "tax"])
}

/// The totals of a section: advances and supplies through operators have
/// names of their own for the same.
fn totals_of(name: &str, json: &RawValue) -> Vec<Value> {
    let rows = Rows::of(json);
    let sum = |names: &[&str]| format!("{:.2}", rows.sum(names)).into();
    let taxable = sum(&["txval", "ad_amt", "suppval"]);
    let tax = sum(&["iamt", "camt", "samt", "csamt", "igst", "cgst", "sgst", "cess"]);
    vec![name.into(), rows.len().into(), taxable, tax, Value::Null]
}

fn json<T: Serialize>(answer: Answer<T>) -> Result<Box<RawValue>, Failure> {
    let text = answer.into_document()?.to_json()?;
    Ok(RawValue::from_string(text).map_err(io::Error::from)?)
}
