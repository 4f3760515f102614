//! Checks `codes.yaml` and writes it as a table, sorted by code.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use serde_json::Value;

use crate::{
    document::{self, CODES as FILE},
    operations::{text, texts},
};

/// The meanings, as the file writes them and as the client names them.
const MEANINGS: [(&str, &str); 7] = [
    ("session_over", "SessionOver"),
    ("login_refused", "LoginRefused"),
    ("no_records", "NoRecords"),
    ("not_ready", "NotReady"),
    ("temporary", "Temporary"),
    ("busy", "Busy"),
    ("duplicate", "Duplicate"),
];

const KEYS: [&str; 8] = ["code", "meaning", "text", "families", "operations", "source", "inferred", "note"];

/// The rows of the table. Fails with one line for each violation.
pub fn load(folder: &Path) -> Result<Vec<Value>, Vec<String>> {
    let file = document::read(folder, FILE).map_err(|error| vec![error])?;
    let violations = check(&file);
    if violations.is_empty() {
        let mut rows = file["codes"].as_array().cloned().unwrap_or_default();
        rows.sort_by(|one, other| text(&one["code"]).cmp(text(&other["code"])));
        Ok(rows)
    } else {
        Err(violations)
    }
}

/// Every violation of the rules of the file, one line each.
pub fn check(file: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen: Vec<&Value> = Vec::new();
    if file["codes"].as_array().is_none_or(Vec::is_empty) {
        found.push(format!("{FILE}: `codes` must be a list of codes"));
    }
    for row in file["codes"].as_array().into_iter().flatten() {
        let code = text(&row["code"]);
        let mut add = |violation: &str| found.push(format!("{FILE}: {code}: {violation}"));
        if code.is_empty() || code.trim() != code {
            add("`code` must be text; put numbers in quotes");
        }
        if let Some(key) =
            row.as_object().into_iter().flat_map(|row| row.keys()).find(|key| !KEYS.contains(&key.as_str()))
        {
            add(&format!("`{key}` is no key; write {}", KEYS.join(", ")));
        }
        if !row["meaning"].is_null() && !MEANINGS.iter().any(|(name, _)| row["meaning"] == *name) {
            add(&format!("`meaning` must be {}", MEANINGS.map(|(name, _)| name).join(", ")));
        }
        if text(&row["text"]).trim().is_empty() {
            add("`text` must say what the code means, in a few words");
        }
        if file["sources"].get(text(&row["source"])).is_none() {
            add("`source` must be one of `sources`");
        }
        if row.get("inferred").is_some_and(|inferred| *inferred != true) {
            add("`inferred` marks what no source states of this API; write true or leave it out");
        }
        if seen.iter().any(|other| other["code"] == row["code"] && overlap(other, row)) {
            add("another row has it for the same operations; a code has one meaning");
        }
        seen.push(row);
    }
    found
}

/// Whether two rows hold for the same operation. Which family an operation
/// belongs to is not known here, so rows of one code are told apart by one of the two.
fn overlap(one: &Value, other: &Value) -> bool {
    let scope = |row: &Value| -> BTreeSet<String> {
        ["families", "operations"].iter().flat_map(|key| texts(&row[key])).map(str::to_owned).collect()
    };
    let (one, other) = (scope(one), scope(other));
    one.is_empty() || other.is_empty() || !one.is_disjoint(&other)
}

/// The row of a code for an operation.
pub fn find<'a>(rows: &'a [Value], code: &str, operation: &Value) -> Option<&'a Value> {
    rows.iter().filter(|row| row["code"] == code).find(|row| {
        let (families, operations) = (texts(&row["families"]), texts(&row["operations"]));
        families.is_empty() && operations.is_empty()
            || families.contains(&text(&operation["tags"][0]))
            || operations.contains(&text(&operation["operationId"]))
    })
}

/// What the client calls a meaning.
pub fn variant(meaning: &str) -> &'static str {
    MEANINGS.iter().find(|(name, _)| *name == meaning).map_or("", |(_, variant)| variant)
}

/// The source of the table.
pub fn table(rows: &[Value]) -> String {
    let mut source = String::from("&[\n");
    for row in rows {
        let meaning = row["meaning"].as_str().map(variant);
        let meaning = meaning.map_or("None".to_owned(), |variant| format!("Some(CodeMeaning::{variant})"));
        let _ = writeln!(
            source,
            "Code {{ id: {:?}, meaning: {meaning}, text: {:?}, families: &{:?}, operations: &{:?} }},",
            text(&row["code"]),
            text(&row["text"]).trim(),
            texts(&row["families"]),
            texts(&row["operations"]),
        );
    }
    source.push_str("]\n");
    source
}
