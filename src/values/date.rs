//! Days as the provider writes them.

use std::{convert::Infallible, fmt, str::FromStr};

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, ErrorKind, field};

/// A date as sent: `05-11-2024` in lists of invoices, `05/11/2024` elsewhere.
///
/// The text is kept as it came, since answers also have dates that are none,
/// and those must not fail a call. [`to_date`](ProviderDate::to_date) reads it.
///
/// ```
/// use sandbox_client::values::ProviderDate;
///
/// let date = ProviderDate::from("05-11-2024").to_date()?;
/// assert_eq!((date.year(), date.month(), date.day()), (2024, 11, 5));
/// assert_eq!(date.to_string(), "2024-11-05");
/// assert!(ProviderDate::from("31/02/2024").to_date().is_err());
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderDate(CompactString);

impl ProviderDate {
    /// The text as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The day that the text names, by `DD-MM-YYYY` or `DD/MM/YYYY`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] where it names none: `00-00-0000`, `NA`, nothing.
    pub fn to_date(&self) -> Result<CalendarDate, Error> {
        self.parse().ok_or_else(|| {
            Error::new(ErrorKind::Decode, "the text is not a date of the form DD-MM-YYYY or DD/MM/YYYY")
        })
    }

    fn parse(&self) -> Option<CalendarDate> {
        let text = self.0.trim();
        let bytes = text.as_bytes();
        let digits = |part: std::ops::Range<usize>| {
            let part = text.get(part)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let separated = bytes.len() == 10 && matches!(bytes[2], b'-' | b'/') && bytes[2] == bytes[5];
        if !separated {
            return None;
        }
        let (day, month) = (u8::try_from(digits(0..2)?).ok()?, u8::try_from(digits(3..5)?).ok()?);
        CalendarDate::new(digits(6..10)?, month, day)
    }
}

impl From<&str> for ProviderDate {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl FromStr for ProviderDate {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

impl fmt::Display for ProviderDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for ProviderDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProviderDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::read(deserializer)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(ProviderDate, "ProviderDate", String);

/// A day of the calendar. Ordered by time; prints as `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CalendarDate {
    year: u16,
    month: u8,
    day: u8,
}

impl CalendarDate {
    /// The day, or `None` if the calendar has no such day. Years are 1 to 9999.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        ((1..=9999).contains(&year) && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// The year in which the day's financial year begins, in April.
    ///
    /// ```
    /// use sandbox_client::values::CalendarDate;
    ///
    /// let day: CalendarDate = "2026-03-31".parse()?;
    /// assert_eq!(day.financial_year(), 2025);
    /// # Ok::<(), sandbox_client::Error>(())
    /// ```
    #[must_use]
    pub fn financial_year(self) -> u16 {
        self.year - u16::from(self.month < 4)
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }
}

impl FromStr for CalendarDate {
    type Err = Error;

    /// Reads `YYYY-MM-DD`, as it is printed.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '-').zip([4, 2, 2]).map(|(part, length)| {
            let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten()
        });
        let mut next = || parts.next().flatten();
        next()
            .zip(next())
            .zip(next())
            .and_then(|((year, month), day)| {
                Self::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
            })
            .ok_or_else(|| Error::input(field::DATE, "must be a day of the calendar as YYYY-MM-DD"))
    }
}

impl TryFrom<&str> for CalendarDate {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl Serialize for CalendarDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CalendarDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_and_read_alike() {
        let day: CalendarDate = "2024-02-29".parse().unwrap();
        let json = serde_json::to_string(&day).unwrap();
        assert_eq!(json, "\"2024-02-29\"");
        assert_eq!(serde_json::from_str::<CalendarDate>(&json).unwrap(), day);
        for text in ["", "2023-02-29", "2024-2-29", "29-02-2024", "2024-02-29T00:00", "+024-02-29", "2024-02"]
        {
            let error = text.parse::<CalendarDate>().unwrap_err();
            assert_eq!(error.field(), Some("date"), "{text}");
        }
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        let read = |text: &str| ProviderDate::from(text).to_date().ok().map(|date| date.to_string());
        for (text, date) in [
            ("05-11-2024", "2024-11-05"),
            ("05/11/2024", "2024-11-05"),
            ("29-02-2024", "2024-02-29"),
            ("29/02/2000", "2000-02-29"),
            (" 31-12-9999 ", "9999-12-31"),
        ] {
            assert_eq!(read(text).as_deref(), Some(date), "{text}");
        }
        for text in [
            "",
            "NA",
            "00-00-0000",
            "31/02/2024",
            "29-02-2023",
            "29-02-1900",
            "31-04-2024",
            "05-11/2024",
            "5-11-2024",
            "2024-11-05",
            "05-13-2024",
            "+5-11-2024",
            "0５-11-2024",
            "05-11-24",
        ] {
            assert_eq!(read(text), None, "{text}");
            assert_eq!(serde_json::from_value::<ProviderDate>(text.into()).unwrap().as_str(), text);
        }
    }
}
