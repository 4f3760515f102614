//! Lists of documents as they travel: by section, each list below its key.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Invoice, Section};

/// The documents of one answer by section.
///
/// One answer has one section; more than one, or one that is new, is kept as
/// well. Each document knows its [`section`](Invoice::section).
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct InvoiceSections {
    /// Sections in the order of the answer.
    pub sections: Vec<(Section, Vec<Invoice>)>,
}

impl<'de> Deserialize<'de> for InvoiceSections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = InvoiceSections;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists of documents by section")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<InvoiceSections, A::Error> {
                let mut sections = Vec::with_capacity(1);
                while let Some(section) = map.next_key::<Section>()? {
                    if let Some(invoices) = map.next_value_seed(List(&Arc::new(section.clone())))? {
                        sections.push((section, invoices));
                    }
                }
                Ok(InvoiceSections { sections })
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Reads the list of a section. What is no list is no section either.
struct List<'a>(&'a Arc<Section>);

impl<'de> de::DeserializeSeed<'de> for List<'_> {
    type Value = Option<Vec<Invoice>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for List<'_> {
    type Value = Option<Vec<Invoice>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of documents")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut invoices = Vec::new();
        while let Some(invoice) = seq.next_element::<Invoice>()? {
            invoices.push(invoice.in_shared_section(self.0));
        }
        Ok(Some(invoices))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl Serialize for InvoiceSections {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.sections.iter().map(|(section, invoices)| (section, invoices)))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(
    InvoiceSections,
    "InvoiceSections",
    std::collections::BTreeMap<String, Vec<Invoice>>
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_kept_and_what_is_no_list_is_passed_over() {
        let read: InvoiceSections = serde_json::from_str(
            r#"{"b2bdn":[{"nt_num":"1"}],"new":[{"inum":"2"}],"b2b":null,"n":1,"m":-1,"f":0.5,"t":"x","b":true,"o":{"a":1}}"#,
        )
        .unwrap();
        let sections: Vec<_> =
            read.sections.iter().map(|(section, list)| (section.as_str(), list.len())).collect();
        assert_eq!(sections, [("b2bdn", 1), ("new", 1)]);
        assert_eq!(read.sections[1].1[0].section(), Some(&Section::Other("new".into())));
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            r#"{"b2bdn":[{"nt_num":"1"}],"new":[{"inum":"2"}]}"#
        );
    }
}
