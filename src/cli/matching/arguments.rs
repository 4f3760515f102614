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
    /// Purchase register: a CSV or a workbook, - for standard input
    #[arg(long, value_name = "FILE")]
    pub register: PathBuf,
    /// Match with the GSTR-2B of this period
    #[arg(long = "gstr-2b", value_name = "MMYYYY", conflicts_with = "ims")]
    pub gstr_2b: Option<ReturnPeriod>,
    /// Match with the documents in the Invoice Management System (the default)
    #[arg(long)]
    pub ims: bool,
    /// Rupees that each amount may differ by
    #[arg(long, value_name = "RUPEES", default_value = "1")]
    pub tolerance: Amount,
    /// Days that dates may be apart
    #[arg(long, default_value_t = 0)]
    pub days: u16,
    /// Show these verdicts alone
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = verdicts())]
    pub only: Vec<String>,
    /// Write the documents without action that have these verdicts, for `sandbox invoices`
    ///
    /// Nothing is sent. The output is a CSV, or JSON with --format json, that
    /// `sandbox invoices accept`, `reject` or `pend` takes by --from. Without --only, accept
    /// takes what is exact or within the tolerance, and pend what differs, is probable, or is
    /// only at GSTN; what to reject must be named.
    #[arg(long, value_enum, value_name = "ACTION", conflicts_with = "gstr_2b")]
    pub propose: Option<Propose>,
    /// Write a page for people: totals, and a table to filter, sort and print
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
The register has a row for each document. Columns, by these names or others that
are usual, such as `Invoice No`; case and spaces do not matter:

  supplier_gstin   rows without one are left out: their suppliers are not registered
  number           of the document, as the supplier wrote it
  date             of the document; the day comes first where it is written in digits
  kind             invoice, credit note or debit note, as the supplier calls it
  value            with taxes
  taxable_value    without
  igst, cgst, sgst, cess
  place_of_supply  a state code; reverse_charge: yes or no
  rate             with it, rows with one number are lines of one document

Only supplier_gstin and number are needed. What the register does not have is not
compared. Ends with 0 whatever the verdicts are.

Examples:
  sandbox match --register purchases.xlsx
  sandbox match --register purchases.csv --gstr-2b 102026 --report october.html
  sandbox match --register purchases.csv --only differs,probable,only_at_gstn
  sandbox match --register purchases.csv --propose accept > accept.csv
  sandbox invoices accept --from accept.csv";
