use crate::{
    Error, ErrorKind,
    client::Scope,
    generated::{Client, GeneratedError, ResponseValue},
};
impl progenitor_client::ClientHooks<Scope> for Client {}
pub(crate) fn into_error<E>(_error: GeneratedError<E>, operation: &'static str) -> Error {
    Error::new(ErrorKind::Api, "x").in_operation(operation)
}
pub(crate) async fn decode<T: serde::de::DeserializeOwned, E>(
    response: reqwest::Response,
) -> Result<ResponseValue<T>, GeneratedError<E>> {
    ResponseValue::from_response(response).await
}
