//! Money, exact to the last paisa.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::Error as _};

use crate::{Error, field, tolerant::MONEY};

/// An amount of rupees, or a percentage, as an exact decimal.
///
/// JSON has it as a number, and a number of JSON goes through an `f64` on most
/// ways. One of up to 15 digits survives that, and the largest documented
/// amount has 15: such amounts are read and written to the last digit. What a
/// JSON number could not carry is refused when it is written, never rounded.
///
/// Read from an answer, an amount may also be text, with or without commas
/// between groups of digits: `"1234.50"`, `"1,234.50"`, `"12,34,567"`. Blank
/// text and null are no amount, so an optional one is absent. Anything else is
/// an error, since an amount that is passed over would be missing in a sum.
///
/// Use [`Decimal`] for arithmetic; conversions exist in both directions.
///
/// ```
/// use sandbox_client::values::{Amount, Decimal};
///
/// let (net, tax): (Amount, Amount) = serde_json::from_str("[120932.18, \"21767.82\"]")?;
/// let sum = Amount::from(net.to_decimal() + tax.to_decimal());
/// assert_eq!(sum, Amount::from(142_700));
/// assert_eq!(serde_json::to_string(&sum)?, "142700");
/// assert_eq!(format!("{sum:.2}"), "142700.00");
/// # let _: Decimal = sum.into();
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Amount(Decimal);

/// Above this, neighbouring floats are more than one apart.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Hundredths below this have at most 15 digits.
const FIFTEEN_DIGITS: f64 = 1e15;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The amount as a decimal.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        self.0
    }

    /// The decimal that `number` is the nearest float to; `None` if there
    /// is none.
    #[allow(clippy::cast_possible_truncation)] // integral and below 10^15
    fn from_float(number: f64) -> Option<Self> {
        let hundredths = (number * 100.0).round();
        // Nearly all amounts have at most two places. Where the float nearest
        // to that many hundredths is this one, they are what was written.
        #[allow(clippy::float_cmp)] // the same float is meant
        if hundredths.abs() < FIFTEEN_DIGITS && hundredths / 100.0 == number {
            let hundredths = hundredths as i64;
            return Some(Self(match (hundredths % 100, hundredths % 10) {
                (0, _) => Decimal::new(hundredths / 100, 0),
                (_, 0) => Decimal::new(hundredths / 10, 1),
                _ => Decimal::new(hundredths, 2),
            }));
        }
        if number.abs() < EXACT { number.to_string().parse().ok() } else { None }
    }

    /// The amount of a plain number such as `-1000.10`, of at most 18 characters.
    /// Most are, and this is the shortest way.
    #[inline]
    fn from_plain(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        if digits.len() > 18 || !digits.starts_with(|digit: char| digit.is_ascii_digit()) {
            return None;
        }
        // With so many digits the number stays far below the greatest.
        let (mut number, mut places, mut point) = (0_i64, 0, false);
        for byte in digits.bytes() {
            match byte {
                b'0'..=b'9' => {
                    number = 10 * number + i64::from(byte - b'0');
                    places += u32::from(point);
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        while places > 0 && number % 10 == 0 {
            number /= 10;
            places -= 1;
        }
        Some(Self(Decimal::new(if negative { -number } else { number }, places)))
    }

    /// The amount of a text of an answer.
    #[inline]
    fn from_text(text: &str) -> Option<Self> {
        if let Some(amount) = Self::from_plain(text) {
            return Some(amount);
        }
        let text = text.trim();
        if text.contains(',') { without_commas(text)?.parse().ok() } else { text.parse().ok() }
    }

    /// The float that stands for exactly this decimal, if there is one.
    fn to_float(self) -> Option<f64> {
        let float: f64 = self.0.to_string().parse().ok()?;
        (Self::from_float(float) == Some(self)).then_some(float)
    }
}

/// The number without the commas between its groups, where they are such: the
/// last of three digits, those before of two or three.
fn without_commas(text: &str) -> Option<String> {
    let number = text.split('.').next()?;
    let mut groups = number.trim_start_matches('-').split(',').rev();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let last = groups.next()?;
    let mut fits = last.len() == 3 && digits(last);
    let mut first = last;
    for group in groups {
        fits &= first.len() >= 2 && (1..=3).contains(&group.len()) && digits(group);
        first = group;
    }
    fits.then(|| text.replace(',', ""))
}

impl From<Decimal> for Amount {
    fn from(decimal: Decimal) -> Self {
        Self(decimal.normalize())
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Amount {
            fn from(rupees: $integer) -> Self {
                Self(rupees.into())
            }
        }
    )*};
}

from_integer!(i32 u32 i64 u64);

impl FromStr for Amount {
    type Err = Error;

    /// Reads `1000.10` or `1e3`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let exponent = text.contains(['e', 'E']);
        let decimal = if exponent { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) };
        decimal
            .map(Self::from)
            .map_err(|_| Error::input(field::AMOUNT, "must be a decimal number such as 1000.10"))
    }
}

impl TryFrom<&str> for Amount {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({})", self.0)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_integer()
            && let Ok(integer) = i64::try_from(self.0)
        {
            return serializer.serialize_i64(integer);
        }
        match self.to_float() {
            Some(float) => serializer.serialize_f64(float),
            None => Err(S::Error::custom("an amount with more digits than a JSON number can carry")),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Amount;

            /// Where the deserializer does not know what [`MONEY`] is.
            fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<Amount, D::Error> {
                json.deserialize_any(self)
            }

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount as a number of at most 15 digits, or as text")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                Ok(number.into())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(number.into())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                Amount::from_float(number)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Amount::from_text(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_newtype_struct(MONEY, Visitor)
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Amount, "Amount", f64);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sent: &str) -> Option<String> {
        serde_json::from_str::<Amount>(sent).ok().map(|amount| amount.to_string())
    }

    #[test]
    fn numbers_and_text_are_read_to_the_last_digit() {
        for (sent, amount) in [
            ("0", "0"),
            ("0.0", "0"),
            ("-0.0", "0"),
            ("0.29", "0.29"),
            ("1.005", "1.005"),
            ("1000.10", "1000.1"),
            ("10883.91", "10883.91"),
            ("9999999999999.99", "9999999999999.99"),
            ("-99999999999.99", "-99999999999.99"),
            ("0.3", "0.3"),
            ("1e3", "1000"),
            ("18446744073709551615", "18446744073709551615"),
            ("\"100.00\"", "100"),
            ("\"1,000\"", "1000"),
            ("\"-12,34,567.50\"", "-1234567.5"),
            ("\"1,234,567\"", "1234567"),
            ("\"999999999999999999.9\"", "999999999999999999.9"),
            ("\" -0.5 \"", "-0.5"),
            ("\"1e2\"", "100"),
            ("\"123456789012345678\"", "123456789012345678"),
            ("\"-999999999999999999\"", "-999999999999999999"),
            ("\"9999999999999999999\"", "9999999999999999999"),
            ("\"99999999999999999.90\"", "99999999999999999.9"),
            ("\"0.1234567890123456789012345678\"", "0.1234567890123456789012345678"),
        ] {
            assert_eq!(read(sent).as_deref(), Some(amount), "{sent}");
        }
        for sent in [
            "1e400",
            "1e300",
            "1e17",
            "\"\"",
            "\"NaN\"",
            "\"inf\"",
            "\"1.2.3\"",
            "\"1.2.\"",
            "\"1,50\"",
            "\"1,0000\"",
            "\",000\"",
            "\"1,,000\"",
            "\"1,2,000\"",
            "\"1.000,50\"",
            "\"1,000,00\"",
            "\"12 000\"",
            "\"-\"",
            "\".\"",
            "\"1e400\"",
            "true",
            "null",
            "[]",
        ] {
            assert_eq!(read(sent), None, "{sent}");
        }
    }

    #[test]
    fn every_hundredth_survives_the_way_there_and_back() {
        let mut hundredths: i64 = 1;
        while hundredths < 999_999_999_999_999 {
            for hundredths in [hundredths, -hundredths, hundredths + 1] {
                let amount = Amount::from(Decimal::new(hundredths, 2));
                let sent = serde_json::to_string(&amount).unwrap();
                assert_eq!(sent, amount.to_string());
                assert_eq!(serde_json::from_str::<Amount>(&sent).unwrap(), amount);
            }
            hundredths = hundredths * 7 / 5 + 1;
        }
    }

    #[test]
    fn what_a_number_cannot_carry_is_not_written() {
        for text in ["12345678901234567.89", "0.1234567890123456789", "79228162514264337593543950335"] {
            assert!(serde_json::to_string(&text.parse::<Amount>().unwrap()).is_err(), "{text}");
        }
    }
}
