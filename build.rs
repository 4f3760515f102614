//! Generates the client from the OpenAPI document in `openapi/`.
//!
//! Reads and merges the files, checks the dialect (`openapi/README.md`), and
//! writes to `OUT_DIR`: the client, the operation table, the reference pages, the
//! merged document.
//! It starts no process and reads nothing else.

use std::{env, fs, path::Path, process::exit};

#[path = "build/codes.rs"]
mod codes;
#[path = "build/dialect.rs"]
mod dialect;
#[path = "build/document.rs"]
mod document;
#[path = "build/envelope.rs"]
mod envelope;
#[path = "build/generate.rs"]
mod generate;
#[path = "build/operations.rs"]
mod operations;
#[path = "build/reference.rs"]
mod reference;

fn main() {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("openapi");
    let out = env::var_os("OUT_DIR").expect("set by cargo");
    let out = Path::new(&out);

    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    // The folder tells of a file that comes, each file of one that goes: a copy
    // of the crate with more files may share the target folder, as in .ci/recipe.
    println!("cargo::rerun-if-changed=openapi");
    let files = document::files_below(&root, &["yaml", "json"]).unwrap_or_else(|error| fail(&[error]));
    for file in files {
        println!("cargo::rerun-if-changed=openapi/{file}");
    }

    let enabled = |feature: &str| {
        let name = feature.to_uppercase().replace('-', "_");
        env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
    };
    let document = document::load(&root, &enabled).unwrap_or_else(|violations| fail(&violations));

    let violations = dialect::check(&document);
    if !violations.is_empty() {
        fail(&violations);
    }

    let codes = codes::load(&root).unwrap_or_else(|violations| fail(&violations));

    let marked = operations::with_families(&document);
    let families = generate::families(&marked).unwrap_or_else(|error| fail(&[error]));
    write(&out.join("families.rs"), &families);
    write(&out.join("session_kinds.rs"), &operations::session_kinds(&document.merged));
    write(&out.join("operations.rs"), &operations::table(&document.merged));
    write(&out.join("codes.rs"), &codes::table(&codes));
    write(&out.join("round_trip.rs"), &operations::round_trip(&marked));
    write(&out.join("reference.rs"), &reference::pages(&marked, &codes));
    write(&out.join("document.json"), &envelope::expanded(&document.merged).to_string());
}

fn write(path: &Path, content: &str) {
    if let Err(error) = fs::write(path, content) {
        fail(&[format!("cannot write {}: {error}", path.display())]);
    }
}

/// Ends the build with messages that a person can act on, without a backtrace.
fn fail<M: std::fmt::Display>(messages: &[M]) -> ! {
    for message in messages {
        eprintln!("openapi: {message}");
    }
    exit(1)
}
