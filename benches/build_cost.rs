//! What a build costs: cold, by TLS provider, and again after an edit of the
//! document, at its present size and at sizes made from it.
//!
//! ```sh
//! cargo bench --bench build_cost
//! ```
//!
//! Each build runs on a copy of this crate with a target folder of its own.
//! Seconds of processor time are those of all the compiler's processes: they
//! hardly depend on what else the machine does, the elapsed ones do.

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

#[allow(dead_code)] // the build uses the rest
#[path = "../build/document.rs"]
mod document;

const FAMILIES: [&str; 2] = ["--features", "full"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    println!("| cold build of a program that uses the crate | elapsed | processor |");
    println!("| --- | ---: | ---: |");
    cold("default features", "sandbox-client = { path = \"..\" }")?;
    cold("with `schemars`", "sandbox-client = { path = \"..\", features = [\"schemars\"] }")?;
    cold(
        "aws-lc in the place of *ring*",
        "sandbox-client = { path = \"..\", default-features = false }\n\
         rustls = { version = \"0.23\", default-features = false, features = [\"aws_lc_rs\", \"std\", \"tls12\"] }",
    )?;
    cold("no TLS provider", "sandbox-client = { path = \"..\", default-features = false }")?;

    println!("\n| build after an operation was added | operations | generated lines | elapsed | processor |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    rebuilt("default features", None, &[])?;
    rebuilt("all families", None, &FAMILIES)?;
    for copies in [3, 11] {
        rebuilt(&format!("{copies} times all families"), Some(copies), &FAMILIES)?;
    }
    Ok(())
}

/// A program with these dependencies, built from nothing.
fn cold(name: &str, dependencies: &str) -> Outcome<()> {
    let folder = copy_of_crate()?;
    let program = folder.path().join("program");
    fs::create_dir_all(program.join("src"))?;
    fs::write(program.join("src/main.rs"), "fn main() { let _ = sandbox_client::Client::from_env(); }")?;
    let manifest = "[package]\nname = \"program\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n";
    fs::write(program.join("Cargo.toml"), format!("{manifest}{dependencies}\n"))?;
    fs::copy(folder.path().join("Cargo.lock"), program.join("Cargo.lock"))?;
    cargo(&program, &["fetch"])?;
    let cost = cargo(&program, &["build"])?;
    println!("| {name} | {:.0} s | {:.0} s |", cost.elapsed.as_secs_f64(), cost.processor);
    Ok(())
}

/// The library, built again after one operation was added to the document.
fn rebuilt(name: &str, copies: Option<usize>, features: &[&str]) -> Outcome<()> {
    let folder = copy_of_crate()?;
    let root = folder.path().join("openapi/sandbox.yaml");
    if let Some(copies) = copies {
        // As it was written: the one that the mock server has is expanded, and no longer in the dialect.
        let source =
            document::load(&folder.path().join("openapi"), &|_| true).map_err(|lines| lines.join("\n"))?;
        remove_families(&folder.path().join("openapi"))?;
        let mut document = multiplied(&source.merged, copies);
        write_examples(&mut document, &folder.path().join("openapi"))?;
        // JSON is YAML.
        fs::write(&root, serde_json::to_string(&document)?)?;
    }
    let build = [&["build", "--lib"], features].concat();
    cargo(folder.path(), &build)?;
    add_recipe(&folder.path().join("openapi"))?;
    let text = fs::read_to_string(&root)?;
    let added = text
        .replace("\n  - session/session.yaml\n", "\n  - session/session.yaml\n  - filing/filing.yaml\n")
        .replace("\"x-files\":[]", "\"x-files\":[\"filing/filing.yaml\"]");
    fs::write(&root, added)?;
    let cost = cargo(folder.path(), &build)?;
    let (operations, lines) = generated(folder.path())?;
    println!(
        "| {name} | {operations} | {lines} | {:.1} s | {:.1} s |",
        cost.elapsed.as_secs_f64(),
        cost.processor
    );
    Ok(())
}

/// Writes the files of the operation that the document's own guide adds. There a
/// line that ends in the name of a file stands before its content.
fn add_recipe(document: &Path) -> Outcome<()> {
    fs::create_dir_all(document.join("filing/examples"))?;
    let guide = fs::read_to_string(document.join("README.md"))?;
    for part in guide.split("`filing/").skip(1) {
        let (name, rest) = part.split_once("`:\n\n```").ok_or("no recipe")?;
        let content =
            rest.split_once('\n').and_then(|(_, rest)| rest.split_once("```")).ok_or("an open recipe")?;
        fs::write(document.join("filing").join(name), content.0)?;
    }
    Ok(())
}

/// Removes the folders of the families, whose content the root file has now.
fn remove_families(document: &Path) -> Outcome<()> {
    for entry in fs::read_dir(document)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// Writes the examples of a merged document to the files that the build expects.
fn write_examples(document: &mut Value, folder: &Path) -> Outcome<()> {
    fs::create_dir(folder.join("examples"))?;
    let mut holders = Vec::new();
    let items = document["paths"].as_object().into_iter().flatten();
    for (path, item) in items {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().ok_or("no id")?;
            let place = format!("/paths/{}/{method}", path.replace('/', "~1"));
            holders.push((format!("{place}/requestBody"), format!("{id}.request")));
            holders.push((format!("{place}/responses/200"), id.to_owned()));
        }
    }
    for name in ["ClientError", "ServerError"] {
        holders.push((format!("/components/responses/{name}"), name.to_owned()));
    }
    for (place, stem) in holders {
        let examples = document.pointer_mut(&format!("{place}/content/application~1json/examples"));
        for (name, example) in examples.and_then(Value::as_object_mut).into_iter().flatten() {
            let inferred = if example["x-inferred"] == true { ".inferred" } else { "" };
            let file = format!("examples/{stem}.{name}{inferred}.json");
            let members = example.as_object_mut().ok_or("no example")?;
            fs::write(folder.join(&file), members.remove("value").ok_or("no value")?.to_string())?;
            members.insert("externalValue".to_owned(), json!(file));
        }
    }
    Ok(())
}

/// What the crate is built from, in a folder of its own.
fn copy_of_crate() -> Outcome<TempDir> {
    let folder = tempfile::tempdir()?;
    let copied = Command::new("cp")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-r", "Cargo.toml", "Cargo.lock", "README.md", "build", "build.rs", "openapi", "src"])
        .args(["benches", "examples", "tests"])
        .arg(folder.path())
        .status()?;
    if copied.success() { Ok(folder) } else { Err("the crate could not be copied".into()) }
}

struct Cost {
    elapsed: Duration,
    processor: f64,
}

fn cargo(folder: &Path, arguments: &[&str]) -> Outcome<Cost> {
    let (start, used) = (Instant::now(), children_seconds()?);
    let output = Command::new(env!("CARGO"))
        .current_dir(folder)
        .args(arguments)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("RUSTFLAGS")
        .stdout(Stdio::null())
        .output()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return Err("the build failed".into());
    }
    Ok(Cost { elapsed: start.elapsed(), processor: children_seconds()? - used })
}

/// Processor time of all processes that this one has waited for, from `/proc`.
fn children_seconds() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no name")?.1.split_whitespace().collect();
    let ticks = |at: usize| -> Outcome<f64> { Ok(fields.get(at).ok_or("too short")?.parse()?) };
    // A hundred ticks a second on every Linux that there is.
    Ok((ticks(13)? + ticks(14)?) / 100.0)
}

/// Operations and lines of the newest generated client.
fn generated(folder: &Path) -> Outcome<(usize, usize)> {
    let outputs = fs::read_dir(folder.join("target/debug/build"))?;
    let mut clients: Vec<_> =
        outputs.filter_map(|output| Some(output.ok()?.path().join("out/families.rs"))).collect();
    clients.retain(|client| client.exists());
    let [client] = &clients[..] else { return Err("not one generated client".into()) };
    let text = fs::read_to_string(client)?;
    Ok((text.matches("pub async fn send(").count(), text.lines().count()))
}

/// The document with every operation and every generated type so many times.
fn multiplied(document: &Value, copies: usize) -> Value {
    let mut result = document.clone();
    if let Some(root) = result.as_object_mut() {
        root.insert("x-files".to_owned(), json!([]));
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let own: Vec<&String> =
        schemas.iter().filter(|(_, schema)| schema["x-rust"].is_null()).map(|(name, _)| name).collect();
    for copy in 1..copies {
        for name in own.iter().filter(|name| **name != "ErrorResponse") {
            result["components"]["schemas"][format!("{name}Copy{copy}")] =
                renamed(&schemas[*name], &own, copy);
        }
        for (path, item) in document["paths"].as_object().expect("paths") {
            let methods = item.as_object().expect("methods").iter().map(|(method, operation)| {
                let mut operation = renamed(operation, &own, copy);
                let id = format!("{}_copy{copy}", operation["operationId"].as_str().expect("an id"));
                operation["operationId"] = json!(id);
                let members = operation.as_object_mut().expect("an object");
                members.retain(|key, _| key != "x-grants" && key != "x-revokes");
                (method.clone(), operation)
            });
            result["paths"][format!("/copy{copy}{path}")] = methods.collect::<Map<_, _>>().into();
        }
    }
    result
}

/// The same with references to the types of a copy.
fn renamed(value: &Value, own: &[&String], copy: usize) -> Value {
    const SCHEMAS: &str = "#/components/schemas/";
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("$ref", Some(target))
                    if own.iter().any(|name| {
                        *name != "ErrorResponse" && target.strip_prefix(SCHEMAS) == Some(name.as_str())
                    }) =>
                {
                    (key.clone(), json!(format!("{target}Copy{copy}")))
                }
                _ => (key.clone(), renamed(value, own, copy)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| renamed(item, own, copy)).collect(),
        other => other.clone(),
    }
}
