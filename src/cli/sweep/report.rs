//! A sweep as one page.

use std::{fmt::Write as _, time::SystemTime};

use sandbox_client::values::StatusCounts;

use super::{
    subject::Subject,
    tally::{Row, Tally},
};
use crate::cli::{
    arguments::Format,
    output::{grouped, local},
    page::{Page, escape, total},
};

/// `partial` says why answers are missing, where they are.
pub fn page(tally: &Tally, subject: &Subject, partial: Option<&str>) -> Page {
    let rows = tally
        .by_urgency()
        .into_iter()
        .map(|((gstin, name), row)| {
            format!(
                "<tr><td class=\"gstin\">{gstin}</td><td>{}</td>{}</tr>\n",
                escape(name),
                cells(row, subject)
            )
        })
        .collect();
    let partial = partial.map_or(String::new(), |reason| format!(" Partial: {reason}."));
    Page {
        title: subject.title().to_owned(),
        made: format!(
            "{} taxpayers, {} calls, {} of them failed. Created {}.{partial}",
            tally.rows().len(),
            tally.calls,
            tally.failures(),
            local(SystemTime::now(), Format::Table)
        ),
        totals: totals(tally, subject),
        search: "GSTIN, user name or note",
        filters: Vec::new(),
        head: subject.head(),
        rows,
    }
}

fn totals(tally: &Tally, subject: &Subject) -> String {
    let by_status = subject.statuses().iter();
    let mut html: String =
        by_status.map(|(class, title, number)| total(class, number(&tally.sums), title)).collect();
    html += &total("", tally.sums.total(), subject.noun());
    html += &total("", tally.without_session() as u64, "Need a new OTP");
    html
}

fn cells(row: &Row, subject: &Subject) -> String {
    let mut html = String::from("<td>");
    match &row.counts {
        Some(counts) => {
            html.push_str(&bar(counts, subject));
            html.push_str("</td>");
            let numbers = subject.statuses().iter().map(|(_, _, number)| number(counts));
            for number in numbers.chain([counts.total()]) {
                let _ = write!(html, "<td class=\"number\">{}</td>", grouped(&number.to_string()));
            }
        }
        None => html.push_str(
            &("</td>".to_owned() + &"<td class=\"number\"></td>".repeat(subject.statuses().len() + 1)),
        ),
    }
    let _ = write!(html, "<td class=\"note\">{}</td>", escape(&row.note()));
    html
}

/// Shares of the taxpayer's own documents.
fn bar(counts: &StatusCounts, subject: &Subject) -> String {
    let shares = subject.statuses().iter().map(|(class, title, number)| (class, title, number(counts)));
    let shares: Vec<_> = shares.filter(|(_, _, number)| *number > 0).collect();
    let label: Vec<String> = shares.iter().map(|(_, title, number)| format!("{title} {number}")).collect();
    let mut html =
        format!("<div class=\"bar\" role=\"img\" aria-label=\"{0}\" title=\"{0}\">", label.join(", "));
    for (class, _, number) in shares {
        let _ = write!(html, "<i class=\"{class}\" style=\"flex-grow:{number}\"></i>");
    }
    html + "</div>"
}
