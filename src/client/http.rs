//! The HTTP client inside, with the safety settings on top of the caller's.

use std::time::Duration;

use reqwest::redirect;

use crate::{
    Error,
    environment::{BaseUrl, install_tls_provider},
};

const USER_AGENT: &str = concat!("sandbox-client/", env!("CARGO_PKG_VERSION"));

/// Puts the safety settings on top of whatever the caller has set.
pub(super) fn safe_http(
    builder: reqwest::ClientBuilder,
    base_url: &BaseUrl,
    connect_timeout: Duration,
) -> Result<reqwest::Client, Error> {
    install_tls_provider();
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config("http", "has no TLS provider").advice(
            "turn on the feature `ring`, or install a provider in rustls before building the client",
        ));
    }
    let builder = builder
        .redirect(redirect::Policy::none())
        .referer(false)
        .connection_verbose(false)
        .tls_danger_accept_invalid_certs(false)
        .tls_danger_accept_invalid_hostnames(false)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .connect_timeout(connect_timeout)
        .user_agent(USER_AGENT);
    // Plain http is for loopback alone: no proxy may see the key in it, and
    // the system's certificates need not be there.
    let builder =
        if base_url.plain { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
    builder.build().map_err(|error| {
        Error::config("http", "is not a usable configuration of reqwest")
            .with_source(error.without_url())
            .advice(
                "see the error's source; on Linux the CA certificates of the system must be installed \
             (package ca-certificates)",
            )
    })
}
