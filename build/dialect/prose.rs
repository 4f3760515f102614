//! Prose: it is pasted into the documentation of the generated code as it is.

use super::{Report, shape::Node};

/// Labels of code that rustdoc takes for no Rust. Most others are Rust to it
/// (`ignore`, `no_run`, …) or would be after a slip of the pen.
const LABELS: [&str; 6] = ["json", "text", "http", "sh", "yaml", "xml"];

pub fn check(nodes: &[Node], report: &mut Report) {
    for node in nodes {
        for key in ["summary", "description"] {
            let Some(prose) = node.value.get(key).and_then(serde_json::Value::as_str) else { continue };
            for violation in violations(prose) {
                report.add(&node.place.at(key), violation);
            }
        }
    }
}

fn violations(prose: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut fence = None;
    let mut running = String::new();
    for line in prose.lines() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                if !LABELS.contains(&line.trim_start().trim_start_matches(['`', '~']).trim()) {
                    found.push(
                        "rustdoc compiles a code block without a label of another language; write one of \
                         json, text, http, sh, yaml, xml",
                    );
                }
                fence = Some(mark);
            }
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                if !line.trim().is_empty() && (line.starts_with("    ") || line.starts_with('\t')) {
                    found.push(
                        "rustdoc compiles an indented block; write a code fence with a label, or indent less",
                    );
                }
                running.push_str(line);
                running.push('\n');
            }
        }
    }
    if fence.is_some() {
        found
            .push("a code fence is open at the end, and what follows would be code; write the closing fence");
    }
    if has_bare_bracket(&running) {
        found.push("rustdoc takes square brackets for a link; write `…` around them, or [text](address)");
    }
    found
}

/// Whether a square bracket stands outside of code spans and of inline links.
fn has_bare_bracket(text: &str) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find(['`', '[', ']', '\\']) {
        rest = &rest[start..];
        let length = match rest.as_bytes()[0] {
            b'`' => code_span(rest),
            // A backslash takes the meaning from the character after it.
            b'\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            b'[' => match inline_link(rest) {
                Some(length) => length,
                None => return true,
            },
            _ => return true,
        };
        rest = &rest[length..];
    }
    false
}

/// The length of the code span at the start, or of the backticks if none
/// closes it before the paragraph ends.
fn code_span(text: &str) -> usize {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let paragraph = &text[..text.find("\n\n").unwrap_or(text.len())];
    let mut at = ticks;
    while let Some(start) = paragraph[at..].find('`') {
        let run = &paragraph[at + start..];
        let length = run.len() - run.trim_start_matches('`').len();
        at += start + length;
        if length == ticks {
            return at;
        }
    }
    ticks
}

/// The length of the `[text](address)` at the start.
fn inline_link(text: &str) -> Option<usize> {
    let close = 1 + text[1..].find(['[', ']'])?;
    let address = text[close..].strip_prefix("](")?;
    let end = address.find([')', '[', ']', '\n'])?;
    address[end..].starts_with(')').then_some(close + 2 + end + 1)
}
