//! Keeps what opened the door for a call out of its errors, should the
//! provider echo it.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, Token, credentials::ApiKey, error::redacted, request::Request};

/// The credentials of one call.
#[derive(Clone)]
pub(crate) struct Secrets {
    key: Arc<ApiKey>,
    token: Option<Token>,
    /// Values of parameters that the document marks with `x-secret`.
    parameters: Vec<SecretString>,
}

impl Secrets {
    pub fn of(request: &Request<'_>, token: Option<Token>) -> Self {
        let key = Arc::clone(request.state.credentials());
        Self { key, token, parameters: request.secrets.clone() }
    }

    /// The error without any of them.
    pub fn out_of(&self, error: Error) -> Error {
        error.redact(self.all())
    }

    /// The text without any of them.
    pub fn out_of_text(&self, text: String) -> String {
        self.all().fold(text, redacted)
    }

    fn all(&self) -> impl Iterator<Item = &str> + Clone {
        let key = [Some(&self.key.key), self.key.secret.as_ref()].into_iter().flatten();
        let key = key.map(SecretString::expose_secret);
        // A parameter may be a part of the token, so the token goes first.
        key.chain(self.token.as_ref().map(Token::expose_secret))
            .chain(self.parameters.iter().map(SecretString::expose_secret))
    }
}
