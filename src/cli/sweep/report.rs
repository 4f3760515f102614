//! A sweep as one page.

use std::{fmt::Write as _, time::SystemTime};

use sandbox_client::values::StatusCounts;

use super::tally::{Row, Tally};
use crate::cli::{
    arguments::Format,
    output::{grouped, local},
    page::{Page, escape, total},
};

/// Statuses by the page's class, with their title, the most urgent first.
const STATUSES: [(&str, &str); 4] =
    [("none", "No action"), ("pending", "Pending"), ("accepted", "Accepted"), ("rejected", "Rejected")];

const HEAD: &str = "<th><button>GSTIN</button></th><th><button>User name</button></th><th>By status</th>\
    <th class=\"number\"><button>No action</button></th><th class=\"number\"><button>Pending</button></th>\
    <th class=\"number\"><button>Accepted</button></th><th class=\"number\"><button>Rejected</button></th>\
    <th class=\"number\"><button>Total</button></th><th><button>Note</button></th>";

/// `partial` says why answers are missing, where they are.
pub fn page(tally: &Tally, partial: Option<&str>) -> Page {
    let rows = tally
        .by_urgency()
        .into_iter()
        .map(|((gstin, name), row)| {
            format!("<tr><td class=\"gstin\">{gstin}</td><td>{}</td>{}</tr>\n", escape(name), cells(row))
        })
        .collect();
    let partial = partial.map_or(String::new(), |reason| format!(" Partial: {reason}."));
    Page {
        title: "Invoices awaiting action".to_owned(),
        made: format!(
            "{} taxpayers, {} calls, {} of them failed. Made {}.{partial}",
            tally.rows().len(),
            tally.calls,
            tally.failures(),
            local(SystemTime::now(), Format::Table)
        ),
        totals: totals(tally),
        search: "GSTIN, user name or note",
        filters: Vec::new(),
        head: HEAD,
        rows,
    }
}

fn numbers(counts: &StatusCounts) -> [u64; 4] {
    [counts.no_action, counts.pending, counts.accepted, counts.rejected]
}

fn totals(tally: &Tally) -> String {
    let by_status = STATUSES.into_iter().zip(numbers(&tally.sums));
    let mut html: String = by_status.map(|((class, title), number)| total(class, number, title)).collect();
    html += &total("", tally.sums.total(), "Documents");
    html += &total("", tally.without_session() as u64, "Need a new OTP");
    html
}

fn cells(row: &Row) -> String {
    let mut html = String::from("<td>");
    match &row.counts {
        Some(counts) => {
            html.push_str(&bar(counts));
            html.push_str("</td>");
            for number in numbers(counts).into_iter().chain([counts.total()]) {
                let _ = write!(html, "<td class=\"number\">{}</td>", grouped(&number.to_string()));
            }
        }
        None => html.push_str(&("</td>".to_owned() + &"<td class=\"number\"></td>".repeat(5))),
    }
    let _ = write!(html, "<td class=\"note\">{}</td>", escape(&row.note()));
    html
}

/// Shares of the taxpayer's own documents.
fn bar(counts: &StatusCounts) -> String {
    let label: Vec<String> = STATUSES
        .iter()
        .zip(numbers(counts))
        .filter(|(_, number)| *number > 0)
        .map(|((_, title), number)| format!("{title} {number}"))
        .collect();
    let mut html =
        format!("<div class=\"bar\" role=\"img\" aria-label=\"{0}\" title=\"{0}\">", label.join(", "));
    for ((class, _), number) in STATUSES.into_iter().zip(numbers(counts)).filter(|(_, number)| *number > 0) {
        let _ = write!(html, "<i class=\"{class}\" style=\"flex-grow:{number}\"></i>");
    }
    html + "</div>"
}
