#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};

fuzz_target!(|data: &[u8]| {
    let [high, low, body @ ..] = data else { return };
    // 100 to 599, and now and then what no server should send.
    let status = 100 + u16::from_be_bytes([*high, *low]) % 900;
    match sandbox_client::fuzzing::answer(status, body) {
        Ok(()) => {
            assert_eq!(status, 200);
            let text = sandbox_client::fuzzing::readable(body);
            let body: Members = serde_json::from_slice(&text).expect("a success is a JSON object");
            let data: Members = serde_json::from_str(body["data"].get()).expect("`data` is an object");
            assert!(data.contains_key("data"));
            for level in [&body, &data] {
                no_failure(level);
            }
        }
        Err(error) => {
            let text = format!("{error}");
            assert!(text.chars().count() < 1200 && !text.contains(['\n', '\r', '\u{1b}']), "{text}");
            let _ = format!("{error:?} {error:#?}");
        }
    }
});

type Members<'a> = HashMap<String, &'a RawValue>;

/// The first rule: what says failure beside a payload or around it is no success.
fn no_failure(level: &Members) {
    for (name, value) in level {
        // Numbers beyond any range tell nothing.
        let Ok(value) = serde_json::from_str::<Value>(value.get()) else { continue };
        let text = match &value {
            Value::String(text) => text.trim().to_lowercase(),
            other => other.to_string(),
        };
        // In whatever letters.
        let name = name.replace('_', "").to_lowercase();
        let holds = match name.as_str() {
            "statuscd" => text.parse::<f64>() == Ok(1.0) || ["", "null", "[]", "{}"].contains(&&*text),
            "status" | "success" => text != "false" && text.parse::<f64>() != Ok(0.0),
            "error" => value["error_cd"].as_str().is_none_or(|code| ["", "0", "null"].contains(&code.trim())),
            _ => true,
        };
        assert!(holds, "{name}: {value}");
    }
}
