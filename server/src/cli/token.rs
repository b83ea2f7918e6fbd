//! `n_users token`: an access token for local development, alone on standard output.

use super::{Outcome, Shared, print_line};
use crate::app::{self, LocalTokenRequest};
use crate::domain::caller::Scope;
use crate::domain::tenant::TenantName;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub struct TokenOptions {
    /// The tenant that the token is for, or '*' for all
    #[arg(long, value_parser = tenant, value_name = "NAME")]
    tenant: String,

    /// What the token allows, separated by spaces
    #[arg(long, value_parser = scope, default_value = "profiles:read profiles:write profiles:admin tenants:admin", value_name = "SCOPES")]
    scope: String,

    /// Who holds the token; it stands in created_by and its like
    #[arg(long, default_value = "local-developer", value_name = "NAME")]
    subject: String,

    /// How long it is valid, like 30m, 1h or 7d
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration, value_name = "TIME")]
    ttl: Duration,
}

pub fn run(options: &TokenOptions, shared: &Shared) -> Outcome {
    let request = LocalTokenRequest {
        subject: options.subject.clone(),
        tenant: options.tenant.clone(),
        scope: options.scope.clone(),
        ttl: options.ttl,
    };
    print_line(&app::local_token(&shared.data, &shared.auth, request).map_err(|e| e.to_string())?)
}

fn tenant(text: &str) -> Result<String, String> {
    if text == "*" { Ok(text.to_owned()) } else { TenantName::parse(text).map(|name| name.as_str().to_owned()) }
}

fn scope(text: &str) -> Result<String, String> {
    let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    match text.split_ascii_whitespace().find(|word| !known.contains(word)) {
        Some(unknown) => Err(format!("{unknown} is not a scope; there are {}", known.join(", "))),
        None => Ok(text.to_owned()),
    }
}
