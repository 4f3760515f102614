//! Sessions: the OTP session of a taxpayer, and any kind that the document
//! names. Tokens are fetched once for all calls that wait, renewed early,
//! forgotten when the server refuses them, and never mixed between taxpayers,
//! kinds or API keys.

pub mod kinds;

use std::{fmt, marker::PhantomData, time::Duration};

use tracing::Instrument as _;

pub(crate) use kinds::sealed;
pub use kinds::{SessionKind, Taxpayer};

pub use crate::generated::families::session::*;

use crate::{
    Client, Error, ErrorKind, TaxpayerId, Token,
    client::{ClientState, call_settings},
    field,
    operation::{Credential, Operation},
    token::{self, Lease, SessionAuth, TokenSource},
};
use kinds::{Kind, TaxpayerToken};

/// A session: gives access to the operations that need its token.
///
/// Each family has a method here, such as [`ims`](Session::ims), which returns the handle
/// with its operations and helpers. Cheap to clone; all clones, and the client that
/// created it, share connections, rate limit, retry budget and tokens.
///
/// A taxpayer's session comes from [`Taxpayer::verify_otp`] or
/// [`Taxpayer::restore`], or, for a token that you already
/// have, from [`Client::with_taxpayer_token`] or [`Client::taxpayer_session`].
pub struct Session<K = TaxpayerToken> {
    state: ClientState,
    kind: PhantomData<fn() -> K>,
}

impl<K: SessionKind> Session<K> {
    pub(crate) fn of(state: ClientState) -> Self {
        Self { state, kind: PhantomData }
    }

    pub(crate) fn state(&self) -> &ClientState {
        &self.state
    }

    /// The client, for operations that need no session.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::of(self.state.clone())
    }

    /// The taxpayer, if [`Client::taxpayer`] opened the
    /// session; a bare token does not identify the taxpayer.
    #[must_use]
    pub fn taxpayer_id(&self) -> Option<&TaxpayerId> {
        self.state.taxpayer_id()
    }

    /// How long a call would now wait for the rate limit.
    #[must_use]
    pub fn estimated_wait(&self) -> Duration {
        self.state.estimated_wait()
    }
}

call_settings!("session", Session<K>, K: SessionKind);

impl Client {
    /// The session of the taxpayer's token that the client was built with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the field
    /// `taxpayer_token` if it was built without one.
    pub fn taxpayer_session(&self) -> Result<Session, Error> {
        match self.state().source(TaxpayerToken::SCHEME) {
            Some(_) => Ok(Session::of(self.state().clone())),
            None => Err(Error::config(field::TAXPAYER_TOKEN, "is missing: this client has no session").with_advice(
                "open one with `Client::taxpayer`, or set a token with `ClientBuilder::taxpayer_token` or SANDBOX_ACCESS_TOKEN",
            )),
        }
    }

    /// A session with a taxpayer's token that you already have. It shares
    /// connections, rate limit and retry budget with the client.
    #[must_use]
    pub fn with_taxpayer_token(&self, token: Token) -> Session<TaxpayerToken> {
        self.with_session_token(token)
    }

    /// A session of any kind with a token that you already have.
    #[must_use]
    pub fn with_session_token<K: SessionKind>(&self, token: Token) -> Session<K> {
        Session::of(self.state().with_auth(SessionAuth::new(K::SCHEME, TokenSource::Fixed(token))))
    }
}

impl<K> Clone for Session<K> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Session<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state).finish_non_exhaustive()
    }
}

impl ClientState {
    /// The source of the token of this kind, if there is one.
    fn source(&self, kind: &str) -> Option<&TokenSource> {
        self.auth().filter(|auth| auth.kind == kind).map(|auth| &auth.source)
    }

    pub(crate) fn taxpayer_id(&self) -> Option<&TaxpayerId> {
        match &self.auth()?.source {
            TokenSource::Slot(slot) => slot.key().taxpayer(),
            TokenSource::Fixed(_) => None,
        }
    }

    /// The token that a credential means, if nothing must be waited for.
    pub(crate) fn token_at_hand(&self, credential: Credential) -> Option<Lease> {
        match credential {
            Credential::PlatformToken => self.platform().fresh(),
            Credential::Session(kind) => match self.source(kind)? {
                TokenSource::Slot(slot) => slot.fresh(),
                TokenSource::Fixed(token) => Some(Lease { token: token.clone(), new: false }),
            },
            _ => None,
        }
    }

    /// The token of the session of this kind, renewed if it is near its end.
    pub(crate) async fn session_token(&self, kind: &'static str) -> Result<Lease, Error> {
        match self.source(kind) {
            None => Err(Error::config(kind, "is missing: this operation needs a session").with_advice(
                "open one with `Client::taxpayer`, or set a token with `ClientBuilder::taxpayer_token` or SANDBOX_ACCESS_TOKEN",
            )),
            Some(TokenSource::Fixed(token)) => Ok(Lease { token: token.clone(), new: false }),
            Some(TokenSource::Slot(slot)) => {
                let kind = Kind::of(kind).ok_or_else(Error::session_over)?;
                slot.token(kind.renewal(self, slot)).await
            }
        }
    }

    /// The platform token, obtained with key and secret if need be.
    pub(crate) async fn platform_token(&self) -> Result<Lease, Error> {
        let kind = Kind::of(token::PLATFORM).expect("a kind of its own");
        self.platform().token(kind.renewal(self, self.platform())).await
    }

    /// Whether a refused token has another in its place, or may have one for
    /// the asking. A taxpayer's has none but by another process: a new one
    /// takes a person and an OTP.
    pub(crate) async fn replaced(&self, operation: &Operation, lease: &Lease) -> bool {
        let (kind, slot) = match operation.credential {
            Credential::PlatformToken => (token::PLATFORM, self.platform()),
            Credential::Session(kind) => match self.source(kind) {
                Some(TokenSource::Slot(slot)) => (kind, slot),
                _ => return false,
            },
            _ => return false,
        };
        let opens = Kind::of(kind).is_some_and(|kind| (kind.opens)(self, slot));
        slot.refused(&lease.token).await.is_some() || (!lease.new && opens)
    }
}

/// Runs `work` to its end, even if the caller goes away meanwhile.
pub(crate) async fn to_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                Err(Error::new(ErrorKind::Transport, "the runtime was shut down").with_maybe_processed(true))
            }
        },
    }
}
