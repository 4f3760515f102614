//! Puts the envelope back around the payloads, for readers of the document
//! that know plain OpenAPI: the mock server, linters and contract tests.

use serde_json::{Value, json};

use crate::operations::{all, failed_status, kind_name, payload_path, resolve, success_values, text};

/// The document with whole answers in place of payloads, and without `x-payload`.
pub fn expanded(document: &Value) -> Value {
    let mut expanded = document.clone();
    for (path, method, operation) in all(document) {
        let payload = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let path_to_payload = payload_path(operation);
        let examples = operation["responses"]["200"]["content"]["application/json"]["examples"].as_object();
        // Some failures have null in the place of the payload.
        let null = examples.into_iter().flatten().any(|(_, example)| {
            let value = &resolve(document, example)["value"];
            path_to_payload.len() > 1
                && value.pointer(&format!("/{}", path_to_payload.join("/"))) == Some(&Value::Null)
        });
        let payload = &if null {
            json!({"anyOf": [payload, {"type": "object", "enum": [null], "nullable": true}]})
        } else {
            payload.clone()
        };
        let mut schema = answer(payload, &path_to_payload);
        schema["description"] = operation["responses"]["200"]["description"].clone();
        let name = format!("{}Answer", kind_name(text(&operation["operationId"])));
        let response = &mut expanded["paths"][path][method]["responses"]["200"];
        let members = response.as_object_mut().expect("checked by the dialect");
        members.retain(|key, _| {
            !["x-payload", "x-flat", "x-success", "x-failed-status"].contains(&key.as_str())
        });
        // Judged once, for the mock server and the tests.
        for (name, example) in examples.into_iter().flatten() {
            let mut example = resolve(document, example).clone();
            if is_failure(operation, &example["value"]) {
                example["x-failure"] = true.into();
            }
            response["content"]["application/json"]["examples"][name] = example;
        }
        response["content"]["application/json"]["schema"] =
            json!({"$ref": format!("#/components/schemas/{name}")});
        expanded["components"]["schemas"][name] = schema;
    }
    expanded
}

/// Whether an answer with status 200 shows a failure, by the rules of
/// `openapi/README.md`.
pub fn is_failure(operation: &Value, body: &Value) -> bool {
    let payload = payload_path(operation).len();
    let mut level = Some(body);
    let mut depth = 0;
    while let Some(here) = level {
        let judged = depth < 2 || depth < payload || payload == 1 && depth == 2;
        if judged && fails(operation, here, depth, payload) {
            return true;
        }
        level = ["data", "Data"].iter().find_map(|key| here.get(key));
        depth += 1;
    }
    false
}

fn fails(operation: &Value, level: &Value, depth: usize, payload: usize) -> bool {
    let plain = |value: &Value| value.as_str().map_or(value.to_string(), |text| text.trim().to_owned());
    let told = |value: &Value| !["null", "", "[]", "{}"].contains(&plain(value).as_str());
    let zero = |value: &Value| {
        plain(value).parse::<f64>().is_ok_and(|number| number == 0.0)
            || plain(value).eq_ignore_ascii_case("false")
    };
    let statuses = ["status_cd", "Status", "status"].map(|key| &level[key]);
    let status_cd = &level["status_cd"];
    let unknown =
        depth < 2 && told(status_cd) && !success_values(operation).contains(&plain(status_cd).as_str());
    let error = ["error", "ErrorDetails"].iter().any(|key| match &level[*key] {
        Value::Object(members) => members.values().any(told),
        other => told(other),
    });
    let code = ["error_cd", "error_code", "errorCodes"].iter().any(|key| told(&level[*key]));
    let silent = statuses.iter().all(|status| status.is_null());
    let queued = depth > 0 && told(&level["token"]) && told(&level["est"]);
    statuses.iter().any(|status| zero(status))
        || zero(&level["success"])
        || unknown
        || error
        || code && (depth < payload || silent)
        || queued
        || depth == 1 && failed_status(operation).contains(&text(&level["status"]))
}

/// The schema of a whole answer.
fn answer(payload: &Value, path: &[&str]) -> Value {
    let Some((first, inner)) = path.split_first() else {
        return json!({"allOf": [payload]});
    };
    let mut schema = json!({
        "type": "object",
        "properties": {
            "code": {"type": "integer", "nullable": true, "description": "The HTTP status again."},
            "timestamp": {"$ref": "#/components/schemas/Timestamp"},
            "transaction_id": {
                "type": "string",
                "nullable": true,
                "description": "Quote it to the provider's support. Not always a UUID.",
            },
        },
    });
    schema["properties"][first] = if inner.is_empty() { or_failure(payload) } else { level(payload, inner) };
    schema
}

/// The payload, or the failure that stands in its place.
fn or_failure(payload: &Value) -> Value {
    let error = json!({"$ref": "#/components/schemas/BusinessError"});
    json!({"anyOf": [
        payload,
        {
            "type": "object",
            "required": ["status_cd"],
            "properties": {"status_cd": {"enum": ["0", 0]}, "error": error},
        },
        {"type": "object", "required": ["error_code"], "properties": {"error_code": {"type": "string"}}},
        {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["0", 0]}, "error": error}},
        {"type": "object", "required": ["Status"], "properties": {"Status": {"enum": ["0", 0]}}},
    ]})
}

/// The schema of one level below the top: the payload, or what is around it,
/// which in a failure has no payload.
fn level(payload: &Value, path: &[&str]) -> Value {
    let Some((key, inner)) = path.split_first() else { return payload.clone() };
    let status = json!({"$ref": "#/components/schemas/StatusCd"});
    let error = json!({"$ref": "#/components/schemas/BusinessError"});
    json!({
        "type": "object",
        "properties": {"status_cd": status, "error": error, *key: level(payload, inner)},
    })
}
