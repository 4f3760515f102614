//! Workbooks: xlsx, and what else calamine reads.

use std::io::Cursor;

use calamine::{Data, Range, Reader as _, SheetVisible, Sheets, open_workbook_auto_from_rs};

use super::{RawRow, RawTable};

/// A ZIP archive (xlsx, xlsb, ods) or a compound file (xls).
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0")
}

/// Its sheets in their order.
pub fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, String> {
    let mut workbook: Sheets<_> =
        open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let hidden: Vec<String> = (workbook.sheets_metadata().iter())
        .filter(|sheet| sheet.visible != SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let ranges = workbook.worksheets();
    let mut sheets = Vec::with_capacity(ranges.len());
    for (name, range) in ranges {
        let formulas = workbook.worksheet_formula(&name).unwrap_or_default();
        let is_hidden = hidden.contains(&name);
        sheets.push(Sheet { table: table(&range, &formulas), name, is_hidden });
    }
    Ok(sheets)
}

/// One sheet.
pub struct Sheet {
    pub name: String,
    pub is_hidden: bool,
    pub table: RawTable,
}

/// A formula that no program has computed yet has no value. It stands for itself, so
/// that it is told and not taken for an empty cell.
fn table(range: &Range<Data>, formulas: &Range<String>) -> RawTable {
    let (first_row, first_column) = range.start().unwrap_or_default();
    let rows = range.rows().zip(first_row..).map(|(cells, row)| RawRow {
        number: row as usize + 1,
        cells: (cells.iter().zip(first_column..))
            .map(|(cell, column)| match formulas.get_value((row, column)) {
                Some(formula) if *cell == Data::Empty && !formula.is_empty() => {
                    format!("={}", formula.trim_start_matches('='))
                }
                _ => text(cell),
            })
            .collect(),
    });
    let rows = rows.filter(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
    RawTable { rows: rows.collect(), open_quote: None }
}

/// A value as a CSV would have it, but with a date that has one reading.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => float(*number),
        Data::Bool(truth) => truth.to_string(),
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        Data::DateTime(duration) => float(duration.as_f64()),
        Data::Error(error) => error.to_string(),
    }
}

/// With the fifteen digits that a spreadsheet has, and without an exponent.
fn float(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_a_spreadsheet_shows() {
        for (number, shown) in [
            (7.0, "7"),
            (1694.92, "1694.92"),
            (0.1 + 0.2, "0.3"),
            (-1.5, "-1.5"),
            (112_025.0, "112025"),
            (1e16, "10000000000000000"),
        ] {
            assert_eq!(float(number), shown);
        }
    }
}
