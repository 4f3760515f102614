//! The nightly job of a firm: compares the purchase register with what suppliers
//! reported, accepts what agrees and keeps pending what a person has to look at.
//!
//! ```sh
//! cargo run --example reconcile_and_act
//! ```

use std::{error::Error, time::Duration};

use sandbox_client::{
    Client, Polling,
    ims::types::InvoiceStatus,
    matching::{Document, Tolerance, Verdict, reconcile},
    mock::MockServer,
    values::{Amount, Gstin, ProviderDate, Section},
};

/// Supplier, number, date and value.
const REGISTER: &str = "33ABCCZ0123M2YZ,1024250260344,02-11-2024,1888
24ABCFG0123H1YZ,PRN/1050/2024-25,17-10-2024,28599.50
24ABCFG0123H1YZ,PRN-1094,25-10-2024,2950
24ABCFG0123H1YZ,PRN-2000,25-10-2024,118";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::builder().stateful_ims().start().await?;
    let client = Client::builder().base_url(mock.base_url()).key(mock.key()).secret(mock.secret()).build()?;
    // A job of yours restores the session that a person opened: `taxpayer.restore()`.
    let session = client.taxpayer(Gstin::new("33ABKCS2033B1ZW")?, "acme.com")?.verify_otp("575757").await?;

    let mut register = Vec::new();
    for line in REGISTER.lines() {
        let [supplier, number, date, value] = line.split(',').collect::<Vec<_>>()[..] else { continue };
        let document = Document::new(supplier, number).date(ProviderDate::from(date).to_date()?);
        register.push(document.value(value.parse::<Amount>()?));
    }
    let list = session.ims().invoices(Section::B2b, InvoiceStatus::NoActionTaken).await?;
    let gstn: Vec<Document> = list.iter().map(Document::from).collect();

    let mut batch = session.ims().actions();
    for entry in reconcile(&register, &gstn, &Tolerance::default()) {
        let number = entry.register.map_or("not in the register", |at| register[at].number.as_str());
        println!("{:<20} {}", number, entry.verdict.as_str());
        let Some(invoice) = entry.gstn.map(|at| &list.invoices[at]) else { continue };
        batch = match entry.verdict {
            Verdict::Exact | Verdict::Differs { within_tolerance: true, .. } => batch.accept(invoice),
            Verdict::Differs { .. } | Verdict::Probable { .. } => batch.keep_pending(invoice),
            _ => batch,
        };
    }
    let polling = Polling::default().first_pause(Duration::from_millis(50));
    let report = batch.send().await?.polling(polling).wait().await?;
    println!("{:?}: {} done, {} refused", report.state, report.processed.unwrap_or(0), report.refused.len());
    Ok(())
}
