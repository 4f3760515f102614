//! What e-invoices and e-way bills share: documents that are made once, and
//! changed on the server that made them.

use std::time::Duration;

use crate::{CodeMeaning, Error, client::ClientState, field, values::NicServer};

/// The reason of a cancellation. E-invoices and e-way bills number the
/// reasons differently; the SDK sends the right number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelReason {
    /// It is a duplicate.
    Duplicate,
    /// A mistake in the data.
    DataEntryMistake,
    /// The order was cancelled.
    OrderCancelled,
    /// Another reason; describe it in the remark.
    Other,
}

/// How often a document is sent that cannot be found after a lost answer.
const ROUNDS: u32 = 3;
/// How long to wait before it is sent once more: the request may still be in progress.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes a document once, whatever happens to the answer; whether it was found
/// rather than made by the answer that arrived.
///
/// A document whose answer was lost is looked for before it is sent again. What
/// is sent again and exists is refused as a duplicate, so there are never two.
pub(super) async fn once<T, G, F>(
    generate: impl Fn() -> G,
    find: impl Fn() -> F,
    is_duplicate: impl Fn(&Error) -> bool,
) -> Result<(T, bool), Error>
where
    G: Future<Output = Result<T, Error>>,
    F: Future<Output = Result<Option<T>, Error>>,
{
    let mut round = 1;
    loop {
        let error = match generate().await {
            Ok(made) => return Ok((made, false)),
            Err(error) => error,
        };
        let duplicate = is_duplicate(&error);
        if !duplicate && !error.maybe_processed() {
            return Err(error);
        }
        match find().await {
            Ok(Some(found)) => return Ok((found, true)),
            Ok(None) if !duplicate && round < ROUNDS => {
                tokio::time::sleep(PAUSE * round).await;
                round += 1;
            }
            // The first error says that the document may exist.
            Ok(None) | Err(_) => return Err(error),
        }
    }
}

/// Whether the portal says that it has this document already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    error.meaning() == Some(CodeMeaning::Duplicate)
}

impl ClientState {
    /// The server to send to for a document that was made on this one.
    pub(super) fn server_of(&self, made_on: NicServer) -> Result<NicServer, Error> {
        match self.nic_server() {
            Some(server) if server != made_on => Err(Error::input(
                field::X_SOURCE,
                format!("must be {made_on}, where the document was made; this session is on {server}"),
            )
            .with_advice("use a session on that server: `Session::on`")),
            _ => Ok(made_on),
        }
    }

    /// The server that the session is on, as far as it is known.
    pub(super) fn nic_server(&self) -> Option<NicServer> {
        self.auth()?.route.server?.parse().ok()
    }

    /// The server on which this session makes documents.
    pub(super) fn server_of_new(&self) -> NicServer {
        self.nic_server().unwrap_or_default()
    }
}
