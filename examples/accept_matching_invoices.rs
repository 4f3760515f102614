//! Accepts the invoices that one's own books know, and rejects one that they
//! do not: the monthly work in the Invoice Management System.
//!
//! ```sh
//! cargo run --example accept_matching_invoices
//! ```
//!
//! Runs against the built-in mock server, which remembers what was done.

use std::{collections::HashMap, time::Duration};

use sandbox_client::{
    Client, Polling,
    ims::types::InvoiceStatus,
    mock::MockServer,
    values::{Amount, Gstin, Invoice, Section},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mock = MockServer::builder().stateful_ims().start().await?;
    let client = Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret()).build()?;
    let taxpayer = client.taxpayer(Gstin::new("33ABKCS2033B1ZW")?, "acme.com")?;
    taxpayer.request_otp().await?;
    let session = taxpayer.verify_otp("575757").await?;

    // What the purchase ledger has: supplier, number, value.
    let books: HashMap<(&str, &str), Amount> = [
        (("33ABCCZ0123M2YZ", "1024250260344"), "1888"),
        (("06ABCCG0123D1YZ", "5096411148"), "2605.44"),
        (("24ABCFG0123H1YZ", "PRN-1050"), "28500"),
        (("24ABCFG0123H1YZ", "PRN-1094"), "2000"),
    ]
    .into_iter()
    .map(|(key, value)| Ok((key, value.parse()?)))
    .collect::<Result<_, sandbox_client::Error>>()?;

    let list = session.ims().invoices(Section::B2b, InvoiceStatus::NoActionTaken).await?;
    let mut batch = session.ims().actions();
    println!("{:<15}  {:<16}  {:>10}  Action", "Supplier", "Number", "Value");
    for invoice in &list {
        let action = match (books.get(&(invoice.supplier_gstin(), invoice.number())), invoice.value()) {
            (Some(booked), Some(value)) if *booked == value => {
                batch = batch.accept(invoice);
                "accept"
            }
            (Some(_), _) => {
                batch = batch.reject(invoice).remarks("the value differs from our order");
                "reject: the value differs"
            }
            (None, _) => "none: not in the books",
        };
        row(invoice, action);
    }

    println!("\nActing on {} of {} invoices ...", batch.len(), list.invoices.len());
    // The mock is quick; the real service is asked every 2 to 30 seconds by default.
    let polling = Polling::default().first_pause(Duration::from_millis(50));
    let report = batch.send().await?.polling(polling).wait().await?;
    println!(
        "{:?}: {} done, {} refused.\n",
        report.state,
        report.processed.unwrap_or(0),
        report.refused.len()
    );
    for refused in &report.refused {
        println!("{} {}: {} ({})", refused.supplier_gstin, refused.number, refused.message, refused.code);
    }
    print!("{}", session.ims().counts(None).await?);
    taxpayer.logout().await?;
    Ok(())
}

fn row(invoice: &Invoice, action: &str) {
    let value = invoice.value().unwrap_or(Amount::ZERO);
    println!("{:<15}  {:<16}  {value:>10.2}  {action}", invoice.supplier_gstin(), invoice.number());
}
