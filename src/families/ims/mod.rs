//! Invoice Management System.

mod actions;
mod batch;
mod counts;
mod declaration;
mod job;
mod list;
mod supplier;

pub use actions::{BatchJob, BatchReport, BatchStep, InvoiceActions, InvoiceBatch, InvoiceResets};
pub use counts::AllInvoiceCounts;
pub use declaration::ItcDeclaration;
pub(super) use job::report as job_report;
pub use list::InvoiceList;
pub use supplier::SupplierList;
