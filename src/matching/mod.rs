//! Matches a purchase register with the documents that suppliers reported, from
//! the Invoice Management System or a GSTR-2B. This module does not use the network.
//!
//! ```
//! use sandbox_client::matching::{Document, Tolerance, Verdict, reconcile};
//! use sandbox_client::values::{Amount, CalendarDate};
//!
//! let day = CalendarDate::new(2025, 11, 5);
//! let document = |number: &str, taxable: &str| -> Result<Document, sandbox_client::Error> {
//!     Ok(Document::new("24ABCFG0123H1YZ", number).date(day).taxable_value(taxable.parse::<Amount>()?))
//! };
//! let register = [document("INV/001/25-26", "1000")?, document("7", "500")?];
//! let gstn = [document("inv-1", "1000.40")?, document("8", "90")?];
//!
//! let entries = reconcile(&register, &gstn, &Tolerance::default());
//! let verdicts: Vec<_> = entries.iter().map(|entry| entry.verdict.as_str()).collect();
//! assert_eq!(verdicts, ["within_tolerance", "only_in_register", "only_at_gstn"]);
//! assert_eq!((entries[0].register, entries[0].gstn), (Some(0), Some(0)));
//! # Ok::<(), sandbox_client::Error>(())
//! ```
//!
//! # What is a match
//!
//! Documents with the same key are the same document. The key is the supplier's
//! GSTIN, the [normalised number](normalised_number), the financial year of the
//! date, and the kind. Their fields are then compared: date, values, each tax by
//! itself, place of supply and reverse charge. A field that one side does not have
//! is not compared.
//!
//! An import has no supplier with a GSTIN: a [bill of entry](Kind::BillOfEntry) has the
//! port in its place. Where a side does not know the port, the number alone tells, if no
//! other bill has it. Documents of an input service distributor are invoices and credit
//! notes of its GSTIN; GSTN has their taxes alone. An amended document is compared as it
//! stands now.
//!
//! Documents without a match are compared again. If the amounts agree within the
//! tolerance, a document is [probable](Verdict::Probable), with the [reason](Reason) why
//! its key differs.
//!
//! Each document is in one entry. The result does not depend on the order of the
//! documents, except for which of two identical documents comes first.
//! Time grows with the number of documents times its logarithm, memory with the
//! number of documents.
//!
//! # Differences from other tools
//!
//! | | here | purchase reconciliation of [India Compliance] | [Matching Offline Tool] of the GST portal |
//! | --- | --- | --- | --- |
//! | number | separators, case, leading zeros of every part and the document's own financial year do not matter | compared as written; without year, `/`, `-` and leading zeros in the fuzzy rules only | document number, compared as written or by an approximation |
//! | date | its financial year is part of the key, the day is compared | the financial year alone; up to ten days apart in the fuzzy and residual rules | the day is compared |
//! | taxes | each by itself | each by itself, up to a rupee apart; their sum where the GSTIN differs | each by itself and in sum |
//! | tolerance | set by the caller, a rupee by default | a rupee | set by the user |
//! | same number, other amounts | matched with each difference, within or beyond the tolerance | mismatch | partial match |
//! | similar number | probable, only with amounts and date that agree | suggested match; a mismatch with any amounts | probable match |
//! | another registration of the supplier | probable, with the same number and amounts | mismatch by the PAN, also with another number | not looked for |
//! | another financial year, another kind | probable, with the same number and amounts | not looked for; a credit note is a category of its own | not looked for |
//! | another number altogether | probable, only where no other document has these amounts on this day | residual match, up to ten days apart | unmatched |
//! | bill of entry | port and number are the key; a port that one side lacks is not compared; probable also up to ten days apart where one number is a part of the other, and at another port | as an invoice without a supplier, the port is not looked at | a category of its own |
//! | documents of a distributor | an invoice and a credit note with one number and the same taxes are probable | never each other's match | a category of its own |
//! | bill of entry over several purchases | one row for each rate is added up, where the register has rates | one document that names its purchases | not documented |
//! | one document twice on a side | duplicate | the second is missing on the other side | not looked for |
//! | another GSTIN of the recipient | not looked for: a list is of one GSTIN | mismatch | not looked for: a statement is of one GSTIN |
//! | order of the documents | does not matter | the first that fits is taken | not documented |
//! | size | hundreds of thousands | each document of a supplier with each other | fewer than 3,000 are recommended |
//!
//! The middle column follows the code of India Compliance as of October 2024, its rows on
//! imports and distributors that of 2026, the
//! last one what the portal publishes about its tool, which was not tried.
//!
//! [India Compliance]:
//! https://github.com/resilient-tech/india-compliance/blob/c7d0a827/india_compliance/gst_india/doctype/purchase_reconciliation_tool/__init__.py
//! [Matching Offline Tool]: https://www.gst.gov.in/download/matching

mod compare;
mod document;
mod number;
mod pairing;

pub use compare::{Difference, Entry, Field, Reason, Tolerance, Verdict};
pub use document::{Document, Kind};
pub use number::normalised_number;
pub use pairing::reconcile;
