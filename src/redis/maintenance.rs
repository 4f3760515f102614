//! Looks after what is shared, once a second, for as long as somebody uses it.
//!
//! It notices that the server is back or has lost what it held, and then puts
//! back what this worker knows: another may need it before this one calls again.

use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use redis::Script;
use tokio::{task::JoinHandle, time::sleep};

use super::{Inner, engine::TRY_AGAIN, generation_name, script, seal::unique};

static GENERATION: LazyLock<Script> = script!("generation_of");

/// The task, on the runtime that asked last.
#[derive(Default)]
pub(super) struct Maintenance(Mutex<Option<JoinHandle<()>>>);

impl Inner {
    /// Starts the task if it does not run, or ended with its runtime.
    pub fn keep(self: &Arc<Self>) {
        let mut task = self.maintenance.0.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            *task = Some(tokio::spawn(keep(Arc::downgrade(self))));
        }
    }

    async fn look(self: &Arc<Self>) {
        let known = self.tokens.known();
        let mut ask = GENERATION.prepare_invoke();
        ask.key(generation_name()).arg(&known).arg(unique());
        let Some(generation) = self.engine.run::<String>(&ask).await else { return };
        self.observe_generation(&generation).await;
        let rate_limiters: Vec<_> = {
            let rate_limiters = self.rate_limiters.lock().unwrap_or_else(PoisonError::into_inner);
            rate_limiters.iter().filter_map(Weak::upgrade).collect()
        };
        for limiter in rate_limiters {
            limiter.observe_generation(&generation).await;
        }
    }
}

async fn keep(inner: Weak<Inner>) {
    loop {
        sleep(TRY_AGAIN).await;
        let Some(inner) = inner.upgrade() else { return };
        inner.look().await;
    }
}
