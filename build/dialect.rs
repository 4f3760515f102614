//! Checks that the document keeps to the dialect of `openapi/README.md`.
//!
//! OpenAPI allows more than progenitor understands: some of it makes the
//! generator panic without naming the operation, and some of it, which is
//! worse, becomes a client that refuses good answers. Each check here names
//! file, operation or component, the rule, and what to write instead.

use std::fmt::Display;

use serde_json::Value;

use crate::document::Document;

#[path = "dialect/examples.rs"]
mod examples;
#[path = "dialect/operations.rs"]
mod operations;
#[path = "dialect/parameters.rs"]
mod parameters;
#[path = "dialect/prose.rs"]
mod prose;
#[path = "dialect/schemas.rs"]
mod schemas;
#[path = "dialect/shape.rs"]
mod shape;

/// Every violation of the dialect, one line each, sorted.
pub fn check(document: &Document) -> Vec<String> {
    let nodes = shape::nodes(document);
    let mut report = Report::default();
    shape::check(document, &nodes, &mut report);
    head(&document.merged, &nodes[0].place, &mut report);
    operations::check(document, &nodes, &mut report);
    parameters::check(document, &nodes, &mut report);
    schemas::check(document, &nodes, &mut report);
    examples::check(document, &nodes, &mut report);
    prose::check(&nodes, &mut report);
    report.0.sort();
    report.0
}

fn head(document: &Value, root: &Place, report: &mut Report) {
    if document["openapi"] != "3.0.3" {
        report.add(&root.at("openapi"), "progenitor reads OpenAPI 3.0 only; write 3.0.3");
    }
    // It stands in the documentation of the client, and `api_version()` of the
    // generated code gives it. The statement that would send it is taken out.
    if !is_semver(text(&document["info"]["version"])) {
        report.add(
            &root.at("info.version"),
            "it stands in the documentation of the client as the version; write three numbers such as 0.1.0",
        );
    }
}

/// Three numbers, then perhaps a label after `-` or `+`.
fn is_semver(version: &str) -> bool {
    let (numbers, label) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let numbers: Vec<&str> = numbers.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| {
            number.bytes().all(|byte| byte.is_ascii_digit())
                && (*number == "0" || !number.is_empty() && !number.starts_with('0'))
        })
        && label.len() != 1
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn add(&mut self, place: &Place, violation: impl Display) {
        self.0.push(format!("{place}: {violation}"));
    }
}

/// Where something stands, as a message names it.
#[derive(Clone)]
struct Place {
    file: String,
    /// The operation or component; empty for what belongs to neither.
    owner: String,
    /// The way from there, keys joined by dots.
    path: String,
}

impl Place {
    fn at(&self, key: &str) -> Place {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Place { path, ..self.clone() }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        for part in [&self.owner, &self.path] {
            if !part.is_empty() {
                write!(f, ": {part}")?;
            }
        }
        Ok(())
    }
}

/// The text of a value, empty where it is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('_').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// Capitals never side by side: progenitor turns `GSTIN` into `Gstin`, and
/// settings for the name of the document would silently not apply.
fn is_upper_camel_case(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && !bytes.windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase))
}

/// The first two of `names` that would become the same name in Rust.
fn same_in_rust<'a>(names: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.iter().enumerate().find_map(|(index, name)| {
        let twin = names[..index].iter().find(|earlier| plain(earlier) == plain(name))?;
        Some((*twin, *name))
    })
}
