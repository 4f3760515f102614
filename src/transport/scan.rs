//! Finds what may be a failure in a body without parsing it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Members beside the payload stand near one of the two ends of a body. Names
/// that only short answers have, and odd spellings, are looked for there alone,
/// so that a long list costs no further pass.
const EDGE: usize = 2048;

/// Whether a body may be anything but a plain success. Errs on the safe side:
/// it finds every failure form, and now and then something harmless. A key may
/// be written with escapes; all that is looked for is ASCII.
pub(super) fn is_suspicious(body: &[u8]) -> bool {
    let (start, end) = edges(body);
    memchr::memchr_iter(b'\\', body).any(|at| body[at..].starts_with(b"\\u00"))
        || tells_of_failure(start)
        || end.is_some_and(|end| tells_of_failure(end) || MARKS.are_in(body))
}

/// What is searched for in all of a large body. Made ready once, as that takes
/// longer than to search an ordinary body.
struct Marks {
    status_cd: Finder<'static>,
    code: Finder<'static>,
    error: Finder<'static>,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks {
    status_cd: Finder::new("\"status_cd\""),
    code: Finder::new("\"code\""),
    error: Finder::new("\"error"),
});

impl Marks {
    fn are_in(&self, body: &[u8]) -> bool {
        values_of(&self.status_cd, body).any(|value| !is_one(value))
            || values_of(&self.code, body).any(|value| !value.starts_with(b"200"))
            || self.error.find(body).is_some()
    }
}

/// The whole of a small body, the two ends of a large one.
fn edges(body: &[u8]) -> (&[u8], Option<&[u8]>) {
    if body.len() > 2 * EDGE { (&body[..EDGE], Some(&body[body.len() - EDGE..])) } else { (body, None) }
}

/// Whether anything that looks like a member may tell of a failure. Text that has
/// quotes may look like one, and no member looks otherwise.
fn tells_of_failure(edge: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let (eights, rest) = edge.as_chunks();
    // Quotes are looked for in eight characters at a time: names are so short that a
    // search from one quote to the next takes longer.
    for (index, eight) in eights.iter().enumerate() {
        let other = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b'"'));
        // The top bit of each byte that is zero, and of some behind one.
        let mut quotes = other.wrapping_sub(ONES) & !other & (ONES << 7);
        while quotes != 0 {
            let quote = 8 * index + quotes.trailing_zeros() as usize / 8;
            if may_begin(edge.get(quote + 1)) && member_tells(&edge[quote + 1..]) {
                return true;
            }
            quotes &= quotes - 1;
        }
    }
    (edge.len() - rest.len()..edge.len())
        .any(|at| edge[at] == b'"' && may_begin(edge.get(at + 1)) && member_tells(&edge[at + 1..]))
}

/// Letters of a name that are looked at, without underscores: more than the longest
/// one has that tells of a failure.
const LETTERS: usize = 16;
/// Characters of a name, with underscores.
const LONGEST: usize = 64;

/// Whether a name with this first letter may tell of a failure; most do not.
fn may_begin(first: Option<&u8>) -> bool {
    first.is_some_and(|first| matches!(first | 0x20, b's' | b'e' | b'c' | b'f') || *first == b'_')
}

/// Whether what stands behind a quote is a member that may tell of a failure.
fn member_tells(text: &[u8]) -> bool {
    member(text).is_some_and(|(name, value)| tells(name, value))
}

/// The name that a text begins with, and the value behind it. Of a very long name
/// the start, and no value.
fn member(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(length) = text.iter().take(LONGEST).position(|byte| *byte == b'"') else {
        return Some((text.get(..LONGEST)?, b""));
    };
    let value = text[length + 1..].trim_ascii_start().strip_prefix(b":")?;
    Some((&text[..length], value.trim_ascii_start()))
}

/// Whether a member may tell of a failure, in whatever letters its name is written.
fn tells(name: &[u8], value: &[u8]) -> bool {
    let (mut plain, mut length) = ([0; LETTERS], 0);
    for (place, byte) in plain.iter_mut().zip(name.iter().filter(|byte| **byte != b'_')) {
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    match &plain[..length] {
        b"statuscd" => !is_one(value),
        b"status" => !is_one(value) && !is_word(value),
        b"success" => !value.starts_with(b"true"),
        b"code" => !value.starts_with(b"200"),
        b"est" => true,
        plain => names_error(plain) && !value.starts_with(b"null"),
    }
}

/// Whether a name, in small letters and without underscores, is one of a failure.
fn names_error(plain: &[u8]) -> bool {
    plain.starts_with(b"error") || matches!(plain, b"errcd" | b"errcode" | b"errmsg" | b"fault")
}

/// What follows a key, each time that it is found.
fn values_of<'a>(key: &'a Finder<'_>, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    key.find_iter(body).map(|at| {
        let rest = body[at + key.needle().len()..].trim_ascii_start();
        rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start()
    })
}

/// `1` or `"1"`, and nothing more.
fn is_one(value: &[u8]) -> bool {
    match value {
        [b'"', b'1', b'"', ..] => true,
        [b'1', end, ..] => matches!(end, b',' | b'}') || end.is_ascii_whitespace(),
        _ => false,
    }
}

/// Text that begins with a letter and is not `false`, `failed` or `error`, or
/// null. Payloads have such a `status`, and it means no failure of the call.
fn is_word(value: &[u8]) -> bool {
    match value {
        [b'"', first, second, ..] => {
            first.is_ascii_alphabetic()
                && !matches!((first, second), (b'f' | b'F', b'a' | b'A') | (b'e' | b'E', b'r' | b'R'))
        }
        _ => value.starts_with(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_failure_is_found() {
        for body in [
            r#"{"status_cd": "0"}"#,
            "{\"status_cd\"\n :\t0}",
            r#"{"status_cd": 10}"#,
            r#"{"status_cd": "10"}"#,
            r#"{"status_cd": 1.5}"#,
            r#"{"status_cd": true}"#,
            r#"{"status_cd": {}}"#,
            r#"{"status_cd": 1"#,
            r#"{"code": 500}"#,
            r#"{"code": "200"}"#,
            r#"{"error": 1}"#,
            r#"{"error_cd": 1}"#,
            r#"{"errorCodes": 1}"#,
            r#"{"Status": 0}"#,
            r#"{"status": "0"}"#,
            r#"{"status": " 0"}"#,
            r#"{"status": false}"#,
            r#"{"status": "False"}"#,
            r#"{"status": "failed"}"#,
            r#"{"status": 2}"#,
            r#"{"status": []}"#,
            r#"{"ErrorDetails": []}"#,
            r#"{"success": false}"#,
            r#"{"success": "true"}"#,
            r#"{"est": 1}"#,
            r#"{"\u0065rror": 1}"#,
            r#"{"STATUS_CD": "0"}"#,
            r#"{"statusCd" : 0}"#,
            r#"{"Status_Cd":false}"#,
            r#"{"STATUS": 0}"#,
            r#"{"status": "ERROR"}"#,
            r#"{"Success": "N"}"#,
            r#"{"ERROR_CD": "X"}"#,
            r#"{"Errors": ["x"]}"#,
            r#"{"ErrorCode": 5}"#,
            r#"{"err_cd": "X"}"#,
            r#"{"errCode": 5}"#,
            r#"{"errMsg": "x"}"#,
            r#"{"errorOf16Letters": 1}"#,
            r#"{"fault": {}}"#,
            r#"{"Code": 500}"#,
            r#"{"Est": "30"}"#,
            r#"{"error_____________________": "x"}"#,
            r#"{"_error_": "x"}"#,
        ] {
            assert!(is_suspicious(body.as_bytes()), "{body}");
            let long = "x".repeat(2 * EDGE);
            for body in [format!("{body}{long}"), format!("{long}{body}")] {
                assert!(is_suspicious(body.as_bytes()), "{body}");
            }
        }
    }

    #[test]
    fn a_plain_success_is_not_suspicious() {
        for body in [
            "",
            "{}",
            r#"{"code": 200, "data": {"status_cd": "1", "data": {"x": "\/ \n"}}}"#,
            "{\"code\":200,\"data\":{\"status_cd\":1}}",
            "{\"status_cd\": 1, \"Status\": 1\n}",
            r#"{"Status": 1, "ErrorDetails": null, "InfoDtls": null}"#,
            r#"{"status": "1", "alert": null}"#,
            r#"{"status": "Active", "Status": "CNL", "status": null, "srcfilstatus": "Filed"}"#,
            r#"{"status": "in_progress", "status": "fine"}"#,
            r#"{"success": true}"#,
            r#"{"error": null, "names_of_17_chars": 1, "statusOf17Letters": 2}"#,
            r#"{"data": ["est", "error", "code"]}"#,
        ] {
            assert!(!is_suspicious(body.as_bytes()), "{body}");
        }
    }

    /// Eight characters are looked at together, and those that are left over alone.
    #[test]
    fn a_name_is_found_wherever_it_begins_and_needs_its_quote() {
        for before in 0..16 {
            for after in 0..8 {
                let body = |member: &str| format!("{}{member}{}", " ".repeat(before), " ".repeat(after));
                for failure in [r#""est":"#, r#""code":"#, r#"{"code":500"#] {
                    assert!(is_suspicious(body(failure).as_bytes()), "{before} {after} {failure}");
                }
                for harmless in [r#""best":"#, r#"{"zipcode":500"#, r#"["est"]"#] {
                    assert!(!is_suspicious(body(harmless).as_bytes()), "{before} {after} {harmless}");
                }
            }
        }
    }

    /// In the middle of a large body only the spellings of the document are looked for.
    #[test]
    fn in_the_middle_of_a_large_body_the_usual_failures_are_found() {
        let edge = " ".repeat(EDGE);
        for (member, found) in [
            (r#""status_cd": "0""#, true),
            (r#""status_cd": "1""#, false),
            (r#""code": 500"#, true),
            (r#""code": 200"#, false),
            (r#""error_cd": "X""#, true),
            (r#""Status": 0"#, false),
        ] {
            assert_eq!(is_suspicious(format!("{edge}{member}{edge}").as_bytes()), found, "{member}");
        }
    }

    /// The two ends of a body that is little larger than both have no gap between them.
    #[test]
    fn what_lies_across_the_ends_is_found_and_costs_a_body_of_their_size_nothing() {
        let across = |member: &str, length: usize| {
            let (before, after) = (EDGE - member.len() / 2, length - EDGE - member.len().div_ceil(2));
            format!("{}{member}{}", " ".repeat(before), " ".repeat(after)).into_bytes()
        };
        for length in 2 * EDGE - 2..2 * EDGE + 3 {
            assert!(is_suspicious(&across("\"code\":500", length)), "{length}");
            assert_eq!(is_suspicious(&across("\"error\":null", length)), length > 2 * EDGE, "{length}");
        }
    }

    /// What a list has in its middle costs no parsing.
    #[test]
    fn both_ends_are_searched_and_the_whole_of_a_small_body() {
        let at = |before: usize, after: usize| {
            format!("{}\"est\":{}", " ".repeat(before), " ".repeat(after)).into_bytes()
        };
        for (before, after, found) in [
            (0, 2 * EDGE, true),
            (EDGE - 6, EDGE + 2, true),
            (EDGE - 2, EDGE - 5, true),
            (EDGE - 2, EDGE - 4, true),
            (EDGE - 5, EDGE, false),
            (EDGE - 2, EDGE + 2, false),
            (EDGE, EDGE, false),
            (2 * EDGE - 1, EDGE - 5, false),
            (2 * EDGE, EDGE - 6, true),
            (2 * EDGE, EDGE, false),
        ] {
            assert_eq!(is_suspicious(&at(before, after)), found, "{before} {after}");
        }
    }
}
