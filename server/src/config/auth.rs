//! Whose tokens are trusted, and for whom.

use super::issuer::{IssuerConfig, parse_issuers};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

#[derive(Debug, Clone, Args)]
pub struct AuthConfig {
    /// The OAuth issuer whose tokens are trusted; without one, local tokens are, and only on a loopback address
    ///
    /// Its metadata is found by OIDC discovery or RFC 8414. Only https://, but for a loopback address.
    #[arg(long, env = "OAUTH_ISSUER", value_name = "URL", global = true)]
    pub oauth_issuer: Option<String>,

    /// The audience that a token must be for
    #[arg(long, env = "OAUTH_AUDIENCE", default_value = "n_users", value_name = "AUDIENCE", global = true)]
    pub oauth_audience: String,

    /// The claim that names the tenants which a token is for: a name, a list of names, or *
    #[arg(long, env = "OAUTH_TENANT_CLAIM", default_value = "tenant", value_name = "CLAIM", global = true)]
    pub oauth_tenant_claim: String,

    /// Client of OAUTH_ISSUER that may ask it about opaque tokens (RFC 7662); without one only JWTs are accepted
    #[arg(long, env = "OAUTH_INTROSPECTION_CLIENT_ID", value_name = "ID", global = true)]
    pub oauth_introspection_client_id: Option<String>,

    /// That client's secret
    #[arg(long, env = "OAUTH_INTROSPECTION_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET", global = true)]
    pub oauth_introspection_client_secret: Option<SecretString>,

    /// More issuers, each with the tenants that it may speak for: a JSON list
    ///
    /// [{"issuer": "https://id.acme.example", "audience": "n_users", "tenants": ["acme"]}, …]. Beside `issuer` all is
    /// optional: `audience` (default OAUTH_AUDIENCE); `tenants`, outside of which its tokens reach nothing (default:
    /// any); `tenant`, which stands in for a claim that its tokens lack; `tenant_claim` (default OAUTH_TENANT_CLAIM);
    /// `scopes`, the only ones that its tokens may carry (default: all, but for tenants:admin where `tenants` is
    /// given); `introspection_client_id` and `introspection_client_secret`.
    #[arg(long, env = "OAUTH_ISSUERS", hide_env_values = true, hide_default_value = true, value_name = "JSON", global = true)]
    pub oauth_issuers: Option<SecretString>,

    /// How often an issuer's keys are asked for again
    #[arg(long, env = "OAUTH_KEYS_REFRESH_S", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS", global = true)]
    pub oauth_keys_refresh_s: u64,

    /// How long the keys of an issuer that does not answer are still trusted
    #[arg(long, env = "OAUTH_KEYS_MAX_AGE_S", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS", global = true)]
    pub oauth_keys_max_age_s: u64,

    /// How long the answer about an opaque token is good: so long may a revoked one still be accepted
    #[arg(long, env = "OAUTH_INTROSPECTION_CACHE_S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=30), value_name = "SECONDS", global = true)]
    pub oauth_introspection_cache_s: u64,
}

impl AuthConfig {
    /// Every issuer that is trusted; none means local tokens. The error says what is wrong, and tells no secret.
    pub fn issuers(&self) -> Result<Vec<IssuerConfig>, String> {
        let mut issuers = Vec::new();
        // An empty variable sets none.
        if let Some(url) = self.oauth_issuer.as_deref().filter(|url| !url.is_empty()) {
            issuers.push(self.single_issuer(url)?);
        }
        if let Some(list) = &self.oauth_issuers {
            issuers.extend(parse_issuers(list, &self.oauth_audience, &self.oauth_tenant_claim)?);
        }
        for (i, issuer) in issuers.iter().enumerate() {
            if issuers[..i].iter().any(|other| other.issuer == issuer.issuer) {
                return Err(format!("{} is configured twice as an issuer", issuer.issuer));
            }
        }
        Ok(issuers)
    }

    fn single_issuer(&self, url: &str) -> Result<IssuerConfig, String> {
        let mut issuer = IssuerConfig::new(url, &self.oauth_audience, &self.oauth_tenant_claim).map_err(|e| format!("OAUTH_ISSUER {e}"))?;
        let client_id = self.oauth_introspection_client_id.clone().filter(|id| !id.is_empty());
        let secret = self.oauth_introspection_client_secret.clone().filter(|secret| !secret.expose_secret().is_empty());
        issuer.set_introspection(client_id, secret).map_err(|e| format!("OAUTH_{e}"))?;
        Ok(issuer)
    }

    pub fn keys_refresh(&self) -> Duration {
        Duration::from_secs(self.oauth_keys_refresh_s)
    }

    pub fn keys_max_age(&self) -> Duration {
        Duration::from_secs(self.oauth_keys_max_age_s)
    }

    pub fn introspection_cache(&self) -> Duration {
        Duration::from_secs(self.oauth_introspection_cache_s)
    }
}
