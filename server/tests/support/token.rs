//! Tokens, good ones and all kinds of bad ones, signed with the key that local development keeps in `DATA_DIR`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use n_users::domain::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use std::path::Path;

pub const ALL_SCOPES: &str = "profiles:read profiles:write profiles:admin tenants:admin";

/// The claims of a token that is good for an hour. `tenant` is a name, a list of names, or `*`.
pub fn claims(tenant: impl Into<Value>, scope: &str, subject: &str) -> Value {
    let now = now_seconds();
    json!({
        "iss": "n_users-local", "aud": "n_users", "sub": subject, "iat": now, "exp": now + 3600,
        "scope": scope, "tenant": tenant.into(),
    })
}

pub fn now_seconds() -> i64 {
    SystemClock.now().0 / 1000
}

/// Signs any claims with the service's own key.
pub fn sign(data_dir: &Path, claims: &Value) -> String {
    sign_as(data_dir, claims, "at+jwt")
}

/// The same under another `typ`.
pub fn sign_as(data_dir: &Path, claims: &Value, typ: &str) -> String {
    let header = Header { typ: Some(typ.to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &key(data_dir)).unwrap()
}

fn key(data_dir: &Path) -> EncodingKey {
    let pem = std::fs::read_to_string(data_dir.join("local_signing_key.pem")).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    EncodingKey::from_ed_der(&STANDARD.decode(base64).unwrap())
}
