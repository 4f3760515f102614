//! What leaves this process is sealed: encrypted, and bound to its name.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Generate as _, Payload},
};
use hmac_sha256::Hash;
use secrecy::{ExposeSecret as _, SecretBox};

use crate::{Error, field, hex::hex};

/// The form of what is sealed, in its first byte.
const VERSION: u8 = 1;
const NONCE: usize = 24;

/// The key that encrypts tokens before they are sent to Redis: 32 random
/// bytes, the same on every worker. Redis never receives it.
///
/// ```
/// use sandbox_client::redis::EncryptionKey;
///
/// // From `openssl rand -base64 32`, kept where the API secret is kept.
/// let key = EncryptionKey::from_base64("m1hVQ0Yk3aUO1zkn0lq2P8XbHnLSt9yyYzq9CwB5o2s=")?;
/// # let _ = key;
/// # Ok::<(), sandbox_client::Error>(())
/// ```
pub struct EncryptionKey(SecretBox<[u8; 32]>);

impl EncryptionKey {
    /// Takes 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Takes 32 random bytes written as base64, 44 characters.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the field `redis_key`.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let mut bytes = Box::new([0; 32]);
        match BASE64_STANDARD.decode_slice(text.trim(), bytes.as_mut_slice()) {
            Ok(32) => Ok(Self(SecretBox::new(bytes))),
            _ => Err(Error::config(field::REDIS_KEY, "is not 32 bytes in base64")
                .with_advice("make one with `openssl rand -base64 32`, the same for every worker")),
        }
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey([redacted])")
    }
}

/// Seals and opens with one key.
pub(super) struct Seal {
    cipher: XChaCha20Poly1305,
    /// Says which key, and nothing about it. It is part of the names, so that
    /// workers with different keys do not spoil each other's tokens.
    pub mark: String,
}

impl Seal {
    pub fn new(key: &EncryptionKey) -> Self {
        let bytes = key.0.expose_secret();
        let mut mark = Hash::new();
        mark.update(b"sandbox-client: mark of a key");
        mark.update(bytes);
        Self { cipher: XChaCha20Poly1305::new(bytes.into()), mark: hex(&mark.finalize()[..8]) }
    }

    /// Nonces of 24 random bytes do not repeat. The name is authenticated
    /// with the text: a value moved to another name does not open.
    pub fn close(&self, name: &str, text: &str) -> Vec<u8> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: text.as_bytes(), aad: name.as_bytes() };
        let sealed = self.cipher.encrypt(&nonce, payload).expect("far below the longest text");
        [&[VERSION], &nonce[..], &sealed].concat()
    }

    /// `None` for what was sealed otherwise or changed since.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Option<String> {
        let (version, sealed) = sealed.split_first()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        if *version != VERSION {
            return None;
        }
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        let text = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok()
    }
}

/// A name that nobody else has.
pub(super) fn unique() -> String {
    hex(&<[u8; 16]>::generate())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_name_and_key_alone() {
        let seal = Seal::new(&EncryptionKey::new([7; 32]));
        let other = Seal::new(&EncryptionKey::new([8; 32]));
        let sealed = seal.close("name", "text");
        assert_eq!(seal.open("name", &sealed).as_deref(), Some("text"));
        assert_ne!(seal.close("name", "text"), sealed, "a nonce was used twice");
        assert_eq!(seal.open("other name", &sealed), None);
        assert_eq!(other.open("name", &sealed), None);
        assert_ne!(seal.mark, other.mark);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(seal.open("name", &changed), None, "byte {index}");
            assert_eq!(seal.open("name", &sealed[..index]), None, "cut at {index}");
        }
    }

    #[test]
    fn a_key_is_32_bytes_and_never_shown() {
        for text in ["", "short", "AAAA", &"A".repeat(44), &format!("{}=", "A".repeat(44))] {
            let error = EncryptionKey::from_base64(text).unwrap_err();
            assert_eq!(error.field(), Some("redis_key"), "{text}");
        }
        let text = BASE64_STANDARD.encode([200; 32]);
        let key = EncryptionKey::from_base64(&format!("{text}\n")).unwrap();
        assert_eq!(format!("{key:?}"), "EncryptionKey([redacted])");
    }
}
