//! Signed URLs: whoever has one may use it.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, environment::is_loopback, field};

/// A URL on another host for the upload or download of a file.
///
/// Its query holds a signature, so it is a secret until it expires, usually after 24
/// hours: never shown, zeroized when dropped, and serialised as a placeholder.
/// [`Client::transfers`](crate::Client::transfers) uses it; otherwise only
/// [`expose_secret`](SignedUrl::expose_secret) returns it.
///
/// ```
/// use sandbox_client::values::SignedUrl;
///
/// let url = SignedUrl::new("https://in-co-sandbox-files.s3.ap-south-1.amazonaws.com/report.xlsx?X-Amz-Signature=0a1b")?;
/// assert_eq!(format!("{url:?}"), "SignedUrl([redacted])");
/// assert_eq!(SignedUrl::new("report.xlsx").unwrap_err().field(), Some("url"));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
///
/// Source: the provider's guide to
/// [job-based APIs](https://developer.sandbox.co.in/guides/developer-resources/job_based_apis).
#[derive(Clone)]
pub struct SignedUrl(SecretString);

impl SignedUrl {
    /// Takes a URL from the provider. It is sent unchanged: nothing is trimmed
    /// or escaped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `url` for
    /// text that is not an absolute `https` URL; `http` is for loopback addresses
    /// only. [`Transfers`](crate::Transfers) decides
    /// which hosts are accepted.
    pub fn new(url: impl Into<String>) -> Result<Self, Error> {
        let url = Self(SecretString::from(url.into()));
        url.parsed().map(|_| url)
    }

    /// The URL with its signature. Keep it out of logs, files and messages.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// The parts of the URL, where it is one that may be used at all.
    pub(crate) fn parsed(&self) -> Result<Url, Error> {
        let refuse = |reason: &str| Err(Error::input(field::URL, reason));
        let text = self.expose_secret();
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return refuse("contains a space or a line break");
        }
        let Ok(url) = Url::parse(text) else { return refuse("is not an absolute URL") };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not contain a user name or a password");
        }
        if url.fragment().is_some() {
            return refuse("must not contain a fragment (#)");
        }
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => Ok(url),
            ("http", Some(host)) if is_loopback(host) => Ok(url),
            ("http", _) => refuse("must start with https://; http:// is for loopback addresses only"),
            _ => refuse("must start with https://"),
        }
    }
}

/// Whether a host has the form that the provider's signed URLs have.
pub(crate) fn is_documented_host(host: &str) -> bool {
    const BUCKET: &str = "in-co-sandbox-";
    const HOST: &str = ".s3.ap-south-1.amazonaws.com";
    // One label: a bucket, not somebody's host that begins like one.
    host.strip_suffix(HOST).is_some_and(|bucket| bucket.starts_with(BUCKET) && !bucket.contains('.'))
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedUrl([redacted])")
    }
}

/// Redacted, so that an answer can be serialised without giving it away.
impl Serialize for SignedUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

/// Any text: what is no URL fails where it is used, not the whole answer.
impl<'de> Deserialize<'de> for SignedUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|url| Self(url.into()))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(SignedUrl, "SignedUrl", String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_form_of_a_host_is_a_bucket_of_the_provider() {
        let host = "in-co-sandbox-gst-analytics-gstr-2a-reconciliation-prod1.s3.ap-south-1.amazonaws.com";
        assert!(is_documented_host(host));
        for other in [
            "s3.ap-south-1.amazonaws.com",
            ".s3.ap-south-1.amazonaws.com",
            "other.s3.ap-south-1.amazonaws.com",
            "in-co-sandbox-x.s3.us-east-1.amazonaws.com",
            "in-co-sandbox-x.s3.ap-south-1.amazonaws.com.example.com",
            "in-co-sandbox-x.evil.s3.ap-south-1.amazonaws.com",
            "in-co-sandbox-x.s3.ap-south-1.amazonaws.com.",
        ] {
            assert!(!is_documented_host(other), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_used_as_it_is_is_refused_without_showing_it() {
        for text in [
            "",
            "canary",
            "ftp://canary.example/",
            "http://canary.example/?a",
            "https://user:canary@example.com/",
            "https://example.com/#canary",
            " https://example.com/canary",
            "https://example.com/can\nary",
            "https:///",
        ] {
            let error = SignedUrl::new(text).unwrap_err();
            assert_eq!(error.field(), Some("url"), "{text}");
            assert!(!format!("{error:?} {error}").contains("canary"), "{error}");
        }
        for text in
            ["https://example.com/a%2Fb?X-Amz-Signature=%2F", "http://127.0.0.1:8080/a", "http://[::1]/"]
        {
            assert_eq!(SignedUrl::new(text).unwrap().parsed().unwrap().as_str(), text);
        }
    }
}
