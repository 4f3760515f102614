//! Helpers by family, for what a person would ask for by name. They are
//! methods of the generated handles.

mod gstr_2b;
mod ims;
mod job;

pub use ims::{AllInvoiceCounts, InvoiceActions, InvoiceList, InvoiceResets, SupplierList};
pub use job::{Job, JobReport, JobState, Polling, RefusedDocument};
