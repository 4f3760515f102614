//! Filing GSTR-3B.

use super::{
    Confirmed, Filing, FilingState, ResumedFiling, acknowledged, sealed, state,
    step::{Draft, Processed, Ready, Saved},
};
use crate::{
    Answer, Document, Error,
    client::ClientState,
    families::job::job_reference,
    field,
    gstr_3b::{
        SessionApi,
        types::{Gstr3b, Gstr3bOffset, Gstr3bPayment},
    },
    values::{Amount, EvcOtp, Gstin, Pan, ReturnPeriod, ReturnType},
};

/// Whether the liability of a GSTR-3B is paid, according to its draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentState {
    /// The draft shows a payment, in cash or with credit.
    Paid,
    /// The draft shows none.
    NotPaid,
}

impl SessionApi {
    /// Starts the filing of a period without sending anything.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::{
    ///     filing::Confirmed,
    ///     values::{EvcOtp, Pan, ReturnPeriod},
    /// };
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let filing = session.gstr_3b().filing(ReturnPeriod::new(2024, 11)?);
    /// let ready = filing.saved_draft().await?.already_paid().await?;
    ///
    /// let pan: Pan = "ABCDE1234F".parse()?;
    /// let signing = ready.request_otp(&pan).await?;
    /// let document = signing.review().await?;
    /// // … show it to the person who signs, and ask for the OTP …
    /// let otp = EvcOtp::new("55B4DF")?;
    /// let filed = signing.file(&pan, &otp, Confirmed::irreversible(document)).await?;
    /// println!("ARN {}", filed.arn);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    pub fn filing(&self, period: ReturnPeriod) -> Filing<Gstr3b> {
        Filing::new(&self.state, period)
    }

    /// Resumes a filing that was saved with [`Filing::state`].
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) if it belongs to another return or taxpayer.
    pub fn resume_filing(&self, saved: FilingState) -> Result<ResumedFiling<Gstr3b>, Error> {
        state::resume(&self.state, saved)
    }
}

/// What to do when the answer of a payment was lost.
const LOOK_AT_PAYMENT: &str =
    "the liability may be paid: check `payment()` (`tx_pmt` of the draft) before you pay again";

impl Filing<Gstr3b, Draft> {
    /// Saves the draft, all tables but `tx_pmt`. Safe to repeat: the draft is replaced.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, and an
    /// event with the target `sandbox_client` reports the outcome. Call this again.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) before anything is sent, for a document of another
    /// taxpayer or period. [`Business`](crate::ErrorKind::Business) with the code `RT-R3BQ1004`
    /// before GSTR-1 of the period is filed.
    pub async fn save(&self, document: impl Into<Document<Gstr3b>>) -> Result<Filing<Gstr3b, Saved>, Error> {
        let document = document.into();
        self.refuse_foreign(sealed::Return::owner(&*document), "save_gstr_3b")?;
        let api = SessionApi { state: self.state.clone() };
        let answer = api.save_gstr_3b().year(self.period).month(self.period).body(document).send().await?;
        let reference_id = job_reference(&answer, answer.reference_id.as_deref())?;
        Ok(self.at(Saved { reference_id }))
    }

    /// Continues with a nil return: nothing is saved or paid, and an empty
    /// document is filed (inferred from a recorded call).
    pub fn nil(&self) -> Filing<Gstr3b, Ready> {
        self.at(Ready { nil: true })
    }
}

impl Filing<Gstr3b, Processed> {
    /// Checks whether the liability is paid: `tx_pmt` of the draft. Read-only, so safe to
    /// repeat. Once it returns [`NotPaid`](PaymentState::NotPaid), [`offset`](Filing::offset)
    /// may be called again after a lost answer.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the draft shows payments in an
    /// unknown form: the state is then unknown. Otherwise any kind.
    pub async fn payment(&self) -> Result<PaymentState, Error> {
        let draft = <Gstr3b as sealed::Return>::fetch(&self.state, self.period).await?;
        let state = payment_of(draft.tx_pmt.as_ref());
        if state == PaymentState::NotPaid && draft.has_unread("tx_pmt") {
            return Err(draft.incomplete("tells of payments in a form that is not known"));
        }
        if state == PaymentState::NotPaid {
            self.doubt.clear();
        }
        Ok(state)
    }

    /// Pays the liability from the cash and credit ledgers. **This cannot be undone.**
    ///
    /// It is sent once: if the answer is lost, the error says so, and this filing refuses
    /// to pay again until [`payment`](Filing::payment) has shown that nothing is paid.
    ///
    /// **Cancel safety**: if the future is dropped, the request still completes, an event
    /// with the target `sandbox_client` reports its outcome, and this filing and its
    /// clones refuse to send it again, as after a lost answer.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `filing` while an earlier
    /// request is in doubt. [`Business`](crate::ErrorKind::Business) with the code
    /// `RT-3BAS1070` if the payment is not exactly the liability. With
    /// [`maybe_processed`](Error::maybe_processed), look at [`payment`](Filing::payment).
    pub async fn offset(&self, payment: Confirmed<Gstr3bOffset>) -> Result<Filing<Gstr3b, Ready>, Error> {
        let (api, period) = (SessionApi { state: self.state.clone() }, self.period);
        let Confirmed(payment) = payment;
        let request = async move {
            api.offset_liability_gstr_3b().year(period).month(period).body(payment).send().await.map(drop)
        };
        self.send_once(("offset_liability_gstr_3b", LOOK_AT_PAYMENT), request).await?;
        Ok(self.at(Ready { nil: false }))
    }

    /// Continues with a return whose liability is already paid, after a check.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `filing` if the draft shows no payment.
    pub async fn already_paid(&self) -> Result<Filing<Gstr3b, Ready>, Error> {
        match self.payment().await? {
            PaymentState::Paid => Ok(self.at(Ready { nil: false })),
            PaymentState::NotPaid => {
                let refusal = Error::input(field::FILING, "has no payment in its draft yet");
                Err(refusal.in_operation("file_gstr_3b").with_advice("pay with `offset` first"))
            }
        }
    }

    /// Continues with a return that has figures but no liability.
    pub fn nothing_to_pay(&self) -> Filing<Gstr3b, Ready> {
        self.at(Ready { nil: false })
    }
}

/// Paid is what has an amount in cash, with credit or by negative liability.
fn payment_of(payment: Option<&Gstr3bPayment>) -> PaymentState {
    let amounts = payment.into_iter().flat_map(|payment| {
        let cash = payment.pdcash.iter().flatten().flat_map(|paid| {
            [
                paid.ipd,
                paid.cpd,
                paid.spd,
                paid.cspd,
                paid.i_intrpd,
                paid.c_intrpd,
                paid.s_intrpd,
                paid.cs_intrpd,
                paid.i_lfeepd,
                paid.c_lfeepd,
                paid.s_lfeepd,
                paid.cs_lfeepd,
            ]
        });
        let credit = payment.pditc.iter().flat_map(|used| {
            [used.i_pdi, used.i_pdc, used.i_pds, used.c_pdi, used.c_pdc, used.s_pdi, used.s_pds, used.cs_pdcs]
        });
        let negative =
            payment.pdnls.iter().flatten().flat_map(|used| [used.ipd, used.cpd, used.spd, used.cspd]);
        cash.chain(credit).chain(negative).flatten()
    });
    let mut amounts = amounts;
    if amounts.any(|amount| amount != Amount::ZERO) { PaymentState::Paid } else { PaymentState::NotPaid }
}

impl sealed::Return for Gstr3b {
    const TYPE: ReturnType = ReturnType::Gstr3b;
    const FILE: &'static str = "file_gstr_3b";

    async fn fetch(state: &ClientState, period: ReturnPeriod) -> Result<Answer<Self>, Error> {
        let api = SessionApi { state: state.clone() };
        api.get_gstr_3b().year(period).month(period).send().await
    }

    async fn file(
        state: &ClientState,
        period: ReturnPeriod,
        pan: &Pan,
        otp: &EvcOtp,
        document: Document<Self>,
    ) -> Result<(String, Option<String>), Error> {
        let api = SessionApi { state: state.clone() };
        let request = api.file_gstr_3b().year(period).month(period).pan(pan.clone()).otp(otp.clone());
        let answer = request.body(document).send().await?;
        acknowledged(&answer, answer.ack_num.as_deref())
    }

    fn owner(&self) -> (Option<&str>, Option<&str>) {
        (self.gstin.as_deref(), self.ret_period.as_deref())
    }

    fn to_file(document: Document<Self>) -> Result<Document<Self>, Error> {
        Ok(document)
    }

    fn nil(_: Option<Gstin>, _: ReturnPeriod) -> Result<Document<Self>, Error> {
        Ok(Self::default().into())
    }
}
