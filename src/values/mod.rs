//! Types for values that are more than text or a number.
//!
//! The OpenAPI document names them with `x-rust`, and the generated types use
//! them. All of them read leniently: additions by the provider do not
//! fail a call.

mod amount;
#[cfg(feature = "ims")]
mod announced;
mod arithmetic;
mod codes;
#[cfg(feature = "ims")]
mod count_text;
#[cfg(feature = "ims")]
mod counts;
mod date;
mod envelope;
#[cfg(feature = "e_way_bill")]
mod ewb_number;
mod financial_year;
mod gstin;
#[cfg(feature = "ims")]
mod hash_text;
#[cfg(feature = "ims")]
mod invoice;
#[cfg(feature = "ims")]
mod invoice_counts;
#[cfg(feature = "ims")]
mod invoice_sections;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod irn;
#[cfg(feature = "ims")]
mod job_errors;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod nic_server;
mod open_enum;
#[cfg(feature = "ims")]
mod optional_text;
mod otp;
mod pan;
#[cfg(feature = "public")]
mod pan_search;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
mod password;
mod path_segment;
mod period;
mod section;
mod signed_url;
mod text;
#[cfg(feature = "public")]
mod text_or_list;
#[cfg(feature = "returns_common")]
mod turnover;

pub use amount::Amount;
pub use codes::{
    FilingStatus, InvoiceAction, InvoiceType, JobStatus, PlatformJobStatus, ReturnType, SourceForm,
    SupplierSection, YesNo,
};
#[cfg(feature = "ims")]
pub use count_text::CountText;
#[cfg(feature = "ims")]
pub use counts::{CountGroup, CountGroups, StatusCounts};
pub use date::{CalendarDate, ProviderDate};
pub use envelope::{StatusCd, Timestamp};
#[cfg(feature = "e_way_bill")]
pub use ewb_number::EwbNumber;
pub use financial_year::FinancialYear;
pub use gstin::Gstin;
pub(crate) use gstin::Unchecked;
#[cfg(feature = "ims")]
pub use invoice::{Invoice, ItcReduction};
#[cfg(feature = "ims")]
pub use invoice_counts::InvoiceCounts;
#[cfg(feature = "ims")]
pub use invoice_sections::InvoiceSections;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use irn::Irn;
#[cfg(feature = "ims")]
pub use job_errors::JobErrors;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use nic_server::NicServer;
pub use otp::{EvcOtp, Otp};
pub use pan::Pan;
#[cfg(feature = "public")]
pub use pan_search::PanSearchData;
#[cfg(any(feature = "e_invoice", feature = "e_way_bill"))]
pub use password::Password;
pub use path_segment::PathSegment;
pub use period::{Month, ReturnPeriod, Year};
pub use section::Section;
pub use signed_url::SignedUrl;
pub(crate) use signed_url::is_documented_host;
#[cfg(feature = "public")]
pub use text_or_list::TextOrList;
#[cfg(feature = "returns_common")]
pub use turnover::TurnoverDeclaration;

pub use crate::credentials::Token;
pub use rust_decimal::Decimal;
/// Any JSON value, as received.
pub use serde_json::Value as Json;

/// Describes a hand-written type to schemars by its shape on the wire.
#[cfg(feature = "schemars")]
macro_rules! json_schema {
    ($type:ty, $name:expr, $wire:ty) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> String {
                $name.to_owned()
            }

            fn json_schema(generator: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
                <$wire as schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}
#[cfg(feature = "schemars")]
pub(crate) use json_schema;
