//! Any operation by its id: for tools that learn at run time what to call.

use serde_json::Value;

use crate::{
    Answer, Client, Error, Session, Token,
    client::ClientState,
    error::escape_and_truncate,
    field,
    operation::{Credential, Operation, Parameter},
    request::{Given, Request},
    session::SessionKind,
    token::{SessionAuth, TokenSource},
};

/// Longest name of a caller's parameter that an error repeats.
const NAME_CAP: usize = 80;

impl<K: SessionKind> Session<K> {
    /// Calls any operation of the document by its id, with parameters as text and a body
    /// as JSON, and returns the whole answer. Repeat a parameter that is a list for each
    /// of its values.
    ///
    /// It goes through the same pipeline as the method of that name: credentials, rate
    /// limit, retries, checks. Prefer that method if you know the operation when you
    /// write the program. Sessions are not changed: a token in the answer is not stored;
    /// use [`Client::taxpayer`] for that.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    /// let answer = session.call("get_invoice_count", &[("type_of_goods", "imports")], None).await?;
    /// assert_eq!(answer["data"]["data"]["imp_gds"]["ttl_cnt"], 20);
    ///
    /// let error = session.call("get_invoice_count", &[("type_of_goods", "cars")], None).await.unwrap_err();
    /// assert_eq!(error.field(), Some("type_of_goods"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) before anything is
    /// sent, with [`Error::field`] naming `operation`, `body` or the
    /// parameter: unknown, missing, given twice, not one of the values that
    /// the document lists, or able to change the path. After that, what the
    /// operation itself may fail with.
    pub async fn call(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer<Value>, Error> {
        call(self.state(), operation, parameters, body).await
    }
}

impl Client {
    /// Calls any operation that needs no session by its id; see [`Session::call`].
    ///
    /// # Errors
    ///
    /// Those of [`Session::call`]; [`ErrorKind::Input`](crate::ErrorKind::Input)
    /// with the name of the token for an operation that needs a session.
    pub async fn call(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer<Value>, Error> {
        call(self.state(), operation, parameters, body).await
    }

    /// Calls any operation by its id with a token that you have, of whatever
    /// kind of session the operation needs; see [`Session::call`].
    ///
    /// # Errors
    ///
    /// Those of [`Session::call`].
    pub async fn call_with_token(
        &self,
        token: Token,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer<Value>, Error> {
        let state = match Operation::find(operation).map(|operation| operation.credential) {
            Some(Credential::Session(kind)) => {
                self.state().with_auth(SessionAuth::new(kind, TokenSource::Fixed(token)))
            }
            _ => self.state().clone(),
        };
        call(&state, operation, parameters, body).await
    }
}

async fn call(
    state: &ClientState,
    operation: &str,
    parameters: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer<Value>, Error> {
    let position = Operation::position(operation).ok_or_else(|| {
        Error::input(field::OPERATION, "is not one of the document")
            .with_advice("see `sandbox_client::operations`, or `sandbox api`")
    })?;
    let request = request(state, position, parameters, body);
    request.map_err(|error| error.in_operation(crate::operations()[position].id))?.send_raw().await
}

/// The request, in the order of the document as the typed builders have it.
fn request<'a>(
    state: &'a ClientState,
    position: usize,
    parameters: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Request<'a>, Error> {
    let mut request = Request::new(state, position);
    let operation = request.operation;
    refuse_unfit(operation, parameters)?;
    for known in operation.parameters {
        for (_, value) in parameters.iter().filter(|(given, _)| *given == known.name) {
            request.add(known, (*value).to_owned())?;
        }
    }
    match (operation.body, body) {
        (true, Some(body)) => request.body(Given::Value(body), &[])?,
        (true, None) => return Err(Error::input(field::BODY, "is missing: this operation takes JSON")),
        (false, Some(_)) => return Err(Error::input(field::BODY, "is not taken by this operation")),
        (false, None) => {}
    }
    Ok(request)
}

fn refuse_unfit(operation: &Operation, parameters: &[(&str, &str)]) -> Result<(), Error> {
    for (index, (name, value)) in parameters.iter().enumerate() {
        let Some(known) = operation.parameters.iter().find(|known| known.name == *name) else {
            return Err(Error::input(
                escape_and_truncate(name, NAME_CAP),
                "is not a parameter of this operation",
            ));
        };
        if !known.list && parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::input(known.name, "is given twice"));
        }
        refuse_value(known, value)?;
    }
    match operation.parameters.iter().find(|known| {
        known.required && !parameters.iter().any(|(name, value)| *name == known.name && !value.is_empty())
    }) {
        Some(missing) => Err(Error::input(missing.name, "is missing")),
        None => Ok(()),
    }
}

fn refuse_value(known: &Parameter, value: &str) -> Result<(), Error> {
    if !known.values.is_empty() && !known.values.contains(&value) {
        return Err(Error::input(known.name, format!("must be one of: {}", known.values.join(", "))));
    }
    Ok(())
}
