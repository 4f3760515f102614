//! Tokens and where they are kept: obtained once for all calls that wait,
//! renewed early, forgotten when the server refuses them, never mixed between
//! taxpayers, kinds of session or API keys. Knows nothing of the client: who
//! asks for a token says how it is renewed.

mod expiry;
#[cfg(feature = "file_store")]
mod files;
mod flight;
mod guard;
#[cfg(test)]
mod interleavings;
mod slot;
mod state;
mod store;

use std::sync::Arc;

#[cfg(feature = "redis")]
pub(crate) use expiry::LONGEST_LIFE;
pub(crate) use expiry::{PLATFORM_TERMS, TAXPAYER_TERMS, Terms, platform_lifetime, session_lifetime};
#[cfg(feature = "file_store")]
pub use files::{FileStore, StoredSession};
pub(crate) use guard::{Guard, StoreFailure};
pub(crate) use slot::{Fresh, Lease, Renewal, Slot};
pub use store::{BoxError, MemoryStore, SavedToken, TaxpayerId, TokenKey, TokenStore};

use crate::Token;

/// The security scheme of the token that key and secret give.
pub(crate) const PLATFORM: &str = "platform_token";
/// The security scheme of the token of a taxpayer's OTP session.
pub(crate) const TAXPAYER: &str = "taxpayer_token";

/// The session of a client or a handle, and where its token comes from.
#[derive(Clone)]
pub(crate) struct SessionAuth {
    /// The security scheme of its token.
    pub kind: &'static str,
    pub source: TokenSource,
    pub route: Route,
}

impl SessionAuth {
    pub fn new(kind: &'static str, source: TokenSource) -> Self {
        Self { kind, source, route: Route::default() }
    }
}

/// Headers that each call of a session carries, as far as its operation takes
/// them: which server of NIC it goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// `x-source`.
    pub server: Option<&'static str>,
    /// `x-proxy`.
    pub proxy: Option<&'static str>,
}

impl Route {
    pub fn headers(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let headers = [("x-source", self.server), ("x-proxy", self.proxy)];
        headers.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

#[derive(Clone)]
pub(crate) enum TokenSource {
    /// A token that the caller has, used until the server refuses it.
    Fixed(Token),
    /// A token that is kept alive.
    Slot(Arc<Slot>),
}
