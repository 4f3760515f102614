//! The platform token: obtained with key and secret, whenever it is needed.

use crate::{
    BoxFuture, Client, Error, ErrorKind,
    client::ClientState,
    token::{self, Fresh, PLATFORM_TERMS, platform_lifetime},
};

use super::Kind;

pub(super) static KIND: Kind = Kind {
    scheme: token::PLATFORM,
    terms: PLATFORM_TERMS,
    opens: |state, _| state.has_secret(),
    renew: |state, _, _| login(state),
    end: None,
    over: || Error::new(ErrorKind::Auth, "the platform token was refused at once"),
};

/// Logs in with key and secret.
fn login(state: ClientState) -> BoxFuture<'static, Result<Fresh, Error>> {
    Box::pin(async move {
        let answer = Client::of(state).authentication().authenticate().send().await?;
        let below_data = answer.data.as_ref().and_then(|data| data.access_token.clone());
        let token = match (below_data, answer.access_token.clone()) {
            (Some(token), Some(other)) if token != other => {
                return Err(answer.incomplete("has two different tokens"));
            }
            (Some(token), _) | (None, Some(token)) => token,
            (None, None) => return Err(answer.incomplete("has no token")),
        };
        let life = platform_lifetime(&token, answer.timestamp.as_ref());
        Ok(Fresh { token, life, session_expires_at: None })
    })
}
