//! Rows as a table, as JSON or as CSV, on standard output.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::{Map, Value};

use super::arguments::Format;

/// Whether whoever read standard output has gone: `sandbox … | head`.
static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Standard output. A reader that goes away is no failure: what is written after
/// that is dropped, so that a command ends as it would have.
pub struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().write(bytes) {
            Err(error) if is_gone(&error) => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().flush() {
            Err(error) if is_gone(&error) => Ok(()),
            other => other,
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    let gone = error.kind() == io::ErrorKind::BrokenPipe;
    READER_GONE.fetch_or(gone, Ordering::Relaxed);
    gone
}

/// Whether nobody reads standard output any more.
pub fn reader_is_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// A line on standard error, which may be closed too.
pub fn say(line: std::fmt::Arguments<'_>) {
    let _ = io::stderr().write_fmt(line);
}

/// Whether a stream shows colours.
pub fn has_colours(stream: &impl anstream::stream::RawStream) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}

/// Rows under named columns.
pub struct Sheet {
    /// Name in JSON and CSV, and title in a table.
    columns: Vec<(String, String)>,
    rows: Vec<Vec<Value>>,
    /// Names of columns whose text is an amount.
    amounts: Vec<String>,
    /// Columns of the terminal that a table may take.
    widest: Option<u16>,
}

impl Sheet {
    pub fn new(columns: &[(&str, &str)]) -> Self {
        let columns = columns.iter().map(|(name, title)| ((*name).to_owned(), (*title).to_owned())).collect();
        Self { columns, rows: Vec::new(), amounts: Vec::new(), widest: None }
    }

    /// Puts the amounts of these columns below each other.
    pub fn amounts(mut self, names: &[&str]) -> Self {
        self.amounts = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub fn row(&mut self, cells: Vec<Value>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn print(&self, format: Format) -> Result<(), csv::Error> {
        match format {
            Format::Table => Out.write_all(self.table(has_colours(&io::stdout())).as_bytes())?,
            Format::Json => Out.write_all(self.json().as_bytes())?,
            Format::Csv => self.csv(Out)?,
        }
        Ok(Out.flush()?)
    }

    /// Wraps text in a table that would be wider.
    pub fn within(mut self, columns: u16) -> Self {
        self.widest = Some(columns);
        self
    }

    /// A table on standard error, to be looked at before a question.
    pub fn show(&self) {
        eprint!("{}", self.table(has_colours(&io::stderr())));
    }

    /// Text and spaces, the head in bold where colours are wanted.
    fn table(&self, colours: bool) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if let Some(columns) = self.widest {
            // The indent of the first column and the space behind the last are cut below.
            table.set_width(columns + 2).set_content_arrangement(ContentArrangement::Dynamic);
        }
        let number = |column: usize| {
            self.amounts.contains(&self.columns[column].0)
                || self.rows.iter().any(|row| row[column].is_number())
        };
        let align = |column| if number(column) { CellAlignment::Right } else { CellAlignment::Left };
        let cell = |column: usize, text: String| Cell::new(text).set_alignment(align(column));
        table.set_header(
            self.columns.iter().enumerate().map(|(column, (_, title))| cell(column, title.clone())),
        );
        let shown = |column: usize, value: &Value| {
            let text = strip_controls(&text(value));
            if number(column) { grouped(&text) } else { text }
        };
        for row in &self.rows {
            table.add_row(row.iter().enumerate().map(|(column, value)| cell(column, shown(column, value))));
        }
        // The padding of the first column is but an indent.
        let tidy = |line: &str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
        let mut lines = table.lines().map(|line| tidy(&line));
        let head = lines.next().unwrap_or_default();
        let (bold, plain) = if colours { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        format!("{bold}{head}{plain}\n") + &lines.map(|line| line + "\n").collect::<String>()
    }

    fn json(&self) -> String {
        let object = |row: &Vec<Value>| -> Value {
            let members = self.columns.iter().zip(row);
            members.map(|((name, _), value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
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

/// A number with the commas of lakhs and crores, as people in India read it.
pub fn grouped(number: &str) -> String {
    let start = number.find(|c: char| c.is_ascii_digit()).unwrap_or(number.len());
    let end = number[start..].find(|c: char| !c.is_ascii_digit()).map_or(number.len(), |at| start + at);
    let digits = &number[start..end];
    let mut text = number[..start].to_owned();
    for (index, digit) in digits.char_indices() {
        let left = digits.len() - index;
        if index > 0 && (left == 3 || (left > 3 && left % 2 == 1)) {
            text.push(',');
        }
        text.push(digit);
    }
    text + &number[end..]
}

/// Starts of a cell that a spreadsheet takes for a formula. Some take the wide
/// forms of East Asian keyboards as well.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a cell is a formula, or is one behind apostrophes.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA) && cell.parse::<f64>().is_err()
}

/// A cell that a spreadsheet shows and does not compute, by an apostrophe in
/// front: numbers and remarks are written by strangers.
pub fn guarded(cell: String) -> String {
    if is_formula(&cell) { format!("'{cell}") } else { cell }
}

/// What was in a cell before it was guarded.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Without what would move the cursor, colour the terminal, or show text in
/// another order than it has: numbers and remarks are written by strangers.
pub fn strip_controls(text: &str) -> String {
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
    writeln!(Out, "{value:#}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_lakhs_and_crores() {
        for (number, shown) in [
            ("", ""),
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("123456", "1,23,456"),
            ("1234567.50", "12,34,567.50"),
            ("-10000000", "-1,00,00,000"),
            ("none", "none"),
        ] {
            assert_eq!(grouped(number), shown);
        }
    }
}
