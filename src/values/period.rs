//! Tax periods, and the year and month in which paths name them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// A calendar month as GST returns name it: `MMYYYY`.
///
/// ```
/// use sandbox_client::values::ReturnPeriod;
///
/// let period = ReturnPeriod::new(2025, 11)?;
/// assert_eq!(period.to_string(), "112025");
/// assert_eq!("112025".parse::<ReturnPeriod>()?, period);
/// assert!(ReturnPeriod::new(2025, 13).is_err());
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReturnPeriod {
    year: Year,
    month: Month,
}

/// A year of four digits, from 2017, when GST began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Year(u16);

/// A month from 1 to 12, two digits when sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(u8);

impl ReturnPeriod {
    /// The period of a year and a month.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `year` or `month`.
    pub fn new(year: i32, month: i32) -> Result<Self, Error> {
        Ok(Self { year: year.try_into()?, month: month.try_into()? })
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> Year {
        self.year
    }

    /// The month.
    #[must_use]
    pub fn month(self) -> Month {
        self.month
    }
}

impl Year {
    /// The year as a number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Month {
    /// The month as a number, 1 to 12.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<i32> for Year {
    type Error = Error;

    fn try_from(year: i32) -> Result<Self, Error> {
        match u16::try_from(year) {
            Ok(year @ 2017..=2099) => Ok(Self(year)),
            _ => Err(Error::input(field::YEAR, "must be between 2017 and 2099, four digits")),
        }
    }
}

impl TryFrom<i32> for Month {
    type Error = Error;

    fn try_from(month: i32) -> Result<Self, Error> {
        match u8::try_from(month) {
            Ok(month @ 1..=12) => Ok(Self(month)),
            _ => Err(Error::input(field::MONTH, "must be between 1 and 12")),
        }
    }
}

impl From<ReturnPeriod> for Year {
    fn from(period: ReturnPeriod) -> Self {
        period.year
    }
}

impl From<ReturnPeriod> for Month {
    fn from(period: ReturnPeriod) -> Self {
        period.month
    }
}

impl fmt::Display for ReturnPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.month, self.year)
    }
}

impl fmt::Display for Year {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// The number that `text` writes in exactly `digits` ASCII digits.
fn digits(text: &str, digits: usize) -> Option<i32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

impl FromStr for ReturnPeriod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = || Error::input(field::RETURN_PERIOD, "must be MMYYYY, such as 112025");
        digits(text, 6).ok_or_else(refuse)?;
        Ok(Self { month: text[..2].parse()?, year: text[2..].parse()? })
    }
}

impl FromStr for Year {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        digits(text, 4).unwrap_or(-1).try_into()
    }
}

impl FromStr for Month {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        digits(text, 2).unwrap_or(-1).try_into()
    }
}

macro_rules! text_conversions {
    ($($type:ident $name:literal $expected:literal),*) => {$(
        impl TryFrom<&str> for $type {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $type {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(|_| de::Error::custom($expected))
            }
        }

        #[cfg(feature = "schemars")]
        super::json_schema!($type, $name, String);
    )*};
}

text_conversions!(
    ReturnPeriod "ReturnPeriod" "a period MMYYYY was expected",
    Year "Year" "a year of four digits was expected",
    Month "Month" "a month of two digits was expected"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_period_is_refused_by_field() {
        for (year, month, field) in
            [(2025, 13, "month"), (2025, 0, "month"), (99999, 1, "year"), (-1, 1, "year")]
        {
            assert_eq!(ReturnPeriod::new(year, month).unwrap_err().field(), Some(field));
        }
        for text in ["132025", "12025", "1..", "", "11/025", "１１2025", "+12025"] {
            assert!(text.parse::<ReturnPeriod>().is_err(), "{text}");
        }
        assert_eq!("012026".parse::<ReturnPeriod>().unwrap(), ReturnPeriod::new(2026, 1).unwrap());
    }
}
