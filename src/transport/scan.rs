//! Finds what may be a failure in a body without parsing it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Members beside the payload stand near one of the two ends of a body. What
/// only short answers have is searched for there alone, so that a long list
/// costs no further pass.
const EDGE: usize = 2048;

/// Whether a body may be anything but a plain success. Errs on the safe side:
/// it finds every failure form, and now and then something harmless. A key may
/// be written with escapes; all that is looked for is ASCII.
pub(super) fn is_suspicious(body: &[u8]) -> bool {
    let marks = &*MARKS;
    values_of(&marks.status_cd, body).any(|value| !is_one(value))
        || values_of(&marks.code, body).any(|value| !value.starts_with(b"200"))
        || marks.error.find(body).is_some()
        || memchr::memchr_iter(b'\\', body).any(|at| body[at..].starts_with(b"\\u00"))
        || edges(body).any(|edge| {
            values_of(&marks.status, edge).any(|value| !is_one(value) && !is_word(value))
                || values_of(&marks.details, edge).any(|value| !value.starts_with(b"null"))
                || values_of(&marks.success, edge).any(|value| !value.starts_with(b"true"))
                || marks.wait.find(edge).is_some()
        })
}

/// What is searched for. Made ready once, as that takes longer than to search
/// an ordinary body.
struct Marks {
    status_cd: Finder<'static>,
    code: Finder<'static>,
    error: Finder<'static>,
    /// The end of `"Status"` and `"status"`.
    status: Finder<'static>,
    details: Finder<'static>,
    success: Finder<'static>,
    wait: Finder<'static>,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks {
    status_cd: Finder::new("\"status_cd\""),
    code: Finder::new("\"code\""),
    error: Finder::new("\"error"),
    status: Finder::new("tatus\""),
    details: Finder::new("\"ErrorDetails\""),
    success: Finder::new("\"success\""),
    wait: Finder::new("\"est\""),
});

/// The whole of a small body, the two ends of a large one.
fn edges(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (start, end) = match body.len().checked_sub(2 * EDGE) {
        Some(between) => (&body[..EDGE], Some(&body[EDGE + between..])),
        None => (body, None),
    };
    std::iter::once(start).chain(end)
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

/// Text that begins with a letter and is not `false` or `failed`, or null.
/// Payloads have such a `status`, and it means no failure of the call.
fn is_word(value: &[u8]) -> bool {
    match value {
        [b'"', first, second, ..] => {
            first.is_ascii_alphabetic() && !matches!((first, second), (b'f' | b'F', b'a' | b'A'))
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
            r#"{"status_cd"}"#,
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
        ] {
            assert!(!is_suspicious(body.as_bytes()), "{body}");
        }
    }

    /// What a list has in its middle costs no parsing.
    #[test]
    fn both_ends_are_searched_and_the_whole_of_a_small_body() {
        let at = |before: usize, after: usize| {
            format!("{}\"est\"{}", " ".repeat(before), " ".repeat(after)).into_bytes()
        };
        for (before, after, found) in [
            (0, 2 * EDGE, true),
            (EDGE - 5, EDGE, true),
            (EDGE - 2, EDGE - 4, true),
            (EDGE - 2, EDGE + 2, false),
            (EDGE, EDGE, false),
            (2 * EDGE, EDGE - 5, true),
            (2 * EDGE, EDGE, false),
        ] {
            assert_eq!(is_suspicious(&at(before, after)), found, "{before} {after}");
        }
    }
}
