//! Filing a return: what a person sees, agrees to and signs.

use std::io::{self, IsTerminal as _};

use clap::Args;
use sandbox_client::{
    Document, Error, Session,
    filing::{Confirmed, Filing, FilingOutcome, Return, step},
    values::{EvcOtp, Gstin, Pan},
};

use super::{Name, show, unknown_outcome};
use crate::cli::{
    arguments::{Format, Select},
    confirm,
    connection::{Connection, read_line},
    failure::Failure,
    job,
    output::Sheet,
    signals,
};

/// Who signs, and what is asked before.
#[derive(Debug, Args)]
pub struct Signing {
    /// PAN of the person who signs and receives the OTP
    #[arg(long)]
    pub pan: Pan,
    /// Do not request an OTP: one was already sent, for example by `sandbox api generate_evc_otp`
    #[arg(long)]
    pub no_request: bool,
    /// File without asking, for scripts; reads the OTP from standard input
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be filed, without changing anything
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    #[command(flatten)]
    pub select: Select,
}

impl Signing {
    /// Refuses to begin where nobody can be asked.
    pub fn refuse_without_terminal(&self) -> Result<(), Failure> {
        if self.yes || self.dry_run || confirm::can_ask() {
            return Ok(());
        }
        Err(Failure::usage("cannot ask for confirmation without a terminal; nothing was filed")
            .hint("Check with --dry-run, then file with --yes and the OTP on standard input."))
    }

    pub fn agrees(&self, question: &str) -> Result<(), Failure> {
        if self.yes { Ok(()) } else { confirm::ask(question) }
    }
}

/// A return that is about to be filed.
pub(super) struct ToFile<'a, R: Return> {
    pub connection: &'a Connection,
    pub filing: Filing<R>,
    pub name: Name,
    pub signing: &'a Signing,
    pub totals: fn(&Document<R>) -> Sheet,
    pub format: Format,
}

impl<R: Return> ToFile<'_, R> {
    /// Where the session is a token alone, the draft tells whose return it is.
    pub fn name_taxpayer(&mut self, session: &Session, gstin: Option<Gstin>) {
        if let (None, Some(gstin)) = (session.taxpayer_id(), gstin) {
            self.filing = self.filing.clone().taxpayer(gstin);
        }
    }

    /// Tells whether the return is filed, and shows its ARN if so: the same
    /// command may be given again.
    pub async fn is_filed(&self) -> Result<bool, Failure> {
        match self.filing.outcome().await? {
            FilingOutcome::Filed { arn, .. } => self.show_filed(&arn).map(|()| true),
            FilingOutcome::NotFiled => Ok(false),
            _ => Err(unknown_outcome(&self.name)),
        }
    }

    /// Shows the draft, has it closed and made ready, and files it.
    pub async fn close_and_file(
        &self,
        draft: &Document<R>,
        close: impl Future<Output = Result<Filing<R, step::Proceeding>, Error>>,
        already_ready: Option<Filing<R, step::Ready>>,
    ) -> Result<(), Failure> {
        let (name, signing) = (&self.name, self.signing);
        if signing.dry_run {
            return self.show_instead(draft);
        }
        if !signing.yes {
            (self.totals)(draft).show();
        }
        signing.agrees(&format!("Close {name}, so that it can be filed?"))?;
        let look = "It is safe to close it again.";
        let ready = match signals::sending(close, look).await? {
            Ok(proceeding) => {
                eprintln!("{}", job::patience(MINUTES));
                proceeding.polling(self.connection.polling(MINUTES)).wait().await?
            }
            Err(error) => match already_ready.filter(|_| is_ready(&error)) {
                Some(ready) => ready,
                None => return Err(job::not_sent(error, look)),
            },
        };
        self.sign(&ready).await
    }

    /// Shows what will be filed, asks, has the OTP sent, and files.
    pub async fn sign(&self, ready: &Filing<R, step::Ready>) -> Result<(), Failure> {
        let (name, signing) = (&self.name, self.signing);
        let document = ready.review().await?;
        if signing.dry_run {
            return self.show_instead(&document);
        }
        (self.totals)(&document).show();
        signing.agrees(&format!("File {name}? This cannot be undone."))?;
        let ready = if signing.no_request {
            ready.otp_at_hand()
        } else {
            let ready = ready.request_otp(&signing.pan).await?;
            eprintln!("GSTN has sent an OTP to the person with this PAN.");
            ready
        };
        if io::stdin().is_terminal() {
            eprint!("OTP: ");
        }
        let otp: EvcOtp = read_line()?.trim().parse()?;
        let look = format!("Check whether it is filed with: sandbox {}", name.status);
        let file = ready.file(&signing.pan, &otp, Confirmed::irreversible(document));
        let filed = signals::sending(file, &look).await?.map_err(|error| job::not_sent(error, &look))?;
        self.show_filed(&filed.arn)
    }

    fn show_instead(&self, document: &Document<R>) -> Result<(), Failure> {
        show(document, self.totals, self.format)?;
        eprintln!("Without --dry-run, {} would be filed as shown.", self.name);
        Ok(())
    }

    fn show_filed(&self, arn: &str) -> Result<(), Failure> {
        let mut sheet = Sheet::new(&[("return", "Return"), ("state", "State"), ("arn", "ARN")]);
        sheet.row(vec![self.name.text.as_str().into(), "filed".into(), arn.into()]);
        Ok(sheet.print(self.format)?)
    }
}

/// How long GSTN may take to close a return. Most take less than three minutes.
const MINUTES: u16 = 10;

/// "Return Form already ready to be filed".
fn is_ready(error: &Error) -> bool {
    error.error_code() == Some("RET00003")
}
