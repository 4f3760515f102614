//! A sweep as one page to open and hand on: no part of it comes from a network.

use std::{fmt::Write as _, io, io::Write as _, path::Path, time::SystemTime};

use sandbox_client::values::StatusCounts;

use super::tally::{Row, Tally};
use crate::cli::{arguments::Format, output::local};

/// Style and script stand in the page itself.
const PAGE: &str = include_str!("page.html");

/// Statuses by the page's class, with their title, the most urgent first.
const STATUSES: [(&str, &str); 4] =
    [("none", "No action"), ("pending", "Pending"), ("accepted", "Accepted"), ("rejected", "Rejected")];

/// Writes the page as a whole or not at all.
pub fn write(path: &Path, tally: &Tally) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".report").tempfile_in(folder)?;
    file.write_all(page(tally).as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn page(tally: &Tally) -> String {
    let made = format!(
        "{} taxpayers, {} calls, {} of them failed. Made {}.",
        tally.rows().len(),
        tally.calls,
        tally.failures(),
        local(SystemTime::now(), Format::Table)
    );
    let rows: String = tally
        .by_urgency()
        .into_iter()
        .map(|((gstin, name), row)| {
            format!("<tr><td class=\"gstin\">{gstin}</td><td>{}</td>{}</tr>\n", escape(name), cells(row))
        })
        .collect();
    // What is put in is escaped, so it cannot hold one of the marks.
    PAGE.replace("<!--MADE-->", &escape(&made))
        .replace("<!--TOTALS-->", &totals(tally))
        .replace("<!--ROWS-->", &rows)
}

fn numbers(counts: &StatusCounts) -> [u64; 4] {
    [counts.no_action, counts.pending, counts.accepted, counts.rejected]
}

fn totals(tally: &Tally) -> String {
    let mut html = String::new();
    for ((class, title), number) in STATUSES.into_iter().zip(numbers(&tally.sums)) {
        let _ = writeln!(html, "<li class=\"{class}\"><b>{number}</b>{title}</li>");
    }
    let _ = writeln!(html, "<li><b>{}</b>Documents</li>", tally.sums.total());
    let _ = write!(html, "<li><b>{}</b>Need a new OTP</li>", tally.without_session());
    html
}

fn cells(row: &Row) -> String {
    let mut html = String::from("<td>");
    match &row.counts {
        Some(counts) => {
            html.push_str(&bar(counts));
            html.push_str("</td>");
            for number in numbers(counts).into_iter().chain([counts.total()]) {
                let _ = write!(html, "<td class=\"number\">{number}</td>");
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

/// Text for an element or a quoted attribute.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, character| {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
        html
    })
}
