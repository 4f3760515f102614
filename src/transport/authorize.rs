//! Puts on a request what its operation must carry, and nothing else.

use std::time::Instant;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::{
    Error, ErrorKind, Phase,
    client::ClientState,
    field,
    operation::{Credential, Operation},
    request::Request,
    token::Lease,
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_SECRET: HeaderName = HeaderName::from_static("x-api-secret");
const API_VERSION: HeaderName = HeaderName::from_static("x-api-version");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The token that `security` asks for. `None` if it asks for no token. A login
/// or a refresh is waited for until the deadline at most.
pub(crate) async fn authorize(
    state: &ClientState,
    operation: &'static Operation,
    deadline: Instant,
) -> Result<Option<Lease>, Error> {
    let lease = match operation.credential {
        Credential::ApiKey => return Ok(None),
        Credential::ApiSecret if state.has_secret() => return Ok(None),
        Credential::ApiSecret => {
            return Err(Error::config(field::SECRET, "is missing")
                .with_advice("set it with `ClientBuilder::secret` or SANDBOX_API_SECRET"));
        }
        // Boxed: waiting is rare, and what it keeps would make every call larger.
        Credential::PlatformToken => match state.token_at_hand(operation.credential) {
            Some(lease) => lease,
            None => Box::pin(until(deadline, state.platform_token())).await?,
        },
        Credential::Session(kind) => match state.token_at_hand(operation.credential) {
            Some(lease) => lease,
            None => Box::pin(until(deadline, state.session_token(kind))).await?,
        },
    };
    Ok(Some(lease))
}

/// The request as it is sent: with key, version, and token or secret.
pub(crate) fn attach_credentials(request: &Request<'_>, lease: Option<&Lease>) -> reqwest::Request {
    let (state, operation) = (request.state, request.operation);
    let mut authorized = reqwest::Request::new(operation.http_method(), request.url.clone());
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(ACCEPT, JSON);
    headers.insert(API_KEY, state.key_header());
    if let Some(version) = operation.api_version {
        headers.insert(API_VERSION, HeaderValue::from_static(version));
    }
    if let Some(lease) = lease {
        headers.insert(HeaderName::from_static(operation.token_header), lease.token.header());
    }
    if operation.credential == Credential::ApiSecret
        && let Some(secret) = state.secret_header()
    {
        headers.insert(API_SECRET, secret);
    }
    let route = state.auth().map(|auth| auth.route).unwrap_or_default();
    for (name, value) in route.headers().filter(|(name, value)| operation.takes_header(name, value)) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // What the caller gave comes before a default of the document.
    for (name, value) in &request.headers {
        headers.insert(name, value.clone());
    }
    if let Some(body) = &request.body {
        headers.insert(CONTENT_TYPE, JSON);
        *authorized.body_mut() = Some(body.clone().into());
    }
    *authorized.headers_mut() = headers;
    authorized
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
