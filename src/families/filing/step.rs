//! The steps of a filing, as types: each method of [`Filing`](super::Filing)
//! exists at the step where it is the next thing to do.

use std::fmt::Debug;

use super::state::SavedStep;

/// A step of a filing. It cannot be implemented elsewhere.
pub trait Step: Debug + Clone + sealed::Step {}

impl<S: Debug + Clone + sealed::Step> Step for S {}

pub(super) mod sealed {
    pub trait Step {
        fn saved(&self) -> super::SavedStep;

        /// Whether what is in doubt here is the filing itself.
        fn doubts_filing(&self) -> bool {
            false
        }
    }
}

/// Nothing is saved by this filing yet.
#[derive(Debug, Clone)]
pub struct Draft;

/// The document was sent, and GSTN checks it.
#[derive(Debug, Clone)]
pub struct Saved {
    pub(super) reference_id: String,
}

/// GSTN has accepted the draft.
#[derive(Debug, Clone)]
pub struct Processed;

/// GSTN makes the return ready to file.
#[derive(Debug, Clone)]
pub struct Proceeding {
    pub(super) reference_id: String,
    pub(super) nil: bool,
}

/// The return is ready to file.
#[derive(Debug, Clone)]
pub struct Ready {
    pub(super) nil: bool,
}

/// The signatory has an OTP.
#[derive(Debug, Clone)]
pub struct Signing {
    pub(super) nil: bool,
}

impl sealed::Step for Draft {
    fn saved(&self) -> SavedStep {
        SavedStep::Draft
    }
}

impl sealed::Step for Saved {
    fn saved(&self) -> SavedStep {
        SavedStep::Saved { reference_id: self.reference_id.clone() }
    }
}

impl sealed::Step for Processed {
    fn saved(&self) -> SavedStep {
        SavedStep::Processed
    }
}

impl sealed::Step for Proceeding {
    fn saved(&self) -> SavedStep {
        SavedStep::Proceeding { reference_id: self.reference_id.clone(), nil: self.nil }
    }
}

impl sealed::Step for Ready {
    fn saved(&self) -> SavedStep {
        SavedStep::Ready { nil: self.nil }
    }
}

impl sealed::Step for Signing {
    fn saved(&self) -> SavedStep {
        SavedStep::Signing { nil: self.nil }
    }

    fn doubts_filing(&self) -> bool {
        true
    }
}
