//! Helpers by family, for what a person would ask for by name. They are
//! methods of the generated handles.

#[cfg(feature = "analytics")]
mod analytics;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod batch;
#[cfg(feature = "e_invoice")]
mod e_invoice;
#[cfg(feature = "e_way_bill")]
mod e_way_bill;
#[cfg(any(feature = "gstr_1", feature = "gstr_3b", feature = "gstr_9"))]
pub mod filing;
mod gstr_2b;
mod ims;
mod job;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod nic;
mod ready;
#[cfg(feature = "returns_common")]
mod return_job;
#[cfg(any(feature = "gstr_1", feature = "gstr_2a"))]
mod sections;
#[cfg(any(feature = "gstr_1", feature = "gstr_2a"))]
mod whole;

#[cfg(feature = "analytics")]
pub use analytics::{Reconciliation, ReconciliationJob, ReconciliationReport, ReconciliationStep};
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use batch::{BatchItem, BatchStream, DocumentBatch};
#[cfg(feature = "e_invoice")]
pub use e_invoice::{InvoiceFault, InvoiceId, RegisteredOnce};
#[cfg(feature = "e_way_bill")]
pub use e_way_bill::{EwbId, GeneratedOnce};
pub use ims::{
    AllInvoiceCounts, BatchJob, BatchReport, BatchStep, InvoiceActions, InvoiceBatch, InvoiceList,
    InvoiceResets, ItcDeclaration, SupplierList,
};
pub use job::{Job, JobReport, JobState, Polling, RefusedDocument, ReturnError};
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use nic::CancelReason;
pub use ready::wait_until_ready;
#[cfg(any(feature = "gstr_1", feature = "gstr_2a"))]
pub use sections::{ReturnSection, ReturnSections};
