//! Kinds of session, one file each: how its token is obtained and renewed.
//!
//! The types of the kinds come from the security schemes of the document. A
//! kind without a file here works with a token that the caller has.

mod platform;
mod taxpayer;

pub use taxpayer::Taxpayer;

pub use crate::generated::session_kinds::*;

use crate::{BoxFuture, Error, Token, client::ClientState, token::Slot};

/// A kind of session. Its types stand in this module, one for each security
/// scheme of the document that is the token of a session.
pub trait SessionKind: sealed::Sealed {
    /// The name of its security scheme in the document.
    const SCHEME: &'static str;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// Renews the token of a slot, in the manner of its kind.
pub(super) fn renew<'a>(
    state: &'a ClientState,
    slot: &'a Slot,
    token: Option<Token>,
) -> BoxFuture<'a, Result<(), Error>> {
    // The one kind whose tokens are kept so far.
    taxpayer::refresh(state, slot, token)
}
