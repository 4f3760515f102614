//! `sandbox api`: any operation of the document, by its id.

use std::{fmt::Write as _, path::Path};

use clap::{ArgMatches, Args, FromArgMatches as _};
use sandbox_client::{BoxFuture, Credential, Operation, Parameter, operations};
use serde_json::{Map, Value, json};

use super::{
    arguments::{Format, Select, Shared},
    confirm,
    connection::{Connection, read_line},
    failure::Failure,
    files,
    output::{Sheet, print_json},
    signals,
    table::shown,
};

/// What every operation takes on the command line.
#[derive(Debug, Args)]
struct Call {
    /// A parameter of the operation; repeat the option for each
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    param: Vec<(String, String)>,
    /// The request body: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// Call an operation that changes data without asking, for scripts
    #[arg(long, short)]
    yes: bool,
    /// Show the request without sending it
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Show tokens and signed URLs in the answer instead of hiding them
    #[arg(long)]
    show_secrets: bool,
    #[command(flatten)]
    select: Select,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Adds a subcommand for each operation, its help made of the document.
pub fn operations_into(api: clap::Command) -> clap::Command {
    operations().iter().fold(api, |api, operation| {
        let command = Call::augment_args(clap::Command::new(operation.id));
        api.subcommand(
            command
                .about(operation.summary)
                .long_about(operation.description)
                .after_help(parameters_help(operation)),
        )
    })
}

fn parameters_help(operation: &Operation) -> String {
    let mut text = format!("{} {}\n", operation.method, operation.path);
    if !operation.parameters.is_empty() {
        text.push_str("\nParameters:\n");
    }
    for known in operation.parameters {
        let mut notes = Vec::new();
        if known.required {
            notes.push("required".to_owned());
        }
        if known.secret {
            notes.push("secret: read from standard input, never given as an argument".to_owned());
        }
        if known.list {
            notes.push("may be repeated".to_owned());
        }
        if !known.values.is_empty() {
            notes.push(format!("one of {}", known.values.join(", ")));
        }
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        let _ = writeln!(text, "  {}{notes}\n      {}", known.name, known.description);
    }
    if operation.body {
        text.push_str("\nRequires a body; see --body.\n");
    }
    text
}

pub async fn run(shared: &Shared, matches: &ArgMatches) -> Result<(), Failure> {
    let chosen = matches.subcommand_matches("api").and_then(ArgMatches::subcommand);
    match chosen.and_then(|(id, matches)| Some((Operation::find(id)?, matches))) {
        None => list(shared.format),
        Some((operation, matches)) => {
            let call = Call::from_arg_matches(matches).map_err(Failure::usage)?;
            invoke(shared, operation, call).await
        }
    }
}

/// Without addresses for people, who have them in the help of each.
fn list(format: Format) -> Result<(), Failure> {
    let mut short = Sheet::new(&[("", "Operation"), ("", "Needs"), ("", "Summary")]);
    let mut whole =
        Sheet::new(&[("operation", ""), ("method", ""), ("path", ""), ("credential", ""), ("summary", "")]);
    for operation in operations() {
        let needs = match operation.credential {
            Credential::ApiSecret => "key and secret",
            Credential::PlatformToken => "platform token",
            Credential::Session("taxpayer_token") => "taxpayer's session",
            Credential::Session(_) => "session",
            _ => "key",
        };
        short.row([operation.id, needs, operation.summary].map(Value::from).to_vec());
        let cells = [operation.id, operation.method, operation.path, needs, operation.summary];
        whole.row(cells.map(Value::from).to_vec());
    }
    let sheet = if format == Format::Table { short } else { whole };
    Ok(sheet.print(format)?)
}

async fn invoke(shared: &Shared, operation: &Operation, call: Call) -> Result<(), Failure> {
    if shared.format == Format::Csv {
        return Err(Failure::usage(
            "CSV needs fixed columns, which this answer does not have; use --format json",
        ));
    }
    let asks = changes_something(operation) && !call.yes && !call.dry_run;
    if asks {
        confirm::refuse_without_a_terminal()?;
    }
    let secrets: Vec<&Parameter> = operation.parameters.iter().filter(|known| known.secret).collect();
    for known in &secrets {
        if call.param.iter().any(|(name, _)| name == known.name) {
            return Err(Failure::usage(format!("`{}` is a secret and cannot be an argument", known.name))
                .hint("Leave it out; it is read from standard input."));
        }
        if call.body.as_deref() == Some("-") {
            return Err(Failure::usage(format!(
                "standard input is for `{}`; give the body as @file",
                known.name
            )));
        }
    }
    let body = call.body.as_deref().map(body).transpose()?;
    if call.dry_run {
        return dry_run(operation, &call.param, body);
    }
    let mut parameters = call.param;
    for known in secrets {
        eprintln!("{}: ", known.name);
        parameters.push((known.name.to_owned(), read_line()?));
    }

    let connection = Connection::open(shared).await?;
    let pairs: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    let (id, body) = (operation.id, body.as_ref());
    if asks {
        confirm::ask(&format!("Call {id}? This may be irreversible."))?;
    }
    let answer: BoxFuture<'_, _> = match operation.credential {
        Credential::Session("taxpayer_token") => {
            let session = connection.session(&call.select).await?;
            Box::pin(async move { session.call(id, &pairs, body).await })
        }
        Credential::Session(kind) => {
            let token = connection.token(kind)?;
            Box::pin(async { connection.client.call_with_token(token, id, &pairs, body).await })
        }
        _ => Box::pin(async { connection.client.call(id, &pairs, body).await }),
    };
    let answer = if operation.idempotent {
        answer.await?
    } else {
        signals::sending(answer, "Check whether the operation took effect before you send it again.")
            .await??
    };
    let mut answer = answer.into_inner();
    if !call.show_secrets {
        hide_tokens(&mut answer);
    }
    Ok(print_json(&answer)?)
}

/// Whether a call changes what GSTN has. Opening and ending sessions is no such change.
fn changes_something(operation: &Operation) -> bool {
    !operation.idempotent && operation.family != "session"
}

fn dry_run(operation: &Operation, given: &[(String, String)], body: Option<Value>) -> Result<(), Failure> {
    for (name, _) in given {
        if !operation.parameters.iter().any(|known| known.name == name) {
            let known: Vec<&str> = operation.parameters.iter().map(|known| known.name).collect();
            return Err(Failure::usage(format!("{} has no parameter `{}`", operation.id, shown(name)))
                .hint(format!("Its parameters: {}", known.join(", "))));
        }
    }
    let lacks = |known: &&Parameter| {
        known.required && !known.secret && given.iter().all(|(name, _)| name != known.name)
    };
    if let Some(missing) = operation.parameters.iter().find(lacks) {
        return Err(Failure::usage(format!("{}: `{}` is missing", operation.id, missing.name)));
    }
    if operation.body && body.is_none() {
        return Err(Failure::usage(format!("{}: `body` is missing", operation.id)));
    }
    let parameters: Map<String, Value> =
        given.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    print_json(&json!({
        "operation": operation.id,
        "method": operation.method,
        "path": operation.path,
        "parameters": parameters,
        "body": body,
    }))?;
    eprintln!("Nothing was sent.");
    Ok(())
}

fn body(given: &str) -> Result<Value, Failure> {
    let text = match given.strip_prefix('@') {
        Some(file) => files::input_text(Path::new(file))?,
        None if given == "-" => files::input_text(Path::new(given))?,
        None => given.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("the body is not JSON (line {}, column {})", error.line(), error.column()))
    })
}

/// Whether this is a URL that needs no more than itself to be used.
fn is_signed_url(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("http") && text.contains("X-Amz-Signature="))
}

/// Tokens open a taxpayer's account, and terminals keep what they have shown.
fn hide_tokens(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_tokens),
        Value::Object(members) => {
            for (name, member) in members {
                if (name == "access_token" || is_signed_url(member)) && member.is_string() {
                    *member = "[hidden, see --show-secrets]".into();
                } else {
                    hide_tokens(member);
                }
            }
        }
        _ => {}
    }
}
