//! Operations: names, credentials, body, responses, and the security schemes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Place, Report, is_snake_case,
    shape::{Kind, Node, operation_place},
    text,
};
use crate::{
    document::Document,
    operations::{all, credential, resolve},
};

/// What an operation id must not be: progenitor would add an underscore, and
/// the operation table would not know the method any more.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// What a family must not be called: modules that the crate has beside families.
const MODULES: [&str; 4] = ["mock", "redis", "reference", "values"];

pub fn check(document: &Document, nodes: &[Node], report: &mut Report) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for (path, method, operation) in all(&document.merged) {
        let place = operation_place(document, path, method, operation);
        let id = text(&operation["operationId"]);
        if !is_snake_case(id) || KEYWORDS.contains(&id) {
            report.add(
                &place.at("operationId"),
                "it becomes a method; write a snake_case verb phrase that is no Rust keyword, such as \
                 get_invoice_count",
            );
        } else if seen.insert(id, place.clone()).is_some() {
            report.add(
                &place.at("operationId"),
                format!("`{id}` names two operations; write another id for one"),
            );
        }
        describe(&document.merged, &place, operation, report);
        credentials(&document.merged, &place, operation, report);
        body(&document.merged, &place, operation, report);
        responses(&place, operation, report);
    }
    for node in nodes {
        match node.kind {
            Kind::Tag => family(node, report),
            Kind::SecurityScheme => scheme(node, report),
            Kind::Response if node.is_component() => shared_response(node, report),
            _ => {}
        }
    }
}

fn describe(document: &Value, place: &Place, operation: &Value, report: &mut Report) {
    let declared = |tag: &Value| {
        document["tags"].as_array().is_some_and(|tags| tags.iter().any(|known| known["name"] == *tag))
    };
    let folder = place.file.split_once('/').map(|(folder, _)| folder);
    match operation["tags"].as_array().map(Vec::as_slice) {
        Some([tag]) if declared(tag) => {
            if let Some(folder) = folder.filter(|folder| tag != folder) {
                report.add(
                    &place.at("tags"),
                    format!("the folder of the file is the family; write `{folder}`, or move the operation"),
                );
            }
        }
        _ => report
            .add(&place.at("tags"), "an operation belongs to one family; write one tag that `tags` declares"),
    }
    for key in ["summary", "description"] {
        if text(&operation[key]).trim().is_empty() {
            report.add(&place.at(key), "it documents the method; write one");
        }
    }
    if !text(&operation["externalDocs"]["url"]).starts_with("https://") {
        report.add(
            &place.at("externalDocs.url"),
            "facts need a source; write the address of the provider's page",
        );
    }
    if !operation["x-idempotent"].is_boolean() {
        report.add(
            &place.at("x-idempotent"),
            "retries depend on it; write true if repeating the request changes nothing, otherwise false",
        );
    }
}

fn credentials(document: &Value, place: &Place, operation: &Value, report: &mut Report) {
    if credential(operation).is_none() {
        report.add(
            &place.at("security"),
            "a request carries the key and at most one credential more; write one requirement, of api_key \
             alone or with one of api_secret, platform_token and the scheme of a session",
        );
    } else {
        for (scheme, _) in operation["security"][0].as_object().into_iter().flatten() {
            if document["components"]["securitySchemes"].get(scheme).is_none() {
                report.add(
                    &place.at("security"),
                    format!("there is no scheme `{scheme}`; write it in components.securitySchemes"),
                );
            }
        }
    }
    for key in ["x-grants", "x-revokes"] {
        let is_token = |name: &Value| {
            let scheme = &document["components"]["securitySchemes"][text(name)];
            scheme.is_object() && name != "api_key" && name != "api_secret"
        };
        if operation.get(key).is_some_and(|name| !is_token(name)) {
            report.add(&place.at(key), "it names a token; write the name of its security scheme");
        }
    }
}

fn family(node: &Node, report: &mut Report) {
    let name = text(&node.value["name"]);
    let method = node.value.get("x-client").map(text);
    if method.is_some_and(|method| !is_snake_case(method) || KEYWORDS.contains(&method)) {
        report.add(
            &node.place.at("x-client"),
            "it becomes a method of Client; write snake_case and no Rust keyword",
        );
    }
    if !is_snake_case(name) || KEYWORDS.contains(&name) || MODULES.contains(&name) {
        report.add(
            &node.place.at("name"),
            "it becomes a module and a method; write snake_case, no Rust keyword and no module of the crate",
        );
    }
}

fn scheme(node: &Node, report: &mut Report) {
    let (scheme, place) = (node.value, &node.place);
    if !is_snake_case(&node.key) {
        report.add(
            place,
            "a kind of session becomes a type named after it; write snake_case, such as taxpayer_token",
        );
    }
    if scheme["type"] != "apiKey" || scheme["in"] != "header" || text(&scheme["name"]).is_empty() {
        report.add(
            place,
            "credentials are sent as headers; write `type: apiKey`, `in: header` and the `name` of the header",
        );
    }
    let lifetime = scheme.get("x-lifetime-hours");
    if ["api_key", "api_secret"].contains(&node.key.as_str()) {
        if lifetime.is_some() {
            report.add(&place.at("x-lifetime-hours"), "key and secret do not expire; leave it out");
        }
    } else if lifetime.and_then(Value::as_u64).is_none_or(|hours| hours == 0) {
        report.add(
            &place.at("x-lifetime-hours"),
            "the mock server lets a token expire after it; write a whole number of hours, at least 1",
        );
    }
}

/// Whether `content` is JSON alone, of a named schema.
fn is_named_json(content: &Value) -> bool {
    content.as_object().is_some_and(|types| types.len() == 1)
        && content["application/json"]["schema"].get("$ref").is_some()
}

fn body(document: &Value, place: &Place, operation: &Value, report: &mut Report) {
    let Some(body) = operation.get("requestBody") else { return };
    let place = place.at("requestBody");
    if !is_named_json(&body["content"]) {
        report.add(
            &place.at("content"),
            "a second media type makes progenitor panic, and an inline schema gets a made-up name; write \
             application/json alone, its schema a $ref",
        );
    }
    if let Some(needs) = body.get("x-document") {
        let schema = &body["content"]["application/json"]["schema"];
        let known = &resolve(document, schema)["properties"];
        let named =
            needs.as_array().is_some_and(|needs| needs.iter().all(|name| known.get(text(name)).is_some()));
        if !named {
            report.add(
                &place.at("x-document"),
                "it lists the members that must be there before the document is sent; write names of its schema, or []",
            );
        }
    }
    if body["required"] != true {
        report.add(&place.at("required"), "progenitor always sends the body; write `required: true`");
    }
}

fn responses(place: &Place, operation: &Value, report: &mut Report) {
    let place = place.at("responses");
    let declared = operation["responses"].as_object();
    for (status, _) in declared.into_iter().flatten() {
        match status.as_str() {
            "200" | "4XX" | "5XX" => {}
            "default" => report.add(
                &place,
                "a `default` response makes progenitor panic; write '4XX' and '5XX' with $ref to ClientError \
                 and ServerError",
            ),
            _ => report.add(
                &place,
                format!(
                    "`{status}` beside the others makes progenitor panic; write '200', '4XX' and '5XX' alone"
                ),
            ),
        }
    }
    match declared.and_then(|responses| responses.get("200")) {
        Some(success) if success.get("$ref").is_none() && is_named_json(&success["content"]) => {}
        _ => report.add(
            &place.at("200"),
            "progenitor makes one type of it; write application/json alone, its schema a $ref",
        ),
    }
    let payload = text(&operation["responses"]["200"]["x-payload"]);
    let keys = payload.strip_prefix('/').map(|keys| keys.split('/').collect::<Vec<_>>());
    if !keys.is_some_and(|keys| keys == [""] || keys.iter().all(|key| !key.is_empty())) {
        report.add(
            &place.at("200.x-payload"),
            "the client gives the payload without its envelope; write where it lies: /data/data, /data, or / for the whole body",
        );
    }
    if let Some(member) = operation["responses"]["200"].get("x-flat")
        && (member.as_str().is_none_or(str::is_empty) || payload.split('/').count() < 3)
    {
        report.add(
            &place.at("200.x-flat"),
            "the client looks for this member one level above the payload; name one, and have two keys in `x-payload`",
        );
    }
    for key in ["x-success", "x-failed-status"] {
        let texts = |list: &Value| {
            list.as_array().is_some_and(|list| {
                !list.is_empty() && list.iter().all(|text| text.as_str().is_some_and(|text| !text.is_empty()))
            })
        };
        if operation["responses"]["200"].get(key).is_some_and(|list| !texts(list)) {
            report.add(
                &place.at(&format!("200.{key}")),
                "the client compares its texts with the answer; write a list such as ['1', '3']",
            );
        }
    }
    for (status, component) in [("4XX", "ClientError"), ("5XX", "ServerError")] {
        let target = format!("#/components/responses/{component}");
        if declared
            .and_then(|responses| responses.get(status))
            .is_none_or(|response| response["$ref"] != *target)
        {
            report.add(
                &place.at(status),
                format!("a type of failure of its own makes progenitor panic; write $ref: '{target}'"),
            );
        }
    }
}

fn shared_response(node: &Node, report: &mut Report) {
    if !["ClientError", "ServerError"].contains(&node.key.as_str()) {
        report.add(
            &node.place,
            "no operation may refer to it; write its failures as examples of ClientError or ServerError",
        );
    } else if !is_named_json(&node.value["content"])
        || node.value["content"]["application/json"]["schema"]["$ref"] != "#/components/schemas/ErrorResponse"
    {
        report.add(
            &node.place.at("content"),
            "all failures share one type; write application/json alone, its schema a $ref to ErrorResponse",
        );
    }
}
