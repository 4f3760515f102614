//! The host of signed URLs, on the address of the mock itself.
//!
//! An answer of the document that holds a signed URL gets one of this host in
//! its place: `/<bucket>/<key>` with the same query. It takes PUT and GET of
//! the URLs that were given out, keeps what was uploaded, and has a sample for
//! a file that nobody has uploaded. Like the real host it refuses a request
//! that has credentials beside the signature.

use std::collections::HashMap;

use reqwest::{
    Url,
    header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, HeaderName, HeaderValue},
};
use serde_json::Value;

use super::{RecordedRequest, State, answer::Reply, lock, serve::query};
use crate::{hex::hex, values::is_documented_host};

const SHEET: &[u8] = include_bytes!("files/sample.xlsx");
const PDF: &[u8] = include_bytes!("files/sample.pdf");

/// The signed URLs that were given out, and the files behind them.
#[derive(Default)]
pub(super) struct Files {
    /// Queries by path, each as it was given out.
    signed: HashMap<String, Vec<Vec<(String, String)>>>,
    uploaded: HashMap<String, Vec<u8>>,
}

impl Files {
    /// Puts URLs of this host in the place of those of the document.
    pub(super) fn localise(&mut self, value: &mut Value, base: &str) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.localise(item, base)),
            Value::Object(members) => members.values_mut().for_each(|member| self.localise(member, base)),
            Value::String(text) => {
                let Some(url) = signed_url(text) else { return };
                let bucket = url.host_str().and_then(|host| host.split('.').next()).unwrap_or_default();
                let path = format!("/{bucket}{}", url.path());
                let signature = url.query().unwrap_or_default();
                let queries = self.signed.entry(path.clone()).or_default();
                let given = query(signature);
                if !queries.contains(&given) {
                    queries.push(given);
                }
                *text = format!("{base}{path}?{signature}");
            }
            _ => {}
        }
    }

    fn put(&mut self, request: &RecordedRequest) -> Reply {
        if request.header("content-length").is_none() {
            return refusal(411, "MissingContentLength");
        }
        self.uploaded.insert(request.path.clone(), request.body.clone());
        Reply::new(200, HeaderValue::from_static("application/xml"), Vec::new())
    }

    fn get(&self, request: &RecordedRequest) -> Reply {
        let extension = request.path.rsplit('.').next().unwrap_or_default();
        let (sample, media_type): (&[u8], _) = match extension {
            "xlsx" => (SHEET, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            "pdf" => (PDF, "application/pdf"),
            _ => (b"{}", "application/json"),
        };
        let file = self.uploaded.get(&request.path).map_or(sample, Vec::as_slice);
        let etag = format!("\"{}\"", hex(&hmac_sha256::Hash::hash(file)[..16]));
        let same = request.header("if-range").is_none_or(|given| given == etag);
        let start = request.header("range").filter(|_| same).and_then(start_of);
        let media_type = HeaderValue::from_static(media_type);
        let mut reply = match start {
            Some(start) if start < file.len() => {
                let mut reply = Reply::new(206, media_type, file[start..].to_vec());
                let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
                reply.headers.push((CONTENT_RANGE, header(&range)));
                reply
            }
            Some(_) => return refusal(416, "InvalidRange"),
            None => Reply::new(200, media_type, file.to_vec()),
        };
        reply.headers.push((ETAG, header(&etag)));
        reply.headers.push((ACCEPT_RANGES, HeaderValue::from_static("bytes")));
        reply
    }
}

/// The answer of this host; `None` for a path that is the API's.
pub(super) fn answer(state: &State, request: &RecordedRequest) -> Option<Reply> {
    let bucket = request.path.split('/').nth(1)?;
    if !bucket.starts_with("in-co-sandbox-") {
        return None;
    }
    let credentials = ["authorization", "x-api-key", "x-api-secret"];
    if credentials.iter().any(|name| request.headers.contains_key(*name)) {
        return Some(refusal(400, "InvalidArgument"));
    }
    let mut files = lock(&state.files);
    let signed = files.signed.get(&request.path).is_some_and(|queries| queries.contains(&request.query));
    Some(match request.method.as_str() {
        _ if !signed => refusal(403, "SignatureDoesNotMatch"),
        "PUT" => files.put(request),
        "GET" => files.get(request),
        _ => refusal(405, "MethodNotAllowed"),
    })
}

fn signed_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https")?;
    url.host_str().is_some_and(is_documented_host).then_some(url)
}

/// The start of a range without an end, which is all that the client asks for.
fn start_of(range: &str) -> Option<usize> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

/// A refusal as S3 words it, with the reason as all refusals of the mock have it.
fn refusal(status: u16, code: &'static str) -> Reply {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    let mut reply = Reply::new(status, HeaderValue::from_static("application/xml"), body.into_bytes());
    reply.headers.push((HeaderName::from_static("x-mock-reason"), HeaderValue::from_static(code)));
    reply
}

fn header(text: &str) -> HeaderValue {
    text.parse().expect("visible ASCII")
}
