//! The only file that includes generated code: client, types, operation table,
//! reference pages.
//!
//! `build.rs` writes all of it from `openapi/`; nothing here is edited by hand.

#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    rustdoc::bare_urls,
    unused_imports
)]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

pub use client::{Client, ResponseValue, builder, types};
pub(crate) use client::{ClientInfo, Error as GeneratedError};

use crate::operation::{Credential, Location, Operation, Parameter};

/// Every operation of the document, sorted by id.
pub(crate) static OPERATIONS: &[Operation] = include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// Every operation by family: what it does, costs and needs, how it fails, and
/// how it is called from Rust and from a terminal.
///
/// Part of the documentation alone, generated from the document.
#[cfg(doc)]
pub mod reference {
    include!(concat!(env!("OUT_DIR"), "/reference.rs"));
}

#[cfg(feature = "mock")]
include!(concat!(env!("OUT_DIR"), "/round_trip.rs"));
