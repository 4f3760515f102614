//! A sweep as one page.

use std::{fmt::Write as _, time::SystemTime};

use super::{
    subject::{Number, Subject},
    tally::{Row, Tally},
};
use crate::cli::{
    arguments::Format,
    output::local,
    page::{Page, escape, total},
};

/// `partial` says why answers are missing, where they are.
pub fn page<S: Subject>(tally: &Tally<S>, partial: Option<&str>) -> Page {
    let rows = tally
        .by_urgency()
        .into_iter()
        .map(|((gstin, name), row)| {
            format!("<tr><td class=\"gstin\">{gstin}</td><td>{}</td>{}</tr>\n", escape(name), cells(row))
        })
        .collect();
    let partial = partial.map_or(String::new(), |reason| format!(" Partial: {reason}."));
    Page {
        title: S::TITLE.to_owned(),
        made: format!(
            "{} taxpayers, {} calls, {} of them failed. Created {}.{partial}",
            tally.rows().len(),
            tally.calls,
            tally.failures(),
            local(SystemTime::now(), Format::Table)
        ),
        totals: totals(tally),
        search: "GSTIN, user name or note",
        filters: Vec::new(),
        head: head::<S>(),
        rows,
    }
}

fn head<S: Subject>() -> String {
    let mut html =
        String::from("<th><button>GSTIN</button></th><th><button>User name</button></th><th>In parts</th>");
    for column in S::COLUMNS {
        let _ = write!(html, "<th class=\"number\"><button>{}</button></th>", column.title);
    }
    html + "<th><button>" + S::NOTE + "</button></th>"
}

fn totals<S: Subject>(tally: &Tally<S>) -> String {
    let sums = S::COLUMNS.iter().map(|column| total(column.class, &(column.number)(&tally.sums), column.sum));
    let mut html: String = sums.collect();
    if tally.not_ready() > 0 {
        html += &total("", &Number::Count(tally.not_ready() as u64), S::NOT_READY);
    }
    html += &total("", &Number::Count(tally.without_session() as u64), "Need a new OTP");
    html
}

fn cells<S: Subject>(row: &Row<S>) -> String {
    let mut html = format!("<td>{}</td>", row.numbers.as_ref().map(bar::<S>).unwrap_or_default());
    for column in S::COLUMNS {
        let number = row.numbers.as_ref().map(|numbers| (column.number)(numbers).to_string());
        let _ = write!(html, "<td class=\"number\">{}</td>", number.unwrap_or_default());
    }
    let _ = write!(html, "<td class=\"note\">{}</td>", escape(&row.note()));
    html
}

/// Shares of the taxpayer's own sum.
fn bar<S: Subject>(numbers: &S::Numbers) -> String {
    let shares = S::COLUMNS.iter().filter(|column| !column.class.is_empty());
    let shares: Vec<_> = shares
        .map(|column| (column.class, column.title, (column.number)(numbers)))
        .filter(|(.., number)| !number.is_zero())
        .collect();
    let label: Vec<String> = shares.iter().map(|(_, title, number)| format!("{title} {number}")).collect();
    let mut html =
        format!("<div class=\"bar\" role=\"img\" aria-label=\"{0}\" title=\"{0}\">", label.join(", "));
    for (class, _, number) in shares {
        let _ = write!(html, "<i class=\"{class}\" style=\"flex-grow:{}\"></i>", number.plain());
    }
    html + "</div>"
}
