//! Sends a request once and reads the whole answer, within limits.

use std::{
    error::Error as StdError,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::{
    Request, Response, StatusCode,
    header::{HeaderMap, SET_COOKIE},
};

use super::text;
use crate::{
    Error, ErrorKind, Phase,
    client::{Http, watched},
};

/// Bytes of body for which space is made in advance, where a header claims them.
const ORDINARY: usize = 1024 * 1024;

/// The body as it was received, and as a JSON parser can read it.
#[derive(Clone)]
pub(crate) struct Body {
    pub received: Bytes,
    repaired: Option<Bytes>,
}

impl Body {
    pub fn new(received: Bytes) -> Self {
        Self { repaired: text::repaired(&received), received }
    }

    /// The text to read: see [`text`].
    pub fn text(&self) -> &[u8] {
        self.repaired.as_deref().unwrap_or(&self.received)
    }
}

/// What came back, success or not.
pub(crate) struct RawAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

/// Sends `request` and reads at most `cap` bytes of body, all within
/// `timeout` from `begun` on. Cookies are dropped: this API has none, a gateway's are its own.
pub(crate) fn send(
    http: &Arc<Http>,
    mut request: Request,
    begun: Instant,
    timeout: Duration,
    cap: usize,
) -> impl Future<Output = Result<RawAnswer, Error>> + use<> {
    *request.timeout_mut() = Some(timeout);
    // Not inside of the future, where a request takes place twice.
    let (http, connections) = (Arc::clone(http), http.connections());
    let response = connections.client.execute(request);
    async move {
        let (response, connecting) = watched(response).await;
        let mut response = response.map_err(|error| {
            if error.is_timeout() && !connecting {
                http.unanswered(&connections, begun);
            }
            classify(error, Phase::ResponseHeaders, connecting)
        })?;
        connections.answered();
        let status = response.status();
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(SET_COOKIE);
        let body = read(&mut response, cap).await.map_err(|error| error.with_status(status))?;
        Ok(RawAnswer { status, headers, body: Body::new(body) })
    }
}

/// The body after decompression. One chunk is handed on as it is; the space
/// for more grows with what arrives, never by what a header claims.
async fn read(response: &mut Response, cap: usize) -> Result<Bytes, Error> {
    let too_large = || {
        Error::new(ErrorKind::TooLarge, format!("the answer is larger than {cap} bytes"))
            .with_maybe_processed(true)
            .with_advice("raise `max_body_bytes` on the client builder if such answers are expected")
    };
    if response.content_length().is_some_and(|length| length > cap as u64) {
        return Err(too_large());
    }
    // A length is believed as far as an ordinary answer goes.
    let length = response.content_length().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(ORDINARY).min(ORDINARY);
    let failed = |error| classify(error, Phase::ResponseBody, false);
    let Some(first) = response.chunk().await.map_err(failed)? else { return Ok(Bytes::new()) };
    if first.len() > cap {
        return Err(too_large());
    }
    let Some(second) = response.chunk().await.map_err(failed)? else { return Ok(first) };

    let mut body = Vec::with_capacity(length.max(2 * (first.len() + second.len())));
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if body.len() + chunk.len() > cap {
            return Err(too_large());
        }
        if chunk.len() > body.capacity() - body.len() {
            body.reserve_exact(chunk.len().max(body.len() / 2));
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(failed)?;
    }
    // What is spare would stay with the body while it is parsed.
    body.shrink_to_fit();
    Ok(body.into())
}

/// What a failure of reqwest means: how far the request had come, and whether
/// the provider may have seen it. The address is taken out of the source.
/// `connecting` says that it still waited for a connection.
pub(crate) fn classify(error: reqwest::Error, phase: Phase, connecting: bool) -> Error {
    let error = error.without_url();
    let facts = Facts::of(&error);
    let connecting = connecting || error.is_connect();
    let classified = if error.is_timeout() {
        let phase = if connecting { Phase::Connect } else { phase };
        Error::new(ErrorKind::Timeout, "no answer in time").with_phase(phase)
    } else if error.is_builder() {
        return Error::new(ErrorKind::Config, "the request could not be put together").with_source(error);
    } else if error.is_connect() {
        Error::new(ErrorKind::Transport, facts.connect_reason())
            .with_phase(facts.connect_phase())
            .with_advice(facts.connect_advice())
    } else if facts.not_http {
        Error::new(ErrorKind::Decode, "the answer is not valid HTTP")
    } else if phase == Phase::ResponseBody && !facts.connection {
        Error::new(ErrorKind::Decode, "the body of the answer cannot be decompressed")
    } else {
        Error::new(ErrorKind::Transport, "the connection broke").with_phase(phase)
    };
    let sent = !(connecting || facts.never_written);
    classified.with_maybe_processed(sent).with_source(error)
}

/// What the chain of causes tells.
#[allow(clippy::struct_excessive_bools)] // observations, not a state
#[derive(Default)]
struct Facts {
    tls: bool,
    dns: bool,
    /// The proxy answered, and refused.
    proxy: bool,
    /// The proxy did not even take a connection.
    no_proxy: bool,
    connection: bool,
    not_http: bool,
    never_written: bool,
}

impl Facts {
    fn of(error: &reqwest::Error) -> Self {
        let mut facts = Self::default();
        let mut cause = error.source();
        while let Some(current) = cause {
            if let Some(hyper) = current.downcast_ref::<hyper::Error>() {
                facts.connection = true;
                facts.not_http |= hyper.is_parse();
                facts.never_written |= hyper.is_canceled();
            }
            facts.tls |= current.is::<rustls::Error>();
            // These two layers have no public error type; their texts are fixed.
            let text = current.to_string();
            facts.dns |= text.starts_with("dns error");
            let tunnel = text.starts_with("tunnel error");
            facts.no_proxy |= tunnel && text.contains("underlying connection");
            facts.proxy |= (tunnel && !facts.no_proxy) || text.starts_with("proxy");
            cause = match current.downcast_ref::<std::io::Error>() {
                // What it wraps; its `source` would pass over that.
                Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
                None => current.source(),
            };
        }
        facts
    }

    fn connect_phase(&self) -> Phase {
        if self.tls {
            Phase::Tls
        } else if self.proxy {
            Phase::Proxy
        } else if self.dns {
            Phase::Dns
        } else {
            Phase::Connect
        }
    }

    fn connect_reason(&self) -> &'static str {
        match self.connect_phase() {
            Phase::Tls => "the certificate or the TLS handshake was refused",
            Phase::Proxy => "the proxy refused the connection",
            Phase::Dns if self.no_proxy => "the host name of the proxy could not be resolved",
            Phase::Dns => "the host name could not be resolved",
            _ if self.no_proxy => "no connection to the proxy could be made",
            _ => "no connection could be made",
        }
    }

    fn connect_advice(&self) -> &'static str {
        match self.connect_phase() {
            Phase::Tls => "check the base URL and the certificates that this system trusts",
            Phase::Proxy => "check the proxy and its credentials",
            _ if self.no_proxy => "check the address of the proxy",
            _ => "check the network, the proxy and the base URL",
        }
    }
}
