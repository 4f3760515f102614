//! Filing GSTR-9.

use super::{
    Filing, FilingState, ResumedFiling, acknowledged, sealed, state,
    step::{Draft, Proceeding, Processed, Ready, Saved},
};
use crate::{
    Answer, Document, Error,
    client::ClientState,
    families::job::job_reference,
    field,
    gstr_9::{SessionApi, types::Gstr9},
    returns_common,
    values::{EvcOtp, FinancialYear, Gstin, Pan, ReturnPeriod, ReturnType, YesNo},
};

impl SessionApi {
    /// Starts the filing of a financial year; nothing is sent yet.
    ///
    /// Every GSTR-1 and GSTR-3B of the year must be filed before.
    pub fn filing(&self, year: FinancialYear) -> Filing<Gstr9> {
        Filing::new(&self.state, year.last_period())
    }

    /// Resumes a filing that was saved with [`Filing::state`].
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) if it belongs to another return or taxpayer.
    pub fn resume_filing(&self, saved: FilingState) -> Result<ResumedFiling<Gstr9>, Error> {
        if saved.period().month().get() != 3 {
            return Err(Error::input(
                field::PERIOD,
                "of an annual return is March, with which the year ends",
            ));
        }
        state::resume(&self.state, saved)
    }
}

/// The year that ends with this period, which is March.
fn year(period: ReturnPeriod) -> Result<FinancialYear, Error> {
    FinancialYear::starting(i32::from(period.year().get()) - 1)
}

impl Filing<Gstr9, Draft> {
    /// Saves tables of the draft. Safe to repeat: a table that is sent replaces
    /// the one saved before, and others stay.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, and an
    /// event with the target `sandbox_client` reports the outcome. Call this again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) before anything is sent, for a document of another
    /// taxpayer or period or without `gstin` and `fp`. [`Business`](crate::ErrorKind::Business)
    /// with the code `RT-9AS-1008` if a return of the year is not filed.
    pub async fn save(&self, document: impl Into<Document<Gstr9>>) -> Result<Filing<Gstr9, Saved>, Error> {
        let document = document.into();
        self.refuse_foreign(sealed::Return::owner(&*document), "save_gstr_9")?;
        let api = SessionApi { state: self.state.clone() };
        let answer = api.save_gstr_9().financial_year(year(self.period)?).body(document).send().await?;
        let reference_id = job_reference(&answer, answer.reference_id.as_deref())?;
        Ok(self.at(Saved { reference_id }))
    }
}

impl Filing<Gstr9, Processed> {
    /// Closes the draft and prepares the return for filing. Safe to repeat until it is filed.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, and an
    /// event with the target `sandbox_client` reports the outcome. Call this again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `taxpayer` if neither the session nor
    /// [`taxpayer`](Filing::taxpayer) names the taxpayer.
    /// [`Business`](crate::ErrorKind::Business) with the code `RET00003` if it is already ready.
    pub async fn proceed(&self) -> Result<Filing<Gstr9, Proceeding>, Error> {
        let api = returns_common::SessionApi { state: self.state.clone() };
        let body = self.return_of_period("proceed_to_file")?;
        let request = api.proceed_to_file().gstr("gstr-9").year(self.period).month(self.period);
        let answer = request.is_nil(YesNo::No).body(body).send().await?;
        let reference_id = job_reference(&answer, answer.reference_id.as_deref())?;
        Ok(self.at(Proceeding { reference_id, nil: false }))
    }

    /// Continues with a return that is already ready to file.
    pub fn already_ready(&self) -> Filing<Gstr9, Ready> {
        self.at(Ready { nil: false })
    }
}

impl sealed::Return for Gstr9 {
    const TYPE: ReturnType = ReturnType::Gstr9;
    const FILE: &'static str = "file_gstr_9";

    async fn fetch(state: &ClientState, period: ReturnPeriod) -> Result<Answer<Self>, Error> {
        let api = SessionApi { state: state.clone() };
        api.get_gstr_9().financial_year(year(period)?).send().await
    }

    async fn file(
        state: &ClientState,
        period: ReturnPeriod,
        pan: &Pan,
        otp: &EvcOtp,
        document: Document<Self>,
    ) -> Result<(String, Option<String>), Error> {
        let api = SessionApi { state: state.clone() };
        let request = api.file_gstr_9().financial_year(year(period)?).pan(pan.clone()).otp(otp.clone());
        let answer = request.body(document).send().await?;
        acknowledged(&answer, answer.ack_num.as_deref())
    }

    fn owner(&self) -> (Option<&str>, Option<&str>) {
        (self.gstin.as_deref(), self.fp.as_deref())
    }

    /// `isnil` is not a member of the draft, and GSTN refuses a filing without it.
    fn to_file(document: Document<Self>) -> Result<Document<Self>, Error> {
        if document.isnil.is_some() { Ok(document) } else { document.with("isnil", YesNo::No) }
    }

    fn nil(_: Option<Gstin>, _: ReturnPeriod) -> Result<Document<Self>, Error> {
        Err(Error::input(field::NIL, "is not documented for GSTR-9"))
    }
}
