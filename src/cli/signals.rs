//! Ctrl-C, and the signal by which service managers end a program.

use std::{
    io,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering},
};

use sandbox_client::Error;

use super::failure::{Exit, Failure};

/// The signals that ask a program to end.
///
/// Listened to from the start on: none that comes between two calls of
/// [`next`](Signals::next) is lost.
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    pub fn new() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }
        #[cfg(windows)]
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits for the next, and tells the exit code that it stands for.
    pub async fn next(&mut self) -> Exit {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
        #[cfg(windows)]
        {
            self.interrupt.recv().await;
            Exit::Interrupted
        }
    }
}

impl Signals {
    /// Lets something come to its end whose answer must not be lost, and tells
    /// the signal that came meanwhile. A second one gives it up.
    pub async fn after<T>(&mut self, work: impl Future<Output = T>) -> Result<(T, Option<Exit>), Failure> {
        let mut work = pin!(work);
        let exit = tokio::select! {
            done = &mut work => return Ok((done, None)),
            exit = self.next() => exit,
        };
        eprintln!("Stopping; waiting for the answer in flight.");
        tokio::select! {
            done = work => Ok((done, Some(exit))),
            exit = self.next() => Err(given_up(exit)),
        }
    }
}

fn given_up(exit: Exit) -> Failure {
    Failure::new(exit, "stopped while the request was in flight: it may have been processed")
}

/// Whether something is in flight that changes what the provider has.
static SENDING: AtomicBool = AtomicBool::new(false);

/// Sends something that changes what the provider has. Stopped meanwhile, it
/// says that this may have been processed, and where to `look`.
pub fn sending<'a, T: 'a>(
    work: impl Future<Output = Result<T, Error>> + 'a,
    look: &'a str,
) -> impl Future<Output = Result<Result<T, Error>, Failure>> + 'a {
    // A filing is a large future, which no caller needs on its stack.
    let work = Box::pin(work);
    sent(work, look)
}

async fn sent<T>(
    work: Pin<Box<impl Future<Output = Result<T, Error>>>>,
    look: &str,
) -> Result<Result<T, Error>, Failure> {
    let mut signals = Signals::new()?;
    SENDING.store(true, Ordering::SeqCst);
    let result = tokio::select! {
        result = work => result,
        exit = signals.next() => {
            return Err(given_up(exit).hint(look));
        }
    };
    SENDING.store(false, Ordering::SeqCst);
    // Once they were listened to, signals end the program no more by themselves.
    tokio::spawn(async move {
        loop {
            let exit = signals.next().await;
            // What is sent next tells by itself that it was stopped.
            if !SENDING.load(Ordering::SeqCst) {
                std::process::exit(exit as i32);
            }
        }
    });
    Ok(result)
}
