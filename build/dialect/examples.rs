//! Examples: the mock server, the contract tests and the documentation live on them.

use serde_json::{Map, Value};

use super::{
    Place, Report, is_snake_case,
    shape::{Kind, Node, operation_place, owned},
    text,
};
use crate::{
    document::Document,
    envelope,
    operations::{all, payload_path, resolve},
};

pub fn check(document: &Document, nodes: &[Node], report: &mut Report) {
    for node in nodes.iter().filter(|node| node.kind == Kind::Example) {
        if !is_snake_case(&node.key) {
            report.add(&node.place, "tests ask for examples by name; write it in snake_case");
        }
        if node.reference().is_none() {
            example(node, report);
        }
    }
    for (path, method, operation) in all(&document.merged) {
        let place = operation_place(document, path, method, operation);
        let examples: Vec<_> = members(&operation["responses"]["200"])
            .map(|(name, example)| (name, resolve(&document.merged, example)))
            .filter(|(_, example)| !is_failure(operation, example))
            .collect();
        if examples.is_empty() {
            report.add(
                &place.at("responses.200"),
                "the mock server has no success to answer with; write one in `examples`",
            );
        }
        for (name, example) in examples {
            let path = payload_path(operation);
            let at = |path: &[&str]| path.iter().fold(&example["value"], |value, key| &value[key]).clone();
            let flat = operation["responses"]["200"]["x-flat"].as_str();
            let level = at(&path[..path.len().saturating_sub(1)]);
            let payload =
                if flat.is_some_and(|member| level.get(member).is_some()) { level } else { at(&path) };
            // Without a value it is wrong in another way.
            if payload.is_null() && example.get("value").is_some() {
                report.add(
                    &place.at("responses.200.x-payload"),
                    format!("the client would fail on example `{name}`, which has nothing there; correct one of the two"),
                );
            }
        }
        if let Some(body) = operation.get("requestBody")
            && body["content"]["application/json"]["schema"].get("$ref").is_some()
            && members(body).next().is_none()
        {
            report.add(
                &place.at("requestBody"),
                "readers and tools need a body to try; write one in `examples`",
            );
        }
    }
    // A parameter that has another mistake is told once.
    if report.0.is_empty() {
        for (path, method, operation) in all(&document.merged) {
            let place = operation_place(document, path, method, operation);
            known_conditions(&document.merged, operation, &place, report);
        }
    }
    for (component, class) in [("ClientError", 4), ("ServerError", 5)] {
        let response = &document.merged["components"]["responses"][component];
        let place = owned(document, format!("responses/{component}")).at("examples");
        for (name, example) in members(response) {
            let example = resolve(&document.merged, example);
            let status = example.get("x-status").unwrap_or(&example["value"]["code"]);
            if status.as_u64().is_none_or(|status| status / 100 != class) {
                report.add(
                    &place.at(name),
                    format!(
                        "the mock server needs its HTTP status; write `code` in the value, or `x-status`, of \
                         {class}00 to {class}99"
                    ),
                );
            }
        }
    }
}

/// A condition on what no request has would never be met.
fn known_conditions(document: &Value, operation: &Value, place: &Place, report: &mut Report) {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    // A header never matches.
    let mut known: Vec<&str> = parameters
        .map(|parameter| resolve(document, parameter))
        .filter(|parameter| parameter["in"] != "header")
        .map(|parameter| text(&parameter["name"]))
        .collect();
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = resolve(document, body)["properties"].as_object();
    known.extend(body.into_iter().flatten().map(|(name, _)| name.as_str()));
    for (name, example) in members(&operation["responses"]["200"]) {
        let when = resolve(document, example)["x-when"].as_object();
        for (condition, _) in when.into_iter().flatten() {
            if !known.contains(&condition.as_str()) {
                report.add(
                    &place.at("responses.200.content.application/json.examples").at(name).at("x-when"),
                    format!("no request has `{condition}`; write a parameter of the operation or a member of its body"),
                );
            }
        }
    }
}

/// Whether an example of status 200 shows a failure, by the rules of the client.
fn is_failure(operation: &Value, example: &Value) -> bool {
    envelope::is_failure(operation, &example["value"])
        || example["x-status"].as_u64().is_some_and(|status| status >= 400)
}

/// The examples of a response, by name.
fn members(response: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let examples = response["content"]["application/json"]["examples"].as_object();
    examples.into_iter().flatten().map(|(name, example)| (name.as_str(), example))
}

fn example(node: &Node, report: &mut Report) {
    let (example, place) = (node.value, &node.place);
    let inferred = example.get("x-inferred");
    let summary = text(&example["summary"]);
    if summary.trim().is_empty() {
        report.add(&place.at("summary"), "readers choose by it; write what the example shows");
    }
    if example.get("value").is_none() {
        report.add(&place.at("value"), "an example without content; write `externalValue` and the file");
    }
    if inferred.is_some_and(|inferred| *inferred != true) {
        report.add(
            &place.at("x-inferred"),
            "it marks what no page of the provider shows; write true or leave it out",
        );
    } else if summary.starts_with("Inferred") != inferred.is_some() {
        report.add(
            place,
            "an example that no page shows must say so twice; write `x-inferred: true` and a summary that \
             begins with \"Inferred\", or neither",
        );
    }
    let is_text = |when: &Map<String, Value>| !when.is_empty() && when.values().all(Value::is_string);
    if example.get("x-when").is_some_and(|when| !when.as_object().is_some_and(is_text)) {
        report.add(
            &place.at("x-when"),
            "it is compared with the request as text; write a mapping of names to quoted text",
        );
    }
}
