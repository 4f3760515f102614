//! Sums of amounts.

use std::{
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

use super::{Amount, Decimal};

impl Amount {
    /// The sum, or the end of the range of [`Decimal`], about 10²⁸, if the sum is beyond:
    /// for amounts that others have written.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        self.to_decimal().saturating_add(other.to_decimal()).into()
    }
}

impl Add for Amount {
    type Output = Self;

    /// # Panics
    ///
    /// Where the sum has more than 28 digits, as [`Decimal`] does.
    fn add(self, other: Self) -> Self {
        Self::from(self.to_decimal() + other.to_decimal())
    }
}

impl Sub for Amount {
    type Output = Self;

    /// # Panics
    ///
    /// Where the difference has more than 28 digits, as [`Decimal`] does.
    fn sub(self, other: Self) -> Self {
        Self::from(self.to_decimal() - other.to_decimal())
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self::from(-self.to_decimal())
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Decimal::ZERO, |sum, amount| sum + amount.to_decimal()).into()
    }
}

impl<'a> Sum<&'a Self> for Amount {
    fn sum<I: Iterator<Item = &'a Self>>(amounts: I) -> Self {
        amounts.copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let amounts: Vec<Amount> = ["0.10", "0.20", "-5"].iter().map(|text| text.parse().unwrap()).collect();
        let sum: Amount = amounts.iter().sum();
        assert_eq!(sum.to_string(), "-4.7");
        assert_eq!(-sum, "4.70".parse().unwrap());
        assert_eq!(amounts[0] + amounts[1], "0.3".parse().unwrap());
        let mut left = amounts[0] - amounts[1];
        left += Amount::from(1);
        left -= "0.9".parse().unwrap();
        assert_eq!(left, Amount::ZERO);
    }
}
