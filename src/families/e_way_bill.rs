//! E-way bills: generated once, changed on the server that generated them.

use std::{collections::HashSet, sync::Arc};

use futures_util::Stream;
use serde::{Deserialize, Serialize};

use super::{
    batch::How,
    nic::{is_duplicate, once},
};
use crate::{
    Answer, CancelReason, DocumentBatch, Error,
    e_way_bill::{
        SessionApi,
        types::{
            EwbCancelRequest, EwbCancellation, EwbCloseRequest, EwbClosure, EwbDocumentType, EwbGenerated,
            EwbRequest, EwbTransporterRequest, EwbTransporterUpdate, EwbVehicleRequest, EwbVehicleUpdate,
        },
    },
    field,
    values::{EwbNumber, NicServer},
};

/// The id of an e-way bill: its number, and the server that generated it. Store both.
///
/// Only that server can cancel it or assign another transporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EwbId {
    /// The number.
    pub number: EwbNumber,
    /// The server of NIC.
    pub server: NicServer,
}

/// A generated e-way bill.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GeneratedOnce {
    /// The answer, with the bill.
    pub bill: Answer<EwbGenerated>,
    /// The id to store for later changes.
    pub id: EwbId,
    /// Whether it was found by a look-up: it had been generated before, or
    /// by a request whose answer was lost.
    pub found: bool,
}

impl SessionApi {
    /// Generates an e-way bill exactly once, or returns the existing one of
    /// the same document, even if answers are lost.
    ///
    /// If the answer is lost, or if the portal reports an existing bill (604), the bill
    /// is looked up by type and number of the document; it must be active and have the
    /// same date. If there is none, the request is sent again, at most twice: the portal
    /// refuses a second bill for a document, so this cannot create a duplicate. The
    /// provider documents the look-up only for invoices; for other types it is inferred.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, but nothing is looked up. Call this again: a bill that
    /// was generated is found.
    ///
    /// # Errors
    ///
    /// [`Business`](crate::ErrorKind::Business) with the portal's codes; otherwise any
    /// kind. If [`maybe_processed`](Error::maybe_processed) is true, it is
    /// unknown whether the bill exists: call this again.
    ///
    /// Source: the provider's page of [Generate e-way
    /// bill](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/d2424c8a6112/api-reference/gst/compliance/openapi.json).
    pub async fn generate_or_get(&self, request: &EwbRequest) -> Result<GeneratedOnce, Error> {
        let server = self.state.server_of_new();
        let (bill, found) = once(
            || self.generate_e_way_bill().x_source(server).body(request.clone()).send(),
            || self.find(request, server),
            is_duplicate,
        )
        .await?;
        let number = EwbNumber::new(bill.eway_bill_no)
            .map_err(|_| bill.incomplete("has a number that is not twelve digits"))?;
        Ok(GeneratedOnce { bill, id: EwbId { number, server }, found })
    }

    /// Generates any number of e-way bills, each exactly once, as
    /// [`generate_or_get`](SessionApi::generate_or_get) does. Results arrive in order of
    /// completion; a failure is a result like the others and does not stop the batch. The
    /// second of two equal documents is refused without being sent. To resume, run the
    /// documents without a result again: those that were in flight are found.
    pub fn generate_all<S>(&self, requests: S) -> DocumentBatch<EwbRequest, GeneratedOnce, S>
    where
        S: Stream<Item = EwbRequest> + Unpin,
    {
        let api = Self { state: self.state.with_policy(|policy| policy.wait_outside_deadline = true) };
        let mut seen = HashSet::new();
        let how = How {
            admit: Box::new(move |request: &EwbRequest| {
                let key = (document_type(request), request.doc_no.clone(), request.doc_date.clone());
                if seen.insert(key) {
                    return Ok(());
                }
                Err(Error::input(field::DOC_NO, "stands twice among these documents of one type and date")
                    .in_operation("generate_e_way_bill"))
            }),
            make: Arc::new(move |request| {
                let api = api.clone();
                Box::pin(async move {
                    let result = api.generate_or_get(&request).await;
                    (request, result)
                })
            }),
        };
        DocumentBatch::new(requests, how)
    }

    async fn find(
        &self,
        request: &EwbRequest,
        server: NicServer,
    ) -> Result<Option<Answer<EwbGenerated>>, Error> {
        let found = self
            .get_e_way_bill_by_document()
            .document_type(document_type(request))
            .document_number(request.doc_no.as_str())
            .x_source(server)
            .send()
            .await;
        let bill = match found {
            Err(error) if error.is_no_records() => return Ok(None),
            found => found?,
        };
        let number = EwbNumber::new(bill.eway_bill_no)
            .map_err(|_| bill.incomplete("has a number that is not twelve digits"))?;
        // The answer tells neither whether it is active nor the date.
        let details = self.get_e_way_bill().ewb_no(number).send().await?;
        let is = |told: &Option<String>, expected: &str| {
            told.as_deref().is_none_or(|told| told.trim().eq_ignore_ascii_case(expected))
        };
        let same = is(&details.status, "ACT") && is(&details.doc_date, &request.doc_date);
        Ok(same.then_some(bill))
    }

    /// Cancels a bill on the server that generated it. This cannot be undone.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome. After it, and after a failure with
    /// [`maybe_processed`](Error::maybe_processed), look at the bill (`get_e_way_bill`)
    /// before you send it again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `x-source` for a bill of
    /// another server; nothing is sent; [`Business`](crate::ErrorKind::Business)
    /// with 312 for one that is not yours or was cancelled; otherwise any kind.
    pub async fn cancel(
        &self,
        id: EwbId,
        reason: CancelReason,
        remark: &str,
    ) -> Result<Answer<EwbCancellation>, Error> {
        let server = self.server(id, "cancel_e_way_bill")?;
        let reason = match reason {
            CancelReason::Duplicate => 1,
            CancelReason::OrderCancelled => 2,
            CancelReason::DataEntryMistake => 3,
            CancelReason::Other => 4,
        };
        let body = EwbCancelRequest {
            ewb_no: id.number.get(),
            cancel_rsn_code: reason,
            cancel_rmrk: (!remark.is_empty()).then(|| remark.to_owned()),
        };
        self.cancel_e_way_bill().ewb_no(id.number).x_source(server).body(body).send().await
    }

    /// Assigns a vehicle to a bill, or changes it (Part B). Sets the number in
    /// `body` to that of the bill.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome. After it, and after a failure with
    /// [`maybe_processed`](Error::maybe_processed), look at the bill (`get_e_way_bill`)
    /// before you send it again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `x-source` for a bill of
    /// another server; nothing is sent; otherwise any kind.
    pub async fn update_vehicle(
        &self,
        id: EwbId,
        mut body: EwbVehicleRequest,
    ) -> Result<Answer<EwbVehicleUpdate>, Error> {
        let server = self.server(id, "update_e_way_bill_vehicle")?;
        body.ewb_no = Some(id.number.get());
        self.update_e_way_bill_vehicle().ewb_no(id.number).x_source(server).body(body).send().await
    }

    /// Assigns a bill to another transporter, by GSTIN or TRANSIN.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome. After it, and after a failure with
    /// [`maybe_processed`](Error::maybe_processed), look at the bill (`get_e_way_bill`)
    /// before you send it again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `x-source` for a bill of
    /// another server; nothing is sent; [`Business`](crate::ErrorKind::Business)
    /// with 222 for an unknown transporter; otherwise any kind.
    pub async fn update_transporter(
        &self,
        id: EwbId,
        transporter: &str,
    ) -> Result<Answer<EwbTransporterUpdate>, Error> {
        let server = self.server(id, "update_e_way_bill_transporter")?;
        let body = EwbTransporterRequest { ewb_no: id.number.get(), transporter_id: transporter.to_owned() };
        self.update_e_way_bill_transporter().ewb_no(id.number).x_source(server).body(body).send().await
    }

    /// Closes a bill after delivery, on a day of the form DD/MM/YYYY. This
    /// cannot be undone.
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome. After it, and after a failure with
    /// [`maybe_processed`](Error::maybe_processed), look at the bill (`get_e_way_bill`)
    /// before you send it again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `x-source` for a bill of
    /// another server, and with `remarks` unless they have 1 to 100 characters;
    /// otherwise any kind.
    pub async fn close(&self, id: EwbId, day: &str, remarks: &str) -> Result<Answer<EwbClosure>, Error> {
        let server = self.server(id, "close_e_way_bill")?;
        if !(1..=100).contains(&remarks.chars().count()) {
            return Err(
                Error::input(field::REMARKS, "must be 1 to 100 characters").in_operation("close_e_way_bill")
            );
        }
        let body = EwbCloseRequest {
            ewb_no: id.number.get(),
            closure_date: day.to_owned(),
            remarks: remarks.to_owned(),
        };
        self.close_e_way_bill().x_source(server).body(body).send().await
    }

    fn server(&self, id: EwbId, operation: &'static str) -> Result<NicServer, Error> {
        self.state.server_of(id.server).map_err(|error| error.in_operation(operation))
    }
}

/// The code of the type of the document.
fn document_type(request: &EwbRequest) -> &'static str {
    match request.doc_type {
        EwbDocumentType::Inv => "INV",
        EwbDocumentType::Chl => "CHL",
        EwbDocumentType::Bil => "BIL",
        EwbDocumentType::Boe => "BOE",
        EwbDocumentType::Oth => "OTH",
    }
}
