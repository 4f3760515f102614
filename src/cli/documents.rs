//! `sandbox e-invoice` and `sandbox e-way-bill`: many documents, each made
//! exactly once, however often the command is stopped.

use std::{
    collections::HashSet,
    env,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::{Args, Subcommand};
use futures_util::{Stream, stream};
use indicatif::{ProgressBar, ProgressStyle};
use sandbox_client::{
    BatchStream, Client, Error, GeneratedOnce, RegisteredOnce,
    e_invoice::types::{Inv01, Inv01DocumentType},
    e_way_bill::types::{EwbDocumentType, EwbRequest},
    values::{Gstin, NicServer, Password},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    arguments::{Format, Shared},
    checkpoint::Checkpoint,
    connection::{Connection, read_line},
    failure::{Exit, Failure},
    files,
    output::{Out, Sheet},
    problem::Problem,
    signals::Signals,
};

/// How long a stopped batch waits for the answers to what it has sent.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct Documents {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a document from each line of a file
    ///
    /// If the answer for a document is lost, the command looks the document up before it
    /// sends it again, so it creates no duplicates. Stop it with Ctrl-C; with --checkpoint
    /// the same command resumes where it stopped, even after a crash.
    #[command(after_help = GENERATE)]
    Generate(Generate),
}

const GENERATE: &str = "\
Examples:
  sandbox --mock e-invoice generate --from invoices.jsonl
  sandbox e-invoice generate --from invoices.jsonl --checkpoint done.jsonl --format json
  sandbox e-way-bill generate --from bills.jsonl --username api_user --server secondary

Each line of the file is one JSON object, the body of generate_e_invoice or
generate_e_way_bill: see `sandbox api generate_e_invoice --help`. The checkpoint
keeps every answer of the portal, with signed invoices and QR codes.";

#[derive(Debug, Args)]
struct Generate {
    /// File with one JSON document on each line, or - for standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Record each result in this file; a stopped batch resumes from it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// GSTIN of the taxpayer [default: from the first document]
    #[arg(long)]
    gstin: Option<String>,
    /// The API user of the portal
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The NIC server that registers the documents
    #[arg(long, value_name = "SERVER", default_value = "primary")]
    server: NicServer,
    /// Requests that are in flight or wait for the rate limit, at most
    #[arg(long, value_name = "REQUESTS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

pub async fn e_invoice(shared: &Shared, arguments: &Documents) -> Result<(), Failure> {
    let Action::Generate(generate) = &arguments.action;
    run::<Inv01>(shared, generate).await
}

pub async fn e_way_bill(shared: &Shared, arguments: &Documents) -> Result<(), Failure> {
    let Action::Generate(generate) = &arguments.action;
    run::<EwbRequest>(shared, generate).await
}

/// What tells one document from another in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Key {
    #[serde(rename = "type")]
    kind: String,
    number: String,
    date: String,
}

/// One result: in the output and in the checkpoint.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// What was made, as the portal answered it, with number and server.
    Made(Value),
    Error(Problem),
}

/// The documents in flight, one after another as they are taken.
type Lines<D> = Box<dyn Stream<Item = D> + Send + Unpin>;

/// A kind of document that the command makes.
trait Document: DeserializeOwned + Send + Unpin + 'static {
    type Made: Send + Unpin + 'static;
    /// The part of environment variables that names it.
    const VARIABLE: &'static str;
    const COLUMNS: &'static [(&'static str, &'static str)];

    fn key(&self) -> Key;
    fn gstin(&self) -> &str;
    fn made(made: &Self::Made) -> Value;
    /// Number of what was made, for a table.
    fn number(made: &Value) -> Value;
    fn batch(
        client: &Client,
        user: (Gstin, String, Password),
        server: NicServer,
        documents: Lines<Self>,
        concurrency: usize,
    ) -> Result<BatchStream<Self, Self::Made, Lines<Self>>, Error>;
}

impl Document for Inv01 {
    type Made = RegisteredOnce;
    const VARIABLE: &'static str = "E_INVOICE";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("type", "Type"),
        ("number", "Number"),
        ("date", "Date"),
        ("irn", "IRN"),
        ("found", "Existed"),
        ("error", "Error"),
    ];

    fn key(&self) -> Key {
        let kind = match self.doc_dtls.typ {
            Inv01DocumentType::Crn => "CRN",
            Inv01DocumentType::Dbn => "DBN",
            _ => "INV",
        };
        Key { kind: kind.to_owned(), number: self.doc_dtls.no.clone(), date: self.doc_dtls.dt.clone() }
    }

    fn gstin(&self) -> &str {
        &self.seller_dtls.gstin
    }

    fn made(made: &RegisteredOnce) -> Value {
        json!({"irn": made.id.irn, "server": made.id.server, "found": made.found, "answer": *made.invoice})
    }

    fn number(made: &Value) -> Value {
        made["irn"].clone()
    }

    fn batch(
        client: &Client,
        (gstin, username, password): (Gstin, String, Password),
        server: NicServer,
        documents: Lines<Self>,
        concurrency: usize,
    ) -> Result<BatchStream<Self, Self::Made, Lines<Self>>, Error> {
        let session = client.e_invoice(gstin, username, password)?.on(server)?;
        Ok(session.e_invoice().generate_all(documents).concurrency(concurrency).start())
    }
}

impl Document for EwbRequest {
    type Made = GeneratedOnce;
    const VARIABLE: &'static str = "E_WAY_BILL";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("type", "Type"),
        ("number", "Number"),
        ("date", "Date"),
        ("ewb_no", "E-way bill"),
        ("found", "Existed"),
        ("error", "Error"),
    ];

    fn key(&self) -> Key {
        let kind = match self.doc_type {
            EwbDocumentType::Chl => "CHL",
            EwbDocumentType::Bil => "BIL",
            EwbDocumentType::Boe => "BOE",
            EwbDocumentType::Oth => "OTH",
            _ => "INV",
        };
        Key { kind: kind.to_owned(), number: self.doc_no.clone(), date: self.doc_date.clone() }
    }

    fn gstin(&self) -> &str {
        &self.from_gstin
    }

    fn made(made: &GeneratedOnce) -> Value {
        json!({"ewb_no": made.id.number, "server": made.id.server, "found": made.found, "answer": *made.bill})
    }

    fn number(made: &Value) -> Value {
        made["ewb_no"].clone()
    }

    fn batch(
        client: &Client,
        (gstin, username, password): (Gstin, String, Password),
        server: NicServer,
        documents: Lines<Self>,
        concurrency: usize,
    ) -> Result<BatchStream<Self, Self::Made, Lines<Self>>, Error> {
        let session = client.e_way_bill(gstin, username, password)?.on(server)?;
        Ok(session.e_way_bill().generate_all(documents).concurrency(concurrency).start())
    }
}

async fn run<D: Document>(shared: &Shared, arguments: &Generate) -> Result<(), Failure> {
    let documents = read::<D>(&arguments.from)?;
    let Some(first) = documents.first() else { return Err(Failure::usage("the file contains no document")) };
    let connection = Connection::for_documents(shared).await?;
    let gstin = connection.gstin(arguments.gstin.as_deref().unwrap_or(first.gstin()))?;

    let mut results = Results::<D>::new(shared.format, documents.len());
    let mut done = HashSet::new();
    if let Some(path) = &arguments.checkpoint {
        let service = format!("{} {gstin}", connection.service());
        let (checkpoint, records) = Checkpoint::open::<Record>(path, "batch", &service)?;
        for record in records {
            // What failed is tried again; the portal decides whether it exists.
            if matches!(record.outcome, Outcome::Made(_)) && done.insert(record.key.clone()) {
                results.show(record)?;
            }
        }
        results.checkpoint = Some(checkpoint);
    }
    let left = documents.into_iter().filter(move |document| !done.contains(&document.key()));

    let user = (gstin, username::<D>(&connection, arguments)?, password::<D>(&connection, arguments)?);
    let stopped = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&stopped);
    let lines: Lines<D> = Box::new(stream::iter(left.take_while(move |_| !ends.load(Ordering::Relaxed))));
    let concurrency = arguments.concurrency.into();
    let batch = D::batch(&connection.client, user, arguments.server, lines, concurrency)?;
    let outcome = results.collect(batch, &stopped).await;
    results.finish()?;
    outcome
}

/// The documents of a file. One line that is not a document refuses the whole file:
/// nothing has been sent.
fn read<D: DeserializeOwned>(path: &Path) -> Result<Vec<D>, Failure> {
    let text = files::input_text(path)?;
    let text = text.trim_start_matches('\u{feff}');
    let (mut documents, mut mistakes) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut json = serde_json::Deserializer::from_str(line);
        match D::deserialize(&mut json).and_then(|document| json.end().map(|()| document)) {
            Ok(document) => documents.push(document),
            Err(error) => {
                // The line within the line would confuse.
                let reason = error.to_string();
                let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
                mistakes.push(format!("line {}: {reason} (column {})", index + 1, error.column()));
            }
        }
    }
    if mistakes.is_empty() { Ok(documents) } else { Err(Failure::mistakes(path.display(), mistakes)) }
}

fn username<D: Document>(connection: &Connection, arguments: &Generate) -> Result<String, Failure> {
    if let Some(username) = &arguments.username {
        return Ok(username.clone());
    }
    let name = format!("SANDBOX_{}_USERNAME", D::VARIABLE);
    match env::var(&name) {
        Ok(username) => Ok(username),
        Err(_) if connection.demo().is_some() => Ok("api_user".to_owned()),
        Err(_) => Err(Failure::usage("no API user of the portal was given")
            .hint(format!("Use --username, or set {name}. You create the user on the portal, for a GSP."))),
    }
}

/// From the environment, or asked for: never an argument, which others can see.
fn password<D: Document>(connection: &Connection, arguments: &Generate) -> Result<Password, Failure> {
    let name = format!("SANDBOX_{}_PASSWORD", D::VARIABLE);
    if let Ok(password) = env::var(&name) {
        return Ok(Password::new(password)?);
    }
    if connection.demo().is_some() {
        return Ok(Password::new("not-a-real-password")?);
    }
    if arguments.from.as_os_str() == "-" {
        return Err(Failure::usage(format!(
            "{name} is not set, and the password cannot be read from standard input, which has the documents"
        )));
    }
    if io::stdin().is_terminal() {
        eprint!("Password of the API user: ");
    }
    Ok(Password::new(read_line()?)?)
}

/// Where the results of a batch go.
struct Results<D> {
    checkpoint: Option<Checkpoint>,
    format: Format,
    sheet: Sheet,
    bar: ProgressBar,
    made: usize,
    failed: usize,
    kind: std::marker::PhantomData<D>,
}

impl<D: Document> Results<D> {
    fn new(format: Format, total: usize) -> Self {
        let bar = ProgressBar::new(total as u64);
        let style = ProgressStyle::with_template("{bar:14} {pos}/{len} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let sheet = Sheet::new(D::COLUMNS);
        Self { checkpoint: None, format, sheet, bar, made: 0, failed: 0, kind: std::marker::PhantomData }
    }

    /// Takes results until the end. Ctrl-C or SIGTERM sets `stopped`, so that
    /// nothing more is sent, and it waits for the answers in flight. A second one
    /// gives up.
    async fn collect(
        &mut self,
        mut batch: BatchStream<D, D::Made, Lines<D>>,
        stopped: &AtomicBool,
    ) -> Result<(), Failure> {
        let mut signals = Signals::new()?;
        let mut exit = Exit::Interrupted;
        let patience = tokio::time::sleep(Duration::MAX);
        tokio::pin!(patience);
        loop {
            let item = tokio::select! {
                item = batch.next() => item,
                signal = signals.next() => {
                    exit = signal;
                    if stopped.swap(true, Ordering::Relaxed) {
                        break;
                    }
                    self.bar.suspend(|| eprintln!("Stopping; waiting a few seconds for the answers in flight."));
                    patience.as_mut().reset(tokio::time::Instant::now() + DRAIN);
                    continue;
                }
                () = &mut patience => break,
            };
            let Some(item) = item else { break };
            let outcome = match &item.result {
                Ok(made) => Outcome::Made(D::made(made)),
                Err(error) => Outcome::Error(error.into()),
            };
            let record = Record { key: item.document.key(), outcome };
            // First the note, then the news.
            if let Some(checkpoint) = &mut self.checkpoint {
                checkpoint.note(&record)?;
            }
            self.show(record)?;
        }
        if stopped.load(Ordering::Relaxed) {
            return Err(Failure::new(exit, "stopped").hint(
                "Run the same command to continue: it finds the documents that exist. --checkpoint saves the look-ups.",
            ));
        }
        match self.failed {
            0 => Ok(()),
            1 => Err(Failure::new(Exit::Partial, "1 document failed")),
            failed => Err(Failure::new(Exit::Partial, format!("{failed} documents failed"))),
        }
    }

    fn show(&mut self, record: Record) -> Result<(), Failure> {
        let (number, found, error) = match &record.outcome {
            Outcome::Made(made) => {
                self.made += 1;
                (D::number(made), made["found"].clone(), Value::Null)
            }
            Outcome::Error(problem) => {
                self.failed += 1;
                (Value::Null, Value::Null, problem.message.as_str().into())
            }
        };
        self.bar.inc(1);
        self.bar.set_message(format!("{} made, {} failed", self.made, self.failed));
        if self.format == Format::Json {
            return Ok(self.bar.suspend(|| -> io::Result<()> {
                let mut line = serde_json::to_vec(&record)?;
                line.push(b'\n');
                Out.write_all(&line)
            })?);
        }
        let Key { kind, number: document, date } = record.key;
        self.sheet.row(vec![kind.into(), document.into(), date.into(), number, found, error]);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        if self.format != Format::Json {
            self.sheet.print(self.format)?;
        }
        eprintln!("{} made, {} failed", self.made, self.failed);
        Ok(())
    }
}
