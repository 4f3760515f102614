//! The platform token: obtained with key and secret, whenever it is needed.

use crate::{
    BoxFuture, Client, Error, ErrorKind,
    client::ClientState,
    token::{Lease, platform_lifetime},
};

impl ClientState {
    /// The platform token, obtained with key and secret if need be.
    pub(crate) async fn platform_token(&self) -> Result<Lease, Error> {
        let lease = self.platform().token(|_| login(self)).await?;
        lease.ok_or_else(|| Error::new(ErrorKind::Auth, "the platform token was refused at once"))
    }
}

/// Logs in with key and secret. Boxed, since logging in is a call of the
/// client that waits for it.
fn login(state: &ClientState) -> BoxFuture<'_, Result<(), Error>> {
    Box::pin(async move {
        let answer = Client::of(state.clone()).authentication().authenticate().send().await?;
        let below_data = answer.data.as_ref().and_then(|data| data.access_token.clone());
        let token = match (below_data, answer.access_token.clone()) {
            (Some(token), Some(other)) if token != other => {
                return Err(answer.incomplete("has two different tokens"));
            }
            (Some(token), _) | (None, Some(token)) => token,
            (None, None) => return Err(answer.incomplete("has no token")),
        };
        let life = platform_lifetime(&token, answer.timestamp.as_ref());
        state.platform().put(token, life, None).await;
        Ok(())
    })
}
