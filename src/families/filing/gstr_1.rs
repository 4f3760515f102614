//! Filing GSTR-1.

use super::{
    Filing, FilingState, ResumedFiling, acknowledged, known, sealed, state,
    step::{Draft, Proceeding, Processed, Ready, Saved},
};
use crate::{
    Answer, Document, Error,
    client::ClientState,
    families::job::job_reference,
    gstr_1::{
        SessionApi,
        types::{Gstr1, Gstr1Summary, Gstr1SummaryType},
    },
    returns_common,
    values::{EvcOtp, Gstin, Pan, ReturnPeriod, ReturnType, YesNo},
};

impl SessionApi {
    /// Starts the filing of a period without sending anything.
    ///
    /// Sections are saved, and their summary is what is filed.
    pub fn filing(&self, period: ReturnPeriod) -> Filing<Gstr1Summary> {
        Filing::new(&self.state, period)
    }

    /// Resumes a filing that was saved with [`Filing::state`].
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) if it belongs to another return or taxpayer.
    pub fn resume_filing(&self, saved: FilingState) -> Result<ResumedFiling<Gstr1Summary>, Error> {
        state::resume(&self.state, saved)
    }
}

impl Filing<Gstr1Summary, Draft> {
    /// Saves sections of the draft. Safe to repeat: each row replaces the one with the
    /// same number, and others stay.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, and an
    /// event with the target `sandbox_client` reports the outcome. Call this again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) before anything is sent, for a document of another
    /// taxpayer or period or without `gstin` and `fp`. [`Business`](crate::ErrorKind::Business)
    /// with the code `AUTH117` if the return is filed.
    pub async fn save(
        &self,
        document: impl Into<Document<Gstr1>>,
    ) -> Result<Filing<Gstr1Summary, Saved>, Error> {
        let document = document.into();
        let gstin = document.gstin.as_ref().map(Gstin::as_str);
        self.refuse_foreign((gstin, document.fp.as_deref()), "save_gstr_1")?;
        let api = SessionApi { state: self.state.clone() };
        let answer = api.save_gstr_1().year(self.period).month(self.period).body(document).send().await?;
        let reference_id = job_reference(&answer, answer.reference_id.as_deref())?;
        Ok(self.at(Saved { reference_id }))
    }

    /// Closes a period without supplies and prepares it for filing. Safe to
    /// repeat until it is filed.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, and an
    /// event with the target `sandbox_client` reports the outcome. Call this again.
    ///
    /// # Errors
    ///
    /// As [`proceed`](Filing::proceed).
    pub async fn nil(&self) -> Result<Filing<Gstr1Summary, Proceeding>, Error> {
        self.close(true).await
    }
}

impl Filing<Gstr1Summary, Processed> {
    /// Closes the draft and prepares the return for filing. Safe to repeat until it is filed.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, and an
    /// event with the target `sandbox_client` reports the outcome. Call this again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `taxpayer` if neither the session nor
    /// [`taxpayer`](Filing::taxpayer) names the taxpayer.
    /// [`Business`](crate::ErrorKind::Business) with the code `RET192409` if a GSTR-3B of an
    /// earlier period is not filed, and `RET00009` if this return is filed.
    pub async fn proceed(&self) -> Result<Filing<Gstr1Summary, Proceeding>, Error> {
        self.close(false).await
    }

    /// Continues with a return that is already ready to file.
    pub fn already_ready(&self) -> Filing<Gstr1Summary, Ready> {
        self.at(Ready { nil: false })
    }
}

impl<S: super::Step> Filing<Gstr1Summary, S> {
    async fn close(&self, nil: bool) -> Result<Filing<Gstr1Summary, Proceeding>, Error> {
        let api = returns_common::SessionApi { state: self.state.clone() };
        let body = self.return_of_period("new_proceed_to_file")?;
        let request = api.new_proceed_to_file().gstr("gstr-1").year(self.period).month(self.period);
        let is_nil = if nil { YesNo::Yes } else { YesNo::No };
        let answer = request.is_nil(is_nil).body(body).send().await?;
        let reference_id = job_reference(&answer, answer.reference_id.as_deref())?;
        Ok(self.at(Proceeding { reference_id, nil }))
    }
}

impl sealed::Return for Gstr1Summary {
    const TYPE: ReturnType = ReturnType::Gstr1;
    const FILE: &'static str = "file_gstr_1";

    /// The long summary: the schema of the filing names its type (inferred).
    async fn fetch(state: &ClientState, period: ReturnPeriod) -> Result<Answer<Self>, Error> {
        let api = SessionApi { state: state.clone() };
        let request = api.get_gstr_1_summary().year(period).month(period);
        request.summary_type(Gstr1SummaryType::Long).send().await
    }

    async fn file(
        state: &ClientState,
        period: ReturnPeriod,
        pan: &Pan,
        otp: &EvcOtp,
        document: Document<Self>,
    ) -> Result<(String, Option<String>), Error> {
        let api = SessionApi { state: state.clone() };
        let request = api.file_gstr_1().year(period).month(period).pan(pan.clone()).otp(otp.clone());
        let answer = request.body(document).send().await?;
        acknowledged(&answer, answer.ack_num.as_deref())
    }

    fn owner(&self) -> (Option<&str>, Option<&str>) {
        (self.gstin.as_ref().map(Gstin::as_str), self.ret_period.as_deref())
    }

    fn to_file(document: Document<Self>) -> Result<Document<Self>, Error> {
        Ok(document)
    }

    fn nil(taxpayer: Option<Gstin>, period: ReturnPeriod) -> Result<Document<Self>, Error> {
        let nil = Self {
            gstin: Some(known(taxpayer, Self::FILE)?),
            ret_period: Some(period.to_string()),
            isnil: Some("Y".to_owned()),
            ..Self::default()
        };
        Ok(nil.into())
    }
}
