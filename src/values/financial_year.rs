//! Financial years.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::ReturnPeriod;
use crate::{Error, field};

/// A financial year, from April to March.
///
/// Read in each form that the provider has: `FY 2023-24`, `2023-24`,
/// `FY 2023-2024`. Sent as `FY 2023-24`.
///
/// ```
/// use sandbox_client::values::FinancialYear;
///
/// let year: FinancialYear = "2023-24".parse()?;
/// assert_eq!(year.to_string(), "FY 2023-24");
/// assert_eq!(year.last_period().to_string(), "032024");
/// assert!("2023-25".parse::<FinancialYear>().is_err());
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FinancialYear {
    /// March, with which the year ends.
    last: ReturnPeriod,
}

impl FinancialYear {
    /// The year that begins in April of `year`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `financial_year`.
    pub fn starting(year: i32) -> Result<Self, Error> {
        let last = ReturnPeriod::new(year.saturating_add(1), 3);
        match last {
            Ok(last) if year >= 2017 => Ok(Self { last }),
            _ => Err(Error::input(field::FINANCIAL_YEAR, "must begin between 2017 and 2098")),
        }
    }

    /// March of the year, under which annual returns are kept.
    #[must_use]
    pub fn last_period(self) -> ReturnPeriod {
        self.last
    }
}

impl fmt::Display for FinancialYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.last.year().get();
        write!(f, "FY {}-{:02}", last - 1, last % 100)
    }
}

impl FromStr for FinancialYear {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let years = text.strip_prefix("FY").unwrap_or(text).trim_start();
        let year = || {
            let (first, last) = years.split_once('-')?;
            let digits = |text: &str| {
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok())?
            };
            let (first_year, last_year) = (digits(first)?, digits(last)?);
            let next = first_year + 1;
            let follows = match last.len() {
                2 => last_year == next % 100,
                4 => last_year == next,
                _ => false,
            };
            (first.len() == 4 && follows).then_some(first_year)
        };
        let year =
            year().ok_or_else(|| Error::input(field::FINANCIAL_YEAR, "must be a year such as 2023-24"))?;
        Self::starting(year)
    }
}

impl TryFrom<&str> for FinancialYear {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for FinancialYear {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl Serialize for FinancialYear {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FinancialYear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|_| de::Error::custom("a financial year was expected"))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(FinancialYear, "FinancialYear", String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_the_provider_is_read_and_others_are_refused() {
        let year = FinancialYear::starting(2023).unwrap();
        for text in ["FY 2023-24", "2023-24", "FY2023-24", "FY 2023-2024", " 2023-24 "] {
            assert_eq!(text.parse::<FinancialYear>().unwrap(), year, "{text}");
        }
        assert_eq!("2099-00".parse::<FinancialYear>().unwrap_err().field(), Some("financial_year"));
        for text in
            ["", "2023", "2023-25", "23-24", "2023-024", "+202-203", "2016-17", "FY FY 2023-24", "99999-00"]
        {
            assert!(text.parse::<FinancialYear>().is_err(), "{text}");
        }
    }
}
