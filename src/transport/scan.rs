//! Finds what may be a failure in a body without parsing it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Members beside the payload stand near one of the two ends of a body, which
/// is all that is searched for the rare ones.
const EDGE: usize = 2048;

/// Whether a body may be anything but a plain success. Errs on the safe side:
/// it finds every failure form, and now and then something harmless. A key may
/// be written with escapes; all that is looked for is ASCII.
pub(super) fn is_suspicious(body: &[u8]) -> bool {
    let Marks { status, code, error, success, wait } = &*MARKS;
    status.find_iter(body).any(|at| is_odd_status(&body[..at], &body[at + status.needle().len()..]))
        || code.find_iter(body).any(|at| !value_after(&body[at + code.needle().len()..]).starts_with(b"200"))
        || error.find_iter(body).any(|at| is_error(&body[..at], &body[at + error.needle().len()..]))
        || memchr::memchr_iter(b'\\', body).any(|at| body[at..].starts_with(b"\\u00"))
        || edges(body).any(|edge| {
            wait.find(edge).is_some()
                || success
                    .find_iter(edge)
                    .any(|at| !value_after(&edge[at + success.needle().len()..]).starts_with(b"true"))
        })
}

/// What is searched for in every body. Made ready once, as that takes longer
/// than to search an ordinary body.
struct Marks {
    status: Finder<'static>,
    code: Finder<'static>,
    error: Finder<'static>,
    success: Finder<'static>,
    wait: Finder<'static>,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks {
    status: Finder::new("tatus"),
    code: Finder::new("\"code\""),
    error: Finder::new("rror"),
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

/// Whether a key is `status_cd` with another value than a plain 1, or `Status`
/// or `status` with one that may mean failure. Lists have the last by the
/// thousand, so a word passes here.
fn is_odd_status(before: &[u8], after: &[u8]) -> bool {
    if !begins_key(before, b"sS") {
        return false;
    }
    if let Some(after) = after.strip_prefix(b"_cd\"") {
        return !is_one(value_after(after));
    }
    let Some(after) = after.strip_prefix(b"\"") else { return false };
    let value = value_after(after);
    let word = match value {
        [b'"', first, second, ..] => {
            first.is_ascii_alphabetic() && !matches!((first, second), (b'f' | b'F', b'a' | b'A'))
        }
        _ => value.starts_with(b"null"),
    };
    !word && !is_one(value)
}

/// `1` or `"1"`, and nothing more.
fn is_one(value: &[u8]) -> bool {
    match value {
        [b'"', b'1', b'"', ..] => true,
        [b'1', end, ..] => matches!(end, b',' | b'}') || end.is_ascii_whitespace(),
        _ => false,
    }
}

/// Whether a key begins with `error` or `Error`, unless it is one of the two
/// members that tell failures and null.
fn is_error(before: &[u8], after: &[u8]) -> bool {
    if !begins_key(before, b"eE") {
        return false;
    }
    let key = after.strip_prefix(b"Details").unwrap_or(after);
    !key.strip_prefix(b"\"").is_some_and(|after| value_after(after).starts_with(b"null"))
}

/// Whether what stands before is a quote and one of these letters.
fn begins_key(before: &[u8], letters: &[u8]) -> bool {
    matches!(before, [.., b'"', letter] if letters.contains(letter))
}

/// What follows the colon after a key.
fn value_after(rest: &[u8]) -> &[u8] {
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start()
}
