//! The document, and how the mock finds its way in it.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The document that this crate was built from.
pub(super) static EMBEDDED: LazyLock<Arc<Document>> = LazyLock::new(|| {
    let root = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/document.json")));
    Arc::new(Document::read(root.expect("written by build.rs")).expect("checked by build.rs"))
});

/// A merged OpenAPI document.
pub(super) struct Document {
    root: Value,
    operations: Vec<Operation>,
}

pub(super) struct Operation {
    pub(super) id: String,
    method: String,
    /// The template, cut at its slashes.
    path: Vec<String>,
    /// What must be carried, and in which header.
    pub(super) security: Vec<(Scheme, String)>,
    pub(super) grants: Option<String>,
    pub(super) revokes: Option<String>,
    /// The operation as it stands in the document.
    node: Value,
    /// Parameters of the path, which hold for all operations there.
    shared_parameters: Value,
}

/// A credential, by the name of its security scheme.
#[derive(Clone, PartialEq)]
pub(super) enum Scheme {
    Key,
    Secret,
    /// A token, by the name of its security scheme.
    Token(String),
}

impl Document {
    /// Fails where the document asks for a credential that the mock does not
    /// know: it would have to let everybody in.
    pub(super) fn read(root: Value) -> Result<Self, String> {
        let mut operations = Vec::new();
        for (path, item) in members(&root["paths"]) {
            for (method, node) in members(item) {
                let Some(id) = node["operationId"].as_str() else { continue };
                let operation = Operation {
                    id: id.to_owned(),
                    method: method.to_uppercase(),
                    path: path.split('/').map(str::to_owned).collect(),
                    security: security(&root, node).map_err(|name| unknown(id, &name))?,
                    grants: token(&root, &node["x-grants"]).map_err(|name| unknown(id, &name))?,
                    revokes: token(&root, &node["x-revokes"]).map_err(|name| unknown(id, &name))?,
                    node: node.clone(),
                    shared_parameters: item["parameters"].clone(),
                };
                operations.push(operation);
            }
        }
        Ok(Self { root, operations })
    }

    /// The operation at an address. Where several fit, the template that is
    /// literal first wins: `/invoices/count` before `/invoices/{id}`.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let fitting = self
            .operations
            .iter()
            .filter(|operation| operation.method == method && operation.path_values(path).is_some());
        fitting.max_by_key(|operation| {
            operation.path.iter().map(|part| placeholder(part).is_none()).collect::<Vec<_>>()
        })
    }

    pub(super) fn get(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// An operation by its id; panics for a test that has mistaken it.
    #[track_caller]
    pub(super) fn named(&self, id: &str) -> &Operation {
        self.get(id).unwrap_or_else(|| {
            let ids: Vec<_> = self.operations.iter().map(|operation| operation.id.as_str()).collect();
            panic!("the document has no operation `{id}`; it has: {}", ids.join(", "))
        })
    }

    pub(super) fn parameters<'a>(&'a self, operation: &'a Operation) -> impl Iterator<Item = &'a Value> {
        list(&operation.shared_parameters)
            .chain(list(&operation.node["parameters"]))
            .map(|parameter| self.resolve(parameter))
    }

    pub(super) fn body<'a>(&'a self, operation: &'a Operation) -> &'a Value {
        self.resolve(&operation.node["requestBody"])
    }

    /// The examples of success, which are those of status 200, by name.
    pub(super) fn examples<'a>(&'a self, operation: &'a Operation) -> Vec<(&'a str, &'a Value)> {
        self.examples_of(&operation.node["responses"]["200"]).collect()
    }

    /// The failures that operations share: name, status, body.
    pub(super) fn errors(&self) -> impl Iterator<Item = (&str, u16, &Value)> {
        members(&self.root["components"]["responses"])
            .flat_map(|(_, response)| self.examples_of(response))
            .filter_map(|(name, example)| {
                let body = &example["value"];
                let stated = status(&example["x-status"]).or_else(|| status(&body["code"]));
                stated.filter(|status| *status >= 400).map(|status| (name, status, body))
            })
    }

    /// How long a token of this scheme is valid, as the document says.
    pub(super) fn lifetime(&self, scheme: &str) -> Duration {
        let hours = self.root["components"]["securitySchemes"][scheme]["x-lifetime-hours"].as_u64();
        Duration::from_secs(hours.unwrap_or(6) * 3600)
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Follows `$ref`, and gives up on a circle.
    pub(super) fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        for _ in 0..16 {
            let Some(reference) = value["$ref"].as_str() else { return value };
            value = self.root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        }
        &Value::Null
    }

    fn examples_of<'a>(&'a self, response: &'a Value) -> impl Iterator<Item = (&'a str, &'a Value)> {
        members(&self.resolve(response)["content"]["application/json"]["examples"])
            .map(|(name, example)| (name.as_str(), self.resolve(example)))
    }
}

impl Operation {
    /// The header in which a token of this level travels.
    pub(super) fn token_header(&self, name: &str) -> Option<&str> {
        let (_, header) = self
            .security
            .iter()
            .find(|(scheme, _)| matches!(scheme, Scheme::Token(known) if known == name))?;
        Some(header)
    }

    /// What stands in the place of each path parameter, or `None` if the
    /// path is another one.
    pub(super) fn path_values(&self, path: &str) -> Option<Vec<(&str, String)>> {
        let mut values = Vec::new();
        let mut parts = path.split('/');
        for expected in &self.path {
            let part = percent_decode_str(parts.next()?).decode_utf8_lossy();
            match placeholder(expected) {
                Some(name) if !part.is_empty() => values.push((name, part.into_owned())),
                None if *expected == part => {}
                _ => return None,
            }
        }
        parts.next().is_none().then_some(values)
    }
}

fn security(root: &Value, node: &Value) -> Result<Vec<(Scheme, String)>, String> {
    list(&node["security"])
        .flat_map(members)
        .map(|(name, _)| {
            let scheme = match name.as_str() {
                "api_key" => Scheme::Key,
                "api_secret" => Scheme::Secret,
                name => Scheme::Token(name.to_owned()),
            };
            let header = root["components"]["securitySchemes"][name]["name"].as_str().ok_or(name)?;
            Ok((scheme, header.to_owned()))
        })
        .collect()
}

/// The name of a token's scheme, which the document must have.
fn token(root: &Value, name: &Value) -> Result<Option<String>, String> {
    let Some(name) = name.as_str() else { return Ok(None) };
    let known = root["components"]["securitySchemes"].get(name).is_some();
    if known { Ok(Some(name.to_owned())) } else { Err(name.to_owned()) }
}

fn unknown(id: &str, name: &str) -> String {
    format!("{id}: the mock knows no credential `{name}`")
}

fn placeholder(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// A number that can be the status of an answer.
pub(super) fn status(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| (200..=599).contains(status))
}

pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Members copied from a request, without those that the request left out.
pub(super) fn given(mut copied: Value) -> Value {
    if let Some(members) = copied.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    copied
}

/// A value as it would stand in a query: text without its quotes.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
