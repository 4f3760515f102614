//! Workbooks: xlsx, and what else calamine reads.

use std::io::Cursor;

use calamine::{Data, Reader as _, Sheets, open_workbook_auto_from_rs};

use super::{RawRow, RawTable};

/// A ZIP archive (xlsx, xlsb, ods) or a compound file (xls).
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0")
}

/// Its sheets in their order.
pub fn sheets(bytes: &[u8]) -> Result<impl Iterator<Item = RawTable>, String> {
    let mut workbook: Sheets<_> =
        open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let sheets: Vec<_> = workbook.worksheets().into_iter().map(|(_, range)| range).collect();
    Ok(sheets.into_iter().map(|range| {
        let first = range.start().map_or(0, |(row, _)| row as usize);
        let rows = range.rows().enumerate().map(|(index, cells)| RawRow {
            number: first + index + 1,
            cells: cells.iter().map(text).collect(),
        });
        let rows = rows.filter(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
        RawTable { rows: rows.collect(), open_quote: None }
    }))
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
