//! GSTR-2B.

use super::job::{Kind, Unread, job_reference, present, state};
use crate::{
    Error, Job, JobReport, JobState,
    client::ClientState,
    gstr_2b::{SessionApi, types::Gstr2bJobReport},
    values::{JobStatus, ReturnPeriod},
};

impl SessionApi {
    /// Asks GSTN to regenerate the GSTR-2B of a period after actions on
    /// documents. Never retried if the provider may have processed it.
    ///
    /// Helper for [`regenerate_gstr_2b`](SessionApi::regenerate_gstr_2b).
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::{JobState, values::ReturnPeriod};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let job = session.gstr_2b().start_regeneration(ReturnPeriod::new(2025, 11)?).await?;
    /// assert_eq!(job.wait().await?.state, JobState::Processed);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent, the
    /// request still completes, and an event with the target `sandbox_client` reports the
    /// outcome and the id of the job. Spawn a task to keep the [`Job`] if the caller may
    /// go away.
    ///
    /// # Errors
    ///
    /// [`Business`](crate::ErrorKind::Business) with the code `IMS2B007` for a
    /// wrong period or one whose GSTR-3B is filed, `IMS2B009` before the first
    /// GSTR-2B is there; the message names the day. Otherwise any kind.
    ///
    /// Source: the provider's page on
    /// [Regenerate GSTR-2B](https://developer.sandbox.co.in/reference/regenerate-gstr-2b).
    pub async fn start_regeneration(&self, period: ReturnPeriod) -> Result<Job, Error> {
        let answer = self.regenerate_gstr_2b().year(period).month(period).send().await?;
        Ok(self.job(job_reference(&answer, answer.reference_id.as_deref())?))
    }

    /// The job that regenerates a GSTR-2B, by its reference id.
    pub fn job(&self, reference_id: impl Into<String>) -> Job {
        Job::new(&self.state, Kind::Gstr2b, reference_id.into())
    }
}

/// Fetches the status of the regeneration once.
pub(super) async fn job_report(client: &ClientState, reference_id: &str) -> Result<JobReport, Error> {
    let api = SessionApi { state: client.clone() };
    let answer = api.get_gstr_2b_regeneration_status().reference_id(reference_id).send().await?;
    let transaction_id = answer.transaction_id().map(str::to_owned);
    let unread = Unread::of(&answer);
    Ok(unread.told_by(read(answer.into_inner(), transaction_id)))
}

fn read(report: Gstr2bJobReport, transaction_id: Option<String>) -> JobReport {
    JobReport {
        state: match &report.status_cd {
            Some(JobStatus::P) => JobState::Processed,
            other => state(other.as_ref()),
        },
        status: report.status_cd,
        processed: None,
        error_count: None,
        refused: Vec::new(),
        errors: Vec::new(),
        code: present(report.err_cd),
        message: present(report.err_msg),
        transaction_id,
    }
}
