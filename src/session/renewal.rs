//! How tokens are had: the platform's by login, a taxpayer's by refresh.

use std::time::SystemTime;

use super::{Lease, Slot, platform_lifetime, taxpayer_lifetime};
use crate::{
    BoxFuture, Client, Error, ErrorKind, Token,
    client::Access,
    generated::ClientInfo,
    operation::{Credential, Operation},
    transport::hollow,
    types::{SessionData, SessionResponse},
    values::Timestamp,
};

impl Client {
    /// The token that a credential means, if nothing must be waited for.
    pub(crate) fn token_at_hand(&self, credential: Credential) -> Option<Lease> {
        let scope = self.inner();
        match (credential, scope.taxpayer()) {
            (Credential::PlatformToken, _) => scope.platform().fresh(),
            (Credential::TaxpayerToken, Some(Access::Session(slot))) => slot.fresh(),
            (Credential::TaxpayerToken, Some(Access::Fixed(token))) => {
                Some(Lease { token: token.clone(), new: false })
            }
            _ => None,
        }
    }

    /// The platform token, had with key and secret if need be.
    pub(crate) async fn platform_token(&self) -> Result<Lease, Error> {
        let scope = self.inner();
        let lease = scope.platform().token(|_| login(self)).await?;
        lease.ok_or_else(|| Error::new(ErrorKind::Auth, "the platform token was refused at once"))
    }

    /// The taxpayer's token, refreshed if it is near its end.
    pub(crate) async fn taxpayer_token(&self) -> Result<Lease, Error> {
        match self.inner().taxpayer() {
            None => Err(Error::config("taxpayer_token", "is missing: this operation needs a taxpayer's session")
                .advice(
                    "get one with `Client::taxpayer`, or set a token with `ClientBuilder::taxpayer_token` or SANDBOX_ACCESS_TOKEN",
                )),
            Some(Access::Fixed(token)) => Ok(Lease { token: token.clone(), new: false }),
            Some(Access::Session(slot)) => {
                let lease = slot.token(|token| refresh(self, slot, token)).await?;
                lease.ok_or_else(Error::session_over)
            }
        }
    }

    /// Whether a refused token has another in its place, or may have one for
    /// the asking. A taxpayer's never has: that takes a person and an OTP.
    pub(crate) async fn replaced(&self, operation: &Operation, lease: &Lease) -> bool {
        let scope = self.inner();
        match (operation.credential, scope.taxpayer()) {
            (Credential::PlatformToken, _) => {
                scope.platform().refused(&lease.token).await.is_some() || (!lease.new && scope.has_secret())
            }
            (Credential::TaxpayerToken, Some(Access::Session(slot))) => {
                slot.refused(&lease.token).await.is_some()
            }
            _ => false,
        }
    }
}

/// Logs in with key and secret. Boxed, since logging in is a call of the
/// client that waits for it.
fn login(client: &Client) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let answer = client.authenticate().send().await?.into_inner();
        let below_data = answer.data.and_then(|data| data.access_token);
        let token = match (below_data, answer.access_token) {
            (Some(token), Some(other)) if token != other => {
                let id = answer.transaction_id.as_deref();
                return Err(hollow(client, "authenticate", "has two different tokens", id));
            }
            (Some(token), _) | (None, Some(token)) => token,
            (None, None) => {
                let id = answer.transaction_id.as_deref();
                return Err(hollow(client, "authenticate", "has no token", id));
            }
        };
        let life = platform_lifetime(&token, answer.timestamp.as_ref());
        client.inner().platform().put(token, life, None).await;
        Ok(())
    })
}

/// Gives a living taxpayer token six more hours.
pub(crate) fn refresh<'a>(
    client: &'a Client,
    slot: &'a Slot,
    token: Option<Token>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let Some(token) = token else { return Err(Error::session_over()) };
        let answer = client.with_access(Access::Fixed(token)).refresh_session().send().await?.into_inner();
        keep(client, slot, answer, "refresh_session").await
    })
}

/// Keeps the token of a verified OTP or a refresh.
pub(crate) async fn keep(
    client: &Client,
    slot: &Slot,
    answer: SessionResponse,
    operation: &'static str,
) -> Result<(), Error> {
    let SessionData { access_token, token_expiry, session_expiry, .. } = answer.data;
    let Some(token) = access_token else {
        let id = answer.transaction_id.as_deref();
        return Err(hollow(client, operation, "has no token at `data.access_token`", id));
    };
    let life = taxpayer_lifetime(&token, token_expiry.as_ref(), answer.timestamp.as_ref());
    let session_ends: Option<SystemTime> = session_expiry.as_ref().and_then(Timestamp::to_system_time);
    slot.put(token, life, session_ends).await;
    Ok(())
}
