//! A filing that is saved and resumed in another process.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Doubt, Filing, Return,
    step::{Draft, Proceeding, Processed, Ready, Saved, Signing, Step},
};
use crate::{
    Error,
    client::ClientState,
    field,
    values::{Gstin, ReturnPeriod, ReturnType},
};

/// The state of a filing, to store in a file or a database. It contains
/// no secret: no token, no OTP, no PAN.
///
/// ```
/// # #[cfg(all(feature = "mock", feature = "gstr_3b"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sandbox_client::{filing::{FilingState, ResumedFiling}, values::ReturnPeriod};
/// # let mock = sandbox_client::mock::MockServer::start().await?;
/// # let session = mock.session()?;
///
/// let saved = serde_json::to_string(&session.gstr_3b().filing(ReturnPeriod::new(2024, 11)?).state())?;
///
/// let state: FilingState = serde_json::from_str(&saved)?;
/// let ResumedFiling::Draft(filing) = session.gstr_3b().resume_filing(state)? else { unreachable!() };
/// assert_eq!(filing.period().to_string(), "112024");
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "mock", feature = "gstr_3b")))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilingState {
    return_type: ReturnType,
    period: ReturnPeriod,
    #[serde(
        default,
        deserialize_with = "Gstin::deserialize_unchecked",
        skip_serializing_if = "Option::is_none"
    )]
    taxpayer: Option<Gstin>,
    #[serde(flatten)]
    step: SavedStep,
}

impl FilingState {
    /// The return.
    #[must_use]
    pub fn return_type(&self) -> &ReturnType {
        &self.return_type
    }

    /// The period; for an annual return the last month of the year.
    #[must_use]
    pub fn period(&self) -> ReturnPeriod {
        self.period
    }

    /// Whose return it is, as far as it is known.
    #[must_use]
    pub fn taxpayer(&self) -> Option<Gstin> {
        self.taxpayer
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum SavedStep {
    Draft,
    Saved { reference_id: String },
    Processed,
    Proceeding { reference_id: String, nil: bool },
    Ready { nil: bool },
    Signing { nil: bool },
}

/// A filing at the step where it was saved.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // each step documents itself
pub enum ResumedFiling<R: Return> {
    Draft(Filing<R, Draft>),
    Saved(Filing<R, Saved>),
    Processed(Filing<R, Processed>),
    Proceeding(Filing<R, Proceeding>),
    Ready(Filing<R, Ready>),
    Signing(Filing<R, Signing>),
}

impl<R: Return, S: Step> Filing<R, S> {
    /// The state of the filing, to resume it later with `resume_filing` of
    /// the family. Store it after each step, and before a step that cannot be undone.
    #[must_use]
    pub fn state(&self) -> FilingState {
        FilingState {
            return_type: R::TYPE,
            period: self.period,
            taxpayer: self.taxpayer,
            step: self.step.saved(),
        }
    }
}

/// The filing that `saved` tells of. Nobody knows what the process that saved
/// it has sent since, so a step that cannot be undone is in doubt until a look.
pub(super) fn resume<R: Return>(state: &ClientState, saved: FilingState) -> Result<ResumedFiling<R>, Error> {
    if saved.return_type != R::TYPE {
        return Err(Error::input(field::RETURN_TYPE, "is not the return of this family"));
    }
    let mut filing = Filing::<R>::new(state, saved.period);
    match (filing.taxpayer, saved.taxpayer) {
        (Some(session), Some(saved)) if session != saved => {
            return Err(Error::input(field::TAXPAYER, "is not the taxpayer of the session"));
        }
        (session, saved) => filing.taxpayer = session.or(saved),
    }
    let doubt = || Arc::new(Doubt::of_another_process());
    Ok(match saved.step {
        SavedStep::Draft => ResumedFiling::Draft(filing),
        SavedStep::Saved { reference_id } => ResumedFiling::Saved(filing.at(Saved { reference_id })),
        SavedStep::Processed => ResumedFiling::Processed(Filing { doubt: doubt(), ..filing.at(Processed) }),
        SavedStep::Proceeding { reference_id, nil } => {
            ResumedFiling::Proceeding(filing.at(Proceeding { reference_id, nil }))
        }
        SavedStep::Ready { nil } => ResumedFiling::Ready(filing.at(Ready { nil })),
        SavedStep::Signing { nil } => {
            ResumedFiling::Signing(Filing { doubt: doubt(), ..filing.at(Signing { nil }) })
        }
    })
}
