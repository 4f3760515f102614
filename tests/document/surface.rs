//! The operation table as a reviewer reads it in a diff, and against the
//! recorded table of all operations that the provider documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use sandbox_client::{Credential, Location, Operation, mock::document, operations};
use serde_json::Value;

use crate::samples::examples;

/// All operations that the provider documents, by id: what `.ci/operations --record` writes.
fn documented() -> BTreeMap<String, Value> {
    let table: Vec<Value> = serde_json::from_str(include_str!("../surface/operations.json")).unwrap();
    table.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect()
}

#[test]
fn the_operation_table_is_as_recorded() {
    let mut table = String::new();
    for operation in operations() {
        let repeat = if operation.idempotent { "repeatable" } else { "once" };
        let credential = match operation.credential {
            Credential::Session(kind) => format!("Session({kind})"),
            other => format!("{other:?}"),
        };
        let line = format!(
            "{:<32} {:<14} {credential:<23} {repeat:<10} {:<4} {:<73} /{}",
            operation.id,
            operation.family,
            operation.method,
            operation.path,
            operation.payload.join("/")
        );
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    let recorded = include_str!("../surface/operations.txt").replace("\r\n", "\n");
    assert!(
        table == recorded,
        "the operation table has changed; if that is meant, write this to tests/surface/operations.txt:\n{table}"
    );
}

// --- what the provider documents ----------------------------------------------

/// Headers that the pipeline sets; the table leaves them out.
const HIDDEN: [&str; 4] = ["authorization", "x-api-key", "x-api-secret", "x-api-version"];

/// `query section` and the like, each with `required` or `optional`, and
/// `secret` where it is one.
fn parameters(operation: &Operation) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for parameter in operation.parameters {
        let (place, name) = match parameter.location {
            Location::Path => ("path", parameter.name.to_owned()),
            Location::Query => ("query", parameter.name.to_owned()),
            Location::Header => ("header", parameter.name.to_lowercase()),
            _ => unreachable!("no other place"),
        };
        if !HIDDEN.contains(&name.as_str()) {
            let required = if parameter.required { "required" } else { "optional" };
            let secret = if parameter.secret { " secret" } else { "" };
            parameters.insert(format!("{place} {name}"), format!("{required}{secret}"));
        }
    }
    parameters
}

/// What differs from the row of the table, a line each.
fn differences(operation: &Operation, row: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut differs = |what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            lines.push(format!("{}: {what}: {ours}, table: {theirs}", operation.id));
        }
    };
    differs("family", operation.family, row["family"].as_str().unwrap());
    differs("method", operation.method, row["method"].as_str().unwrap());
    differs("path", operation.path, row["path"].as_str().unwrap());
    let repeatable = |is: bool| if is { "repeatable" } else { "once" };
    differs("repeat", repeatable(operation.idempotent), repeatable(row["repeatable"].as_bool().unwrap()));

    let token = match operation.credential {
        Credential::ApiKey => "none",
        Credential::ApiSecret => "api_secret",
        Credential::PlatformToken => "platform",
        Credential::Session("taxpayer_token") => "taxpayer",
        Credential::Session("e_invoice_token" | "e_way_bill_token") => "e_invoice_session",
        Credential::Session(kind) => kind,
        _ => unreachable!("no other credential"),
    };
    if !row["token_alternatives"].as_array().is_some_and(|tokens| tokens.iter().any(|one| one == token)) {
        differs("token", token, row["token"].as_str().unwrap());
    }
    // A body that may be left out is sent or not, as the document likes.
    if row["body"] != "optional" {
        let body = if operation.body { "required" } else { "none" };
        differs("body", body, row["body"].as_str().unwrap());
    }

    let ours = parameters(operation);
    let theirs = row["parameters"].as_object().unwrap();
    for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let mine = ours.get(name).map_or("missing", String::as_str);
        let wanted = theirs.get(name).map_or("unknown", |need| need.as_str().unwrap());
        // Taken by a guide, listed on no page: it may be left out.
        match wanted.strip_suffix(" inferred") {
            Some(_) if mine == "missing" => {}
            Some(wanted) => differs(name, mine, wanted),
            None => differs(name, mine, wanted),
        }
    }
    lines
}

#[test]
fn every_operation_is_as_the_provider_documents_it() {
    let table = documented();
    assert!(table.len() >= 176, "the table has lost operations");
    let mut lines = Vec::new();
    for operation in operations() {
        match table.get(operation.id) {
            Some(row) => lines.extend(differences(operation, row)),
            None => lines.push(format!("{}: not in the table", operation.id)),
        }
    }
    assert!(
        lines.is_empty(),
        "the document differs from tests/surface/operations.json:\n{}",
        lines.join("\n")
    );
}

#[test]
fn a_difference_is_found() {
    let table = documented();
    let operation = Operation::find("list_sales_invoices").unwrap();
    let row = &table[operation.id];
    assert_eq!(differences(operation, row), [""; 0]);

    let mut changed = row.clone();
    changed["method"] = "POST".into();
    changed["token"] = "platform".into();
    changed["repeatable"] = false.into();
    changed["body"] = "required".into();
    changed["parameters"] = serde_json::json!({
        "path year": "required", "path month": "required", "query section": "optional",
        "query more": "required", "header x-source": "optional inferred"
    });
    assert_eq!(
        differences(operation, &changed),
        [
            "list_sales_invoices: method: GET, table: POST",
            "list_sales_invoices: repeat: repeatable, table: once",
            "list_sales_invoices: token: taxpayer, table: platform",
            "list_sales_invoices: body: none, table: required",
            "list_sales_invoices: query more: missing, table: required",
            "list_sales_invoices: query return_type: required, table: unknown",
            "list_sales_invoices: query section: required, table: optional",
        ]
    );
}

#[test]
fn a_success_has_its_payload_where_the_provider_documents_it() {
    let table = documented();
    let document = document();
    for operation in operations() {
        let answer = &document["paths"][operation.path][operation.method.to_lowercase()]["responses"]["200"];
        let payload_at = table[operation.id]["payload_at"].as_str().unwrap();
        // The payload of the document holds it, or is it.
        let ours: String = operation.payload.iter().map(|key| format!("/{key}")).collect();
        assert!(payload_at.starts_with(&ours), "{}: x-payload {ours}, table: {payload_at}", operation.id);
        let shown = examples(document, answer).any(|(_, value)| value.pointer(payload_at).is_some());
        assert!(shown, "{}: no example has anything at {payload_at}", operation.id);
    }
}
