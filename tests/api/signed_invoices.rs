//! The signature of a signed invoice: only what NIC's key signed is taken for it.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _, SigningKey as _};
use sandbox_client::{
    ErrorKind, NicPublicKey, SignatureError, e_invoice::types::RegisteredInvoice, mock::MockServer,
    values::Gstin,
};
use serde_json::{Value, json};

// Made for these tests, and used nowhere else.
const SIGNER: &str = include_str!("../fixtures/signing_key_of_tests.pem");
const OTHER: &str = include_str!("../fixtures/another_signing_key_of_tests.pem");

fn pair(pem: &str) -> KeyPair {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    KeyPair::try_from(BASE64_STANDARD.decode(text).unwrap()).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn public_key(pair: &KeyPair) -> String {
    pem("PUBLIC KEY", &pair.subject_public_key_info())
}

fn certificate(pair: &KeyPair) -> String {
    let params = CertificateParams::new(["NIC".to_owned()]).unwrap();
    pem("CERTIFICATE", params.self_signed(pair).unwrap().der())
}

fn key(pem: &str) -> NicPublicKey {
    NicPublicKey::from_pem(public_key(&pair(pem))).unwrap()
}

fn part(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// A token with this header and these claims, signed with RS256 whatever it says.
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = pair(SIGNER).sign(message.as_bytes()).unwrap();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

const RS256: &str = r#"{"alg":"RS256","kid":"1","typ":"JWT"}"#;

/// As NIC writes it: the data are text in the claim.
fn invoice() -> String {
    signed(RS256, &json!({"iss": "NIC", "data": json!({"Irn": "49a7"}).to_string()}).to_string())
}

#[test]
fn what_the_key_signed_is_read() {
    for text in [invoice(), format!(" {}\r\n", invoice())] {
        let claims = key(SIGNER).verify(&text).unwrap();
        assert_eq!((claims.issuer.as_deref(), claims.data), (Some("NIC"), json!({"Irn": "49a7"})));
    }
    let claims = key(SIGNER).verify(&signed(RS256, r#"{"data":{"Irn":"49a7"}}"#)).unwrap();
    assert_eq!((claims.issuer, claims.data), (None, json!({"Irn": "49a7"})));

    let answer = |text: &str| -> RegisteredInvoice {
        serde_json::from_value(json!({"Irn": "49a7", "SignedInvoice": text, "SignedQRCode": text})).unwrap()
    };
    let good = answer(&invoice());
    assert_eq!(good.verify_signed_invoice(&key(SIGNER)).unwrap().data, good.signed_invoice_data().unwrap());
    assert_eq!(good.verify_signed_qr_code(&key(SIGNER)).unwrap().data, good.signed_qr_code_data().unwrap());
    let none: RegisteredInvoice = serde_json::from_value(json!({"Irn": "49a7"})).unwrap();
    assert_eq!(none.verify_signed_invoice(&key(SIGNER)), Err(SignatureError::Missing));
    assert_eq!(none.verify_signed_qr_code(&key(SIGNER)), Err(SignatureError::Missing));
}

#[test]
fn a_certificate_holds_the_key() {
    let pem = certificate(&pair(SIGNER));
    assert!(NicPublicKey::from_pem(&pem).unwrap().verify(&invoice()).is_ok());
    // As some tools write it, with words around.
    let pem = format!("subject=CN = NIC\r\n{}\r\n", pem.replace('\n', "\r\n"));
    assert!(NicPublicKey::from_pem(pem.as_bytes()).unwrap().verify(&invoice()).is_ok());
}

#[test]
fn what_another_key_signed_is_refused() {
    assert_eq!(key(OTHER).verify(&invoice()), Err(SignatureError::Mismatch));
}

/// Not one character can be changed.
#[test]
fn what_was_changed_is_refused() {
    let (key, text) = (key(SIGNER), invoice());
    for place in 0..text.len() {
        for other in ['A', 'B', '.', '=', '-'] {
            let mut changed = text.clone();
            changed.replace_range(place..=place, &other.to_string());
            if changed != text {
                assert!(key.verify(&changed).is_err(), "{place}: {other}");
            }
        }
    }
    let (message, signature) = text.rsplit_once('.').unwrap();
    let other = part(r#"{"iss":"NIC","data":{"Irn":"another"}}"#);
    let header = message.split_once('.').unwrap().0;
    assert_eq!(key.verify(&format!("{header}.{other}.{signature}")), Err(SignatureError::Mismatch));
    for cut in [0, 1, 100, signature.len() - 1] {
        assert!(key.verify(&format!("{message}.{}", &signature[..cut])).is_err(), "{cut}");
    }
}

/// The token does not choose how it is verified: neither "not at all", nor with
/// the public key as the secret of an HMAC, nor with another hash or padding.
#[test]
fn no_other_algorithm_is_accepted() {
    let claims = r#"{"data":{}}"#;
    for algorithm in
        ["none", "None", "NONE", "", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", " RS256"]
    {
        let text = signed(&json!({"alg": algorithm}).to_string(), claims);
        assert_eq!(key(SIGNER).verify(&text), Err(SignatureError::Algorithm), "{algorithm}");
        let unsigned = format!("{}.", text.rsplit_once('.').unwrap().0);
        assert_eq!(key(SIGNER).verify(&unsigned), Err(SignatureError::Algorithm), "{algorithm}");
    }
    for header in [r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, r#"{"alg":"RS256","crit":[]}"#] {
        assert_eq!(key(SIGNER).verify(&signed(header, claims)), Err(SignatureError::Algorithm), "{header}");
    }
    for header in
        ["{}", "[]", r#"{"alg":1}"#, r#"{"alg":["RS256"]}"#, r#"{"alg":"none","alg":"RS256"}"#, "", "x"]
    {
        assert_eq!(key(SIGNER).verify(&signed(header, claims)), Err(SignatureError::Malformed), "{header}");
    }
}

#[test]
fn what_is_no_token_is_told() {
    let text = invoice();
    for malformed in ["", ".", "..", "...", "a", "a.b", "a.b.c", "\u{feff}", "é.é.é"] {
        assert_eq!(key(SIGNER).verify(malformed), Err(SignatureError::Malformed), "{malformed}");
    }
    for malformed in [format!("{text}="), format!("{text}.x"), format!("x.{text}"), text.replace('.', "..")] {
        assert!(key(SIGNER).verify(&malformed).is_err(), "{malformed}");
    }
    for claims in ["", "{}", "[]", "null", r#"{"data":"no JSON"}"#, r#"{"iss":"NIC"}"#] {
        assert_eq!(key(SIGNER).verify(&signed(RS256, claims)), Err(SignatureError::Malformed), "{claims}");
    }
}

#[test]
fn what_is_no_public_key_is_refused_and_not_shown() {
    let elliptic = KeyPair::generate().unwrap();
    let good = public_key(&pair(SIGNER));
    for pem in [
        String::new(),
        "key".to_owned(),
        SIGNER.to_owned(),
        public_key(&elliptic),
        certificate(&elliptic),
        good.replace("PUBLIC KEY", "CERTIFICATE"),
        good.replace("MII", "AAA"),
        good[..good.len() / 2].to_owned(),
    ] {
        let error = NicPublicKey::from_pem(&pem).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("public_key")), "{pem}");
        let (told, shown) = (format!("{error} {error:?}"), SIGNER.lines().nth(3).unwrap());
        assert!(!told.contains(shown) && !told.contains("BEGIN PRIVATE"), "{told}");
    }
}

/// The mock server has no key of NIC, and does not pretend.
#[tokio::test]
async fn the_mock_server_signs_nothing() {
    let mock = MockServer::builder().stateful_documents().start().await.unwrap();
    let session = mock
        .client()
        .unwrap()
        .e_invoice(Gstin::unchecked("29AAACQ3770E000").unwrap(), "api_user", "not-a-real-password")
        .unwrap();
    let sample = include_str!("../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json");
    let made = session.e_invoice().generate_or_get(&serde_json::from_str(sample).unwrap()).await.unwrap();
    let code = made.invoice.signed_qr_code_data().unwrap();
    assert_eq!(code["Irn"], Value::from(made.id.irn.as_str()));
    assert_eq!(made.invoice.verify_signed_invoice(&key(SIGNER)), Err(SignatureError::Mismatch));
}
