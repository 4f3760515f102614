//! The outcome of a filing.

use super::{Filing, Return, step::Step};
use crate::{
    Error,
    public::types::FiledReturn,
    returns_common,
    values::{ProviderDate, ReturnPeriod, ReturnType},
};

/// Whether a return is filed, as far as GSTN reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilingOutcome {
    /// It is filed.
    Filed {
        /// The acknowledgement reference number (ARN).
        arn: String,
        /// The day of the filing.
        date: Option<ProviderDate>,
    },
    /// GSTN lists no filing of it. Right after a request whose answer was
    /// lost, this may change: check again after some minutes.
    NotFiled,
    /// GSTN lists an entry for it that is not clearly a filing, or that
    /// cannot be read.
    Unknown {
        /// The status as received, such as `Filed`.
        status: Option<String>,
    },
}

impl<R: Return, S: Step> Filing<R, S> {
    /// Checks whether the return is filed, in the list of Track Returns. Read-only, so
    /// safe to repeat, at any step and after any failure.
    ///
    /// Once it has shown that the return is not filed,
    /// [`file`](Filing::file) may be called again after a lost answer.
    ///
    /// ```
    /// # #[cfg(all(feature = "mock", feature = "gstr_3b"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::{filing::FilingOutcome, values::ReturnPeriod};
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let filing = session.gstr_3b().filing(ReturnPeriod::new(2024, 11)?);
    /// match filing.outcome().await? {
    ///     FilingOutcome::Filed { arn, .. } => println!("filed: {arn}"),
    ///     FilingOutcome::NotFiled => println!("not filed"),
    ///     other => println!("look at the portal: {other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "mock", feature = "gstr_3b")))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Any kind.
    pub async fn outcome(&self) -> Result<FilingOutcome, Error> {
        let api = returns_common::SessionApi { state: self.state.clone() };
        let request = api.track_taxpayer_returns().year(self.period).month(self.period);
        let outcome = match request.return_type(R::TYPE.as_str()).send().await {
            Err(error) if error.is_no_records() => FilingOutcome::NotFiled,
            Err(error) => return Err(error),
            Ok(answer) => {
                let listed = answer.e_filedlist.as_deref().unwrap_or_default();
                match FilingOutcome::listed(&R::TYPE, self.period, listed) {
                    // It may be what could not be read.
                    FilingOutcome::NotFiled if !answer.unread_of_payload().is_empty() => {
                        FilingOutcome::Unknown { status: None }
                    }
                    outcome => outcome,
                }
            }
        };
        if outcome == FilingOutcome::NotFiled && self.step.doubts_filing() {
            self.doubt.clear();
        }
        Ok(outcome)
    }
}

impl FilingOutcome {
    /// What a list of filings says about one return, such as the list of Track Returns
    /// or of a [sweep](crate::FiledInPeriod). A filing that says neither which return
    /// nor which period it is may be the one, so it makes the outcome unknown.
    ///
    /// ```
    /// use sandbox_client::{filing::FilingOutcome, values::{ReturnPeriod, ReturnType}};
    ///
    /// let october = ReturnPeriod::new(2026, 10)?;
    /// let outcome = FilingOutcome::listed(&ReturnType::Gstr1, october, &[]);
    /// assert_eq!(outcome, FilingOutcome::NotFiled);
    /// # Ok::<(), sandbox_client::Error>(())
    /// ```
    #[must_use]
    pub fn listed(return_type: &ReturnType, period: ReturnPeriod, list: &[FiledReturn]) -> Self {
        let plain = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "").to_ascii_uppercase();
        let (name, period) = (plain(return_type.as_str()), period.to_string());
        let found = || {
            list.iter()
                .filter(|filing| filing.rtntype.as_deref().is_none_or(|listed| plain(listed) == name))
                .filter(|filing| filing.ret_prd.as_deref().is_none_or(|listed| listed.trim() == period))
        };
        let is_filed = |filing: &&FiledReturn| {
            filing.rtntype.is_some()
                && filing.ret_prd.is_some()
                && filing.arn.as_deref().is_some_and(|arn| !arn.trim().is_empty())
                && filing.status.as_deref().is_some_and(|status| status.trim().eq_ignore_ascii_case("filed"))
                && filing.valid.as_deref() != Some("N")
        };
        match (found().find(is_filed), found().next()) {
            (Some(filing), _) => {
                Self::Filed { arn: filing.arn.clone().unwrap_or_default(), date: filing.dof.clone() }
            }
            (None, None) => Self::NotFiled,
            (None, Some(filing)) => Self::Unknown { status: filing.status.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(list: &str) -> FilingOutcome {
        let list: Vec<FiledReturn> = serde_json::from_str(list).unwrap();
        FilingOutcome::listed(&ReturnType::Gstr3b, ReturnPeriod::new(2024, 11).unwrap(), &list)
    }

    #[test]
    fn only_a_filing_of_this_return_and_period_counts() {
        let filed = FilingOutcome::Filed { arn: "AB1".into(), date: None };
        let row =
            r#"{"arn": "AB1", "ret_prd": "112024", "rtntype": "GSTR3B", "status": "Filed", "valid": "Y"}"#;
        assert_eq!(told(&format!("[{row}]")), filed);
        assert_eq!(told(&format!("[{}, {row}]", row.replace("GSTR3B", "GSTR1"))), filed);
        assert_eq!(told("[]"), FilingOutcome::NotFiled);
        for (from, to) in [("GSTR3B", "GSTR1"), ("GSTR3B", "GSTR3"), ("112024", "102024")] {
            assert_eq!(told(&format!("[{}]", row.replace(from, to))), FilingOutcome::NotFiled, "{to}");
        }
        for (from, to) in [
            ("\"Filed\"", "\"Submitted\""),
            ("\"AB1\"", "\"\""),
            ("\"AB1\"", "null"),
            ("\"Y\"", "\"N\""),
            ("\"GSTR3B\"", "null"),
            ("\"112024\"", "null"),
        ] {
            let outcome = told(&format!("[{}]", row.replace(from, to)));
            assert!(matches!(outcome, FilingOutcome::Unknown { .. }), "{to}: {outcome:?}");
        }
    }
}
