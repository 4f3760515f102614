//! Lists of documents as they travel: by section, each list below its key.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, value::SeqAccessDeserializer},
};

use super::announced::Unknown;
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
                    let invoices: Option<Vec<Invoice>> = if let Section::Other(_) = section {
                        map.next_value::<Option<_>>()?.map(|Unknown(List(invoices))| invoices)
                    } else {
                        map.next_value()?
                    };
                    let Some(mut invoices) = invoices else { continue };
                    let shared = Arc::new(section.clone());
                    for invoice in &mut invoices {
                        invoice.set_section(&shared);
                    }
                    sections.push((section, invoices));
                }
                Ok(InvoiceSections { sections })
            }
        }
        deserializer.deserialize_struct("InvoiceSections", &[], Visitor)
    }
}

/// A list, and nothing that stands for one: under a name that nobody knows, one
/// object is not a list of documents.
struct List(Vec<Invoice>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = List;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of documents")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<List, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(List)
            }
        }
        deserializer.deserialize_any(Visitor)
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
        let json = r#"{"b2bdn":[{"nt_num":"1"},null,5],"new":[{"inum":"2"}],"ecom":{"inum":"3"},"b2b":null,"b2ba":7,"n":1,"m":-1,"f":0.5,"t":"x","b":true,"o":{"a":1}}"#;
        let (read, unread) = crate::tolerant::read::<InvoiceSections>(json).unwrap();
        let sections: Vec<_> =
            read.sections.iter().map(|(section, list)| (section.as_str(), list.len())).collect();
        assert_eq!(sections, [("b2bdn", 1), ("new", 1), ("ecom", 1)]);
        assert_eq!(read.sections[1].1[0].section(), Some(&Section::Other("new".into())));
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            r#"{"b2bdn":[{"nt_num":"1"}],"new":[{"inum":"2"}],"ecom":[{"inum":"3"}]}"#
        );
        assert_eq!(unread, ["b2bdn[2]", "b2ba"]);
    }
}
