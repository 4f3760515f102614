//! What a signed invoice and a signed QR code say, and whether NIC signed it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, alg_id,
        pem::{PemObject as _, SectionKind},
    },
};
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::Value;
use webpki::{EndEntityCert, RawPublicKeyEntity};

use crate::{Error, e_invoice::types::RegisteredInvoice, environment::install_tls_provider, field};

impl RegisteredInvoice {
    /// The invoice in the signed form: the claim `data` of `SignedInvoice`.
    ///
    /// The signature is **not** verified: see
    /// [`verify_signed_invoice`](Self::verify_signed_invoice). `None` if the
    /// text is not a token with such a claim.
    #[must_use]
    pub fn signed_invoice_data(&self) -> Option<Value> {
        data(self.signed_invoice.as_deref()?)
    }

    /// The content of the signed QR code: the claim `data` of `SignedQRCode`. The
    /// signature is **not** verified: see
    /// [`verify_signed_qr_code`](Self::verify_signed_qr_code).
    #[must_use]
    pub fn signed_qr_code_data(&self) -> Option<Value> {
        data(self.signed_qr_code.as_deref()?)
    }

    /// The claims of `SignedInvoice`, if this key signed them.
    ///
    /// # Errors
    ///
    /// The errors of [`NicPublicKey::verify`], and [`SignatureError::Missing`] if the
    /// answer has no signed invoice.
    pub fn verify_signed_invoice(&self, key: &NicPublicKey) -> Result<SignedClaims, SignatureError> {
        key.verify(self.signed_invoice.as_deref().ok_or(SignatureError::Missing)?)
    }

    /// The claims of `SignedQRCode`, if this key signed them.
    ///
    /// # Errors
    ///
    /// The errors of [`NicPublicKey::verify`], and [`SignatureError::Missing`] if the
    /// answer has no signed QR code.
    pub fn verify_signed_qr_code(&self, key: &NicPublicKey) -> Result<SignedClaims, SignatureError> {
        key.verify(self.signed_qr_code.as_deref().ok_or(SignatureError::Missing)?)
    }
}

/// The public key with which NIC signs e-invoices. Use it to verify an
/// invoice from a supplier, or a printed QR code.
///
/// NIC publishes its keys on the e-invoice portal and changes them from time to
/// time; this crate contains none.
///
/// ```
/// use sandbox_client::{NicPublicKey, SignatureError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pem = "-----BEGIN PUBLIC KEY-----
/// # MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuCqkPhrnW5NeIH/A0DOb
/// # 89/DGMd+GeJDH1F7ZIBGBCYAT6eUHP9tJLyCpymAvQKBfdSifz9OWNP6N2CsvLxB
/// # 8qA8HKS0C7+F0ASKaaoJAfY568pt1ltsRlZLH7AtEdkilPYC2Gov9Tpwpdt/y3Fc
/// # naEKfouUkfqd6tDK3A7eFLO+XHPz3Q4unjdXH2IycklQZimxflL9Edb+D+btQeop
/// # otUsDWHRCWiXg2FunfhAjKAdtrPHg5QNSQb954mixwMbfQwuxZzhwM/lY0rhewO7
/// # mzK7QJK+NLa1Tzefe+idxRdfQ7R6KUoWyTeT6zJed20dCHmXPmYTZghQIkeLNwQ5
/// # HQIDAQAB
/// # -----END PUBLIC KEY-----";
/// # let scanned = "eyJhbGciOiJub25lIn0.eyJkYXRhIjp7fX0.";
/// let key = NicPublicKey::from_pem(pem)?;
/// match key.verify(scanned) {
///     Ok(claims) => println!("NIC signed {}", claims.data),
///     Err(error) => println!("do not trust it: {error}"),
/// }
/// # assert_eq!(key.verify(scanned).unwrap_err(), SignatureError::Algorithm);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct NicPublicKey {
    key: SubjectPublicKeyInfoDer<'static>,
    /// RS256, as the TLS provider of the program does it.
    algorithm: &'static dyn SignatureVerificationAlgorithm,
}

/// The content of a signed text whose signature was verified.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SignedClaims {
    /// Who signed it, by the claim `iss`.
    pub issuer: Option<String>,
    /// The claim `data`: the invoice, or the content of the QR code.
    pub data: Value,
}

/// Why a signed text cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// The answer has no such text.
    Missing,
    /// It is not a signed token with the claim `data`.
    Malformed,
    /// Its algorithm is not RS256, which NIC uses.
    Algorithm,
    /// It was changed, or signed with another key.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is no signed text",
            Self::Malformed => "the text is not a signed token with the claim `data`",
            Self::Algorithm => "the text is not signed with RS256",
            Self::Mismatch => "the signature does not fit: the text was changed, or signed with another key",
        })
    }
}

impl std::error::Error for SignatureError {}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that whoever does not know them must not ignore.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    data: Value,
}

impl NicPublicKey {
    /// Reads the first public key (`PUBLIC KEY`) or certificate of a PEM file.
    /// From a certificate only the key is used: its dates and its issuer are
    /// not checked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field
    /// `public_key` for anything but an RSA key;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the program has no
    /// TLS provider that supports RS256.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let refused = |reason| Error::input(field::PUBLIC_KEY, reason);
        let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_ref());
        let key = sections.filter_map(Result::ok).find_map(|(kind, der)| match kind {
            SectionKind::PublicKey => Some(Ok(SubjectPublicKeyInfoDer::from(der))),
            SectionKind::Certificate => {
                let key = EndEntityCert::try_from(&CertificateDer::from(der))
                    .map(|certificate| certificate.subject_public_key_info());
                Some(key.map_err(|_| refused("is a certificate that cannot be read")))
            }
            _ => None,
        });
        let key = key.unwrap_or_else(|| {
            Err(refused("is neither a public key (BEGIN PUBLIC KEY) nor a certificate in PEM"))
        })?;
        let key = Self { key, algorithm: rs256()? };
        match key.fits(b"", b"") {
            Err(webpki::Error::InvalidSignatureForPublicKey) => Ok(key),
            _ => Err(refused("is not an RSA key")),
        }
    }

    /// The claims of a signed invoice or of the text of a QR code, if this key
    /// signed them with RS256. The age is not checked.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be trusted. The error contains nothing of the text.
    pub fn verify(&self, signed: &str) -> Result<SignedClaims, SignatureError> {
        let (message, signature) = signed.trim().rsplit_once('.').ok_or(SignatureError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(SignatureError::Malformed)?;
        let header: Header = part(header).ok_or(SignatureError::Malformed)?;
        if header.alg != "RS256" || header.crit.is_some() {
            return Err(SignatureError::Algorithm);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| SignatureError::Malformed)?;
        self.fits(message.as_bytes(), &signature).map_err(|_| SignatureError::Mismatch)?;
        let claims: Claims = part(claims).ok_or(SignatureError::Malformed)?;
        let data = unwrapped(claims.data).ok_or(SignatureError::Malformed)?;
        Ok(SignedClaims { issuer: claims.iss, data })
    }

    fn fits(&self, message: &[u8], signature: &[u8]) -> Result<(), webpki::Error> {
        RawPublicKeyEntity::try_from(&self.key)?.verify_signature(self.algorithm, message, signature)
    }
}

impl fmt::Debug for NicPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NicPublicKey").finish_non_exhaustive()
    }
}

fn rs256() -> Result<&'static dyn SignatureVerificationAlgorithm, Error> {
    install_tls_provider();
    let known = CryptoProvider::get_default().map(|provider| provider.signature_verification_algorithms.all);
    let fits = |algorithm: &&dyn SignatureVerificationAlgorithm| {
        algorithm.public_key_alg_id() == alg_id::RSA_ENCRYPTION
            && algorithm.signature_alg_id() == alg_id::RSA_PKCS1_SHA256
    };
    known.unwrap_or_default().iter().copied().find(fits).ok_or_else(|| {
        Error::config(field::PUBLIC_KEY, "cannot be used: the program has no TLS provider that knows RS256")
            .with_advice("turn on the feature `ring`, or install a provider in rustls")
    })
}

/// The invoice inside a signed invoice, or the data inside a signed QR code:
/// the claim `data` of the token. The signature is not checked; `None` where
/// the text is not such a token.
pub(super) fn data(signed: &str) -> Option<Value> {
    let claims: Claims = part(signed.split('.').nth(1)?.trim_end_matches('='))?;
    unwrapped(claims.data)
}

/// A part of a token: JSON in base64url.
fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// NIC writes the data as text in the claim.
fn unwrapped(data: Value) -> Option<Value> {
    match data {
        Value::String(text) => serde_json::from_str(&text).ok(),
        data => Some(data),
    }
}
