//! Documents that are sent as they were received.

use std::{collections::BTreeMap, fmt, ops::Deref, str::FromStr};

use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Answer, Error,
    error::escape_and_truncate,
    field,
    tolerant::{self, Place, Unreadable},
};

/// A document that is fetched, then saved or filed: it is read as a `T`, and
/// sent with exactly the text that was received.
///
/// GSTN compares checksums of what it sent with what is filed, so members that `T` does
/// not have must stay, and `1.10` must not become `1.1`. If `T` holds everything that you
/// want to send, you can pass a `T` instead.
///
/// ```
/// # #[cfg(feature = "gstr_1")] {
/// use sandbox_client::{Document, gstr_1::types::Gstr1};
///
/// let fetched: Document<Gstr1> = r#"{"gstin": "29AAACQ3770E000", "gt": 1.10, "new": true}"#.parse()?;
/// assert_eq!(fetched.gt.unwrap().to_string(), "1.1"); // a member of `Gstr1`
///
/// let saved = fetched.with("fp", "102026")?;
/// assert_eq!(saved.to_json()?, r#"{"fp":"102026","gstin":"29AAACQ3770E000","gt":1.10,"new":true}"#);
/// # }
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Document<T> {
    /// Boxed: a return has hundreds of members, and documents are handed on.
    value: Box<T>,
    /// `None` if it was made of a value: its JSON is what `T` writes.
    json: Option<Box<RawValue>>,
    unread: Vec<String>,
}

impl<T> Document<T> {
    /// The document as a `T`, without the members that `T` does not have.
    #[must_use]
    pub fn into_inner(self) -> T {
        *self.value
    }

    /// The paths of all members that are sent but missing in the `T`, since
    /// their shape differs from the document: see [`Answer::unread`].
    #[must_use]
    pub fn unread(&self) -> &[String] {
        &self.unread
    }
}

impl<T: Serialize> Document<T> {
    /// What is sent.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) for an amount with more digits than JSON can carry.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|error| Error::input(field::BODY, "cannot be written as JSON").with_source(error))
    }
}

impl<T: Serialize + DeserializeOwned> Document<T> {
    /// Sets one top-level member. All others stay as they were
    /// received.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) with the name of the member if its value
    /// or the whole document would not fit `T`.
    pub fn with(self, name: &str, value: impl Serialize) -> Result<Self, Error> {
        let value = to_raw_value(&value).map_err(|error| not_json(name, &error))?;
        let changed = self
            .with_members([(name.to_owned(), value)].into())
            .map_err(|error| error.with_field(name.to_owned()))?;
        // What others sent is taken as it is; what is put in here can be mended.
        match changed.unread.iter().find(|path| path.split(['.', '[']).next() == Some(name)) {
            Some(path) => {
                Err(Error::input(name.to_owned(), format!("does not have its form at `{}`", shown(path))))
            }
            None => Ok(changed),
        }
    }

    /// Removes one top-level member.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) if the document is not an object.
    pub fn without(self, name: &str) -> Result<Self, Error> {
        let mut members = self.members()?;
        match members.remove(name) {
            Some(_) => Self::from_members(&members),
            None => Ok(self),
        }
    }

    /// Adds all members of another document, which replace members with the
    /// same name: builds a return from sections that were fetched one by one.
    ///
    /// # Errors
    ///
    /// [`Input`](crate::ErrorKind::Input) if one of the two is not an object.
    pub fn with_all_of(self, other: Self) -> Result<Self, Error> {
        let members = other.members()?;
        self.with_members(members)
    }

    fn with_members(self, changed: Members) -> Result<Self, Error> {
        let mut members = self.members()?;
        members.extend(changed);
        Self::from_members(&members)
    }

    pub(crate) fn from_members(members: &Members) -> Result<Self, Error> {
        Self::from_raw(to_raw_value(members).map_err(|error| not_json(field::BODY, &error))?)
    }

    pub(crate) fn members(&self) -> Result<Members, Error> {
        serde_json::from_str(&self.to_json()?).map_err(|error| not_json(field::BODY, &error))
    }

    /// Reads it as an answer is read.
    fn from_raw(json: Box<RawValue>) -> Result<Self, Error> {
        let (value, unread) = tolerant::read(json.get()).map_err(|unreadable| match unreadable {
            Unreadable::NotJson(at) => Error::input(field::BODY, format!("is not JSON ({at})")),
            Unreadable::Odd(odd) => {
                let expected = odd.expected().map(|expected| format!(": {expected}")).unwrap_or_default();
                let at = shown(odd.path());
                Error::input(
                    field::BODY,
                    format!("does not have the form of this document at `{at}`{expected}"),
                )
            }
        })?;
        Ok(Self { value: Box::new(value), json: Some(json), unread })
    }
}

/// The members at the top of a document, as they came.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// Says where, never what: the document is taxpayers' data.
fn not_json(field: &str, error: &serde_json::Error) -> Error {
    let what = if error.is_data() { "does not have the form of this document" } else { "is not JSON" };
    Error::input(field.to_owned(), format!("{what} ({})", Place::from(error)))
}

fn shown(path: &str) -> String {
    escape_and_truncate(path, 120)
}

impl<T: Serialize + DeserializeOwned> FromStr for Document<T> {
    type Err = Error;

    /// Members of another shape than documented are taken as in an answer: see
    /// [`unread`](Document::unread).
    fn from_str(json: &str) -> Result<Self, Error> {
        Self::from_raw(serde_json::from_str(json).map_err(|error| not_json(field::BODY, &error))?)
    }
}

impl<T> From<T> for Document<T> {
    fn from(value: T) -> Self {
        Self { value: Box::new(value), json: None, unread: Vec::new() }
    }
}

/// [`Answer::into_document`], so that an answer can be the body of a request.
impl<T> TryFrom<Answer<T>> for Document<T> {
    type Error = Error;

    fn try_from(answer: Answer<T>) -> Result<Self, Error> {
        answer.into_document()
    }
}

impl<T> Answer<T> {
    /// Returns the payload as it was received, to save or file it.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the payload cannot be cut from the answer.
    pub fn into_document(self) -> Result<Document<T>, Error> {
        match self.payload_json() {
            Some(json) => {
                let (json, unread) = (Some(json.to_owned()), self.unread_of_payload());
                Ok(Document { json, unread, value: Box::new(self.into_inner()) })
            }
            None => Err(self.incomplete("its payload cannot be taken out as it was received")),
        }
    }
}

impl<T> Deref for Document<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Serialize for Document<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.json {
            Some(json) => json.serialize(serializer),
            None => self.value.serialize(serializer),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Document<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Document").field(&self.value).finish()
    }
}
