//! Whose tokens are trusted.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub struct AuthConfig {
    /// The OAuth issuer whose tokens are trusted; without one, local tokens are, and only on a loopback address
    #[arg(long, env = "OAUTH_ISSUER", value_name = "URL", global = true)]
    pub oauth_issuer: Option<String>,

    /// The audience that a token must be for
    #[arg(long, env = "OAUTH_AUDIENCE", default_value = "n_users", value_name = "AUDIENCE", global = true)]
    pub oauth_audience: String,
}

impl AuthConfig {
    /// The issuer, if one is set: an empty variable sets none.
    pub fn issuer(&self) -> Option<&str> {
        self.oauth_issuer.as_deref().filter(|issuer| !issuer.is_empty())
    }
}
