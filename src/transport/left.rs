//! A write that has left is read to its end, even if its caller goes away:
//! the log has its outcome.

use serde_json::Value;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{RawAnswer, Secrets, check};
use crate::{Error, ErrorKind, error::escape_and_truncate, operation::Operation};

/// Longest identifier that is told, in characters.
const ID_CAP: usize = 80;

/// Runs the attempt of a write as a task of its own.
pub(super) async fn to_its_end(
    operation: &'static Operation,
    secrets: Secrets,
    attempt: impl Future<Output = Result<RawAnswer, Error>> + Send + 'static,
) -> Result<RawAnswer, Error> {
    let (answer, answered) = oneshot::channel();
    let task = async move {
        let result = attempt.await;
        if let Err(result) = answer.send(result) {
            tell(operation, &secrets, result);
        }
    };
    tokio::spawn(task.in_current_span());
    // It sends unless its runtime is gone.
    answered.await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Transport, "the runtime was shut down").with_maybe_processed(true))
    })
}

fn tell(operation: &'static Operation, secrets: &Secrets, result: Result<RawAnswer, Error>) {
    match result.and_then(|answer| check(operation, &answer).map(|()| answer)) {
        Ok(answer) => {
            let job = job(answer.body.text()).map(|id| secrets.out_of_text(id));
            tracing::warn!(
                target: "sandbox_client",
                operation = operation.id,
                reference_id = job,
                "the caller is gone, and the request was processed"
            );
        }
        Err(error) => {
            let error = secrets.out_of(error.in_operation(operation.id)).to_string();
            tracing::warn!(
                target: "sandbox_client",
                operation = operation.id,
                error,
                "the caller is gone, and the request failed"
            );
        }
    }
}

/// The id of a job that the answer has begun.
fn job(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let places = ["/data/data/reference_id", "/data/reference_id"];
    let id = places.iter().find_map(|place| body.pointer(place)?.as_str())?;
    Some(escape_and_truncate(id, ID_CAP))
}
