//! Kinds of session, one file each: how its token is obtained, renewed and
//! ended.
//!
//! The types of the kinds come from the security schemes of the document. A
//! kind without a file here works with a token that the caller has.

#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod nic;
mod platform;
mod taxpayer;

use std::sync::Arc;

pub use taxpayer::Taxpayer;

pub use crate::generated::session_kinds::*;

use crate::{
    BoxFuture, Error, TaxpayerId, Token,
    client::ClientState,
    token::{Fresh, Renewal, Slot, Terms},
};

/// A kind of session. This module has one type for each security scheme of
/// the document that is the token of a session.
pub trait SessionKind: sealed::Sealed {
    /// The name of its security scheme in the document.
    const SCHEME: &'static str;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What a kind asks of the provider: a call of the client, and so boxed, since
/// other calls wait for it.
pub(super) type Request<T> = BoxFuture<'static, Result<T, Error>>;

/// What the SDK knows of a kind whose tokens it keeps. Each has its own file,
/// and a line in [`KINDS`].
pub(super) struct Kind {
    /// The security scheme of its token.
    pub scheme: &'static str,
    pub terms: Terms,
    /// Whether a token can be obtained without a person: with key and secret,
    /// or with a credential that the slot holds ([`Slot::credential`]).
    pub opens: fn(&ClientState, &Slot) -> bool,
    /// Obtains a token: in exchange for the one that is given, which is valid, or
    /// else without any. It runs as a task of its own, once for all that wait,
    /// and only stores nothing: that is the slot's.
    pub renew: fn(ClientState, Arc<Slot>, Option<Token>) -> Request<Fresh>,
    /// Ends a token at the provider, where that is possible.
    pub end: Option<fn(ClientState, Token) -> Request<()>>,
    /// What a call says that has no token.
    pub over: fn() -> Error,
}

static KINDS: &[&Kind] = &[
    &platform::KIND,
    &taxpayer::KIND,
    #[cfg(feature = "e_invoice")]
    &nic::E_INVOICE,
    #[cfg(feature = "e_way_bill")]
    &nic::E_WAY_BILL,
];

impl Kind {
    /// The kind of a security scheme, if the SDK keeps its tokens.
    pub fn of(scheme: &str) -> Option<&'static Self> {
        KINDS.iter().copied().find(|kind| kind.scheme == scheme)
    }

    /// The one place of this session's token, for all clones of a client.
    pub fn slot(&self, state: &ClientState, of: TaxpayerId, server: Option<&'static str>) -> Arc<Slot> {
        state.slot_of(self.scheme, self.terms, of, server)
    }

    /// How the token of this slot is renewed.
    pub fn renewal(&'static self, state: &ClientState, slot: &Arc<Slot>) -> Arc<Keeper> {
        Arc::new(Keeper { kind: self, state: state.clone(), slot: Arc::clone(slot) })
    }
}

/// Keeps the token of one slot alive, in the manner of its kind.
pub(super) struct Keeper {
    kind: &'static Kind,
    state: ClientState,
    slot: Arc<Slot>,
}

impl Renewal for Keeper {
    fn opens(&self) -> bool {
        (self.kind.opens)(&self.state, &self.slot)
    }

    fn renew(&self, current: Option<Token>) -> BoxFuture<'static, Result<Fresh, Error>> {
        (self.kind.renew)(self.state.clone(), Arc::clone(&self.slot), current)
    }

    fn end(&self, token: Token) -> BoxFuture<'static, ()> {
        let ending = self.kind.end.map(|end| end(self.state.clone(), token));
        Box::pin(async {
            if let Some(ending) = ending
                && let Err(error) = ending.await
            {
                let error = error.to_string();
                tracing::warn!(target: "sandbox_client", error, "a token that came after the logout could not be ended");
            }
        })
    }

    fn over(&self) -> Error {
        (self.kind.over)()
    }
}
