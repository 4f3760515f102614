//! Which returns of a period are filed.

use super::{SweepTask, task::of_period};
use crate::{Error, Session, public::types::FiledReturn};

of_period! {
    /// Fetches which returns of a period are filed. A return that the list lacks is not filed;
    /// [`FilingOutcome::listed`](crate::filing::FilingOutcome::listed) evaluates the list for one return.
    FiledInPeriod
}

impl SweepTask for FiledInPeriod {
    type Output = Vec<FiledReturn>;
    const OPERATION: &'static str = "track_taxpayer_returns";

    async fn ask(&self, session: Session) -> Result<Vec<FiledReturn>, Error> {
        let api = session.returns_common();
        let mut filed = match api.track_taxpayer_returns().year(self.0).month(self.0).send().await {
            // What could not be read may be the filing of one who has filed.
            Ok(answer) if answer.has_unread("e_filedlist") => {
                return Err(answer.incomplete("has a list of filings that cannot be read"));
            }
            Ok(answer) => answer.into_inner().e_filedlist.unwrap_or_default(),
            Err(error) if error.is_no_records() => Vec::new(),
            Err(error) => return Err(error),
        };
        // The provider's example has filings of other periods too.
        let period = self.0.to_string();
        filed.retain(|filed| filed.ret_prd.as_deref().is_none_or(|listed| listed.trim() == period));
        Ok(filed)
    }
}
