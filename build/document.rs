//! Reads the files of `openapi/` and merges them into one document.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

/// The root file. It lists the others under `x-files`.
pub const ROOT: &str = "sandbox.yaml";

/// A merged document that remembers where each part came from.
pub struct Document {
    /// One plain OpenAPI document, without `x-files`.
    pub merged: Value,
    /// The file of each path (`/gst/…`) and component (`schemas/Name`).
    pub origin: BTreeMap<String, String>,
}

impl Document {
    /// The file that a path or component stands in.
    pub fn file_of(&self, key: &str) -> &str {
        self.origin.get(key).map_or(ROOT, String::as_str)
    }
}

/// Reads the root file and those it lists, telling `touched` each file read.
pub fn load(folder: &Path, touched: &mut dyn FnMut(&PathBuf)) -> Result<Document, String> {
    let mut merged = read(folder, ROOT, touched)?;
    let files = match merged.as_object_mut().and_then(|root| root.remove("x-files")) {
        None => Vec::new(),
        Some(files) => serde_json::from_value::<Vec<String>>(files)
            .map_err(|_| format!("{ROOT}: x-files must be a list of file names"))?,
    };

    let mut origin = BTreeMap::new();
    note_origin(&merged, ROOT, &mut origin);
    for file in files {
        let part = read(folder, &file, touched)?;
        merge(&mut merged, &part, &file, &mut origin)?;
    }
    Ok(Document { merged, origin })
}

fn read(folder: &Path, file: &str, touched: &mut dyn FnMut(&PathBuf)) -> Result<Value, String> {
    let path = folder.join(file);
    touched(&path);
    let text = fs::read_to_string(&path).map_err(|error| format!("{file}: cannot be read: {error}"))?;
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
    if value.is_object() { Ok(value) } else { Err(format!("{file}: a mapping must stand at the top")) }
}

/// The parts of a document that other files may add to, and their keys in `origin`.
fn sections(document: &Value) -> Vec<(Vec<String>, String)> {
    let mut sections = vec![(vec!["paths".to_owned()], String::new())];
    if let Some(components) = document.get("components").and_then(Value::as_object) {
        sections.extend(
            components.keys().map(|kind| (vec!["components".to_owned(), kind.clone()], format!("{kind}/"))),
        );
    }
    sections
}

fn note_origin(part: &Value, file: &str, origin: &mut BTreeMap<String, String>) {
    for (section, prefix) in sections(part) {
        let entries = section.iter().try_fold(part, |value, key| value.get(key)).and_then(Value::as_object);
        for name in entries.into_iter().flat_map(Map::keys) {
            origin.insert(format!("{prefix}{name}"), file.to_owned());
        }
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
    for (section, prefix) in sections(part) {
        let Some(entries) =
            section.iter().try_fold(part, |value, key| value.get(key)).and_then(Value::as_object)
        else {
            continue;
        };
        let target = section.iter().fold(&mut *merged, |value, key| &mut value[key]);
        if target.is_null() {
            *target = Value::Object(Map::new());
        }
        let target = target
            .as_object_mut()
            .ok_or_else(|| format!("{ROOT}: `{}` must be a mapping", section.join(".")))?;
        for (name, entry) in entries {
            if target.insert(name.clone(), entry.clone()).is_some() {
                let other = origin.get(&format!("{prefix}{name}")).map_or(ROOT, String::as_str);
                return Err(format!("{file}: `{name}` stands in {other} already"));
            }
        }
    }
    if let Some(tags) = part.get("tags").and_then(Value::as_array) {
        match &mut merged["tags"] {
            Value::Array(known) => known.extend(tags.iter().cloned()),
            empty => *empty = Value::Array(tags.clone()),
        }
    }
    note_origin(part, file, origin);
    Ok(())
}
