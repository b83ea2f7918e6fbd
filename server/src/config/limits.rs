//! How many requests one client, and one tenant, may send to this node.

use clap::Args;
use std::num::NonZeroU32;

#[derive(Debug, Clone, Args)]
pub struct LimitConfig {
    /// Requests a second of one client (a token's issuer and subject) to this node; more are answered 429. 0: no limit
    #[arg(long, env = "RATE_LIMIT_CLIENT", default_value_t = 0, value_name = "N")]
    pub rate_limit_client: u32,

    /// How many of them may come at once [default: RATE_LIMIT_CLIENT]
    #[arg(long, env = "RATE_LIMIT_CLIENT_BURST", value_name = "N")]
    pub rate_limit_client_burst: Option<NonZeroU32>,

    /// Requests a second for one tenant to this node; more are answered 429. 0: no limit
    #[arg(long, env = "RATE_LIMIT_TENANT", default_value_t = 0, value_name = "N")]
    pub rate_limit_tenant: u32,

    /// How many of them may come at once [default: RATE_LIMIT_TENANT]
    #[arg(long, env = "RATE_LIMIT_TENANT_BURST", value_name = "N")]
    pub rate_limit_tenant_burst: Option<NonZeroU32>,
}

/// So many a second, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

impl LimitConfig {
    pub fn client(&self) -> Option<Rate> {
        rate(self.rate_limit_client, self.rate_limit_client_burst)
    }

    pub fn tenant(&self) -> Option<Rate> {
        rate(self.rate_limit_tenant, self.rate_limit_tenant_burst)
    }
}

fn rate(per_second: u32, burst: Option<NonZeroU32>) -> Option<Rate> {
    let per_second = NonZeroU32::new(per_second)?;
    Some(Rate { per_second, burst: burst.unwrap_or(per_second) })
}
