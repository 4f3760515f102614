//! The invoice counts of a whole firm, in one stream.

#[cfg(feature = "redis")]
mod shared;

use std::{
    fmt, panic,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::stream::{Stream, StreamExt};
use tokio::task::{JoinError, JoinSet};

#[cfg(feature = "redis")]
pub use shared::SharedSweep;

use crate::{Client, Error, TaxpayerId, ims::types::TypeOfGoods, values::InvoiceCounts};

/// Groups of goods that are asked for where none are named.
const ALL_GOODS: [TypeOfGoods; 3] = [TypeOfGoods::Others, TypeOfGoods::InwardSupplies, TypeOfGoods::Imports];
/// More calls at once would wait for the rate limit for so long that a token
/// could end meanwhile.
const MOST_AT_ONCE: usize = 256;

/// A sweep before it starts; see [`Client::sweep`].
#[must_use = "nothing is asked before `start`"]
pub struct Sweep<I> {
    client: Client,
    taxpayers: I,
    goods: Vec<TypeOfGoods>,
    concurrency: usize,
    wanted: Option<Wanted>,
}

pub(crate) type Wanted = Box<dyn Fn(&TaxpayerId, TypeOfGoods) -> bool + Send>;

/// One answer of a sweep.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SweepItem {
    /// Whose counts these are.
    pub taxpayer: TaxpayerId,
    /// Which group of goods was counted.
    pub type_of_goods: TypeOfGoods,
    /// The counts, or why there are none.
    pub result: Result<InvoiceCounts, Error>,
}

/// A running sweep. Call [`next`](SweepStream::next) for each item, or use it as
/// a [`Stream`]; drop it to stop.
pub struct SweepStream {
    client: Client,
    left: Box<dyn Iterator<Item = (TaxpayerId, TypeOfGoods)> + Send>,
    concurrency: usize,
    /// Tasks, so that a call never waits for the caller: it would keep its
    /// place, and a login or a turn that others wait for, until the next `next`.
    under_way: JoinSet<SweepItem>,
}

impl Client {
    /// Counts the invoices of any number of taxpayers, given as
    /// [`TaxpayerId`]s or pairs of GSTIN and user name.
    ///
    /// Every taxpayer and group of goods becomes one [`SweepItem`], in the
    /// order in which answers come. A failure is an item like the others and
    /// stops nothing.
    ///
    /// - **Sessions** are taken from the client's token store when their turn
    ///   comes, and refreshed as in any call. Where none lives the item is a
    ///   [`SessionExpired`](crate::ErrorKind::SessionExpired), and nothing is sent.
    /// - **Pace**: all calls keep to the client's rate limit. The wait for it
    ///   may take hours in a large sweep and does not count against the call
    ///   timeout, which here limits the sending and repeating alone.
    /// - **Memory** does not grow with the number of taxpayers: the iterator is
    ///   asked for one when there is a place for its call.
    /// - **Dropping** the stream stops it. Calls in flight are cancelled;
    ///   they only read, so nothing is left half done.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sandbox_client::{ims::types::TypeOfGoods, values::Gstin};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let client = mock.client()?;
    /// # let acme = client.taxpayer(Gstin::new("33ABKCS2033B1ZW")?, "acme.com")?;
    /// # acme.verify_otp("575757").await?;
    /// let firm = [
    ///     (Gstin::new("33ABKCS2033B1ZW")?, "acme.com".to_owned()),
    ///     (Gstin::new("27AACCA8432H2ZP")?, "nobody".to_owned()), // has no session
    /// ];
    /// let mut sweep = client.sweep(firm).goods([TypeOfGoods::Others]).start();
    /// while let Some(item) = sweep.next().await {
    ///     match item.result {
    ///         Ok(counts) => println!("{}: {} await action", item.taxpayer.gstin, counts.no_action()),
    ///         Err(error) => println!("{}: {error}", item.taxpayer.gstin),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn sweep<I, T>(&self, taxpayers: I) -> Sweep<I::IntoIter>
    where
        I: IntoIterator<Item = T>,
        T: Into<TaxpayerId>,
    {
        Sweep {
            client: self.patient(),
            taxpayers: taxpayers.into_iter(),
            goods: ALL_GOODS.to_vec(),
            concurrency: 16,
            wanted: None,
        }
    }
}

impl<I> Sweep<I> {
    /// The groups of goods to count, a call each. Default: all three.
    pub fn goods(mut self, goods: impl IntoIterator<Item = TypeOfGoods>) -> Self {
        self.goods = goods.into_iter().collect();
        self
    }

    /// Calls that are in flight or wait for the rate limit at once. Default
    /// 16; 1 to 256, other values are moved to the nearer end.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.clamp(1, MOST_AT_ONCE);
        self
    }

    /// Makes only the calls that `wanted` approves: to go on with a sweep that
    /// was stopped, leave out what it has answered.
    pub fn only(mut self, wanted: impl Fn(&TaxpayerId, TypeOfGoods) -> bool + Send + 'static) -> Self {
        self.wanted = Some(Box::new(wanted));
        self
    }

    /// Makes this worker one of many that go through the same firm: each
    /// taxpayer is taken by one of them, and what a worker that dies has left
    /// is taken over by the others half a minute later. `name` is that of this
    /// one sweep, for a week: a new sweep needs a new name. All workers give
    /// the same taxpayers in the same order.
    ///
    /// What is taken over is what was not noted as answered: the calls that
    /// were in flight are sent again, no others.
    ///
    /// ```no_run
    /// # async fn example(client: sandbox_client::Client, firm: Vec<sandbox_client::TaxpayerId>) -> Result<(), sandbox_client::Error> {
    /// let mut sweep = client.sweep(firm).share("november").await?;
    /// while let Some(item) = sweep.next().await? {
    ///     // Put it where it is to stay, then ask for the next.
    ///     println!("{}: {:?}", item.taxpayer.gstin, item.result);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) with the field `redis` for a client
    /// without a server, and with `name` for that of a sweep over other
    /// taxpayers; [`Transport`](crate::ErrorKind::Transport) where the server
    /// is out of reach.
    #[cfg(feature = "redis")]
    pub async fn share<T>(self, name: &str) -> Result<SharedSweep, Error>
    where
        I: Iterator<Item = T>,
        T: Into<TaxpayerId>,
    {
        let Self { client, taxpayers, goods, concurrency, wanted } = self;
        let redis = client.redis().ok_or_else(|| {
            Error::config("redis", "is missing: workers share a sweep over a Redis server")
                .advice("name one with `ClientBuilder::redis`")
        })?;
        let list = crate::redis::List::new(redis, client.state().platform().key(), name);
        let firm = taxpayers.map(Into::into).collect();
        SharedSweep::join(client, list, firm, (goods, concurrency, wanted)).await
    }

    /// Starts the sweep. The first calls are made when the first item is asked
    /// for, and another with each item that is taken.
    ///
    /// # Panics
    ///
    /// The stream panics outside a tokio runtime, as every call does.
    pub fn start<T>(self) -> SweepStream
    where
        I: Iterator<Item = T> + Send + 'static,
        T: Into<TaxpayerId>,
    {
        let Self { client, taxpayers, goods, concurrency, wanted } = self;
        let calls = taxpayers.flat_map(move |taxpayer| {
            let taxpayer = taxpayer.into();
            goods.clone().into_iter().map(move |goods| (taxpayer.clone(), goods))
        });
        let calls = calls
            .filter(move |(taxpayer, goods)| wanted.as_ref().is_none_or(|wanted| wanted(taxpayer, *goods)));
        SweepStream { client, left: Box::new(calls.fuse()), concurrency, under_way: JoinSet::new() }
    }
}

/// A task that is not aborted ends otherwise only by a panic.
pub(crate) fn passed_on(error: JoinError) -> ! {
    panic::resume_unwind(error.into_panic())
}

pub(crate) async fn count(client: Client, taxpayer: TaxpayerId, type_of_goods: TypeOfGoods) -> SweepItem {
    let result = counts_of(&client, &taxpayer, type_of_goods).await;
    SweepItem { taxpayer, type_of_goods, result }
}

async fn counts_of(
    client: &Client,
    taxpayer: &TaxpayerId,
    goods: TypeOfGoods,
) -> Result<InvoiceCounts, Error> {
    let taxpayer = client.taxpayer(taxpayer.gstin, taxpayer.username.clone())?;
    match taxpayer.restore().await.map_err(|error| error.in_operation("get_invoice_count"))? {
        Some(session) => session.ims().counts(goods).await,
        None => Err(Error::session_over().in_operation("get_invoice_count")),
    }
}

impl SweepStream {
    /// The next answer, in the order in which they come; `None` at the end.
    /// Safe to cancel: no answer is lost.
    pub async fn next(&mut self) -> Option<SweepItem> {
        StreamExt::next(self).await
    }
}

impl Stream for SweepStream {
    type Item = SweepItem;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SweepItem>> {
        while self.under_way.len() < self.concurrency
            && let Some((taxpayer, goods)) = self.left.next()
        {
            let call = count(self.client.clone(), taxpayer, goods);
            self.under_way.spawn(call);
        }
        let answered = ready!(self.under_way.poll_join_next(context));
        Poll::Ready(answered.map(|item| item.unwrap_or_else(|error| passed_on(error))))
    }
}

impl<I> fmt::Debug for Sweep<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("goods", &self.goods)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SweepStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweepStream").field("under_way", &self.under_way.len()).finish_non_exhaustive()
    }
}
