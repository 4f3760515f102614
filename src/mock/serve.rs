//! Connections, and requests on their way in and out.

use std::{
    convert::Infallible,
    error::Error as _,
    future::pending,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{
    RecordedRequest, State,
    answer::{self, Reply},
    check::Refusal,
    document::Scheme,
    fault::{Fault, LastBytes},
    lock,
};

/// Longest body that is read.
const BODY_CAP: usize = 64 << 20;

/// Serves until dropped, and then cuts the connections that are open.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of sockets, most likely: others must end first.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        state.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(connection(stream, Arc::clone(&state)));
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    // Without this, what a fault writes may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| request_on(&state, request));
    let mut connection =
        http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else { return };
    if let Some(LastBytes(bytes)) = error.source().and_then(|error| error.downcast_ref()) {
        let mut stream = connection.into_parts().io.into_inner();
        // The client may have gone, which is its right.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
    }
}

async fn request_on(state: &State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, LastBytes> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_CAP).collect().await;
    let (bytes, broken) = match body {
        Ok(body) => (body.to_bytes().into(), None),
        Err(error) if error.is::<LengthLimitError>() => {
            (Vec::new(), Some(Refusal::new("payload_too_large", 413, "the body is larger than 64 MiB")))
        }
        Err(_) => (Vec::new(), Some(Refusal::new("", 400, "the body did not arrive in full"))),
    };
    let request = state.record(&head, bytes);
    let reply = match broken {
        Some(refusal) => Reply::refusal(&state.document, &refusal),
        None => answer::reply(state, &request),
    };

    // A sleep of nothing would still take up to a millisecond.
    if !reply.delay.is_zero() {
        sleep(reply.delay).await;
    }
    match reply.fault {
        Some(Fault::CloseWithoutAnswer) => return Err(LastBytes(Vec::new())),
        Some(Fault::Garbage) => return Err(LastBytes::garbage()),
        Some(Fault::Hang) => return pending().await,
        Some(Fault::CutBody | Fault::Status(_)) | None => {}
    }
    lock(&state.log).answered(request.number, reply.status);
    if reply.fault == Some(Fault::CutBody) {
        return Err(LastBytes::half_of(&reply));
    }
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(reply.headers);
    Ok(response)
}

impl State {
    fn record(&self, head: &hyper::http::request::Parts, body: Vec<u8>) -> RecordedRequest {
        let (method, path) = (head.method.as_str(), head.uri.path());
        let operation = self.document.find(method, path);
        let session = operation
            .and_then(|operation| {
                operation.security.iter().find(|(scheme, _)| matches!(scheme, Scheme::Token(_)))
            })
            .and_then(|(_, header)| head.headers.get(header)?.to_str().ok())
            .map(|token| lock(&self.tokens).holder(token))
            .unwrap_or_default();
        let mut log = lock(&self.log);
        let request = RecordedRequest {
            number: log.next_number(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query(head.uri.query().unwrap_or_default()),
            headers: head.headers.clone(),
            body,
            operation: operation.map(|operation| operation.id.clone()),
            arrived: Instant::now(),
            status: None,
            session_gstin: session.gstin,
            session_username: session.username,
        };
        log.add(request.clone());
        request
    }
}

/// The parameters of a query in order, decoded.
pub(super) fn query(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
