//! Jobs of the IMS: the outcome of a batch of actions or resets.

use crate::{
    Error, Job, JobReport, JobState, RefusedDocument,
    client::ClientState,
    families::job::{Kind, Unread, present, state},
    ims::{SessionApi, types::InvoiceJobReport},
    values::{CountText, JobStatus, Section},
};

impl SessionApi {
    /// The job of a batch of actions or resets, by its reference id.
    pub fn job(&self, reference_id: impl Into<String>) -> Job {
        Job::new(&self.state, Kind::Invoices, reference_id.into())
    }
}

/// Fetches the status of a job once.
pub(in crate::families) async fn report(
    client: &ClientState,
    reference_id: &str,
) -> Result<JobReport, Error> {
    let api = SessionApi { state: client.clone() };
    let answer = api.check_invoice_status().reference_id(reference_id).send().await?;
    let transaction_id = answer.transaction_id().map(str::to_owned);
    let unread = Unread::of(&answer);
    Ok(unread.told_by(read(answer.into_inner(), transaction_id)))
}

fn read(report: InvoiceJobReport, transaction_id: Option<String>) -> JobReport {
    let processed = report.proc_cnt.as_ref().and_then(CountText::get);
    let errors = report.error_report.unwrap_or_default();
    let (whole_code, whole_message) = (present(errors.code), present(errors.message));
    let mut refused = Vec::new();
    for (section, groups) in errors.sections {
        for group in groups {
            let document = RefusedDocument {
                section: section_of_report(&section),
                supplier_gstin: group.stin.unwrap_or_default(),
                number: String::new(),
                return_period: String::new(),
                code: group.error_cd.unwrap_or_default(),
                message: group.error_msg.unwrap_or_default(),
            };
            let named = group.inv.unwrap_or_default();
            if named.is_empty() {
                refused.push(document.clone());
            }
            refused.extend(named.into_iter().map(|named| RefusedDocument {
                number: named.inum.or(named.nt_num).unwrap_or_default(),
                return_period: named.rtnprd.unwrap_or_default(),
                ..document.clone()
            }));
        }
    }
    let error_count = report.err_cnt.as_ref().and_then(CountText::get);
    // A count that is not a number may be any.
    let counted = report.err_cnt.as_ref().is_some_and(|count| !count.to_string().trim().is_empty());
    let faultless = refused.is_empty()
        && error_count.unwrap_or(u64::from(counted)) == 0
        && whole_code.is_none()
        && whole_message.is_none();
    JobReport {
        state: match &report.status_cd {
            Some(JobStatus::P) if processed.is_none() && faultless => JobState::InProgress,
            Some(JobStatus::P | JobStatus::Success) if faultless => JobState::Processed,
            Some(JobStatus::P | JobStatus::Success) => JobState::ProcessedWithErrors,
            other => state(other.as_ref()),
        },
        status: report.status_cd,
        processed,
        error_count,
        refused,
        errors: Vec::new(),
        code: present(report.err_cd).or(whole_code),
        message: present(report.err_msg).or(whole_message),
        transaction_id,
    }
}

/// Reports have names of their own for notes: `dn` in the provider's example,
/// `b2bdn` in its schema. The other three follow the same rule (inferred).
fn section_of_report(name: &str) -> Section {
    match name {
        "cn" => Section::B2bcn,
        "cna" => Section::B2bcna,
        "dn" => Section::B2bdn,
        "dna" => Section::B2bdna,
        other => other.into(),
    }
}

impl JobState {
    /// The state of two jobs taken together.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            _ if self == other => self,
            (Self::InProgress, _) | (_, Self::InProgress) => Self::InProgress,
            _ => Self::ProcessedWithErrors,
        }
    }
}

impl JobReport {
    /// What is known of a job that nothing is known of.
    pub(super) fn in_progress() -> Self {
        Self {
            state: JobState::InProgress,
            status: None,
            processed: None,
            error_count: None,
            refused: Vec::new(),
            errors: Vec::new(),
            code: None,
            message: None,
            transaction_id: None,
        }
    }

    /// Both as one: sums of the counts, all refused documents, the first code.
    pub(super) fn and(mut self, other: Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        self.refused.extend(other.refused);
        self.errors.extend(other.errors);
        Self {
            state: self.state.and(other.state),
            status: self.status.or(other.status),
            processed: sum(self.processed, other.processed),
            error_count: sum(self.error_count, other.error_count),
            refused: self.refused,
            errors: self.errors,
            code: self.code.or(other.code),
            message: self.message.or(other.message),
            transaction_id: self.transaction_id.or(other.transaction_id),
        }
    }
}
