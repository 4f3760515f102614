//! Values at the edges of what they take.

use std::time::{Duration, UNIX_EPOCH};

use sandbox_client::{
    public::types::PanRegistration,
    values::{
        Amount, EwbNumber, FinancialYear, Gstin, Irn, Month, NicServer, Pan, PanSearchData, Password,
        PathSegment, ProviderDate, SignedUrl, StatusCd, TextOrList, Timestamp,
    },
};

/// The number with its check digit put right.
fn checked(first: &str) -> String {
    let digits = ('0'..='9').chain('A'..='Z');
    let mut fitting = digits.map(|digit| format!("{first}{digit}")).filter(|text| Gstin::new(text).is_ok());
    let found = fitting.next().unwrap_or_else(|| panic!("{first} has no check digit"));
    assert_eq!(fitting.next(), None, "one digit alone fits");
    found
}

#[test]
fn a_gstin_has_one_of_two_patterns() {
    for first in ["27AAPFU0939F1Z", "27AAPF10939F1Z", "9917USA29014OS", "29AAACQ3770E1Z", "07AAAAA0000AAA"] {
        let text = checked(first);
        let gstin = Gstin::new(&text).unwrap();
        assert_eq!((gstin.as_str(), gstin.state_code()), (&*text, &text[..2]));
        let ordinary = !first.starts_with("9917");
        assert_eq!(gstin.pan(), ordinary.then(|| &text[2..12]), "{text}");
    }
    // Each place of the pattern: a letter where a digit belongs and the reverse, and a zero.
    for first in [
        "A7AAPFU0939F1Z",
        "2AAAPFU0939F1Z",
        "271APFU0939F1Z",
        "27AA1FU0939F1Z",
        "27AAPFUA939F1Z",
        "27AAPFU093AF1Z",
        "27AAPFU093911Z",
        "27AAPFU0939F0Z",
    ] {
        for digit in ('0'..='9').chain('A'..='Z') {
            assert!(Gstin::new(&format!("{first}{digit}")).is_err(), "{first}{digit}");
        }
    }
}

#[test]
fn lengths_and_characters_are_checked_together() {
    let irn = "0123456789abcdefABCDEF0123456789".repeat(2);
    assert_eq!(Irn::new(irn.clone()).unwrap().as_str(), irn.to_lowercase());
    for wrong in [irn[1..].to_owned(), format!("{irn}0"), format!("g{}", &irn[1..])] {
        assert!(Irn::new(wrong.clone()).is_err(), "{wrong}");
    }
    assert_eq!("abcde1234f".parse::<Pan>().unwrap().as_str(), "ABCDE1234F");
    for wrong in ["ABCDE1234", "ABCDE1234FF", "ABCD11234F", "ABCDEA234F", "ABCDE12345"] {
        assert!(wrong.parse::<Pan>().is_err(), "{wrong}");
    }
    for right in ["a", "A-b_9", &"x".repeat(64)] {
        assert_eq!(right.parse::<PathSegment>().unwrap().as_str(), right);
    }
    for wrong in ["", "a/b", "..", "a b", "ä", &"x".repeat(65)] {
        assert!(wrong.parse::<PathSegment>().is_err(), "{wrong}");
    }
}

#[test]
fn periods_begin_with_gst_and_have_two_digits_a_month() {
    assert_eq!(FinancialYear::starting(2017).unwrap().to_string(), "FY 2017-18");
    assert!(FinancialYear::starting(2016).is_err());
    assert!("01".parse::<Month>().is_ok());
    for wrong in ["", "1", "1x", "xx", "001"] {
        assert!(wrong.parse::<Month>().is_err(), "{wrong}");
    }
}

#[test]
fn a_timestamp_is_seconds_or_milliseconds() {
    let moment = |number: i64| Timestamp::from(number).to_system_time();
    let expected = Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    assert_eq!((moment(1_700_000_000), moment(1_700_000_000_000)), (expected, expected));
    assert_eq!((moment(0), moment(-5), moment(i64::MAX)), (None, None, None));
}

#[test]
fn a_signed_url_is_https_without_a_name_or_a_password() {
    for url in [
        "https://name@in-co-sandbox-x.s3.ap-south-1.amazonaws.com/f?s=1",
        "https://:word@in-co-sandbox-x.s3.ap-south-1.amazonaws.com/f?s=1",
        "http://in-co-sandbox-x.s3.ap-south-1.amazonaws.com/f?s=1",
        "ftp://in-co-sandbox-x.s3.ap-south-1.amazonaws.com/f?s=1",
    ] {
        let error = SignedUrl::new(url).unwrap_err();
        assert_eq!(error.field(), Some("url"), "{url}: {error}");
    }
    let plain = SignedUrl::new("http://in-co-sandbox-x.s3.ap-south-1.amazonaws.com/f").unwrap_err();
    assert!(plain.to_string().contains("loopback"), "{plain}");
}

#[test]
fn text_becomes_a_value_and_a_value_text() {
    assert_eq!(Amount::try_from("1000.10").unwrap().to_string(), "1000.1");
    assert!(Amount::try_from("much").is_err());
    let amount = |json: &str| serde_json::from_str::<Amount>(json).ok().map(|amount| amount.to_string());
    assert_eq!((amount("\"1.25\"").as_deref(), amount("\"1.2.5\"")), (Some("1.25"), None));
    let tiny = format!("0.{}1", "0".repeat(40));
    assert_eq!(amount(&format!("\"{tiny}\"")), tiny.parse().ok().map(|tiny: Amount| tiny.to_string()));
    assert_eq!(Amount::from(3) - Amount::from(5), Amount::from(-2));
    assert_eq!(amount("9007199254740991.0").as_deref(), Some("9007199254740991"));
    assert_eq!(amount("9007199254740992.0"), None, "its neighbours are not all floats");
    assert_eq!(NicServer::try_from("secondary").unwrap(), NicServer::Secondary);
    assert_eq!(NicServer::try_from("tertiary".to_owned()).unwrap(), NicServer::Tertiary);
    assert!(NicServer::try_from("fourth").is_err() && NicServer::try_from("fourth".to_owned()).is_err());
    assert_eq!(i64::from(EwbNumber::try_from(141_008_870_001_i64).unwrap()), 141_008_870_001);
    assert_eq!(format!("{:>12}|", ProviderDate::from("31-12-2025")), "  31-12-2025|");
    assert_eq!("1".parse::<StatusCd>().unwrap().to_string(), "1");
    assert_eq!(format!("{:<16}|", Gstin::new("33ABKCS2033B1ZW").unwrap()), "33ABKCS2033B1ZW |");
}

/// A PAN is a person's, and a password opens the account.
#[test]
fn debug_output_shows_no_pan_and_no_password() {
    assert_eq!(format!("{:?}", "ABCDE1234F".parse::<Pan>().unwrap()), "Pan(*********F)");
    let irn = "0123456789abcdef".repeat(4);
    assert_eq!(format!("{:?}", Irn::new(irn.clone()).unwrap()), format!("Irn({irn})"));
    let password = format!("{:?}", Password::new("not-a-real-password").unwrap());
    assert!(password.starts_with("Password") && !password.contains("real"), "{password}");
}

#[test]
fn a_text_of_several_values_is_taken_apart() {
    let text: TextOrList = serde_json::from_str(r#"" Retail Business, ,Warehouse,""#).unwrap();
    assert!(text.values().eq(["Retail Business", "Warehouse"]));
    let list: TextOrList = serde_json::from_str(r#"["Retail, Business", "Warehouse"]"#).unwrap();
    assert!(list.values().eq(["Retail, Business", "Warehouse"]));
}

#[test]
fn a_search_by_pan_has_registrations_or_a_failure() {
    let some = PanSearchData::Registrations(vec![PanRegistration::default(), PanRegistration::default()]);
    assert_eq!(some.registrations().len(), 2);
    let none: PanSearchData =
        serde_json::from_str(r#"{"error_cd": "SWEB_9035", "message": "none"}"#).unwrap();
    assert!(matches!(none, PanSearchData::Failure(_)) && none.registrations().is_empty());
}
