//! `sandbox sweep`: the counts of a whole firm, or something else about each taxpayer.

mod counts;
pub mod gstr_2b;
mod progress;
mod record;
mod report;
pub mod returns;
mod source;
mod subject;
mod summary;
mod tally;
mod taxpayers;
mod view;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sandbox_client::{Client, CreditInPeriod, FiledInPeriod, TaxpayerId};

use super::{
    arguments::{Shared, Sweep, SweepOf},
    checkpoint::Checkpoint,
    connection::Connection,
    failure::{Exit, Failure},
    output, page,
    signals::Signals,
};
use counts::Counts;
use gstr_2b::Gstr2b;
use progress::Progress;
use record::{Noted, Record};
use returns::Returns;
use source::Source;
use subject::Subject;
use tally::Tally;
use view::View;

/// How long a stopped sweep waits for the answers to what it has asked.
const DRAIN: Duration = Duration::from_secs(5);

/// Why a sweep that was stopped is partial.
const INTERRUPTED: &str = "stopped before its end";

pub async fn run(shared: &Shared, arguments: &Sweep) -> Result<(), Failure> {
    match &arguments.of {
        None => ask(shared, arguments, Counts, arguments.goods.types()).await,
        Some(SweepOf::Returns(of)) => {
            ask(shared, arguments, Returns::from(of), vec![FiledInPeriod(of.period)]).await
        }
        Some(SweepOf::Gstr2b(of)) => ask(shared, arguments, Gstr2b, vec![CreditInPeriod(of.period)]).await,
    }
}

async fn ask<S: Subject>(
    shared: &Shared,
    arguments: &Sweep,
    subject: S,
    tasks: Vec<S::Task>,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.report {
        page::check(path)?;
    }
    let connection = Connection::open(shared).await?;
    let taxpayers = taxpayers(&connection, arguments).await?;
    let total = taxpayers.len() * tasks.len();

    let mut sweep = Run {
        subject,
        checkpoint: None,
        view: View::new::<S>(shared.format, arguments.only_open)?,
        tally: Tally::new(),
        progress: Progress::new(total, connection.per_minute),
        partial: None,
    };
    let mut answered = HashSet::new();
    if let Some(path) = &arguments.checkpoint {
        let (checkpoint, noted) = Checkpoint::open::<Noted<S>>(path, "sweep", connection.service())?;
        let asked: HashSet<&TaxpayerId> = taxpayers.iter().collect();
        for record in record::latest(noted) {
            let again = arguments.retry_failed && record.outcome.is_err();
            if asked.contains(&record.taxpayer) && tasks.contains(&record.task) && !again {
                answered.insert((record.taxpayer.clone(), record.task.to_string()));
                sweep.progress.recall();
                sweep.show(&record)?;
            }
        }
        sweep.checkpoint = Some(checkpoint);
        if !answered.is_empty() {
            sweep.progress.say(&format!("The checkpoint has {} of {total} answers.", answered.len()));
        }
    }

    let stopped = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&stopped);
    // In a shared sweep, what is not wanted counts as answered: a stop must not look so.
    let alone = arguments.share.is_none();
    let request =
        connection.client.sweep(taxpayers).tasks(tasks).concurrency(arguments.concurrency.into()).only(
            move |taxpayer, task: &S::Task| {
                let stopped = alone && ends.load(Ordering::Relaxed);
                !stopped && !answered.contains(&(taxpayer.clone(), task.to_string()))
            },
        );
    let source = Source::open(request, arguments.share.as_deref()).await?;
    if let Some(name) = &arguments.share {
        sweep.progress.say(&format!("Sharing the sweep {name}: the output has the part of this machine."));
    }
    sweep.progress.begin();
    let outcome = sweep.collect(&connection.client, source, &stopped).await;
    // The others' part of a shared sweep is not awaited here.
    let all_answered = arguments.share.is_none() && sweep.tally.calls == total;
    let partial = sweep.partial.or(outcome.is_err().then_some("it ended early")).filter(|_| !all_answered);
    sweep.finish()?;
    let report = arguments.report.as_ref();
    match (outcome, report.map_or(Ok(()), |path| page::write(path, &report::page(&sweep.tally, partial)))) {
        (Ok(()), written) => written,
        (outcome, Ok(())) => outcome,
        (outcome, Err(unwritten)) => {
            unwritten.report();
            outcome
        }
    }
}

/// Who is asked: a file's taxpayers, or those with a saved session.
async fn taxpayers(connection: &Connection, arguments: &Sweep) -> Result<Vec<TaxpayerId>, Failure> {
    let Some(path) = &arguments.from else {
        let saved = connection.taxpayers()?;
        return if saved.is_empty() {
            Err(Failure::new(Exit::OtpNeeded, "no session is saved")
                .hint("Open some with `sandbox login`, or list taxpayers in --from firm.csv"))
        } else {
            Ok(saved)
        };
    };
    let taxpayers = taxpayers::read(path, |text| connection.gstin(text))?;
    if let Some(demo) = connection.demo() {
        demo.sign_in(&connection.client, &taxpayers).await?;
    }
    Ok(taxpayers)
}

/// A running sweep: where its answers go.
struct Run<S: Subject> {
    subject: S,
    checkpoint: Option<Checkpoint>,
    view: View,
    tally: Tally<S>,
    progress: Progress,
    /// Why the sweep was stopped, if it was.
    partial: Option<&'static str>,
}

impl<S: Subject> Run<S> {
    /// Takes answers until the end. Ctrl-C or SIGTERM sets `stopped`, so that nothing more
    /// is asked, and it waits for the answers in flight: they are paid for. A
    /// second one gives them up.
    async fn collect(
        &mut self,
        client: &Client,
        mut source: Source<S::Task>,
        stopped: &AtomicBool,
    ) -> Result<(), Failure> {
        let mut signals = Signals::new()?;
        let mut exit = Exit::Interrupted;
        let patience = tokio::time::sleep(Duration::MAX);
        tokio::pin!(patience);
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            let stopping = stopped.load(Ordering::Relaxed);
            let item = tokio::select! {
                item = source.next() => item?,
                signal = signals.next() => {
                    exit = signal;
                    if stopping {
                        break;
                    }
                    self.partial = Some(INTERRUPTED);
                    self.progress.say("Stopping; waiting a few seconds for the answers in flight.");
                    stopped.store(true, Ordering::Relaxed);
                    source.stop();
                    patience.as_mut().reset(tokio::time::Instant::now() + DRAIN);
                    continue;
                }
                () = &mut patience => break,
                _ = second.tick() => {
                    self.progress.pause(client.paused_for());
                    continue;
                }
            };
            let Some(item) = item else { break };
            let record = Record::<S>::from(item);
            // First the note, then the news: what was shown is never asked again.
            if let Some(checkpoint) = &mut self.checkpoint {
                checkpoint.note(&record)?;
            }
            self.show(&record)?;
            self.progress.advance(self.tally.failures(), self.tally.without_session());
            if output::reader_is_gone() && !stopped.swap(true, Ordering::Relaxed) {
                self.partial = Some("the reader of the output closed it");
                source.stop();
                patience.as_mut().reset(tokio::time::Instant::now() + DRAIN);
            }
        }
        if self.partial == Some(INTERRUPTED) {
            return Err(Failure::new(exit, "stopped").hint(match self.checkpoint {
                Some(_) => "Run the same command to resume.",
                None => "A sweep with --checkpoint FILE can be resumed.",
            }));
        }
        match self.tally.failures() {
            0 => self.all_ready(),
            1 => Err(Failure::new(Exit::Partial, "1 call failed")),
            failed => {
                let failed = output::grouped(&failed.to_string());
                Err(Failure::new(Exit::Partial, format!("{failed} calls failed")))
            }
        }
    }

    fn all_ready(&self) -> Result<(), Failure> {
        let waiting = match self.tally.not_ready() {
            0 => return Ok(()),
            1 => "1 answer is".to_owned(),
            many => format!("{} answers are", output::grouped(&many.to_string())),
        };
        let failure = Failure::new(Exit::NotReady, format!("{waiting} {}", S::NOT_READY.to_lowercase()));
        Err(failure.hint(match self.checkpoint {
            Some(_) => "Later, the same command with --retry-failed asks again for what is missing.",
            None => "Ask again later; with --checkpoint FILE for what is missing alone.",
        }))
    }

    fn show(&mut self, record: &Record<S>) -> Result<(), Failure> {
        self.tally.add(record, &self.subject);
        let (view, subject) = (&mut self.view, &self.subject);
        Ok(self.progress.aside(|| view.show(record, subject))?)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.progress.finish();
        self.view.finish(&self.tally)?;
        eprint!("{}", summary::text(&self.tally));
        Ok(())
    }
}
