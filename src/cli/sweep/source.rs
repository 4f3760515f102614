//! Where the answers of a sweep come from: this process alone, or its part of
//! a sweep that several workers share.

use std::vec;

use sandbox_client::{Sweep, SweepItem, SweepStream, SweepTask, TaxpayerId};

use crate::cli::failure::Failure;

type Asked<T> = Sweep<vec::IntoIter<TaxpayerId>, T>;

pub enum Source<T: SweepTask> {
    Alone(SweepStream<T>),
    #[cfg(feature = "redis")]
    Shared(Box<sandbox_client::SharedSweep<T>>),
}

impl<T: SweepTask> Source<T> {
    pub async fn open(sweep: Asked<T>, share: Option<&str>) -> Result<Self, Failure> {
        match share {
            None => Ok(Self::Alone(sweep.start())),
            Some(name) => Self::shared(sweep, name).await,
        }
    }

    #[cfg(feature = "redis")]
    async fn shared(sweep: Asked<T>, name: &str) -> Result<Self, Failure> {
        let shared = sweep.share(name).await.map_err(|error| match error.field() {
            Some(sandbox_client::field::REDIS) => {
                Failure::configuration("--share needs a Redis or Valkey server")
                    .hint("Set SANDBOX_REDIS_URL, SANDBOX_REDIS_KEY and SANDBOX_REDIS_WORKERS")
            }
            _ => error.into(),
        })?;
        Ok(Self::Shared(Box::new(shared)))
    }

    #[cfg(not(feature = "redis"))]
    #[allow(clippy::unused_async)] // as the other
    async fn shared(_: Asked<T>, _: &str) -> Result<Self, Failure> {
        Err(crate::cli::connection::without_redis("--share is given"))
    }

    /// Asks for nothing more. Alone, the sweep's own condition sees to that.
    pub fn stop(&mut self) {
        match self {
            Self::Alone(_) => {}
            #[cfg(feature = "redis")]
            Self::Shared(sweep) => sweep.stop(),
        }
    }

    /// The next answer. Asking for it says that the one before is noted.
    pub async fn next(&mut self) -> Result<Option<SweepItem<T>>, Failure> {
        match self {
            Self::Alone(stream) => Ok(stream.next().await),
            #[cfg(feature = "redis")]
            Self::Shared(sweep) => Ok(sweep.next().await?),
        }
    }
}
