//! What makes a JWT a valid access token (RFC 9068 §4, RFC 8725): its type, its signature, and for whom and when it is.
//! What is wrong with the claims is only told of a token whose signature is valid.

use super::Refusal;
use super::claims::Claims;
use super::jose::Jwt;
use super::jwk::{ALGORITHMS, Key, algorithm};
use crate::domain::clock::TimestampMs;
use jsonwebtoken::Algorithm;
use serde_json::Value;

/// How far clocks may be apart.
pub const LEEWAY_MS: i64 = 30_000;

/// The algorithm of a token that says it is an access token (RFC 9068 §2.1).
pub fn access_token_algorithm(jwt: &Jwt<'_>) -> Result<Algorithm, Refusal> {
    let algorithm = algorithm(&jwt.alg).ok_or_else(|| {
        Refusal::invalid(format!("the token's algorithm is not accepted: only {} are", ALGORITHMS.map(|(name, _)| name).join(", ")))
    })?;
    let typ = jwt.typ.as_deref().unwrap_or_default();
    if typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt") {
        Ok(algorithm)
    } else {
        Err(Refusal::invalid("the token is not an access token: its typ is not at+jwt (RFC 9068)"))
    }
}

/// Whether `key` made the token's signature.
pub fn is_signed_by(jwt: &Jwt<'_>, key: &Key, algorithm: Algorithm) -> bool {
    key.fits(algorithm) && jsonwebtoken::crypto::verify(jwt.signature, jwt.signed.as_bytes(), &key.verifying, algorithm).unwrap_or_default()
}

/// Until when the token is good; it is of `issuer`, for `audience`, and good now.
pub fn check_claims(claims: &Claims, issuer: &str, audience: &str, now: TimestampMs) -> Result<TimestampMs, Refusal> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(Refusal::invalid("the token is from another issuer"));
    }
    if !is_for(claims.get("aud"), audience) {
        return Err(Refusal::invalid("the token is for another audience"));
    }
    let Some(expires) = time(claims, "exp")? else { return Err(Refusal::invalid("the token has no time of expiry (exp)")) };
    check_times(claims, expires, now)
}

/// Until when a token that ends at `expires` is good: its times, with leeway.
pub fn check_times(claims: &Claims, expires: TimestampMs, now: TimestampMs) -> Result<TimestampMs, Refusal> {
    let until = TimestampMs(expires.0.saturating_add(LEEWAY_MS));
    if until <= now {
        return Err(Refusal::invalid("the token has expired"));
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|from| from.0.saturating_sub(LEEWAY_MS) > now.0) {
            return Err(Refusal::invalid(format!("the token is not valid yet ({name})")));
        }
    }
    Ok(until)
}

/// `aud` is a name or a list of names (RFC 7519 §4.1.3).
pub fn is_for(aud: Option<&Value>, audience: &str) -> bool {
    match aud {
        Some(Value::String(name)) => name == audience,
        Some(Value::Array(names)) => names.iter().all(Value::is_string) && names.iter().any(|name| name == audience),
        _ => false,
    }
}

/// A NumericDate (RFC 7519 §2), whole or with a fraction.
pub fn time(claims: &Claims, name: &str) -> Result<Option<TimestampMs>, Refusal> {
    /// The year 9999.
    const LATEST_SECONDS: f64 = 253_402_300_799.0;
    match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) if (0.0..=LATEST_SECONDS).contains(&seconds) => Ok(Some(TimestampMs((seconds * 1000.0) as i64))),
            _ => Err(Refusal::invalid(format!("the token's {name} is not a time in seconds"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: TimestampMs = TimestampMs(1_000_000_000);

    fn check(changes: Value) -> Result<TimestampMs, String> {
        let mut claims = json!({"iss": "i", "aud": "a", "exp": 1_000_060, "nbf": 999_999, "iat": 999_999});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        check_claims(claims.as_object().unwrap(), "i", "a", NOW).map_err(|e| e.to_string())
    }

    #[test]
    fn a_token_is_good_until_it_ends_with_30_seconds_of_leeway() {
        assert_eq!(check(json!({})), Ok(TimestampMs(1_000_090_000)));
        assert_eq!(check(json!({"exp": 999_971})), Ok(TimestampMs(1_000_001_000)));
        assert_eq!(check(json!({"exp": 1_000_000.5})), Ok(TimestampMs(1_000_030_500)));
        assert!(check(json!({"nbf": 1_000_030, "iat": 1_000_030})).is_ok());
        assert!(check(json!({"aud": ["b", "a"]})).is_ok());
    }

    #[test]
    fn every_other_token_is_told_why_not() {
        for (changes, expected) in [
            (json!({"exp": 999_970}), "expired"),
            (json!({"exp": null}), "exp"),
            (json!({"exp": "1000060"}), "exp"),
            (json!({"exp": -1}), "exp"),
            (json!({"exp": 1e300}), "exp"),
            (json!({"nbf": 1_000_031}), "not valid yet"),
            (json!({"nbf": "now"}), "nbf"),
            (json!({"iat": 1_000_031}), "not valid yet"),
            (json!({"iss": "j"}), "another issuer"),
            (json!({"iss": ["i"]}), "another issuer"),
            (json!({"iss": null}), "another issuer"),
            (json!({"aud": "b"}), "another audience"),
            (json!({"aud": []}), "another audience"),
            (json!({"aud": ["a", 7]}), "another audience"),
            (json!({"aud": {"a": "a"}}), "another audience"),
            (json!({"aud": null}), "another audience"),
        ] {
            let error = check(changes.clone()).unwrap_err();
            assert!(error.contains(expected), "{changes}: {error}");
        }
    }
}
