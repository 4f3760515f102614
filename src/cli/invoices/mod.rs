//! `sandbox invoices`: list documents, change their status, follow the job.

mod act;
mod arguments;
mod document;
mod file;
mod filter;
mod list;
mod lookup;
mod preview;
mod selection;

use sandbox_client::values::InvoiceAction;

use super::{arguments::Shared, connection::Connection, failure::Failure, job};
use act::RequestedAction;
pub use arguments::Invoices;
use arguments::{Action, Job};
pub use document::{rupees, sheet as sheet_of_invoices, status as status_word};
pub use list::{LARGEST, fetch};

pub async fn run(shared: &Shared, arguments: &Invoices) -> Result<(), Failure> {
    match &arguments.action {
        Action::List(list) => list::run(shared, list).await,
        Action::Accept(accept) => {
            act::run(shared, &accept.act.choice, &RequestedAction::accept(accept)).await
        }
        Action::Reject(act) => {
            act::run(shared, &act.choice, &RequestedAction::to(InvoiceAction::Rejected, act)).await
        }
        Action::Pend(act) => {
            act::run(shared, &act.choice, &RequestedAction::to(InvoiceAction::Pending, act)).await
        }
        Action::Reset(reset) => act::run(shared, &reset.choice, &RequestedAction::reset()).await,
        Action::Job(job) => follow(shared, job).await,
    }
}

async fn follow(shared: &Shared, arguments: &Job) -> Result<(), Failure> {
    let connection = Connection::open(shared).await?;
    let session = connection.session(&arguments.select).await?;
    let job = session.ims().job(arguments.reference_id.as_str());
    job::follow(&connection, job, &arguments.waiting, shared.format, "invoices job").await
}
