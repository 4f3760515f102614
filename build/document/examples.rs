//! Puts the JSON files of examples where the document names them. Which file it
//! is follows from the example, so that nobody has to search or to choose.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value};

/// What goes through the files of the document, one after the other.
pub struct Examples<'a> {
    folder: &'a Path,
    /// The files that some example has named, relative to the folder.
    named: BTreeSet<String>,
    violations: Vec<String>,
}

impl<'a> Examples<'a> {
    pub fn new(folder: &'a Path) -> Self {
        Self { folder, named: BTreeSet::new(), violations: Vec::new() }
    }

    /// Replaces each `externalValue` in one file of the document by the `value` it means.
    pub fn inline(&mut self, part: &mut Value, file: &str) {
        for (path, item) in members(part.get_mut("paths")) {
            for (method, operation) in members(Some(item)) {
                if !operation.is_object() {
                    continue; // the dialect says what belongs there
                }
                let Some(id) = operation["operationId"].as_str().map(str::to_owned) else {
                    self.violations.push(format!(
                        "{file}: {} {path}: operationId: the files of its examples begin with it; write one",
                        method.to_uppercase()
                    ));
                    continue;
                };
                for (holder, stem) in
                    [("requestBody", format!("{id}.request")), ("responses/200", id.clone())]
                {
                    let place = format!("{file}: {id}: {}", holder.replace('/', "."));
                    self.media(operation.pointer_mut(&format!("/{holder}")), file, &place, &stem);
                }
            }
        }
        for (name, response) in members(part.pointer_mut("/components/responses")) {
            self.media(Some(response), file, &format!("{file}: responses/{name}"), name);
        }
        for (name, example) in members(part.pointer_mut("/components/examples")) {
            self.example(example, file, &format!("{file}: examples/{name}"), name);
        }
    }

    /// Every violation, those of files that no example has named too.
    pub fn finish(mut self, files: &[String]) -> Vec<String> {
        for file in files.iter().filter(|file| !self.named.contains(*file)) {
            self.violations.push(format!(
                "{file}: no example names it; write one with `externalValue`, or remove the file"
            ));
        }
        self.violations
    }

    /// The examples of a body. The names of their files begin with `stem`.
    fn media(&mut self, holder: Option<&mut Value>, file: &str, place: &str, stem: &str) {
        let examples = holder.and_then(|holder| holder.pointer_mut("/content/application~1json/examples"));
        for (name, example) in members(examples) {
            self.example(example, file, &format!("{place}.examples.{name}"), &format!("{stem}.{name}"));
        }
    }

    fn example(&mut self, example: &mut Value, file: &str, place: &str, stem: &str) {
        let inferred = if example["x-inferred"] == true { ".inferred" } else { "" };
        let expected = format!("examples/{stem}{inferred}.json");
        let folder = file.rsplit_once('/').map_or(String::new(), |(family, _)| format!("{family}/"));
        let Some(example) = example.as_object_mut() else { return };
        self.named.insert(format!("{folder}{expected}"));
        if example.contains_key("value") {
            self.violations.push(format!(
                "{place}: value: an example is a file of its own; move it to {expected} and write \
                 `externalValue: {expected}`"
            ));
            return;
        }
        // Without content it may be a reference; the dialect looks at it.
        let Some(named) = example.get("externalValue") else { return };
        if *named != *expected {
            self.violations.push(format!(
                "{place}: externalValue: the name of the file follows from that of the example; write `{expected}`"
            ));
            self.named.extend(named.as_str().map(|named| format!("{folder}{named}")));
            return;
        }
        match read(&self.folder.join(&folder).join(&expected)) {
            Ok(value) => {
                let content = |(key, other)| match key {
                    key if key == "externalValue" => ("value".to_owned(), value.clone()),
                    key => (key, other),
                };
                *example = std::mem::take(example).into_iter().map(content).collect();
            }
            Err(error) => self.violations.push(format!("{folder}{expected}: {error}")),
        }
    }
}

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("an example names it, and it cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("is no JSON: {error}"))
}

fn members(mapping: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    mapping.and_then(Value::as_object_mut).into_iter().flat_map(Map::iter_mut)
}
