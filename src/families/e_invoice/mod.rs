//! E-invoices: checked before they are sent, registered once, changed on the
//! server that registered them.

mod check;
mod form;
mod generate;
mod signed;
mod sums;

pub use check::InvoiceFault;
pub use generate::{InvoiceId, RegisteredOnce};
pub use signed::{NicPublicKey, SignatureError, SignedClaims};
