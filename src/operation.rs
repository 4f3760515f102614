//! What the pipeline knows of an operation before it sends it.

/// One operation of the OpenAPI document.
///
/// [`operations`](crate::operations) lists them all, sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The `operationId`, which is the name of the method on
    /// [`Client`](crate::Client) too.
    pub id: &'static str,
    /// HTTP method in capitals.
    pub method: &'static str,
    /// Path template, `{name}` standing for a parameter.
    pub path: &'static str,
    /// The family that the operation belongs to.
    pub tag: &'static str,
    /// The provider's name of the operation.
    pub summary: &'static str,
    /// What it does, what it costs and when it fails, in Markdown.
    pub description: &'static str,
    /// What the operation must carry to be let in.
    pub credential: Credential,
    /// Whether the operation may be repeated without changing anything more.
    /// The HTTP method does not say so: most lookups of this API are POSTs.
    pub idempotent: bool,
    /// The `x-api-version` that is sent when the caller sets none.
    pub api_version: Option<&'static str>,
    /// What it takes beside the body, in the order of the document.
    pub parameters: &'static [Parameter],
    /// Whether it takes a body, which is JSON and required then.
    pub body: bool,
}

/// A parameter of an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name as it is sent.
    pub name: &'static str,
    /// Which part of the request it stands in.
    pub location: Location,
    /// Whether the operation fails without it.
    pub required: bool,
    /// Whether its value is a secret, as an OTP is: keep it out of command
    /// lines and logs.
    pub secret: bool,
    /// Whether it takes several values: it is given once for each.
    pub list: bool,
    /// The values that it can take; empty where any text will do.
    pub values: &'static [&'static str],
    /// What it means, in Markdown.
    pub description: &'static str,
}

/// The part of a request that a [`Parameter`] stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// A part of the path.
    Path,
    /// Behind the question mark.
    Query,
    /// A header.
    Header,
}

/// What an operation must carry, as its `security` in the document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// The API key alone.
    ApiKey,
    /// The API key and its secret: only `/authenticate`.
    ApiSecret,
    /// The API key and the platform token that `/authenticate` gives.
    PlatformToken,
    /// The API key and the token of one taxpayer's OTP session.
    TaxpayerToken,
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

    /// Whether `path` is this operation's template with something in the
    /// place of each parameter. A parameter such as `..` is resolved when the
    /// address is put together, and then it is not.
    pub(crate) fn covers(&self, path: &str) -> bool {
        // Few paths have parameters.
        if path == self.path {
            return true;
        }
        let mut given = path.split('/');
        self.path.split('/').all(|expected| {
            given.next().is_some_and(|part| {
                if expected.starts_with('{') { !part.is_empty() } else { part == expected }
            })
        }) && given.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_parameter_cannot_change_the_path() {
        let operation =
            Operation { path: "/gst/{year}/{month}/sales", ..*Operation::find("get_invoice_count").unwrap() };
        assert!(operation.covers("/gst/2025/11/sales"));
        for path in
            ["/gst/sales", "/gst/2025//sales", "/gst/2025/11/12/sales", "/gst/2025/11/sales/", "/sales"]
        {
            assert!(!operation.covers(path), "{path}");
        }
    }
}
