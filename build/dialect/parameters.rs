//! Parameters: each by itself, and those of an operation together.

use serde_json::Value;

use super::{
    Place, Report, same_in_rust,
    shape::{Kind, Node, operation_place},
    text,
};
use crate::{
    document::Document,
    operations::{all, resolve},
};

pub fn check(document: &Document, nodes: &[Node], report: &mut Report) {
    for node in nodes.iter().filter(|node| node.kind == Kind::Parameter && node.reference().is_none()) {
        name(node, report);
        place(node, resolve(&document.merged, &node.value["schema"]), report);
    }
    for (path, method, operation) in all(&document.merged) {
        let parameters: Vec<&Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| resolve(&document.merged, parameter))
            .collect();
        let place = operation_place(document, path, method, operation);
        template(path, &place, &parameters, report);
        if let Some((one, other)) = same_in_rust(parameters.iter().map(|parameter| text(&parameter["name"])))
        {
            report.add(
                &place.at("parameters"),
                format!(
                    "`{one}` and `{other}` become one method; write names that differ in letters or digits"
                ),
            );
        }
    }
}

fn name(node: &Node, report: &mut Report) {
    let name = text(&node.value["name"]);
    match name.to_ascii_lowercase().as_str() {
        "" => report.add(&node.place.at("name"), "it becomes a method; write one"),
        "authorization" | "x-api-key" | "x-api-secret" => report.add(
            &node.place,
            "credentials would become arguments and show in `Debug`; leave it out and write `security`",
        ),
        "body" | "new" | "send" => report.add(
            &node.place,
            format!(
                "`{name}` is a method of every builder; such a parameter needs a change in build/generate.rs \
                 first"
            ),
        ),
        _ => {}
    }
    if text(&node.value["description"]).trim().is_empty() {
        report.add(&node.place.at("description"), "it documents the method; write one");
    }
}

fn place(node: &Node, schema: &Value, report: &mut Report) {
    let place = &node.place;
    if node.value.get("schema").is_none() {
        report.add(&place.at("schema"), "progenitor needs a type; write a schema");
    }
    let many = schema["type"] == "array" || schema["type"] == "object";
    match text(&node.value["in"]) {
        "path" => {
            if node.value["required"] != true {
                report.add(
                    &place.at("required"),
                    "an optional one makes progenitor panic; write `required: true`",
                );
            }
            if node.value["schema"].get("$ref").is_none() || schema.get("x-rust").is_none() {
                report.add(
                    &place.at("schema"),
                    "free text such as `..` would change the path; write a $ref to a component with `x-rust`",
                );
            }
        }
        "header" if many => report.add(
            &place.at("schema"),
            "a header is one text, and for a list progenitor writes code that does not compile; write a \
             single value",
        ),
        "query" if schema["type"] == "object" && schema.get("x-rust").is_none() => report.add(
            &place.at("schema"),
            "its members would be sent without its name; write one parameter for each member",
        ),
        "query" | "header" => {}
        _ => report.add(&place.at("in"), "progenitor refuses it; write query, path or header"),
    }
    if node.value["required"] == true
        && !schema.is_null()
        && node.value.get("example").or(schema.get("example")).or(schema.get("enum")).is_none()
    {
        report.add(&place.at("example"), "readers and tools need a value to try; write one as text");
    }
    if let Some(secret) = node.value.get("x-secret")
        && (!secret.is_boolean() || node.value["in"] != "query")
    {
        report.add(&place.at("x-secret"), "it hides a value in addresses; write true, on a query parameter");
    }
}

/// Path template and path parameters must name each other.
fn template(path: &str, place: &Place, parameters: &[&Value], report: &mut Report) {
    let mut named = Vec::new();
    for segment in path.strip_prefix('/').unwrap_or_default().split('/') {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => named.push(name),
            None if segment.is_empty()
                || segment.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)) =>
            {
                report.add(
                    place,
                    format!(
                        "progenitor misreads the path `{path}`; write '/' before each part, a part being \
                         plain letters or one {{parameter}}"
                    ),
                );
                return;
            }
            None => {}
        }
    }
    let declared: Vec<&str> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "path")
        .map(|parameter| text(&parameter["name"]))
        .collect();
    for name in named.iter().filter(|name| !declared.contains(name)) {
        report.add(
            &place.at("parameters"),
            format!(
                "the path has {{{name}}}, and progenitor panics where it is not declared; write a parameter \
                 `in: path` of that name"
            ),
        );
    }
    for name in declared.iter().filter(|name| !named.contains(name)) {
        report.add(
            &place.at("parameters"),
            format!(
                "`{name}` is not in the path, which makes progenitor panic; write {{{name}}} there, or \
                 `in: query`"
            ),
        );
    }
}
