//! GSTR-2B.

use super::invoices::reference;
use crate::{Client, Error, Job, values::ReturnPeriod};

impl Client {
    /// Has GSTN make the GSTR-2B of a period again, after documents were acted
    /// on. Never repeated by itself where it may have arrived.
    ///
    /// The helper over [`regenerate_gstr_2b`](Client::regenerate_gstr_2b).
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::{JobState, values::ReturnPeriod};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.client()?;
    ///
    /// let job = session.start_gstr_2b_regeneration(ReturnPeriod::new(2025, 11)?).await?;
    /// assert_eq!(job.wait().await?.state, JobState::Processed);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`Business`](crate::ErrorKind::Business) with the code `IMS2B007` for a
    /// wrong period or one whose GSTR-3B is filed, `IMS2B009` before the first
    /// GSTR-2B is there; the message names the day. Otherwise any kind.
    ///
    /// Source: the provider's page on
    /// [Regenerate GSTR-2B](https://developer.sandbox.co.in/reference/regenerate-gstr-2b).
    pub async fn start_gstr_2b_regeneration(&self, period: ReturnPeriod) -> Result<Job, Error> {
        let answer = self.regenerate_gstr_2b().year(period).month(period).send().await?;
        Ok(self.gstr_2b_job(reference(self, answer, "regenerate_gstr_2b")?))
    }
}
