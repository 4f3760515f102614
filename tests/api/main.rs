//! The crate's interface against the mock server: sessions, calls, answers,
//! helpers, sweeps and every payload that the provider documents.

mod analytics;
mod answers;
mod e_invoice_checks;
mod examples_parse;
mod filing;
mod gstr_2b;
mod hostile_steps;
mod hostile_tokens;
mod invoice_counts;
mod invoices;
mod matching;
mod mock_server;
mod month;
mod nic;
mod not_ready;
mod observation;
mod odd_answers;
mod portal_e_invoices;
mod raw_calls;
mod returns;
mod session_races;
mod sessions;
mod shared_store;
mod signed_invoices;
mod stored_tokens;
mod sweep;
mod value_types;

use sandbox_client::{TaxpayerId, values::Gstin};

/// Two taxpayers; the tests open a session for the first alone.
fn firm() -> [TaxpayerId; 2] {
    [("33ABKCS2033B1ZW", "acme.com"), ("27AACCA8432H2ZP", "nobody")].map(|(gstin, username)| TaxpayerId {
        gstin: Gstin::new(gstin).unwrap(),
        username: username.to_owned(),
    })
}
