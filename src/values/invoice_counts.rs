//! The counts as a caller asks for them: without envelope, in a stable order.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{CountGroups, Section, StatusCounts, Timestamp, counts::type_of_goods};
use crate::{error::escape_and_truncate, ims::types::TypeOfGoods};

/// Characters of a section's name in a table.
const LONGEST_NAME: usize = 60;

/// The number of documents of a taxpayer in the IMS, by section and by status.
///
/// Returned by [`ims::SessionApi::counts`](crate::ims::SessionApi::counts).
/// Sections are in the portal's order, unknown ones last; sections that
/// the answer lacks are absent. Serialises to JSON and back without loss.
///
/// [`Display`](fmt::Display) prints an aligned table.
///
/// ```
/// use sandbox_client::values::{InvoiceCounts, Section};
///
/// let counts: InvoiceCounts = serde_json::from_str(
///     r#"{"total": 12, "sections": {"b2b": {"accept": 1, "noaction": 11}}}"#,
/// )?;
/// assert_eq!(counts.total(), 12);
/// assert_eq!(counts.no_action(), 11);
/// assert_eq!(counts.section(Section::B2b).unwrap().accepted, 1);
/// assert!(!counts.all_acted_on());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InvoiceCounts {
    /// `ttl_cnt` as sent.
    #[serde(rename = "total", skip_serializing_if = "Option::is_none")]
    pub total_as_sent: Option<u64>,
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    sections: Vec<(Section, StatusCounts)>,
    /// When the provider created the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The id that the provider's support asks for. Not always a UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
}

impl InvoiceCounts {
    /// The counts of what was asked for. Where an answer has several groups,
    /// the others are left out: who asks for all three would count them thrice.
    pub(crate) fn new(
        asked: TypeOfGoods,
        groups: CountGroups,
        timestamp: Option<Timestamp>,
        transaction_id: Option<String>,
    ) -> Self {
        let mut counts = Self { timestamp, transaction_id, ..Self::default() };
        let mut sections = Vec::new();
        let known = groups.groups.iter().filter(|(key, _)| type_of_goods(key).is_some()).count();
        let asked_for = |key: &str| known < 2 || type_of_goods(key).is_none_or(|goods| goods == asked);
        for (_, group) in groups.groups.into_iter().filter(|(key, _)| asked_for(key)) {
            if let Some(total) = group.total {
                counts.total_as_sent = Some(counts.total_as_sent.unwrap_or(0).saturating_add(total));
            }
            // An answer has one group, mostly.
            if sections.is_empty() {
                sections = group.sections;
            } else {
                sections.extend(group.sections);
            }
        }
        counts.sections = added_up(sections);
        counts
    }

    /// All documents: the total that the provider sent, or else the sum.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total_as_sent.unwrap_or_else(|| self.by_status().total())
    }

    /// The total that the provider sent and the sum of all counters, if
    /// they differ. They are not documented to agree, so this is not an error.
    #[must_use]
    pub fn total_mismatch(&self) -> Option<(u64, u64)> {
        let sum = self.by_status().total();
        self.total_as_sent.filter(|sent| *sent != sum).map(|sent| (sent, sum))
    }

    /// The sections of the answer in a stable order.
    pub fn sections(&self) -> impl ExactSizeIterator<Item = (&Section, &StatusCounts)> {
        self.sections.iter().map(|(section, counts)| (section, counts))
    }

    /// The counts of one section, by its variant or its code (`"b2b"`).
    #[must_use]
    pub fn section(&self, section: impl Into<Section>) -> Option<&StatusCounts> {
        let section = section.into();
        let at = self.sections.binary_search_by(|(known, _)| known.cmp(&section)).ok()?;
        Some(&self.sections[at].1)
    }

    /// The sums over all sections.
    #[must_use]
    pub fn by_status(&self) -> StatusCounts {
        let mut sums = StatusCounts::default();
        for (_, counts) in &self.sections {
            sums += counts;
        }
        sums
    }

    /// Documents accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.by_status().accepted
    }

    /// Documents rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.by_status().rejected
    }

    /// Documents kept pending.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.by_status().pending
    }

    /// Documents without action. They are deemed accepted when GSTR-2B is generated.
    #[must_use]
    pub fn no_action(&self) -> u64 {
        self.by_status().no_action
    }

    /// Whether every document has an action. Pending counts as an action.
    #[must_use]
    pub fn all_acted_on(&self) -> bool {
        self.no_action() == 0
    }
}

/// Puts sections in order, and adds up the counts of each.
fn added_up(mut sections: Vec<(Section, StatusCounts)>) -> Vec<(Section, StatusCounts)> {
    // As the provider sends them.
    if sections.is_sorted_by(|(a, _), (b, _)| a < b) {
        return sections;
    }
    sections.sort_by(|(a, _), (b, _)| a.cmp(b));
    sections.dedup_by(|(section, more), (kept, counts)| {
        let same = section == kept;
        if same {
            *counts += more;
        }
        same
    });
    sections
}

impl fmt::Display for InvoiceCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sums = self.by_status();
        // A section that is new is the provider's text, of any length.
        let named: Vec<String> = self
            .sections
            .iter()
            .map(|(section, _)| {
                escape_and_truncate(&format!("{} ({section})", section.title()), LONGEST_NAME)
            })
            .collect();
        let name_width = named.iter().map(|name| name.chars().count()).chain([7]).max().unwrap_or(7);
        let width = sums.total().max(self.total()).to_string().len().max(9);
        let row = |f: &mut fmt::Formatter<'_>, name: &str, counts: &StatusCounts| {
            write!(f, "{name:name_width$}")?;
            for count in [counts.no_action, counts.pending, counts.accepted, counts.rejected, counts.total()]
            {
                write!(f, "  {count:>width$}")?;
            }
            writeln!(f)
        };

        write!(f, "{:name_width$}", "Section")?;
        for title in ["No action", "Pending", "Accepted", "Rejected", "Total"] {
            write!(f, "  {title:>width$}")?;
        }
        writeln!(f)?;
        for (name, (_, counts)) in named.iter().zip(&self.sections) {
            row(f, name, counts)?;
        }
        row(f, "Total", &sums)?;
        if let Some((sent, sum)) = self.total_mismatch() {
            writeln!(f, "The provider's own total is {sent}, not {sum}.")?;
        }
        Ok(())
    }
}

fn as_map<S: Serializer>(sections: &[(Section, StatusCounts)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sections.iter().map(|(section, counts)| (section, counts)))
}

fn from_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Section, StatusCounts)>, D::Error> {
    struct Visitor;
    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Vec<(Section, StatusCounts)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("counts by section")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut sections = Vec::new();
            while let Some(section) = map.next_entry()? {
                sections.push(section);
            }
            Ok(sections)
        }
    }
    deserializer.deserialize_map(Visitor).map(added_up)
}
