//! GST identification numbers.

use std::{cell::Cell, fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, field};

/// A GST identification number: 15 characters, the last one a check digit.
///
/// Lower case letters are accepted and converted. Two patterns are accepted, that of
/// ordinary registrations (state, PAN, number, kind) and that of non-residents
/// and UN bodies, and the check digit must fit.
///
/// serde checks in the same way, so a mistyped GSTIN in your file or configuration is
/// refused. Answers are different: a GSTIN from GSTN is kept if it has 15 letters and
/// digits. For files with the provider's samples, whose check digits are wrong, see
/// [`unchecked_within`](Gstin::unchecked_within).
///
/// ```
/// use sandbox_client::values::Gstin;
///
/// let gstin: Gstin = "33abkcs2033b1zw".parse()?;
/// assert_eq!(gstin.as_str(), "33ABKCS2033B1ZW");
/// assert_eq!(gstin.pan(), Some("ABKCS2033B"));
///
/// let error = "33ABKCS2033B1ZX".parse::<Gstin>().unwrap_err();
/// assert_eq!(error.field(), Some("gstin"));
/// # Ok::<(), sandbox_client::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gstin([u8; 15]);

impl Gstin {
    /// Checks pattern and check digit.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `gstin`,
    /// with the reason, but never the value.
    pub fn new(text: &str) -> Result<Self, Error> {
        let gstin = Self::unchecked(text)?;
        if !(gstin.fits(ORDINARY) || gstin.fits(NON_RESIDENT)) {
            return Err(Error::input(field::GSTIN, "does not have the pattern of a GSTIN"));
        }
        if check_digit(&gstin.0) != gstin.0[14] {
            return Err(Error::input(field::GSTIN, "has a wrong check digit; one character is mistyped"));
        }
        Ok(gstin)
    }

    /// Accepts any 15 letters and digits, for samples that are not real numbers:
    /// several of the provider's own have a wrong check digit
    /// (`05ABNTY3290P8ZB`), and `29AAACQ3770E000` not even the pattern.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with the field `gstin`
    /// for any other length or character.
    pub fn unchecked(text: &str) -> Result<Self, Error> {
        let bytes = <[u8; 15]>::try_from(text.as_bytes())
            .map_err(|_| Error::input(field::GSTIN, "must have 15 characters"))?;
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return Err(Error::input(field::GSTIN, "must consist of letters and digits"));
        }
        Ok(Self(bytes.map(|byte| byte.to_ascii_uppercase())))
    }

    /// Runs `read`, in which serde accepts what [`Gstin::unchecked`] accepts:
    /// for files with samples of the provider, or files written from answers.
    ///
    /// ```
    /// use sandbox_client::values::Gstin;
    ///
    /// let sample = r#"["05ABNTY3290P8ZB"]"#;
    /// assert!(serde_json::from_str::<Vec<Gstin>>(sample).is_err());
    /// let read: Vec<Gstin> = Gstin::unchecked_within(|| serde_json::from_str(sample))?;
    /// assert_eq!(read[0].as_str(), "05ABNTY3290P8ZB");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn unchecked_within<T>(read: impl FnOnce() -> T) -> T {
        let _unchecked = Unchecked::begin();
        read()
    }

    /// The same for one field of a type of yours: a `Gstin`, an
    /// `Option<Gstin>` or a list.
    ///
    /// ```
    /// use sandbox_client::values::Gstin;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Row {
    ///     #[serde(deserialize_with = "Gstin::deserialize_unchecked")]
    ///     gstin: Gstin,
    /// }
    ///
    /// let row: Row = serde_json::from_str(r#"{"gstin": "05ABNTY3290P8ZB"}"#)?;
    /// assert_eq!(row.gstin.as_str(), "05ABNTY3290P8ZB");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the type, and of any other length or character.
    pub fn deserialize_unchecked<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Self::unchecked_within(|| T::deserialize(deserializer))
    }

    /// The number in capitals.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // ASCII by construction
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII by construction")
    }

    /// The PAN inside an ordinary GSTIN.
    #[must_use]
    pub fn pan(&self) -> Option<&str> {
        self.fits(ORDINARY).then(|| &self.as_str()[2..12])
    }

    /// The first two digits: the state, 97 for other territory, 99 for the centre.
    #[must_use]
    pub fn state_code(&self) -> &str {
        &self.as_str()[..2]
    }

    fn fits(&self, pattern: &[u8; 15]) -> bool {
        self.0.iter().zip(pattern).all(|(byte, expected)| match expected {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'+' => *byte != b'0',
            _ => true,
        })
    }
}

/// `9` a digit, `A` a letter, `*` either, `+` either but zero. The fifth letter of a PAN may be a
/// digit for deductors, whose TAN stands in its place.
const ORDINARY: &[u8; 15] = b"99AAAA*9999A++*";
/// Non-residents, online service providers from abroad, UN bodies.
const NON_RESIDENT: &[u8; 15] = b"9999AAA99999AA*";

/// The check digit by the Luhn scheme over 36 characters.
fn check_digit(gstin: &[u8; 15]) -> u8 {
    const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let sum: usize = gstin[..14]
        .iter()
        .enumerate()
        .map(|(index, byte)| {
            let value = usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 });
            let product = value * (1 + index % 2);
            product / 36 + product % 36
        })
        .sum();
    ALPHABET[(36 - sum % 36) % 36]
}

impl fmt::Display for Gstin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Gstin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gstin({})", self.as_str())
    }
}

impl FromStr for Gstin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Gstin {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<&String> for Gstin {
    type Error = Error;

    fn try_from(text: &String) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for Gstin {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

impl Serialize for Gstin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

thread_local! {
    /// How many readers on this thread take GSTINs as they are. serde hands
    /// nothing of its caller to a type, so this is the way to one.
    static UNCHECKED: Cell<usize> = const { Cell::new(0) };
}

/// While it lives, GSTINs that this thread reads are not checked. It stays on its thread.
pub(crate) struct Unchecked(PhantomData<*const ()>);

impl Unchecked {
    pub fn begin() -> Self {
        UNCHECKED.set(UNCHECKED.get() + 1);
        Self(PhantomData)
    }
}

impl Drop for Unchecked {
    fn drop(&mut self) {
        UNCHECKED.set(UNCHECKED.get() - 1);
    }
}

/// Checks as [`Gstin::new`] does, unless within [`Gstin::unchecked_within`].
impl<'de> Deserialize<'de> for Gstin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let gstin = if UNCHECKED.get() > 0 { Self::unchecked(&text) } else { Self::new(&text) };
        gstin.map_err(|error| de::Error::custom(format_args!("expected a GSTIN: {error}")))
    }
}

#[cfg(feature = "schemars")]
super::json_schema!(Gstin, "Gstin", String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_numbers_are_told_apart() {
        for good in
            ["33ABKCS2033B1ZW", "27AACCA8432H2ZP", "24AABCG8033D1Z2", "9917SGP29002OSR", "3418FIN00001UNY"]
        {
            assert!(Gstin::new(good).is_ok(), "{good}");
        }
        for bad in [
            "29AAACQ3770E000",
            "05ABNTY3290P8ZB",
            "33ABKCS2033B1Z",
            "33ABKCS2033B1ZWW",
            "",
            "..",
            "a/b",
            "%2e%2e",
            "33ABKCS2033B1Z/",
            "３３ABKCS2033B1ZW",
            "33ABKCS2033B1Z\u{200f}",
        ] {
            let error = Gstin::new(bad).unwrap_err();
            assert_eq!(error.field(), Some("gstin"), "{bad}");
            assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
        }
        assert_eq!(Gstin::unchecked("29AAACQ3770E000").unwrap().as_str(), "29AAACQ3770E000");
    }

    #[test]
    fn a_file_of_the_caller_is_checked_and_an_answer_is_kept() {
        const WRONG: &str = r#"["05ABNTY3290P8ZB", "33abkcs2033b1zw"]"#;
        let file = || serde_json::from_str::<Vec<Gstin>>(WRONG);
        let error = file().unwrap_err().to_string();
        assert!(error.contains("wrong check digit") && !error.contains("05ABNTY"), "{error}");

        let (answer, unread) = crate::tolerant::read::<Vec<Gstin>>(WRONG).unwrap();
        assert_eq!((answer.len(), unread.len()), (2, 0));
        assert_eq!(Gstin::unchecked_within(file).unwrap(), answer);

        // What was unchecked is checked afterwards, and after a panic too.
        assert!(file().is_err());
        let panic = std::panic::catch_unwind(|| Gstin::unchecked_within(|| panic!("in the file")));
        assert!(panic.is_err() && file().is_err());
        assert!(Gstin::unchecked_within(|| Gstin::unchecked_within(file).and(file())).is_ok());
    }

    /// An odd number of an answer is dropped alone, as any value of another shape.
    #[test]
    fn what_is_no_gstin_at_all_costs_no_answer() {
        let (answer, unread) =
            crate::tolerant::read::<Vec<Gstin>>(r#"["UNKNOWN", "33ABKCS2033B1ZW"]"#).unwrap();
        assert_eq!((answer.len(), unread), (1, vec![".[0]".to_owned()]));
    }
}
