//! What a test asks for in place of the document's own answer.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::{RecordedRequest, State, answer::Reply, fault::Fault, lock};

/// How to answer one operation; returned by
/// [`MockServer::on`](super::MockServer::on).
///
/// It applies as soon as it is created, and each method refines it. Without
/// an answer it adds its headers, delay or fault to the documented answer.
pub struct Rule {
    pub(super) state: Arc<State>,
    pub(super) plan: Arc<Mutex<Plan>>,
}

type Condition = Arc<dyn Fn(&RecordedRequest) -> bool + Send + Sync>;

/// The content of a rule.
pub(super) struct Plan {
    pub(super) operation: String,
    pub(super) answer: PlannedAnswer,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) fault: Option<Fault>,
    pub(super) delay: Duration,
    /// Uses left; `None` is without end.
    pub(super) times: Option<usize>,
    pub(super) when: Option<Condition>,
    pub(super) before_checks: bool,
}

pub(super) enum PlannedAnswer {
    Documented,
    Example(String),
    Own(Reply),
}

impl Plan {
    pub(super) fn new(operation: String) -> Self {
        Self {
            operation,
            answer: PlannedAnswer::Documented,
            headers: Vec::new(),
            fault: None,
            delay: Duration::ZERO,
            times: None,
            when: None,
            before_checks: false,
        }
    }
}

impl Rule {
    /// Answers with an example of the operation, by its name in the document.
    ///
    /// # Panics
    ///
    /// Panics if the operation has no such example.
    #[track_caller]
    pub fn example(self, name: &str) -> Self {
        let id = lock(&self.plan).operation.clone();
        let document = &self.state.document;
        let names: Vec<_> = document.examples(document.named(&id)).iter().map(|example| example.0).collect();
        assert!(names.contains(&name), "{id} has no example `{name}`; it has: {}", names.join(", "));
        self.set(|plan| plan.answer = PlannedAnswer::Example(name.to_owned()))
    }

    /// Answers with a documented failure: an example of the responses that
    /// operations share, such as `service_unavailable`.
    ///
    /// # Panics
    ///
    /// Panics if the document has no failure of that name.
    #[track_caller]
    pub fn error(self, name: &str) -> Self {
        let document = &self.state.document;
        let Some((_, status, body)) = document.errors().find(|error| error.0 == name) else {
            let names: Vec<_> = document.errors().map(|error| error.0).collect();
            panic!("the document has no failure `{name}`; it has: {}", names.join(", "))
        };
        let reply = Reply::json(status, body);
        self.set(|plan| plan.answer = PlannedAnswer::Own(reply))
    }

    /// Answers with the given status and JSON, sent unchanged.
    ///
    /// # Panics
    ///
    /// Panics if the status is below 200 or above 999.
    #[track_caller]
    pub fn json(self, status: u16, body: Value) -> Self {
        let reply = Reply::json(checked(status), &body);
        self.set(|plan| plan.answer = PlannedAnswer::Own(reply))
    }

    /// Answers with the given status and bytes, sent unchanged.
    ///
    /// # Panics
    ///
    /// Panics if the status is below 200 or above 999, or if the content type
    /// cannot stand in a header.
    #[track_caller]
    pub fn body(self, status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let reply = Reply::new(checked(status), header_value(content_type), body.into());
        self.set(|plan| plan.answer = PlannedAnswer::Own(reply))
    }

    /// Adds a header to the answer.
    ///
    /// # Panics
    ///
    /// Panics if name or value cannot stand in a header.
    #[track_caller]
    pub fn header(self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap_or_else(|_| panic!("{name:?} is not a valid header name"));
        let value = header_value(value);
        self.set(|plan| plan.headers.push((name, value)))
    }

    /// Injects a fault into the answer.
    ///
    /// # Panics
    ///
    /// Panics if the status of [`Fault::Status`] is below 200 or above 999.
    #[track_caller]
    pub fn fault(self, fault: Fault) -> Self {
        if let Fault::Status(status) = fault {
            checked(status);
        }
        self.set(|plan| plan.fault = Some(fault))
    }

    /// Delays the answer or the fault.
    pub fn delay(self, delay: Duration) -> Self {
        self.set(|plan| plan.delay = delay)
    }

    /// Applies the rule to this many requests.
    pub fn times(self, times: usize) -> Self {
        self.set(|plan| plan.times = Some(times))
    }

    /// Applies the rule only to requests for which `condition` is true.
    pub fn when(self, condition: impl Fn(&RecordedRequest) -> bool + Send + Sync + 'static) -> Self {
        self.set(|plan| plan.when = Some(Arc::new(condition)))
    }

    /// Also applies the rule to requests with wrong credentials or
    /// parameters, which are otherwise refused first.
    pub fn before_checks(self) -> Self {
        self.set(|plan| plan.before_checks = true)
    }

    fn set(self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut lock(&self.plan));
        self
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("operation", &lock(&self.plan).operation).finish_non_exhaustive()
    }
}

#[track_caller]
fn checked(status: u16) -> u16 {
    assert!((200..=999).contains(&status), "{status} is not a valid HTTP status");
    status
}

#[track_caller]
pub(super) fn header_value(value: &str) -> HeaderValue {
    value.parse().unwrap_or_else(|_| panic!("{value:?} cannot stand in a header"))
}
