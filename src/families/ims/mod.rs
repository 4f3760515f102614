//! Invoice Management System.

mod actions;
mod batch;
mod counts;
mod declaration;
mod list;
mod supplier;

pub(super) use actions::job_reference;
pub use actions::{BatchJob, BatchReport, BatchStep, InvoiceActions, InvoiceBatch, InvoiceResets};
pub use counts::AllInvoiceCounts;
pub use declaration::ItcDeclaration;
pub use list::InvoiceList;
pub use supplier::SupplierList;
