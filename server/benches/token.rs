//! What a request pays for its token: verified anew, and remembered. `cargo bench --bench token`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people")]

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use n_users::auth::cache::{Remembered, TokenCache, hash};
use n_users::auth::claims::Mandate;
use n_users::auth::jose::{self, Token};
use n_users::auth::jwk::Key;
use n_users::auth::jwt;
use n_users::domain::caller::{Caller, Scope, TenantAccess};
use n_users::domain::clock::TimestampMs;
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const NOW: TimestampMs = TimestampMs(1_000_000_000);
const ROUNDS: u32 = 20_000;

fn signing_key(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::ES256 => {
            let rng = aws_lc_rs::rand::SystemRandom::new();
            EncodingKey::from_ec_der(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap().as_ref())
        }
        Algorithm::EdDSA => EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref()),
        _ => {
            let der = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
            EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
        }
    }
}

fn verify(token: &str, key: &Key, mandate: &Mandate) -> Arc<Caller> {
    let Ok(Token::Jwt(parsed)) = jose::parse(token) else { unreachable!("the token is a JWT") };
    let algorithm = jwt::access_token_algorithm(&parsed).unwrap();
    assert!(jwt::is_signed_by(&parsed, key, algorithm));
    jwt::check_claims(&parsed.claims, "https://id.example", "n_users", NOW).unwrap();
    Arc::new(mandate.caller(&parsed.claims).unwrap())
}

/// The best of some runs, in microseconds per call: the machine may be busy.
fn measured<T>(rounds: u32, mut call: impl FnMut() -> T) -> f64 {
    let run = |call: &mut dyn FnMut() -> T| {
        let started = Instant::now();
        for _ in 0..rounds {
            black_box(call());
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    };
    (0..7).map(|_| run(&mut call)).fold(f64::INFINITY, f64::min)
}

fn main() {
    let mandate = Mandate {
        issuer: "https://id.example".into(),
        tenant_claim: "tenant".into(),
        tenant: None,
        tenants: TenantAccess::All,
        scopes: Scope::ALL.to_vec(),
    };
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let signing = signing_key(algorithm);
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&signing, algorithm).unwrap()).unwrap();
        let key = Key::from_jwk(jwk.as_object().unwrap()).unwrap();
        let header = Header { typ: Some("at+jwt".into()), kid: Some("2f53e2a5-c470".into()), ..Header::new(algorithm) };
        let claims = json!({
            "iss": "https://id.example", "aud": "n_users", "sub": "a-client-of-ours", "client_id": "a-client-of-ours",
            "jti": "Gnl618T1JqfrVlqbdKNS1xOsLFEWXvO78XbfPdgLzNd", "iat": 1_000_000, "exp": 1_003_600,
            "scope": "profiles:read profiles:write", "tenant": "acme",
        });
        let token = jsonwebtoken::encode(&header, &claims, &signing).unwrap();
        let anew = measured(ROUNDS / 20, || verify(&token, &key, &mandate));
        let cache = TokenCache::default();
        let remembered = Remembered { caller: verify(&token, &key, &mandate), until: TimestampMs(NOW.0 + 1), verified_by: (0, 1) };
        cache.insert(hash(&token), remembered);
        let known = measured(ROUNDS, || cache.get(&hash(&token), NOW, |by| by == (0, 1)).unwrap());
        println!("{algorithm:?}: verified anew {anew:.1} us, remembered {known:.2} us (a token of {} bytes)", token.len());
    }
}
