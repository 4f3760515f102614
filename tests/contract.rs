//! The document against itself: every example of every operation, of whatever
//! family, without a line of code for any of them.

#[path = "support/document.rs"]
#[allow(dead_code)] // samples are for tests that call
mod support;

use std::collections::HashMap;

use sandbox_client::mock::{MockServer, document, round_trip};
use serde_json::{Map, Value, json};
use support::{examples, resolve};

/// Every operation as (id, operation).
fn operations(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let items = document["paths"].as_object().unwrap().values();
    items
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| (operation["operationId"].as_str().unwrap(), operation))
}

fn schema<'a>(document: &'a Value, holder: &'a Value) -> &'a Value {
    &resolve(document, holder)["content"]["application/json"]["schema"]
}

/// A schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a type.
fn json_schema(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Map<_, _> =
                members.iter().map(|(key, value)| (key.clone(), json_schema(value))).collect();
            if members.remove("nullable") == Some(json!(true))
                && let Some(kind) = members.get_mut("type")
            {
                *kind = json!([*kind, "null"]);
            }
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(json_schema).collect(),
        other => other.clone(),
    }
}

/// Adds the components that `value` refers to, and those that they refer to.
fn reachable(document: &Value, value: &Value, found: &mut Map<String, Value>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = value["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/schemas/"))
                && !found.contains_key(name)
            {
                let component = &document["components"]["schemas"][name];
                found.insert(name.to_owned(), json_schema(component));
                reachable(document, component, found);
            }
            members.values().for_each(|member| reachable(document, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reachable(document, item, found)),
        _ => {}
    }
}

/// What checks values against a schema.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut components = Map::new();
    reachable(document, schema, &mut components);
    let root = json!({"$ref": schema["$ref"], "components": {"schemas": components}});
    jsonschema::draft7::new(&root).unwrap()
}

/// What a round trip may change: null is absent, tokens are redacted, and
/// 10 is 10.0.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                let value = if key == "access_token" { json!("token") } else { normal(value) };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Number(number) => json!(number.as_f64().unwrap()),
        other => other.clone(),
    }
}

/// Everything that is wrong with the examples of a document.
fn contradictions(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut checked = 0;
    let mut validators = HashMap::new();
    for (id, operation) in operations(document) {
        let holders = operation["responses"].as_object().unwrap().iter();
        let holders = holders.map(|(status, response)| (status.as_str(), response));
        for (part, holder) in holders.chain([("request", &operation["requestBody"])]) {
            if examples(document, holder).next().is_none() {
                continue;
            }
            let schema = schema(document, holder);
            let validator = validators
                .entry(schema["$ref"].as_str().unwrap())
                .or_insert_with(|| validator(document, schema));
            for (name, value) in examples(document, holder) {
                checked += 1;
                let place = format!("{id}, {part}, example {name}");
                let errors = validator.iter_errors(value);
                found.extend(errors.map(|error| format!("{place}: {}: {error}", error.instance_path())));
                if part == "200" {
                    match round_trip(id, value.clone()).expect("the operation exists") {
                        Ok(read) if normal(&read) == normal(value) => {}
                        Ok(read) => found.push(format!("{place}: read back as {read}")),
                        Err(error) => found.push(format!("{place}: cannot be read: {error}")),
                    }
                }
            }
        }
    }
    assert!(checked > 40, "{checked} examples were found");
    found
}

#[test]
fn every_example_fits_its_schema_and_its_type() {
    let found = contradictions(document());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_wrong_example_is_found() {
    const COUNT: &str = "/paths/~1gst~1compliance~1tax-payer~1invoices~1count/get";
    for (change, wrong, expected) in [
        ("/value/data/status_cd", json!({}), "status_cd"),
        ("/value/data/data/all_oth/b2b/accept", json!(-1), "accept"),
        ("/value/transaction_id", json!(7), "transaction_id"),
        ("/value/data", json!({"status_cd": "1", "surprise": 1}), "read back as"),
    ] {
        let mut broken = document().clone();
        let place = format!("{COUNT}/responses/200/content/application~1json/examples/others{change}");
        *broken.pointer_mut(&place).unwrap() = wrong;
        let found = contradictions(&broken);
        assert!(
            found.iter().any(
                |line| line.contains("get_invoice_count, 200, example others") && line.contains(expected)
            ),
            "{found:?}"
        );
    }
}

#[test]
fn a_wrong_schema_is_found() {
    let mut broken = document().clone();
    *broken.pointer_mut("/components/schemas/ErrorResponse/properties/message/type").unwrap() =
        json!("integer");
    assert!(contradictions(&broken).iter().any(|line| line.contains("4XX, example unauthorized")));
}

/// The documented headers of an answer, and a body that is no secret.
#[tokio::test]
async fn every_operation_is_served_by_the_mock() {
    let mock = MockServer::start().await.unwrap();
    for (id, operation) in operations(document()) {
        for (name, _) in examples(document(), &operation["responses"]["200"]) {
            // Panics for a name that the server does not know.
            mock.on(id).example(name);
        }
        assert_eq!(mock.hits(id), 0);
    }
}
