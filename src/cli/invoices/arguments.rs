//! What can be typed after `sandbox invoices`.

use std::path::PathBuf;

use clap::{
    Args, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use sandbox_client::{
    ItcDeclaration,
    ims::types::{InvoiceStatus, TypeOfGoods},
    values::{Amount, CalendarDate, InvoiceAction, ProviderDate, ReturnPeriod, Section},
};

use crate::cli::{arguments::Select, confirm::SendOptions, job::Waiting};

#[derive(Debug, Args)]
pub struct Invoices {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// List documents, to read or as a file to select from
    ///
    /// Makes one call for each section, by default all eight; each call costs one unit of
    /// the account's quota. Imports and documents of input service distributors can be
    /// counted, but not listed.
    #[command(after_help = LIST)]
    List(List),
    /// Accept documents
    #[command(after_help = ACCEPT)]
    Accept(Accept),
    /// Reject documents
    #[command(after_help = ACT)]
    Reject(Act),
    /// Keep documents pending
    #[command(after_help = ACT)]
    Pend(Act),
    /// Undo actions, so that the documents have no action again
    #[command(after_help = "Example: sandbox --mock invoices reset --number AO2SA2425002517")]
    Reset(Reset),
    /// Wait for a job that was sent earlier, and show its result
    #[command(after_help = "Example: sandbox invoices job 00f1a5c00000 --no-wait")]
    Job(Job),
}

const LIST: &str = "\
Examples:
  sandbox --mock invoices list
  sandbox invoices list --section b2b,b2bcn --status no_action --supplier 24ABCFG0123H1YZ
  sandbox invoices list --status no_action --format csv > open.csv";

const ACT: &str = "\
Shows what would be sent and asks first. Exit code 7 means that some selected
documents cannot be acted on, or that GSTN refused some; each is reported.

Examples:
  sandbox --mock invoices reject --all --dry-run
  sandbox invoices pend --supplier 24ABCFG0123H1YZ --since 2024-10-01 --until 2024-10-31
  sandbox invoices reject --number PRN-1050 --remark 'goods not received'
  sandbox invoices list --status no_action --format csv > open.csv
  # delete lines in open.csv, fill its column remarks where you like, then:
  sandbox invoices reject --from open.csv";

const ACCEPT: &str = "\
Shows what would be sent and asks first. Exit code 7 means that some selected
documents cannot be acted on, or that GSTN refused some; each is reported.

Since October 2025 GSTN requires a declaration for credit notes and some amended
documents: whether input tax credit is reduced when they are accepted. Answer for all of them with
--itc-reduction, or for each in the column itc_reduction of --from: full, none,
or amounts with the columns declared_igst, declared_cgst, declared_sgst and
declared_cess beside it.

Examples:
  sandbox --mock invoices accept --all --dry-run
  sandbox invoices accept --supplier 24ABCFG0123H1YZ --since 2024-10-01 --until 2024-10-31
  sandbox invoices accept --section b2bcn --itc-reduction full
  sandbox invoices list --status no_action --format csv > open.csv
  # delete lines in open.csv, fill its columns remarks and itc_reduction where you like, then:
  sandbox invoices accept --from open.csv";

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub filter: Filter,
}

#[derive(Debug, Args)]
pub struct Accept {
    /// Whether credit is reduced, for credit notes and amended documents without a
    /// declaration in --from
    #[arg(long, value_enum)]
    pub itc_reduction: Option<Reduction>,
    #[command(flatten)]
    pub act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reduction {
    /// By the full tax of the document
    Full,
    /// Not at all: no credit was claimed
    None,
}

impl Reduction {
    pub fn declaration(self) -> ItcDeclaration {
        match self {
            Self::Full => ItcDeclaration::Full,
            Self::None => ItcDeclaration::NotRequired,
        }
    }
}

#[derive(Debug, Args)]
pub struct Act {
    /// Remark for the suppliers, at most 250 characters, for documents without a remark in --from
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    #[command(flatten)]
    pub choice: Choice,
}

#[derive(Debug, Args)]
pub struct Reset {
    #[command(flatten)]
    pub choice: Choice,
}

/// Which documents to act on, and how.
#[derive(Debug, Args)]
pub struct Choice {
    #[command(flatten)]
    pub send_options: SendOptions,
    #[command(flatten)]
    pub select: Select,
    /// GSTIN of the taxpayer; required with `SANDBOX_ACCESS_TOKEN`
    #[arg(long, value_name = "GSTIN")]
    pub recipient: Option<String>,
    /// Largest request in bytes; further documents are sent in further requests, one after another
    #[arg(long, value_name = "BYTES", default_value_t = 4_000_000, hide_default_value = true)]
    pub max_request_bytes: usize,
    // Last, since its heading holds for what follows.
    #[command(flatten)]
    pub filter: Filter,
    /// All documents that the command may act on
    #[arg(long, conflicts_with = "from")]
    pub all: bool,
    /// Documents in a file that `invoices list` wrote as CSV or JSON, or - for standard input
    ///
    /// A spreadsheet program may have saved the file, as CSV or as a workbook. A number that it
    /// has changed is recognised if it matches only one document.
    ///
    /// The documents are listed again first: one that has changed since the file was
    /// written is reported and skipped.
    #[arg(long, value_name = "FILE", conflicts_with = "Filter")]
    pub from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Job {
    /// The reference id that the command printed after sending
    pub reference_id: String,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub select: Select,
}

/// Documents that fit all of these.
#[derive(Debug, Args)]
#[group(id = "Filter", multiple = true)]
#[command(next_help_heading = "Select documents (all conditions must match)")]
pub struct Filter {
    /// Sections, by the codes that `sandbox counts` shows [default: all eight]
    #[arg(long, value_delimiter = ',', value_parser = sections())]
    pub section: Vec<Section>,
    /// Status of the documents [default: any for list and reset, otherwise `no_action`]
    #[arg(long, value_enum, hide_default_value = true)]
    pub status: Option<Status>,
    /// GSTIN of the supplier; may be repeated
    #[arg(long, value_name = "GSTIN")]
    pub supplier: Vec<String>,
    /// Number of the document; may be repeated
    #[arg(long)]
    pub number: Vec<String>,
    /// Return period of the supplier
    #[arg(long, value_name = "MMYYYY")]
    pub period: Option<ReturnPeriod>,
    /// Documents dated on or after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub since: Option<CalendarDate>,
    /// Documents dated on or before this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub until: Option<CalendarDate>,
    /// Documents of at least this value, in rupees
    #[arg(long, value_name = "RUPEES")]
    pub min_value: Option<Amount>,
    /// Documents of at most this value, in rupees
    #[arg(long, value_name = "RUPEES")]
    pub max_value: Option<Amount>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Status {
    NoAction,
    Pending,
    Accepted,
    Rejected,
    Any,
}

impl Status {
    /// What a list is asked for; `None` for all.
    pub fn in_query(self) -> Option<InvoiceStatus> {
        match self {
            Self::NoAction => Some(InvoiceStatus::NoActionTaken),
            Self::Pending => Some(InvoiceStatus::Pending),
            Self::Accepted => Some(InvoiceStatus::Accepted),
            Self::Rejected => Some(InvoiceStatus::Rejected),
            Self::Any => None,
        }
    }

    pub fn fits(self, action: Option<&InvoiceAction>) -> bool {
        match self {
            Self::NoAction => action == Some(&InvoiceAction::NoAction),
            Self::Pending => action == Some(&InvoiceAction::Pending),
            Self::Accepted => action == Some(&InvoiceAction::Accepted),
            Self::Rejected => action == Some(&InvoiceAction::Rejected),
            Self::Any => true,
        }
    }
}

/// The sections that can be listed.
pub fn listed_sections() -> impl Iterator<Item = &'static Section> {
    Section::KNOWN.iter().filter(|section| section.type_of_goods() == Some(TypeOfGoods::Others))
}

fn sections() -> impl TypedValueParser<Value = Section> {
    let names = listed_sections().map(|section| PossibleValue::new(section.as_str()).help(section.title()));
    PossibleValuesParser::new(names).map(|code| Section::from(code.as_str()))
}

/// A day as ISO 8601 has it, or as the lists do.
fn day(text: &str) -> Result<CalendarDate, &'static str> {
    let iso = || {
        let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return None };
        if [year.len(), month.len(), day.len()] != [4, 2, 2] {
            return None;
        }
        CalendarDate::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    };
    iso().or_else(|| ProviderDate::from(text).to_date().ok()).ok_or("must be a date such as 2024-11-05")
}
