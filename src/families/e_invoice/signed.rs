//! What a signed invoice says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use crate::e_invoice::types::RegisteredInvoice;

impl RegisteredInvoice {
    /// The invoice as the portal signed it: the claim `data` of `SignedInvoice`.
    ///
    /// The signature is **not** verified: for that, give `SignedInvoice` and the
    /// public key of NIC to a JWT library. `None` where the text is no token
    /// with such a claim.
    #[must_use]
    pub fn signed_invoice_data(&self) -> Option<Value> {
        data(self.signed_invoice.as_deref()?)
    }

    /// What the signed QR code says: the claim `data` of `SignedQRCode`. The
    /// signature is **not** verified.
    #[must_use]
    pub fn signed_qr_code_data(&self) -> Option<Value> {
        data(self.signed_qr_code.as_deref()?)
    }
}

/// The invoice inside a signed invoice, or the data inside a signed QR code:
/// the claim `data` of the token. The signature is not checked; `None` where
/// the text is no such token.
pub(super) fn data(signed: &str) -> Option<Value> {
    #[derive(Deserialize)]
    struct Claims {
        data: Value,
    }
    let payload = signed.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    match claims.data {
        Value::String(text) => serde_json::from_str(&text).ok(),
        data => Some(data),
    }
}
