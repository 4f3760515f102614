//! What the pipeline knows of an operation before it sends it.

/// One operation of the OpenAPI document.
///
/// [`operations`](crate::operations) lists them all, sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId`, which is also the name of the method on the handle
    /// of its family.
    pub id: &'static str,
    /// HTTP method in capitals.
    pub method: &'static str,
    /// Path template with `{name}` for each parameter.
    pub path: &'static str,
    /// The family that the operation belongs to.
    pub family: &'static str,
    /// The provider's name of the operation.
    pub summary: &'static str,
    /// What the operation does, what it costs and when it fails, in Markdown.
    pub description: &'static str,
    /// The credentials that the operation requires.
    pub credential: Credential,
    /// The header that carries its token, in lower case; empty if it needs none.
    pub token_header: &'static str,
    /// Whether the operation is idempotent. The HTTP method does not tell:
    /// most look-ups of this API are POSTs.
    pub idempotent: bool,
    /// The `x-api-version` that is sent when the caller sets none.
    pub api_version: Option<&'static str>,
    /// The parameters, in the order of the document.
    pub parameters: &'static [Parameter],
    /// Whether it requires a JSON body.
    pub body: bool,
    /// Members of the body whose values must never be shown.
    pub(crate) secret_members: &'static [&'static str],
    /// Where the payload of an answer lies, as keys from the outside in; empty
    /// where the whole body is the payload.
    pub payload: &'static [&'static str],
    /// A member of the payload: where the last key of `payload` is missing and the
    /// level above has this member, that level is the payload.
    pub flat: Option<&'static str>,
    /// Values of `status_cd` that mean success.
    pub success: &'static [&'static str],
    /// Values of `status` that mean failure, beside 0: those of a job that failed.
    pub failed_status: &'static [&'static str],
}

/// A parameter of an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name as it is sent.
    pub name: &'static str,
    /// The part of the request that contains it.
    pub location: Location,
    /// Whether it is required.
    pub required: bool,
    /// Whether its value is a secret, such as an OTP: keep it out of
    /// command lines and logs.
    pub secret: bool,
    /// Whether it accepts several values: repeat it for each.
    pub list: bool,
    /// The allowed values; empty if any text is allowed.
    pub values: &'static [&'static str],
    /// What it means, in Markdown.
    pub description: &'static str,
}

/// The part of a request that contains a [`Parameter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// A part of the path.
    Path,
    /// The query.
    Query,
    /// A header.
    Header,
}

/// The credentials of an operation, from its `security` in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// Only the API key.
    ApiKey,
    /// The API key and its secret: only `/authenticate`.
    ApiSecret,
    /// The API key and the platform token that `/authenticate` returns.
    PlatformToken,
    /// The API key and the token of a session, by the name of its security
    /// scheme: `taxpayer_token` for a taxpayer's OTP session.
    Session(&'static str),
}

impl Operation {
    /// Finds an operation by its id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Operation> {
        Self::position(id).map(|found| &crate::generated::OPERATIONS[found])
    }

    /// Where in the table it stands.
    pub(crate) fn position(id: &str) -> Option<usize> {
        crate::generated::OPERATIONS.binary_search_by(|operation| operation.id.cmp(id)).ok()
    }

    /// Whether a header parameter of this name may have this value.
    pub(crate) fn takes_header(&self, name: &str, value: &str) -> bool {
        self.parameters.iter().any(|known| {
            known.location == Location::Header
                && known.name == name
                && (known.values.is_empty() || known.values.contains(&value))
        })
    }

    pub(crate) fn http_method(&self) -> reqwest::Method {
        reqwest::Method::from_bytes(self.method.as_bytes()).expect("a method of HTTP")
    }
}
