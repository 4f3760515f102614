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

/// Refuses an address that is not the operation's own.
pub(crate) fn check_address(
    scope: &Scope,
    operation: &'static Operation,
    request: &Request,
) -> Result<(), Error> {
    let path = request.url().path();
    if path.strip_prefix(scope.base_url().prefix()).is_some_and(|path| operation.covers(path)) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Config,
            "a path parameter is empty or would change the path; use letters and digits",
        ))
    }
}

/// The token that `security` asks for. `None` if it asks for no token. A login
/// or a refresh is waited for until the deadline at most.
pub(crate) async fn authorize(
    client: &Client,
    operation: &'static Operation,
    deadline: Instant,
) -> Result<Option<Lease>, Error> {
    let lease = match operation.credential {
        Credential::ApiKey => return Ok(None),
        Credential::ApiSecret if client.inner().has_secret() => return Ok(None),
        Credential::ApiSecret => {
            return Err(Error::config("secret", "is missing")
                .advice("set it with `ClientBuilder::secret` or SANDBOX_API_SECRET"));
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
    Ok(Some(lease))
}

/// A copy of `request` with the key, the version, and the token or secret.
/// The request itself has none of the credentials: the document cannot put them there.
pub(crate) fn sign(
    scope: &Scope,
    operation: &'static Operation,
    lease: Option<&Lease>,
    request: &Request,
) -> Request {
    let mut request = request.try_clone().expect("bodies are kept in memory, never streamed");
    let headers = request.headers_mut();
    headers.append(API_KEY, scope.key_header());
    if let Some(version) = operation.api_version
        && !headers.contains_key(&API_VERSION)
    {
        headers.append(API_VERSION, HeaderValue::from_static(version));
    }
    if let Some(lease) = lease {
        headers.append(AUTHORIZATION, lease.token.header());
    }
    if operation.credential == Credential::ApiSecret
        && let Some(secret) = scope.secret_header()
    {
        headers.append(API_SECRET, secret);
    }
    request
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
