//! The lists of e-invoices that the GST portal prepares.

use std::{fmt, ops::ControlFlow};

use super::polling::Polling;
use crate::{
    Answer, Error, ErrorKind,
    client::ClientState,
    gst_portal_e_invoices::{SessionApi, types::PortalListJob},
    values::{ReturnPeriod, SignedUrl},
};

/// A job that lists the e-invoices of one period and one kind of supply. Its
/// result is the signed URL of a file.
///
/// It continues if your program ends. Store the
/// [`job_id`](EInvoiceListJob::job_id) to query it from another process.
///
/// ```
/// # #[cfg(feature = "mock")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sandbox_client::values::ReturnPeriod;
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let session = mock.session()?;
///
/// let lists = session.gst_portal_e_invoices();
/// let job = lists.start_sales_list(ReturnPeriod::new(2024, 10)?, "B2B").await?;
/// let url = job.wait().await?; // for `Client::transfers`, within the hours that it is valid
/// # let _ = url;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "mock"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct EInvoiceListJob {
    state: ClientState,
    list: List,
    period: ReturnPeriod,
    job_id: String,
    polling: Polling,
}

/// Whose e-invoices are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// Those that the taxpayer issued.
    Sales,
    /// Those that the taxpayer received.
    Purchases,
}

impl SessionApi {
    /// Starts a list of the e-invoices that the taxpayer issued. The kind of supply is
    /// an open list, such as `B2B` or `EXPWP`.
    ///
    /// Each call starts a job, so it is not retried if an earlier one may have been
    /// processed; starting another one is harmless.
    ///
    /// # Errors
    ///
    /// Any kind. The job reports a wrong period.
    pub async fn start_sales_list(
        &self,
        period: ReturnPeriod,
        supply_type: impl Into<String>,
    ) -> Result<EInvoiceListJob, Error> {
        let request = self.submit_sales_e_invoices_job().year(period).month(period);
        let answer = request.supply_type(supply_type.into()).send().await?;
        Ok(self.sales_list(period, job_id(&answer)?))
    }

    /// Starts a list of the e-invoices that the taxpayer received; as
    /// [`start_sales_list`](SessionApi::start_sales_list).
    ///
    /// # Errors
    ///
    /// Any kind. The job reports a wrong period.
    pub async fn start_purchase_list(
        &self,
        period: ReturnPeriod,
        supply_type: impl Into<String>,
    ) -> Result<EInvoiceListJob, Error> {
        let request = self.submit_purchase_e_invoices_job().year(period).month(period);
        let answer = request.supply_type(supply_type.into()).send().await?;
        Ok(self.purchase_list(period, job_id(&answer)?))
    }

    /// A list of sales that was started before, by its period and the id of its job.
    pub fn sales_list(&self, period: ReturnPeriod, job_id: impl Into<String>) -> EInvoiceListJob {
        EInvoiceListJob::new(&self.state, List::Sales, period, job_id.into())
    }

    /// A list of purchases that was started before, by its period and the id of its job.
    pub fn purchase_list(&self, period: ReturnPeriod, job_id: impl Into<String>) -> EInvoiceListJob {
        EInvoiceListJob::new(&self.state, List::Purchases, period, job_id.into())
    }
}

fn job_id(answer: &Answer<PortalListJob>) -> Result<String, Error> {
    let id = answer.job_id.as_deref().filter(|id| !id.trim().is_empty());
    id.map(str::to_owned).ok_or_else(|| answer.incomplete("names no job"))
}

impl EInvoiceListJob {
    fn new(state: &ClientState, list: List, period: ReturnPeriod, job_id: String) -> Self {
        Self { state: state.clone(), list, period, job_id, polling: Polling::default() }
    }

    /// The id that Sandbox gave the job.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// The same job, polled at other intervals.
    #[must_use]
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Fetches the URL of the list once; `None` if it is not ready yet. Read-only,
    /// so safe to repeat.
    ///
    /// # Errors
    ///
    /// [`Business`](ErrorKind::Business) with GSTN's code where the job failed, such as
    /// `EINV30113` for a wrong period; [`is_no_records`](Error::is_no_records) if there are no
    /// e-invoices. Otherwise any kind.
    pub async fn status(&self) -> Result<Option<SignedUrl>, Error> {
        let answer = self.ask().await?;
        let url = answer.e_invoice_list_url.clone();
        match answer.status.as_deref() {
            Some("succeeded") if url.is_none() => Err(answer.incomplete("does not say where the list is")),
            Some("succeeded") => Ok(url),
            // Told without a reason; one with a reason is a failure of the call.
            Some("failed") => Err(Error::new(ErrorKind::Business, "the list of e-invoices failed")
                .in_operation(self.operation())
                .with_transaction_id(answer.transaction_id())
                .after_attempts(1)
                .with_advice("start it again")),
            Some(_) => Ok(None),
            None => Err(answer.incomplete("has no status of the job")),
        }
    }

    /// Polls until the list is ready, with growing pauses and within the client's rate
    /// limit, for as long as [`Polling`] says.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) at the deadline, with the id of the job; the job
    /// continues, and you can call `wait` again. Otherwise those of
    /// [`status`](EInvoiceListJob::status) that are not temporary.
    pub async fn wait(&self) -> Result<SignedUrl, Error> {
        let ask = || async {
            Ok(match self.status().await? {
                Some(url) => ControlFlow::Break(url),
                None => ControlFlow::Continue("not done".to_owned()),
            })
        };
        self.polling.until_done(&self.state, &self.job_id, self.operation(), ask).await
    }

    async fn ask(&self) -> Result<Answer<PortalListJob>, Error> {
        let api = SessionApi { state: self.state.clone() };
        let (period, id) = (self.period, self.job_id.as_str());
        match self.list {
            List::Sales => api.poll_sales_e_invoices_job().year(period).month(period).job_id(id).send().await,
            List::Purchases => {
                api.poll_purchase_e_invoices_job().year(period).month(period).job_id(id).send().await
            }
        }
    }

    fn operation(&self) -> &'static str {
        match self.list {
            List::Sales => "poll_sales_e_invoices_job",
            List::Purchases => "poll_purchase_e_invoices_job",
        }
    }
}

impl fmt::Debug for EInvoiceListJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EInvoiceListJob")
            .field("list", &self.list)
            .field("period", &self.period)
            .field("job_id", &self.job_id)
            .finish_non_exhaustive()
    }
}
