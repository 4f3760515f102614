//! A taxpayer's session: OTP, token, refresh, logout.

use std::{fmt, sync::Arc};

use super::{Keeper, Kind, SessionKind as _, TaxpayerToken};
use crate::{
    Answer, BoxFuture, Client, Error, ErrorKind, SavedToken, Session, TaxpayerId, Token, TokenKey,
    client::ClientState,
    field,
    session::{
        to_end,
        types::{SessionData, TaxpayerLogin},
    },
    token::{self, Fresh, SessionAuth, Slot, StoreFailure, TAXPAYER_TERMS, TokenSource, session_lifetime},
    values::{Gstin, Otp, Timestamp},
};

pub(super) static KIND: Kind = Kind {
    scheme: token::TAXPAYER,
    terms: TAXPAYER_TERMS,
    opens: |_, _| false,
    renew: |state, _, token| refresh(state, token),
    end: Some(end),
    over: Error::session_over,
};

/// One taxpayer of a firm, with or without a session.
///
/// Returned by [`Client::taxpayer`]. All handles of a client for the same taxpayer share one
/// session. When no handle and no [`Session`] is left, only the token store has it: get
/// it with [`restore`](Taxpayer::restore).
///
/// ```
/// # #[cfg(feature = "mock")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sandbox_client::{ims::types::TypeOfGoods, values::Gstin};
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let client = mock.client()?;
///
/// let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW")?, "acme.com")?;
/// taxpayer.request_otp().await?;
/// let session = taxpayer.verify_otp("575757").await?; // from the taxpayer's phone
/// let counts = session.ims().counts(TypeOfGoods::Others).await?;
/// taxpayer.logout().await?;
/// # let _ = counts;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "mock"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Taxpayer {
    client: Client,
    id: TaxpayerId,
    slot: Arc<Slot>,
}

impl Client {
    /// A taxpayer, by GSTIN and user name on the GST portal. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an empty user name.
    pub fn taxpayer(&self, gstin: Gstin, username: impl Into<String>) -> Result<Taxpayer, Error> {
        let username = username.into();
        if username.trim().is_empty() || username.chars().any(char::is_control) {
            return Err(Error::input(
                field::USERNAME,
                "must be the user name on the GST portal, in one line",
            ));
        }
        let id = TaxpayerId { gstin, username };
        let slot = KIND.slot(self.state(), id.clone(), None);
        Ok(Taxpayer { client: self.clone(), id, slot })
    }
}

impl Taxpayer {
    /// Who this is.
    #[must_use]
    pub fn id(&self) -> &TaxpayerId {
        &self.id
    }

    fn login(&self) -> TaxpayerLogin {
        TaxpayerLogin { gstin: self.id.gstin, username: self.id.username.clone() }
    }

    /// The key of this taxpayer's session in the token store.
    #[must_use]
    pub fn token_key(&self) -> &TokenKey {
        self.slot.key()
    }

    /// Asks GSTN to send an OTP to the taxpayer's mobile or e-mail. Never retried
    /// if an earlier attempt may have been processed.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent,
    /// the OTP is still sent.
    ///
    /// # Errors
    ///
    /// [`Business`](crate::ErrorKind::Business) with `AUTH403` when the user
    /// has too many sessions, `TEC4001` when GSTN cannot send OTPs.
    pub async fn request_otp(&self) -> Result<(), Error> {
        self.client.session().generate_otp().body(self.login()).send().await?;
        Ok(())
    }

    /// Opens a session with the OTP that the taxpayer received, and
    /// returns it. The client's token store keeps the session.
    ///
    /// **Cancel safety**: once polled, it runs to completion in a separate task. If the
    /// caller goes away, the session is still stored, and [`restore`](Taxpayer::restore)
    /// returns it.
    ///
    /// # Errors
    ///
    /// [`SessionExpired`](crate::ErrorKind::SessionExpired) if the session was
    /// logged out or forgotten while it was opened;
    /// [`Input`](crate::ErrorKind::Input) for an invalid OTP. After a
    /// [`Timeout`](crate::ErrorKind::Timeout) with
    /// [`maybe_processed`](Error::maybe_processed) the OTP may be used up:
    /// request a new one.
    pub async fn verify_otp<O>(&self, otp: O) -> Result<Session, Error>
    where
        O: TryInto<Otp>,
        Error: From<O::Error>,
    {
        let otp: Otp = otp.try_into()?;
        let taxpayer = self.clone();
        to_end(async move {
            let moment = taxpayer.slot.moment();
            let session = taxpayer.client.session();
            let answer = session.verify_otp().otp(otp.clone()).body(taxpayer.login()).send().await?;
            let fresh = fresh(&answer);
            let fresh = fresh.map_err(|error| error.redact(std::iter::once(otp.expose_secret())))?;
            taxpayer.slot.open(moment, fresh, &*taxpayer.keeper()).await
        })
        .await?;
        Ok(self.scoped())
    }

    /// The session in the token store, opened by this process
    /// or by another; `None` if there is no valid one. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) if the token store failed, with
    /// the cause as the error's source: it is unknown whether there is a session.
    pub async fn restore(&self) -> Result<Option<Session>, Error> {
        Ok(self.slot.find().await?.then(|| self.scoped()))
    }

    /// Restores a session that you
    /// saved with [`saved`](Taxpayer::saved). Sends nothing.
    #[must_use]
    pub fn resume(&self, saved: SavedToken) -> Session {
        self.slot.adopt(saved);
        self.scoped()
    }

    /// The session's token and times, for you to store.
    #[must_use]
    pub fn saved(&self) -> Option<SavedToken> {
        self.slot.saved()
    }

    /// Extends a valid session by six hours. Calls in the last half hour do this
    /// automatically; call this if a session would otherwise expire between two calls.
    /// Concurrent callers share one request, which completes even if they go away.
    ///
    /// # Errors
    ///
    /// [`SessionExpired`](crate::ErrorKind::SessionExpired) if no session is valid.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.slot.renew(self.keeper()).await
    }

    /// Ends the session, here and at GSTN. It is forgotten here whatever the server
    /// answers, and a refresh in flight does not restore it. Without a session nothing is
    /// sent. Once polled, it runs to completion even if the caller goes away.
    ///
    /// # Errors
    ///
    /// The failure that the server answered; the session is still forgotten.
    /// [`Store`](crate::ErrorKind::Store) as for [`forget`](Taxpayer::forget), if it is
    /// unknown whether there is a session.
    pub async fn logout(&self) -> Result<(), Error> {
        let taxpayer = self.clone();
        to_end(async move {
            // A store that fails has nothing to be logged out, and has told.
            let lives = taxpayer.slot.find().await.unwrap_or(false);
            let saved = taxpayer.slot.saved().filter(|_| lives);
            let forgotten = taxpayer.slot.forget().await;
            match saved {
                // Once it is over at GSTN, a store that still has it has nothing.
                Some(saved) => end(taxpayer.client.state().clone(), saved.token).await,
                None => forgotten.map_err(left_behind),
            }
        })
        .await
    }

    /// Forgets the session here and in the token store, and sends nothing: at GSTN it
    /// remains valid until it expires. A token that a refresh in flight brings afterwards
    /// is dropped and logged out. Once polled, it runs to completion even if the caller
    /// goes away.
    ///
    /// # Errors
    ///
    /// [`Store`](crate::ErrorKind::Store) if the token store failed: the session is
    /// forgotten here, but the store may still return it to other processes. This client
    /// does not accept it from there, and removes it when it sees it; over Redis it is
    /// removed as soon as the server is back. Both end with this process: if it ends
    /// first, forget the session again.
    pub async fn forget(&self) -> Result<(), Error> {
        let slot = Arc::clone(&self.slot);
        to_end(async move { slot.forget().await.map_err(left_behind) }).await
    }

    fn keeper(&self) -> Arc<Keeper> {
        KIND.renewal(self.client.state(), &self.slot)
    }

    fn scoped(&self) -> Session {
        let source = TokenSource::Slot(Arc::clone(&self.slot));
        Session::of(self.client.state().with_auth(SessionAuth::new(TaxpayerToken::SCHEME, source)))
    }
}

impl fmt::Debug for Taxpayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taxpayer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Gives a valid token six more hours. Without one, only a person can open a session.
fn refresh(state: ClientState, token: Option<Token>) -> BoxFuture<'static, Result<Fresh, Error>> {
    Box::pin(async move {
        let Some(token) = token else { return Err(Error::session_over()) };
        let session = Client::of(state).with_taxpayer_token(token);
        fresh(&session.session().refresh_session().send().await?)
    })
}

fn left_behind(failure: StoreFailure) -> Error {
    Error::new(
        ErrorKind::Store,
        "the session is forgotten here, but the token store failed and may give it to other processes",
    )
    .with_source(failure)
    .with_advice("forget it again when the store works")
}

fn end(state: ClientState, token: Token) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(
        async move { Client::of(state).with_taxpayer_token(token).session().logout().send().await.map(drop) },
    )
}

/// The token of a verified OTP or a refresh.
fn fresh(answer: &Answer<SessionData>) -> Result<Fresh, Error> {
    let Some(token) = answer.access_token.clone() else {
        return Err(answer.incomplete("has no token at `data.access_token`"));
    };
    let life =
        session_lifetime(TAXPAYER_TERMS.longest, &token, answer.token_expiry.as_ref(), answer.timestamp());
    let session_expires_at = answer.session_expiry.as_ref().and_then(Timestamp::to_system_time);
    Ok(Fresh { token, life, session_expires_at })
}
