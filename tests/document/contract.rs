//! The document against itself: every example of every operation, of whatever
//! family, without a line of code for any of them.

use std::collections::HashMap;

use sandbox_client::{
    Credential, ErrorKind, Operation, RetryPolicy,
    mock::{MockServer, document, round_trip},
    operations,
};
use serde_json::{Map, Value, json};

use crate::samples::{Sample, examples, is_failure, normal, payload, resolve};

/// Every operation of a document as (id, operation).
fn described(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
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

/// Members whose text a round trip redacts.
pub fn is_secret(name: &str) -> bool {
    name == "access_token" || name.ends_with("_url")
}

/// Everything that is wrong with the examples of a document.
fn contradictions(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut checked = 0;
    let mut validators = HashMap::new();
    for (id, operation) in described(document) {
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
                if part == "200" && !is_failure(holder, name) {
                    let operation = Operation::find(id).expect("of the document");
                    let answer = serde_json::to_vec(value).unwrap();
                    match (round_trip(id, &answer).expect("the operation exists"), payload(operation, value))
                    {
                        (_, None) => found.push(format!("{place}: no payload")),
                        (Ok(read), Some(payload))
                            if normal(&read, &is_secret) == normal(payload, &is_secret) => {}
                        (Ok(read), _) => found.push(format!("{place}: read back as {read}")),
                        (Err(error), _) => found.push(format!("{place}: cannot be read: {error}")),
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
    const VERIFY: &str = "/paths/~1gst~1compliance~1tax-payer~1otp~1verify/post";
    for (operation, example, change, wrong, expected) in [
        (COUNT, "others", "/data/status_cd", json!({}), "status_cd"),
        (COUNT, "others", "/data/data/all_oth/b2b/accept", json!(-1), "/data/data/all_oth/b2b/accept: "),
        (COUNT, "others", "/transaction_id", json!(7), "transaction_id"),
        (COUNT, "others", "/data/data/all_oth/b2b", json!({"accept": 1, "surprise": 1}), "read back as"),
        (COUNT, "others", "/data", json!({"status_cd": "1"}), "no payload"),
        // Where a failure may stand in the place of the payload.
        (VERIFY, "ok", "/data/token_expiry", json!([]), "anyOf"),
    ] {
        let mut broken = document().clone();
        let place =
            format!("{operation}/responses/200/content/application~1json/examples/{example}/value{change}");
        *broken.pointer_mut(&place).unwrap() = wrong;
        let found = contradictions(&broken);
        let named = format!(", 200, example {example}: ");
        assert!(
            found.iter().any(|line| line.contains(&named) && line.contains(expected)),
            "{place}: {found:?}"
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

/// Through the client: an example is either the payload or an error, and which
/// of the two it is can be told from the document.
#[tokio::test]
async fn the_client_tells_success_from_failure_in_every_example() {
    let mock = MockServer::start().await.unwrap();
    // A failure that passes would be asked for again, and answered otherwise.
    let client = mock.client_builder().retry(RetryPolicy::none()).build().unwrap();
    let mut failures = 0;
    for operation in operations() {
        let Sample { parameters, body, described } = Sample::of(operation);
        let response = &described["responses"]["200"];
        for (name, value) in examples(document(), response) {
            // Panics for a name that the server does not know.
            mock.on(operation.id).times(1).example(name);
            let place = format!("{}, example {name}", operation.id);
            let token = match operation.credential {
                Credential::Session(kind) => mock.token(kind),
                _ => "unused".to_owned(),
            };
            match client.call_with_token(token.parse().unwrap(), operation.id, &parameters, body).await {
                Ok(answer) => {
                    assert!(!is_failure(response, name), "{place}: taken for a success: {:?}", *answer);
                }
                Err(error) => {
                    failures += 1;
                    assert!(is_failure(response, name), "{place}: {error}");
                    let refused = matches!(
                        error.kind(),
                        ErrorKind::Business | ErrorKind::SessionExpired | ErrorKind::Auth
                    );
                    assert!(refused && error.status() == Some(200), "{place}: {error}");
                    let code = error.error_code().unwrap_or_default();
                    assert!(value["data"].to_string().contains(&format!("\"{code}")), "{place}: {error}");
                }
            }
        }
    }
    assert!(failures > 15, "{failures} failures were seen");
}
