//! Filing a return, step by step.
//!
//! Each step is a method of the value that the previous step returns. You can repeat
//! fetching, saving, proceeding and requesting an OTP. Paying and filing cannot be
//! undone: they take a [`Confirmed`] value, are sent once, and name the check to make if
//! the answer is lost.

#[cfg(feature = "gstr_1")]
mod gstr_1;
#[cfg(feature = "gstr_3b")]
mod gstr_3b;
#[cfg(feature = "gstr_9")]
mod gstr_9;
mod outcome;
mod state;
pub mod step;

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

#[cfg(feature = "gstr_3b")]
pub use gstr_3b::PaymentState;
pub use outcome::FilingOutcome;
pub use state::{FilingState, ResumedFiling};

use crate::{
    Answer, Document, Error, ErrorKind, Job, JobState, Polling,
    client::ClientState,
    field,
    returns_common::{self, types::Signatory},
    session::to_end,
    values::{EvcOtp, Gstin, Pan, ReturnPeriod, ReturnType},
};
use step::{Draft, Proceeding, Processed, Ready, Saved, Signing, Step};

/// The filing of one return, at the step `S`.
///
/// Returned by `filing` of the family, such as `session.gstr_3b().filing(period)`. `R` is the
/// document that is filed.
///
/// | step | GSTR-3B | GSTR-1 and GSTR-9 |
/// | --- | --- | --- |
/// | [`Draft`] | `save`, `saved_draft`, `nil` | `save`, `saved_draft`, GSTR-1 `nil` |
/// | [`Saved`] | `wait` | `wait` |
/// | [`Processed`] | **`offset`**, `already_paid` | `proceed` |
/// | [`Proceeding`] | | `wait` |
/// | [`Ready`] | `review`, `request_otp` | `review`, `request_otp` |
/// | [`Signing`] | **`file`** | **`file`** |
///
/// The two in bold cannot be undone. A clone is the same filing: if the
/// outcome of a request is unknown, no clone repeats it.
///
/// Source: the provider's recipes on
/// [GSTR-3B](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/3293fc43ed97/recipes/gst/gstr-3b/file_gstr_3b.mdx)
/// and
/// [GSTR-9](https://github.com/in-co-sandbox/in-co-sandbox-docs/blob/3724eab8cc79/recipes/gst/gstr-9/file_gstr_9.mdx).
#[must_use = "nothing is filed before `file`"]
pub struct Filing<R, S = Draft> {
    state: ClientState,
    period: ReturnPeriod,
    taxpayer: Option<Gstin>,
    polling: Polling,
    step: S,
    doubt: Arc<Doubt>,
    document: std::marker::PhantomData<fn() -> R>,
}

/// A value that a person, or a program with their consent, has reviewed and approved.
///
/// Steps that cannot be undone take one, so that the reviewed value is
/// sent, and such a step is visible in the calling code.
///
/// ```
/// use sandbox_client::filing::Confirmed;
///
/// let payment = "108051.00 in cash";
/// println!("about to pay {payment}");
/// let confirmed = Confirmed::irreversible(payment);
/// # let _ = confirmed;
/// ```
#[derive(Debug, Clone)]
pub struct Confirmed<T>(T);

impl<T> Confirmed<T> {
    /// Confirms that `value` may be sent although that cannot be undone.
    #[must_use]
    pub fn irreversible(value: T) -> Self {
        Self(value)
    }
}

/// A filed return.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filed {
    /// The acknowledgement reference number (ARN).
    pub arn: String,
    /// The acknowledgement as received; GSTR-3B adds date and time to the ARN.
    pub acknowledgement: String,
    /// The id that the provider's support asks for. Not always a UUID.
    pub transaction_id: Option<String>,
}

/// A return that can be filed by its steps. Implemented for the documents of
/// GSTR-1, GSTR-3B and GSTR-9; it cannot be implemented elsewhere.
pub trait Return: sealed::Return {}

impl<R: sealed::Return> Return for R {}

pub(crate) mod sealed {
    use super::{
        Answer, ClientState, DeserializeOwned, Document, Error, EvcOtp, Future, Gstin, Pan, ReturnPeriod,
        ReturnType, Serialize,
    };

    /// What differs from return to return.
    pub trait Return: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
        const TYPE: ReturnType;
        /// The operation that files it.
        const FILE: &'static str;

        fn fetch(
            state: &ClientState,
            period: ReturnPeriod,
        ) -> impl Future<Output = Result<Answer<Self>, Error>> + Send;

        /// Gives the acknowledgement and the transaction id.
        fn file(
            state: &ClientState,
            period: ReturnPeriod,
            pan: &Pan,
            otp: &EvcOtp,
            document: Document<Self>,
        ) -> impl Future<Output = Result<(String, Option<String>), Error>> + Send;

        /// Whose document it is, and of which period, as far as it says.
        fn owner(&self) -> (Option<&str>, Option<&str>);

        /// The fetched document with the members that only the filing has.
        fn to_file(document: Document<Self>) -> Result<Document<Self>, Error>;

        /// The document of a return without anything in it.
        fn nil(taxpayer: Option<Gstin>, period: ReturnPeriod) -> Result<Document<Self>, Error>;
    }
}

impl<R: Return> Filing<R> {
    pub(crate) fn new(state: &ClientState, period: ReturnPeriod) -> Self {
        Self {
            state: state.clone(),
            period,
            taxpayer: state.taxpayer_id().map(|taxpayer| taxpayer.gstin),
            polling: Polling::default(),
            step: Draft,
            doubt: Arc::default(),
            document: std::marker::PhantomData,
        }
    }

    /// The taxpayer of the return. Required if the session has only a token,
    /// as with [`with_taxpayer_token`](crate::Client::with_taxpayer_token).
    pub fn taxpayer(mut self, gstin: Gstin) -> Self {
        self.taxpayer = Some(gstin);
        self
    }

    /// Continues with a draft that was saved earlier, on the portal or by
    /// another program. Fetches it, so that a missing draft is reported now.
    ///
    /// # Errors
    ///
    /// Those of fetching the draft.
    pub async fn saved_draft(&self) -> Result<Filing<R, Processed>, Error> {
        self.draft().await?;
        Ok(self.at(Processed))
    }
}

impl<R: Return, S: Step> Filing<R, S> {
    /// The period; for an annual return the last month of the year.
    #[must_use]
    pub fn period(&self) -> ReturnPeriod {
        self.period
    }

    /// The same filing, whose jobs are polled at other intervals. The
    /// provider recommends every 10 to 15 seconds; most jobs take less than three minutes.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = polling;
        self
    }

    /// Fetches the draft from GSTN. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Any kind.
    pub async fn draft(&self) -> Result<Document<R>, Error> {
        R::fetch(&self.state, self.period).await?.into_document()
    }

    /// The same filing at another step.
    fn at<T>(&self, step: T) -> Filing<R, T> {
        Filing {
            state: self.state.clone(),
            period: self.period,
            taxpayer: self.taxpayer,
            polling: self.polling,
            step,
            doubt: Arc::default(),
            document: std::marker::PhantomData,
        }
    }

    /// Refuses a document of somebody else, or of another period.
    fn refuse_foreign(
        &self,
        (gstin, period): (Option<&str>, Option<&str>),
        operation: &'static str,
    ) -> Result<(), Error> {
        let refusal = match (gstin, self.taxpayer) {
            (Some(gstin), Some(taxpayer)) if !gstin.eq_ignore_ascii_case(taxpayer.as_str()) => {
                Some((field::GSTIN, "is not the taxpayer of this filing"))
            }
            _ if period.is_some_and(|period| period != self.period.to_string()) => {
                Some((field::PERIOD, "is not the period of this filing"))
            }
            _ => None,
        };
        match refusal {
            Some((field, reason)) => Err(Error::input(field, reason).in_operation(operation)),
            None => Ok(()),
        }
    }

    /// Sends what cannot be undone, unless it may have been done already. It
    /// runs to its end even if the caller goes away, and so does the doubt: no
    /// clone of this filing sends it a second time before a look has told that
    /// the first had no effect.
    async fn send_once<T: Send + 'static>(
        &self,
        (operation, look): (&'static str, &'static str),
        request: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        if !self.doubt.begin() {
            let reason = "may have been processed already, so it is not sent again";
            return Err(Error::input(field::FILING, reason).in_operation(operation).with_advice(look));
        }
        let doubt = Arc::clone(&self.doubt);
        to_end(async move {
            let result = request.await;
            // Of a success too, as long as nobody has learned of it.
            doubt.end(result.as_ref().err().is_none_or(Error::maybe_processed));
            result.map_err(|error| if error.maybe_processed() { error.with_advice(look) } else { error })
        })
        .await
        .inspect(|_| self.doubt.clear())
    }

    async fn send_otp(&self, pan: &Pan) -> Result<(), Error> {
        let api = returns_common::SessionApi { state: self.state.clone() };
        let body = Signatory { pan: pan.clone() };
        api.generate_evc_otp().gstr(R::TYPE).body(body).send().await.map(drop)
    }

    async fn document_to_file(&self, nil: bool) -> Result<Document<R>, Error> {
        if nil { R::nil(self.taxpayer, self.period) } else { R::to_file(self.draft().await?) }
    }

    /// Whose return is closed, and of which period.
    #[cfg(any(feature = "gstr_1", feature = "gstr_9"))]
    fn return_of_period(
        &self,
        operation: &'static str,
    ) -> Result<returns_common::types::ReturnOfPeriod, Error> {
        let gstin = known(self.taxpayer, operation)?;
        Ok(returns_common::types::ReturnOfPeriod { gstin, ret_period: self.period, ref_id: None })
    }

    fn job_of(&self, reference_id: &str) -> Job {
        let api = returns_common::SessionApi { state: self.state.clone() };
        api.job(self.period, reference_id).polling(self.polling)
    }
}

/// Whether a request that cannot be undone may have been processed.
#[derive(Default)]
struct Doubt(Mutex<Sent>);

#[derive(Default, Clone, Copy, PartialEq)]
enum Sent {
    /// Not at all, or without effect.
    #[default]
    No,
    /// Its answer is not there yet.
    InFlight,
    /// It was processed, or may have been.
    Perhaps,
}

impl Doubt {
    /// As after a request that was sent in an earlier process, perhaps.
    fn of_another_process() -> Self {
        Self(Mutex::new(Sent::Perhaps))
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may be sent now.
    fn begin(&self) -> bool {
        let mut sent = self.sent();
        let free = *sent == Sent::No;
        if free {
            *sent = Sent::InFlight;
        }
        free
    }

    fn end(&self, perhaps_processed: bool) {
        *self.sent() = if perhaps_processed { Sent::Perhaps } else { Sent::No };
    }

    /// A look has told that nothing was processed. That says nothing of a
    /// request whose answer is not there yet.
    fn clear(&self) {
        let mut sent = self.sent();
        if *sent == Sent::Perhaps {
            *sent = Sent::No;
        }
    }
}

/// The taxpayer, where the request has to name them.
#[cfg(any(feature = "gstr_1", feature = "gstr_9"))]
fn known(taxpayer: Option<Gstin>, operation: &'static str) -> Result<Gstin, Error> {
    taxpayer.ok_or_else(|| {
        Error::input(field::TAXPAYER, "is missing: a bare token does not identify the taxpayer")
            .in_operation(operation)
            .with_advice("name the taxpayer with `taxpayer`")
    })
}

/// Waits until a job is processed; one that went wrong is an error here, since
/// no step follows it.
async fn processed(job: &Job) -> Result<(), Error> {
    let report = job.wait().await?;
    if report.state == JobState::Processed {
        return Ok(());
    }
    let first = report.errors.first();
    let reason = match report.errors.len() {
        0 => "GSTN has not processed it".to_owned(),
        1 => "GSTN has not processed it: 1 error".to_owned(),
        many => format!("GSTN has not processed it: {many} errors, of which this is the first"),
    };
    Err(Error::new(ErrorKind::Business, reason)
        .in_operation("get_return_status")
        .with_error_code(first.map(|error| error.code.as_str()).or(report.code.as_deref()))
        .with_provider_message(first.map(|error| error.message.as_str()).or(report.message.as_deref()))
        .with_transaction_id(report.transaction_id.as_deref())
        .after_attempts(1)
        .with_advice("`job().status()` lists all errors; correct the document and save it again"))
}

impl<R: Return> Filing<R, Saved> {
    /// The job in which GSTN checks what was saved.
    pub fn job(&self) -> Job {
        self.job_of(&self.step.reference_id)
    }

    /// Waits until GSTN has processed what was saved. Safe to repeat.
    ///
    /// # Errors
    ///
    /// [`Business`](ErrorKind::Business) if the data has errors: the first of them, and
    /// [`job`](Filing::job) has all. [`Timeout`](ErrorKind::Timeout) if GSTN takes longer
    /// than [`polling`](Filing::polling) says; wait again then.
    pub async fn wait(&self) -> Result<Filing<R, Processed>, Error> {
        processed(&self.job()).await?;
        Ok(self.at(Processed))
    }
}

impl<R: Return> Filing<R, Proceeding> {
    /// The job in which GSTN makes the return ready to file.
    pub fn job(&self) -> Job {
        self.job_of(&self.step.reference_id)
    }

    /// Waits until the return is ready to file. Safe to repeat.
    ///
    /// # Errors
    ///
    /// As [`wait`](Filing::wait) after saving.
    pub async fn wait(&self) -> Result<Filing<R, Ready>, Error> {
        processed(&self.job()).await?;
        Ok(self.at(Ready { nil: self.step.nil }))
    }
}

impl<R: Return> Filing<R, Ready> {
    /// What will be filed: the draft of now, with all members and digits as
    /// received. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Any kind.
    pub async fn review(&self) -> Result<Document<R>, Error> {
        self.document_to_file(self.step.nil).await
    }

    /// Asks GSTN to send an OTP to the signatory with this PAN. You can
    /// repeat it: each call sends another message, and the last OTP counts (inferred).
    ///
    /// **Cancel safety**: if the future is dropped after the request was sent,
    /// the OTP is still sent; continue with [`otp_at_hand`](Filing::otp_at_hand).
    ///
    /// # Errors
    ///
    /// [`Business`](ErrorKind::Business) with the code `OTP0010` if the PAN may not sign.
    pub async fn request_otp(&self, pan: &Pan) -> Result<Filing<R, Signing>, Error> {
        self.send_otp(pan).await?;
        Ok(self.at(Signing { nil: self.step.nil }))
    }

    /// Continues with an OTP that the person already has.
    pub fn otp_at_hand(&self) -> Filing<R, Signing> {
        self.at(Signing { nil: self.step.nil })
    }
}

/// What to do when the answer of a filing was lost.
const LOOK_AT_OUTCOME: &str =
    "the return may be filed: wait some minutes and check `outcome()` (Track Returns) before you file again";

impl<R: Return> Filing<R, Signing> {
    /// What will be filed; as [`review`](Filing::review) before the OTP.
    ///
    /// # Errors
    ///
    /// Any kind.
    pub async fn review(&self) -> Result<Document<R>, Error> {
        self.document_to_file(self.step.nil).await
    }

    /// Has another OTP sent, also if the future is dropped after the request has left.
    ///
    /// # Errors
    ///
    /// As [`request_otp`](Filing::request_otp) the first time.
    pub async fn request_otp(&self, pan: &Pan) -> Result<(), Error> {
        self.send_otp(pan).await
    }

    /// Files the return. **This is a legal act and cannot be undone.**
    ///
    /// Sends the reviewed document exactly as it was received, once. If the answer is
    /// lost, the error says so, and this filing refuses to file again until
    /// [`outcome`](Filing::outcome) has shown that the return is not filed.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, an event
    /// with the target `sandbox_client` reports its outcome, and this filing and its
    /// clones refuse to send it again, as after a lost answer.
    ///
    /// # Errors
    ///
    /// [`Input`](ErrorKind::Input) before anything is sent: a document of another taxpayer or
    /// period, or one that lacks what GSTN requires; and `filing` while an
    /// earlier request is in doubt. [`Business`](ErrorKind::Business) with GSTN's code. With
    /// [`maybe_processed`](Error::maybe_processed), look at [`outcome`](Filing::outcome).
    pub async fn file(
        &self,
        pan: &Pan,
        otp: &EvcOtp,
        document: Confirmed<Document<R>>,
    ) -> Result<Filed, Error> {
        let Confirmed(document) = document;
        self.refuse_foreign(document.owner(), R::FILE)?;
        let (state, period, pan, otp) = (self.state.clone(), self.period, pan.clone(), otp.clone());
        let request = async move { R::file(&state, period, &pan, &otp, document).await };
        let (acknowledgement, transaction_id) = self.send_once((R::FILE, LOOK_AT_OUTCOME), request).await?;
        let arn = acknowledgement.split_whitespace().next().unwrap_or_default().to_owned();
        Ok(Filed { arn, acknowledgement, transaction_id })
    }
}

/// The acknowledgement of a filing, which is not a success without one.
fn acknowledged<T>(answer: &Answer<T>, number: Option<&str>) -> Result<(String, Option<String>), Error> {
    let number = number.map(str::trim).filter(|number| !number.is_empty());
    let number = number.ok_or_else(|| answer.incomplete("names no acknowledgement number"))?;
    Ok((number.to_owned(), answer.transaction_id().map(str::to_owned)))
}

impl<R, S: Clone> Clone for Filing<R, S> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            period: self.period,
            taxpayer: self.taxpayer,
            polling: self.polling,
            step: self.step.clone(),
            doubt: Arc::clone(&self.doubt),
            document: std::marker::PhantomData,
        }
    }
}

impl<R: Return, S: Step> fmt::Debug for Filing<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filing")
            .field("return_type", &R::TYPE)
            .field("period", &self.period)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
