//! Reads the files of `openapi/` and merges them into one document, with the
//! content of its examples.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value};

#[path = "document/examples.rs"]
mod examples;
#[path = "document/yaml.rs"]
mod yaml;

use examples::Examples;

/// The root file. It lists the others under `x-files`.
pub const ROOT: &str = "sandbox.yaml";
/// What codes mean, which is no part of the merged document.
pub const CODES: &str = "codes.yaml";

/// A merged document that remembers where each part came from.
pub struct Document {
    /// One plain OpenAPI document, without `x-files`.
    pub merged: Value,
    /// The file of each path (`/gst/…`), component (`schemas/Name`) and tag (`tags/name`).
    pub origin: BTreeMap<String, String>,
}

impl Document {
    /// The file that a path, component or tag stands in.
    pub fn file_of(&self, key: &str) -> &str {
        self.origin.get(key).map_or(ROOT, String::as_str)
    }
}

/// Reads the root file and those it lists. A file with an `x-feature` counts
/// only where `enabled` says so. Fails with one line for each violation.
pub fn load(folder: &Path, enabled: &dyn Fn(&str) -> bool) -> Result<Document, Vec<String>> {
    let mut examples = Examples::new(folder);
    let document = merged(folder, enabled, &mut examples).map_err(|error| vec![error])?;
    let files = files_below(folder, &["json"]).map_err(|error| vec![error])?;
    let violations = examples.finish(&files);
    if violations.is_empty() { Ok(document) } else { Err(violations) }
}

fn merged(
    folder: &Path,
    enabled: &dyn Fn(&str) -> bool,
    examples: &mut Examples<'_>,
) -> Result<Document, String> {
    let mut merged = read(folder, ROOT)?;
    let files = match merged.as_object_mut().and_then(|root| root.remove("x-files")) {
        None => Vec::new(),
        Some(files) => serde_json::from_value::<Vec<String>>(files)
            .map_err(|_| format!("{ROOT}: x-files must be a list of file names"))?,
    };
    if let Some(file) = files_below(folder, &["yaml", "yml"])?
        .iter()
        .find(|file| ![ROOT, CODES].contains(&file.as_str()) && !files.contains(file))
    {
        return Err(format!("{file}: counts for nothing, since no list has it; add it to x-files in {ROOT}"));
    }
    examples.inline(&mut merged, ROOT);

    let mut origin: BTreeMap<String, String> =
        entries(&merged, ROOT)?.iter().map(|entry| (entry.key(), ROOT.to_owned())).collect();
    for file in files {
        let mut part = read(folder, &file)?;
        // Those of a feature that is off too: their files are no strays.
        examples.inline(&mut part, &file);
        match part.as_object_mut().and_then(|part| part.remove("x-feature")) {
            Some(Value::String(feature)) if enabled(&feature) => {}
            Some(Value::String(_)) => continue,
            Some(_) => return Err(format!("{file}: x-feature must be the name of a feature of the crate")),
            None => {}
        }
        merge(&mut merged, &part, &file, &mut origin)?;
    }
    Ok(Document { merged, origin })
}

/// The files below the folder with one of these extensions, relative to it.
pub fn files_below(folder: &Path, extensions: &[&str]) -> Result<Vec<String>, String> {
    let fault = |error| format!("{}: cannot be read: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            found.extend(files_below(&path, extensions)?.iter().map(|file| format!("{name}/{file}")));
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one)) {
            found.push(name.into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// The content of a YAML file.
pub fn read(folder: &Path, file: &str) -> Result<Value, String> {
    let text =
        fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: cannot be read: {error}"))?;
    let value = yaml::parse(&text).map_err(|error| format!("{file}: {error}"))?;
    if value.is_object() { Ok(value) } else { Err(format!("{file}: a mapping must stand at the top")) }
}

/// A path, a component or a tag of one file.
struct Entry<'a> {
    section: Vec<&'a str>,
    name: &'a str,
    value: &'a Value,
}

impl Entry<'_> {
    /// Its key in [`Document::origin`].
    fn key(&self) -> String {
        match self.section[self.section.len() - 1] {
            "paths" => self.name.to_owned(),
            section => format!("{section}/{}", self.name),
        }
    }
}

/// What other files may add to, as far as `part` has it.
fn entries<'a>(part: &'a Value, file: &str) -> Result<Vec<Entry<'a>>, String> {
    let mut sections = vec![vec!["paths"]];
    for (kind, _) in members(part, &["components"], file)?.into_iter().flatten() {
        sections.push(vec!["components", kind]);
    }
    let mut entries = Vec::new();
    for section in sections {
        for (name, value) in members(part, &section, file)?.into_iter().flatten() {
            entries.push(Entry { section: section.clone(), name, value });
        }
    }
    let tags = match &part["tags"] {
        Value::Null => &[],
        Value::Array(tags) => tags.as_slice(),
        _ => return Err(format!("{file}: `tags` must be a list")),
    };
    for value in tags {
        let name = value["name"].as_str().ok_or_else(|| format!("{file}: a tag must have a `name`"))?;
        entries.push(Entry { section: vec!["tags"], name, value });
    }
    Ok(entries)
}

/// The mapping in `section`, `None` where there is nothing.
fn members<'a>(
    part: &'a Value,
    section: &[&str],
    file: &str,
) -> Result<Option<&'a Map<String, Value>>, String> {
    match section.iter().fold(part, |value, key| &value[key]) {
        Value::Null => Ok(None),
        Value::Object(members) => Ok(Some(members)),
        _ => Err(format!("{file}: `{}` must be a mapping", section.join("."))),
    }
}

fn merge(
    merged: &mut Value,
    part: &Value,
    file: &str,
    origin: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    if let Some(key) = part
        .as_object()
        .and_then(|part| part.keys().find(|key| !["paths", "components", "tags"].contains(&key.as_str())))
    {
        return Err(format!(
            "{file}: `{key}` belongs in {ROOT}; other files hold tags, paths and components"
        ));
    }
    for entry in entries(part, file)? {
        if let Some(other) = origin.insert(entry.key(), file.to_owned()) {
            return Err(format!("{file}: `{}` stands in {other} already", entry.name));
        }
        let target = entry.section.iter().fold(&mut *merged, |value, key| &mut value[key]);
        match target {
            Value::Array(tags) => tags.push(entry.value.clone()),
            _ if entry.section == ["tags"] => *target = Value::Array(vec![entry.value.clone()]),
            // A mapping, or the null that stands for one without members.
            _ => target[entry.name] = entry.value.clone(),
        }
    }
    Ok(())
}
