//! Whether a request still waits for its connection: what reqwest does not
//! tell when the attempt times out meanwhile.
//!
//! A request drives the making of its own connection, in its own polls. So the
//! connector notes that it was polled and has to wait; where the last poll of
//! a request left no such note, it had a connection, and may have been sent.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

thread_local! {
    static CONNECTING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a request; also tells whether it still waited for a connection when it ended.
pub(crate) async fn watched<T>(request: impl Future<Output = T>) -> (T, bool) {
    let mut request = pin!(request);
    let mut connecting = false;
    let ended = poll_fn(|context| {
        CONNECTING.set(false);
        let polled = request.as_mut().poll(context);
        if polled.is_pending() {
            connecting = CONNECTING.get();
        }
        polled
    });
    let ended = ended.await;
    (ended, connecting)
}

/// Puts the note into a connector of reqwest.
#[derive(Clone)]
pub(super) struct Noting;

impl<S> Layer<S> for Noting {
    type Service = NotingConnector<S>;

    fn layer(&self, inner: S) -> NotingConnector<S> {
        NotingConnector(inner)
    }
}

#[derive(Clone)]
pub(super) struct NotingConnector<S>(S);

impl<S, R> Service<R> for NotingConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connection = self.0.call(target);
        Box::pin(async move {
            let mut connection = pin!(connection);
            poll_fn(|context| {
                let polled = connection.as_mut().poll(context);
                if polled.is_pending() {
                    CONNECTING.set(true);
                }
                polled
            })
            .await
        })
    }
}
