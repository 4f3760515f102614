//! What can be typed after `sandbox match`.

use std::path::PathBuf;

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use sandbox_client::{
    matching::Verdict,
    values::{Amount, ReturnPeriod},
};

use crate::cli::arguments::Select;

#[derive(Debug, Args)]
pub struct Match {
    /// Purchase register: a CSV or a workbook, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub register: PathBuf,
    /// Match with the GSTR-2B of this period
    #[arg(long = "gstr-2b", value_name = "MMYYYY", conflicts_with = "ims")]
    pub gstr_2b: Option<ReturnPeriod>,
    /// Match with the documents in the Invoice Management System (the default)
    #[arg(long)]
    pub ims: bool,
    /// Tolerance of each amount, in rupees
    #[arg(long, value_name = "RUPEES", default_value = "1")]
    pub tolerance: Amount,
    /// Tolerance of dates, in days
    #[arg(long, default_value_t = 0)]
    pub days: u16,
    /// Show only these verdicts
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = verdicts())]
    pub only: Vec<String>,
    /// Write the documents that have these verdicts and no action, for `sandbox invoices`
    ///
    /// Nothing is sent. The output is a CSV, or JSON with --format json, for the option
    /// --from of `sandbox invoices accept`, `reject` or `pend`. Without --only, accept
    /// selects the verdicts exact and within the tolerance, and pend selects differs,
    /// probable and only at GSTN; reject requires --only.
    #[arg(long, value_enum, value_name = "ACTION", conflicts_with = "gstr_2b")]
    pub propose: Option<Propose>,
    /// Write an HTML report: totals, and a table to filter, sort and print
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub select: Select,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Propose {
    Accept,
    Reject,
    Pend,
}

impl Propose {
    /// Verdicts that are proposed by default.
    pub fn verdicts(self) -> &'static [&'static str] {
        match self {
            Self::Accept => &["exact", "within_tolerance"],
            Self::Reject => &[],
            Self::Pend => &["differs", "probable", "only_at_gstn"],
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Pend => "pend",
        }
    }
}

fn verdicts() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(Verdict::WORDS)
}

pub const HELP: &str = "\
The register has a row for each document. It has these columns, or columns with
other usual names, such as `Invoice No`; case and spaces do not matter:

  supplier_gstin   rows without one are skipped, except imports: their suppliers are not
                   registered
  number           of the document, as the supplier wrote it
  date             of the document; in digits the day comes first
  kind             invoice, credit note or debit note, as the supplier calls it; bill of
                   entry for an import
  value            with taxes
  taxable_value    without
  igst, cgst, sgst, cess
  place_of_supply  a state code; reverse_charge: yes or no
  rate             if present, rows with the same number are lines of one document
  port_code        of a bill of entry
  bill_of_entry, bill_of_entry_date
                   its number and date, where number and date are those of the overseas
                   supplier's invoice; a row with one and no supplier_gstin is an import

Only supplier_gstin and number are required. Columns that the register lacks are not
compared. Imports are compared with a GSTR-2B only: the IMS does not list them. The
exit code is 0 whatever the verdicts are.

Examples:
  sandbox match --register purchases.xlsx
  sandbox match --register purchases.csv --gstr-2b 102026 --report october.html
  sandbox match --register purchases.csv --only differs,probable,only_at_gstn
  sandbox match --register purchases.csv --propose accept > accept.csv
  sandbox invoices accept --from accept.csv";
