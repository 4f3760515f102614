//! Values that the provider's own JSON Schemas allow, read by our types:
//! nothing is refused, and nothing is lost. The schemas are not part of this
//! repository: `SANDBOX_FACTS` names the folder that has them, and where there
//! are none the test says so.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use sandbox_client::{
    Operation,
    mock::{round_trip, unread},
};
use serde_json::{Map, Value, json};

/// Where the schemas are, if they are anywhere.
fn folder() -> Result<PathBuf, PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/sandbox");
    let folder = env::var_os("SANDBOX_FACTS").map_or(beside, PathBuf::from).join("schemas");
    if folder.join("index.json").is_file() { Ok(folder) } else { Err(folder) }
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A schema with the file that it refers to.
#[derive(Clone, Copy)]
struct Schema<'a> {
    root: &'a Value,
    node: &'a Value,
}

impl<'a> Schema<'a> {
    fn of(self, node: &'a Value) -> Self {
        match node["$ref"].as_str().and_then(|target| self.root.pointer(target.trim_start_matches('#'))) {
            Some(target) => self.of(target),
            None => Self { node, ..self },
        }
    }

    /// Members of an object with their schemas; those of its alternatives too.
    fn members(self) -> Vec<(&'a str, Schema<'a>)> {
        let mut members: Vec<(&str, Schema)> = Vec::new();
        let named = self.node["properties"].as_object().or_else(|| self.misplaced());
        for (name, node) in named.into_iter().flatten() {
            members.push((name, self.of(node)));
        }
        for choice in
            ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| self.node[*key].as_array()).flatten()
        {
            for (name, schema) in self.of(choice).members() {
                if !members.iter().any(|(known, _)| *known == name) {
                    members.push((name, schema));
                }
            }
        }
        members
    }

    /// Members of an object whose schema lacks the word "properties".
    fn misplaced(self) -> Option<&'a Map<String, Value>> {
        let members = self.node.as_object()?;
        let described = |member: &Value| member["type"].is_string() || member.get("$ref").is_some();
        (!members.is_empty() && members.values().all(described)).then_some(members)
    }

    /// A value with every member that is described; each scalar has the one of
    /// its possible values that `variant` counts off.
    fn value(self, name: &str, variant: usize) -> Value {
        // Some say what they are of under their own name once more.
        if self.node.get("type").is_none() && self.node[name].get("$ref").is_some() {
            return self.of(&self.node[name]).value("", variant);
        }
        let members = self.members();
        if self.node.get("enum").is_none() && !members.is_empty() {
            // The last two variants lack half of the members each.
            let left_out = |index: usize| variant + 2 >= VARIANTS && index % 2 == variant % 2;
            let there = members.into_iter().enumerate().filter(|(index, _)| !left_out(*index));
            return there.map(|(_, (name, schema))| (name.to_owned(), schema.value(name, variant))).collect();
        }
        if self.node["type"] == "array" {
            let entries = self.entries().into_iter().map(|schema| schema.value(name, variant));
            return match variant {
                1 => json!([]),
                2 => entries.flat_map(|entry| [entry.clone(), entry]).collect(),
                _ => entries.collect(),
            };
        }
        let scalars = self.scalars(name);
        scalars[variant % scalars.len()].clone()
    }

    fn entries(self) -> Vec<Schema<'a>> {
        match &self.node["items"] {
            Value::Array(items) => items.iter().map(|item| self.of(item)).collect(),
            Value::Null => Vec::new(),
            item => vec![self.of(item)],
        }
    }

    /// The values that a scalar may have.
    fn scalars(self, name: &str) -> Vec<Value> {
        if let Some(values) = self.node["enum"].as_array() {
            return values.clone();
        }
        let choices = ["anyOf", "oneOf"].iter().find_map(|key| self.node[*key].as_array());
        if let Some(choices) = choices.filter(|_| self.node.get("type").is_none()) {
            return choices.iter().flat_map(|choice| self.of(choice).scalars(name)).collect();
        }
        let least = self.node["minimum"].as_f64().unwrap_or(f64::MIN);
        let mut scalars = self.of_type(name);
        scalars.retain(|value| value.as_f64().is_none_or(|number| number >= least));
        scalars
    }

    fn of_type(self, name: &str) -> Vec<Value> {
        // Numbers of lines, files and documents; no schema says that they are whole.
        const WHOLE: [&str; 3] = ["num", "ttldocs", "fc"];
        match self.node["type"].as_str().unwrap_or_default().to_lowercase().as_str() {
            "number" if WHOLE.contains(&name) => vec![json!(7), json!(0), json!(7.0)],
            "number" => vec![json!(7), json!(7.0), json!(-10.25), json!(99_999_999_999.99), json!(0.1)],
            "integer" => vec![json!(7), json!(0), json!(7.0), json!(-3)],
            "string" | "date" => {
                vec![json!("text"), json!(""), json!("05-11-2024"), json!("é \"quoted\" \\ text")]
            }
            "boolean" => vec![json!(true), json!(false)],
            "object" => vec![json!({"undescribed": "kept"})],
            // Anything at all.
            _ => vec![
                json!({"undescribed": ["kept", null, 1.5]}),
                json!("text"),
                json!(7),
                json!([1, {"a": "b"}]),
            ],
        }
    }
}

/// How many values are made of each schema.
const VARIANTS: usize = 8;

/// How many scalars a value has.
fn scalars(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(scalars).sum(),
        Value::Array(entries) => entries.iter().map(scalars).sum(),
        _ => 1,
    }
}

/// What is in `sent` and not in `read`, by its path.
fn lost(sent: &Value, read: &Value, path: &str, found: &mut Vec<String>) {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => {
            for (name, member) in sent.iter().filter(|(_, member)| !member.is_null()) {
                // The one member with two names.
                let known = if name == "filing date" { "filingDate" } else { name };
                lost(member, read.get(known).unwrap_or(&Value::Null), &format!("{path}.{name}"), found);
            }
        }
        (Value::Array(sent), Value::Array(read)) if sent.len() == read.len() => {
            for (index, (sent, read)) in sent.iter().zip(read).enumerate() {
                lost(sent, read, &format!("{path}[{index}]"), found);
            }
        }
        // An empty list is none, an empty text nothing, and the text of a number is that number.
        (Value::Array(sent), Value::Null) if sent.is_empty() => {}
        (Value::String(sent), Value::Null) if sent.is_empty() => {}
        (Value::Number(sent), Value::Number(read)) if sent.as_f64() == read.as_f64() => {}
        (Value::Number(sent), Value::String(read)) if sent.to_string() == *read => {}
        (sent, read) if sent == read => {}
        _ => found.push(format!("{path}: {sent} became {read}")),
    }
}

fn answer(operation: &Operation, describes: &str, value: Value) -> String {
    // A list directly below `data`, of which the schema describes an entry.
    let entry = describes == "data[].data";
    if entry {
        return json!({"code": 200, "data": [{"data": value}]}).to_string();
    }
    let levels = if describes == "data.data" { 2 } else { operation.payload.len() };
    let mut answer = value;
    for level in 0..levels {
        answer = if level + 1 == levels {
            json!({"code": 200, "data": answer})
        } else {
            json!({"status_cd": "1", "data": answer})
        };
    }
    answer.to_string()
}

#[test]
fn what_the_provider_s_schemas_allow_is_read_whole() {
    let folder = match folder() {
        Ok(folder) => folder,
        Err(folder) => {
            eprintln!("skipped: the provider's schemas are not in {}", folder.display());
            return;
        }
    };
    let (mut tried, mut wrong) = (0, Vec::new());
    for entry in read(&folder.join("index.json")).as_array().unwrap() {
        let id = entry["operation"].as_str().unwrap();
        let Some(operation) = sandbox_client::operations()
            .iter()
            .find(|operation| operation.id == id && entry["kind"] == "answer")
        else {
            continue;
        };
        let root = read(&folder.join(entry["file"].as_str().unwrap()));
        let schema = Schema { root: &root, node: &root };
        for value in (0..VARIANTS).map(|variant| schema.value("", variant)) {
            tried += scalars(&value);
            let sent = answer(operation, entry["describes"].as_str().unwrap(), value);
            let listed = unread(id, sent.as_bytes()).unwrap();
            match round_trip(id, sent.as_bytes()).unwrap() {
                Ok(read) => {
                    let whole: Value = serde_json::from_str(&sent).unwrap();
                    let payload = operation.payload.iter().fold(&whole, |value, key| &value[*key]);
                    lost(payload, &read, id, &mut wrong);
                    wrong
                        .extend(listed.unwrap().into_iter().map(|path| format!("{id}: {path} was not read")));
                }
                Err(error) => wrong.push(format!("{id}: {error}")),
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 5000, "{tried} values were tried");
    eprintln!("{tried} values");
}
