//! What a spreadsheet makes of text that looks like a number or a date.
//!
//! Spreadsheets read `007` as 7, `12E3` as 1.20E+04 and `10-11` as
//! 10-Nov, and save what they show. What was there before cannot be computed
//! from that, but whether a known text may have been it can.

/// Whether a spreadsheet may have written `cell` where `text` stood.
pub fn may_be(cell: &str, text: &str) -> bool {
    let (cell, text) = (cell.trim(), text.trim());
    cell.eq_ignore_ascii_case(text) || same_number(cell, text) || same_day(cell, text)
}

/// Equal for a text and for what a spreadsheet saves of it, except where that
/// is [rounded or a day](is_vague).
pub fn key(text: &str) -> String {
    match Number::read(text.trim()) {
        None => text.trim().to_uppercase(),
        Some(number) => format!("{:?}", number.cut(PRECISION)),
    }
}

/// Whether many texts may have stood where a cell has this.
pub fn is_vague(cell: &str) -> bool {
    let is_long = |number: &Number| number.written > PRECISION && number.digits.len() <= PRECISION;
    is_rewritten(cell) || Number::read(cell.trim()).as_ref().is_some_and(is_long)
}

/// Whether a cell looks as a spreadsheet alone writes it: with an exponent, or
/// as a day.
pub fn is_rewritten(cell: &str) -> bool {
    Number::read(cell.trim()).is_some_and(|number| number.scientific) || !days(cell.trim()).is_empty()
}

/// Digits that a spreadsheet keeps of a number.
const PRECISION: usize = 15;

fn same_number(cell: &str, text: &str) -> bool {
    let (Some(cell), Some(text)) = (Number::read(cell), Number::read(text)) else { return false };
    // Of more digits, `LibreOffice` rounds and Excel cuts.
    if cell.rounded(PRECISION) == text.rounded(PRECISION) || cell.cut(PRECISION) == text.cut(PRECISION) {
        return true;
    }
    // An exponent is shown with a few digits of the number, the last of them rounded.
    cell.scientific && cell.rounded(cell.written) == text.rounded(cell.written)
}

/// A number by its digits, without zeros at either end.
#[derive(Debug)]
struct Number {
    negative: bool,
    digits: Vec<u8>,
    /// Power of ten of the first digit.
    magnitude: i32,
    /// Digits that were written, those behind the last that is not zero included.
    written: usize,
    scientific: bool,
}

impl Number {
    /// Decimal digits with a point or an exponent, as a spreadsheet reads a number.
    fn read(text: &str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let rest = rest.strip_prefix('+').filter(|_| !negative).unwrap_or(rest);
        let (mantissa, exponent) = match rest.split_once(['E', 'e']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent.parse::<i16>().ok()?)),
            None => (rest, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if all.is_empty() || !all.iter().all(u8::is_ascii_digit) || all.len() > 400 {
            return None;
        }
        let leading = all.iter().take_while(|digit| **digit == b'0').count();
        let digits = trimmed(all[leading..].to_vec());
        let point = i32::try_from(whole.len()).ok()? + exponent.map_or(0, i32::from);
        Some(Self {
            negative: negative && !digits.is_empty(),
            magnitude: if digits.is_empty() { 0 } else { point - 1 - i32::try_from(leading).ok()? },
            digits,
            written: all.len() - leading,
            scientific: exponent.is_some(),
        })
    }

    /// The number with at most so many digits, the others being zero.
    fn cut(&self, most: usize) -> (bool, Vec<u8>, i32) {
        (self.negative, trimmed(self.digits.iter().copied().take(most).collect()), self.magnitude)
    }

    /// The number with at most so many digits, half away from zero.
    fn rounded(&self, most: usize) -> (bool, Vec<u8>, i32) {
        let (mut digits, mut magnitude) = (self.digits.clone(), self.magnitude);
        if digits.len() > most {
            let up = digits[most] >= b'5';
            digits.truncate(most);
            if up {
                let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
                digits.truncate(most - nines);
                if let Some(last) = digits.last_mut() {
                    *last += 1;
                } else {
                    digits.push(b'1');
                    magnitude += 1;
                }
            }
        }
        (self.negative, trimmed(digits), magnitude)
    }
}

fn trimmed(mut digits: Vec<u8>) -> Vec<u8> {
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    digits
}

fn same_day(cell: &str, text: &str) -> bool {
    let stood = days(text);
    days(cell).iter().any(|shown| stood.iter().any(|stood| shown.agrees_with(*stood)))
}

/// A reading of text as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    /// The last two digits of the year.
    year: Option<u16>,
    month: u8,
    day: Option<u8>,
}

impl Reading {
    /// A spreadsheet fills in what was not written, so one may lack the day or the year.
    fn agrees_with(self, other: Self) -> bool {
        fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<bool> {
            Some(one? == other?)
        }
        let parts = [agree(self.day, other.day), agree(self.year, other.year)];
        self.month == other.month && parts.contains(&Some(true)) && !parts.contains(&Some(false))
    }
}

/// All readings of a text as a date, by the customs of all countries.
fn days(text: &str) -> Vec<Reading> {
    // Behind a date there may be a time.
    let date =
        text.split_once([' ', 'T']).filter(|(_, time)| time.contains(':')).map_or(text, |(date, _)| date);
    let parts: Vec<&str> = date.split(['-', '/', '.', ' ']).collect();
    let mut days = Vec::new();
    let mut add = |year: Option<&str>, month: &str, day: Option<&str>| {
        let (Some(month), Ok(day), Ok(year)) =
            (month_of(month), day.map(day_of).transpose(), year.map(year_of).transpose())
        else {
            return;
        };
        days.push(Reading { year, month, day });
    };
    match parts[..] {
        [first, second] => {
            add(None, second, Some(first));
            add(None, first, Some(second));
            add(Some(second), first, None);
            if first.len() == 4 {
                add(Some(first), second, None);
            }
        }
        [first, second, third] => {
            add(Some(third), second, Some(first));
            add(Some(third), first, Some(second));
            add(Some(first), second, Some(third));
        }
        _ => {}
    }
    days
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let fits = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn day_of(text: &str) -> Result<u8, ()> {
    digits(text, 1..=2).filter(|day| (1..=31).contains(day)).and_then(|day| u8::try_from(day).ok()).ok_or(())
}

fn year_of(text: &str) -> Result<u16, ()> {
    digits(text, 2..=2).or_else(|| digits(text, 4..=4)).map(|year| year % 100).ok_or(())
}

fn month_of(text: &str) -> Option<u8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if let Some(number) = digits(text, 1..=2) {
        return u8::try_from(number).ok().filter(|month| (1..=12).contains(month));
    }
    let text = text.to_lowercase();
    let place = NAMES.iter().position(|name| text.len() >= 3 && name.starts_with(&text))?;
    u8::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_text_is_recognised_in_what_a_spreadsheet_saved() {
        for (cell, text) in [
            ("7", "007"),
            ("12026", "012026"),
            ("1.20E+04", "12E3"),
            ("1.20E+04", "12000"),
            ("1.03E+05", "102789"),
            ("5.09641E+09", "5096411148"),
            ("1.00E+06", "999999"),
            ("1.2", "1.20"),
            ("123456789012345000", "123456789012345678"),
            ("123456789012346000", "123456789012345678"),
            ("0", "000"),
            ("-5", "-05"),
            ("5", "+5"),
            ("10-Nov", "10-11"),
            ("10-Nov", "10/11"),
            ("11-Oct", "10-11"),
            ("Nov-10", "NOV-10"),
            ("10-Nov", "NOV-10"),
            ("Oct-31", "10-31"),
            ("2026-11-10", "10-11"),
            ("10-11-2026", "10-11"),
            ("5/10/26", "05-10-2026"),
            ("10/5/2026", "05-10-2026"),
            ("5-Oct-26", "05-10-2026"),
            ("2026-10-05 00:00:00", "05-10-2026"),
            ("inv-1", "INV-1"),
        ] {
            assert!(may_be(cell, text), "{cell} {text}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for (cell, text) in [
            ("7", "70"),
            ("7", "0.7"),
            ("7", "A7"),
            ("12026", "112026"),
            ("1.20E+04", "12E4"),
            ("1.20E+04", "12345"),
            ("120", "12E3"),
            ("10-Nov", "12-11"),
            ("10-Nov", "1011"),
            ("Nov-10", "10"),
            ("5-Oct-26", "05-10-2025"),
            ("inv-1", "inv-01"),
            ("", "0"),
            ("E5", "0E5"),
            (".", "0"),
            ("5", "--5"),
            ("5", "-+5"),
        ] {
            assert!(!may_be(cell, text), "{cell} {text}");
        }
    }
}
