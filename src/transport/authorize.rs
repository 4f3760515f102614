//! Puts on a request what its operation must carry, and nothing else.

use reqwest::{
    Request,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};

use crate::{
    Client, Error,
    client::Scope,
    generated::ClientInfo,
    operation::{Credential, Operation},
    session::Lease,
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_SECRET: HeaderName = HeaderName::from_static("x-api-secret");
const API_VERSION: HeaderName = HeaderName::from_static("x-api-version");
/// What progenitor adds to every request; this API knows no such header.
const GENERATOR_VERSION: HeaderName = HeaderName::from_static("api-version");

/// Headers that are the same for every try, and a check of the address.
pub(crate) fn prepare(
    scope: &Scope,
    operation: &'static Operation,
    request: &mut Request,
) -> Result<(), Error> {
    let path = request.url().path();
    if !path.strip_prefix(scope.base_url().prefix()).is_some_and(|path| operation.covers(path)) {
        return Err(Error::new(
            crate::ErrorKind::Config,
            "a path parameter is empty or would change the path; use letters and digits",
        ));
    }
    let headers = request.headers_mut();
    headers.remove(GENERATOR_VERSION);
    headers.insert(API_KEY, scope.key_header());
    if let Some(version) = operation.api_version {
        headers.entry(API_VERSION).or_insert(HeaderValue::from_static(version));
    }
    Ok(())
}

/// The token or secret that `security` asks for. `None` if it asks for no token.
pub(crate) async fn authorize(
    client: &Client,
    operation: &'static Operation,
    request: &mut Request,
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
        Credential::PlatformToken => client.platform_token().await?,
        Credential::TaxpayerToken => client.taxpayer_token().await?,
    };
    request.headers_mut().insert(AUTHORIZATION, lease.token.header());
    Ok(Some(lease))
}
