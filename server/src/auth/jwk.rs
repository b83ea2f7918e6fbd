//! One published key (RFC 7517) and what it may verify: only what is on the allow-list, only as the key itself says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// The signature algorithms that are accepted (RFC 8725 §3.1): asymmetric ones only, so that nothing published can sign.
pub const ALGORITHMS: [(&str, Algorithm); 7] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

const RSA: [Algorithm; 4] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256];

/// RFC 7518 §3.3 wants 2048 bits at least; longer than 8192 only costs time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The algorithm of this name, if it is accepted.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
}

/// A key that may verify signatures.
pub struct Key {
    pub kid: Option<String>,
    algorithms: Vec<Algorithm>,
    pub verifying: DecodingKey,
}

impl Key {
    /// The key, or `None` for one that is of no use here: for encryption, of another algorithm, too short, or with its
    /// private half published.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let says = |name: &str, expected: &str| jwk.get(name).is_none_or(|value| value == expected);
        let may_verify = jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
        if !says("use", "sig") || !may_verify || jwk.contains_key("d") || jwk.contains_key("k") {
            return None;
        }
        let (fitting, verifying) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (text("n")?, text("e")?);
                let modulus = URL_SAFE_NO_PAD.decode(n).ok()?;
                let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
                (RSA_BYTES.contains(&bytes).then_some(RSA.as_slice())?, DecodingKey::from_rsa_components(n, e).ok()?)
            }
            ("EC", Some("P-256")) => ([Algorithm::ES256].as_slice(), DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?),
            ("EC", Some("P-384")) => ([Algorithm::ES384].as_slice(), DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?),
            ("OKP", Some("Ed25519")) => ([Algorithm::EdDSA].as_slice(), DecodingKey::from_ed_components(text("x")?).ok()?),
            _ => return None,
        };
        let algorithms = match jwk.get("alg") {
            None => fitting.to_vec(),
            Some(named) => vec![algorithm(named.as_str()?).filter(|named| fitting.contains(named))?],
        };
        Some(Self { kid: text("kid").map(str::to_owned), algorithms, verifying })
    }

    /// A key of our own.
    pub fn own(algorithm: Algorithm, verifying: DecodingKey) -> Self {
        Self { kid: None, algorithms: vec![algorithm], verifying }
    }

    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }
}

/// Says no more than the id: a key's material is nobody's business.
impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Key({:?})", self.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(changes: Value) -> Option<Key> {
        let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"});
        jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        Key::from_jwk(jwk.as_object().unwrap())
    }

    #[test]
    fn a_key_verifies_what_it_says() {
        assert!(key(json!({})).unwrap().fits(Algorithm::EdDSA));
        assert!(key(json!({"use": "sig", "alg": "EdDSA", "key_ops": ["verify"]})).is_some());
        let modulus = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0x91; bytes]);
        let rsa = |changes: Value| {
            let mut jwk = json!({"kty": "RSA", "crv": null, "x": null, "n": modulus(256), "e": "AQAB"});
            jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            key(jwk)
        };
        let any = rsa(json!({})).unwrap();
        assert!(RSA.iter().all(|algorithm| any.fits(*algorithm)) && !any.fits(Algorithm::ES256) && !any.fits(Algorithm::HS256));
        let one = rsa(json!({"alg": "PS256"})).unwrap();
        assert!(one.fits(Algorithm::PS256) && !one.fits(Algorithm::RS256));
        assert!(rsa(json!({"n": modulus(128)})).is_none(), "1024 bits");
        assert!(rsa(json!({"n": format!("AAAA{}", modulus(192))})).is_none(), "padded with zeros");
        assert!(
            rsa(json!({"alg": "ES256"})).is_none() && rsa(json!({"alg": "HS256"})).is_none() && rsa(json!({"alg": "RSA-OAEP"})).is_none()
        );
    }

    #[test]
    fn other_keys_are_of_no_use() {
        for changes in [
            json!({"use": "enc"}),
            json!({"key_ops": ["sign"]}),
            json!({"key_ops": "verify"}),
            json!({"alg": "ES256"}),
            json!({"alg": 7}),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "EC"}),
            json!({"crv": "X25519"}),
            json!({"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}),
            json!({"x": null}),
            json!({"x": "***"}),
        ] {
            assert!(key(changes.clone()).is_none(), "{changes}");
        }
    }
}
