//! How the service listens, what it bounds, and how it stops.

use super::limits::LimitConfig;
use clap::Args;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Clone, Args)]
pub struct ServerConfig {
    /// Address and port to listen on
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8085")]
    pub listen: SocketAddr,

    /// Address and port of Prometheus's GET /metrics, which asks for no token [default: none]
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,

    /// The address by which clients reach this service, like https://users.example.com [default: as each request says]
    ///
    /// It is the resource of the OAuth metadata (RFC 9728), and stands before the path in profile_image_url.
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    #[command(flatten)]
    pub limits: LimitConfig,

    /// A request that takes longer is answered 503
    #[arg(long, env = "REQUEST_DEADLINE_MS", default_value_t = 10_000, value_name = "MS")]
    pub request_deadline_ms: u64,

    /// The same for a request that uploads an image
    #[arg(long, env = "UPLOAD_DEADLINE_MS", default_value_t = 30_000, value_name = "MS")]
    pub upload_deadline_ms: u64,

    /// Time for a client to send its request's headers
    #[arg(long, env = "HEADER_TIMEOUT_MS", default_value_t = 10_000, value_name = "MS")]
    pub header_timeout_ms: u64,

    /// The largest request body but for images
    #[arg(long, env = "MAX_BODY_BYTES", default_value_t = 262_144, value_name = "BYTES")]
    pub max_body_bytes: usize,

    /// Requests at work at once; more are answered 503 before they queue
    #[arg(long, env = "MAX_IN_FLIGHT", default_value_t = 1_024, value_name = "N")]
    pub max_in_flight: usize,

    /// After SIGTERM: how long requests are still accepted while readiness already says no, so that a load balancer
    /// can turn away first
    #[arg(long, env = "DRAIN_MS", default_value_t = 2_000, value_name = "MS")]
    pub drain_ms: u64,

    /// After that: how long running requests may take to finish
    #[arg(long, env = "SHUTDOWN_TIMEOUT_MS", default_value_t = 15_000, value_name = "MS")]
    pub shutdown_timeout_ms: u64,

    /// What is logged: error, warn, info, debug, trace, or a tracing filter
    #[arg(long, env = "LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
}

impl ServerConfig {
    /// METRICS_LISTEN; empty is as if it were not set.
    pub fn metrics_listen(&self) -> Result<Option<SocketAddr>, String> {
        let Some(text) = self.metrics_listen.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("METRICS_LISTEN must be an address and a port, like 127.0.0.1:9085, not {text:?}"))
    }

    /// PUBLIC_URL as an origin and path without the final slash; empty is as if it were not set.
    pub fn public_url(&self) -> Result<Option<String>, String> {
        let Some(text) = self.public_url.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        match url::Url::parse(text) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) && url.query().is_none() && url.fragment().is_none() => {
                Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
            }
            _ => Err("PUBLIC_URL must be an http or https URL without query and fragment".to_owned()),
        }
    }

    pub fn request_deadline(&self) -> Duration {
        Duration::from_millis(self.request_deadline_ms)
    }

    pub fn upload_deadline(&self) -> Duration {
        Duration::from_millis(self.upload_deadline_ms)
    }

    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.shutdown_timeout_ms)
    }
}
