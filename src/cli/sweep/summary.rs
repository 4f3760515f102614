//! What a sweep came to, for people: totals, who needs an OTP, what failed.

use std::fmt::Write as _;

use sandbox_client::values::Gstin;

use super::{
    subject::Subject,
    tally::{Failed, Reason, Row, Tally},
};
use crate::cli::output::{grouped, strip_controls};

/// Most lines for one list; the rest is in the results.
const LISTED: usize = 20;

pub fn text<S: Subject>(tally: &Tally<S>) -> String {
    let mut text = String::new();
    let not_ready = match tally.not_ready() {
        0 => String::new(),
        some => format!("{} {}, ", number(some), S::NOT_READY.to_lowercase()),
    };
    let _ = writeln!(
        text,
        "\n{} calls for {} taxpayers: {} answered, {not_ready}{} failed.",
        number(tally.calls),
        number(tally.rows().len()),
        number(tally.calls - tally.failures() - tally.not_ready()),
        number(tally.failures())
    );
    let _ = writeln!(text, "{}", S::summary(&tally.sums));
    let with = |text: &mut String, title: &str, of: fn(&Row<S>) -> &[String]| {
        let rows: Vec<_> = tally.rows().filter(|(_, row)| !of(row).is_empty()).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "\n{title} {}:", number(rows.len()));
            let line = |((gstin, username), row): (&(Gstin, String), &Row<S>)| {
                format!("{gstin}  {username}  {}", of(row).join(", "))
            };
            list(text, rows.into_iter().map(line));
        }
    };
    with(&mut text, S::MISSING, |row| &row.missing);
    with(&mut text, &format!("{} for", S::NOT_READY), |row| &row.not_ready);
    if tally.without_session() > 0 {
        let _ = writeln!(text, "\nA new OTP is needed for {}:", number(tally.without_session()));
        let over = tally.rows().filter(|(_, row)| row.session_over);
        list(&mut text, over.map(|((gstin, username), _)| format!("{gstin}  {username}")));
    }
    for (reason, failed) in &tally.problems {
        let _ = writeln!(text, "\n{} of {}:", plural(failed.len()), name(reason));
        let line = |failed: &Failed| {
            let id = failed.transaction_id.as_deref().unwrap_or("unknown");
            format!("{}  {}  transaction {id}", failed.gstin, failed.task)
        };
        let mut lines: Vec<_> = failed.iter().map(line).collect();
        // Answers come in any order.
        lines.sort_unstable();
        list(&mut text, lines.into_iter());
    }
    text
}

fn number(count: usize) -> String {
    grouped(&count.to_string())
}

fn plural(failures: usize) -> String {
    if failures == 1 { "1 failure".to_owned() } else { format!("{} failures", number(failures)) }
}

fn name(reason: &Reason) -> String {
    let mut name = format!("kind {}", reason.kind);
    if let Some(status) = reason.status {
        let _ = write!(name, ", status {status}");
    }
    if let Some(code) = &reason.code {
        let _ = write!(name, ", code {code}");
    }
    name
}

fn list(text: &mut String, lines: impl Iterator<Item = String>) {
    let mut more = 0;
    for (index, line) in lines.enumerate() {
        if index < LISTED {
            let _ = writeln!(text, "  {}", strip_controls(&line));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        let _ = writeln!(text, "  and {more} more; --format csv or json lists all");
    }
}
