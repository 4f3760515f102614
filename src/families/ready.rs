//! Waits for answers that GSTN has to prepare first.

use std::time::{Duration, Instant};

use crate::{CodeMeaning, Error};

/// Repeats a call until GSTN has prepared its answer, for at most `longest`.
///
/// GSTN queues large lists and statements, and sends the minutes that it needs: such a
/// call fails with [`Error::is_not_ready`]. A save or reset fails without effect while an
/// earlier one is still being processed ([`CodeMeaning::Busy`]). This function repeats
/// both after the wait that GSTN sent, or after 30 seconds; it returns any other error at
/// once.
///
/// ```
/// # #[cfg(feature = "mock")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use sandbox_client::{values::Section, wait_until_ready};
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let session = mock.session()?;
///
/// let hour = Duration::from_secs(3600);
/// let list = wait_until_ready(hour, async || session.ims().invoices(Section::B2b, None).await).await?;
/// # assert_eq!(list.invoices.len(), 12);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "mock"))]
/// # fn main() {}
/// ```
///
/// # Errors
///
/// The errors of the call; its last error if the next wait would end after `longest`.
pub async fn wait_until_ready<T>(
    longest: Duration,
    mut call: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    const PAUSE: Duration = Duration::from_secs(30);
    const SHORTEST: Duration = Duration::from_secs(1);
    let started = Instant::now();
    loop {
        let error = match call().await {
            Err(error) if passes(&error) => error,
            outcome => return outcome,
        };
        let pause = error.retry_after().unwrap_or(PAUSE).max(SHORTEST);
        if pause > longest.saturating_sub(started.elapsed()) {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
    }
}

fn passes(error: &Error) -> bool {
    error.is_retryable() && matches!(error.meaning(), Some(CodeMeaning::NotReady | CodeMeaning::Busy))
}
