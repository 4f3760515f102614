//! A comparison as one page to filter, sort and print.

use std::{fmt::Write as _, time::SystemTime};

use sandbox_client::{
    matching::{Document, Verdict},
    values::Amount,
};

use super::{
    Matching,
    view::{counts, note, party, title},
};
use crate::cli::{
    arguments::Format,
    output::{grouped, local},
    page::{Page, escape, total},
};

const HEAD: &str = "<th><button>Verdict</button></th><th><button>Supplier</button></th>\
    <th><button>Number</button></th><th><button>Date</button></th>\
    <th class=\"number\"><button>Taxable value, register</button></th>\
    <th class=\"number\"><button>Taxable value, GSTN</button></th>\
    <th class=\"number\"><button>Tax, register</button></th>\
    <th class=\"number\"><button>Tax, GSTN</button></th><th><button>Note</button></th>";

pub fn page(matching: &Matching) -> Page {
    let mut totals = String::new();
    for (word, count) in Verdict::WORDS.into_iter().zip(counts(matching)) {
        totals.push_str(&total(class(word), &grouped(&count.to_string()), &capital(&title(word))));
    }
    let mut rows = String::new();
    for entry in &matching.entries {
        let (registered, reported) = (matching.registered(entry), matching.reported(entry));
        let Some(document) = registered.or(reported) else { continue };
        let word = entry.verdict.as_str();
        let _ = write!(
            rows,
            "<tr data-filter=\"{word}\"><td class=\"mark {}\">{}</td><td class=\"gstin\">{}</td><td>{}</td><td>{}</td>",
            class(word),
            capital(&title(word)),
            escape(&party(document)),
            escape(&document.number),
            document.date.map(|date| date.to_string()).unwrap_or_default(),
        );
        let amounts = [registered.map(value), reported.map(value), registered.map(tax), reported.map(tax)]
            .map(Option::flatten);
        for amount in amounts {
            let _ = write!(rows, "<td class=\"number\">{}</td>", amount.unwrap_or_default());
        }
        let _ = writeln!(rows, "<td class=\"note\">{}</td></tr>", escape(&note(matching, entry)));
    }
    Page {
        title: "Purchase register and what suppliers reported".to_owned(),
        made: format!(
            "{} documents in the register, {} {}. Created {}.",
            grouped(&matching.register.documents.len().to_string()),
            grouped(&matching.reported.documents.len().to_string()),
            matching.with,
            local(SystemTime::now(), Format::Table)
        ),
        totals,
        search: "GSTIN, number or note",
        filters: Verdict::WORDS.into_iter().map(|word| (word, capital(&title(word)))).collect(),
        head: HEAD.to_owned(),
        rows,
    }
}

/// The colour of a verdict, by the class that has it.
fn class(verdict: &str) -> &'static str {
    match verdict {
        "exact" | "within_tolerance" => "accepted",
        "differs" | "probable" => "pending",
        "duplicate" => "rejected",
        _ => "none",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn value(document: &Document) -> Option<String> {
    document.taxable_value.or(document.value).map(|amount| grouped(&format!("{amount:.2}")))
}

fn tax(document: &Document) -> Option<String> {
    let taxes = [document.igst, document.cgst, document.sgst, document.cess];
    if taxes.iter().all(Option::is_none) {
        return None;
    }
    let sum = taxes.into_iter().flatten().fold(Amount::ZERO, Amount::saturating_add);
    Some(grouped(&format!("{sum:.2}")))
}
