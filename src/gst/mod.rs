//! Helpers by family, for what a person would ask for by name.

mod invoices;
