//! The tokens of issuers, each within what its issuer may speak for.

use super::cache::{Remembered, TokenCache, TokenHash, hash};
use super::claims::Mandate;
use super::discovery::Discovery;
use super::introspection::Introspector;
use super::jose::{self, Jwt, Token};
use super::jwks::{KeyLife, Keyring, NoKey};
use super::jwt;
use super::outbound::Outbound;
use super::{Refusal, TokenVerifier};
use crate::config::auth::AuthConfig;
use crate::config::issuer::IssuerConfig;
use crate::domain::caller::{Caller, TenantAccess};
use crate::domain::clock::Clock;
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;

/// One issuer that is trusted.
struct Issuer {
    mandate: Mandate,
    audience: String,
    keys: Keyring,
    introspector: Option<Introspector>,
}

/// Verifies tokens of the configured issuers, and no others.
pub struct Issuers {
    issuers: Vec<Issuer>,
    verified: TokenCache,
    clock: Arc<dyn Clock>,
}

impl Issuers {
    /// Begins to fetch the issuers' keys; needs a runtime. None of the issuers has to answer yet.
    pub fn start(configured: Vec<IssuerConfig>, config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let http = Outbound::new()?;
        let life = KeyLife { refresh: config.keys_refresh().min(config.keys_max_age() / 2), max_age: config.keys_max_age() };
        let start = |issuer: IssuerConfig| {
            let discovery = Arc::new(Discovery::new(http.clone(), &issuer.issuer, &issuer.url));
            let introspect = |client| {
                let (http, discovery, clock) = (http.clone(), discovery.clone(), clock.clone());
                Introspector::new(http, discovery, client, &issuer.audience, clock, config.introspection_cache())
            };
            Issuer {
                introspector: issuer.introspection.map(introspect),
                keys: Keyring::start(&issuer.issuer, discovery, life),
                audience: issuer.audience,
                mandate: Mandate {
                    issuer: issuer.issuer.into(),
                    tenant_claim: issuer.tenant_claim,
                    tenant: issuer.tenant,
                    tenants: issuer.tenants,
                    scopes: issuer.scopes,
                },
            }
        };
        let issuers = configured.into_iter().map(start).collect();
        Ok(Self { issuers, verified: TokenCache::default(), clock })
    }

    async fn verify_jwt(&self, jwt: &Jwt<'_>, hash: TokenHash) -> Result<Arc<Caller>, Refusal> {
        let algorithm = jwt::access_token_algorithm(jwt)?;
        let named = jwt.claims.get("iss").and_then(Value::as_str);
        let Some((index, issuer)) = self.issuers.iter().enumerate().find(|(_, issuer)| named == Some(&*issuer.mandate.issuer)) else {
            return Err(Refusal::invalid("the token is from another issuer"));
        };
        let (key, generation) = issuer.keys.key(jwt.kid.as_deref(), algorithm).await.map_err(no_key)?;
        if !jwt::is_signed_by(jwt, &key, algorithm) {
            return Err(Refusal::invalid("the token's signature is not valid"));
        }
        let until = jwt::check_claims(&jwt.claims, &issuer.mandate.issuer, &issuer.audience, self.clock.now())?;
        let caller = Arc::new(issuer.mandate.caller(&jwt.claims)?);
        self.verified.insert(hash, Remembered { caller: caller.clone(), until, verified_by: (index, generation) });
        Ok(caller)
    }

    /// Asks the issuers that can be asked, one after the other, until one knows the token.
    async fn verify_opaque(&self, token: &str, hash: TokenHash) -> Result<Arc<Caller>, Refusal> {
        let mut refusal = None;
        for issuer in &self.issuers {
            let Some(introspector) = &issuer.introspector else { continue };
            match introspector.verify(token, hash, &issuer.mandate).await {
                Ok(caller) => return Ok(caller),
                // One that is down may be the one that knows it.
                Err(down @ Refusal::Unavailable { .. }) => refusal = Some(down),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        Err(refusal.unwrap_or_else(|| Refusal::invalid("the token is not a JWT")))
    }
}

#[async_trait]
impl TokenVerifier for Issuers {
    async fn verify(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        let hash = hash(token);
        let is_current = |(index, generation): (usize, u64)| self.issuers[index].keys.generation() == Some(generation);
        if let Some(caller) = self.verified.get(&hash, self.clock.now(), is_current) {
            return Ok(caller);
        }
        match jose::parse(token).map_err(|malformed| Refusal::invalid(malformed.to_string()))? {
            Token::Jwt(jwt) => self.verify_jwt(&jwt, hash).await,
            Token::Opaque => self.verify_opaque(token, hash).await,
        }
    }

    /// Up once the keys of every issuer that speaks for any tenant are there; a customer's own one that is down must not
    /// take the node from everybody else. Where all are of that kind, one is enough.
    fn issuers_are_up(&self) -> Option<bool> {
        let is_up = |issuer: &Issuer| issuer.keys.generation().is_some();
        let mut general = self.issuers.iter().filter(|issuer| issuer.mandate.tenants == TenantAccess::All).peekable();
        Some(if general.peek().is_some() { general.all(is_up) } else { self.issuers.iter().any(is_up) })
    }
}

fn no_key(reason: NoKey) -> Refusal {
    match reason {
        NoKey::Unknown => Refusal::invalid("the token is signed with a key that its issuer does not publish"),
        NoKey::Unfit => Refusal::invalid("the token's algorithm is not the one of its key"),
        NoKey::Ambiguous => Refusal::invalid("the token does not name its key (kid), and its issuer publishes several"),
        NoKey::Unavailable(cause) => Refusal::Unavailable {
            detail: "The access token's key is not known here, and its issuer cannot be asked now: try again shortly.".to_owned(),
            cause,
        },
    }
}
