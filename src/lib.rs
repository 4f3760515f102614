#![doc = include_str!("../README.md")]

mod client;
mod credentials;
mod environment;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod generated;
mod gst;
mod hex;
#[cfg(feature = "mock")]
pub mod mock;
mod operation;
mod raw;
#[cfg(feature = "redis")]
pub mod redis;
mod session;
mod sweep;
mod transport;
pub mod values;

pub use client::ClientBuilder;
pub use credentials::Token;
pub use environment::Environment;
pub use error::{Error, ErrorKind, Phase};
#[cfg(doc)]
pub use generated::reference;
pub use generated::{Client, ResponseValue, builder, types};
pub use gst::{
    AllInvoiceCounts, InvoiceActions, InvoiceList, InvoiceResets, Job, JobReport, JobState, Polling,
    RefusedDocument, SupplierList, Taxpayer,
};
pub use operation::{Credential, Location, Operation, Parameter};
pub use session::{BoxError, MemoryStore, SavedToken, TaxpayerId, TokenKey, TokenStore};
pub use sweep::{Sweep, SweepItem, SweepStream};
pub use transport::{BoxFuture, CallReport, RateGate, RetryPolicy};

/// Every operation of the OpenAPI document, sorted by id.
#[must_use]
pub fn operations() -> &'static [Operation] {
    generated::OPERATIONS
}
