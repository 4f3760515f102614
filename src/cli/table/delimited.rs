//! Text with separators as rows.
//!
//! Written by hand, since the crate `csv` counts lines by LF alone and takes the
//! end of the file for the end of a quote, which makes one cell of all that
//! follows.

use std::{cmp::Reverse, mem};

use super::{HEAD_WITHIN, RawRow, RawTable};

const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// The table by each separator that it may have, the most likely first. A line
/// `sep=;`, which Excel writes and obeys, leaves one.
pub fn candidates(text: &str) -> impl Iterator<Item = RawTable> {
    let (separators, text) = if let Some((separator, rest)) = named(text) {
        // The end of that line begins the rest, so line numbers fit.
        (vec![separator], rest)
    } else {
        let head: String = text.lines().take(HEAD_WITHIN).collect();
        let mut separators = SEPARATORS.to_vec();
        separators.sort_by_key(|separator| Reverse(head.matches(*separator).count()));
        (separators, text)
    };
    separators.into_iter().map(move |separator| parse(text, separator))
}

fn named(text: &str) -> Option<(char, &str)> {
    let (first, rest) = text.split_at(text.find(['\r', '\n']).unwrap_or(text.len()));
    let (word, separator) = first.trim_matches('"').split_at_checked(4)?;
    Some((separator.chars().next().filter(|_| word.eq_ignore_ascii_case("sep="))?, rest))
}

fn parse(text: &str, separator: char) -> RawTable {
    let mut rows = Vec::new();
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let (mut line, mut start) = (1, 1);
    // The line of the quote that is open.
    let mut opened = None;
    // The same of a quote in this cell that ended on a later line. Text behind it
    // means that the quote which ended it was to begin a cell of its own.
    let mut spanning = None;
    let mut end_row = |cells: &mut Vec<String>, number| {
        let cells = mem::take(cells);
        if cells.iter().any(|cell: &String| !cell.trim().is_empty()) {
            rows.push(RawRow { number, cells });
        }
    };

    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = matches!(c, '\r' | '\n');
        if c == '\r' {
            let _ = chars.next_if_eq(&'\n');
        }
        if let Some(from) = opened {
            if c == '"' && chars.next_if_eq(&'"').is_none() {
                opened = None;
                spanning = Some(from).filter(|from| *from < line);
            } else {
                cell.push(if ends_line { '\n' } else { c });
                line += usize::from(ends_line);
            }
        } else if c == separator || ends_line {
            cells.push(mem::take(&mut cell));
            spanning = None;
            if ends_line {
                end_row(&mut cells, start);
                line += 1;
                start = line;
            }
        } else if c == '"' && cell.trim().is_empty() {
            cell.clear();
            opened = Some(line);
        } else if spanning.is_some() && !c.is_whitespace() {
            return RawTable { rows, open_quote: spanning };
        } else {
            cell.push(c);
        }
    }
    if opened.is_none() {
        cells.push(cell);
        end_row(&mut cells, start);
    }
    RawTable { rows, open_quote: opened }
}
