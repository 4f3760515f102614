//! Reads GSTR-1 of one period, section by section.
//!
//!     cargo run --example read_gstr_1
//!
//! It needs nothing set up: it asks the mock server. With `SANDBOX_API_KEY` and
//! `SANDBOX_ACCESS_TOKEN`, the token of a taxpayer's session, it asks the API.

use std::error::Error;

use sandbox_client::{
    Client,
    gstr_1::types::Gstr1,
    mock::MockServer,
    values::{Decimal, ReturnPeriod},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::start().await?;
    let session = if std::env::var_os("SANDBOX_API_KEY").is_some() {
        Client::from_env()?.taxpayer_session()?
    } else {
        mock.session()?
    };

    // One section is in memory at a time, and one that fails stops nothing.
    let mut sections = session.gstr_1().all(ReturnPeriod::new(2026, 10)?);
    while let Some(section) = sections.next().await {
        match section.result {
            Ok(Some(answer)) if section.name == "b2b" => println!("b2b: {} taxable", taxable_value(&answer)),
            Ok(Some(_)) => println!("{}: records", section.name),
            Ok(None) => println!("{}: no records", section.name),
            Err(error) => println!("{}: {error}", section.name),
        }
    }
    Ok(())
}

/// The sum over all invoices to registered persons.
fn taxable_value(document: &Gstr1) -> Decimal {
    let recipients = document.b2b.iter().flatten();
    let invoices = recipients.flat_map(|recipient| recipient.inv.iter().flatten());
    let items = invoices.flat_map(|invoice| invoice.itms.iter().flatten());
    items
        .filter_map(|item| item.itm_det.as_ref()?.txval)
        .map(sandbox_client::values::Amount::to_decimal)
        .sum()
}
