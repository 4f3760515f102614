#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(address) = sandbox_client::fuzzing::base_url(text) else { return };
    assert!(!address.ends_with('/') && !address.contains(['?', '#', '@']), "{address}");
    let loopback = ["http://127.", "http://localhost", "http://[::1]"];
    assert!(
        address.starts_with("https://") || loopback.iter().any(|start| address.starts_with(start)),
        "{address}"
    );
});
