//! Access tokens: many different ones, as a service has many clients.

use crate::failure::{Failure, Result};
use clap::Args;
use http::HeaderValue;
use n_users::app::{self, LocalTokenRequest};
use n_users::config::DataConfig;
use n_users::config::auth::AuthConfig;
use std::path::PathBuf;
use std::time::Duration;

const SCOPE: &str = "profiles:read profiles:write profiles:admin tenants:admin";
/// Longer than any fill and load.
const TTL: Duration = Duration::from_secs(48 * 3600);

#[derive(Debug, Clone, Args)]
pub struct TokenOptions {
    /// Tokens of a real issuer, one per line, instead of local ones
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,

    /// How many different local tokens are used
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    pub token_count: u32,

    #[command(flatten)]
    pub data: DataConfig,

    #[command(flatten)]
    pub auth: AuthConfig,
}

/// The values of the header `Authorization` that requests take turns with.
pub fn authorizations(options: &TokenOptions, tenant: &str) -> Result<Vec<HeaderValue>> {
    let tokens = match &options.tokens {
        Some(file) => read(file)?,
        None => mint(options, tenant)?,
    };
    let header = |token: &String| {
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Failure::new("a token has characters that no token has"))
    };
    tokens.iter().map(header).collect()
}

fn read(file: &PathBuf) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::new(format!("--tokens {} cannot be read: {e}", file.display())))?;
    let tokens: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if tokens.is_empty() {
        return Err(Failure::new(format!("--tokens {} is empty: it must hold one access token per line", file.display())));
    }
    Ok(tokens)
}

fn mint(options: &TokenOptions, tenant: &str) -> Result<Vec<String>> {
    let advice = "give the --data-dir that the service was started with, or --tokens FILE with tokens of its issuer";
    // A key made here would sign tokens that no service knows.
    if !app::has_local_key(&options.data) {
        return Err(Failure::new(format!("{} holds no local signing key: {advice}", options.data.data_dir.display())));
    }
    let request =
        |number: u32| LocalTokenRequest { subject: format!("load-{number}"), tenant: tenant.to_owned(), scope: SCOPE.to_owned(), ttl: TTL };
    let mint = |number| app::local_token(&options.data, &options.auth, request(number));
    (0..options.token_count).map(mint).collect::<std::result::Result<_, _>>().map_err(|e| Failure::new(format!("{e}: {advice}")))
}
