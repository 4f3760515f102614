//! Any operation by its id: for tools that learn at run time what to call.

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{
    Method, Request,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{
    Client, Error,
    environment::BaseUrl,
    error::printable,
    generated::ClientInfo,
    operation::{Location, Operation, Parameter},
    transport,
};

/// Longest name of a caller's parameter that an error repeats.
const NAME_CAP: usize = 80;

impl Client {
    /// Calls any operation of the document by its id, with parameters as text
    /// and a body as JSON, and gives the whole answer. A parameter that is a
    /// list is given once for each of its values.
    ///
    /// It goes through the same pipeline as the method of that name:
    /// credentials, pace, retries, checks. Prefer that method where the
    /// operation is known when the program is written. Sessions are not
    /// touched: a token in the answer is not kept, see [`Client::taxpayer`] for that.
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.client()?;
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) before anything is
    /// sent, with [`Error::field`] naming `operation`, `body` or the
    /// parameter: unknown, missing, given twice, not one of the values that
    /// the document lists, or able to change the path. After that, what the
    /// operation itself may fail with.
    pub async fn call(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let operation = Operation::find(operation).ok_or_else(|| {
            Error::config("operation", "is not one of the document")
                .advice("see `sandbox_client::operations`, or `sandbox api`")
        })?;
        let request = request(self.inner().base_url(), operation, parameters, body)
            .map_err(|e| e.in_operation(operation.id))?;
        let info = OperationInfo { operation_id: operation.id };
        let answer = match self.exec(request, &info).await {
            Ok(response) => transport::decode::<Value, ()>(response).await,
            Err(error) => Err(error.into()),
        };
        answer
            .map(crate::ResponseValue::into_inner)
            .map_err(|error| transport::into_error(error, operation.id))
    }
}

/// The request, without credentials: the pipeline adds those.
fn request(
    base_url: &BaseUrl,
    operation: &'static Operation,
    parameters: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Request, Error> {
    refuse_unfit(operation, parameters)?;
    let given = |name: &str| parameters.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);

    let mut url = base_url.url().clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        for part in operation.path.split('/').skip(1) {
            let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            path.push(name.map_or(Some(part), given).unwrap_or_default());
        }
    }
    let located = |location| operation.parameters.iter().filter(move |known| known.location == location);
    for known in located(Location::Query) {
        for (_, value) in parameters.iter().filter(|(given, _)| *given == known.name) {
            url.query_pairs_mut().append_pair(known.name, value);
        }
    }

    let method = Method::from_bytes(operation.method.as_bytes()).expect("a method of HTTP");
    let mut request = Request::new(method, url);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    for known in located(Location::Header) {
        if let Some(value) = given(known.name) {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Error::config(known.name, "cannot stand in a header: use visible ASCII"))?;
            value.set_sensitive(known.secret);
            let name = HeaderName::from_bytes(known.name.as_bytes()).expect("a name of HTTP");
            request.headers_mut().insert(name, value);
        }
    }
    match (operation.body, body) {
        (true, Some(body)) => {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        (true, None) => return Err(Error::config("body", "is missing: this operation takes JSON")),
        (false, Some(_)) => return Err(Error::config("body", "is not taken by this operation")),
        (false, None) => {}
    }
    Ok(request)
}

fn refuse_unfit(operation: &Operation, parameters: &[(&str, &str)]) -> Result<(), Error> {
    for (index, (name, value)) in parameters.iter().enumerate() {
        let Some(known) = operation.parameters.iter().find(|known| known.name == *name) else {
            return Err(Error::config(printable(name, NAME_CAP), "is no parameter of this operation"));
        };
        if !known.list && parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::config(known.name, "is given twice"));
        }
        refuse_value(known, value)?;
    }
    match operation.parameters.iter().find(|known| {
        known.required && !parameters.iter().any(|(name, value)| *name == known.name && !value.is_empty())
    }) {
        Some(missing) => Err(Error::config(missing.name, "is missing")),
        None => Ok(()),
    }
}

fn refuse_value(known: &Parameter, value: &str) -> Result<(), Error> {
    if !known.values.is_empty() && !known.values.contains(&value) {
        return Err(Error::config(known.name, format!("must be one of: {}", known.values.join(", "))));
    }
    let changes_path = value.is_empty() || matches!(value, "." | "..") || value.contains(['/', '\\', '%']);
    if known.location == Location::Path && changes_path {
        return Err(Error::config(known.name, "is empty or would change the path; use letters and digits"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETER: Parameter = Parameter {
        name: "year",
        location: Location::Path,
        required: true,
        secret: false,
        list: false,
        values: &[],
        description: "",
    };

    /// An operation with a path parameter, which the document has none of so far.
    fn operation() -> &'static Operation {
        static SALES: [Parameter; 2] = [
            PARAMETER,
            Parameter { name: "page", location: Location::Query, required: false, list: true, ..PARAMETER },
        ];
        let like = Operation::find("get_invoice_count").unwrap();
        Box::leak(Box::new(Operation { path: "/gst/{year}/sales", parameters: &SALES, ..*like }))
    }

    #[test]
    fn parameters_go_where_the_document_says() {
        let request = request(
            &BaseUrl::parse("http://127.0.0.1:1/prefix").unwrap(),
            operation(),
            &[("page", "a&b=c"), ("year", "20 25"), ("page", "2")],
            None,
        );
        let request = request.unwrap();
        assert_eq!(
            request.url().as_str(),
            "http://127.0.0.1:1/prefix/gst/20%2025/sales?page=a%26b%3Dc&page=2"
        );
        assert_eq!(request.method(), "GET");
    }

    #[test]
    fn a_path_parameter_that_would_change_the_path_is_refused_by_name() {
        let base_url = BaseUrl::parse("http://127.0.0.1:1").unwrap();
        for value in ["", ".", "..", "a/b", "a\\b", "%2e%2e"] {
            let error = request(&base_url, operation(), &[("year", value)], None).unwrap_err();
            assert_eq!(error.field(), Some("year"), "{value}");
            assert_eq!(error.kind(), crate::ErrorKind::Config);
        }
    }
}
