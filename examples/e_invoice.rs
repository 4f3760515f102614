//! Registers an e-invoice, looks at what the portal signed, and cancels it.
//!
//! Without a key it runs against the mock server: `cargo run --example e_invoice`.
//! With `SANDBOX_API_KEY`, `SANDBOX_API_SECRET`, `SANDBOX_E_INVOICE_USERNAME` and
//! `SANDBOX_E_INVOICE_PASSWORD` it registers the invoice for its supplier, which
//! is a legal act on live.

use std::{env, error::Error};

use sandbox_client::{CancelReason, ClientBuilder, e_invoice::types::Inv01, mock::MockServer, values::Gstin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let json = include_str!("../openapi/e_invoice/examples/generate_e_invoice.request.documented.json");
    let mut invoice: Inv01 = serde_json::from_str(json)?;
    invoice.ewb_dtls = None;

    // What the portal would refuse is told before anything is sent.
    let mut wrong = invoice.clone();
    wrong.item_list[0].tot_item_val = 12_000.into();
    for fault in wrong.faults() {
        println!("would be refused: {fault}");
    }

    let mock = MockServer::builder().stateful_documents().start().await?;
    let (client, username, password) = if env::var_os("SANDBOX_API_KEY").is_some() {
        let variable = |name| env::var(name).map_err(|_| format!("{name} is not set"));
        let username = variable("SANDBOX_E_INVOICE_USERNAME")?;
        (ClientBuilder::from_env()?.build()?, username, variable("SANDBOX_E_INVOICE_PASSWORD")?)
    } else {
        (mock.client()?, "api_user".to_owned(), "not-a-real-password".to_owned())
    };
    // The sample's GSTIN has no valid check digit.
    let supplier = Gstin::unchecked(&invoice.seller_dtls.gstin)?;
    let session = client.e_invoice(supplier, username, password)?;

    let registered = session.e_invoice().generate_or_get(&invoice).await?;
    println!("IRN {}", registered.id.irn);
    println!("acknowledged {}", registered.invoice.ack_dt.as_deref().unwrap_or("at an unknown time"));
    // Keep this: it is needed to cancel the invoice on the right server.
    println!("{}", serde_json::to_string(&registered.id)?);

    // The same invoice once more is found, never registered twice.
    let again = session.e_invoice().generate_or_get(&invoice).await?;
    assert!(again.found && again.id == registered.id);

    let cancelled =
        session.e_invoice().cancel(&registered.id, CancelReason::OrderCancelled, "not needed").await?;
    println!("cancelled {}", cancelled.cancel_date.as_deref().unwrap_or("at an unknown time"));
    Ok(())
}
