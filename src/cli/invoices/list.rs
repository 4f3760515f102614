//! `sandbox invoices list`.

use std::io::Write as _;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use sandbox_client::{
    Error, Session,
    ims::types::InvoiceStatus,
    values::{Invoice, InvoiceAction, Section},
};

use super::{
    arguments::{List, Status, listed_sections},
    document,
};
use crate::cli::{
    arguments::{Format, Shared},
    connection::Connection,
    failure::Failure,
    output::{Out, grouped},
};

/// Largest answer: the list of one section has no pages, and 100,000 documents
/// take 35 MB.
pub const LARGEST: usize = 256 * 1024 * 1024;

pub async fn run(shared: &Shared, arguments: &List) -> Result<(), Failure> {
    let filter = &arguments.filter;
    let connection = Connection::open(shared).await?;
    let session = connection.session(&arguments.select).await?;
    let status = filter.status.unwrap_or(Status::Any).in_query();
    let mut invoices = fetch(&session, &filter.section, status).await?;
    let mut notices = filter.not_comparable(&invoices);
    invoices.retain(|invoice| filter.fits(invoice));
    notices.extend(filter.without_match(&invoices));
    document::sheet(&invoices, shared.format).print(shared.format)?;
    if shared.format == Format::Table {
        let open = invoices.iter().filter(|invoice| invoice.action() == Some(&InvoiceAction::NoAction));
        let [open, all] = [open.count(), invoices.len()].map(|number| grouped(&number.to_string()));
        writeln!(Out, "\n{open} of {all} documents await action.")?;
    }
    for line in notices {
        eprintln!("{line}");
    }
    Ok(())
}

/// The documents of these sections, or of all eight, in the order of the portal.
pub async fn fetch(
    session: &Session,
    sections: &[Section],
    status: Option<InvoiceStatus>,
) -> Result<Vec<Invoice>, Error> {
    let wanted: Vec<Section> = listed_sections()
        .filter(|section| sections.is_empty() || sections.contains(section))
        .cloned()
        .collect();
    let session = &session.with_max_body_bytes(LARGEST);
    let ims = session.ims();
    let lists = wanted.into_iter().map(|section| ims.invoices(section, status));
    let lists: Vec<_> = stream::iter(lists).buffered(8).try_collect().await?;
    Ok(lists.into_iter().flat_map(|list| list.invoices).collect())
}
