//! One list of taxpayers for all workers of a sweep, in a stream of the server
//! with one group of consumers.
//!
//! A taxpayer is on it until all answers are noted, so that its size
//! goes with what is open. Who takes one says every few seconds that it is
//! still at it; what a silent worker holds is taken over.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use hmac_sha256::Hash;
use redis::{Script, Value};

use super::{Inner, PREFIX, Redis, millis, script, seal::unique};
use crate::{Error, ErrorKind, TaxpayerId, TokenKey, field, hex::hex, values::Gstin};

/// A worker that was silent for so long is given up.
const DEAD_AFTER: Duration = Duration::from_secs(30);
/// How often a worker says that it is there.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(8);
/// How long it is remembered that a sweep is done.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// Taxpayers that are put on the list in one step.
const PART: usize = 500;

static FILL: LazyLock<Script> = script!("queue_fill");
static TAKE: LazyLock<Script> = script!("queue_take");
static DONE: LazyLock<Script> = script!("queue_done");
static HOLD: LazyLock<Script> = script!("queue_hold");

pub(crate) struct WorkQueue {
    redis: Arc<Inner>,
    stream: String,
    state: String,
    worker: String,
}

/// A taxpayer that this worker has taken.
pub(crate) struct Entry {
    pub id: String,
    pub taxpayer: TaxpayerId,
    /// Groups of goods that are answered already.
    pub answered: String,
}

pub(crate) struct Taken {
    /// Taxpayers that no worker has finished.
    pub open: u64,
    pub entries: Vec<Entry>,
}

impl WorkQueue {
    /// The list of that name under an API key, named by the key of its platform token.
    pub(crate) fn new(redis: &Redis, key: &TokenKey, name: &str) -> Self {
        let hash = Hash::hash(format!("{}{name}", key.id()).as_bytes());
        let stream = format!("{PREFIX}:sweep:{}:{}", hex(&hash[..16]), redis.0.seal.mark);
        Self { redis: Arc::clone(&redis.0), state: format!("{stream}:state"), stream, worker: unique() }
    }

    /// Puts the firm on the list, unless others have.
    pub(crate) async fn fill(&self, firm: &[TaxpayerId]) -> Result<(), Error> {
        let lines: Vec<_> = firm.iter().map(|id| format!("{}\n{}", id.gstin, id.username)).collect();
        let mut digest = Hash::new();
        for line in &lines {
            digest.update((line.len() as u64).to_be_bytes());
            digest.update(line);
        }
        let digest = hex(&digest.finalize());
        let mut filled = 0;
        loop {
            let part = lines.iter().skip(filled).take(PART);
            let mut fill = FILL.prepare_invoke();
            fill.key(&self.stream).key(&self.state).arg(&digest).arg(millis(RETENTION)).arg(filled);
            part.for_each(|line| {
                fill.arg(self.redis.seal.close(&self.stream, line));
            });
            let answer: i64 = self.redis.engine.run(&fill).await.ok_or_else(out_of_reach)?;
            match usize::try_from(answer) {
                Ok(now) if now >= lines.len() => return Ok(()),
                Ok(now) => filled = now,
                Err(_) => {
                    return Err(Error::config(field::NAME, "is the name of a sweep over other taxpayers")
                        .with_advice(
                            "give each sweep a name of its own, and all its workers the same taxpayers",
                        ));
                }
            }
        }
    }

    /// Takes up to so many taxpayers; `None` while the server is out of reach.
    pub(crate) async fn take(&self, count: usize) -> Option<Result<Taken, Error>> {
        let mut take = TAKE.prepare_invoke();
        take.key(&self.stream).key(&self.state).arg(&self.worker).arg(count);
        take.arg(millis(DEAD_AFTER)).arg(millis(RETENTION));
        let answer: Vec<Value> = self.redis.engine.run(&take).await?;
        Some(self.read(answer).ok_or_else(|| {
            Error::new(ErrorKind::Decode, "the shared list is gone from the Redis server, or is not ours")
                .with_advice("start the sweep again under another name")
        }))
    }

    fn read(&self, answer: Vec<Value>) -> Option<Taken> {
        let mut values = answer.into_iter();
        let open: i64 = redis::from_redis_value(values.next()?).ok()?;
        let open = u64::try_from(open).ok()?;
        let mut entries = Vec::new();
        while let (Some(id), Some(sealed), Some(answered)) = (values.next(), values.next(), values.next()) {
            let sealed: Vec<u8> = redis::from_redis_value(sealed).ok()?;
            let line = self.redis.seal.open(&self.stream, &sealed)?;
            let (gstin, username) = line.split_once('\n')?;
            entries.push(Entry {
                id: redis::from_redis_value(id).ok()?,
                taxpayer: TaxpayerId { gstin: Gstin::unchecked(gstin).ok()?, username: username.to_owned() },
                answered: redis::from_redis_value(answered).ok()?,
            });
        }
        Some(Taken { open, entries })
    }

    /// Notes what is answered of a taxpayer, or that all is (an empty text).
    /// `false` if another worker has taken it over; `None` while the server
    /// is out of reach.
    pub(crate) async fn done(&self, id: &str, answered: &str) -> Option<bool> {
        let mut done = DONE.prepare_invoke();
        done.key(&self.stream).key(&self.state).arg(&self.worker).arg(id).arg(answered);
        self.redis.engine.run::<bool>(&done).await
    }

    /// Says that this worker is still at what it took.
    pub(crate) async fn hold(&self, ids: &[String]) {
        let mut hold = HOLD.prepare_invoke();
        hold.key(&self.stream).arg(&self.worker).arg(ids);
        let _: Option<u64> = self.redis.engine.run(&hold).await;
    }
}

fn out_of_reach() -> Error {
    Error::new(ErrorKind::Transport, "the Redis server with the shared list does not answer")
        .retryable(true)
        .with_advice("the log says why; a running sweep would wait for it")
}
