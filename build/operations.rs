//! Writes the operation table: what the pipeline must know of each operation.

use std::fmt::Write as _;

use serde_json::Value;

use crate::document::Document;

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

/// Operation ids in the order of the operation table.
pub fn sorted_ids(document: &Value) -> Vec<&str> {
    let mut ids: Vec<_> = all(document).map(|(_, _, operation)| text(&operation["operationId"])).collect();
    ids.sort_unstable();
    ids
}

/// What an operation must carry besides the API key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    ApiKey,
    ApiSecret,
    PlatformToken,
    /// The token of a session, by the name of its security scheme.
    Session(&'a str),
}

impl<'a> Credential<'a> {
    pub fn session(self) -> Option<&'a str> {
        match self {
            Self::Session(scheme) => Some(scheme),
            _ => None,
        }
    }
}

/// The credential that the `security` of an operation names; `None` where the
/// combination is not one of the dialect.
pub fn credential(operation: &Value) -> Option<Credential<'_>> {
    let [requirement] = operation["security"].as_array()?.as_slice() else { return None };
    let mut schemes: Vec<&str> = requirement.as_object()?.keys().map(String::as_str).collect();
    schemes.retain(|scheme| *scheme != "api_key");
    let key = requirement.get("api_key").is_some();
    match schemes.as_slice() {
        [] if key => Some(Credential::ApiKey),
        ["api_secret"] if key => Some(Credential::ApiSecret),
        ["platform_token"] if key => Some(Credential::PlatformToken),
        [session] if key => Some(Credential::Session(session)),
        _ => None,
    }
}

/// The header of the operation's token, in lower case; empty where it has none.
fn token_header(document: &Value, operation: &Value) -> String {
    let schemes = operation["security"][0].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let token = schemes.into_iter().find(|name| !["api_key", "api_secret"].contains(name));
    token.map_or_else(String::new, |name| {
        text(&document["components"]["securitySchemes"][name]["name"]).to_ascii_lowercase()
    })
}

/// The method of `Client` that gives the operations of a family without a session.
pub fn client_method<'a>(document: &'a Value, family: &'a str) -> &'a str {
    let tag = document["tags"].as_array().into_iter().flatten().find(|tag| tag["name"] == family);
    tag.and_then(|tag| tag["x-client"].as_str()).unwrap_or(family)
}

/// Where the payload of an answer lies, as keys from the outside in.
pub fn payload_path(operation: &Value) -> Vec<&str> {
    text(&operation["responses"]["200"]["x-payload"]).split('/').filter(|key| !key.is_empty()).collect()
}

/// Values of `status_cd` that mean success; "1" where the document names none.
pub fn success_values(operation: &Value) -> Vec<&str> {
    let values = texts(&operation["responses"]["200"]["x-success"]);
    if values.is_empty() { vec!["1"] } else { values }
}

/// Values of `status` that mean failure.
pub fn failed_status(operation: &Value) -> Vec<&str> {
    texts(&operation["responses"]["200"]["x-failed-status"])
}

/// A list of texts.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(text).collect()
}

/// The document with the family of each schema, in `x-family`: the one whose
/// folder has its file. The families that use a schema share its type.
pub fn with_families(document: &Document) -> Value {
    let mut marked = document.merged.clone();
    for (name, schema) in marked["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if let Some((family, _)) = document.file_of(&format!("schemas/{name}")).split_once('/') {
            schema["x-family"] = family.into();
        }
    }
    marked
}

/// The Rust type of a component, as an operation of this family uses it.
pub fn component_type(document: &Value, name: &str, family: &str) -> String {
    let schema = &document["components"]["schemas"][name];
    match schema["x-rust"].as_str() {
        Some(rust) => format!("crate::values::{rust}"),
        None => format!("crate::{}::types::{name}", schema["x-family"].as_str().unwrap_or(family)),
    }
}

/// The same for a schema that is a `$ref`.
pub fn payload_type(document: &Value, schema: &Value, family: &str) -> String {
    component_type(document, text(&schema["$ref"]).rsplit('/').next().unwrap_or_default(), family)
}

/// The source of the table, sorted by operation id. The dialect has been checked.
pub fn table(document: &Value) -> String {
    let mut rows: Vec<_> = all(document).collect();
    rows.sort_by_key(|(_, _, operation)| operation["operationId"].as_str());

    let mut source = String::from("&[\n");
    for (path, method, operation) in rows {
        let credential = match credential(operation) {
            None | Some(Credential::ApiKey) => "ApiKey".to_owned(),
            Some(Credential::ApiSecret) => "ApiSecret".to_owned(),
            Some(Credential::PlatformToken) => "PlatformToken".to_owned(),
            Some(Credential::Session(scheme)) => format!("Session({scheme:?})"),
        };
        let _ = writeln!(
            source,
            "Operation {{ id: {:?}, method: {:?}, path: {path:?}, family: {:?}, summary: {:?}, description: {:?}, credential: Credential::{credential}, token_header: {:?}, idempotent: {}, api_version: {:?}, parameters: &[{}], body: {}, secret_members: &{:?}, payload: &{:?}, flat: {:?}, success: &{:?}, failed_status: &{:?} }},",
            text(&operation["operationId"]),
            method.to_uppercase(),
            text(&operation["tags"][0]),
            text(&operation["summary"]),
            text(&operation["description"]).trim_end(),
            token_header(document, operation),
            operation["x-idempotent"],
            api_version(document, operation),
            parameters(document, operation),
            operation.get("requestBody").is_some(),
            secret_members(document, operation),
            payload_path(operation),
            operation["responses"]["200"]["x-flat"].as_str(),
            success_values(operation),
            failed_status(operation),
        );
    }
    source.push_str("]\n");
    source
}

/// Members of an operation's body whose type is a secret.
fn secret_members<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a str> {
    let body = resolve(document, &operation["requestBody"]["content"]["application/json"]["schema"]);
    let members = body["properties"].as_object().into_iter().flatten();
    members
        .filter(|(_, of)| resolve(document, of)["x-secret"] == true)
        .map(|(name, _)| name.as_str())
        .collect()
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

/// The source of a function that reads the payload of an answer into the type
/// that its operation promises, and writes it back if wanted: what contract
/// tests ask of every example.
pub fn round_trip(document: &Value) -> String {
    let mut source = String::from(
        "#[allow(clippy::too_many_lines)] // a line an operation\n\
         pub(crate) fn round_trip(operation: &str, answer: &[u8], write: bool) -> Option<Result<(serde_json::Value, Vec<String>), crate::Error>> {\n\
         Some(match operation {\n",
    );
    for (position, id) in sorted_ids(document).into_iter().enumerate() {
        let (_, _, operation) =
            all(document).find(|(_, _, operation)| operation["operationId"] == id).expect("listed");
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let payload = payload_type(document, schema, text(&operation["tags"][0]));
        let _ = writeln!(
            source,
            "{id:?} => crate::answer::round_trip::<{payload}>(&OPERATIONS[{position}], answer, write),"
        );
    }
    source.push_str("_ => return None,\n})\n}\n");
    source.push_str(
        "#[allow(clippy::match_same_arms)] // several operations take the same body\n\
         pub(crate) fn round_trip_request(operation: &str, body: &[u8]) -> Option<Result<serde_json::Value, crate::Error>> {\n\
         Some(match operation {\n",
    );
    for (_, _, operation) in all(document) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let body = payload_type(document, schema, text(&operation["tags"][0]));
        let _ =
            writeln!(source, "{} => crate::request::round_trip::<{body}>(body),", operation["operationId"]);
    }
    source.push_str("_ => return None,\n})\n}\n");
    source
}

/// The marker type of a kind of session: `taxpayer_token` is `TaxpayerToken`.
pub fn kind_name(scheme: &str) -> String {
    let words = scheme.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

/// The source of the marker types of the kinds of session, one a security
/// scheme that is neither key, secret nor platform token.
pub fn session_kinds(document: &Value) -> String {
    let mut source = String::new();
    for (name, scheme) in document["components"]["securitySchemes"].as_object().into_iter().flatten() {
        if ["api_key", "api_secret", "platform_token"].contains(&name.as_str()) {
            continue;
        }
        let kind = kind_name(name);
        let _ = writeln!(
            source,
            "#[doc = {:?}]\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\npub struct {kind};\n\
             impl crate::session::SessionKind for {kind} {{ const SCHEME: &'static str = {name:?}; }}\n\
             impl crate::session::sealed::Sealed for {kind} {{}}",
            text(&scheme["description"]).trim()
        );
    }
    source
}
