//! Puts the envelope back around the payloads, for readers of the document
//! that know plain OpenAPI: the mock server, linters and contract tests.

use serde_json::{Value, json};

use crate::operations::{all, kind_name, payload_path, text};

/// The document with whole answers in place of payloads, and without `x-payload`.
pub fn expanded(document: &Value) -> Value {
    let mut expanded = document.clone();
    for (path, method, operation) in all(document) {
        let payload = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let mut schema = answer(payload, &payload_path(operation));
        schema["description"] = operation["responses"]["200"]["description"].clone();
        let name = format!("{}Answer", kind_name(text(&operation["operationId"])));
        let response = &mut expanded["paths"][path][method]["responses"]["200"];
        response.as_object_mut().expect("checked by the dialect").remove("x-payload");
        response["content"]["application/json"]["schema"] =
            json!({"$ref": format!("#/components/schemas/{name}")});
        expanded["components"]["schemas"][name] = schema;
    }
    expanded
}

/// The schema of a whole answer.
fn answer(payload: &Value, path: &[&str]) -> Value {
    let Some((first, inner)) = path.split_first() else {
        return json!({"allOf": [payload]});
    };
    let mut schema = json!({
        "type": "object",
        "properties": {
            "code": {"type": "integer", "nullable": true, "description": "The HTTP status once more."},
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
