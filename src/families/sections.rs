//! A return that is read section by section.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::stream::{Stream, StreamExt};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Answer, Document, Error, client::ClientState, document::Members, field, generated::OPERATIONS,
    operation::Operation, request::Request, values::ReturnPeriod,
};

/// One section of a return.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReturnSection<T> {
    /// Its name in the path, such as `b2b`. The member of `T` has the same
    /// name, except `txpd` for `txp` and `txpda` for `txpa`.
    pub name: &'static str,
    /// A document with only this section; `None` if GSTN sent a code for
    /// "no records"; or the error.
    pub result: Result<Option<Answer<T>>, Error>,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The sections of a return, one after another; returned by `all`
/// of `gstr_1`, `gstr_1a` and `gstr_2a`. Call [`next`](ReturnSections::next) for
/// each, or use it as a [`Stream`]; drop it to stop.
pub struct ReturnSections<T> {
    state: ClientState,
    period: ReturnPeriod,
    /// Positions in the operation table, with the names of the sections.
    left: VecDeque<(usize, &'static str)>,
    in_flight: Option<BoxFuture<ReturnSection<T>>>,
}

impl<T: DeserializeOwned + Send + 'static> ReturnSections<T> {
    /// All sections of a family's return. One at a time: an answer may have
    /// tens of thousands of documents, so only one is in memory.
    pub(super) fn of(state: &ClientState, family: &str, period: ReturnPeriod) -> Self {
        // Twenty calls may wait for the rate limit longer than one call may take.
        let state = state.with_policy(|policy| policy.wait_outside_deadline = true);
        let operations = OPERATIONS.iter().enumerate();
        let left = operations.filter_map(|(at, operation)| Some((at, section(operation, family)?))).collect();
        Self { state, period, left, in_flight: None }
    }

    /// Reads only the sections with these names.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the field `section` for a name
    /// that the return does not have.
    pub fn only(mut self, names: impl IntoIterator<Item: AsRef<str>>) -> Result<Self, Error> {
        let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
        if !names.iter().all(|name| self.left.iter().any(|(_, known)| known == name)) {
            let known: Vec<&str> = self.left.iter().map(|(_, name)| *name).collect();
            return Err(Error::input(field::SECTION, format!("must be of: {}", known.join(", "))));
        }
        self.left.retain(|(_, known)| names.iter().any(|name| name == known));
        Ok(self)
    }

    /// The next section, in the order of their names; `None` at the end.
    pub async fn next(&mut self) -> Option<ReturnSection<T>> {
        StreamExt::next(self).await
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> ReturnSections<T> {
    /// Collects all sections that have records in one document, each as it was
    /// received. The whole document is in memory.
    ///
    /// # Errors
    ///
    /// The first failure of a section: without it, the document would look
    /// like a return that has no such records.
    pub async fn into_document(mut self) -> Result<Document<T>, Error> {
        let mut members = Members::new();
        while let Some(section) = self.next().await {
            if let Some(answer) = section.result? {
                members.extend(answer.into_document()?.members()?);
            }
        }
        Document::from_members(&members)
    }
}

impl<T: DeserializeOwned + Send + 'static> Stream for ReturnSections<T> {
    type Item = ReturnSection<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(call) = &mut this.in_flight else {
            let Some((position, name)) = this.left.pop_front() else { return Poll::Ready(None) };
            let (state, period) = (this.state.clone(), this.period);
            this.in_flight = Some(Box::pin(async move {
                ReturnSection { name, result: read(&state, position, period).await }
            }));
            return self.poll_next(context);
        };
        let section = ready!(call.as_mut().poll(context));
        this.in_flight = None;
        Poll::Ready(Some(section))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left.len() + usize::from(self.in_flight.is_some());
        (left, Some(left))
    }
}

impl<T> fmt::Debug for ReturnSections<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReturnSections").field("left", &self.left).finish_non_exhaustive()
    }
}

/// The name of the section that the operation reads: the only part of its path
/// between the return and the period.
fn section(operation: &'static Operation, family: &str) -> Option<&'static str> {
    let name = operation.id.strip_prefix("get_")?.strip_prefix(family)?.strip_prefix('_')?;
    let all_of_period =
        operation.parameters.iter().all(|known| !known.required || ["year", "month"].contains(&known.name));
    let section =
        operation.family == family && all_of_period && !["summary", "declaration_details"].contains(&name);
    section.then_some(name)
}

async fn read<T: DeserializeOwned>(
    state: &ClientState,
    position: usize,
    period: ReturnPeriod,
) -> Result<Option<Answer<T>>, Error> {
    let mut request = Request::new(state, position);
    for known in request.operation.parameters {
        match known.name {
            "year" => request.add(known, period.year().to_string())?,
            "month" => request.add(known, period.month().to_string())?,
            _ => {}
        }
    }
    match request.send::<T>().await {
        // GSTN says by a code that there is nothing; an object without members says nothing.
        Ok(answer) if is_empty(&answer) => Err(answer.incomplete("has no section")),
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_no_records() => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_empty<T>(answer: &Answer<T>) -> bool {
    let members = answer.payload_json().map(|json| serde_json::from_str::<Members>(json.get()));
    members.is_none_or(|members| members.is_ok_and(|members| members.is_empty()))
}
