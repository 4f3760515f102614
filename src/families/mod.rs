//! Helpers by family, for what a person would ask for by name. They are
//! methods of the generated handles.

#[cfg(feature = "analytics")]
mod analytics;
mod gstr_2b;
mod ims;
mod job;

#[cfg(feature = "analytics")]
pub use analytics::{Reconciliation, ReconciliationJob, ReconciliationReport, ReconciliationStep};
pub use ims::{AllInvoiceCounts, InvoiceActions, InvoiceList, InvoiceResets, SupplierList};
pub use job::{Job, JobReport, JobState, Polling, RefusedDocument};
