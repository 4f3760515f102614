//! The life of tokens: had once however many wait, renewed early, forgotten
//! when the server refuses them, never mixed between taxpayers or keys.

mod expiry;
mod renewal;
mod shared;
mod slot;
mod store;

pub(crate) use expiry::{platform_lifetime, taxpayer_lifetime};
pub(crate) use renewal::{keep, refresh};
pub(crate) use slot::{Lease, Slot};
pub use store::{BoxError, MemoryStore, SavedToken, TaxpayerId, TokenKey, TokenStore};
