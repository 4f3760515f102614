//! Schemas: what becomes a good type, and what would refuse good answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Report, is_upper_camel_case, same_in_rust,
    shape::{Kind, Node},
    text,
};
use crate::{
    document::Document,
    operations::{all, resolve},
};

const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];
const COMBINATORS: [&str; 3] = ["oneOf", "anyOf", "allOf"];

/// Limits that narrow the generated type: `minimum: 1` refuses 0, two equal
/// numbers of items make an array of fixed size, texts get checked when read.
const LIMITS: [&str; 8] =
    ["pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems"];

const SECRET: &str =
    "generated types show their values; write true, on a component with an `x-rust` type that hides it";

pub fn check(document: &Document, nodes: &[Node], report: &mut Report) {
    let answers = answers(&document.merged);
    for node in nodes {
        if node.is_component()
            && matches!(node.kind, Kind::Schema | Kind::Parameter | Kind::Response)
            && !is_upper_camel_case(&node.key)
        {
            report.add(&node.place, "progenitor renames it; write UpperCamelCase, short forms as in `Gstin`");
        }
        if node.kind != Kind::Schema || node.reference().is_some() || !node.value.is_object() {
            continue;
        }
        component(node, report);
        kind(node, report);
        members(node, report);
        enumeration(node, answers.get(node.key.as_str()).copied(), report);
        if !node.handwritten {
            generated(node, report);
        }
    }
}

/// What concerns named schemas, and what only they may be.
fn component(node: &Node, report: &mut Report) {
    let schema = node.value;
    if node.is_component() {
        if text(&schema["description"]).trim().is_empty() {
            report.add(&node.place.at("description"), "it documents the type; write one");
        }
        if node.key.ends_with("Answer") {
            report.add(
                &node.place,
                "the build names whole answers so, such as GetInvoiceCountAnswer; write another name",
            );
        }
        if let Some(rust) = schema.get("x-rust")
            && !is_upper_camel_case(text(rust))
        {
            report.add(&node.place.at("x-rust"), "it names a type of src/values; write it in UpperCamelCase");
        }
        let hidden = schema.get("x-rust").is_some();
        if schema.get("x-secret").is_some_and(|secret| *secret != true || !hidden) {
            report.add(&node.place.at("x-secret"), SECRET);
        }
        return;
    }
    if schema.get("x-secret").is_some() {
        report.add(&node.place.at("x-secret"), SECRET);
    }
    if schema.get("x-rust").is_some() {
        report.add(
            &node.place.at("x-rust"),
            "types replace components only; write a component and a $ref to it",
        );
    }
    for key in ["properties", "enum"].into_iter().chain(COMBINATORS) {
        if schema.get(key).is_some() {
            report.add(
                &node.place.at(key),
                "an inline type gets a made-up name; write a component and a $ref to it",
            );
        }
    }
}

fn kind(node: &Node, report: &mut Report) {
    let schema = node.value;
    match schema.get("type") {
        Some(known) if TYPES.contains(&text(known)) => {}
        Some(_) => {
            report.add(
                &node.place.at("type"),
                format!("progenitor knows no such type; write one of {}", TYPES.join(", ")),
            );
        }
        // `additionalProperties: {}` keeps unknown members and is the one schema that may be empty.
        None if node.key == "additionalProperties"
            && schema.as_object().is_some_and(serde_json::Map::is_empty) => {}
        None if COMBINATORS.iter().any(|key| schema.get(key).is_some()) => {}
        None => report.add(&node.place, "a schema says what it is; write `type`, `$ref` or `oneOf`"),
    }
    if schema["type"] == "array" && schema.get("items").is_none() {
        report.add(&node.place, "a list of what?; write `items`");
    }
}

fn members(node: &Node, report: &mut Report) {
    let (schema, place) = (node.value, &node.place);
    if schema["additionalProperties"] == false {
        report.add(
            &place.at("additionalProperties"),
            "an answer with a new member would be refused; leave it out, or write {} to keep new members",
        );
    }
    let properties = schema["properties"].as_object();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().map(text).collect();
    for name in &required {
        if !properties.is_some_and(|properties| properties.contains_key(*name)) {
            report.add(
                &place.at("required"),
                format!("there is no property `{name}`; write one, or leave the name out"),
            );
        }
    }
    let Some(properties) = properties.filter(|_| !node.handwritten) else { return };
    if let Some((one, other)) = same_in_rust(properties.keys().map(String::as_str)) {
        report.add(
            &place.at("properties"),
            format!(
                "`{one}` and `{other}` become one field; give the component an `x-rust` type that reads both"
            ),
        );
    }
    for (name, property) in properties {
        let is_map = property["type"] == "object" && property.get("properties").is_none();
        if (property["type"] == "array" || is_map)
            && !required.contains(&name.as_str())
            && property["nullable"] != true
        {
            report.add(
                &place.at("properties").at(name),
                "an optional list or map may be absent, but null would be refused; write `nullable: true`",
            );
        }
    }
}

fn enumeration(node: &Node, answer_of: Option<&str>, report: &mut Report) {
    let Some(values) = node.value.get("enum") else { return };
    let place = node.place.at("enum");
    if node.value["type"] != "string"
        || !values.as_array().is_some_and(|values| values.iter().all(Value::is_string))
    {
        report.add(
            &place,
            "numbers and others break the derived JSON schema; write `type: string` and quoted values",
        );
    }
    if let Some(operation) = answer_of.filter(|_| node.is_component() && !node.handwritten) {
        report.add(
            &place,
            format!(
                "{operation} answers with it, and a new value would fail the call; give it an `x-rust` type \
                 that keeps any text"
            ),
        );
    }
}

/// What a generated type must not say; a handwritten one may.
fn generated(node: &Node, report: &mut Report) {
    let (schema, place) = (node.value, &node.place);
    if schema["type"] == "number" {
        report.add(
            &place.at("type"),
            "it becomes f64, which cannot hold money; write a $ref to a component with `x-rust`",
        );
    }
    for limit in LIMITS.iter().filter(|limit| schema.get(**limit).is_some()) {
        report.add(
            &place.at(limit),
            "answers beyond it would be refused; say it in `description`, or give the component an `x-rust` \
             type",
        );
    }
    if schema.get("anyOf").is_some() {
        report.add(
            &place.at("anyOf"),
            "progenitor flattens it into one struct, which reads neither form; write `oneOf`, or give the \
             component an `x-rust` type",
        );
    }
    if schema.get("nullable").is_some() && node.is_component() {
        report.add(
            &place.at("nullable"),
            "it wraps the type in another; leave it out, and the property that refers to it out of `required`",
        );
    }
    if schema.get("default").is_some() && node.parent == Kind::Schema {
        report.add(
            &place.at("default"),
            "a property with a default refuses null and is sent unasked; say it in `description`",
        );
    }
}

/// The generated schemas that answers are read with, each with an operation
/// that answers so. What lies behind a handwritten type is not generated.
fn answers(document: &Value) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for (_, _, operation) in all(document) {
        let id = text(&operation["operationId"]);
        for (_, response) in operation["responses"].as_object().into_iter().flatten() {
            let content = &resolve(document, response)["content"];
            follow(document, &content["application/json"]["schema"], id, &mut found);
        }
    }
    found
}

fn follow<'a>(
    document: &'a Value,
    schema: &'a Value,
    operation: &'a str,
    found: &mut BTreeMap<&'a str, &'a str>,
) {
    if let Some(name) =
        schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/components/schemas/"))
    {
        let component = resolve(document, schema);
        if component.get("x-rust").is_none() && found.insert(name, operation).is_none() {
            follow(document, component, operation, found);
        }
        return;
    }
    match schema {
        Value::Object(members) => {
            members.values().for_each(|member| follow(document, member, operation, found));
        }
        Value::Array(members) => members.iter().for_each(|member| follow(document, member, operation, found)),
        _ => {}
    }
}
