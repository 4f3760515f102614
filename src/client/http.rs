//! The HTTP client inside, with the safety settings on top of the caller's.

use std::{sync::OnceLock, time::Duration};

use reqwest::{header::HeaderValue, redirect};

use super::connecting::Noting;
use crate::{Error, environment::install_tls_provider};

const USER_AGENT: &str = concat!("sandbox-client/", env!("CARGO_PKG_VERSION"));

/// Longest silence of an HTTP/2 connection before it is asked for a sign of life.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// Puts the safety settings on top of whatever the caller has set. `plain` is
/// for loopback addresses by http alone.
pub(super) fn safe_http(
    builder: reqwest::ClientBuilder,
    plain: bool,
    (connect_timeout, attempt_timeout): (Duration, Duration),
    application: Option<&str>,
) -> Result<reqwest::Client, Error> {
    install_tls_provider();
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config("http", "has no TLS provider").with_advice(
            "turn on the feature `ring`, or install a provider in rustls before building the client",
        ));
    }
    let user_agent = application.map_or(Ok(HeaderValue::from_static(USER_AGENT)), |application| {
        Some(application.trim())
            .filter(|application| !application.is_empty())
            .and_then(|application| HeaderValue::from_str(&format!("{application} {USER_AGENT}")).ok())
            .ok_or_else(|| {
                Error::config("user_agent", "is empty or cannot stand in a header: use visible ASCII")
            })
    })?;
    // A connection whose other end is gone is left within half an attempt, so
    // that the next attempt has a new one. While idle too, since a call may
    // have less time than that.
    let silence = (attempt_timeout / 4).min(LONGEST_SILENCE);
    let builder = builder
        .http2_keep_alive_interval(silence)
        .http2_keep_alive_timeout(silence)
        .http2_keep_alive_while_idle(true)
        .connector_layer(Noting)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connection_verbose(false)
        .tls_danger_accept_invalid_certs(false)
        .tls_danger_accept_invalid_hostnames(false)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .connect_timeout(connect_timeout)
        .user_agent(user_agent);
    // Plain http is for loopback alone: no proxy may see the key in it, and
    // the system's certificates need not be there.
    let builder = if plain { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
    builder.build().map_err(|error| {
        Error::config("http", "is not a usable configuration of reqwest")
            .with_source(error.without_url())
            .with_advice(
                "see the error's source; on Linux the CA certificates of the system must be installed \
             (package ca-certificates)",
            )
    })
}

/// HTTP clients for the hosts of signed URLs, made when they are first needed.
///
/// Not the client of the API: these hosts are others, and nothing that a caller
/// has set for the API, such as default headers, is theirs. Bodies are files,
/// which are kept as they are sent.
pub(super) struct FileHosts {
    /// For making a connection, and for an attempt.
    timeouts: (Duration, Duration),
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
}

impl FileHosts {
    /// With the caller's settings for https, where there are any.
    pub(super) fn new(
        http: Option<reqwest::ClientBuilder>,
        timeouts: (Duration, Duration),
    ) -> Result<Self, Error> {
        let secure = match http {
            Some(http) => OnceLock::from(safe_http(http.no_gzip(), false, timeouts, None)?),
            None => OnceLock::new(),
        };
        Ok(Self { timeouts, plain: OnceLock::new(), secure })
    }

    pub(super) fn client(&self, plain: bool) -> Result<&reqwest::Client, Error> {
        let made = if plain { &self.plain } else { &self.secure };
        if let Some(client) = made.get() {
            return Ok(client);
        }
        let client = safe_http(reqwest::Client::builder().no_gzip(), plain, self.timeouts, None)?;
        Ok(made.get_or_init(|| client))
    }
}
