//! Carries answers and failures through the generated code.
//!
//! `exec` may return only a response or an error of reqwest. An answer that
//! passed the pipeline travels in the extensions of a response with status
//! 200, a failure in one with a status that no document can name.

use bytes::Bytes;
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;

use super::{envelope, secrets::Secrets};
use crate::{
    Error, ErrorKind,
    generated::{GeneratedError, ResponseValue},
    operation::{Location, Operation},
};

/// Marks a response that carries an [`Error`]. Outside of what HTTP defines.
const MARK: u16 = 999;

/// An answer that is known to be a success, with its body read.
#[derive(Clone)]
pub(crate) struct Answer {
    pub operation: &'static Operation,
    pub attempts: u32,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub secrets: Secrets,
}

/// Puts an answer into the response that it came in: making another would cost
/// more than all the rest of the hand-over.
pub(crate) fn answered(answer: Answer, mut response: Response) -> Response {
    response.extensions_mut().insert(answer);
    response
}

pub(crate) fn failed(error: Error) -> Response {
    let mut response = http::Response::new(reqwest::Body::default());
    *response.status_mut() = StatusCode::from_u16(MARK).expect("three digits");
    response.extensions_mut().insert(error);
    response.into()
}

/// Reads the type that the operation promises. Called by the generated code in
/// the place of progenitor's own reader, which loses status and operation.
#[allow(clippy::unused_async)] // the generated code awaits it
pub(crate) async fn decode<T: DeserializeOwned, E>(
    mut response: Response,
) -> Result<ResponseValue<T>, GeneratedError<E>> {
    let Some(answer) = response.extensions_mut().remove::<Answer>() else {
        return Err(GeneratedError::UnexpectedResponse(response));
    };
    // Known to be UTF-8 as a whole, no string of it is checked again.
    let read = match str::from_utf8(&answer.body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(&answer.body),
    };
    match read {
        Ok(value) => Ok(ResponseValue::new(value, answer.status, answer.headers)),
        Err(error) => {
            let error = envelope::undecodable::<T>(&answer, &error);
            Err(GeneratedError::UnexpectedResponse(failed(error)))
        }
    }
}

/// Turns what the generated code returns into the error of this crate.
pub(crate) fn into_error<E>(error: GeneratedError<E>, operation: &'static str) -> Error {
    let error = match error {
        GeneratedError::UnexpectedResponse(mut response) => {
            response.extensions_mut().remove::<Error>().unwrap_or_else(|| {
                Error::new(ErrorKind::Decode, "the answer did not pass the pipeline")
                    .with_status(response.status())
            })
        }
        GeneratedError::InvalidRequest(reason) | GeneratedError::Custom(reason) => {
            invalid_request(&reason, operation)
        }
        GeneratedError::CommunicationError(error)
        | GeneratedError::InvalidUpgrade(error)
        | GeneratedError::ResponseBodyError(error) => {
            Error::new(ErrorKind::Config, "the request could not be put together")
                .with_source(error.without_url())
        }
        GeneratedError::ErrorResponse(response) => {
            Error::new(ErrorKind::Api, "the provider refused").with_status(response.status())
        }
        GeneratedError::InvalidResponsePayload(..) => {
            Error::new(ErrorKind::Decode, "the answer does not fit its type")
        }
    };
    error.in_operation(operation)
}

/// The generated builders tell the parameter only in a sentence:
/// "x was not initialized" or "conversion to `T` for x failed". Of a header it
/// tells nothing, and most operations have one that is text.
fn invalid_request(reason: &str, operation: &str) -> Error {
    if reason == "failed to parse header value" {
        let parameters = Operation::find(operation).map_or(&[][..], |operation| operation.parameters);
        let mut headers = parameters.iter().filter(|parameter| parameter.location == Location::Header);
        let name = headers.next().filter(|_| headers.next().is_none()).map_or("headers", |known| known.name);
        Error::config(name, "cannot stand in a header: use visible ASCII")
    } else if let Some(parameter) = reason.strip_suffix(" was not initialized") {
        Error::config(parameter.to_owned(), "is missing; set it before `send`")
    } else if let Some((_, parameter)) =
        reason.strip_suffix(" failed").and_then(|reason| reason.rsplit_once(" for "))
    {
        Error::config(parameter.to_owned(), "has a value that is not allowed")
    } else {
        Error::new(ErrorKind::Config, format!("the request is not valid: {reason}"))
    }
}
