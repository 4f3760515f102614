//! How many invoices await action: the first thing to run.
//!
//! ```sh
//! cargo run --example invoice_count
//! cargo run --example invoice_count -- --all --format csv
//! ```
//!
//! Without credentials in the environment it asks the built-in mock server.

use std::{env, fmt::Write as _, process::ExitCode};

use sandbox_client::{
    Client,
    ims::types::TypeOfGoods,
    mock::MockServer,
    values::{InvoiceCounts, StatusCounts},
};

const USAGE: &str = "\
Counts the invoices of a taxpayer in the GST Invoice Management System.

Usage: cargo run --example invoice_count -- [OPTIONS]

Options:
  --type-of-goods <TYPE>  others (default), inward_supplies or imports
  --all                   all three types, side by side
  --format <FORMAT>       table (default), json or csv
  --help                  this text

Environment:
  SANDBOX_API_KEY         API key; without it the built-in mock server answers
  SANDBOX_ACCESS_TOKEN    token of the taxpayer's session
  SANDBOX_BASE_URL        another address than the key's environment
";

const ALL: [TypeOfGoods; 3] = [TypeOfGoods::Others, TypeOfGoods::InwardSupplies, TypeOfGoods::Imports];

#[derive(Clone, Copy)]
enum Format {
    Table,
    Json,
    Csv,
}

struct Arguments {
    types: Vec<TypeOfGoods>,
    format: Format,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match parse(env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("error: {problem}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(output) => {
            print!("{output}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    // The mock server must live as long as the client that asks it.
    let (session, _mock) = if env::var_os("SANDBOX_API_KEY").is_some() {
        (Client::from_env()?.taxpayer_session()?, None)
    } else {
        let mock = MockServer::start().await?;
        eprintln!("No SANDBOX_API_KEY is set: these are sample data of the built-in mock server.");
        eprintln!("For your own, set SANDBOX_API_KEY and SANDBOX_ACCESS_TOKEN (a taxpayer's token).\n");
        (mock.session()?, Some(mock))
    };

    let mut answers = Vec::new();
    for goods in &arguments.types {
        answers.push((*goods, session.ims().counts(*goods).await?));
    }
    Ok(match arguments.format {
        Format::Json => json(&answers)?,
        Format::Csv => csv(&answers),
        Format::Table => match answers.as_slice() {
            [(goods, counts)] => one(*goods, counts),
            several => side_by_side(several),
        },
    })
}

/// `None` where only the usage is asked for.
fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut parsed = Arguments { types: vec![TypeOfGoods::Others], format: Format::Table };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--all" => parsed.types = ALL.to_vec(),
            "--type-of-goods" => {
                let value = arguments.next().ok_or("--type-of-goods needs a value")?;
                let goods = value
                    .parse()
                    .map_err(|_| format!("unknown type `{value}`: others, inward_supplies or imports"))?;
                parsed.types = vec![goods];
            }
            "--format" => {
                parsed.format = match arguments.next().as_deref() {
                    Some("table") => Format::Table,
                    Some("json") => Format::Json,
                    Some("csv") => Format::Csv,
                    Some(other) => return Err(format!("unknown format `{other}`: table, json or csv")),
                    None => return Err("--format needs a value".to_owned()),
                }
            }
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    Ok(Some(parsed))
}

fn title(goods: TypeOfGoods) -> &'static str {
    match goods {
        TypeOfGoods::Others => "Others",
        TypeOfGoods::InwardSupplies => "Inward supplies",
        TypeOfGoods::Imports => "Imports",
        _ => "Other goods",
    }
}

/// The table of one type, a bar behind each row, and what it means.
fn one(goods: TypeOfGoods, counts: &InvoiceCounts) -> String {
    let mut text = format!("{}\n\n", title(goods));
    let sums = counts.by_status();
    let bars = counts.sections().map(|(_, counts)| counts).chain([&sums]).map(bar);
    let mut bars = std::iter::once("Acted on".to_owned()).chain(bars);
    for line in counts.to_string().lines() {
        let bar = bars.next().unwrap_or_default();
        text.push_str(format!("{line}  {bar}").trim_end());
        text.push('\n');
    }
    let _ = write!(text, "\n{}", verdict(&sums, counts));
    text
}

/// `#` acted on, `~` pending, `.` no action: what is left to do at a glance.
fn bar(counts: &StatusCounts) -> String {
    const WIDTH: u64 = 20;
    let total = counts.total();
    if total == 0 {
        return String::new();
    }
    // At least one mark for what is there, so that little does not look like nothing.
    let marks = |count: u64| if count == 0 { 0 } else { (count * WIDTH / total).max(1) };
    let (left, pending) = (marks(counts.no_action), marks(counts.pending));
    let done = WIDTH.saturating_sub(left + pending);
    let mark = |mark: &str, count: u64| mark.repeat(usize::try_from(count).unwrap_or_default());
    format!("{}{}{}", mark("#", done), mark("~", pending), mark(".", left))
}

fn verdict(sums: &StatusCounts, counts: &InvoiceCounts) -> String {
    let (left, total) = (sums.no_action, counts.total());
    if total == 0 {
        "There is nothing to act on.\n".to_owned()
    } else if counts.all_acted_on() {
        format!("All {total} documents are acted on.\n")
    } else {
        format!(
            "{left} of {total} documents await action. Bar: # acted on, ~ pending, . no action.\n\
             What nobody acts on is deemed accepted when GSTR-2B is made.\n"
        )
    }
}

/// A column for each type and one for all of them.
fn side_by_side(answers: &[(TypeOfGoods, InvoiceCounts)]) -> String {
    let mut columns: Vec<(&str, StatusCounts)> =
        answers.iter().map(|(goods, counts)| (title(*goods), counts.by_status())).collect();
    let mut sums = StatusCounts::default();
    for (_, counts) in &columns {
        sums += counts;
    }
    columns.push(("All", sums));

    let mut text = format!("{:9}", "");
    for (name, _) in &columns {
        let _ = write!(text, "  {name:>20}");
    }
    text.push('\n');
    for (row, name) in ["No action", "Pending", "Accepted", "Rejected", "Total"].into_iter().enumerate() {
        let _ = write!(text, "{name:9}");
        for (_, counts) in &columns {
            let StatusCounts { no_action, pending, accepted, rejected, .. } = counts;
            let values = [*no_action, *pending, *accepted, *rejected, counts.total()];
            let _ = write!(text, "  {:>20}", values[row]);
        }
        text.push('\n');
    }
    let _ = write!(text, "{:9}", "Acted on");
    for (_, counts) in &columns {
        let _ = write!(text, "  {:>20}", bar(counts));
    }
    let (left, total) = columns.last().map_or((0, 0), |(_, sums)| (sums.no_action, sums.total()));
    let _ = write!(
        text,
        "\n\n{left} of {total} documents await action. Bar: # acted on, ~ pending, . no action.\n"
    );
    text
}

fn json(answers: &[(TypeOfGoods, InvoiceCounts)]) -> serde_json::Result<String> {
    let by_type: std::collections::BTreeMap<String, &InvoiceCounts> =
        answers.iter().map(|(goods, counts)| (goods.to_string(), counts)).collect();
    Ok(serde_json::to_string_pretty(&by_type)? + "\n")
}

/// Codes and numbers only, so nothing needs quotes.
fn csv(answers: &[(TypeOfGoods, InvoiceCounts)]) -> String {
    let mut text = String::from("type_of_goods,section,no_action,pending,accepted,rejected,total\n");
    for (goods, counts) in answers {
        for (section, counts) in counts.sections() {
            let StatusCounts { no_action, pending, accepted, rejected, .. } = counts;
            let total = counts.total();
            let _ = writeln!(text, "{goods},{section},{no_action},{pending},{accepted},{rejected},{total}");
        }
    }
    text
}
