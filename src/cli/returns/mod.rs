//! Returns: `sandbox gstr-1`, `gstr-2a`, `gstr-3b` and `gstr-9`.

pub mod gstr_1;
pub mod gstr_2a;
pub mod gstr_3b;
pub mod gstr_9;
mod rows;
mod sections;
mod signing;

use std::{
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use sandbox_client::{
    Document, Session,
    filing::{Filing, FilingOutcome, Return},
    values::{Amount, Decimal, ReturnPeriod},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    arguments::{Format, Select},
    confirm::{self, SendOptions},
    connection::Connection,
    failure::{Exit, Failure},
    job::{self, Waiting},
    output::{Out, Sheet},
    table::{Input, shown},
};

/// The period of a monthly or quarterly return.
#[derive(Debug, Args)]
pub struct Period {
    /// The period
    #[arg(long, value_name = "MMYYYY")]
    pub period: ReturnPeriod,
}

/// Saving a draft from a file.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Save {
    /// The draft as JSON, - for standard input
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    #[command(flatten)]
    pub send_options: SendOptions,
    #[command(flatten)]
    pub select: Select,
}

/// Whether a return is filed, or the outcome of a job on it.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Status {
    /// The reference id that `save` printed [default: show whether the return is filed]
    pub reference_id: Option<String>,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub select: Select,
}

/// One return, as questions and messages name it.
struct Name {
    /// `GSTR-3B 112024 of 33ABKCS2033B1ZW`.
    text: String,
    /// The command that looks at it, without the name of the program.
    status: String,
}

impl Name {
    fn of(gstr: &str, when: impl fmt::Display, option: &str, session: &Session) -> Self {
        let of = session.taxpayer_id().map_or(String::new(), |taxpayer| format!(" of {}", taxpayer.gstin));
        let status = format!("{} status {option} {when}", gstr.to_lowercase());
        Self { text: format!("{gstr} {when}{of}"), status }
    }

    fn monthly(gstr: &str, of: &Period, session: &Session) -> Self {
        Self::of(gstr, of.period, "--period", session)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a person looks at before a return is saved, paid or filed.
struct Totals(Sheet);

impl Totals {
    fn new() -> Self {
        let columns: &[(&str, &str)] = &[
            ("total", "Total"),
            ("taxable", "Taxable value"),
            ("igst", "IGST"),
            ("cgst", "CGST"),
            ("sgst", "SGST"),
            ("cess", "Cess"),
        ];
        Self(Sheet::new(columns).amounts(&["taxable", "igst", "cgst", "sgst", "cess"]))
    }

    /// A row: its name, and value, IGST, CGST, SGST and cess where they apply.
    fn row(&mut self, name: &str, amounts: [Option<Decimal>; 5]) {
        self.0.row([Value::from(name)].into_iter().chain(amounts.map(cell)).collect());
    }
}

/// An amount as it is shown, to the paisa.
fn cell(amount: Option<Decimal>) -> Value {
    amount.map(|amount| format!("{amount:.2}")).into()
}

/// The sum of those that are there.
fn sum(amounts: impl IntoIterator<Item = Option<Amount>>) -> Option<Decimal> {
    amounts.into_iter().flatten().map(Decimal::from).reduce(Decimal::saturating_add)
}

/// Reads a JSON file as a document that is sent unchanged.
fn read<T: Serialize + DeserializeOwned>(file: &Path) -> Result<Document<T>, Failure> {
    let file = Input::read(file)?;
    if file.is_workbook() {
        return Err(Failure::usage(format!("{} is an archive or a workbook, not JSON", file.name))
            .hint("Unpack it, and name the JSON file in it."));
    }
    let document = file.text()?.parse::<Document<T>>();
    document.map_err(|error| Failure::usage(format!("{}: {error}", file.name)))
}

/// The first member that the type does not know, with the way to it. A misspelt one would
/// be passed over by GSTN.
fn unknown_member<T: Serialize>(document: &Document<T>) -> Result<Option<String>, Failure> {
    let given: Value = serde_json::from_str(&document.to_json()?).map_err(io::Error::from)?;
    let known = serde_json::to_value(&**document).map_err(io::Error::from)?;
    Ok(unknown(&given, &known).map(|member| shown(&member)))
}

fn unknown(given: &Value, known: &Value) -> Option<String> {
    match (given, known) {
        (Value::Object(given), _) => given.iter().find_map(|(name, value)| match known.get(name) {
            Some(known) => unknown(value, known).map(|member| format!("{name}.{member}")),
            None => (!value.is_null()).then(|| name.clone()),
        }),
        (Value::Array(given), Value::Array(known)) => {
            given.iter().zip(known).find_map(|(given, known)| unknown(given, known))
        }
        _ => None,
    }
}

/// A document: as received for programs, its totals for people and spreadsheets.
fn show<T: Serialize>(
    document: &Document<T>,
    totals: fn(&Document<T>) -> Sheet,
    format: Format,
) -> Result<(), Failure> {
    match format {
        Format::Json => Ok(writeln!(Out, "{}", document.to_json()?)?),
        _ => Ok(totals(document).print(format)?),
    }
}

/// Asks about a draft that will be saved; false where nothing is to be sent.
fn agrees_to_save<T: Serialize>(
    draft: &Document<T>,
    totals: fn(&Document<T>) -> Sheet,
    name: &Name,
    send_options: &SendOptions,
    format: Format,
) -> Result<bool, Failure> {
    if let Some(member) = unknown_member(draft)? {
        eprintln!("`{member}` is not known here; it is sent as it stands.");
    }
    if send_options.dry_run {
        show(draft, totals, format)?;
        eprintln!("Without --dry-run, this would be saved as the draft of {name}.");
        return Ok(false);
    }
    if !send_options.yes {
        totals(draft).show();
        confirm::ask(&format!("Save this as the draft of {name}?"))?;
    }
    Ok(true)
}

/// Shows whether a return is filed, or follows a job on it.
async fn status<R: Return>(
    connection: &Connection,
    session: &Session,
    filing: Filing<R>,
    (name, status): (&Name, &Status),
    format: Format,
) -> Result<(), Failure> {
    if let Some(reference_id) = &status.reference_id {
        let job = session.returns_common().job(filing.period(), reference_id.as_str());
        return job::follow(connection, job, &status.waiting, format, &name.status).await;
    }
    let (state, arn, date) = match filing.outcome().await? {
        FilingOutcome::Filed { arn, date } => ("filed", Some(arn), date),
        FilingOutcome::NotFiled => ("not filed", None, None),
        _ => ("unknown", None, None),
    };
    let mut sheet =
        Sheet::new(&[("return", "Return"), ("state", "State"), ("arn", "ARN"), ("date", "Filed on")]);
    let date = date.map(|date| json!(date)).unwrap_or_default();
    sheet.row(vec![name.text.as_str().into(), state.into(), arn.into(), date]);
    sheet.print(format)?;
    if state == "unknown" { Err(unknown_outcome(name)) } else { Ok(()) }
}

fn unknown_outcome(name: &Name) -> Failure {
    Failure::new(Exit::Other, format!("GSTN does not report whether {name} is filed"))
        .hint("Check the GST portal before you file it.")
}
