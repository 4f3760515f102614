//! The only file that includes generated code: families with their types, the
//! operation table, reference pages.
//!
//! `build.rs` writes all of it from `openapi/`; nothing here is edited by hand.

use crate::{
    codes::{Code, CodeMeaning},
    operation::{Credential, Location, Operation, Parameter},
};

/// One module for each family of the document.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    rustdoc::bare_urls,
    unused_imports
)]
pub mod families {
    include!(concat!(env!("OUT_DIR"), "/families.rs"));
}

/// One type for each kind of session of the document.
pub mod session_kinds {
    include!(concat!(env!("OUT_DIR"), "/session_kinds.rs"));
}

/// Every operation of the document, sorted by id.
pub(crate) static OPERATIONS: &[Operation] = include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// What codes mean, sorted by code.
pub(crate) static CODES: &[Code] = include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// Every operation by family: what it does, costs and needs, how it fails, and
/// how it is called from Rust and from a terminal.
///
/// Only part of the documentation, generated from the document.
#[cfg(doc)]
pub mod reference {
    include!(concat!(env!("OUT_DIR"), "/reference.rs"));
}

#[cfg(feature = "mock")]
include!(concat!(env!("OUT_DIR"), "/round_trip.rs"));
