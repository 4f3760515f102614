//! Cells of a register as dates, amounts and words.

use sandbox_client::{
    matching::Kind,
    values::{CalendarDate, Decimal},
};

use crate::cli::table::shown;

/// How dates in digits are written in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    DayFirst,
    /// As in the United States, where the column has a day above twelve in second place
    /// and none in first.
    MonthFirst,
}

impl Dates {
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let (mut first, mut second) = (false, false);
        for cell in cells {
            if let [one, other, _] = parts(cell)[..] {
                let above = |text: &str| text.len() < 3 && text.parse::<u8>().is_ok_and(|number| number > 12);
                first |= above(one);
                second |= above(other);
            }
        }
        if second && !first { Self::MonthFirst } else { Self::DayFirst }
    }

    /// The day, or nothing for an empty cell.
    pub fn read(self, cell: &str) -> Result<Option<CalendarDate>, String> {
        if cell.is_empty() {
            return Ok(None);
        }
        let date = match parts(cell)[..] {
            [year, month, day] if year.len() == 4 => date(day, month, year),
            [day, month, year] if month.chars().any(char::is_alphabetic) || self == Self::DayFirst => {
                date(day, month, year)
            }
            [month, day, year] => date(day, month, year),
            [serial] => of_serial(serial),
            _ => None,
        };
        date.map(Some).ok_or_else(|| {
            let form =
                if self == Self::DayFirst { "05-11-2025" } else { "11/25/2025, as others in the column" };
            format!("must be a day such as {form}, found `{}`", shown(cell))
        })
    }
}

/// Day, month and year without a time behind them.
fn parts(cell: &str) -> Vec<&str> {
    let date =
        cell.split_once([' ', 'T']).filter(|(_, time)| time.contains(':')).map_or(cell, |(date, _)| date);
    date.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty()).collect()
}

fn date(day: &str, month: &str, year: &str) -> Option<CalendarDate> {
    const NAMES: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = month.trim_end_matches(',');
    let month = if let Ok(number) = month.parse() {
        number
    } else {
        let start = month.get(..3)?.to_ascii_lowercase();
        u8::try_from(NAMES.iter().position(|name| *name == start)? + 1).ok()?
    };
    let year: u16 = match year.len() {
        2 => 2000 + year.parse::<u16>().ok()?,
        4 => year.parse().ok()?,
        _ => return None,
    };
    CalendarDate::new(year, month, day.parse().ok()?)
}

/// The number of a day as spreadsheets count, from 1900, where it is in the years of
/// GST: 42917 is 1 July 2017.
fn of_serial(text: &str) -> Option<CalendarDate> {
    let mut left: u32 = text.parse().ok()?;
    if !(42_917..80_000).contains(&left) {
        return None;
    }
    left -= 42_736; // 1 January 2017
    for year in 2017.. {
        for month in 1..=12 {
            let days = (28..=31).rev().find(|day| CalendarDate::new(year, month, *day).is_some())?;
            if left < u32::from(days) {
                return CalendarDate::new(year, month, u8::try_from(left).ok()? + 1);
            }
            left -= u32::from(days);
        }
    }
    None
}

/// An amount as people and spreadsheets write it, or nothing for an empty cell.
pub fn amount(cell: &str) -> Result<Option<Decimal>, String> {
    let text = cell.trim_start_matches(['₹', '$']).trim();
    let text = ["INR", "Rs.", "Rs"].iter().find_map(|unit| text.strip_prefix(unit)).unwrap_or(text);
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.is_empty() || text == "-" {
        return Ok(None);
    }
    let wrong = || Err(format!("must be an amount such as 1234.50, found `{}`", shown(cell)));
    // A minus in front or behind, brackets, or the credit side of a ledger.
    let (negative, text) = if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
    {
        (true, inner)
    } else if let Some(rest) =
        text.strip_prefix('-').or_else(|| text.strip_suffix('-')).or_else(|| text.strip_suffix("Cr"))
    {
        (true, rest)
    } else {
        (false, text.strip_suffix("Dr").unwrap_or(&text))
    };
    // One or two digits behind the last comma are a fraction: groups have three.
    let fraction = text.rsplit_once(',').filter(|(whole, fraction)| {
        matches!(fraction.len(), 1 | 2)
            && fraction.bytes().all(|byte| byte.is_ascii_digit())
            && !whole.contains(',')
    });
    let plain = match fraction {
        Some((whole, fraction)) => format!("{}.{fraction}", whole.replace('.', "")),
        None => text.replace(',', ""),
    };
    if plain.starts_with(['+', '-'])
        || !plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'E' | b'e' | b'+' | b'-'))
    {
        return wrong();
    }
    let read = plain.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&plain));
    match read {
        Ok(amount) => Ok(Some(if negative { -amount } else { amount })),
        Err(_) => wrong(),
    }
}

/// The kind as the supplier calls it, or nothing for an empty cell.
pub fn kind(cell: &str) -> Result<Option<Kind>, String> {
    let letters: String =
        cell.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    Ok(Some(match letters.as_str() {
        "" => return Ok(None),
        "invoice" | "inv" | "i" | "r" | "bill" | "taxinvoice" | "purchase" | "purchaseinvoice" | "b"
        | "bb" => Kind::Invoice,
        "creditnote" | "cn" | "crn" | "c" | "credit" => Kind::CreditNote,
        "debitnote" | "dn" | "dbn" | "d" | "debit" => Kind::DebitNote,
        _ => return Err(format!("kind must be invoice, credit note or debit note, found `{}`", shown(cell))),
    }))
}

pub fn reverse_charge(cell: &str) -> Result<Option<bool>, String> {
    match cell.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "y" | "yes" | "true" | "1" => Ok(Some(true)),
        "n" | "no" | "false" | "0" => Ok(Some(false)),
        _ => Err(format!("reverse_charge must be yes or no, found `{}`", shown(cell))),
    }
}

/// The code of a state at the start of a cell such as `24-Gujarat`.
pub fn state(cell: &str) -> Option<String> {
    let digits: String = cell.chars().take_while(char::is_ascii_digit).collect();
    matches!(digits.len(), 1 | 2).then(|| format!("{digits:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_a_column_has_them() {
        let read = |cell: &str| Dates::DayFirst.read(cell).ok().flatten().map(|date| date.to_string());
        for (cell, date) in [
            ("05-11-2025", "2025-11-05"),
            ("5/11/25", "2025-11-05"),
            ("05.11.2025 00:00:00", "2025-11-05"),
            ("2025-11-05", "2025-11-05"),
            ("2025-11-05T10:00:00", "2025-11-05"),
            ("5-Nov-25", "2025-11-05"),
            ("5 November 2025", "2025-11-05"),
            ("45966", "2025-11-05"),
            ("42917", "2017-07-01"),
            ("45351", "2024-02-29"),
        ] {
            assert_eq!(read(cell).as_deref(), Some(date), "{cell}");
        }
        for cell in ["31-02-2025", "13/13/2025", "yesterday", "12", "5-5", "5-Foo-25"] {
            assert!(Dates::DayFirst.read(cell).is_err(), "{cell}");
        }
        let column = ["11/05/2025", "11/25/2025", ""];
        let dates = Dates::of(column.into_iter());
        assert_eq!(dates, Dates::MonthFirst);
        assert_eq!(dates.read(column[0]).unwrap().unwrap().to_string(), "2025-11-05");
        assert_eq!(Dates::of(["25/11/2025", "11/25/2025"].into_iter()), Dates::DayFirst);
        assert_eq!(Dates::DayFirst.read(""), Ok(None));
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (cell, amount_of) in [
            ("1000", "1000"),
            ("1,23,456.78", "123456.78"),
            ("₹ 1,000.00", "1000.00"),
            ("Rs. 50", "50"),
            ("(100.50)", "-100.50"),
            ("-100", "-100"),
            ("100-", "-100"),
            ("100.00 Cr", "-100.00"),
            ("100.00Dr", "100.00"),
            ("1.234,56", "1234.56"),
            ("12,5", "12.5"),
            ("1.2E+04", "12000"),
        ] {
            assert_eq!(amount(cell), Ok(Some(amount_of.parse().unwrap())), "{cell}");
        }
        assert_eq!((amount(""), amount(" - ")), (Ok(None), Ok(None)));
        for cell in ["abc", "12a", "1.2.3", "#N/A", "--5", "1/2"] {
            assert!(amount(cell).is_err(), "{cell}");
        }
    }
}
