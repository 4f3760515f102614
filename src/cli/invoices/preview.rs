//! What would be sent, before it is.

use sandbox_client::ItcDeclaration;
use serde_json::{Value, json};

use super::{
    act::RequestedAction,
    document::{reduction, rupees, status, title},
    selection::Chosen,
};
use crate::cli::{arguments::Format, output::Sheet};

/// The documents, how they stand and what becomes of them.
pub fn sheet(requested: &RequestedAction, chosen: &[Chosen], format: Format) -> Sheet {
    let becomes = requested.outcome();
    if format == Format::Table {
        let mut sheet = Sheet::new(&[
            ("section", "Section"),
            ("supplier_gstin", "Supplier"),
            ("number", "Number"),
            ("value", "Value"),
            ("status", "Now"),
            ("becomes", "Becomes"),
            ("remarks", "Remark"),
        ])
        .amounts(&["value"]);
        for Chosen { invoice, remark, declaration } in chosen {
            sheet.row(vec![
                json!(invoice.section()),
                invoice.supplier_gstin().into(),
                invoice.number().into(),
                rupees(invoice.value()),
                title(invoice.action()).into(),
                (title(Some(&becomes)) + in_words(*declaration)).into(),
                remark.as_deref().into(),
            ]);
        }
        return sheet;
    }
    let mut sheet = Sheet::new(&[
        ("section", ""),
        ("supplier_gstin", ""),
        ("return_period", ""),
        ("number", ""),
        ("value", ""),
        ("status", ""),
        ("becomes", ""),
        ("remarks", ""),
        ("itc_reduction", ""),
    ]);
    for Chosen { invoice, remark, declaration } in chosen {
        sheet.row(vec![
            json!(invoice.section()),
            invoice.supplier_gstin().into(),
            invoice.return_period().into(),
            invoice.number().into(),
            json!(invoice.value()),
            Value::from(status(invoice.action())),
            Value::from(status(Some(&becomes))),
            remark.as_deref().into(),
            reduction(*declaration).into(),
        ]);
    }
    sheet
}

fn in_words(declaration: Option<ItcDeclaration>) -> &'static str {
    match declaration {
        Some(ItcDeclaration::Full) => ", credit reduced",
        Some(ItcDeclaration::Amounts(_)) => ", credit reduced in part",
        Some(ItcDeclaration::NotRequired) => ", credit not reduced",
        _ => "",
    }
}
