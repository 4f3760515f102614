//! Cells of a register as dates, amounts and words.

use sandbox_client::{
    matching::Kind,
    values::{CalendarDate, Decimal},
};

use crate::cli::table::{shown, without_apostrophe};

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
        let cell = without_apostrophe(cell);
        if cell.is_empty() {
            return Ok(None);
        }
        let date = match parts(cell)[..] {
            [year, month, day] if year.len() == 4 => date(day, month, year),
            [month, day, year] if has_letters(month) => date(day.trim_end_matches(','), month, year),
            [day, month, year] if has_letters(month) || self == Self::DayFirst => date(day, month, year),
            [month, day, year] => date(day, month, year),
            [serial] => of_serial(serial),
            // With a time of the day, as a spreadsheet counts.
            [serial, time] if serial.len() == 5 && cell == format!("{serial}.{time}") => of_serial(serial),
            _ => None,
        };
        date.map(|date| if is_next_day_in_india(cell) { day_after(date) } else { date }).map(Some).ok_or_else(
            || {
                let form =
                    if self == Self::DayFirst { "05-11-2025" } else { "11/25/2025, as others in the column" };
                format!("must be a day such as {form}, found `{}`", shown(cell))
            },
        )
    }
}

/// Day, month and year without a time behind them.
fn parts(cell: &str) -> Vec<&str> {
    let date = time(cell).map_or(cell, |(date, _)| date);
    date.split(|c: char| matches!(c, '-' | '/' | '.') || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect()
}

fn time(cell: &str) -> Option<(&str, &str)> {
    cell.split_once([' ', 'T']).filter(|(_, time)| time.contains(':'))
}

fn has_letters(part: &str) -> bool {
    part.chars().any(char::is_alphabetic)
}

/// Programs write midnight in India as 18:30 of the day before, in the time of Greenwich.
fn is_next_day_in_india(cell: &str) -> bool {
    const MIDNIGHT: (u8, u8) = (18, 30);
    let clock = time(cell).and_then(|(_, time)| time.strip_suffix('Z'));
    let mut numbers =
        clock.into_iter().flat_map(|clock| clock.split(':')).map(|part| part.parse::<u8>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(hour), Some(minute)) => (hour, minute) >= MIDNIGHT,
        _ => false,
    }
}

fn day_after(date: CalendarDate) -> CalendarDate {
    let (year, month) = (date.year(), date.month());
    CalendarDate::new(year, month, date.day() + 1)
        .or_else(|| CalendarDate::new(year, month + 1, 1))
        .or_else(|| CalendarDate::new(year + 1, 1, 1))
        .unwrap_or(date)
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

/// Which of point and comma begins the fraction of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fractions {
    Point,
    /// As in much of Europe, where some cell has it so and none the other way.
    Comma,
    /// Some cells have the one and some the other.
    Both,
}

impl Fractions {
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let (mut point, mut comma) = (false, false);
        for cell in cells {
            match unsigned(cell).and_then(|(_, number)| fraction_of(&number)) {
                Some('.') => point = true,
                Some(_) => comma = true,
                None => {}
            }
        }
        match (point, comma) {
            (true, true) => Self::Both,
            (false, true) => Self::Comma,
            (_, false) => Self::Point,
        }
    }

    /// An amount as people and spreadsheets write it, or nothing for an empty cell.
    pub fn read(self, cell: &str) -> Result<Option<Decimal>, String> {
        let found = |reason: &str| Err(format!("{reason}, found `{}`", shown(cell)));
        let wrong = || found("must be an amount such as 1234.50");
        let Some((negative, number)) = unsigned(cell) else { return Ok(None) };
        let read = if number.contains(['E', 'e']) {
            if is_cut(&number) {
                return found("has lost digits in a spreadsheet");
            }
            Decimal::from_scientific(&number).ok()
        } else {
            let fraction = match (fraction_of(&number), self) {
                (Some(fraction), _) => fraction,
                (None, Self::Comma) => ',',
                (None, Self::Both) if number.contains([',', '.']) => {
                    return found("has a separator that begins a fraction in some rows and not in others");
                }
                (None, _) => '.',
            };
            plain(&number, fraction).and_then(|plain| plain.parse().ok())
        };
        match read {
            Some(amount) => Ok(Some(if negative { -amount } else { amount })),
            None => wrong(),
        }
    }
}

/// Sign and number of an amount: a minus in front or behind, brackets, or the credit side
/// of a ledger; without the currency. Nothing for an empty cell.
fn unsigned(cell: &str) -> Option<(bool, String)> {
    const AROUND: [&str; 5] = ["₹", "rs.", "rs", "inr", "/-"];
    let dashes = |c: char| if matches!(c, '−' | '–' | '—') { '-' } else { c };
    let cell: String =
        cell.trim_start_matches('\'').chars().filter(|c| !c.is_whitespace()).map(dashes).collect();
    let cell = cell.to_lowercase();
    if matches!(cell.as_str(), "" | "-" | "nil") {
        return None;
    }
    let (mut negative, mut number) = (false, cell.as_str());
    loop {
        let minus = (number.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')))
            .or_else(|| number.strip_prefix('-'))
            .or_else(|| number.strip_suffix('-').filter(|rest| !rest.ends_with('/')))
            .or_else(|| number.strip_suffix("cr"));
        if let Some(rest) = minus.filter(|_| !negative) {
            (negative, number) = (true, rest);
            continue;
        }
        let bare = (AROUND.iter())
            .find_map(|unit| number.strip_prefix(unit).or_else(|| number.strip_suffix(unit)))
            .or_else(|| number.strip_suffix("dr"));
        match bare {
            Some(rest) => number = rest,
            None => break,
        }
    }
    Some((negative, number.strip_prefix('+').unwrap_or(number).to_owned()))
}

/// Which separator begins the fraction, where the number itself tells: the digits behind
/// it are no group of three, or the other one has groups before it.
fn fraction_of(number: &str) -> Option<char> {
    let last = number.rfind(['.', ','])?;
    let (before, behind) = (&number[..last], &number[last + 1..]);
    let (separator, other) = if number[last..].starts_with('.') { ('.', ',') } else { (',', '.') };
    if before.contains(separator) {
        // These are groups.
        return Some(other);
    }
    let is_fraction = match behind.len() {
        3 => before.len() > 3 || before.starts_with('0'),
        1 | 2 => true,
        _ => separator == '.',
    };
    (is_fraction || before.contains(other)).then_some(separator)
}

/// The number with a point and without groups, where its groups are such: the last of
/// three digits, those before of two or three.
fn plain(number: &str, fraction: char) -> Option<String> {
    let (whole, behind) = number.split_once(fraction).unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let group = if fraction == '.' { ',' } else { '.' };
    let mut groups = whole.split(group).rev();
    let last = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let first = rest.last().copied().unwrap_or(last);
    let fits = rest.is_empty()
        || (last.len() == 3
            && (1..=3).contains(&first.len())
            && rest[..rest.len() - 1].iter().all(|group| matches!(group.len(), 2 | 3)));
    let all_digits = is_digits(behind) && is_digits(last) && rest.iter().all(|group| is_digits(group));
    (fits && all_digits && !(whole.is_empty() && behind.is_empty()))
        .then(|| format!("{}.{behind}", whole.replace(group, "")).trim_end_matches('.').to_owned())
}

/// Whether a spreadsheet has shown fewer digits than the number has: 1.03E+05. Programs
/// write all of them, and no plus: 1.2E7.
fn is_cut(number: &str) -> bool {
    number.to_lowercase().split_once("e+").is_some_and(|(mantissa, exponent)| {
        let digits = mantissa.split_once('.').map_or(0, |(_, behind)| behind.len());
        exponent.parse::<usize>().is_ok_and(|exponent| exponent > digits)
    })
}

/// The kind as the supplier calls it, or nothing for an empty cell.
pub fn kind(cell: &str) -> Result<Option<Kind>, String> {
    let letters: String =
        cell.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    Ok(Some(match letters.as_str() {
        "" => return Ok(None),
        "invoice" | "inv" | "i" | "r" | "bill" | "taxinvoice" | "purchase" | "purchaseinvoice" | "b"
        | "bb" | "isd" | "isdi" | "isdinvoice" => Kind::Invoice,
        "creditnote" | "cn" | "crn" | "c" | "credit" | "isdc" | "isdcn" | "isdcreditnote" => Kind::CreditNote,
        "debitnote" | "dn" | "dbn" | "d" | "debit" => Kind::DebitNote,
        "billofentry" | "boe" | "be" | "import" | "imports" | "importofgoods" | "importofgoodssez"
        | "impg" | "impgsez" => Kind::BillOfEntry,
        _ => {
            return Err(format!(
                "kind must be invoice, credit note, debit note or bill of entry, found `{}`",
                shown(cell)
            ));
        }
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
            ("45966.0", "2025-11-05"),
            ("Nov 5, 2025", "2025-11-05"),
            ("05\u{a0}Nov\u{a0}2025", "2025-11-05"),
            ("'05-11-2025", "2025-11-05"),
            ("05-11-2025 12:30 PM", "2025-11-05"),
            // Midnight in India.
            ("2025-11-04T18:30:00.000Z", "2025-11-05"),
            ("2026-03-31T18:30:00Z", "2026-04-01"),
            ("2025-12-31T18:30Z", "2026-01-01"),
            ("2025-11-05T00:00:00Z", "2025-11-05"),
            ("2025-11-05T18:30:00+05:30", "2025-11-05"),
        ] {
            assert_eq!(read(cell).as_deref(), Some(date), "{cell}");
        }
        for cell in
            ["31-02-2025", "13/13/2025", "yesterday", "12", "5-5", "5-Foo-25", "45966.5.1", "0", "1900-01-00"]
        {
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
        for (cell, amount) in [
            ("1000", "1000"),
            ("1,23,456.78", "123456.78"),
            ("123,456.78", "123456.78"),
            ("1,234", "1234"),
            ("1,00,000", "100000"),
            ("1.234", "1.234"),
            (".5", "0.5"),
            ("12.", "12"),
            ("₹ 1,000.00", "1000.00"),
            ("Rs. 50", "50"),
            ("500/-", "500"),
            ("Rs. 1,500/-", "1500"),
            ("100 INR", "100"),
            ("(100.50)", "-100.50"),
            ("(₹1,000)", "-1000"),
            ("-₹500", "-500"),
            ("₹-500", "-500"),
            ("−500", "-500"),
            ("-100", "-100"),
            ("100-", "-100"),
            ("+100", "100"),
            ("100.00 Cr", "-100.00"),
            ("100.00Dr", "100.00"),
            ("'1234.50", "1234.50"),
            ("1.234,56", "1234.56"),
            ("1.234.567,8", "1234567.8"),
            ("1.234.567", "1234567"),
            ("12,5", "12.5"),
            ("1\u{a0}234,56", "1234.56"),
            ("1.2E7", "12000000"),
            ("1.23456E+05", "123456"),
        ] {
            assert_eq!(Fractions::Point.read(cell), Ok(Some(amount.parse().unwrap())), "{cell}");
        }
        for cell in ["", " - ", "–", "Nil"] {
            assert_eq!(Fractions::Point.read(cell), Ok(None), "{cell}");
        }
        for cell in [
            "abc", "12a", "1.2.3", "#N/A", "--5", "1/2", "1,2345", "1,23,45", "12,34,5", "1,2,3", "1,,000",
            ",000", "1.23.4,5", "$100", "(-5)", ".", "₹", "=B2*18%", "1e", "1\0",
        ] {
            assert!(Fractions::Point.read(cell).is_err(), "{cell}");
        }
        let cut = Fractions::Point.read("1.03E+05").unwrap_err();
        assert_eq!(cut, "has lost digits in a spreadsheet, found `1.03E+05`");
    }

    #[test]
    fn a_separator_means_what_it_means_in_the_other_cells() {
        let read = |column: &[&str], cell: &str| {
            let read = Fractions::of(column.iter().copied()).read(cell);
            read.map_or_else(|_| "told".to_owned(), |amount| amount.unwrap().to_string())
        };
        for (column, cell, amount) in [
            (&["1.234,56", "99,5"][..], "2.500", "2500"),
            (&["1.234,56", "99,5"], "2,500", "2.500"),
            (&["1,234.56", "99.5"], "2,500", "2500"),
            (&["1,234.56", "99.5"], "2.500", "2.500"),
            (&["1,00,000", "7"], "2,500", "2500"),
            (&["1.000.000", "7"], "2.500", "2500"),
            (&["1,234.56", "99,5"], "2,500", "told"),
            (&["1,234.56", "99,5"], "99,5", "99.5"),
            (&["1,234.56", "99,5"], "2500", "2500"),
        ] {
            assert_eq!(read(column, cell), amount, "{column:?} {cell}");
        }
    }
}
