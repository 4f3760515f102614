#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &str| {
    // Arithmetic on it must be safe, whatever was sent.
    if let Some(wait) = sandbox_client::fuzzing::retry_after(value) {
        assert!(std::time::Instant::now().checked_add(wait).is_some(), "{wait:?}");
    }
});
