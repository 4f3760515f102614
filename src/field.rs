//! The names of settings and values that
//! [`Error::field`](crate::Error::field) returns.
//!
//! Compare with these constants instead of string literals:
//!
//! ```
//! use sandbox_client::{field, values::Gstin};
//!
//! let error = Gstin::new("33ABKCS2033B1ZX").unwrap_err();
//! assert_eq!(error.field(), Some(field::GSTIN));
//! ```
//!
//! Besides these, `field()` has the name of a parameter of the operation, the
//! path of a member of its body, such as `ItemList[0].HsnCd`, or the name of an
//! environment variable. [`Operation::parameters`](crate::Operation::parameters)
//! lists the parameters.

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*

        /// All of them, for the test that no name stands twice.
        #[cfg(test)]
        const ALL: &[&str] = &[$($text),*];
    };
}

fields! {
    /// An amount of money.
    AMOUNT = "amount";
    /// The base URL of the client.
    BASE_URL = "base_url";
    /// The body of a request.
    BODY = "body";
    /// The remark of a cancelled e-invoice.
    CNL_REM = "CnlRem";
    /// A file to upload.
    CONTENT = "content";
    /// A day of the calendar.
    DATE = "date";
    /// The number of an e-invoice.
    DOC_DTLS_NO = "DocDtls.No";
    /// The number of a document of an e-way bill.
    DOC_NO = "docNo";
    /// The number of an e-way bill.
    EWB_NO = "ewb_no";
    /// The environment of the client.
    ENVIRONMENT = "environment";
    /// A filing that is resumed, or the step that it is at.
    FILING = "filing";
    /// A financial year.
    FINANCIAL_YEAR = "financial_year";
    /// The folder of a `FileStore`.
    FOLDER = "folder";
    /// A GSTIN.
    GSTIN = "gstin";
    /// A document of a batch.
    INVOICE = "invoice";
    /// The configuration of the HTTP client.
    HTTP = "http";
    /// An Invoice Reference Number.
    IRN = "irn";
    /// The declaration on input tax credit of a document.
    ITC_REDUCTION = "itc_reduction";
    /// A job of reconciliation.
    JOB_ID = "job_id";
    /// The API key.
    KEY = "key";
    /// A purchase ledger.
    LEDGER = "ledger";
    /// The month of a period.
    MONTH = "month";
    /// The name of a shared sweep.
    NAME = "name";
    /// Whether a return is filed as nil.
    NIL = "nil";
    /// The id of an operation.
    OPERATION = "operation";
    /// An OTP.
    OTP = "otp";
    /// A PAN.
    PAN = "pan";
    /// The password of an API user.
    PASSWORD = "password";
    /// A value in the path of a request.
    PATH = "path";
    /// The period of an annual return.
    PERIOD = "period";
    /// A platform token that you already have.
    PLATFORM_TOKEN = "platform_token";
    /// The public key that a signature is verified with.
    PUBLIC_KEY = "public_key";
    /// The recipient of the documents of a batch.
    RECIPIENT = "recipient";
    /// The shared server of a sweep.
    REDIS = "redis";
    /// The key that shared tokens are encrypted with.
    REDIS_KEY = "redis_key";
    /// The URL of the shared server.
    REDIS_URL = "redis_url";
    /// The number of workers that share a server.
    REDIS_WORKERS = "redis_workers";
    /// Remarks on a document.
    REMARKS = "remarks";
    /// A return period.
    RETURN_PERIOD = "return_period";
    /// The return of a saved filing.
    RETURN_TYPE = "return_type";
    /// A token that a store has kept.
    SAVED_TOKEN = "saved_token";
    /// The API secret.
    SECRET = "secret";
    /// A section of a return or of the IMS.
    SECTION = "section";
    /// A statement to reconcile with.
    STATEMENT = "statement";
    /// The taxpayer that a session belongs to.
    TAXPAYER = "taxpayer";
    /// The token of a taxpayer's session.
    TAXPAYER_TOKEN = "taxpayer_token";
    /// A signed URL.
    URL = "url";
    /// A token.
    TOKEN = "token";
    /// The name of your application.
    USER_AGENT = "user_agent";
    /// A user name.
    USERNAME = "username";
    /// A server of NIC.
    X_SOURCE = "x-source";
    /// The year of a period.
    YEAR = "year";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn no_name_stands_twice() {
        let names: HashSet<_> = super::ALL.iter().collect();
        assert_eq!(names.len(), super::ALL.len());
    }
}
