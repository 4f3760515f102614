//! `sandbox counts`: one taxpayer's invoices by section and status.

use std::{collections::BTreeMap, io::Write as _};

use sandbox_client::{
    ims::types::TypeOfGoods,
    values::{InvoiceCounts, StatusCounts},
};
use serde_json::{Value, json};

use super::{
    arguments::{Counts, Format, Shared},
    connection::Connection,
    failure::Failure,
    output::{Out, Sheet, grouped, print_json},
};

pub async fn run(shared: &Shared, arguments: &Counts) -> Result<(), Failure> {
    let connection = Connection::open(shared).await?;
    let session = connection.session(&arguments.select).await?;
    let mut answers = Vec::new();
    for goods in arguments.goods.types() {
        answers.push((goods, session.ims().counts(goods).await?));
    }
    match shared.format {
        Format::Table => table(&answers),
        Format::Json => {
            let by_goods: BTreeMap<String, &InvoiceCounts> =
                answers.iter().map(|(goods, counts)| (goods.to_string(), counts)).collect();
            Ok(print_json(&json!(by_goods))?)
        }
        Format::Csv => csv(&answers),
    }
}

/// In the order of the columns.
pub fn numbers(counts: &StatusCounts) -> [Value; 5] {
    [counts.no_action, counts.pending, counts.accepted, counts.rejected, counts.total()].map(Value::from)
}

fn table(answers: &[(TypeOfGoods, InvoiceCounts)]) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("section", "Section"),
        ("no_action", "No action"),
        ("pending", "Pending"),
        ("accepted", "Accepted"),
        ("rejected", "Rejected"),
        ("total", "Total"),
    ])
    .within(80);
    let mut row = |name: String, counts: &StatusCounts| {
        sheet.row([Value::from(name)].into_iter().chain(numbers(counts)).collect());
    };
    let mut sums = StatusCounts::default();
    for (_, counts) in answers {
        for (section, counts) in counts.sections() {
            row(format!("{} ({section})", section.title()), counts);
        }
        sums += &counts.by_status();
    }
    row("Total".to_owned(), &sums);
    sheet.print(Format::Table)?;

    let mut out = Out;
    let [open, all] = [sums.no_action, sums.total()].map(|number| grouped(&number.to_string()));
    writeln!(out, "\n{open} of {all} documents await action.")?;
    for (goods, counts) in answers {
        if let Some((sent, sum)) = counts.total_mismatch() {
            writeln!(out, "The provider's own total of {goods} is {sent}, not {sum}.")?;
        }
    }
    Ok(())
}

fn csv(answers: &[(TypeOfGoods, InvoiceCounts)]) -> Result<(), Failure> {
    let mut sheet = Sheet::new(&[
        ("type_of_goods", ""),
        ("section", ""),
        ("no_action", ""),
        ("pending", ""),
        ("accepted", ""),
        ("rejected", ""),
        ("total", ""),
    ]);
    for (goods, counts) in answers {
        for (section, counts) in counts.sections() {
            let names = [Value::from(goods.to_string()), Value::from(section.as_str())];
            sheet.row(names.into_iter().chain(numbers(counts)).collect());
        }
    }
    Ok(sheet.print(Format::Csv)?)
}
