//! Keys that the tests hold, and tokens made with them, right or wrong in any way.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct TestKey {
    pub kid: String,
    pub algorithm: Algorithm,
    signing: EncodingKey,
}

impl TestKey {
    pub fn new(kid: &str, algorithm: Algorithm) -> Self {
        let rng = aws_lc_rs::rand::SystemRandom::new();
        let ec = |of| EncodingKey::from_ec_der(EcdsaKeyPair::generate_pkcs8(of, &rng).unwrap().as_ref());
        let signing = match algorithm {
            Algorithm::ES256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDSA => EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref()),
            _ => {
                let der = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
                let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
            }
        };
        Self { kid: kid.to_owned(), algorithm, signing }
    }

    /// As it is published; without `alg` an RSA key is good for every algorithm of its kind.
    pub fn jwk(&self, alg: Option<&str>) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.signing, self.algorithm).unwrap()).unwrap();
        let members = jwk.as_object_mut().unwrap();
        members.remove("alg");
        members.insert("kid".into(), json!(self.kid));
        if let Some(alg) = alg {
            members.insert("alg".into(), json!(alg));
        }
        jwk
    }

    pub fn sign(&self, message: &str) -> String {
        self.sign_as(message, self.algorithm)
    }

    pub fn sign_as(&self, message: &str, algorithm: Algorithm) -> String {
        jsonwebtoken::crypto::sign(message.as_bytes(), &self.signing, algorithm).unwrap()
    }

    pub fn header(&self) -> Value {
        json!({"alg": format!("{:?}", self.algorithm), "typ": "at+jwt", "kid": self.kid})
    }

    /// A token with this header and these claims, whatever they are.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        self.token_of_text(&header.to_string(), &claims.to_string())
    }

    pub fn token_of_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", b64(header), b64(claims));
        format!("{signed}.{}", self.sign(&signed))
    }
}

pub fn b64(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[expect(clippy::disallowed_methods, reason = "the tests' tokens are of now")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// `base` with members replaced; a null removes one.
pub fn with(base: &Value, changes: Value) -> Value {
    let mut all = base.clone();
    let members = all.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    all
}
