//! A document as a line: what is shown of it.

use sandbox_client::{
    ItcDeclaration,
    values::{Amount, Invoice, InvoiceAction, ProviderDate, YesNo},
};
use serde_json::{Value, json};

use crate::cli::{arguments::Format, output::Sheet};

/// The word for a status in results and arguments; a new code stays as it is.
pub fn status(action: Option<&InvoiceAction>) -> &str {
    match action {
        Some(InvoiceAction::NoAction) => "no_action",
        Some(InvoiceAction::Pending) => "pending",
        Some(InvoiceAction::Accepted) => "accepted",
        Some(InvoiceAction::Rejected) => "rejected",
        Some(other) => other.as_str(),
        None => "",
    }
}

/// The description of the error.
pub fn title(action: Option<&InvoiceAction>) -> String {
    match status(action) {
        "" => "unknown".to_owned(),
        word => word.replace('_', " "),
    }
}

/// What was declared of a document before, as the list has it.
pub fn listed(invoice: &Invoice) -> Option<ItcDeclaration> {
    match (invoice.itc_reduction_required()?, invoice.itc_reduction()) {
        (YesNo::No, _) => Some(ItcDeclaration::NotRequired),
        (YesNo::Yes, Some(amounts)) => Some(ItcDeclaration::Amounts(amounts)),
        (YesNo::Yes, None) => Some(ItcDeclaration::Full),
        _ => None,
    }
}

/// The word for a declaration in results and files.
pub fn reduction(declaration: Option<ItcDeclaration>) -> Option<&'static str> {
    Some(match declaration? {
        ItcDeclaration::Full => "full",
        ItcDeclaration::Amounts(_) => "amounts",
        ItcDeclaration::NotRequired => "none",
        _ => return None,
    })
}

/// An amount with its paise, for a column of a table.
pub fn rupees(amount: Option<Amount>) -> Value {
    amount.map_or(Value::Null, |amount| format!("{amount:.2}").into())
}

/// Few columns for people, all for programs.
pub fn sheet(invoices: &[Invoice], format: Format) -> Sheet {
    if format == Format::Table { table(invoices) } else { records(invoices) }
}

fn table(invoices: &[Invoice]) -> Sheet {
    let mut sheet = Sheet::new(&[
        ("section", "Section"),
        ("supplier_gstin", "Supplier"),
        ("number", "Number"),
        ("date", "Date"),
        ("value", "Value"),
        ("status", "Status"),
    ])
    .amounts(&["value"]);
    for invoice in invoices {
        let section = invoice.section().map_or("", |section| section.as_str());
        sheet.row(vec![
            section.into(),
            invoice.supplier_gstin().into(),
            invoice.number().into(),
            invoice.date().map(ProviderDate::as_str).into(),
            rupees(invoice.value()),
            title(invoice.action()).into(),
        ]);
    }
    sheet
}

fn records(invoices: &[Invoice]) -> Sheet {
    let mut sheet = Sheet::new(&[
        ("section", ""),
        ("supplier_gstin", ""),
        ("return_period", ""),
        ("number", ""),
        ("date", ""),
        ("value", ""),
        ("taxable_value", ""),
        ("igst", ""),
        ("cgst", ""),
        ("sgst", ""),
        ("cess", ""),
        ("status", ""),
        ("remarks", ""),
        ("itc_reduction", ""),
        ("declared_igst", ""),
        ("declared_cgst", ""),
        ("declared_sgst", ""),
        ("declared_cess", ""),
        ("filing_status", ""),
        ("pending_blocked", ""),
        ("remarks_blocked", ""),
        ("itc_reduction_blocked", ""),
        ("invoice_type", ""),
        ("place_of_supply", ""),
        ("source_form", ""),
        ("original_number", ""),
        ("original_date", ""),
        ("hash", ""),
    ]);
    for invoice in invoices {
        let declared = invoice.itc_reduction().unwrap_or_default();
        sheet.row(vec![
            json!(invoice.section()),
            invoice.supplier_gstin().into(),
            invoice.return_period().into(),
            invoice.number().into(),
            json!(invoice.date()),
            json!(invoice.value()),
            json!(invoice.taxable_value()),
            json!(invoice.igst()),
            json!(invoice.cgst()),
            json!(invoice.sgst()),
            json!(invoice.cess()),
            status(invoice.action()).into(),
            json!(invoice.remarks()),
            reduction(listed(invoice)).into(),
            json!(declared.igst),
            json!(declared.cgst),
            json!(declared.sgst),
            json!(declared.cess),
            json!(invoice.filing_status()),
            invoice.is_pending_blocked().into(),
            invoice.is_remarks_blocked().into(),
            json!(invoice.is_itc_reduction_blocked()),
            json!(invoice.invoice_type()),
            json!(invoice.place_of_supply()),
            json!(invoice.source_form()),
            json!(invoice.original_number()),
            json!(invoice.original_date()),
            json!(invoice.hash()),
        ]);
    }
    sheet
}
