//! The counts of the IMS as they travel: read once, in one pass, unknown
//! members kept.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use super::{
    Section,
    announced::{Exact, Unknown},
};
use crate::ims::types::TypeOfGoods;

/// How many documents of one section have each status.
///
/// A counter that is absent is zero; one that this version does not know is
/// kept in [`other`](StatusCounts::other).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusCounts {
    /// Accepted (`accept`).
    pub accepted: u64,
    /// Rejected (`reject`).
    pub rejected: u64,
    /// Kept pending (`pending`).
    pub pending: u64,
    /// Without action (`noaction`): deemed accepted when GSTR-2B is generated.
    pub no_action: u64,
    /// Counters that this version does not know, by name.
    pub other: BTreeMap<String, u64>,
}

impl StatusCounts {
    /// All documents of the section, unknown counters included.
    #[must_use]
    pub fn total(&self) -> u64 {
        let known = [self.accepted, self.rejected, self.pending, self.no_action];
        known.into_iter().chain(self.other.values().copied()).fold(0, u64::saturating_add)
    }
}

impl std::ops::AddAssign<&StatusCounts> for StatusCounts {
    fn add_assign(&mut self, more: &StatusCounts) {
        self.accepted = self.accepted.saturating_add(more.accepted);
        self.rejected = self.rejected.saturating_add(more.rejected);
        self.pending = self.pending.saturating_add(more.pending);
        self.no_action = self.no_action.saturating_add(more.no_action);
        for (name, count) in &more.other {
            let sum = self.other.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}

/// The counts of one group: sections as they came, and the total as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountGroup {
    /// Sections in the order of the answer.
    pub sections: Vec<(Section, StatusCounts)>,
    /// `ttl_cnt`, if it was sent.
    pub total: Option<u64>,
}

/// The groups of one answer by key: `all_oth`, `inv_supp_isd`, `imp_gds`.
///
/// Of equal keys, here and among sections and counters, the last one holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountGroups {
    /// Groups in the order of the answer; one that is new is kept too.
    pub groups: Vec<(String, CountGroup)>,
}

/// The group of goods whose counts stand below a key.
pub(super) fn type_of_goods(key: &str) -> Option<TypeOfGoods> {
    match key {
        "all_oth" => Some(TypeOfGoods::Others),
        "inv_supp_isd" => Some(TypeOfGoods::InwardSupplies),
        "imp_gds" => Some(TypeOfGoods::Imports),
        _ => None,
    }
}

/// Of entries with equal keys, the last: the one rule for duplicates. Found by
/// sorting, as comparing each with each takes minutes for 100 000 keys.
fn last_of_equal_keys<K: Ord, V>(mut entries: Vec<(K, V)>) -> Vec<(K, V)> {
    // As the provider sends them.
    if entries.is_sorted_by(|a, b| a.0 < b.0) {
        return entries;
    }
    let mut places: Vec<usize> = (0..entries.len()).collect();
    places.sort_by(|&a, &b| entries[a].0.cmp(&entries[b].0));
    let mut kept = vec![true; entries.len()];
    for pair in places.windows(2) {
        kept[pair[0]] = entries[pair[0]].0 != entries[pair[1]].0;
    }
    let mut kept = kept.into_iter();
    entries.retain(|_| kept.next() == Some(true));
    entries
}

/// A number of documents: an integer, an integral float, or either as text.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Floats below are integers to the last digit: one that was read a
        /// little off has a fraction, and is refused.
        const EXACT: f64 = 1e15;

        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of documents")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count(count))
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Count, E> {
                u64::try_from(count)
                    .map(Count)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(count), &self))
            }

            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range and integral
            fn visit_f64<E: de::Error>(self, count: f64) -> Result<Count, E> {
                if (0.0..=EXACT).contains(&count) && count.fract() == 0.0 {
                    Ok(Count(count as u64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(count), &self))
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
                text.trim()
                    .parse()
                    .map(Count)
                    .map_err(|_| E::custom("a number of documents was expected, not this text"))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Count, E> {
                Ok(Count(0))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for StatusCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = StatusCounts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the counters of a section")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<StatusCounts, A::Error> {
                let mut counts = StatusCounts::default();
                while let Some(name) = map.next_key::<Counter>()? {
                    let count = match name {
                        Counter::Accept => &mut counts.accepted,
                        Counter::Reject => &mut counts.rejected,
                        Counter::Pending => &mut counts.pending,
                        Counter::NoAction => &mut counts.no_action,
                        Counter::Other(name) => {
                            if let Some(Unknown(Count(count))) = map.next_value()? {
                                counts.other.insert(name, count);
                            }
                            continue;
                        }
                    };
                    let Exact(Count(sent)) = map.next_value()?;
                    *count = sent;
                }
                Ok(counts)
            }
        }
        deserializer.deserialize_struct("StatusCounts", &[], Visitor)
    }
}

enum Counter {
    Accept,
    Reject,
    Pending,
    NoAction,
    Other(String),
}

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Counter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a counter")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Counter, E> {
                Ok(match name {
                    "accept" => Counter::Accept,
                    "reject" => Counter::Reject,
                    "pending" => Counter::Pending,
                    "noaction" => Counter::NoAction,
                    other => Counter::Other(other.to_owned()),
                })
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl Serialize for StatusCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4 + self.other.len()))?;
        map.serialize_entry("accept", &self.accepted)?;
        map.serialize_entry("noaction", &self.no_action)?;
        map.serialize_entry("pending", &self.pending)?;
        map.serialize_entry("reject", &self.rejected)?;
        for (name, count) in &self.other {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for CountGroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = CountGroup;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the sections of a group and `ttl_cnt`")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<CountGroup, A::Error> {
                // Room for the largest group that is known.
                let mut group = CountGroup { sections: Vec::with_capacity(8), total: None };
                while let Some(key) = map.next_key::<Section>()? {
                    if key.as_str() == "ttl_cnt" {
                        group.total = map.next_value::<Option<Count>>()?.map(|Count(total)| total);
                    } else if let Section::Other(_) = key {
                        // Not everything in a group is a section.
                        if let Some(Unknown(counts)) = map.next_value()?
                            && counts != StatusCounts::default()
                        {
                            group.sections.push((key, counts));
                        }
                    } else if let Some(Exact(counts)) = map.next_value()? {
                        group.sections.push((key, counts));
                    }
                }
                group.sections = last_of_equal_keys(group.sections);
                Ok(group)
            }
        }
        deserializer.deserialize_struct("CountGroup", &[], Visitor)
    }
}

impl Serialize for CountGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (section, counts) in &self.sections {
            map.serialize_entry(section, counts)?;
        }
        if let Some(total) = self.total {
            map.serialize_entry("ttl_cnt", &total)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for CountGroups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = CountGroups;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("groups of counts")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<CountGroups, A::Error> {
                let mut groups = Vec::with_capacity(1);
                while let Some(key) = map.next_key::<String>()? {
                    if type_of_goods(&key).is_some() {
                        if let Some(Exact(group)) = map.next_value()? {
                            groups.push((key, group));
                        }
                    } else if let Some(Unknown(group)) = map.next_value()?
                        && group != CountGroup::default()
                    {
                        groups.push((key, group));
                    }
                }
                Ok(CountGroups { groups: last_of_equal_keys(groups) })
            }
        }
        deserializer.deserialize_struct("CountGroups", &[], Visitor)
    }
}

impl Serialize for CountGroups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.groups.iter().map(|(key, group)| (key, group)))
    }
}

#[cfg(feature = "schemars")]
mod schema {
    use super::{BTreeMap, CountGroup, CountGroups, StatusCounts};

    super::super::json_schema!(StatusCounts, "StatusCounts", BTreeMap<String, u64>);
    super::super::json_schema!(CountGroup, "CountGroup", BTreeMap<String, serde_json::Value>);
    super::super::json_schema!(CountGroups, "CountGroups", BTreeMap<String, CountGroup>);
}
