//! `sandbox gstr-2b`: have it made anew.

use super::{
    arguments::{Gstr2b, Gstr2bAction, Shared},
    confirm,
    connection::Connection,
    failure::Failure,
    job,
};

pub async fn run(shared: &Shared, arguments: &Gstr2b) -> Result<(), Failure> {
    match &arguments.action {
        Gstr2bAction::Regenerate { period, sending, select } => {
            confirm::refuse_without_terminal(sending)?;
            let connection = Connection::open(shared).await?;
            let session = connection.session(select).await?;
            let of =
                session.taxpayer_id().map_or(String::new(), |taxpayer| format!(" of {}", taxpayer.gstin));
            let what = format!("GSTR-2B {period}{of}");
            if sending.dry_run {
                eprintln!("{what} would be made anew without --dry-run.");
                return Ok(());
            }
            if !sending.yes {
                confirm::ask(&format!("Have {what} made anew?"))?;
            }
            let job = session.start_gstr_2b_regeneration(*period).await?;
            eprintln!("GSTN makes {what} anew, job {}.", job.reference_id());
            job::after_sending(&connection, job, sending, shared.format, "gstr-2b").await
        }
        Gstr2bAction::Job { reference_id, waiting, select } => {
            let connection = Connection::open(shared).await?;
            let session = connection.session(select).await?;
            let job = session.gstr_2b_job(reference_id.as_str());
            job::follow(&connection, job, waiting, shared.format).await
        }
    }
}
