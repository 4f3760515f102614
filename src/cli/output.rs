//! Rows as a table, as JSON or as CSV, on standard output.

use std::{
    io::{self, Write as _},
    time::SystemTime,
};

use comfy_table::{Cell, CellAlignment, Table, presets};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::{Map, Value};

use super::arguments::Format;

/// Rows under named columns.
pub struct Sheet {
    /// Name in JSON and CSV, and title in a table.
    columns: &'static [(&'static str, &'static str)],
    rows: Vec<Vec<Value>>,
    /// Names of columns whose text is an amount.
    amounts: &'static [&'static str],
}

impl Sheet {
    pub fn new(columns: &'static [(&'static str, &'static str)]) -> Self {
        Self { columns, rows: Vec::new(), amounts: &[] }
    }

    /// Puts the amounts of these columns below each other.
    pub fn amounts(mut self, names: &'static [&'static str]) -> Self {
        self.amounts = names;
        self
    }

    pub fn row(&mut self, cells: Vec<Value>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    pub fn print(&self, format: Format) -> Result<(), csv::Error> {
        let mut out = anstream::stdout().lock();
        match format {
            Format::Table => out.write_all(self.table().as_bytes())?,
            Format::Json => out.write_all(self.json().as_bytes())?,
            Format::Csv => self.csv(&mut out)?,
        }
        out.flush()?;
        Ok(())
    }

    /// A table on standard error, to be looked at before a question.
    pub fn show(&self) {
        anstream::eprint!("{}", self.table());
    }

    /// Text and spaces, the head in bold where colours are wanted.
    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let number = |column: usize| {
            self.amounts.contains(&self.columns[column].0)
                || self.rows.iter().any(|row| row[column].is_number())
        };
        let align = |column| if number(column) { CellAlignment::Right } else { CellAlignment::Left };
        let cell = |column: usize, text: String| Cell::new(text).set_alignment(align(column));
        table.set_header(
            self.columns.iter().enumerate().map(|(column, (_, title))| cell(column, (*title).to_owned())),
        );
        for row in &self.rows {
            table
                .add_row(row.iter().enumerate().map(|(column, value)| cell(column, printable(&text(value)))));
        }
        // The padding of the first column is but an indent.
        let tidy = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
        let mut lines = table.lines().map(|line| tidy(&line));
        let head = lines.next().unwrap_or_default();
        format!("\u{1b}[1m{head}\u{1b}[0m\n") + &lines.map(|line| line + "\n").collect::<String>()
    }

    fn json(&self) -> String {
        let object = |row: &Vec<Value>| -> Value {
            let members = self.columns.iter().zip(row);
            members
                .map(|((name, _), value)| ((*name).to_owned(), value.clone()))
                .collect::<Map<_, _>>()
                .into()
        };
        let list = self.rows.iter().map(object).collect();
        format!("{:#}\n", Value::Array(list))
    }

    fn csv(&self, out: impl io::Write) -> Result<(), csv::Error> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.columns.iter().map(|(name, _)| name))?;
        for row in &self.rows {
            csv.write_record(row.iter().map(|value| guarded(text(value))))?;
        }
        Ok(csv.flush()?)
    }
}

/// A value as it stands in a cell.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Starts of a cell that a spreadsheet takes for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Whether a cell is a formula, or is one behind apostrophes.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA) && cell.parse::<f64>().is_err()
}

/// A cell that a spreadsheet shows and does not compute, by an apostrophe in
/// front: numbers and remarks are written by strangers.
fn guarded(cell: String) -> String {
    if is_formula(&cell) { format!("'{cell}") } else { cell }
}

/// What was in a cell before it was guarded.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Without what would move the cursor, colour the terminal, or show text in
/// another order than it has: numbers and remarks are written by strangers.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Characters that nobody sees: controls, what Unicode calls default ignorable
/// (marks of direction and joiners among it), separators of lines, and blanks
/// that are no white space.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// One value as JSON for people and programs.
pub fn print_json(value: &Value) -> io::Result<()> {
    writeln!(io::stdout(), "{value:#}")
}

/// A moment in local time.
pub fn local(moment: SystemTime, format: Format) -> String {
    let Ok(moment) = Timestamp::try_from(moment) else { return "unknown".to_owned() };
    let zoned: Zoned = moment.to_zoned(TimeZone::system());
    let form = if format == Format::Table { "%Y-%m-%d %H:%M %Z" } else { "%Y-%m-%dT%H:%M:%S%:z" };
    zoned.strftime(form).to_string()
}

/// `3 h 05 min`, `12 min`, `< 1 min`.
pub fn span(duration: std::time::Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "< 1 min".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}
