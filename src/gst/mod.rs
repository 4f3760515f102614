//! Helpers by family, for what a person would ask for by name.

mod gstr_2b;
mod invoices;
mod job;
mod taxpayer;

pub use invoices::{AllInvoiceCounts, InvoiceActions, InvoiceList, InvoiceResets, SupplierList};
pub use job::{Job, JobReport, JobState, Polling, RefusedDocument};
pub use taxpayer::Taxpayer;
