//! Makes the text of a body readable where a JSON parser would give up: a byte
//! order mark in front, UTF-16, bytes that are not UTF-8, and escapes of half a
//! character (`\ud83d` alone). Everything else stays as it was received.

use bytes::Bytes;

/// A repaired copy of the body; `None` if nothing had to be repaired.
pub(super) fn repaired(body: &[u8]) -> Option<Bytes> {
    if let Some(text) = utf_16(body) {
        return Some(with_whole_characters(&text).unwrap_or(text).into());
    }
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // The check of std is much faster than its repair, and nearly all bodies pass.
    let repaired = if let Ok(text) = str::from_utf8(text) {
        with_whole_characters(text).map(String::into_bytes)
    } else {
        let text = String::from_utf8_lossy(text);
        Some(with_whole_characters(&text).unwrap_or_else(|| text.into_owned()).into_bytes())
    };
    match repaired {
        Some(text) => Some(text.into()),
        None if text.len() < body.len() => Some(Bytes::copy_from_slice(text)),
        None => None,
    }
}

/// The text of a body in UTF-16, by its mark or its first character, which is ASCII.
fn utf_16(body: &[u8]) -> Option<String> {
    let (read, text): (fn([u8; 2]) -> u16, _) = match body {
        [0xff, 0xfe, text @ ..] => (u16::from_le_bytes, text),
        [0xfe, 0xff, text @ ..] => (u16::from_be_bytes, text),
        [b'{' | b'[' | b'<', 0, ..] => (u16::from_le_bytes, body),
        [0, b'{' | b'[' | b'<', ..] => (u16::from_be_bytes, body),
        _ => return None,
    };
    let (pairs, _) = text.as_chunks();
    Some(char::decode_utf16(pairs.iter().copied().map(read)).map(|one| one.unwrap_or('\u{fffd}')).collect())
}

/// The same JSON with U+FFFD in place of each half of a character.
fn with_whole_characters(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let mut repaired = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(found) = memchr::memchr(b'\\', bytes.get(from..)?) {
        let at = from + found;
        // Behind an escape of one character, so that `\\u` is no escape of a half.
        from = at + 2;
        match half(&bytes[at..]) {
            Some(Half::First) if matches!(half(&bytes[at + 6..]), Some(Half::Second)) => from = at + 12,
            Some(_) => {
                from = at + 6;
                repaired.push_str(&json[copied..at]);
                repaired.push_str("\\ufffd");
                copied = from;
            }
            None => {}
        }
    }
    if copied == 0 {
        return None;
    }
    repaired.push_str(&json[copied..]);
    Some(repaired)
}

/// Which half of a character outside of the basic plane.
enum Half {
    First,
    Second,
}

fn half(escape: &[u8]) -> Option<Half> {
    match escape {
        [b'\\', b'u', b'd' | b'D', second, third, fourth, ..]
            if third.is_ascii_hexdigit() && fourth.is_ascii_hexdigit() =>
        {
            match second.to_ascii_lowercase() {
                b'8' | b'9' | b'a' | b'b' => Some(Half::First),
                b'c'..=b'f' => Some(Half::Second),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> String {
        let repaired = repaired(body);
        String::from_utf8(repaired.as_deref().unwrap_or(body).to_vec()).expect("text")
    }

    #[test]
    fn what_no_parser_reads_is_replaced_and_nothing_else() {
        for (body, text) in [
            (&b"{\"a\": \"\\ud83d\"}"[..], r#"{"a": "\ufffd"}"#),
            (b"{\"a\": \"\\uDE00\\ud83d\"}", r#"{"a": "\ufffd\ufffd"}"#),
            (b"{\"a\": \"x\xff\\ud83d\"}", "{\"a\": \"x\u{fffd}\\ufffd\"}"),
            (b"\xef\xbb\xbf{}", "{}"),
        ] {
            assert_eq!(read(body), text);
            assert!(repaired(body).is_some());
        }
        let text = r#"{"a": "é\ud83d", "b": "😀"}"#;
        let read_as = text.replace("\\ud83d", "\\ufffd");
        for mark in ["", "\u{feff}"] {
            let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            assert_eq!((read(&little), read(&big)), (read_as.clone(), read_as.clone()));
        }
        for same in [
            "",
            "{}",
            "\\",
            "{\"a\": \"\\",
            r#"{"a": "\ud83d\ude00"}"#,
            r#"{"a": "\\ud83d"}"#,
            r#"{"a": "\u00e9 é \" \\"}"#,
            r#"{"a": "\ud8"#,
        ] {
            assert!(repaired(same.as_bytes()).is_none(), "{same}");
        }
    }
}
