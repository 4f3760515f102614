//! A sweep that several workers share.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{SweepItem, SweepTask, Wanted, ask, passed_on};
use crate::{
    Client, Error, TaxpayerId,
    ims::types::TypeOfGoods,
    redis::{Entry, HEARTBEAT, TRY_AGAIN, WorkQueue},
};

/// This worker's part of a shared sweep; see [`Sweep::share`](crate::Sweep::share).
pub struct SharedSweep<T: SweepTask = TypeOfGoods> {
    client: Client,
    work_queue: Arc<WorkQueue>,
    tasks: Vec<T>,
    concurrency: usize,
    wanted: Option<Wanted<T>>,
    /// What this worker has taken and not finished.
    held: Arc<Mutex<HashMap<String, Held<T>>>>,
    queue: VecDeque<(String, TaxpayerId, T)>,
    calls: JoinSet<(String, SweepItem<T>)>,
    /// The item that was handed out last, to be noted when the next is asked for.
    handed: Option<(String, T)>,
    /// Taxpayers of whom something is to be noted on the list.
    to_note: Vec<String>,
    /// When the list may have something new.
    look_at: Instant,
    stopped: bool,
    holding: AbortHandle,
}

/// The tasks of one taxpayer.
struct Held<T> {
    answered: Vec<T>,
    left: usize,
}

impl<T: SweepTask> SharedSweep<T> {
    pub(crate) async fn join(
        client: Client,
        work_queue: WorkQueue,
        firm: Vec<TaxpayerId>,
        (tasks, concurrency, wanted): (Vec<T>, usize, Option<Wanted<T>>),
    ) -> Result<Self, Error> {
        work_queue.fill(&firm).await?;
        let work_queue = Arc::new(work_queue);
        let held = Arc::new(Mutex::default());
        let holding = tokio::spawn(hold(Arc::clone(&work_queue), Arc::clone(&held))).abort_handle();
        Ok(Self {
            client,
            work_queue,
            tasks,
            concurrency,
            wanted,
            held,
            queue: VecDeque::new(),
            calls: JoinSet::new(),
            handed: None,
            to_note: Vec::new(),
            look_at: Instant::now(),
            stopped: false,
            holding,
        })
    }

    /// Takes no more taxpayers: [`next`](SharedSweep::next) returns the answers in flight
    /// and then `None`. The other workers take over the remaining taxpayers of this one
    /// half a minute later.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.queue.clear();
    }

    /// The next answer; `None` when every taxpayer of the list is done by
    /// some worker. Until then it waits, to take over if another worker dies.
    ///
    /// A call of `next` confirms that the previous answer is stored: store
    /// it first. Cancel safe: no answer is lost.
    ///
    /// # Errors
    ///
    /// If the list is gone from the server. While the server is
    /// unreachable, this waits for it and continues with the taxpayers that it has.
    pub async fn next(&mut self) -> Result<Option<SweepItem<T>>, Error> {
        if let Some((id, task)) = self.handed.take() {
            self.answered(id, task);
        }
        loop {
            self.note().await;
            self.start_calls();
            if self.stopped && self.calls.is_empty() {
                return Ok(None);
            }
            let room = if self.stopped { 0 } else { self.concurrency.saturating_sub(self.calls.len()) };
            if room > 0 && self.look_at <= Instant::now() && self.look(room).await? {
                return Ok(None);
            }
            if !self.queue.is_empty() && self.calls.len() < self.concurrency {
                continue;
            }
            let answer = if self.calls.is_empty() {
                sleep_until(self.look_at).await;
                None
            } else if room > 0 {
                timeout_at(self.look_at, self.calls.join_next()).await.ok().flatten()
            } else {
                self.calls.join_next().await
            };
            if let Some(answer) = answer {
                let (id, item) = answer.unwrap_or_else(|error| passed_on(error));
                self.handed = Some((id, item.task.clone()));
                return Ok(Some(item));
            }
        }
    }

    /// Takes more from the list; whether nothing is left on it.
    async fn look(&mut self, room: usize) -> Result<bool, Error> {
        let taken = self.work_queue.take(room.div_ceil(self.tasks.len().max(1))).await.transpose()?;
        // Nothing new: others are at the rest, or the server is away.
        if taken.as_ref().is_none_or(|taken| taken.entries.is_empty()) {
            self.look_at = Instant::now() + TRY_AGAIN;
        }
        let Some(taken) = taken else { return Ok(false) };
        for entry in taken.entries {
            self.take(entry);
        }
        Ok(taken.open == 0)
    }

    fn take(&mut self, entry: Entry) {
        let Entry { id, taxpayer, answered } = entry;
        // Its own, after a long silence: it is at it still.
        if self.lock().contains_key(&id) {
            return;
        }
        let answered: Vec<T> = answered.split(',').filter_map(|task| task.parse().ok()).collect();
        let left: Vec<_> = self.tasks.iter().filter(|task| !answered.contains(*task)).cloned().collect();
        self.lock().insert(id.clone(), Held { answered, left: left.len() });
        if left.is_empty() {
            self.to_note.push(id.clone());
        }
        self.queue.extend(left.into_iter().map(|task| (id.clone(), taxpayer.clone(), task)));
    }

    fn start_calls(&mut self) {
        while self.calls.len() < self.concurrency
            && let Some((id, taxpayer, task)) = self.queue.pop_front()
        {
            if self.wanted.as_ref().is_some_and(|wanted| !wanted(&taxpayer, &task)) {
                self.answered(id, task);
                continue;
            }
            let client = self.client.clone();
            self.calls.spawn(async move { (id, ask(client, taxpayer, task).await) });
        }
    }

    fn answered(&mut self, id: String, task: T) {
        if let Some(held) = self.lock().get_mut(&id) {
            held.answered.push(task);
            held.left = held.left.saturating_sub(1);
        }
        self.to_note.push(id);
    }

    /// Notes on the list what is answered. What cannot be noted now is later.
    async fn note(&mut self) {
        while let Some(id) = self.to_note.last().cloned() {
            let answered = match self.lock().get(&id) {
                None => None,
                Some(held) if held.left == 0 => Some(String::new()),
                Some(held) => {
                    Some(held.answered.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                }
            };
            if let Some(answered) = answered {
                let Some(still_held) = self.work_queue.done(&id, &answered).await else { return };
                if answered.is_empty() || !still_held {
                    self.lock().remove(&id);
                }
                if !still_held {
                    self.queue.retain(|(queued, ..)| *queued != id);
                }
            }
            self.to_note.pop();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Held<T>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says every few seconds that this worker is there, even while nobody asks for its answers.
async fn hold<T>(work_queue: Arc<WorkQueue>, held: Arc<Mutex<HashMap<String, Held<T>>>>) {
    loop {
        sleep(HEARTBEAT).await;
        let ids: Vec<_> = held.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        if !ids.is_empty() {
            work_queue.hold(&ids).await;
        }
    }
}

impl<T: SweepTask> Drop for SharedSweep<T> {
    fn drop(&mut self) {
        self.holding.abort();
    }
}

impl<T: SweepTask> fmt::Debug for SharedSweep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSweep")
            .field("tasks", &self.tasks)
            .field("under_way", &self.calls.len())
            .finish_non_exhaustive()
    }
}
