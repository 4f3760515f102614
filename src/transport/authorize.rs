//! Puts on a request what its operation must carry, and nothing else.

use std::time::Instant;

use reqwest::{
    Request,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};

use crate::{
    Client, Error, ErrorKind, Phase,
    client::Scope,
    generated::ClientInfo,
    operation::{Credential, Operation},
    session::Lease,
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_SECRET: HeaderName = HeaderName::from_static("x-api-secret");
const API_VERSION: HeaderName = HeaderName::from_static("x-api-version");

/// Headers that are the same for every try, and a check of the address.
pub(crate) fn prepare(
    scope: &Scope,
    operation: &'static Operation,
    request: &mut Request,
) -> Result<(), Error> {
    let path = request.url().path();
    if !path.strip_prefix(scope.base_url().prefix()).is_some_and(|path| operation.covers(path)) {
        return Err(Error::new(
            ErrorKind::Config,
            "a path parameter is empty or would change the path; use letters and digits",
        ));
    }
    let headers = request.headers_mut();
    headers.insert(API_KEY, scope.key_header());
    if let Some(version) = operation.api_version {
        headers.entry(API_VERSION).or_insert(HeaderValue::from_static(version));
    }
    Ok(())
}

/// The token or secret that `security` asks for. `None` if it asks for no
/// token. A login or a refresh is waited for until the deadline at most.
pub(crate) async fn authorize(
    client: &Client,
    operation: &'static Operation,
    request: &mut Request,
    deadline: Instant,
) -> Result<Option<Lease>, Error> {
    let scope = client.inner();
    let lease = match operation.credential {
        Credential::ApiKey => return Ok(None),
        Credential::ApiSecret => {
            let secret = scope.secret_header().ok_or_else(|| {
                Error::config("secret", "is missing")
                    .advice("set it with `ClientBuilder::secret` or SANDBOX_API_SECRET")
            })?;
            request.headers_mut().insert(API_SECRET, secret);
            return Ok(None);
        }
        credential => match client.token_at_hand(credential) {
            Some(lease) => lease,
            // Boxed: waiting is rare, and what it keeps would make every call larger.
            None if credential == Credential::PlatformToken => {
                Box::pin(until(deadline, client.platform_token())).await?
            }
            None => Box::pin(until(deadline, client.taxpayer_token())).await?,
        },
    };
    request.headers_mut().insert(AUTHORIZATION, lease.token.header());
    Ok(Some(lease))
}

/// Lets a login that a call waits for take no longer than the call may.
async fn until<T>(deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout_at(deadline.into(), work).await {
        Ok(result) => result,
        Err(_) => {
            Err(Error::new(ErrorKind::Timeout, "no token in time; nothing was sent").with_phase(Phase::Login))
        }
    }
}
