//! Numbers of documents, as two people write one.

use compact_str::CompactString;

/// Normalises a number: ignores case, separators, leading zeros of each
/// part, and the financial year that begins in `year`.
///
/// A boundary between two groups of digits stays, so that `1/23` and `12/3`
/// differ. The year goes where it stands as two years or as a group of its own,
/// with `FY` in front or without, and only while digits are left.
///
/// ```
/// use sandbox_client::matching::normalised_number;
///
/// for written in ["INV/001/25-26", "inv-1", "INV 0001 FY2025-26", "2526/INV/1"] {
///     assert_eq!(normalised_number(written, Some(2025)), "INV1", "{written}");
/// }
/// assert_eq!(normalised_number("INV/25-26", Some(2025)), "INV25-26");
/// assert_eq!(normalised_number("INV/1/24-25", Some(2025)), "INV1-24-25");
/// ```
#[must_use]
pub fn normalised_number(number: &str, year: Option<u16>) -> String {
    normalised(number, year).into()
}

pub(super) fn normalised(number: &str, year: Option<u16>) -> CompactString {
    let mut runs = runs(number);
    if let Some(year) = year {
        remove_year(&mut runs, year);
    }
    let mut text = CompactString::default();
    let mut after_digits = false;
    for run in runs {
        let digits = is_digits(run);
        if digits {
            if after_digits {
                text.push('-');
            }
            let significant = run.trim_start_matches('0');
            text.push_str(if significant.is_empty() { "0" } else { significant });
        } else {
            text.extend(run.chars().flat_map(char::to_uppercase));
        }
        after_digits = digits;
    }
    if text.is_empty() { number.trim().into() } else { text }
}

/// Letters and digits alone, in capitals: what is the same number on one side.
pub(super) fn bare(number: &str) -> CompactString {
    number.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The groups of digits and of letters.
fn runs(number: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    for part in number.split(|c: char| !c.is_alphanumeric()) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            runs.push(run);
            rest = after;
        }
    }
    runs
}

fn is_digits(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// Takes out the first financial year, if digits are left then.
fn remove_year(runs: &mut Vec<&str>, year: u16) {
    let (this, next) = (year.to_string(), (year + 1).to_string());
    let short = |year: &str| year[year.len().saturating_sub(2)..].to_owned();
    let (short_this, short_next) = (short(&this), short(&next));
    let is_year = |run: &str| {
        run == format!("{this}{next}")
            || run == format!("{this}{short_next}")
            || run == format!("{short_this}{short_next}")
    };
    let is_pair = |first: &str, second: &str| {
        (first == this && (second == next || second == short_next))
            || (first == short_this && second == short_next)
    };
    for start in 0..runs.len() {
        let length = if is_year(runs[start]) {
            1
        } else if runs.get(start + 1).is_some_and(|second| is_pair(runs[start], second)) {
            2
        } else {
            continue;
        };
        let has_fy = start > 0 && runs[start - 1].eq_ignore_ascii_case("FY");
        let taken = start - usize::from(has_fy)..start + length;
        if runs.iter().enumerate().any(|(index, run)| is_digits(run) && !taken.contains(&index)) {
            runs.drain(taken);
            return;
        }
    }
}

/// How two normalised numbers are nearly the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// One is the other with something more in front or behind.
    Part,
    /// So many characters differ.
    Typing(u8),
}

pub(super) fn nearness(one: &str, other: &str) -> Option<Nearness> {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if is_part(short, long) {
        return Some(Nearness::Part);
    }
    let most = match short.chars().count() {
        0..4 => return None,
        4..10 => 1,
        _ => 2,
    };
    distance(short, long, most).map(Nearness::Typing)
}

/// Whether the longer one has the shorter at its start or end, cut where letters
/// and digits meet, and with digits in it.
fn is_part(short: &str, long: &str) -> bool {
    let rest = |rest: Option<&str>, inner: fn(&str) -> Option<char>, outer: fn(&str) -> Option<char>| {
        rest.is_some_and(|rest| match (inner(short), outer(rest)) {
            (Some(inner), Some(outer)) => inner.is_ascii_digit() != outer.is_ascii_digit(),
            _ => false,
        })
    };
    short.contains(|c: char| c.is_ascii_digit())
        && (rest(long.strip_suffix(short), |text| text.chars().next(), |text| text.chars().next_back())
            || rest(long.strip_prefix(short), |text| text.chars().next_back(), |text| text.chars().next()))
}

/// How many characters must be changed, added, left out, or swapped with their
/// neighbour; `None` for more than `most`.
fn distance(one: &str, other: &str, most: u8) -> Option<u8> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > usize::from(most) || one.len().max(other.len()) > 64 {
        return None;
    }
    let width = other.len() + 1;
    let mut rows = [vec![0_usize; width], (0..width).collect::<Vec<_>>(), vec![0; width]];
    for (i, a) in one.iter().enumerate() {
        let [before, last, this] = &mut rows;
        this[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let change = last[j] + usize::from(a != b);
            this[j + 1] = change.min(last[j + 1] + 1).min(this[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                this[j + 1] = this[j + 1].min(before[j - 1] + 1);
            }
        }
        rows.rotate_left(1);
    }
    u8::try_from(rows[1][other.len()]).ok().filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_differently_is_the_same_number() {
        for (written, year, normal) in [
            ("INV-001", None, "INV1"),
            ("inv 001", None, "INV1"),
            ("INV/0/01", None, "INV0-1"),
            ("000", None, "0"),
            ("A-B/12", None, "AB12"),
            ("AB12", None, "AB12"),
            ("1/23", None, "1-23"),
            ("12/3", None, "12-3"),
            ("INV/2324/001", Some(2023), "INV1"),
            ("INV/202324/001", Some(2023), "INV1"),
            ("INV/2023-2024/001", Some(2023), "INV1"),
            ("INV/001/FY23-24", Some(2023), "INV1"),
            ("123-245", Some(2023), "123-245"),
            ("INV-2324", Some(2023), "INV2324"),
            ("23-24/23-24", Some(2023), "23-24"),
            ("99-00/1", Some(2099), "1"),
            ("--", None, "--"),
            (" ", None, ""),
            ("बिल/007", None, "बिल7"),
        ] {
            assert_eq!(normalised(written, year), normal, "{written}");
        }
    }

    #[test]
    fn numbers_are_near_by_a_part_or_by_typing() {
        use Nearness::{Part, Typing};
        for (one, other, near) in [
            ("INV1", "1", Some(Part)),
            ("12", "INV12", Some(Part)),
            ("INV12", "INV12A", Some(Part)),
            ("25-12", "12", Some(Part)),
            ("112", "12", None),
            ("INV", "INV1", None),
            ("BILL23-40", "BILL23-45", Some(Typing(1))),
            ("BILL23-40", "BLIL23-40", Some(Typing(1))),
            ("INVOICE1234", "INVOICE1256", Some(Typing(2))),
            ("INV1234", "INV1256", None),
            ("A12", "A13", None),
        ] {
            assert_eq!(nearness(one, other), near, "{one} {other}");
            assert_eq!(nearness(other, one), near, "{other} {one}");
        }
    }
}
