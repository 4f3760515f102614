//! Certificates of all kinds, made for one test.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// What a program does that builds this crate without the feature `ring`.
pub fn install_tls_provider() {
    // It may be there already.
    let _ = ring::default_provider().install_default();
}

/// A certificate authority of our own.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("Authority {}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Settings of a client that trusts this authority alone, and asks no
    /// proxy of the machine that the tests run on.
    pub fn trusted(&self) -> reqwest::ClientBuilder {
        let root = reqwest::Certificate::from_der(self.root()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([root])
    }

    /// The authority's own certificate.
    pub fn root(&self) -> &[u8] {
        self.0.der()
    }

    /// A server that this authority vouches for as `name`.
    pub fn server(&self, name: &str) -> TlsAcceptor {
        self.server_speaking(name, &["http/1.1"])
    }

    /// The same, offering HTTP/2.
    pub fn server_h2(&self, name: &str) -> TlsAcceptor {
        self.server_speaking(name, &["h2"])
    }

    /// A server whose certificate was good until 2020.
    pub fn expired(&self, name: &str) -> TlsAcceptor {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        self.sign(&params, &["http/1.1"])
    }

    /// `ca.pem`, and `server.pem` with `server.key` of a server `localhost`.
    pub fn files(&self) -> tempfile::TempDir {
        let key = KeyPair::generate().unwrap();
        let server =
            CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, what, content) in [
            ("ca.pem", "CERTIFICATE", self.root().to_vec()),
            ("server.pem", "CERTIFICATE", server.der().to_vec()),
            ("server.key", "PRIVATE KEY", key.serialize_der()),
        ] {
            let text = format!(
                "-----BEGIN {what}-----\n{}\n-----END {what}-----\n",
                BASE64_STANDARD.encode(content)
            );
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn server_speaking(&self, name: &str, protocols: &[&str]) -> TlsAcceptor {
        self.sign(&CertificateParams::new([name.to_owned()]).unwrap(), protocols)
    }

    fn sign(&self, params: &CertificateParams, protocols: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        acceptor(certificate.der().clone(), &key, protocols)
    }
}

/// A server that vouches for itself.
pub fn self_signed(name: &str) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    acceptor(certificate.der().clone(), &key, &["http/1.1"])
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}
