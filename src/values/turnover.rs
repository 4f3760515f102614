//! Declarations of turnover, one member of which has two names.

use serde::{Deserialize, Serialize};

use super::Amount;
use crate::returns_common::types::DocumentId;

/// One declaration of the taxpayer, in the answer of Get AATO.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TurnoverDeclaration {
    /// Turnover that GSTN estimates, in rupees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estgstto: Option<Amount>,
    /// Turnover that the taxpayer declares, in rupees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gsttobytp: Option<Amount>,
    /// The document that was given with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_id: Option<DocumentId>,
    /// Remarks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remarks: Option<String>,
    /// When it was filed, `DD/MM/YYYY HH:MM:SS`. Read from `filingDate`, as the
    /// provider's example has it, and from `filing date`, as its schema has it.
    #[serde(alias = "filing date", skip_serializing_if = "Option::is_none")]
    pub filing_date: Option<String>,
}
