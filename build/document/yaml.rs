//! Reads one YAML file as the JSON that it stands for.
//!
//! The document uses the part of YAML that JSON has too. The rest is refused:
//! anchors, aliases, tags, a key that stands twice, and scalars that other
//! tools would read differently.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, options};
use serde_json::{Map, Number, Value};

/// The value of `text`, which holds one YAML document.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut reader = Reader(Parser::new_from_str_with_options(text, options! { emit_comments: false }));
    reader.next()?; // the start of the stream
    if let (Event::StreamEnd, _) = reader.next()? {
        return Ok(Value::Null);
    }
    let first = reader.next()?;
    let value = reader.value(first)?;
    reader.next()?; // the end of the document
    match reader.next()? {
        (Event::StreamEnd, _) => Ok(value),
        (_, span) => Err(at(span, "a second document begins; write one for each file")),
    }
}

struct Reader<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        let event = self.0.next_event().ok_or("the file ends too early")?;
        event.map_err(|error| {
            let marker = error.marker();
            format!("line {}, column {}: {}", marker.line(), marker.col() + 1, error.info())
        })
    }

    /// The value that begins with an event. The parser limits its depth.
    fn value(&mut self, (event, span): (Event<'a>, Span)) -> Result<Value, String> {
        if event.alias_id().is_some() || event.anchor_id().is_some() || event.tag().is_some() {
            return Err(at(span, "anchors, aliases and tags are not supported; write the value itself"));
        }
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text).map_err(|message| at(span, &message)),
            Event::Scalar(text, ..) => Ok(Value::String(text.into_owned())),
            Event::SequenceStart(..) => {
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(list.into()),
                        first => list.push(self.value(first)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut members = Map::new();
                loop {
                    let (key, span) = match self.next()? {
                        (Event::MappingEnd, _) => return Ok(members.into()),
                        (Event::Scalar(key, _, 0, None), span) => (key.into_owned(), span),
                        (_, span) => return Err(at(span, "a key must be plain text")),
                    };
                    let first = self.next()?;
                    let value = self.value(first)?;
                    if members.contains_key(&key) {
                        return Err(at(span, &format!("duplicate key `{key}`")));
                    }
                    members.insert(key, value);
                }
            }
            _ => Err(at(span, "a value is missing")),
        }
    }
}

/// A scalar without quotes. YAML 1.1 took Y, N, yes, no, on and off for
/// booleans; here they are text, since answers of GSTN are full of them.
fn plain(text: &str) -> Result<Value, String> {
    match text {
        // The parser represents a missing value as `~`.
        "~" | "null" => return Ok(Value::Null),
        "true" => return Ok(true.into()),
        "false" => return Ok(false.into()),
        _ => {}
    }
    if let Ok(number) = serde_json::from_str::<Number>(text) {
        return Ok(Value::Number(number));
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && (unsigned.parse::<f64>().is_ok()
            || [".inf", ".nan"].iter().any(|name| unsigned.eq_ignore_ascii_case(name))
            || ["0x", "0o"].iter().any(|prefix| unsigned.starts_with(prefix)));
    if number || ["null", "true", "false"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Err(format!("YAML and JSON read `{text}` differently; write it as in JSON, or in quotes"));
    }
    Ok(Value::String(text.to_owned()))
}

fn at(span: Span, message: &str) -> String {
    format!("line {}, column {}: {message}", span.start.line(), span.start.col() + 1)
}
