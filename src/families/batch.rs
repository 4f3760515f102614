//! Many documents, each made once.

use std::{
    fmt, panic,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::stream::{Fuse, Stream, StreamExt};
use tokio::task::JoinSet;

use crate::{BoxFuture, Error};

/// More at once would wait for the rate limit alone.
const MOST_AT_ONCE: usize = 256;

/// A batch before it starts: documents `D` of a stream `S`, each of which
/// becomes an `M`. Returned by `generate_all` of the family.
#[must_use = "nothing is sent before `start`"]
pub struct DocumentBatch<D, M, S> {
    documents: S,
    concurrency: usize,
    how: How<D, M>,
}

/// How documents are made.
pub(super) struct How<D, M> {
    /// Refuses what must not be sent: the second of two equal documents.
    pub admit: Box<Admit<D>>,
    pub make: Arc<Make<D, M>>,
}

type Admit<D> = dyn FnMut(&D) -> Result<(), Error> + Send;

type Make<D, M> = dyn Fn(D) -> BoxFuture<'static, (D, Result<M, Error>)> + Send + Sync;

/// One document of a batch, and its outcome.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem<D, M> {
    /// Its place in the batch, from 0.
    pub position: usize,
    /// The document that you passed.
    pub document: D,
    /// The registered document, or the error.
    pub result: Result<M, Error>,
}

/// A running batch. Call [`next`](BatchStream::next) for each result, or use it
/// as a [`Stream`].
///
/// Dropping it cancels the requests in flight: it is then unknown whether those
/// documents exist. Run the same batch again to find them.
pub struct BatchStream<D, M, S> {
    documents: Fuse<S>,
    concurrency: usize,
    how: How<D, M>,
    position: usize,
    in_flight: JoinSet<BatchItem<D, M>>,
    /// Refused without being sent.
    refused: Option<BatchItem<D, M>>,
}

impl<D, M, S> DocumentBatch<D, M, S>
where
    D: Send + Unpin + 'static,
    M: Send + Unpin + 'static,
    S: Stream<Item = D> + Unpin,
{
    pub(super) fn new(documents: S, how: How<D, M>) -> Self {
        Self { documents, concurrency: 16, how }
    }

    /// Maximum number of requests that are in flight or wait for the rate limit. Default
    /// 16, clamped to 1 to 256.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.clamp(1, MOST_AT_ONCE);
        self
    }

    /// Starts the batch. The first requests are sent when you request the
    /// first result.
    ///
    /// # Panics
    ///
    /// The stream panics outside a tokio runtime, like every call.
    pub fn start(self) -> BatchStream<D, M, S> {
        BatchStream {
            documents: self.documents.fuse(),
            concurrency: self.concurrency,
            how: self.how,
            position: 0,
            in_flight: JoinSet::new(),
            refused: None,
        }
    }
}

impl<D, M, S> BatchStream<D, M, S>
where
    D: Send + Unpin + 'static,
    M: Send + Unpin + 'static,
    S: Stream<Item = D> + Unpin,
{
    /// The next result; `None` at the end. Cancel safe: no result is lost.
    pub async fn next(&mut self) -> Option<BatchItem<D, M>> {
        StreamExt::next(self).await
    }

    fn begin(&mut self, document: D) {
        let position = self.position;
        self.position += 1;
        if let Err(error) = (self.how.admit)(&document) {
            self.refused = Some(BatchItem { position, document, result: Err(error) });
            return;
        }
        let make = Arc::clone(&self.how.make);
        // A task, so that a request never waits for the caller.
        self.in_flight.spawn(async move {
            let (document, result) = make(document).await;
            BatchItem { position, document, result }
        });
    }
}

impl<D, M, S> Stream for BatchStream<D, M, S>
where
    D: Send + Unpin + 'static,
    M: Send + Unpin + 'static,
    S: Stream<Item = D> + Unpin,
{
    type Item = BatchItem<D, M>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<BatchItem<D, M>>> {
        let mut ended = false;
        while self.refused.is_none() && self.in_flight.len() < self.concurrency {
            match self.documents.poll_next_unpin(context) {
                Poll::Ready(Some(document)) => self.begin(document),
                Poll::Ready(None) => {
                    ended = true;
                    break;
                }
                Poll::Pending => break,
            }
        }
        if let Some(refused) = self.refused.take() {
            return Poll::Ready(Some(refused));
        }
        match self.in_flight.poll_join_next(context) {
            Poll::Ready(Some(item)) => {
                Poll::Ready(Some(item.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()))))
            }
            Poll::Ready(None) if ended => Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<D, M, S> fmt::Debug for DocumentBatch<D, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentBatch").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

impl<D, M, S> fmt::Debug for BatchStream<D, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchStream").field("in_flight", &self.in_flight.len()).finish_non_exhaustive()
    }
}
