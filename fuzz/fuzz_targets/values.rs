#![no_main]

use libfuzzer_sys::fuzz_target;
use sandbox_client::values::{Amount, Gstin, InvoiceCounts, Otp, PathSegment, ReturnPeriod, Timestamp};

fuzz_target!(|text: &str| {
    if let Ok(gstin) = text.parse::<Gstin>() {
        assert_eq!(gstin.as_str().parse::<Gstin>().unwrap(), gstin);
        assert!(gstin.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()));
    }
    if let Ok(period) = text.parse::<ReturnPeriod>() {
        assert_eq!(period.to_string(), text);
    }
    if let Ok(otp) = text.parse::<Otp>() {
        assert_eq!(otp.expose_secret(), text);
    }
    if let Ok(segment) = text.parse::<PathSegment>() {
        assert!(!segment.as_str().contains(['/', '.', '%', '\\']));
    }
    if let Ok(timestamp) = serde_json::from_str::<Timestamp>(text) {
        let _ = (timestamp.unix_millis(), timestamp.to_system_time(), timestamp.to_string());
    }
    // Numbers with more digits or an exponent are read as the nearest float that
    // serde_json finds, and no amount has either.
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits <= 15
        && !text.contains(['e', 'E'])
        && let Ok(amount) = serde_json::from_str::<Amount>(text)
        && let Ok(written) = serde_json::to_string(&amount)
    {
        assert_eq!(serde_json::from_str::<Amount>(&written).unwrap(), amount, "{text} {written}");
    }
    if let Ok(counts) = serde_json::from_str::<InvoiceCounts>(text) {
        let written = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<InvoiceCounts>(&written).unwrap(), counts);
        let _ = counts.to_string();
    }
});
