//! Helpers by family, for what a person would ask for by name.

mod invoices;
mod taxpayer;

pub use taxpayer::Taxpayer;
