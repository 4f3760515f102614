//! Secrets made for one test, and the search for them.

use std::{error::Error as StdError, iter};

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use sandbox_client::{Client, ClientBuilder, Error};

/// Fresh random credentials: whatever shows one of them has leaked it.
#[derive(Clone)]
pub struct Secrets {
    pub key: String,
    pub secret: String,
    pub platform_token: String,
    pub taxpayer_token: String,
}

impl Secrets {
    pub fn fresh() -> Self {
        super::install_tls_provider();
        Self {
            key: format!("key_test_{}", random(32)),
            secret: format!("secret_test_{}", random(32)),
            // With the characters that base64 and URLs treat in their own ways.
            platform_token: format!("eyJhbGciOi.{}+/=", random(60)),
            taxpayer_token: format!("eyJ0eXAiOi.{}+/=", random(60)),
        }
    }

    /// A client with these credentials, and nothing else chosen.
    pub fn client(&self, url: impl Into<String>) -> ClientBuilder {
        Client::builder()
            .key(&self.key)
            .secret(&self.secret)
            .platform_token(&self.platform_token)
            .taxpayer_token(&self.taxpayer_token)
            .base_url(url)
    }

    fn all(&self) -> [&str; 4] {
        [&self.key, &self.secret, &self.platform_token, &self.taxpayer_token]
    }

    /// Panics if `text` holds one of the secrets in any form.
    #[track_caller]
    pub fn assert_absent(&self, what: &str, text: &str) {
        for secret in self.all() {
            for form in forms(secret) {
                if let Some(at) = text.find(&form) {
                    let around: String =
                        text[..at].chars().rev().take(200).collect::<Vec<_>>().iter().rev().collect();
                    panic!("{what} shows a secret, after: {around}");
                }
            }
        }
    }

    /// Panics if an error shows one of the secrets, or a part of one at the
    /// place where its text was cut.
    #[track_caller]
    pub fn assert_not_in(&self, error: &Error) {
        let chain = iter::successors(error.source(), |&cause| cause.source());
        let chain: Vec<_> = chain.map(|cause| format!("{cause}\n{cause:?}\n{cause:#?}")).collect();
        let text = format!(
            "{error}\n{error:#}\n{error:?}\n{error:#?}\n{}\n{:?} {:?} {:?} {:?}",
            chain.join("\n"),
            error.provider_message(),
            error.transaction_id(),
            error.error_code(),
            error.field(),
        );
        self.assert_absent(&format!("the error of kind {:?}", error.kind()), &text);
        for start in self.all().map(|secret| &secret[..16]) {
            assert!(!text.contains(start), "an error of kind {:?} shows the start of a secret", error.kind());
        }
    }
}

fn random(length: usize) -> String {
    iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// The forms in which a secret might hide in a text.
fn forms(secret: &str) -> Vec<String> {
    let bytes = |form: fn(u8) -> String| secret.bytes().map(form).collect::<Vec<_>>();
    let swapped_case = secret.chars().map(|character| {
        if character.is_ascii_uppercase() {
            character.to_ascii_lowercase()
        } else {
            character.to_ascii_uppercase()
        }
    });
    let url_encoded = bytes(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    vec![
        secret.to_owned(),
        secret.chars().rev().collect(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        swapped_case.collect(),
        url_encoded.concat(),
        bytes(|byte| format!("{byte:02x}")).concat(),
        // As `Debug` prints bytes.
        bytes(|byte| byte.to_string()).join(", "),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ]
}
