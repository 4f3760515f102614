//! Tokens handed out, and when they end.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

/// Whom a taxpayer token was given to.
#[derive(Clone, Default)]
pub(super) struct Holder {
    pub(super) gstin: Option<String>,
    pub(super) username: Option<String>,
}

struct Issued {
    scheme: String,
    /// Milliseconds since 1970.
    expires: u64,
    holder: Holder,
}

pub(super) enum Standing {
    Valid,
    Expired,
    Unknown,
}

#[derive(Default)]
pub(super) struct Tokens(HashMap<String, Issued>);

impl Tokens {
    /// A fresh token and the millisecond at which it ends.
    pub(super) fn issue(&mut self, scheme: &str, lifetime: Duration, holder: Holder) -> (String, u64) {
        // The count alone would repeat the tokens of an earlier process.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = now();
        let expires = now.saturating_add(millis(lifetime));
        // Whole seconds, rounded down: a client that reads the claim never
        // believes in a token for longer than the mock does.
        let claims = json!({
            "iat": now / 1000,
            "exp": expires / 1000,
            "jti": format!("{now:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed)),
        });
        let encode = |part: String| URL_SAFE_NO_PAD.encode(part);
        let token = format!("{}.{}.", encode(json!({"alg": "none"}).to_string()), encode(claims.to_string()));
        self.0.insert(token.clone(), Issued { scheme: scheme.to_owned(), expires, holder });
        (token, expires)
    }

    /// A token of another scheme is as unknown as an invented one.
    pub(super) fn standing(&self, token: &str, scheme: &str) -> Standing {
        match self.0.get(token) {
            Some(issued) if issued.scheme != scheme => Standing::Unknown,
            Some(issued) if now() < issued.expires => Standing::Valid,
            Some(_) => Standing::Expired,
            None => Standing::Unknown,
        }
    }

    pub(super) fn holder(&self, token: &str) -> Holder {
        self.0.get(token).map(|issued| issued.holder.clone()).unwrap_or_default()
    }

    pub(super) fn revoke(&mut self, token: &str) {
        self.0.remove(token);
    }

    pub(super) fn expire_all(&mut self) {
        self.0.values_mut().for_each(|issued| issued.expires = 0);
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
