//! Writes the operation table: what the pipeline must know of each operation.

use std::fmt::Write as _;

use serde_json::Value;

/// HTTP methods of a path item, as OpenAPI spells them: those that the client
/// inside the generated code has a function for.
pub const METHODS: [&str; 6] = ["get", "put", "post", "delete", "head", "patch"];

/// Every operation as (path, method, operation).
pub fn all(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// Resolves a local `$ref`, once.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => value,
    }
}

/// The credential that the `security` of an operation names, as the variant of
/// `Credential`; `None` where the combination is not one of the dialect.
pub fn credential(operation: &Value) -> Option<&'static str> {
    let [requirement] = operation["security"].as_array()?.as_slice() else { return None };
    let mut schemes: Vec<&str> = requirement.as_object()?.keys().map(String::as_str).collect();
    schemes.sort_unstable();
    match schemes.as_slice() {
        ["api_key"] => Some("ApiKey"),
        ["api_key", "api_secret"] => Some("ApiSecret"),
        ["api_key", "platform_token"] => Some("PlatformToken"),
        ["api_key", "taxpayer_token"] => Some("TaxpayerToken"),
        _ => None,
    }
}

/// The source of the table, sorted by operation id. The dialect has been checked.
pub fn table(document: &Value) -> String {
    let mut rows: Vec<_> = all(document).collect();
    rows.sort_by_key(|(_, _, operation)| operation["operationId"].as_str());

    let mut source = String::from("&[\n");
    for (path, method, operation) in rows {
        let _ = writeln!(
            source,
            "Operation {{ id: {:?}, method: {:?}, path: {path:?}, tag: {:?}, summary: {:?}, description: {:?}, credential: Credential::{}, idempotent: {}, api_version: {:?}, parameters: &[{}], body: {} }},",
            text(&operation["operationId"]),
            method.to_uppercase(),
            text(&operation["tags"][0]),
            text(&operation["summary"]),
            text(&operation["description"]).trim_end(),
            credential(operation).unwrap_or_default(),
            operation["x-idempotent"],
            api_version(document, operation),
            parameters(document, operation),
            operation.get("requestBody").is_some(),
        );
    }
    source.push_str("]\n");
    source
}

/// The source of an operation's parameters, in the order of the document.
fn parameters(document: &Value, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.map(|parameter| parameter_row(document, resolve(document, parameter))).collect()
}

fn parameter_row(document: &Value, parameter: &Value) -> String {
    let location = match text(&parameter["in"]) {
        "path" => "Path",
        "header" => "Header",
        _ => "Query",
    };
    let schema = resolve(document, &parameter["schema"]);
    let list = schema["type"] == "array";
    let values = if list { resolve(document, &schema["items"]) } else { schema }["enum"].as_array();
    format!(
        "Parameter {{ name: {:?}, location: Location::{location}, required: {}, secret: {}, list: {list}, values: &{:?}, description: {:?} }}, ",
        text(&parameter["name"]),
        parameter["required"] == true,
        parameter["x-secret"] == true,
        values.into_iter().flatten().map(text).collect::<Vec<_>>(),
        text(&parameter["description"]).trim_end(),
    )
}

/// The text of a value; nothing for anything else.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The default of the `x-api-version` header parameter.
pub fn api_version<'a>(document: &'a Value, operation: &'a Value) -> Option<&'a str> {
    operation["parameters"].as_array()?.iter().map(|parameter| resolve(document, parameter)).find_map(
        |parameter| {
            (parameter["in"] == "header" && parameter["name"] == "x-api-version")
                .then(|| parameter["schema"]["default"].as_str())?
        },
    )
}

/// The source of a function that reads an answer into the type its operation
/// promises and writes it back: what contract tests ask of every example.
pub fn round_trip(document: &Value) -> String {
    let mut source = String::from(
        "#[allow(clippy::match_same_arms)]\npub(crate) fn round_trip(operation: &str, answer: serde_json::Value) -> Option<serde_json::Result<serde_json::Value>> {\n\
         Some(match operation {\n",
    );
    for (_, _, operation) in all(document) {
        let schema = text(&operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]);
        let name = schema.rsplit('/').next().unwrap_or_default();
        let id = text(&operation["operationId"]);
        let _ = writeln!(
            source,
            "{id:?} => serde_json::from_value::<types::{name}>(answer).and_then(serde_json::to_value),"
        );
    }
    source.push_str("_ => return None,\n})\n}\n");
    source
}
