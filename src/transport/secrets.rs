//! Keeps what opened the door for a call out of its errors, should the
//! provider echo it.

use std::sync::Arc;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Client, Error, ErrorKind, Token,
    client::{Access, Scope},
    credentials::ApiKey,
    error::redacted,
    generated::ClientInfo,
    operation::{Credential, Operation},
};

/// The credentials of one call.
#[derive(Clone)]
pub(crate) struct Secrets {
    key: Arc<ApiKey>,
    token: Option<Token>,
    /// Values of parameters that the document marks with `x-secret`.
    parameters: Vec<SecretString>,
}

impl Secrets {
    pub fn of(scope: &Scope, operation: &Operation, address: &Url, token: Option<Token>) -> Self {
        let is_secret =
            |name: &str| operation.parameters.iter().any(|known| known.secret && known.name == name);
        let parameters = if operation.parameters.iter().any(|known| known.secret) {
            let secret = address.query_pairs().filter(|(name, _)| is_secret(name));
            secret.map(|(_, value)| value.into_owned().into()).collect()
        } else {
            Vec::new()
        };
        Self { key: Arc::clone(scope.credentials()), token, parameters }
    }

    /// The error without any of them.
    pub fn out_of(&self, error: Error) -> Error {
        error.without(&self.all())
    }

    /// The text without any of them.
    pub fn out_of_text(&self, text: String) -> String {
        self.all().iter().fold(text, redacted)
    }

    fn all(&self) -> Vec<&str> {
        let mut all = vec![self.key.key.expose_secret()];
        all.extend(self.key.secret.as_ref().map(SecretString::expose_secret));
        all.extend(self.token.as_ref().map(Token::expose_secret));
        all.extend(self.parameters.iter().map(SecretString::expose_secret));
        all
    }
}

/// The error for an answer that claims success without what its operation
/// promises; `lacks` says what that is. The provider has done its part all the same.
pub(crate) fn hollow(
    client: &Client,
    operation: &'static str,
    lacks: &str,
    transaction_id: Option<&str>,
) -> Error {
    let scope = client.inner();
    let error = Error::new(ErrorKind::Decode, format!("the answer claims success and {lacks}"))
        .in_operation(operation)
        .with_status(reqwest::StatusCode::OK)
        .with_transaction_id(transaction_id)
        .after_attempts(1)
        .maybe_sent(true);
    let token = match (Operation::find(operation).map(|known| known.credential), scope.taxpayer()) {
        (Some(Credential::TaxpayerToken), Some(Access::Fixed(token))) => Some(token.clone()),
        (Some(Credential::TaxpayerToken), Some(Access::Session(slot))) => {
            slot.saved().map(|saved| saved.token)
        }
        (Some(Credential::PlatformToken), _) => scope.platform().saved().map(|saved| saved.token),
        _ => None,
    };
    Secrets { key: Arc::clone(scope.credentials()), token, parameters: Vec::new() }.out_of(error)
}
