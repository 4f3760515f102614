//! What suppliers reported, from the IMS or a GSTR-2B.

use sandbox_client::{
    Error, Session,
    matching::Document,
    values::{Invoice, ReturnPeriod},
};

use crate::cli::invoices::{LARGEST, fetch};

/// The documents in one order, as they are compared and as they came.
pub struct Reported {
    pub documents: Vec<Document>,
    /// Empty where they come from a GSTR-2B.
    pub invoices: Vec<Invoice>,
}

/// All documents that the IMS lists.
pub async fn from_ims(session: &Session) -> Result<Reported, Error> {
    let invoices = fetch(session, &[], None).await?;
    Ok(Reported { documents: invoices.iter().map(Document::from).collect(), invoices })
}

/// The documents of a statement; a large one comes in files.
pub async fn from_gstr_2b(session: &Session, period: ReturnPeriod) -> Result<Reported, Error> {
    let session = &session.with_max_body_bytes(LARGEST);
    let gstr_2b = session.gstr_2b();
    let statement = gstr_2b.get_gstr_2b().year(period).month(period).send().await?;
    let mut documents = Document::of_gstr_2b(&statement);
    if statement.docdata.is_none() {
        for file in 1..=statement.fc.unwrap_or_default() {
            let call = gstr_2b.get_gstr_2b().year(period).month(period).file_number(file.to_string());
            documents.extend(Document::of_gstr_2b(&*call.send().await?));
        }
    }
    Ok(Reported { documents, invoices: Vec::new() })
}
