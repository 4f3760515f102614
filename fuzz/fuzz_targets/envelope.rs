#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [high, low, body @ ..] = data else { return };
    // 100 to 599, and now and then what no server should send.
    let status = 100 + u16::from_be_bytes([*high, *low]) % 900;
    match sandbox_client::fuzzing::answer(status, body) {
        Ok(()) => {
            assert_eq!(status, 200);
            // Texts that no field reads may be in another encoding.
            let text = String::from_utf8_lossy(body);
            let value: serde_json::Value = serde_json::from_str(&text).expect("a success is JSON");
            assert!(value["data"].is_object());
            let failed = &value["data"]["status_cd"];
            assert!(!matches!(failed.as_str().map(str::trim), Some("0" | "false")), "{value}");
        }
        Err(error) => {
            let text = format!("{error}");
            assert!(text.chars().count() < 1200 && !text.contains(['\n', '\r', '\u{1b}']), "{text}");
            let _ = format!("{error:?} {error:#?}");
        }
    }
});
