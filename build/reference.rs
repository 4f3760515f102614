//! Writes the reference: a page for each family of operations, as modules
//! that only the documentation has. Its examples are run with the doctests.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::{
    codes,
    generate::setter,
    operations::{Credential, all, client_method, credential, kind_name, payload_type, resolve, text},
};

/// The source of the modules, one for each tag of the document that has operations.
pub fn pages(document: &Value, codes: &[Value]) -> String {
    let mut families: BTreeMap<&str, Vec<(&str, &str, &Value)>> = BTreeMap::new();
    for (path, method, operation) in all(document) {
        families.entry(text(&operation["tags"][0])).or_default().push((path, method, operation));
    }
    let mut source = String::new();
    for (tag, operations) in families {
        let page = page(document, codes, tag, &operations);
        let _ = writeln!(source, "#[doc = {page:?}]\npub mod {tag} {{}}");
    }
    source
}

fn page(document: &Value, codes: &[Value], tag: &str, operations: &[(&str, &str, &Value)]) -> String {
    let tags = document["tags"].as_array().into_iter().flatten();
    let described = tags.clone().find(|known| known["name"] == tag);
    let mut page = described.map_or("", |tag| text(&tag["description"])).trim().to_owned();
    page.push_str("\n\n| operation | | needs | |\n| --- | --- | --- | --- |\n");
    for (path, method, operation) in operations {
        let id = text(&operation["operationId"]);
        let repeat = if operation["x-idempotent"] == true { "safe to repeat" } else { "sent once" };
        let _ = writeln!(
            page,
            "| [`{id}`](#{id}) | `{} {path}` | {} | {repeat} |",
            method.to_uppercase(),
            needs(operation)
        );
    }
    for (_, _, operation) in operations {
        section(&mut page, document, codes, operation);
    }
    page
}

fn needs(operation: &Value) -> &'static str {
    match credential(operation) {
        Some(Credential::ApiSecret) => "key and secret",
        Some(Credential::PlatformToken) => "platform token",
        Some(Credential::Session("taxpayer_token")) => "taxpayer's session",
        Some(Credential::Session(_)) => "session",
        Some(Credential::ApiKey) | None => "key",
    }
}

fn section(page: &mut String, document: &Value, codes: &[Value], operation: &Value) {
    let id = text(&operation["operationId"]);
    let _ = write!(page, "\n# {id}\n\n**{}.** ", text(&operation["summary"]).trim_end_matches('.'));
    page.push_str(text(&operation["description"]).trim());
    let source = &operation["externalDocs"];
    let family = text(&operation["tags"][0]);
    let handle =
        if credential(operation).and_then(Credential::session).is_some() { "SessionApi" } else { "Api" };
    let _ = writeln!(
        page,
        "\n\nMethod [`{id}`](crate::{family}::{handle}::{id}). Source: [{}]({}).",
        source["description"].as_str().unwrap_or("the provider's page").to_lowercase(),
        text(&source["url"])
    );
    parameters(page, document, operation);
    failures(page, document, codes, operation);
    in_rust(page, document, operation);
    in_a_terminal(page, document, operation);
}

fn parameters_of<'a>(document: &'a Value, operation: &'a Value) -> impl Iterator<Item = &'a Value> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.map(|parameter| resolve(document, parameter))
}

fn parameters(page: &mut String, document: &Value, operation: &Value) {
    let mut rows = parameters_of(document, operation).peekable();
    if rows.peek().is_some() {
        page.push_str("\n| parameter | in | | |\n| --- | --- | --- | --- |\n");
    }
    for parameter in rows {
        let required = if parameter["required"] == true { "required" } else { "" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {required} | {} |",
            text(&parameter["name"]),
            text(&parameter["in"]),
            cell(&parameter["description"])
        );
    }
}

/// Failures that are documented for this operation alone: those inside status 200.
fn failures(page: &mut String, document: &Value, codes: &[Value], operation: &Value) {
    let mut head = "\n| failure | message | means | |\n| --- | --- | --- | --- |\n";
    for example in examples(document, &operation["responses"]["200"]) {
        for (code, message) in told(&example["value"]["data"]) {
            page.push_str(head);
            head = "";
            let row = codes::find(codes, code, operation);
            let message =
                if text(message).is_empty() { row.map_or(message, |row| &row["text"]) } else { message };
            let meaning = row.and_then(|row| row["meaning"].as_str()).map(codes::variant);
            let meaning = meaning
                .map_or(String::new(), |variant| format!("[`{variant}`](crate::CodeMeaning::{variant})"));
            let _ =
                writeln!(page, "| {code} | {} | {meaning} | {} |", cell(message), cell(&example["summary"]));
        }
    }
}

/// The codes of a failure with their messages, in any of its forms.
fn told(data: &Value) -> Vec<(&str, &Value)> {
    if let Some(entries) = data["ErrorDetails"].as_array() {
        return entries.iter().map(|entry| (text(&entry["ErrorCode"]), &entry["ErrorMessage"])).collect();
    }
    let inside = &data["data"]["error"];
    let error = [&data["error"], inside].into_iter().find(|error| error.is_object()).unwrap_or(data);
    let codes = ["error_cd", "error_code", "errorCodes"].iter().map(|key| text(&error[*key]));
    let codes = codes.flat_map(|codes| codes.split(',')).map(str::trim);
    codes.filter(|code| !code.is_empty()).map(|code| (code, &error["message"])).collect()
}

/// A call with the values of the document, against the mock server.
fn in_rust(page: &mut String, document: &Value, operation: &Value) {
    let id = text(&operation["operationId"]);
    let family = text(&operation["tags"][0]);
    let (connect, mut call) = match credential(operation).and_then(Credential::session) {
        Some("taxpayer_token") => {
            ("let session = mock.session()?;".to_owned(), format!("session.{family}().{id}()"))
        }
        Some(scheme) => (
            format!(
                "let client = mock.client()?;\n# let session = client.with_session_token::<sandbox_client::session::kinds::{}>(mock.token({scheme:?}).parse()?);",
                kind_name(scheme)
            ),
            format!("session.{family}().{id}()"),
        ),
        None => {
            let method = client_method(document, family);
            ("let client = mock.client()?;".to_owned(), format!("client.{method}().{id}()"))
        }
    };
    for parameter in parameters_of(document, operation).filter(|parameter| parameter["required"] == true) {
        let (name, value) = (setter(text(&parameter["name"])), value(document, parameter));
        let _ = match text(&resolve(document, &parameter["schema"])["type"]) {
            "array" => write!(call, ".{name}(vec![{value:?}.to_owned()])"),
            "boolean" => write!(call, ".{name}({value})"),
            _ => write!(call, ".{name}({value:?})"),
        };
    }
    let _ = write!(
        page,
        "\n```\n# #[cfg(feature = \"mock\")]\n# #[tokio::main(flavor = \"current_thread\")]\n\
         # async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n\
         # let mock = sandbox_client::mock::MockServer::start().await?;\n# {connect}\n",
    );
    if let Some(body) = body(document, operation) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let of_type = payload_type(document, schema, family);
        let of_type = of_type.replace("crate::", "sandbox_client::");
        let read = format!("serde_json::from_str(r#\"{body:#}\"#)");
        let _ = if has_gstin(body) {
            writeln!(
                page,
                "// The provider's samples have GSTINs that are not valid, so they are not checked here.\n\
                 let body: {of_type} = sandbox_client::values::Gstin::unchecked_within(|| {{\n    {read}\n}})?;"
            )
        } else {
            writeln!(page, "let body: {of_type} = {read}?;")
        };
        call.push_str(".body(body)");
    }
    let _ = writeln!(
        page,
        "let answer = {call}.send().await?;\nprintln!(\"{{:#?}}\", answer.into_inner());\n# Ok(())\n# }}\n\
         # #[cfg(not(feature = \"mock\"))]\n# fn main() {{}}\n```"
    );
}

/// Whether a GSTIN is among the values.
fn has_gstin(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.len() == 15
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && text.bytes().take(2).all(|byte| byte.is_ascii_digit())
        }
        Value::Array(values) => values.iter().any(has_gstin),
        Value::Object(members) => members.values().any(has_gstin),
        _ => false,
    }
}

fn in_a_terminal(page: &mut String, document: &Value, operation: &Value) {
    let mut line = format!("sandbox --mock api {}", text(&operation["operationId"]));
    for parameter in parameters_of(document, operation).filter(|parameter| parameter["required"] == true) {
        let value = value(document, parameter);
        // What is secret is asked for, or read from standard input.
        if parameter["x-secret"] == true {
            line = format!("echo {value} | {line}");
        } else {
            let _ = write!(line, " --param '{}={value}'", text(&parameter["name"]));
        }
    }
    if let Some(body) = body(document, operation) {
        let _ = write!(line, " \\\n  --body '{}'", body.to_string().replace('\'', "'\\''"));
    }
    let _ = writeln!(page, "\n```sh\n{line}\n```");
}

/// A value to try, which the dialect asks for.
fn value<'a>(document: &'a Value, parameter: &'a Value) -> &'a str {
    let schema = resolve(document, &parameter["schema"]);
    text(parameter.get("example").or(schema.get("example")).unwrap_or(&schema["enum"][0]))
}

/// The first example of the body.
fn body<'a>(document: &'a Value, operation: &'a Value) -> Option<&'a Value> {
    Some(&examples(document, &operation["requestBody"]).next()?["value"])
}

fn examples<'a>(document: &'a Value, holder: &'a Value) -> impl Iterator<Item = &'a Value> {
    let examples = holder["content"]["application/json"]["examples"].as_object();
    examples.into_iter().flatten().map(|(_, example)| resolve(document, example))
}

/// Text on one line, as a cell of a table.
fn cell(value: &Value) -> String {
    text(value).trim().replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "\\<")
}
