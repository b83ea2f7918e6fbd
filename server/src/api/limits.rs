//! How many requests one client and one tenant may send to this node (off unless configured), in bounded memory.
//!
//! Buckets refill steadily (GCRA). What is forgotten when there are too many clients starts full again: memory is
//! bounded before limits are.

use crate::config::limits::{LimitConfig, Rate};
use crate::domain::caller::Caller;
use crate::domain::tenant::TenantName;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// Buckets that are kept of each kind.
const MAX_BUCKETS: usize = 100_000;

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// The limits of this node.
pub struct Limits {
    client: Option<Buckets>,
    tenant: Option<Buckets>,
}

/// What is left of a limit: the fields `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    name: &'static str,
    rate: Rate,
    remaining: u32,
    /// When the request was one too many: how long until the next may come.
    pub retry_after: Option<Duration>,
}

struct Buckets {
    name: &'static str,
    rate: Rate,
    clock: DefaultClock,
    hasher: RandomState,
    buckets: Cache<u64, Arc<Bucket>>,
}

impl Limits {
    pub fn new(config: &LimitConfig) -> Self {
        let buckets = |name, rate| Buckets {
            name,
            rate,
            clock: DefaultClock::default(),
            hasher: RandomState::new(),
            buckets: Cache::new(MAX_BUCKETS),
        };
        Self { client: config.client().map(|rate| buckets("client", rate)), tenant: config.tenant().map(|rate| buckets("tenant", rate)) }
    }

    /// Counts a request of this client.
    pub fn client(&self, caller: &Caller) -> Option<Standing> {
        self.client.as_ref().map(|buckets| buckets.take((&caller.issuer, &caller.subject)))
    }

    /// Counts a request for this tenant. To be called only for a caller who speaks for it, so that nobody uses up what is
    /// another tenant's.
    pub fn tenant(&self, tenant: &TenantName) -> Option<Standing> {
        self.tenant.as_ref().map(|buckets| buckets.take(tenant.as_str()))
    }
}

impl Buckets {
    fn take(&self, whose: impl std::hash::Hash) -> Standing {
        // Two that share a hash of 64 secretly keyed bits share a bucket; nobody can bring that about.
        let key = self.hasher.hash_one(whose);
        let quota = Quota::per_second(self.rate.per_second).allow_burst(self.rate.burst);
        let make =
            || Ok::<_, std::convert::Infallible>(Arc::new(RateLimiter::direct(quota).with_middleware::<StateInformationMiddleware>()));
        let Ok(bucket) = self.buckets.get_or_insert_with(&key, make);
        let standing = Standing { name: self.name, rate: self.rate, remaining: 0, retry_after: None };
        match bucket.check() {
            Ok(state) => Standing { remaining: state.remaining_burst_capacity(), ..standing },
            Err(not_until) => Standing { retry_after: Some(not_until.wait_time_from(self.clock.now())), ..standing },
        }
    }
}

impl Standing {
    /// An item of `RateLimit-Policy`: so many requests in so many seconds.
    pub fn policy(&self) -> String {
        format!("\"{}\";q={};w={}", self.name, self.rate.burst, self.seconds_for(self.rate.burst.get()))
    }

    /// An item of `RateLimit`: what is left, and after how many seconds all of it will be there again.
    pub fn left(&self) -> String {
        format!(
            "\"{}\";r={};t={}",
            self.name,
            self.remaining,
            self.seconds_for(self.rate.burst.get() - self.remaining.min(self.rate.burst.get()))
        )
    }

    /// For people.
    pub fn describe(&self) -> String {
        format!("{} requests a second, {} at once", self.rate.per_second, self.rate.burst)
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    fn seconds_for(&self, requests: u32) -> u32 {
        requests.div_ceil(self.rate.per_second.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::TenantAccess;
    use std::num::NonZeroU32;

    fn limits(client: u32, burst: u32, tenant: u32) -> Limits {
        Limits::new(&LimitConfig {
            rate_limit_client: client,
            rate_limit_client_burst: NonZeroU32::new(burst),
            rate_limit_tenant: tenant,
            rate_limit_tenant_burst: None,
        })
    }

    fn caller(issuer: &str, subject: &str) -> Caller {
        Caller { issuer: issuer.into(), subject: subject.into(), scopes: vec![], tenants: TenantAccess::All }
    }

    #[test]
    fn without_configuration_there_is_no_limit() {
        let limits = limits(0, 0, 0);
        assert_eq!(limits.client(&caller("i", "a")), None);
        assert_eq!(limits.tenant(&TenantName::parse("acme").unwrap()), None);
    }

    #[test]
    fn each_client_has_its_own_bucket() {
        let limits = limits(1, 3, 0);
        let a = caller("i", "a");
        let left: Vec<_> = (0..3).map(|_| limits.client(&a).unwrap()).map(|s| (s.remaining, s.retry_after)).collect();
        assert_eq!(left, [(2, None), (1, None), (0, None)]);
        let one_too_many = limits.client(&a).unwrap();
        assert!(one_too_many.retry_after.is_some_and(|wait| wait <= Duration::from_secs(1)));
        assert_eq!(one_too_many.left(), "\"client\";r=0;t=3");
        assert_eq!(one_too_many.policy(), "\"client\";q=3;w=3");
        assert!(limits.client(&caller("i", "b")).unwrap().retry_after.is_none());
        assert!(limits.client(&caller("j", "a")).unwrap().retry_after.is_none(), "the same subject of another issuer");
    }

    #[test]
    fn memory_is_bounded() {
        let limits = limits(1, 1, 0);
        for i in 0..MAX_BUCKETS + 10_000 {
            limits.client(&caller("i", &i.to_string()));
        }
        assert!(limits.client.unwrap().buckets.len() <= MAX_BUCKETS);
    }
}
