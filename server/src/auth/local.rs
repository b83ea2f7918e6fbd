//! Local development without an issuer: a signing key of our own in the data directory, for loopback only.

use super::cache::{Remembered, TokenCache, hash};
use super::claims::Mandate;
use super::jose::{self, Token};
use super::jwk::Key;
use super::{Refusal, TokenVerifier, jwt};
use crate::domain::caller::{Caller, Scope, TenantAccess};
use crate::domain::clock::{Clock, SystemClock, TimestampMs};
use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::json;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const KEY_FILE: &str = "local_signing_key.pem";
const ISSUER: &str = "n_users-local";
const TOKEN_TYPE: &str = "at+jwt";
const TENANT_CLAIM: &str = "tenant";

/// The key pair (Ed25519) that signs and verifies local tokens.
pub struct LocalKey {
    signing: EncodingKey,
    verifying: Key,
    audience: String,
    mandate: Mandate,
    verified: TokenCache,
}

/// What a local token is to say.
pub struct LocalTokenRequest {
    pub subject: String,
    /// A tenant's name, or `*`.
    pub tenant: String,
    pub scope: String,
    pub ttl: Duration,
}

impl LocalKey {
    /// Reads the key from the data directory, or makes one there that only its owner can read. Two processes that
    /// start at once end up with the same key.
    pub fn load_or_create(data_dir: &Path, audience: &str) -> io::Result<Self> {
        let path = data_dir.join(KEY_FILE);
        let pem = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_key_file(data_dir, &path)?;
                std::fs::read_to_string(&path)?
            }
            other => other?,
        };
        Self::from_pem(&pem, audience)
            .ok_or_else(|| io::Error::other(format!("{} holds no Ed25519 key; remove it to have a new one made", path.display())))
    }

    /// Whether the data directory has a key already.
    pub fn is_in(data_dir: &Path) -> bool {
        data_dir.join(KEY_FILE).is_file()
    }

    fn from_pem(pem: &str, audience: &str) -> Option<Self> {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let pkcs8 = STANDARD.decode(base64).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).ok()?;
        Some(Self {
            signing: EncodingKey::from_ed_der(&pkcs8),
            verifying: Key::own(Algorithm::EdDSA, DecodingKey::from_ed_der(pair.public_key().as_ref())),
            audience: audience.to_owned(),
            mandate: Mandate {
                issuer: ISSUER.into(),
                tenant_claim: TENANT_CLAIM.to_owned(),
                tenant: None,
                tenants: TenantAccess::All,
                scopes: Scope::ALL.to_vec(),
            },
            verified: TokenCache::default(),
        })
    }

    /// Signs an access token.
    pub fn mint(&self, request: LocalTokenRequest, now: TimestampMs) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let now_seconds = now.0 / 1000;
        let ttl_seconds = i64::try_from(request.ttl.as_secs()).unwrap_or(i64::MAX);
        let claims = json!({
            "iss": ISSUER,
            "aud": self.audience,
            "sub": request.subject,
            "exp": now_seconds.saturating_add(ttl_seconds),
            "iat": now_seconds,
            "scope": request.scope,
            (TENANT_CLAIM): request.tenant,
        });
        jsonwebtoken::encode(&header, &claims, &self.signing)
    }

    fn verify_at(&self, token: &str, now: TimestampMs) -> Result<Arc<Caller>, Refusal> {
        let hash = hash(token);
        if let Some(caller) = self.verified.get(&hash, now, |_| true) {
            return Ok(caller);
        }
        let Ok(Token::Jwt(jwt)) = jose::parse(token) else {
            return Err(Refusal::invalid("the token is not a valid access token of this service"));
        };
        let algorithm = jwt::access_token_algorithm(&jwt)?;
        if !jwt::is_signed_by(&jwt, &self.verifying, algorithm) {
            return Err(Refusal::invalid(
                "the token's signature is not valid; a local token is only good with the DATA_DIR that it was minted with",
            ));
        }
        let until = jwt::check_claims(&jwt.claims, ISSUER, &self.audience, now)?;
        let caller = Arc::new(self.mandate.caller(&jwt.claims)?);
        self.verified.insert(hash, Remembered { caller: caller.clone(), until, verified_by: (0, 0) });
        Ok(caller)
    }
}

#[async_trait]
impl TokenVerifier for LocalKey {
    async fn verify(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        self.verify_at(token, SystemClock.now())
    }

    fn issuers_are_up(&self) -> Option<bool> {
        None
    }
}

/// Writes the key beside its final name and links it there: whoever comes first has made the key, and nobody ever
/// reads half of one.
fn create_key_file(data_dir: &Path, path: &Path) -> io::Result<()> {
    let pkcs8 =
        Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map_err(|_| io::Error::other("no signing key could be made"))?;
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8.as_ref()));
    std::fs::create_dir_all(data_dir)?;
    let temporary = data_dir.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(key: &LocalKey, token: &str) -> Result<Arc<Caller>, Refusal> {
        key.verify_at(token, SystemClock.now())
    }

    fn key() -> LocalKey {
        let dir = tempfile::tempdir().unwrap();
        LocalKey::load_or_create(dir.path(), "n_users").unwrap()
    }

    fn mint(key: &LocalKey, age_ms: i64) -> String {
        let ttl = Duration::from_secs(60);
        let request = LocalTokenRequest { subject: "me".into(), tenant: "*".into(), scope: "profiles:read".into(), ttl };
        key.mint(request, TimestampMs(SystemClock.now().0 - age_ms)).unwrap()
    }

    #[test]
    fn a_minted_token_is_accepted_by_its_own_key_only() {
        let key_a = key();
        let token = mint(&key_a, 0);
        let expected =
            Caller { issuer: ISSUER.into(), subject: "me".into(), scopes: vec![Scope::ProfilesRead], tenants: TenantAccess::All };
        assert_eq!(*verify(&key_a, &token).unwrap(), expected);
        assert_eq!(*verify(&key_a, &token).unwrap(), expected, "remembered");
        assert!(verify(&key(), &token).unwrap_err().to_string().contains("signature"));
    }

    #[test]
    fn an_expired_token_and_rubbish_are_refused() {
        let key = key();
        let token = mint(&key, 120_000);
        assert_eq!(verify(&key, &token).unwrap_err().to_string(), "the token has expired");
        for rubbish in ["", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(verify(&key, rubbish).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        LocalKey::load_or_create(dir.path(), "n_users").unwrap();
        let mode = std::fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
