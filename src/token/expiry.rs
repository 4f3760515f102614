//! How long a token is valid, from what little the answers say.

use std::time::{Duration, SystemTime};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::{Token, values::Timestamp};

/// How long tokens of a kind live, and when they are renewed.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The longest life that is believed, from now on.
    pub longest: Duration,
    /// How long before its end a token is renewed, at the earliest.
    pub margin: Duration,
}

pub(crate) const PLATFORM_TERMS: Terms = Terms { longest: PLATFORM, margin: Duration::from_secs(5 * 60) };
pub(crate) const TAXPAYER_TERMS: Terms = Terms { longest: TAXPAYER, margin: Duration::from_secs(30 * 60) };

/// No token of any kind lives longer.
pub(crate) const LONGEST_LIFE: Duration = PLATFORM;

/// Documented life of a platform token, and the longest that is believed.
const PLATFORM: Duration = Duration::from_secs(24 * 3600);
/// Documented life of a taxpayer token, and the longest that is believed.
const TAXPAYER: Duration = Duration::from_secs(6 * 3600);

/// Claims of a token, read without checking its signature: they only decide
/// when to renew.
#[derive(Default, Deserialize)]
struct Claims {
    exp: Option<f64>,
    iat: Option<f64>,
}

fn claims(token: &Token) -> Claims {
    let payload = token.expose_secret().split('.').nth(1).unwrap_or_default();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Life left of a fresh platform token. The answer names no end; the token's
/// `exp` does, and is compared with the server's clock, not ours. Zero where
/// the token is over already.
pub(crate) fn platform_lifetime(token: &Token, answered: Option<&Timestamp>) -> Duration {
    let claims = claims(token);
    let Some(end) = claims.exp else { return PLATFORM };
    let server_now = server_now(answered, claims.iat);
    between(end - server_now, PLATFORM)
}

/// Life left of a fresh token of a session, `longest` at most. An end that is
/// missing, unreadable or over already says nothing: the server will tell.
pub(crate) fn session_lifetime(
    longest: Duration,
    token: &Token,
    token_expiry: Option<&Timestamp>,
    answered: Option<&Timestamp>,
) -> Duration {
    let claims = claims(token);
    let Some(end) = token_expiry.and_then(seconds).or(claims.exp) else { return longest };
    match between(end - server_now(answered, claims.iat), longest) {
        Duration::ZERO => longest,
        life => life,
    }
}

/// A number of seconds as a duration from zero to `longest`, whatever it is.
fn between(seconds: f64, longest: Duration) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, longest.as_secs_f64()))
}

#[allow(clippy::cast_precision_loss)] // milliseconds of this millennium are exact
fn seconds(timestamp: &Timestamp) -> Option<f64> {
    timestamp.unix_millis().map(|millis| millis as f64 / 1000.0)
}

/// The server's clock: when it answered, or else when it made the token.
fn server_now(answered: Option<&Timestamp>, issued: Option<f64>) -> f64 {
    answered.and_then(seconds).or(issued).unwrap_or_else(|| {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Token {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        Token::new(format!("{}.{}.fake", part(r#"{"alg":"none"}"#), part(claims))).unwrap()
    }

    #[test]
    fn a_platform_token_lives_until_its_exp_by_the_server_s_clock() {
        let at = |seconds: i64| Some(Timestamp::from(seconds * 1000));
        let hour = Duration::from_secs(3600);
        for (claims, answered, expected) in [
            (r#"{"exp":1700003600,"iat":1600000000}"#, at(1_700_000_000), hour),
            (r#"{"exp":1700003600,"iat":1700000000}"#, None, hour),
            (r#"{"exp":1699999999,"iat":1699990000}"#, at(1_700_000_000), Duration::ZERO),
            (r#"{"exp":9e300}"#, at(1_700_000_000), PLATFORM),
            (r#"{"exp":-9e300}"#, at(1_700_000_000), Duration::ZERO),
            (r#"{"exp":"soon"}"#, at(1_700_000_000), PLATFORM),
            ("{}", None, PLATFORM),
        ] {
            assert_eq!(platform_lifetime(&token(claims), answered.as_ref()), expected, "{claims}");
        }
        assert_eq!(platform_lifetime(&Token::new("opaque").unwrap(), None), PLATFORM);
    }

    #[test]
    fn a_taxpayer_token_never_lives_longer_than_six_hours() {
        let answered = Timestamp::from(1_712_926_110_000);
        for (expiry, expected) in [
            (Some(1_712_929_710_000), Duration::from_secs(3600)),
            (Some(1_712_929_710), Duration::from_secs(3600)),
            (Some(1_712_947_711_000), TAXPAYER),
            (Some(253_402_300_799_000), TAXPAYER),
            (Some(i64::MAX), TAXPAYER),
            (Some(1_600_000_000_000), TAXPAYER),
            (Some(0), TAXPAYER),
            (None, TAXPAYER),
        ] {
            let expiry = expiry.map(Timestamp::from);
            let token = Token::new("opaque").unwrap();
            let life = session_lifetime(TAXPAYER, &token, expiry.as_ref(), Some(&answered));
            assert_eq!(life, expected, "{expiry:?}");
        }
    }
}
