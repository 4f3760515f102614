//! The table of codes: its rules, and that it speaks of operations that exist.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use crate::{
    codes::{self, check},
    document,
};

fn real() -> Value {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi"));
    document::read(folder, document::CODES).unwrap()
}

#[test]
fn each_rule_of_the_table_has_a_message() {
    assert_eq!(check(&real()), Vec::<String>::new());
    let row = json!({"code": "X1", "text": "a text", "source": "document"});
    let with = |changes: &[(&str, Value)]| {
        let mut row = row.clone();
        for (key, value) in changes {
            row[*key] = value.clone();
        }
        row
    };
    let limited = |families: Value| with(&[("families", families)]);
    for (rows, message) in [
        (json!([]), "codes.yaml: `codes` must be a list of codes"),
        (json!([with(&[("code", json!(325))])]), "codes.yaml: : `code` must be text; put numbers in quotes"),
        (
            json!([with(&[("code", json!(" X1"))])]),
            "codes.yaml:  X1: `code` must be text; put numbers in quotes",
        ),
        (
            json!([with(&[("meanning", json!("busy"))])]),
            "codes.yaml: X1: `meanning` is no key; write code, meaning, text, families, operations, source, inferred, note",
        ),
        (
            json!([with(&[("meaning", json!("over"))])]),
            "codes.yaml: X1: `meaning` must be session_over, login_refused, no_records, not_ready, temporary, busy, duplicate",
        ),
        (
            json!([with(&[("text", json!(" "))])]),
            "codes.yaml: X1: `text` must say what the code means, in a few words",
        ),
        (json!([with(&[("source", json!("hearsay"))])]), "codes.yaml: X1: `source` must be one of `sources`"),
        (
            json!([with(&[("inferred", json!(false))])]),
            "codes.yaml: X1: `inferred` marks what no source states of this API; write true or leave it out",
        ),
        (
            json!([row, limited(json!(["ims"]))]),
            "codes.yaml: X1: another row has it for the same operations; a code has one meaning",
        ),
        (
            json!([limited(json!(["ims", "gstr_1"])), limited(json!(["ims"]))]),
            "codes.yaml: X1: another row has it for the same operations; a code has one meaning",
        ),
    ] {
        let file = json!({"sources": {"document": "https://example.org"}, "codes": rows});
        assert_eq!(check(&file), [message]);
    }
    let apart = json!({
        "sources": {"document": "https://example.org"},
        "codes": [limited(json!(["ims"])), limited(json!(["gstr_1"]))],
    });
    assert_eq!(check(&apart), Vec::<String>::new());
}

/// A family or operation that the provider does not have would never count.
#[test]
fn the_table_names_operations_that_the_provider_has() {
    let documented: Value = serde_json::from_str(include_str!("../surface/operations.json")).unwrap();
    let known: BTreeSet<&str> = documented
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| [row["id"].as_str().unwrap(), row["family"].as_str().unwrap()])
        .collect();
    let table = real();
    for row in table["codes"].as_array().unwrap() {
        for key in ["families", "operations"] {
            for name in row[key].as_array().into_iter().flatten() {
                assert!(known.contains(name.as_str().unwrap()), "{row}");
            }
        }
        // Portals number on their own.
        let digits = row["code"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit());
        assert!(!digits || row["families"].is_array(), "{row}");
    }
}

/// What the build writes is in order, or nothing would be found in it.
#[test]
fn the_table_is_sorted() {
    let rows = codes::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi"))).unwrap();
    let codes: Vec<_> = rows.iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert!(codes.is_sorted());
}
