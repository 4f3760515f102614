//! One answer of a sweep as a line of JSON: in the output and in the checkpoint.

use std::collections::BTreeMap;

use sandbox_client::{SweepItem, TaxpayerId, values::Gstin};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _};
use serde_json::{Map, Value};

use super::subject::Subject;
use crate::cli::problem::Problem;

/// Whose answer, to what, and the outcome.
pub struct Record<S: Subject> {
    pub taxpayer: TaxpayerId,
    pub task: S::Task,
    pub outcome: Result<S::Answer, Problem>,
}

/// A line of a checkpoint; `None` for one of a sweep that asked something else.
pub struct Noted<S: Subject>(Option<Record<S>>);

impl<S: Subject> From<SweepItem<S::Task>> for Record<S> {
    fn from(item: SweepItem<S::Task>) -> Self {
        Self {
            taxpayer: item.taxpayer,
            task: item.task,
            outcome: item.result.map_err(|error| (&error).into()),
        }
    }
}

impl<S: Subject> Serialize for Record<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let mut members = serializer.serialize_map(Some(4))?;
        members.serialize_entry("gstin", &self.taxpayer.gstin)?;
        members.serialize_entry("username", &self.taxpayer.username)?;
        members.serialize_entry(S::TASK, &self.task.to_string())?;
        match &self.outcome {
            Ok(answer) => members.serialize_entry(S::ANSWER, answer)?,
            Err(problem) => members.serialize_entry("error", problem)?,
        }
        members.end()
    }
}

impl<'de, S: Subject> Deserialize<'de> for Noted<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            #[serde(deserialize_with = "Gstin::deserialize_unchecked")]
            gstin: Gstin,
            username: String,
            error: Option<Problem>,
            #[serde(flatten)]
            rest: Map<String, Value>,
        }
        let Members { gstin, username, error, mut rest } = Members::deserialize(deserializer)?;
        let Some(task) = rest.get(S::TASK) else { return Ok(Self(None)) };
        let task = task.as_str().and_then(|text| text.parse().ok());
        let task = task.ok_or_else(|| D::Error::custom("no task of this sweep"))?;
        let outcome = if let Some(problem) = error {
            Err(problem)
        } else {
            let answer = rest.remove(S::ANSWER).unwrap_or_default();
            Ok(serde_json::from_value(answer).map_err(D::Error::custom)?)
        };
        Ok(Self(Some(Record { taxpayer: TaxpayerId { gstin, username }, task, outcome })))
    }
}

/// The last answer to each call of this subject: one that failed may have been asked
/// for again.
pub fn latest<S: Subject>(noted: Vec<Noted<S>>) -> impl Iterator<Item = Record<S>> {
    let records = noted.into_iter().filter_map(|noted| noted.0);
    let key = |record: &Record<S>| {
        (record.taxpayer.gstin, record.taxpayer.username.clone(), record.task.to_string())
    };
    let answers: BTreeMap<_, _> = records.map(|record| (key(&record), record)).collect();
    answers.into_values()
}
