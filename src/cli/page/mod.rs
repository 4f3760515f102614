//! A page to open and hand on, of which no part comes from a network: totals, and a
//! table to search, filter, sort and print.

use std::{
    fmt::{self, Write as _},
    io,
    io::Write as _,
    path::Path,
};

use super::{
    failure::{Exit, Failure},
    files,
    output::strip_controls,
};

/// Style and script stand in the page itself.
const FRAME: &str = include_str!("frame.html");

/// What differs from page to page. Text is plain, except where HTML is named.
pub struct Page {
    pub title: String,
    /// A sentence on what this is and when it was made.
    pub made: String,
    /// HTML: one [`total`] after the other.
    pub totals: String,
    /// What can be searched for.
    pub search: &'static str,
    /// Values of `data-filter` of the rows, with their titles; none for no choice.
    pub filters: Vec<(&'static str, String)>,
    /// HTML: the cells of the head.
    pub head: String,
    /// HTML: rows with their cells.
    pub rows: String,
}

/// Whether a page can be written there, before anything is asked for it.
pub fn check(path: &Path) -> Result<(), Failure> {
    let usable = files::refuse_other(path).and_then(|()| draft(path));
    usable.map(drop).map_err(|error| Failure::usage(unwritable(path, &error)))
}

/// Writes the page as a whole or not at all.
pub fn write(path: &Path, page: &Page) -> Result<(), Failure> {
    let written = || {
        let mut file = draft(path)?;
        file.write_all(html(page).as_bytes())?;
        file.persist(path)?;
        io::Result::Ok(())
    };
    written().map_err(|error| Failure::new(Exit::Other, unwritable(path, &error)))
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

fn draft(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".report").tempfile_in(folder)
}

fn html(page: &Page) -> String {
    let mut filter = String::new();
    if !page.filters.is_empty() {
        filter.push_str("<label>Show <select id=\"filter\"><option value=\"\">All</option>");
        for (value, title) in &page.filters {
            let _ = write!(filter, "<option value=\"{value}\">{}</option>", escape(title));
        }
        filter.push_str("</select></label> ");
    }
    // What is put in is escaped, so it cannot hold one of the marks.
    FRAME
        .replace("<!--TITLE-->", &escape(&page.title))
        .replace("<!--MADE-->", &escape(&page.made))
        .replace("<!--TOTALS-->", &page.totals)
        .replace("<!--FILTER-->", &filter)
        .replace("<!--SEARCH-->", page.search)
        .replace("<!--HEAD-->", &page.head)
        .replace("<!--ROWS-->", &page.rows)
}

/// A number as people read it with its title, in the colour of a class.
pub fn total(class: &str, number: &impl fmt::Display, title: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<li{class}><b>{number}</b>{}</li>\n", escape(title))
}

/// Text for an element or a quoted attribute, without what nobody would see.
pub fn escape(text: &str) -> String {
    strip_controls(text).chars().fold(String::with_capacity(text.len()), |mut html, character| {
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
