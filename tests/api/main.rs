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
