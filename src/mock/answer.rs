//! Which answer a request gets.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    RecordedRequest, State,
    check::{self, Refusal},
    document::{Document, Operation, members, status, text},
    fault::Fault,
    files, ims, lock, nic, returns,
    rule::{Plan, PlannedAnswer},
    tokens::{self, Holder},
};

/// An answer, and what is to go wrong with it.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Duration,
    pub(super) fault: Option<Fault>,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: HeaderValue, body: Vec<u8>) -> Self {
        let headers = vec![(CONTENT_TYPE, content_type)];
        Self { status, headers, body, delay: Duration::ZERO, fault: None }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, HeaderValue::from_static("application/json"), body.to_string().into_bytes())
    }

    /// The documented failure, with the reason beside it: the bodies of the
    /// provider do not say which parameter is missing.
    pub(super) fn refusal(document: &Document, refusal: &Refusal) -> Self {
        let (status, mut body) = match document.errors().find(|(name, ..)| *name == refusal.error) {
            Some((_, status, body)) => (status, body.clone()),
            None => (refusal.status, json!({"code": refusal.status, "message": refusal.reason})),
        };
        if let (Some(message), Some(body)) = (&refusal.message, body.as_object_mut()) {
            body.insert("message".to_owned(), message.as_str().into());
        }
        let mut reply = Self::json(status, &body);
        if let Ok(reason) = HeaderValue::from_str(&refusal.reason) {
            reply.headers.push((HeaderName::from_static("x-mock-reason"), reason));
        }
        reply
    }
}

/// A request to an operation, with what several steps ask for.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) operation: &'a Operation,
    pub(super) request: &'a RecordedRequest,
    pub(super) json: Option<Value>,
}

/// From the outside in: rate limit, address, rules that ask for it, checks,
/// rules, and at last what the document says.
pub(super) fn reply(state: &State, request: &RecordedRequest) -> Reply {
    // Another host, were it not for the mock.
    if let Some(reply) = files::answer(state, request) {
        return reply;
    }
    if let Some(limiter) = &mut *lock(&state.limiter)
        && !limiter.admits(request.arrived)
    {
        let refusal = Refusal::new("too_many_requests", 429, "the rate limit set on the mock is used up");
        let mut reply = Reply::refusal(&state.document, &refusal);
        reply.headers.extend(limiter.retry_after.clone().map(|wait| (reqwest::header::RETRY_AFTER, wait)));
        return reply;
    }
    let Some(operation) = state.document.find(&request.method, &request.path) else {
        let refusal = Refusal::new("not_found", 404, "the document has no operation at this address");
        return Reply::refusal(&state.document, &refusal);
    };
    let call = Call { state, operation, request, json: request.json() };
    if let Some(plan) = call.rule(true) {
        return call.planned(&plan);
    }
    if let Err(refusal) = check::all(&call) {
        return Reply::refusal(&state.document, &refusal);
    }
    match call.rule(false) {
        Some(plan) => call.planned(&plan),
        None => call.unplanned(),
    }
}

impl Call<'_> {
    /// The first rule for this request, with one of its uses taken.
    fn rule(&self, before_checks: bool) -> Option<Arc<Mutex<Plan>>> {
        let rules = lock(&self.state.rules).clone();
        rules.into_iter().find(|plan| {
            let (applies, when) = {
                let plan = lock(plan);
                let applies = plan.operation == self.operation.id && plan.before_checks == before_checks;
                (applies, plan.when.clone())
            };
            // Asked without holding a lock: the condition may use the mock.
            if !applies || when.is_some_and(|when| !when(self.request)) {
                return false;
            }
            match &mut lock(plan).times {
                None => true,
                Some(left) if *left > 0 => {
                    *left -= 1;
                    true
                }
                Some(_) => false,
            }
        })
    }

    fn planned(&self, plan: &Mutex<Plan>) -> Reply {
        let plan = lock(plan);
        let mut reply = match (plan.fault, &plan.answer) {
            (Some(Fault::Status(status)), _) => {
                Reply { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO, fault: None }
            }
            (_, PlannedAnswer::Own(reply)) => reply.clone(),
            (_, PlannedAnswer::Documented) => self.unplanned(),
            (_, PlannedAnswer::Example(name)) => {
                let examples = self.state.document.examples(self.operation);
                self.documented(
                    examples.into_iter().find(|example| example.0 == name).map(|example| example.1),
                )
            }
        };
        reply.headers.extend(plan.headers.iter().cloned());
        reply.delay = plan.delay;
        reply.fault = plan.fault;
        reply
    }

    /// The answer that no rule has a say in.
    fn unplanned(&self) -> Reply {
        let remembered = ims::answer(self).or_else(|| returns::answer(self)).or_else(|| nic::answer(self));
        remembered.unwrap_or_else(|| self.documented(self.choose()))
    }

    /// The examples of success of the operation, failures inside them too.
    pub(super) fn examples(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.state.document.examples(self.operation).into_iter().map(|example| example.1)
    }

    /// The example that the request asks for: the one with the most conditions
    /// that all hold, else one without conditions, a success if there is one.
    /// Names come sorted, so the order in the document cannot decide.
    pub(super) fn choose(&self) -> Option<&Value> {
        let plain = || self.examples().filter(|example| example["x-when"].is_null());
        self.examples()
            .filter(|example| example["x-when"].is_object())
            .filter(|example| members(&example["x-when"]).all(|(name, value)| self.has(name, &text(value))))
            .rev() // of equals, the last is the greatest
            .max_by_key(|example| members(&example["x-when"]).count())
            .or_else(|| plain().find(|example| succeeds(example)))
            .or_else(|| plain().next())
            .or_else(|| self.examples().next())
    }

    /// Whether a path parameter, query parameter or body member has a value.
    fn has(&self, name: &str, value: &str) -> bool {
        let member = self.json.as_ref().and_then(|body| body.get(name)).map(text);
        ["path", "query"]
            .iter()
            .flat_map(|location| self.values(location, name))
            .chain(member)
            .any(|given| given == value)
    }

    /// What the request gives for a parameter.
    pub(super) fn values(&self, location: &str, name: &str) -> Vec<String> {
        let request = self.request;
        match location {
            "path" => {
                let values = self.operation.path_values(&request.path).unwrap_or_default();
                values.into_iter().filter(|pair| pair.0 == name).map(|pair| pair.1).collect()
            }
            "query" => {
                request.query.iter().filter(|pair| pair.0 == name).map(|pair| pair.1.clone()).collect()
            }
            "header" => {
                let values = request.headers.get_all(name).iter();
                values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// An example as the answer. A success grants and revokes as the document says.
    pub(super) fn documented(&self, example: Option<&Value>) -> Reply {
        let Some(example) = example else {
            let refusal = Refusal::new("", 500, "the document has no example of this answer");
            return Reply::refusal(&self.state.document, &refusal);
        };
        let mut value = example["value"].clone();
        let base = format!("http://{}", self.state.address);
        lock(&self.state.files).localise(&mut value, &base);
        if succeeds(example) {
            if let Some(scheme) = &self.operation.grants {
                self.grant(scheme, &mut value);
            }
            let header =
                self.operation.revokes.as_ref().and_then(|scheme| self.operation.token_header(scheme));
            for token in header.into_iter().flat_map(|header| self.values("header", header)) {
                lock(&self.state.tokens).revoke(&token);
            }
        }
        Reply::json(status_of(example), &value)
    }

    /// Puts a fresh token into an answer.
    fn grant(&self, scheme: &str, answer: &mut Value) {
        // Named when the session is opened, the same when it is refreshed.
        let named = |name: &str| Some(self.json.as_ref()?.get(name)?.as_str()?.to_owned());
        let holder = Holder {
            gstin: named("gstin").or_else(|| self.request.session_gstin.clone()),
            username: named("username").or_else(|| self.request.session_username.clone()),
        };
        let lifetime = self.state.lifetime(scheme);
        let (token, expires) = lock(&self.state.tokens).issue(scheme, lifetime, holder);
        renew(answer, &token, expires);
    }
}

fn status_of(example: &Value) -> u16 {
    status(&example["x-status"]).unwrap_or(200)
}

/// Whether an answer tells of a success, by its status and by the document.
pub(super) fn succeeds(example: &Value) -> bool {
    let body = &example["value"];
    status_of(example) < 400
        && example["x-failure"] != true
        // Of a document that is not the build's.
        && [&body["status_cd"], &body["data"]["status_cd"]].iter().all(|code| text(code) != "0")
}

/// Replaces token and times, wherever they stand.
fn renew(value: &mut Value, token: &str, expires: u64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| renew(item, token, expires)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "access_token" if member.is_string() => *member = token.into(),
                    "token_expiry" | "session_expiry" | "expiry" => retime(member, expires),
                    "timestamp" => retime(member, tokens::now()),
                    _ => renew(member, token, expires),
                }
            }
        }
        _ => {}
    }
}

/// A new time in the form of the old one.
fn retime(member: &mut Value, time: u64) {
    *member = if member.is_string() { time.to_string().into() } else { time.into() };
}
