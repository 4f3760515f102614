//! Helpers by family, for what a person would ask for by name. They are
//! methods of the generated handles.

#[cfg(feature = "analytics")]
mod analytics;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod batch;
#[cfg(feature = "gstr_2b")]
mod credit;
#[cfg(feature = "e_invoice")]
mod e_invoice;
#[cfg(feature = "e_way_bill")]
mod e_way_bill;
#[cfg(any(feature = "gstr_1", feature = "gstr_3b", feature = "gstr_9"))]
pub mod filing;
#[cfg(feature = "gstr_2b")]
mod gstr_2b;
#[cfg(feature = "ims")]
mod ims;
#[cfg(any(feature = "gstr_2b", feature = "ims", feature = "returns_common"))]
mod job;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod nic;
#[cfg(any(
    feature = "analytics",
    feature = "gst_portal_e_invoices",
    feature = "gstr_2b",
    feature = "ims",
    feature = "returns_common"
))]
mod polling;
#[cfg(feature = "gst_portal_e_invoices")]
mod portal_e_invoices;
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
#[cfg(feature = "gstr_2b")]
pub use credit::{Credit, CreditTotals};
#[cfg(feature = "e_invoice")]
pub use e_invoice::{InvoiceFault, InvoiceId, NicPublicKey, RegisteredOnce, SignatureError, SignedClaims};
#[cfg(feature = "e_way_bill")]
pub use e_way_bill::{EwbId, GeneratedOnce};
#[cfg(feature = "ims")]
pub use ims::{
    AllInvoiceCounts, BatchJob, BatchReport, BatchStep, InvoiceActions, InvoiceBatch, InvoiceList,
    InvoiceResets, ItcDeclaration, SupplierList,
};
#[cfg(any(feature = "gstr_2b", feature = "ims", feature = "returns_common"))]
pub use job::{Job, JobReport, JobState, RefusedDocument, ReturnError};
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use nic::CancelReason;
#[cfg(any(
    feature = "analytics",
    feature = "gst_portal_e_invoices",
    feature = "gstr_2b",
    feature = "ims",
    feature = "returns_common"
))]
pub use polling::Polling;
#[cfg(feature = "gst_portal_e_invoices")]
pub use portal_e_invoices::EInvoiceListJob;
pub use ready::wait_until_ready;
#[cfg(any(feature = "gstr_1", feature = "gstr_2a"))]
pub use sections::{ReturnSection, ReturnSections};
