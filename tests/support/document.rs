//! What the document says of an operation, for tests that call every one.

use sandbox_client::{Operation, mock::document};
use serde_json::Value;

/// What a local reference means.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => resolve(document, document.pointer(&reference[1..]).unwrap()),
        None => value,
    }
}

/// The examples of a response or request body as (name, value).
pub fn examples<'a>(document: &'a Value, holder: &'a Value) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let examples = resolve(document, holder)["content"]["application/json"]["examples"].as_object();
    examples
        .into_iter()
        .flatten()
        .map(|(name, example)| (name.as_str(), &resolve(document, example)["value"]))
}

/// Whether an example of a response shows a failure inside status 200, as the
/// build judged it by the rules of the document.
pub fn is_failure(response: &Value, name: &str) -> bool {
    response["content"]["application/json"]["examples"][name]["x-failure"] == true
}

/// The payload of an answer, where the operation has it.
pub fn payload<'a>(operation: &Operation, answer: &'a Value) -> Option<&'a Value> {
    let at = |path: &[&str]| path.iter().fold(answer, |value, key| &value[*key]);
    let payload = at(operation.payload);
    let level = at(&operation.payload[..operation.payload.len().saturating_sub(1)]);
    // Some answers have no inner level.
    let flat = operation.flat.is_some_and(|member| level.get(member).is_some());
    Some(if flat { level } else { payload }).filter(|payload| !payload.is_null())
}

/// What a round trip may change: null is absent, 10 is 10.0, and what `hidden`
/// says of the name of a member is redacted.
pub fn normal(value: &Value, hidden: &impl Fn(&str) -> bool) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                let value = if hidden(key) { "secret".into() } else { normal(value, hidden) };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| normal(item, hidden)).collect(),
        Value::Number(number) => number.as_f64().unwrap().into(),
        other => other.clone(),
    }
}

/// A request for an operation of the document, made of its own examples.
pub struct Sample {
    pub parameters: Vec<(&'static str, &'static str)>,
    pub body: Option<&'static Value>,
    pub described: &'static Value,
}

impl Sample {
    pub fn of(operation: &'static Operation) -> Self {
        let described = &document()["paths"][operation.path][operation.method.to_lowercase()];
        let required = operation.parameters.iter().filter(|parameter| parameter.required);
        let parameters = required.map(|parameter| {
            let value = parameter.values.first().copied();
            (parameter.name, value.unwrap_or_else(|| value_to_try(described, parameter.name)))
        });
        let body = examples(document(), &described["requestBody"]).next().map(|(_, value)| value);
        Self { parameters: parameters.collect(), body, described }
    }
}

fn value_to_try(operation: &'static Value, name: &str) -> &'static str {
    let mut parameters =
        operation["parameters"].as_array().unwrap().iter().map(|parameter| resolve(document(), parameter));
    let parameter = parameters.find(|parameter| parameter["name"] == *name).unwrap();
    let schema = resolve(document(), &parameter["schema"]);
    parameter["example"].as_str().or(schema["example"].as_str()).expect("the dialect asks for one")
}
