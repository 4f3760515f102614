//! A taxpayer's session: OTP, token, refresh, logout.

use std::{fmt, sync::Arc};

use crate::{
    Client, Error, SavedToken, TaxpayerId, TokenKey,
    client::Access,
    generated::ClientInfo,
    session::{self, Slot},
    types::TaxpayerLogin,
    values::{Gstin, Otp},
};

/// One taxpayer of a firm, with or without a session.
///
/// Made by [`Client::taxpayer`]. All handles of a client on the same taxpayer
/// share one session. While no handle and no client of the session is left,
/// the token store alone has it: ask with [`restore`](Taxpayer::restore).
///
/// ```
/// # #[cfg(feature = "mock")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sandbox_client::{types::TypeOfGoods, values::Gstin};
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let client = mock.client()?;
///
/// let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW")?, "acme.com")?;
/// taxpayer.request_otp().await?;
/// let session = taxpayer.verify_otp("575757").await?; // from the taxpayer's phone
/// let counts = session.invoice_counts(TypeOfGoods::Others).await?;
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an empty user name.
    pub fn taxpayer(&self, gstin: Gstin, username: impl Into<String>) -> Result<Taxpayer, Error> {
        let username = username.into();
        if username.trim().is_empty() || username.chars().any(char::is_control) {
            return Err(Error::config("username", "must be the user name on the GST portal, in one line"));
        }
        let id = TaxpayerId { gstin, username };
        let slot = self.inner().slot_of(id.clone());
        Ok(Taxpayer { client: self.clone(), id, slot })
    }

    /// The taxpayer whose session this client uses; `None` for a client
    /// without one, or with a token that the caller gave.
    #[must_use]
    pub fn taxpayer_id(&self) -> Option<&TaxpayerId> {
        match self.inner().taxpayer()? {
            Access::Session(slot) => slot.key().taxpayer(),
            Access::Fixed(_) => None,
        }
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
        self.client.generate_otp().body(self.login()).send().await?;
        Ok(())
    }

    /// Opens a session with the OTP that the taxpayer received, and gives a
    /// client that uses it. The session is kept in the client's token store.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) for an OTP that is none. After a
    /// [`Timeout`](crate::ErrorKind::Timeout) with
    /// [`maybe_processed`](Error::maybe_processed) the OTP may be used up: ask
    /// for a new one.
    pub async fn verify_otp<O>(&self, otp: O) -> Result<Client, Error>
    where
        O: TryInto<Otp>,
        Error: From<O::Error>,
    {
        let otp: Otp = otp.try_into()?;
        let answer = self.client.verify_otp().otp(otp.clone()).body(self.login()).send().await?.into_inner();
        let kept = session::keep(&self.client, &self.slot, answer, "verify_otp").await;
        kept.map_err(|error| error.without(&[otp.expose_secret()]))?;
        Ok(self.scoped())
    }

    /// A client for the session that the token store has, in this process or
    /// from another; `None` where there is none that lives. Sends nothing. A
    /// failing store counts as an empty one.
    pub async fn restore(&self) -> Option<Client> {
        let found = self.slot.is_alive() || self.slot.find().await.is_some();
        found.then(|| self.scoped())
    }

    /// A client for a session that was saved with
    /// [`saved`](Taxpayer::saved) and kept by the caller. Sends nothing.
    #[must_use]
    pub fn resume(&self, saved: SavedToken) -> Client {
        self.slot.adopt(saved);
        self.scoped()
    }

    /// The session's token and times, to be kept by the caller.
    #[must_use]
    pub fn saved(&self) -> Option<SavedToken> {
        self.slot.saved()
    }

    /// Six more hours for a living session. Clients do this by themselves
    /// when a call comes in the last half hour; ask for it where a session
    /// would otherwise die between two calls.
    ///
    /// # Errors
    ///
    /// [`SessionExpired`](crate::ErrorKind::SessionExpired) where no session lives.
    pub async fn refresh(&self) -> Result<(), Error> {
        let token = self.living().await.map(|saved| saved.token);
        session::refresh(&self.client, &self.slot, token).await
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
            self.client.with_access(Access::Fixed(saved.token)).logout().send().await?;
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

    fn scoped(&self) -> Client {
        self.client.with_access(Access::Session(Arc::clone(&self.slot)))
    }
}

impl fmt::Debug for Taxpayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taxpayer").field("id", &self.id).finish_non_exhaustive()
    }
}
