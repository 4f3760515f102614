//! What can be typed, and the help that teaches it.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sandbox_client::ims::types::TypeOfGoods;

use super::{
    analytics::Analytics,
    api,
    documents::Documents,
    gstr_2b::Gstr2b,
    invoices::Invoices,
    matching::{self, Match},
    returns::{gstr_1, gstr_2a, gstr_3b, gstr_9},
    sweep::{gstr_2b, returns},
};

/// The Sandbox GST API from a terminal: invoices of one taxpayer, counts of a whole firm.
#[derive(Debug, Parser)]
#[command(name = "sandbox", version, max_term_width = 100, after_help = SHORT, after_long_help = LONG)]
pub struct Arguments {
    #[command(flatten)]
    pub shared: Shared,
    #[command(subcommand)]
    pub command: Command,
}

const SHORT: &str = "Try it without any setup: sandbox --mock counts";

const LONG: &str = "\
Examples:
  sandbox --mock counts --goods all           sample data, no setup
  sandbox --mock login                        the OTP of the sample is 575757
  sandbox --mock --mock-taxpayers 500 sweep --only-open

  export SANDBOX_API_KEY=… SANDBOX_API_SECRET=…
  sandbox login --gstin 33ABKCS2033B1ZW --username acme.com
  sandbox counts --goods all --format csv > counts.csv
  sandbox invoices list --status no_action --format csv > open.csv
  sandbox invoices accept --from open.csv     the rows that are left; asks first
  sandbox match --register purchases.xlsx     which of them suppliers reported
  sandbox gstr-1 get --period 112025          every section, with totals
  sandbox gstr-2b regenerate --period 112025
  sandbox gstr-3b file --period 112025 --pan ABCDE1234F --offset payment.json
  sandbox sweep --from firm.csv --checkpoint november.jsonl --report november.html
  sandbox e-invoice generate --from invoices.jsonl --checkpoint done.jsonl
  sandbox api                                 every operation
  sandbox api get_invoice_count --help        the parameters of one

Environment:
  SANDBOX_API_KEY              the API key; with it the configuration file is not read
  SANDBOX_API_SECRET           the API secret
  SANDBOX_ACCESS_TOKEN         token of a taxpayer's session that you already have
  SANDBOX_E_INVOICE_USERNAME   user and password of the API user of the e-invoice portal,
  SANDBOX_E_INVOICE_PASSWORD   and SANDBOX_E_WAY_BILL_… of the e-way bill portal
  SANDBOX_BASE_URL             another base URL, for a gateway or a mock server
  SANDBOX_REQUESTS_PER_MINUTE  rate limit of your account [default: 25 test, 100 live]
  SANDBOX_CONFIG_DIR           another folder for config.toml
  SANDBOX_DATA_DIR             another folder for saved sessions
  SANDBOX_REDIS_URL            a Redis or Valkey server that several machines share
  SANDBOX_REDIS_KEY            the key that encrypts sessions there: 32 bytes in base64
  SANDBOX_REDIS_WORKERS        the largest number of machines that share it
  NO_COLOR                     no colours

Exit codes:
  0  done                             4  authentication failed
  1  service, network or other        5  a new OTP is needed
  2  wrong arguments                  6  too many requests
  3  configuration                    7  partial failure
  8  not ready yet: repeat later    130  stopped by Ctrl-C (143: by SIGTERM)";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Shared {
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Use the built-in mock server with sample data; nothing leaves this machine
    #[arg(long, global = true)]
    pub mock: bool,
    /// Number of taxpayers that have a session on the mock server [default: 20]
    #[arg(long, global = true, value_name = "COUNT")]
    pub mock_taxpayers: Option<usize>,
    /// Faults that the mock server injects
    #[arg(long, global = true, value_enum, value_delimiter = ',', value_name = "FAULT")]
    pub mock_faults: Vec<MockFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs; a sweep prints one line for each answer
    Json,
    /// For spreadsheets
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MockFault {
    /// Some taxpayers have no session or an expired one
    Expired,
    /// Some requests exceed the rate limit and succeed when retried
    #[value(name = "429")]
    TooManyRequests,
    /// Some requests fail once; those of some taxpayers always fail
    #[value(name = "503")]
    Unavailable,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count a taxpayer's invoices by section and status
    #[command(after_help = "Example: sandbox --mock counts --goods all")]
    Counts(Counts),
    /// List invoices, accept, reject, keep pending or reset them
    Invoices(Invoices),
    /// Match a purchase register with what suppliers reported
    ///
    /// Each document gets one verdict: exact, within the tolerance, differs, probable,
    /// only in the register, only at GSTN, or duplicate. Nothing is sent.
    #[command(name = "match", after_help = matching::HELP)]
    Match(Match),
    /// Show, save and file GSTR-1
    #[command(name = "gstr-1")]
    Gstr1(gstr_1::Command),
    /// Show GSTR-2A
    #[command(name = "gstr-2a")]
    Gstr2a(gstr_2a::Command),
    /// Regenerate GSTR-2B after acting on invoices
    #[command(name = "gstr-2b")]
    Gstr2b(Gstr2b),
    /// Show, save, pay and file GSTR-3B
    #[command(name = "gstr-3b")]
    Gstr3b(gstr_3b::Command),
    /// Show, save and file GSTR-9, the annual return
    #[command(name = "gstr-9")]
    Gstr9(gstr_9::Command),
    /// Compare a purchase ledger with GSTR-2B or GSTR-2A
    Analytics(Analytics),
    /// Register e-invoices, each exactly once
    EInvoice(Documents),
    /// Generate e-way bills, each exactly once
    EWayBill(Documents),
    /// Open a session with the OTP that the taxpayer receives
    ///
    /// Asks for the OTP on the terminal, or reads it from standard input. The
    /// session lasts six hours and is refreshed by calls in its last half
    /// hour.
    #[command(after_help = "Example: sandbox login --gstin 33ABKCS2033B1ZW --username acme.com")]
    Login(Login),
    /// List, refresh or forget saved sessions
    Sessions(Sessions),
    /// Count the invoices of a whole firm, show who has not filed, or the credit of each
    ///
    /// Queries every taxpayer in a file, or every saved session, within the rate limit of
    /// the API key. Stop it with Ctrl-C; with --checkpoint it resumes where it stopped.
    /// After a crash, only in-flight requests are sent again.
    #[command(after_help = SWEEP)]
    Sweep(Sweep),
    /// Start the mock server for your own programs
    #[command(after_help = "Example: sandbox mock --port 8080, then paste its output into another terminal")]
    Mock(Mock),
    /// Call any operation of the API, or list all operations
    #[command(after_help = "Example: sandbox --mock api get_invoice_count --param type_of_goods=imports")]
    Api,
    /// Show where configuration and sessions are stored, and check them
    Config,
    /// Check configuration, network, credentials, clock and sessions
    ///
    /// Sends one request, a login, and stores nothing. Each line reports one
    /// check and, if it failed, what to do. The exit code is that of the first failed check.
    #[command(after_help = "Example: sandbox --mock doctor")]
    Doctor,
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: sandbox completions bash > ~/.local/share/bash-completion/completions/sandbox"
    )]
    Completions { shell: Shell },
}

const SWEEP: &str = "\
Examples:
  sandbox --mock --mock-taxpayers 500 --mock-faults expired,429,503 sweep
  sandbox sweep --from firm.csv --only-open --report firm.html
  sandbox sweep --from firm.csv --checkpoint november.jsonl --format csv > november.csv
  sandbox sweep returns --period 102026 --from firm.csv --only-open
  sandbox sweep gstr-2b --period 102026 --from firm.csv --report credit.html
  sandbox sweep --from firm.csv --share november-23 --format json > part-of-this-machine.jsonl

The file is a CSV from any spreadsheet program, or a workbook (xlsx, xls, ods). It
has the columns gstin and username; others are ignored.";

/// Which taxpayer, where several sessions are saved.
#[derive(Debug, Args)]
pub struct Select {
    /// GSTIN of the taxpayer; required if several sessions are saved
    #[arg(long)]
    pub gstin: Option<String>,
    /// User name on the GST portal; required if a GSTIN has several
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
}

#[derive(Debug, Args)]
pub struct Counts {
    /// Which group of documents
    #[arg(long, value_enum, default_value_t = Goods::Others)]
    pub goods: Goods,
    #[command(flatten)]
    pub select: Select,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Goods {
    /// Invoices, notes and e-commerce documents of other suppliers
    Others,
    /// Imports of goods
    Imports,
    /// Documents of input service distributors
    InwardSupplies,
    /// All three groups, one call each
    All,
}

impl Goods {
    pub fn types(self) -> Vec<TypeOfGoods> {
        match self {
            Self::Others => vec![TypeOfGoods::Others],
            Self::Imports => vec![TypeOfGoods::Imports],
            Self::InwardSupplies => vec![TypeOfGoods::InwardSupplies],
            Self::All => vec![TypeOfGoods::Others, TypeOfGoods::InwardSupplies, TypeOfGoods::Imports],
        }
    }
}

#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    pub select: Select,
    /// Request the OTP and exit; verify it later with --no-request
    #[arg(long, conflicts_with = "no_request")]
    pub request_only: bool,
    /// Verify an OTP that you already have, without requesting one
    #[arg(long)]
    pub no_request: bool,
}

#[derive(Debug, Args)]
pub struct Sessions {
    #[command(subcommand)]
    pub action: Option<SessionsAction>,
}

#[derive(Debug, Subcommand)]
pub enum SessionsAction {
    /// List saved sessions and when they expire (the default)
    List,
    /// Extend valid sessions by six hours
    Refresh(SessionChoice),
    /// Delete saved sessions from this machine
    Forget {
        #[command(flatten)]
        choice: SessionChoice,
        /// Also end the sessions at GSTN, which limits the sessions of each user
        #[arg(long)]
        logout: bool,
    },
}

#[derive(Debug, Args)]
pub struct SessionChoice {
    #[command(flatten)]
    pub select: Select,
    /// All saved sessions
    #[arg(long, conflicts_with_all = ["gstin", "username"])]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct Sweep {
    #[command(subcommand)]
    pub of: Option<SweepOf>,
    /// CSV or workbook with the columns gstin and username, or - for standard input
    /// [default: all saved sessions]
    #[arg(long, global = true, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Which groups of documents
    #[arg(long, value_enum, default_value_t = Goods::All)]
    pub goods: Goods,
    /// Show only failures, and taxpayers with pending documents, documents without action,
    /// unfiled returns or a GSTR-2B that is not generated
    #[arg(long, global = true)]
    pub only_open: bool,
    /// Record each answer in this file; a stopped sweep resumes from it
    #[arg(long, global = true, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Repeat the calls that failed or were not ready according to the checkpoint
    #[arg(long, global = true, requires = "checkpoint")]
    pub retry_failed: bool,
    /// Share the sweep over Redis with other machines that run the same command; each
    /// sweep needs a new name
    #[arg(long, global = true, value_name = "NAME", requires = "from", conflicts_with = "retry_failed")]
    pub share: Option<String>,
    /// Write an HTML report: totals, a bar for each taxpayer, a table to sort and search
    #[arg(long, global = true, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Calls that are in flight or wait for the rate limit, at most
    #[arg(long, global = true, value_name = "CALLS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
}

/// What a sweep asks, where it is not the counts.
#[derive(Debug, Subcommand)]
pub enum SweepOf {
    /// Show who has not filed the returns of a period
    ///
    /// Makes one call for each taxpayer, for the list of filed returns. A quarterly
    /// return belongs to the last month of the quarter, an annual one to March.
    #[command(after_help = "Example: sandbox --mock sweep returns --period 102026")]
    Returns(returns::Arguments),
    /// Show what the GSTR-2B of each taxpayer comes to
    ///
    /// Asks for the statement of each taxpayer, one call: the credit that is available,
    /// credit notes, what is not available, and the number of documents. Where GSTN has not
    /// generated the statement yet, that is told and is no failure; if nothing else is
    /// missing, the exit code is 8.
    #[command(name = "gstr-2b", after_help = "Example: sandbox --mock sweep gstr-2b --period 032024")]
    Gstr2b(gstr_2b::Arguments),
}

#[derive(Debug, Args)]
pub struct Mock {
    /// Port on 127.0.0.1 [default: a free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub port: u16,
}

/// The whole command, with a subcommand of `api` for each operation.
pub fn command() -> clap::Command {
    Arguments::command().mut_subcommand("api", api::operations_into)
}
