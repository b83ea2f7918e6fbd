//! Whom to speak to, and connections that are kept open.

mod connection;

pub use connection::{Answer, Connection};

use crate::failure::{Failure, Result};
use http::{HeaderValue, Uri};
use std::net::SocketAddr;
use std::time::Duration;

/// A server by its address and the name that it is called by.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub host: HeaderValue,
    pub timeout: Duration,
}

impl Target {
    /// Reads a URL like `http://127.0.0.1:8085`, and looks its name up.
    pub async fn parse(url: &str, timeout: Duration) -> Result<Self> {
        let wrong = |why: &str| Failure::new(format!("--target {url}: {why}; give it like http://127.0.0.1:8085"));
        let uri: Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
        if uri.scheme_str() == Some("https") {
            return Err(wrong("this program does not speak TLS, so it measures the service itself and no proxy"));
        }
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(|| wrong("is no http:// URL"))?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(wrong("must not have a path"));
        }
        let port = authority.port_u16().unwrap_or(80);
        let host = authority.host().trim_matches(['[', ']']);
        let mut addresses = tokio::net::lookup_host((host, port)).await.map_err(|e| wrong(&format!("the name is not known ({e})")))?;
        let address = addresses.next().ok_or_else(|| wrong("the name has no address"))?;
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong("is not a URL"))?;
        Ok(Self { address, host, timeout })
    }

    /// Opens a connection, or says what to do.
    pub async fn connect(&self) -> Result<Connection> {
        let mut connection = Connection::new(self.clone());
        match connection.open().await {
            Ok(()) => Ok(connection),
            Err(cause) => Err(Failure::new(format!(
                "nothing answers at http://{} ({cause}): start the service there (cargo run --release), or give another --target",
                self.address
            ))),
        }
    }
}
