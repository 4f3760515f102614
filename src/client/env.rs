//! What the environment variables of the process set.

use secrecy::SecretString;

use super::{Client, ClientBuilder};
use crate::{Error, environment::variable, field};

impl Client {
    /// A client from the environment.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `SANDBOX_API_KEY` | the API key, required; names live or test by its prefix |
    /// | `SANDBOX_API_SECRET` | the API secret |
    /// | `SANDBOX_ACCESS_TOKEN` | token of a taxpayer's session that you already have |
    /// | `SANDBOX_BASE_URL` | another address, for a gateway or a mock server |
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable
    /// that is missing, empty, not text or malformed; never its value.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build().map_err(|error| {
            let variable = match error.field() {
                Some(field::KEY) => "SANDBOX_API_KEY",
                Some(field::SECRET) => "SANDBOX_API_SECRET",
                Some(field::TAXPAYER_TOKEN) => "SANDBOX_ACCESS_TOKEN",
                Some(field::BASE_URL) => "SANDBOX_BASE_URL",
                _ => return error,
            };
            error.with_field(variable)
        })
    }
}

impl ClientBuilder {
    /// A builder with all settings from the environment, to add further
    /// settings; see [`Client::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable
    /// that is missing, empty or not text. [`build`](ClientBuilder::build)
    /// reports other invalid values.
    pub fn from_env() -> Result<Self, Error> {
        let key = variable("SANDBOX_API_KEY")?.ok_or_else(|| {
            Error::config("SANDBOX_API_KEY", "is not set")
                .with_advice("set it to the API key, or use `Client::builder`")
        })?;
        let mut builder = Self::default().key(key);
        builder.secret = variable("SANDBOX_API_SECRET")?.map(SecretString::from);
        builder.taxpayer_token = variable("SANDBOX_ACCESS_TOKEN")?.map(SecretString::from);
        builder.base_url = variable("SANDBOX_BASE_URL")?;
        Ok(builder)
    }
}
