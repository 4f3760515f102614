//! One question about each taxpayer of a firm, such as the invoice counts, in one stream.

mod counts;
#[cfg(feature = "gstr_2b")]
mod credit;
#[cfg(feature = "returns_common")]
mod filed;
#[cfg(feature = "redis")]
mod shared;
mod task;

use std::{
    fmt, panic,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::stream::{Stream, StreamExt};
use tokio::task::{JoinError, JoinSet};

#[cfg(feature = "gstr_2b")]
pub use credit::CreditInPeriod;
#[cfg(feature = "returns_common")]
pub use filed::FiledInPeriod;
#[cfg(feature = "redis")]
pub use shared::SharedSweep;
pub use task::SweepTask;

use crate::{Client, Error, TaxpayerId, ims::types::TypeOfGoods};

/// Groups of goods that are asked for where none are named.
const ALL_GOODS: [TypeOfGoods; 3] = [TypeOfGoods::Others, TypeOfGoods::InwardSupplies, TypeOfGoods::Imports];
/// More calls at once would wait for the rate limit for so long that a token
/// could end meanwhile.
const MOST_AT_ONCE: usize = 256;

/// A sweep before it starts; see [`Client::sweep`].
#[must_use = "nothing is asked before `start`"]
pub struct Sweep<I, T = TypeOfGoods> {
    client: Client,
    taxpayers: I,
    tasks: Vec<T>,
    concurrency: usize,
    wanted: Option<Wanted<T>>,
}

pub(crate) type Wanted<T> = Box<dyn Fn(&TaxpayerId, &T) -> bool + Send>;

/// One answer of a sweep.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SweepItem<T: SweepTask = TypeOfGoods> {
    /// The taxpayer.
    pub taxpayer: TaxpayerId,
    /// The task: for counts, the group of goods.
    pub task: T,
    /// The answer or the error.
    pub result: Result<T::Output, Error>,
}

/// A running sweep. Call [`next`](SweepStream::next) for each item, or use it as
/// a [`Stream`]; drop it to stop.
pub struct SweepStream<T: SweepTask = TypeOfGoods> {
    client: Client,
    left: Box<dyn Iterator<Item = (TaxpayerId, T)> + Send>,
    concurrency: usize,
    /// Tasks, so that a call never waits for the caller: it would keep its
    /// permit, and a login that others wait for, until the next `next`.
    in_flight: JoinSet<SweepItem<T>>,
}

impl Client {
    /// Counts the invoices of any number of taxpayers, given as
    /// [`TaxpayerId`]s or pairs of GSTIN and user name. [`Sweep::tasks`] makes other calls instead.
    ///
    /// Every taxpayer and group of goods becomes one [`SweepItem`], in the order in which
    /// answers arrive. A failure is an item like the others and does not stop the sweep.
    ///
    /// - **Sessions** are taken from the client's token store when
    ///   they are needed, and refreshed as in any call. If none is valid, the item is a
    ///   [`SessionExpired`](crate::ErrorKind::SessionExpired) error, and nothing is sent.
    /// - **Rate limit**: all calls keep to the limit of the client. The wait for it may
    ///   take hours in a large sweep and does not count against the call timeout, which
    ///   limits only sending and retrying.
    /// - **Memory** does not grow with the number of taxpayers: the sweep takes
    ///   one from the iterator when its call can start.
    /// - **Dropping** the stream stops it. It cancels the calls in
    ///   flight; they only read, so nothing is left half done.
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
            client: self.waiting_outside_deadline(),
            taxpayers: taxpayers.into_iter(),
            tasks: ALL_GOODS.to_vec(),
            concurrency: 16,
            wanted: None,
        }
    }
}

impl<I> Sweep<I> {
    /// The groups of goods to count, one call each. Default: all three.
    pub fn goods(mut self, goods: impl IntoIterator<Item = TypeOfGoods>) -> Self {
        self.tasks = goods.into_iter().collect();
        self
    }
}

impl<I, T: SweepTask> Sweep<I, T> {
    /// Makes other calls for each taxpayer, one for each task. Call it
    /// before [`only`](Sweep::only).
    ///
    /// ```
    /// # #[cfg(all(feature = "mock", feature = "returns_common"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sandbox_client::{FiledInPeriod, TaxpayerId, values::ReturnPeriod};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let client = mock.client()?;
    /// # let firm: Vec<TaxpayerId> = Vec::new();
    /// let october = FiledInPeriod(ReturnPeriod::new(2026, 10)?);
    /// let mut sweep = client.sweep(firm).tasks([october]).start();
    /// while let Some(item) = sweep.next().await {
    ///     let filed = item.result?;
    ///     let sales = filed.iter().any(|filed| filed.rtntype.as_deref() == Some("GSTR1"));
    ///     println!("{}: {}", item.taxpayer.gstin, if sales { "filed" } else { "not filed" });
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "mock", feature = "returns_common")))]
    /// # fn main() {}
    /// ```
    pub fn tasks<U: SweepTask>(self, tasks: impl IntoIterator<Item = U>) -> Sweep<I, U> {
        let Self { client, taxpayers, concurrency, .. } = self;
        Sweep { client, taxpayers, tasks: tasks.into_iter().collect(), concurrency, wanted: None }
    }

    /// Maximum number of calls that are in flight or wait for the rate limit. Default
    /// 16, clamped to 1 to 256.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.clamp(1, MOST_AT_ONCE);
        self
    }

    /// Makes only the calls that `wanted` approves: to resume a sweep, exclude
    /// the calls that were answered.
    pub fn only(mut self, wanted: impl Fn(&TaxpayerId, &T) -> bool + Send + 'static) -> Self {
        self.wanted = Some(Box::new(wanted));
        self
    }

    /// Shares the sweep with other workers: each taxpayer is taken by one of them, and if
    /// a worker dies, the others take over its taxpayers half a minute later. `name`
    /// identifies this sweep for a week: a new sweep needs a new name. All workers must
    /// pass the same taxpayers in the same order. Sweeps with
    /// other tasks are kept apart, whatever their names are.
    ///
    /// Only calls that are not recorded as answered are taken over: those
    /// that were in flight are sent again.
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
    /// taxpayers; [`Transport`](crate::ErrorKind::Transport) if the server
    /// is out of reach.
    #[cfg(feature = "redis")]
    pub async fn share(self, name: &str) -> Result<SharedSweep<T>, Error>
    where
        I: Iterator<Item: Into<TaxpayerId>>,
    {
        let Self { client, taxpayers, tasks, concurrency, wanted } = self;
        let redis = client.redis().ok_or_else(|| {
            Error::config(crate::field::REDIS, "is missing: workers share a sweep over a Redis server")
                .with_advice("name one with `ClientBuilder::redis`")
        })?;
        // Another question is another list: who asks less would cross a taxpayer off who
        // is not done. Counts of all goods have the name alone, as before there were others.
        let (asked, usual) = (questions(&tasks), questions(&ALL_GOODS));
        let name = if asked == usual { name.to_owned() } else { name.to_owned() + &asked.concat() };
        let work_queue = crate::redis::WorkQueue::new(redis, client.state().platform().key(), &name);
        let firm = taxpayers.map(Into::into).collect();
        SharedSweep::join(client, work_queue, firm, (tasks, concurrency, wanted)).await
    }

    /// Starts the sweep. The first calls are made when you request the first
    /// item, and another one with each item that you take.
    ///
    /// # Panics
    ///
    /// The stream panics outside a tokio runtime, like every call.
    pub fn start(self) -> SweepStream<T>
    where
        I: Iterator<Item: Into<TaxpayerId>> + Send + 'static,
    {
        let Self { client, taxpayers, tasks, concurrency, wanted } = self;
        let calls = taxpayers.flat_map(move |taxpayer| {
            let taxpayer = taxpayer.into();
            tasks.clone().into_iter().map(move |task| (taxpayer.clone(), task))
        });
        let calls =
            calls.filter(move |(taxpayer, task)| wanted.as_ref().is_none_or(|wanted| wanted(taxpayer, task)));
        SweepStream { client, left: Box::new(calls.fuse()), concurrency, in_flight: JoinSet::new() }
    }
}

/// What is asked of each taxpayer, in one order.
#[cfg(feature = "redis")]
fn questions<T: SweepTask>(tasks: &[T]) -> Vec<String> {
    let mut questions: Vec<_> = tasks.iter().map(|task| format!("\n{} {task}", T::OPERATION)).collect();
    questions.sort_unstable();
    questions
}

/// A task that is not aborted ends otherwise only by a panic.
pub(crate) fn passed_on(error: JoinError) -> ! {
    panic::resume_unwind(error.into_panic())
}

pub(crate) async fn ask<T: SweepTask>(client: Client, taxpayer: TaxpayerId, task: T) -> SweepItem<T> {
    let result = answer_to(&client, &taxpayer, &task).await;
    SweepItem { taxpayer, task, result }
}

async fn answer_to<T: SweepTask>(
    client: &Client,
    taxpayer: &TaxpayerId,
    task: &T,
) -> Result<T::Output, Error> {
    let taxpayer = client.taxpayer(taxpayer.gstin, taxpayer.username.clone())?;
    match taxpayer.restore().await.map_err(|error| error.in_operation(T::OPERATION))? {
        Some(session) => task.ask(session).await,
        None => Err(Error::session_over().in_operation(T::OPERATION)),
    }
}

impl<T: SweepTask> SweepStream<T> {
    /// The next answer, in order of arrival; `None` at the end. Cancel
    /// safe: no answer is lost.
    pub async fn next(&mut self) -> Option<SweepItem<T>> {
        StreamExt::next(self).await
    }
}

impl<T: SweepTask> Stream for SweepStream<T> {
    type Item = SweepItem<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SweepItem<T>>> {
        while self.in_flight.len() < self.concurrency
            && let Some((taxpayer, task)) = self.left.next()
        {
            let call = ask(self.client.clone(), taxpayer, task);
            self.in_flight.spawn(call);
        }
        let answered = ready!(self.in_flight.poll_join_next(context));
        Poll::Ready(answered.map(|item| item.unwrap_or_else(|error| passed_on(error))))
    }
}

impl<I, T: fmt::Debug> fmt::Debug for Sweep<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("tasks", &self.tasks)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

impl<T: SweepTask> fmt::Debug for SweepStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweepStream").field("in_flight", &self.in_flight.len()).finish_non_exhaustive()
    }
}
