//! Invoice Management System.

mod actions;
mod batch;
mod counts;
mod list;
mod supplier;

pub(super) use actions::job_reference;
pub use actions::{InvoiceActions, InvoiceResets};
pub use counts::AllInvoiceCounts;
pub use list::InvoiceList;
pub use supplier::SupplierList;
