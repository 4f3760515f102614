//! What a generated `send` calls: puts one request together, sends it through
//! the pipeline, and reads the answer.
//!
//! Nothing else makes a request. Parameters are known by their position in the
//! operation table, which says how each is called, where it goes, and whether
//! it is required.

use std::{
    any::Any,
    borrow::Cow,
    collections::HashMap,
    fmt,
    iter::{self, Once},
};

use bytes::Bytes;
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

#[cfg(feature = "mock")]
use crate::values::Gstin;
use crate::{
    Answer, Error, ErrorKind, answer,
    client::ClientState,
    field,
    generated::OPERATIONS,
    operation::{Location, Operation, Parameter},
    transport,
};

/// The value of a parameter, as far as the caller has given one.
#[derive(Clone, Default)]
pub(crate) enum Given<T> {
    #[default]
    Missing,
    Value(T),
    /// What could not be converted, with our own reason where there is one.
    Invalid(Option<Error>),
}

/// Without the value, which may be a secret or a taxpayer's data.
impl<T> fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "not set",
            Self::Value(_) => "set",
            Self::Invalid(_) => "invalid",
        })
    }
}

impl<T> Given<T> {
    pub fn from(value: impl TryInto<T, Error: 'static>) -> Self {
        match value.try_into() {
            Ok(value) => Self::Value(value),
            Err(error) => Self::Invalid((&error as &dyn Any).downcast_ref::<Error>().cloned()),
        }
    }

    /// The body, whose builder tells which member is missing or refused.
    pub fn body(value: impl TryInto<T, Error: fmt::Display>) -> Self {
        match value.try_into() {
            Ok(value) => Self::Value(value),
            Err(error) => Self::Invalid(Some(Error::input(field::BODY, format!("cannot be built: {error}")))),
        }
    }

    /// A value in the form of a list of one.
    pub fn once(self) -> Given<Once<T>> {
        match self {
            Self::Value(value) => Given::Value(iter::once(value)),
            Self::Missing => Given::Missing,
            Self::Invalid(error) => Given::Invalid(error),
        }
    }

    fn get(self, name: &'static str, required: bool) -> Result<Option<T>, Error> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Missing if required => Err(Error::input(name, "is missing; set it before `send`")),
            Self::Missing => Ok(None),
            Self::Invalid(Some(error)) => Err(error.with_field(name)),
            Self::Invalid(None) => Err(Error::input(name, "has a value that is not allowed")),
        }
    }
}

/// What can be the value of a parameter: anything with a text, and secrets,
/// which show theirs nowhere else.
pub(crate) trait ParameterText {
    fn text(&self) -> String;
}

impl<T: fmt::Display> ParameterText for T {
    fn text(&self) -> String {
        self.to_string()
    }
}

/// A body, which may hold a password: zeroized with its last copy.
struct Zeroized(SecretSlice<u8>);

impl AsRef<[u8]> for Zeroized {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// A request on its way to the pipeline: all but the credentials.
pub(crate) struct Request<'a> {
    pub state: &'a ClientState,
    pub operation: &'static Operation,
    pub url: Url,
    /// Values for the placeholders of the path, in its order.
    path: Vec<(&'static str, String)>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Bytes>,
    /// Values of parameters that must not be shown.
    pub secrets: Vec<SecretString>,
}

impl<'a> Request<'a> {
    /// A request of the operation at this place of the table.
    pub fn new(state: &'a ClientState, operation: usize) -> Self {
        Self {
            state,
            operation: &OPERATIONS[operation],
            url: state.address(operation).clone(),
            path: Vec::new(),
            headers: Vec::new(),
            body: None,
            secrets: Vec::new(),
        }
    }

    /// Adds the parameter at this place of the operation: one value, or the
    /// values of a list, each by itself.
    pub fn parameter<V: ParameterText>(
        &mut self,
        position: usize,
        values: Given<impl IntoIterator<Item = V>>,
    ) -> Result<(), Error> {
        let known = &self.operation.parameters[position];
        for value in self.told(values.get(known.name, known.required))?.into_iter().flatten() {
            self.add(known, value.text())?;
        }
        Ok(())
    }

    /// Adds one value of a parameter where it belongs.
    pub fn add(&mut self, known: &'static Parameter, value: String) -> Result<(), Error> {
        match known.location {
            Location::Query => {
                self.url.query_pairs_mut().append_pair(known.name, &value);
            }
            Location::Path => {
                let changes_path =
                    matches!(value.as_str(), "" | "." | "..") || value.contains(['/', '\\', '%']);
                if changes_path {
                    return self.told(Err(Error::input(
                        known.name,
                        "is empty or would change the path; use letters and digits",
                    )));
                }
                self.path.push((known.name, value.clone()));
            }
            Location::Header => {
                let header = HeaderValue::from_str(&value)
                    .map_err(|_| Error::input(known.name, "cannot stand in a header: use visible ASCII"));
                let mut header = self.told(header)?;
                header.set_sensitive(known.secret);
                let name = HeaderName::from_bytes(known.name.as_bytes()).expect("a name of HTTP");
                self.headers.push((name, header));
            }
        }
        if known.secret {
            self.secrets.push(value.into());
        }
        Ok(())
    }

    /// The body as JSON, which must have the members that `needs` names.
    pub fn body(&mut self, body: Given<impl Serialize>, needs: &[&'static str]) -> Result<(), Error> {
        let body = self.told(body.get("body", true))?.expect("required");
        let json = serde_json::to_vec(&body)
            .map_err(|error| Error::input(field::BODY, "cannot be written as JSON").with_source(error));
        let json = self.told(json)?;
        if let Some(missing) = missing_member(&json, needs) {
            return self.told(Err(Error::input(missing, "is missing in the document; set it before `send`")));
        }
        if !self.operation.secret_members.is_empty() {
            let members: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
            let secrets = self.operation.secret_members.iter().filter_map(|name| members[*name].as_str());
            self.secrets.extend(secrets.map(SecretString::from));
        }
        self.body = Some(Bytes::from_owner(Zeroized(json.into())));
        Ok(())
    }

    /// Sends it through the pipeline and reads the payload of the answer.
    pub async fn send<T: DeserializeOwned>(mut self) -> Result<Answer<T>, Error> {
        self.fill_path()?;
        transport::call(&self, answer::read::<T>).await
    }

    /// The same, with the whole body as the payload.
    pub async fn send_raw(mut self) -> Result<Answer<serde_json::Value>, Error> {
        self.fill_path()?;
        transport::call(&self, answer::read_whole).await
    }

    /// Puts the path parameters where the template has them.
    fn fill_path(&mut self) -> Result<(), Error> {
        if self.path.is_empty() {
            return Ok(());
        }
        let Ok(mut path) = self.url.path_segments_mut() else {
            return Err(Error::new(ErrorKind::Config, "the address has no path"));
        };
        let parts = self.operation.path.split('/').skip(1);
        path.clear().extend(self.state.base_url().prefix().split('/').skip(1)).extend(parts.map(|part| {
            let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let value = name.and_then(|name| self.path.iter().find(|(given, _)| *given == name));
            value.map_or(part, |(_, value)| value)
        }));
        Ok(())
    }

    /// The result, with the operation named in its error.
    fn told<V>(&self, result: Result<V, Error>) -> Result<V, Error> {
        result.map_err(|error| error.in_operation(self.operation.id))
    }
}

/// Reads the body of a request from JSON and writes it again, for contract tests.
#[cfg(feature = "mock")]
pub(crate) fn round_trip<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<serde_json::Value, Error> {
    let refused =
        |error: serde_json::Error| Error::input(field::BODY, "does not fit the operation").with_source(error);
    // The provider's samples have wrong check digits.
    let read = Gstin::unchecked_within(|| serde_json::from_slice::<T>(body)).map_err(refused)?;
    serde_json::to_value(read).map_err(refused)
}

/// The first of `needs` that the object does not have.
fn missing_member(json: &[u8], needs: &[&'static str]) -> Option<&'static str> {
    if needs.is_empty() {
        return None;
    }
    let members: HashMap<Cow<'_, str>, Option<IgnoredAny>> = serde_json::from_slice(json).unwrap_or_default();
    needs.iter().copied().find(|name| !matches!(members.get(*name), Some(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, operation::Credential, values::Otp};

    const PARAMETER: Parameter = Parameter {
        name: "year",
        location: Location::Path,
        required: true,
        secret: false,
        list: false,
        values: &[],
        description: "",
    };

    /// A request of an operation with a parameter in each place.
    fn request(state: &ClientState) -> Request<'_> {
        static PARAMETERS: [Parameter; 4] = [
            PARAMETER,
            Parameter { name: "page", location: Location::Query, required: false, list: true, ..PARAMETER },
            Parameter { name: "x-source", location: Location::Header, required: false, ..PARAMETER },
            Parameter { name: "otp", location: Location::Query, required: false, secret: true, ..PARAMETER },
        ];
        let like = Operation {
            path: "/gst/{year}/sales",
            parameters: &PARAMETERS,
            credential: Credential::ApiKey,
            ..OPERATIONS[0]
        };
        let url = state.base_url().with_path(like.path);
        Request { operation: Box::leak(Box::new(like)), url, ..Request::new(state, 0) }
    }

    fn client() -> Client {
        Client::builder().key("key_test_0").base_url("http://127.0.0.1:1/prefix").build().unwrap()
    }

    #[test]
    fn parameters_go_where_the_document_says() {
        let client = client();
        let mut request = request(client.state());
        request.parameter(1, Given::Value(["a&b=c", "2"])).unwrap();
        request.parameter(0, Given::Value("20 25").once()).unwrap();
        request.parameter(2, Given::Value("secondary").once()).unwrap();
        request.parameter(3, Given::Value(Otp::new("575757").unwrap()).once()).unwrap();
        request.fill_path().unwrap();
        assert_eq!(
            request.url.as_str(),
            "http://127.0.0.1:1/prefix/gst/20%2025/sales?page=a%26b%3Dc&page=2&otp=575757"
        );
        assert_eq!(request.headers[0].1, "secondary");
        assert_eq!(request.secrets.len(), 1);
    }

    #[test]
    fn a_path_parameter_that_would_change_the_path_is_refused_by_name() {
        let client = client();
        for value in ["", ".", "..", "a/b", "a\\b", "%2e%2e"] {
            let error = request(client.state()).parameter(0, Given::Value(value).once()).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("year")), "{value}");
        }
    }

    #[test]
    fn what_is_missing_or_invalid_is_named() {
        let client = client();
        let mut request = request(client.state());
        let error = request.parameter(0, Given::<String>::Missing.once()).unwrap_err();
        assert_eq!(error.field(), Some("year"));
        assert!(error.to_string().contains("is missing"), "{error}");
        assert!(request.parameter(1, Given::<[String; 1]>::Missing).is_ok());
        let error = request.parameter(1, Given::<crate::values::Year>::from("x").once()).unwrap_err();
        assert_eq!(error.field(), Some("page"));
        assert!(error.to_string().contains("between 2017 and 2099"), "our own reason is kept: {error}");
        let error = request.parameter(2, Given::Value("a\nb").once()).unwrap_err();
        assert_eq!((error.field(), error.operation()), (Some("x-source"), Some(OPERATIONS[0].id)));
    }
}
