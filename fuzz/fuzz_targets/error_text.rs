#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let printed = sandbox_client::fuzzing::escape_and_truncate(text);
    assert!(!printed.chars().any(char::is_control), "{printed:?}");
    // The cap and the mark of what was cut.
    assert!(printed.chars().count() <= 513, "{printed:?}");
    assert!(!printed.contains(['\u{202e}', '\u{200b}', '\u{feff}']), "{printed:?}");
});
