#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod client;
mod codes;
mod credentials;
mod document;
mod environment;
mod error;
mod families;
pub mod field;
#[cfg(fuzzing)]
pub mod fuzzing;
mod generated;
#[cfg(doc)]
pub mod guide;
mod hex;
#[cfg(feature = "matching")]
pub mod matching;
#[cfg(feature = "mock")]
pub mod mock;
mod observe;
mod operation;
mod rate_limit;
mod raw;
#[cfg(feature = "redis")]
pub mod redis;
mod regular_file;
mod request;
mod retry;
pub mod session;
#[cfg(feature = "ims")]
mod sweep;
mod token;
mod tolerant;
mod transfer;
mod transport;
pub mod values;

pub use answer::Answer;
pub use client::{Client, ClientBuilder};
pub use codes::CodeMeaning;
pub use credentials::Token;
pub use document::Document;
pub use environment::Environment;
pub use error::{Error, ErrorCode, ErrorInfo, ErrorKind, Phase};
#[cfg(feature = "gst_portal_e_invoices")]
pub use families::EInvoiceListJob;
#[cfg(any(
    feature = "analytics",
    feature = "gst_portal_e_invoices",
    feature = "gstr_2b",
    feature = "ims",
    feature = "returns_common"
))]
pub use families::Polling;
#[cfg(any(feature = "gstr_1", feature = "gstr_3b", feature = "gstr_9"))]
pub use families::filing;
pub use families::wait_until_ready;
#[cfg(feature = "ims")]
pub use families::{
    AllInvoiceCounts, BatchJob, BatchReport, BatchStep, InvoiceActions, InvoiceBatch, InvoiceList,
    InvoiceResets, ItcDeclaration, SupplierList,
};
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use families::{BatchItem, BatchStream, CancelReason, DocumentBatch};
#[cfg(feature = "gstr_2b")]
pub use families::{Credit, CreditTotals};
#[cfg(feature = "e_way_bill")]
pub use families::{EwbId, GeneratedOnce};
#[cfg(feature = "e_invoice")]
pub use families::{InvoiceFault, InvoiceId, NicPublicKey, RegisteredOnce, SignatureError, SignedClaims};
#[cfg(any(feature = "gstr_2b", feature = "ims", feature = "returns_common"))]
pub use families::{Job, JobReport, JobState, RefusedDocument, ReturnError};
#[cfg(feature = "analytics")]
pub use families::{Reconciliation, ReconciliationJob, ReconciliationReport, ReconciliationStep};
#[cfg(any(feature = "gstr_1", feature = "gstr_2a"))]
pub use families::{ReturnSection, ReturnSections};
pub use generated::families::*;
#[cfg(doc)]
pub use generated::reference;
pub use observe::{AttemptReport, CallReport};
pub use operation::{Credential, Location, Operation, Parameter};
pub use rate_limit::{BoxFuture, RateLimiter};
pub use retry::RetryPolicy;
pub use session::{Session, Taxpayer};
#[cfg(all(feature = "gstr_2b", feature = "ims"))]
pub use sweep::CreditInPeriod;
#[cfg(all(feature = "ims", feature = "returns_common"))]
pub use sweep::FiledInPeriod;
#[cfg(all(feature = "ims", feature = "redis"))]
pub use sweep::SharedSweep;
#[cfg(feature = "ims")]
pub use sweep::{Sweep, SweepItem, SweepStream, SweepTask};
pub use token::{BoxError, MemoryStore, SavedToken, TaxpayerId, TokenKey, TokenStore};
#[cfg(feature = "file_store")]
pub use token::{FileStore, StoredSession};
pub use transfer::{Content, Download, Progress, Transfers};

/// Every operation of the OpenAPI document, sorted by id.
#[must_use]
pub fn operations() -> &'static [Operation] {
    generated::OPERATIONS
}
