//! Live or test, and the address of either; what the process brings along.

use std::{env, fmt, net::IpAddr};

use reqwest::Url;

use crate::{Error, field};

/// The two environments of the provider. Each key belongs to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// `https://api.sandbox.co.in`, for keys that start with `key_live_`.
    Live,
    /// `https://test-api.sandbox.co.in`, for keys that start with `key_test_`.
    Test,
}

impl Environment {
    /// The address of the environment.
    #[must_use]
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Live => "https://api.sandbox.co.in",
            Self::Test => "https://test-api.sandbox.co.in",
        }
    }

    /// Requests a minute that every page of the provider grants. They
    /// disagree on live (100 or 500), so this is the lowest.
    #[must_use]
    pub fn requests_per_minute(self) -> u32 {
        match self {
            Self::Live => 100,
            Self::Test => 25,
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Live => "live",
            Self::Test => "test",
        })
    }
}

/// A checked address, to which a path can be added. Parsed once, and not again
/// for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    url: Url,
    /// Plain http, accepted for loopback addresses only.
    pub plain: bool,
    /// Which environment's host this is, if it is one of the provider's.
    pub environment: Option<Environment>,
}

impl BaseUrl {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Err(Error::config(field::BASE_URL, reason));
        let Ok(mut url) = Url::parse(text) else {
            return refuse("is not an absolute address such as https://api.sandbox.co.in");
        };
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return refuse("contains a space or a line break; remove it");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not contain a user name or a password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must not contain a query (?) or a fragment (#)");
        }
        let Some(host) = url.host_str() else { return refuse("names no host") };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => return refuse("must start with https://; http:// is for loopback addresses only"),
            _ => return refuse("must start with https://"),
        }
        let environment = [Environment::Live, Environment::Test].into_iter().find(|environment| {
            Url::parse(environment.base_url()).is_ok_and(|known| known.host_str() == Some(host))
        });
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let address = Self { plain: url.scheme() == "http", environment, url };
        // As in https://https://host, or with a user name behind a slash.
        if address.prefix().contains("//") || address.prefix().contains('@') {
            return refuse("has `//` or `@` in its path; check how it was put together");
        }
        Ok(address)
    }

    /// Without a trailing slash.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The host, for logs.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The path in front of every operation's own, without a trailing slash.
    pub fn prefix(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The address of an operation, whose `path` begins with a slash. What is
    /// a parameter in it is percent-encoded already.
    pub fn with_path(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&[self.prefix(), path].concat());
        url
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A variable's text; `None` if it is not set.
pub(crate) fn variable(name: &'static str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) if value.is_empty() => {
            Err(Error::config(name, "is set but empty").with_advice("unset it or give it a value"))
        }
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::config(name, "is not valid text")),
    }
}

/// Chooses ring where the program has chosen nothing: rustls wants one choice
/// for the whole process, and the program's comes first.
#[cfg(feature = "ring")]
pub(crate) fn install_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(not(feature = "ring"))]
pub(crate) fn install_tls_provider() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_loses_its_trailing_slash_and_keeps_its_prefix() {
        for (given, text, prefix) in [
            ("https://api.sandbox.co.in", "https://api.sandbox.co.in", ""),
            ("https://api.sandbox.co.in/", "https://api.sandbox.co.in", ""),
            ("https://gateway.example/sandbox", "https://gateway.example/sandbox", "/sandbox"),
            ("https://gateway.example/a/b//", "https://gateway.example/a/b", "/a/b"),
            ("http://[::1]:8080/", "http://[::1]:8080", ""),
        ] {
            let url = BaseUrl::parse(given).unwrap();
            assert_eq!((url.as_str(), url.prefix()), (text, prefix));
            assert_eq!(url.with_path("/gst/a%2Fb").as_str(), format!("{text}/gst/a%2Fb"));
        }
    }

    #[test]
    fn the_provider_s_hosts_are_known() {
        let environment = |text| BaseUrl::parse(text).unwrap().environment;
        assert_eq!(environment("https://API.sandbox.co.in"), Some(Environment::Live));
        assert_eq!(environment("https://test-api.sandbox.co.in/x"), Some(Environment::Test));
        assert_eq!(environment("https://api.sandbox.code.in"), None);
    }
}
