#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let printed = sandbox_client::fuzzing::printable(text);
    assert!(!printed.chars().any(char::is_control), "{printed:?}");
    assert!(!printed.contains(['\u{202e}', '\u{200b}', '\u{feff}']), "{printed:?}");
});
