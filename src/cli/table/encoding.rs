//! Bytes of a text file as text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// By the mark in front, else UTF-16 where every second byte of the start is
/// zero, else UTF-8 where it is valid, else what Excel calls ANSI here.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let encoding = Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or(match bytes {
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some(UTF_16LE),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Some(UTF_16BE),
        _ => None,
    });
    let encoding =
        encoding.unwrap_or_else(|| if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 });
    let (text, malformed) = encoding.decode_with_bom_removal(bytes);
    if malformed { Err(format!("is not valid {} text", encoding.name())) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_encoding_is_read() {
        let text = "gstin,Café – Müller\r\n";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(bytes).collect() };
        let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
        let windows = b"gstin,Caf\xe9 \x96 M\xfcller\r\n".to_vec();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
            little,
            big,
            windows,
        ] {
            assert_eq!(decode(&bytes).unwrap(), text, "{bytes:?}");
        }
        assert_eq!(decode(b"").unwrap(), "");
        assert!(decode(b"\xff\xfea\0\0\xd8").unwrap_err().contains("UTF-16"), "half a pair");
        assert!(decode(b"\xef\xbb\xbf\xff").unwrap_err().contains("UTF-8"), "the mark says so");
    }
}
