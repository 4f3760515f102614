//! The client: how it is built, and what its clones share.

mod builder;
mod connecting;
mod env;
mod http;
mod state;

use std::time::Duration;

pub use builder::ClientBuilder;
pub(crate) use connecting::watched;
pub(crate) use http::Http;
pub(crate) use state::ClientState;
#[cfg(test)]
pub(crate) use state::Policy;

use crate::Environment;

/// The client: gives access to the operations that need no session, and to sessions.
///
/// Cheap to clone; all clones share connections, rate limit, retry budget and
/// tokens. Each family of operations that needs no session has a method here,
/// such as [`public`](Client::public); the others are methods of a
/// [`Session`](crate::Session), so that a call whose token is missing does not compile.
#[derive(Clone, Debug)]
pub struct Client {
    state: ClientState,
}

impl Client {
    /// Starts building a client. Only the key is required.
    ///
    /// ```
    /// use sandbox_client::Client;
    ///
    /// # fn main() -> Result<(), sandbox_client::Error> {
    /// let client = Client::builder()
    ///     .key("key_test_0000000000000000")
    ///     .taxpayer_token("token of a taxpayer's session".replace(' ', "-"))
    ///     .build()?;
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The environment of the key. `None` for a key without a known prefix,
    /// accepted only with a custom base URL.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        self.state.environment()
    }

    /// The base URL of all calls.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.state.base_url().as_str()
    }

    /// The server that this client shares with other workers, if any; it knows
    /// whether it [is up](crate::redis::Redis::is_up).
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(&self) -> Option<&crate::redis::Redis> {
        self.state.redis()
    }

    /// How long a call would now wait for the rate limit.
    #[must_use]
    pub fn estimated_wait(&self) -> Duration {
        self.state.estimated_wait()
    }

    /// How long calls are still paused after a 429 of the provider; zero
    /// without a pause. If the rate limit is shared, another worker may have received it.
    #[must_use]
    pub fn paused_for(&self) -> Duration {
        self.state.paused_for()
    }

    pub(crate) fn state(&self) -> &ClientState {
        &self.state
    }

    pub(crate) fn of(state: ClientState) -> Self {
        Self { state }
    }
}

/// Settings for single calls, of a client and of a session.
macro_rules! call_settings {
    ($what:literal, $type:ty $(, $kind:ident: $bound:path)?) => {
        impl$(<$kind: $bound>)? $type {
            #[doc = concat!("The same ", $what, " with another retry policy, for one call or many.")]
            #[must_use]
            pub fn with_retry(&self, retry: $crate::RetryPolicy) -> Self {
                Self::of(self.state().with_policy(|policy| policy.retry = retry))
            }

            #[doc = concat!("The same ", $what, " with another limit for a whole call, pauses and retries included.")]
            #[must_use]
            pub fn with_call_timeout(&self, timeout: std::time::Duration) -> Self {
                Self::of(self.state().with_policy(|policy| policy.call_timeout = $crate::client::bounded(timeout)))
            }

            #[doc = concat!("The same ", $what, " with another limit for the size of an answer.")]
            #[must_use]
            pub fn with_max_body_bytes(&self, bytes: usize) -> Self {
                Self::of(self.state().with_policy(|policy| policy.max_body_bytes = bytes))
            }
        }
    };
}

call_settings!("client", Client);
pub(crate) use call_settings;

#[cfg(feature = "ims")]
impl Client {
    /// The same client with a call timeout that the wait for a token and for
    /// the rate limit does not count against, as long as that may be.
    pub(crate) fn waiting_outside_deadline(&self) -> Self {
        Self::of(self.state.with_policy(|policy| policy.wait_outside_deadline = true))
    }
}

/// Longest timeout that is taken; more would overflow clocks on some systems.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn bounded(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(1), LONGEST)
}
