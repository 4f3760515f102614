//! A taxpayer's session: OTP, token, refresh, logout.

use std::{fmt, sync::Arc};

use super::{SessionKind as _, TaxpayerToken};
use crate::{
    Answer, BoxFuture, Client, Error, SavedToken, Session, TaxpayerId, Token, TokenKey,
    client::ClientState,
    session::types::{SessionData, TaxpayerLogin},
    token::{SessionAuth, Slot, TokenSource, taxpayer_lifetime},
    values::{Gstin, Otp, Timestamp},
};

/// One taxpayer of a firm, with or without a session.
///
/// Made by [`Client::taxpayer`]. All handles of a client on the same taxpayer
/// share one session. While no handle and no [`Session`] of it is left,
/// the token store alone has it: ask with [`restore`](Taxpayer::restore).
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
            return Err(Error::input("username", "must be the user name on the GST portal, in one line"));
        }
        let id = TaxpayerId { gstin, username };
        let slot = self.state().slot_of(id.clone());
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

    /// What the token store keeps this taxpayer's session under.
    #[must_use]
    pub fn token_key(&self) -> &TokenKey {
        self.slot.key()
    }

    /// Has GSTN send an OTP to the taxpayer's mobile or e-mail. Never repeated
    /// by itself where an earlier try may have been processed.
    ///
    /// # Errors
    ///
    /// [`Business`](crate::ErrorKind::Business) with `AUTH403` when the user
    /// has too many sessions, `TEC4001` when GSTN cannot send OTPs.
    pub async fn request_otp(&self) -> Result<(), Error> {
        self.client.session().generate_otp().body(self.login()).send().await?;
        Ok(())
    }

    /// Opens a session with the OTP that the taxpayer received, and gives
    /// it. The session is kept in the client's token store.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) for an invalid OTP. After a
    /// [`Timeout`](crate::ErrorKind::Timeout) with
    /// [`maybe_processed`](Error::maybe_processed) the OTP may be used up: ask
    /// for a new one.
    pub async fn verify_otp<O>(&self, otp: O) -> Result<Session, Error>
    where
        O: TryInto<Otp>,
        Error: From<O::Error>,
    {
        let otp: Otp = otp.try_into()?;
        let answer = self.client.session().verify_otp().otp(otp.clone()).body(self.login()).send().await?;
        let kept = keep(&self.slot, answer).await;
        kept.map_err(|error| error.without(&[otp.expose_secret()]))?;
        Ok(self.scoped())
    }

    /// The session that the token store has, in this process or
    /// from another; `None` where there is none that lives. Sends nothing. A
    /// failing store counts as an empty one.
    pub async fn restore(&self) -> Option<Session> {
        let found = self.slot.is_alive() || self.slot.find().await.is_some();
        found.then(|| self.scoped())
    }

    /// A session that was saved with
    /// [`saved`](Taxpayer::saved) and kept by the caller. Sends nothing.
    #[must_use]
    pub fn resume(&self, saved: SavedToken) -> Session {
        self.slot.adopt(saved);
        self.scoped()
    }

    /// The session's token and times, to be kept by the caller.
    #[must_use]
    pub fn saved(&self) -> Option<SavedToken> {
        self.slot.saved()
    }

    /// Six more hours for a living session. Sessions do this by themselves
    /// when a call comes in the last half hour; ask for it where a session
    /// would otherwise die between two calls.
    ///
    /// # Errors
    ///
    /// [`SessionExpired`](crate::ErrorKind::SessionExpired) where no session lives.
    pub async fn refresh(&self) -> Result<(), Error> {
        let token = self.living().await.map(|saved| saved.token);
        refresh(self.client.state(), &self.slot, token).await
    }

    /// Ends the session, here and at GSTN. Here it is forgotten whatever the
    /// server says. Without a session nothing is sent.
    ///
    /// # Errors
    ///
    /// What the server answered; the session is forgotten all the same.
    pub async fn logout(&self) -> Result<(), Error> {
        let saved = self.living().await;
        self.slot.forget().await;
        if let Some(saved) = saved {
            self.client.with_taxpayer_token(saved.token).session().logout().send().await?;
        }
        Ok(())
    }

    /// Forgets the session here and in the token store, and sends nothing: at
    /// GSTN it goes on until its time is over.
    pub async fn forget(&self) {
        self.slot.forget().await;
    }

    /// The session that this handle holds or the token store has, if it lives.
    async fn living(&self) -> Option<SavedToken> {
        if !self.slot.is_alive() {
            self.slot.reread().await;
        }
        self.slot.saved().filter(|_| self.slot.is_alive())
    }

    fn scoped(&self) -> Session {
        let source = TokenSource::Slot(Arc::clone(&self.slot));
        Session::of(self.client.state().with_auth(SessionAuth { kind: TaxpayerToken::SCHEME, source }))
    }
}

impl fmt::Debug for Taxpayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taxpayer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Gives a living token six more hours.
pub(super) fn refresh<'a>(
    state: &'a ClientState,
    slot: &'a Slot,
    token: Option<Token>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let Some(token) = token else { return Err(Error::session_over()) };
        let session = Client::of(state.clone()).with_taxpayer_token(token);
        keep(slot, session.session().refresh_session().send().await?).await
    })
}

/// Keeps the token of a verified OTP or a refresh.
async fn keep(slot: &Slot, answer: Answer<SessionData>) -> Result<(), Error> {
    let Some(token) = answer.access_token.clone() else {
        return Err(answer.incomplete("has no token at `data.access_token`"));
    };
    let life = taxpayer_lifetime(&token, answer.token_expiry.as_ref(), answer.timestamp());
    let session_ends = answer.session_expiry.as_ref().and_then(Timestamp::to_system_time);
    slot.put(token, life, session_ends).await;
    Ok(())
}
