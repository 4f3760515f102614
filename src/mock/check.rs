//! What is wrong with a request, judged by the document.

use serde_json::Value;

use super::{
    answer::Call,
    document::{Document, Scheme, list, members, text},
    lock,
    tokens::Standing,
};

/// Why a request is refused.
pub(super) struct Refusal {
    /// Name of the documented failure.
    pub(super) error: &'static str,
    /// Status, for a document that has no failure of that name.
    pub(super) status: u16,
    /// Text in place of the documented one.
    pub(super) message: Option<String>,
    /// For the person who debugs; repeats no value of the request.
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(error: &'static str, status: u16, reason: impl Into<String>) -> Self {
        Self { error, status, message: None, reason: reason.into() }
    }

    fn missing(name: &str) -> Self {
        Self::new("missing_parameter", 400, format!("{name} is missing"))
    }

    /// There is one documented failure of this kind, and it names a GSTIN.
    fn invalid(name: &str, reason: impl Into<String>) -> Self {
        Self { message: Some(format!("Invalid {name}")), ..Self::new("invalid_gstin", 422, reason) }
    }
}

pub(super) fn all(call: &Call) -> Result<(), Refusal> {
    credentials(call)?;
    parameters(call)?;
    body(call)
}

/// Key and secret first: without them the provider does not look at a token.
fn credentials(call: &Call) -> Result<(), Refusal> {
    let settings = &call.state.settings;
    for (scheme, header) in &call.operation.security {
        let expected = match scheme {
            Scheme::Key => &settings.key,
            Scheme::Secret => &settings.secret,
            Scheme::Token(_) => continue,
        };
        if call.values("header", header) != [expected.as_str()] {
            return Err(Refusal::new("unauthorized", 401, format!("{header} is not the one of this mock")));
        }
    }
    for (scheme, header) in &call.operation.security {
        let Scheme::Token(token_scheme) = scheme else { continue };
        let (error, reason) = match call.values("header", header).as_slice() {
            [token] => match lock(&call.state.tokens).standing(token, token_scheme) {
                Standing::Valid => continue,
                Standing::Expired => ("access_token_expired", "holds a token that has expired"),
                Standing::Unknown if token.starts_with("Bearer ") => {
                    ("invalid_access_token", "takes the token alone, without Bearer")
                }
                Standing::Unknown => ("invalid_access_token", "holds no token of this mock for this level"),
            },
            _ => ("invalid_access_token", "must be there once"),
        };
        return Err(Refusal::new(error, 403, format!("{header} {reason}")));
    }
    Ok(())
}

fn parameters(call: &Call) -> Result<(), Refusal> {
    let document = &call.state.document;
    for parameter in document.parameters(call.operation) {
        let name = text(&parameter["name"]);
        let values = call.values(&text(&parameter["in"]), &name);
        if parameter["required"] == true && values.is_empty() {
            return Err(Refusal::missing(&name));
        }
        for value in values {
            let schema = document.resolve(&parameter["schema"]);
            // A list is sent as one value after another.
            let schema = if schema["type"] == "array" { document.resolve(&schema["items"]) } else { schema };
            fits(document, schema, &typed(schema, value), &name)?;
        }
    }
    Ok(())
}

fn body(call: &Call) -> Result<(), Refusal> {
    let body = call.state.document.body(call.operation);
    if call.request.body.is_empty() {
        return if body["required"] == true { Err(Refusal::missing("body")) } else { Ok(()) };
    }
    let Some(media) = body["content"].get("application/json") else { return Ok(()) };
    match &call.json {
        Some(json) => fits(&call.state.document, &media["schema"], json, "body"),
        None => Err(Refusal::invalid("body", "the body is not JSON")),
    }
}

/// The text of a parameter as the type that its schema names, where it is one.
fn typed(schema: &Value, value: String) -> Value {
    let parsed = match schema["type"].as_str() {
        Some("boolean") => value.parse().ok().map(Value::Bool),
        Some("integer") => value.parse::<i64>().ok().map(Value::from),
        _ => None,
    };
    parsed.unwrap_or(Value::String(value))
}

/// Types, lengths, values of enumerations and members that must be there, at
/// every depth. What a text says inside is the client's affair.
fn fits(document: &Document, schema: &Value, value: &Value, name: &str) -> Result<(), Refusal> {
    let schema = document.resolve(schema);
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    within_enum(schema, value, name)?;
    of_type(schema, value, name)?;
    for part in list(&schema["allOf"]) {
        fits(document, part, value, name)?;
    }
    if schema["anyOf"].is_array()
        && !list(&schema["anyOf"]).any(|part| fits(document, part, value, name).is_ok())
    {
        return Err(Refusal::invalid(name, format!("{name} has none of its documented forms")));
    }
    for required in list(&schema["required"]).filter_map(Value::as_str) {
        if value.get(required).is_none() {
            return Err(Refusal::missing(required));
        }
    }
    for (member, schema) in members(&schema["properties"]) {
        if let Some(value) = value.get(member) {
            fits(document, schema, value, member)?;
        }
    }
    for item in list(value) {
        fits(document, &schema["items"], item, name)?;
    }
    Ok(())
}

fn of_type(schema: &Value, value: &Value, name: &str) -> Result<(), Refusal> {
    let expected = schema["type"].as_str().unwrap_or_default();
    let fits = match expected {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        // JSON Schema takes `1.0` for an integer too.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => true,
    };
    if !fits {
        return Err(Refusal::invalid(name, format!("{name} must be of the type {expected}")));
    }
    let length = value.as_str().map(|text| text.chars().count() as u64);
    let within = |length: u64| {
        schema["minLength"].as_u64().is_none_or(|least| length >= least)
            && schema["maxLength"].as_u64().is_none_or(|most| length <= most)
    };
    if length.is_none_or(within) {
        Ok(())
    } else {
        Err(Refusal::invalid(name, format!("{name} is too short or too long")))
    }
}

fn within_enum(schema: &Value, value: &Value, name: &str) -> Result<(), Refusal> {
    match schema["enum"].as_array() {
        Some(known) if !known.iter().any(|known| text(known) == text(value)) => {
            let known: Vec<_> = known.iter().map(text).collect();
            Err(Refusal::invalid(name, format!("{name} must be one of: {}", known.join(", "))))
        }
        _ => Ok(()),
    }
}
