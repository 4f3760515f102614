//! Tables as people have them: CSV of any usual separator and encoding, or a workbook.
//!
//! Whoever reads one names the columns it uses. All others are never looked at,
//! so that nothing in them can stop a command.

mod delimited;
mod encoding;
pub mod spreadsheet;
mod workbook;

use std::{borrow::Cow, path::Path};

use super::{failure::Failure, files, output::unguarded};

/// Rows above the head that a title and an address may take.
const HEAD_WITHIN: usize = 30;

/// A file, or standard input for `-`.
pub struct Input {
    pub name: String,
    bytes: Vec<u8>,
}

/// A column by its names. Case, spaces and punctuation do not matter.
pub struct Column {
    /// The name that messages and the documentation use.
    pub name: &'static str,
    pub also: &'static [&'static str],
    /// Names that it shares with another column.
    pub shared: &'static [&'static str],
    pub needed: bool,
}

impl Column {
    pub const fn needed(name: &'static str) -> Self {
        Self { name, also: &[], shared: &[], needed: true }
    }

    pub const fn optional(name: &'static str) -> Self {
        Self { name, also: &[], shared: &[], needed: false }
    }

    /// Other names of the column.
    pub const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    /// Names that another column has too. They count if the table has none of the others.
    pub const fn sharing(self, shared: &'static [&'static str]) -> Self {
        Self { shared, ..self }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name).chain(self.also.iter().chain(self.shared).copied())
    }

    fn is_named(&self, title: &Title) -> bool {
        self.names().any(|name| title.is(&letters(name)))
    }
}

/// What makes two titles the same: letters and digits, with what stands in brackets, such
/// as a unit, and without it.
struct Title([String; 2]);

impl Title {
    fn new(title: &str) -> Self {
        Self([letters(title), letters(title.split('(').next().unwrap_or_default())])
    }

    fn is(&self, name: &str) -> bool {
        self.0.iter().any(|title| title == name)
    }
}

/// A row with the columns that were asked for.
pub struct Row {
    /// Where it stands, for messages: `line 7`.
    pub place: String,
    cells: Vec<Option<String>>,
}

impl Row {
    /// The cell of a column, by its place among those asked for; empty where the
    /// table does not have the column.
    pub fn get(&self, column: usize) -> &str {
        self.cells[column].as_deref().unwrap_or_default()
    }

    /// Whether the table has the column.
    pub fn has(&self, column: usize) -> bool {
        self.cells[column].is_some()
    }

    pub fn take(&mut self, column: usize) -> String {
        self.cells[column].take().unwrap_or_default()
    }
}

/// One row as it stands, and its number from 1.
struct RawRow {
    number: usize,
    cells: Vec<String>,
}

/// All rows, until the end or until a quote that is opened and never closed.
#[derive(Default)]
struct RawTable {
    rows: Vec<RawRow>,
    open_quote: Option<usize>,
}

impl Input {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = files::input(path)?;
        Ok(Self { name, bytes })
    }

    /// The content as text, whatever its encoding.
    pub fn text(&self) -> Result<Cow<'_, str>, Failure> {
        encoding::decode(&self.bytes).map_err(|reason| Failure::usage(format!("{} {reason}", self.name)))
    }

    pub fn is_workbook(&self) -> bool {
        workbook::is_one(&self.bytes)
    }

    /// The rows below the head, which is the first row with all needed columns.
    /// Rows without any text are skipped.
    pub fn rows(&self, columns: &[Column]) -> Result<Vec<Row>, Failure> {
        if self.is_workbook() {
            let sheets = workbook::sheets(&self.bytes).map_err(|reason| {
                Failure::usage(format!("{} cannot be read as a workbook: {reason}", self.name))
            })?;
            return self.of_sheet(columns, sheets);
        }
        self.first_with_head(columns, delimited::candidates(&self.text()?))
    }

    /// Of several readings of the text the first that has the columns.
    fn first_with_head(
        &self,
        columns: &[Column],
        tables: impl Iterator<Item = RawTable>,
    ) -> Result<Vec<Row>, Failure> {
        let mut likeliest = None;
        for table in tables {
            if let Some(head) = table.head(columns) {
                self.refuse_open_quote(&table)?;
                self.refuse_shifted(&table, head)?;
                return self.below(columns, table, head, "line");
            }
            likeliest.get_or_insert(table);
        }
        let likeliest = likeliest.unwrap_or_default();
        self.refuse_open_quote(&likeliest)?;
        Err(self.without_head(columns, &likeliest))
    }

    /// The one sheet that a person sees with the columns. Where several have them, no
    /// rows of one are left out without a word.
    fn of_sheet(&self, columns: &[Column], sheets: Vec<workbook::Sheet>) -> Result<Vec<Row>, Failure> {
        let mut likeliest = None;
        let (mut seen, mut hidden) = (Vec::new(), Vec::new());
        for workbook::Sheet { name, is_hidden, table } in sheets {
            match table.head(columns) {
                Some(_) if is_hidden => hidden.push(name),
                Some(head) => seen.push((name, table, head)),
                None if likeliest.is_none() && !is_hidden && !table.rows.is_empty() => {
                    likeliest = Some(table);
                }
                None => {}
            }
        }
        // Templates without rows do not count.
        if seen.iter().any(|(_, table, head)| table.rows.len() > head + 1) {
            seen.retain(|(_, table, head)| table.rows.len() > head + 1);
        }
        let names = |names: &[String]| names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ");
        if seen.len() > 1 {
            let all: Vec<_> = seen.into_iter().map(|(name, ..)| name).collect();
            return Err(Failure::usage(format!(
                "{} has these columns on several sheets: {}",
                self.name,
                names(&all)
            ))
            .hint("Name a file with one of them."));
        }
        if let Some((_, table, head)) = seen.pop() {
            return self.below(columns, table, head, "row");
        }
        if !hidden.is_empty() {
            let hidden = names(&hidden);
            return Err(Failure::usage(format!(
                "{} has these columns on a hidden sheet alone: {hidden}",
                self.name
            ))
            .hint("Show the sheet, or name another file."));
        }
        Err(self.without_head(columns, &likeliest.unwrap_or_default()))
    }

    /// Refuses rows that are longer than the head: a separator within a cell that is not
    /// quoted, such as that of thousands, moves all that follows into other columns.
    fn refuse_shifted(&self, table: &RawTable, head: usize) -> Result<(), Failure> {
        let width = table.rows[head].cells.len();
        let is_longer = |row: &&RawRow| row.cells.iter().skip(width).any(|cell| !cell.trim().is_empty());
        let tell = |row: &RawRow| {
            let last = row.cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
            format!(
                "line {}: has {last} cells, more than the {width} titles; \
                 a cell with a separator in it must stand in quotes",
                row.number
            )
        };
        let wrong: Vec<_> = table.rows[head..].iter().filter(is_longer).map(tell).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Failure::mistakes(&self.name, wrong)) }
    }

    fn refuse_open_quote(&self, table: &RawTable) -> Result<(), Failure> {
        let Some(line) = table.open_quote else { return Ok(()) };
        let mistake = format!("line {line}: a quote is opened here and not closed");
        Err(Failure::mistakes(&self.name, vec![mistake]))
    }

    fn below(
        &self,
        columns: &[Column],
        table: RawTable,
        head: usize,
        word: &str,
    ) -> Result<Vec<Row>, Failure> {
        let mut rows = table.rows.into_iter().skip(head);
        let titles = rows.next().map(|row| row.cells).unwrap_or_default();
        let titles: Vec<Title> = titles.iter().map(|title| Title::new(title)).collect();
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            // The first of its names that there is: a table may have several of them.
            let named = |name: &String| titles.iter().any(|title| title.is(name));
            let name = column.names().map(letters).find(named);
            let is_it = |place: &usize| name.as_ref().is_some_and(|name| titles[*place].is(name));
            let mut fitting = (0..titles.len()).filter(is_it);
            places.push(fitting.next());
            if fitting.next().is_some() {
                return Err(Failure::usage(format!("{} has the column {} twice", self.name, column.name)));
            }
        }
        // Two columns may be the same one of the table, by their other names.
        let rows = rows.map(|RawRow { number, cells }| Row {
            place: format!("{word} {number}"),
            cells: places
                .iter()
                .map(|place| Some(cells.get((*place)?).map(|cell| as_meant(cell).to_owned())))
                .map(|cell| cell.map(Option::unwrap_or_default))
                .collect(),
        });
        Ok(rows.collect())
    }

    fn without_head(&self, columns: &[Column], table: &RawTable) -> Failure {
        let first = table.rows.first().map(|row| row.cells.as_slice()).unwrap_or_default();
        let missing = missing(columns, first);
        if first.is_empty() {
            return Failure::usage(format!(
                "{} is empty; it needs the columns {}",
                self.name,
                listed(&missing)
            ));
        }
        let found: Vec<_> =
            first.iter().map(|title| shown(title)).filter(|title| !title.is_empty()).collect();
        Failure::usage(format!(
            "{} needs the {} {}",
            self.name,
            if missing.len() == 1 { "column" } else { "columns" },
            listed(&missing)
        ))
        .hint(format!("Its first row has: {}", found.join(", ")))
    }
}

impl RawTable {
    /// The place of the first row with all needed columns.
    fn head(&self, columns: &[Column]) -> Option<usize> {
        self.rows.iter().take(HEAD_WITHIN).position(|row| missing(columns, &row.cells).is_empty())
    }
}

/// Names of needed columns that a row does not have.
fn missing(columns: &[Column], titles: &[String]) -> Vec<&'static str> {
    let titles: Vec<Title> = titles.iter().map(|title| Title::new(title)).collect();
    let lacks = |column: &&Column| column.needed && !titles.iter().any(|title| column.is_named(title));
    columns.iter().filter(lacks).map(|column| column.name).collect()
}

fn letters(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// A cell without what stands around it for a spreadsheet alone: `="00123"` keeps a number
/// text.
fn as_meant(cell: &str) -> &str {
    let cell = cell.trim();
    let inner = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    unguarded(inner.filter(|inner| !inner.contains('"')).map_or(cell, str::trim))
}

/// The apostrophe that keeps a number text, where a program has written it into the cell.
pub fn without_apostrophe(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(cell)
}

/// A GSTIN without the spaces that people write between its parts.
pub fn gstin(cell: &str) -> String {
    without_apostrophe(cell).chars().filter(|c| !c.is_whitespace()).collect()
}

/// A cell in a message: short, and nothing that a terminal would act on.
pub fn shown(cell: &str) -> String {
    const MOST: usize = 40;
    let mut text: String = crate::cli::output::strip_controls(cell.trim()).chars().take(MOST + 1).collect();
    if text.chars().count() > MOST {
        text.pop();
        text.push('…');
    }
    text
}

/// What makes a cell unfit to be sent: a character that nobody sees.
pub fn unseen(cell: &str) -> Option<String> {
    let character = cell.chars().find(|c| crate::cli::output::is_unseen(*c))?;
    let kind = if character.is_control() { "a control character" } else { "an invisible character" };
    Some(format!("{kind} (U+{:04X})", u32::from(character)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] =
        [Column::needed("gstin"), Column::needed("username").also(&["user"]), Column::optional("remarks")];

    fn rows(bytes: &[u8]) -> Vec<(String, Vec<String>)> {
        let input = Input { name: "firm.csv".to_owned(), bytes: bytes.to_vec() };
        let rows = input.rows(&COLUMNS).unwrap_or_else(|failure| panic!("{failure}"));
        rows.into_iter()
            .map(|row| (row.place.clone(), (0..3).map(|at| row.get(at).to_owned()).collect()))
            .collect()
    }

    fn refused(text: &str) -> String {
        let input = Input { name: "firm.csv".to_owned(), bytes: text.as_bytes().to_vec() };
        let Err(failure) = input.rows(&COLUMNS) else { panic!("{text} is read") };
        format!("{failure:?}")
    }

    #[test]
    fn separators_and_titles_may_be_any() {
        for text in [
            "gstin,username\nG,u\n",
            "gstin;username;note\nG;u;a,b\n",
            "GSTIN\tUser Name\nG\tu\n",
            "sep=;\ngstin;username\nG;u\n",
            "SEP=|\r\ngstin|username\r\nG|u\r\n",
            "\"sep=,\"\nnote,gstin,username\n\"a;b;c\",G,u\n",
            "Purchases of the firm; a title, with commas\n\nSr.,\"GSTIN\",USER_NAME\n1, G , u\n",
            "user,gstin\nu,G\n",
        ] {
            let read: Vec<_> = rows(text.as_bytes()).into_iter().map(|(_, cells)| cells).collect();
            assert_eq!(read, [["G", "u", ""]], "{text}");
        }
    }

    #[test]
    fn a_line_number_is_that_of_an_editor() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["gstin,username,note", "A,a,", "", " , ,", "B,b,\"two", "lines\"", "C,c,"].join(end);
            let places: Vec<_> = rows(text.as_bytes())
                .into_iter()
                .map(|(place, cells)| format!("{place} {}", cells[0]))
                .collect();
            assert_eq!(places, ["line 2 A", "line 5 B", "line 7 C"], "{end:?}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_there() {
        let told = refused("gstin,note\nG,n\n");
        assert!(told.contains("needs the column username") && told.contains("gstin, note"), "{told}");
        assert!(refused("").contains("is empty; it needs the columns gstin and username"));
        assert!(refused("gstin,username,GSTIN\n").contains("has the column gstin twice"));
        assert!(rows(b"note,gstin,username,note\nn,G,u,n\n").len() == 1, "only where it matters");
    }

    #[test]
    fn an_open_quote_swallows_nothing() {
        for (text, line) in [
            ("gstin,username\nA,\"a\nB,b\n", 2),
            ("gstin,username,note\nA,a,\nB,b,\"open\nC,c,\"closed\" \n", 3),
            ("note,gstin,username\n\"open,A,a\n\"closed\",B,b\n", 2),
        ] {
            assert!(
                refused(text).contains(&format!("line {line}: a quote is opened")),
                "{text}: {}",
                refused(text)
            );
        }
        let read = rows(b"gstin,username,remarks\nA,\"a\"\"b\",5\" pipe\nB,\"Shah\" & Co, \"x\" \n");
        assert_eq!(read[0].1, ["A", "a\"b", "5\" pipe"]);
        assert_eq!(read[1].1, ["B", "Shah & Co", "x"]);
    }
}
