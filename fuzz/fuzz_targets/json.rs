#![no_main]

use libfuzzer_sys::fuzz_target;
use sandbox_client::fuzzing::json;
use serde::de::IgnoredAny;
use serde_json::{Number, Value};

// What the tolerant reader takes for JSON is what serde_json takes for JSON, and it
// reads the same of it.
fuzz_target!(|text: &str| {
    let (is_json, read) = json(text);
    assert_eq!(is_json, serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text:?}");
    // Nothing where serde_json gives up: at `1e400`, and below 127 levels.
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let read = read.expect("what serde_json reads");
        assert!(is_same(&read, &value, 0), "{text:?}: {read} {value}");
    }
});

fn is_same(read: &Value, value: &Value, depth: u8) -> bool {
    let below = depth + 1;
    match (read, value) {
        (Value::Array(read), Value::Array(value)) => {
            read.len() == value.len() && read.iter().zip(value).all(|(read, value)| is_same(read, value, below))
        }
        (Value::Object(read), Value::Object(value)) => {
            read.len() == value.len()
                && read.iter().all(|(name, read)| value.get(name).is_some_and(|value| is_same(read, value, below)))
        }
        (Value::Number(read), Value::Number(value)) => is_near(read, value),
        // Below the deepest level.
        (Value::Null, Value::Array(_) | Value::Object(_)) => depth > 100,
        (read, value) => read == value,
    }
}

/// serde_json may miss the nearest float by a little, and the smallest by more.
fn is_near(read: &Number, value: &Number) -> bool {
    let (Some(read_float), Some(float)) = (read.as_f64(), value.as_f64()) else { return false };
    read == value || read.is_f64() && (read_float.is_subnormal() || (read_float - float).abs() <= float.abs() * 1e-15)
}
