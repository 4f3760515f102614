//! Doors for the targets in `fuzz/`. Built by cargo-fuzz alone, never part of a release.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use reqwest::{StatusCode, header::HeaderMap};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{
    Client, Error, environment::BaseUrl, operation::Operation, request::Request, retry, tolerant, transport,
    values::CountGroups,
};

static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder().key("key_test_0").build().expect("a key is enough"));

/// What a call of `get_invoice_count` makes of a status and a body.
pub fn answer(status: u16, body: &[u8]) -> Result<(), Error> {
    let position = Operation::position("get_invoice_count").expect("part of the document");
    let status = StatusCode::from_u16(status).expect("three digits");
    transport::judge::<CountGroups>(
        &Request::new(CLIENT.state(), position),
        status,
        HeaderMap::new(),
        body.to_vec().into(),
    )
}

/// Whether a text is JSON to the tolerant reader, and what it reads of it.
pub fn json(text: &str) -> (bool, Option<Value>) {
    let read = tolerant::read::<Value>(text).ok().map(|(value, _)| value);
    (tolerant::read::<IgnoredAny>(text).is_ok(), read)
}

/// A body as a JSON parser can read it.
pub fn readable(body: &[u8]) -> Vec<u8> {
    transport::readable(body.to_vec().into())
}

/// What is made of a `Retry-After`.
pub fn retry_after(value: &str) -> Option<Duration> {
    retry::retry_after(value, SystemTime::now())
}

/// The address that a base URL becomes.
pub fn base_url(text: &str) -> Result<String, Error> {
    BaseUrl::parse(text).map(|address| address.as_str().to_owned())
}

/// A text of the provider as errors show it.
pub fn escape_and_truncate(text: &str) -> String {
    crate::error::escape_and_truncate(text, 512)
}
