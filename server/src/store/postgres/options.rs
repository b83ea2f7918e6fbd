//! From the URL to how connections are made.

use super::CONNECT_TIMEOUT;
use super::tls;
use crate::store::error::{Result, StoreError};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How a client that waits in a transaction (a node that hangs) is cut off, so that its locks are freed.
const IDLE_IN_TRANSACTION_MS: u32 = 10_000;

/// How to reach the database.
///
/// Beside what libpq's URLs share with tokio-postgres, `url` may say:
/// - `sslmode`: `disable`; `allow` or `prefer` (the default: encrypted if the server can, its certificate not
///   checked); `require`, `verify-ca` or `verify-full` (the certificate and its name are verified in all three);
/// - `sslrootcert`: a PEM file of the authorities to trust, or `system` (the default).
///
/// Unless the URL has another `target_session_attrs`, only a server that accepts writes is used.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    pub url: SecretString,
    /// The most connections of the pool.
    pub pool_size: usize,
    /// Connections shared by the reads of single rows.
    pub shared_clients: usize,
    /// The longest that a search may run.
    pub search_budget: Duration,
    /// The longest that any other statement may run.
    pub statement_timeout: Duration,
}

/// Where to connect, and how.
#[derive(Clone)]
pub(super) struct Target {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

/// A URL without the parameters that tokio-postgres does not know.
struct Parsed {
    url: String,
    ssl_mode: Option<String>,
    root_file: Option<String>,
    names_session: bool,
    names_user_timeout: bool,
}

impl PostgresOptions {
    pub(super) fn target(&self) -> Result<Target> {
        let parsed = split(self.url.expose_secret())?;
        let mut config: Config = parsed.url.parse().map_err(|e| invalid(format!("the database URL cannot be read: {}", cause(&e))))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid("the database URL names no host".to_owned()));
        }
        let verified = apply_ssl_mode(&mut config, parsed.ssl_mode.as_deref())?;
        if !parsed.names_session {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if !parsed.names_user_timeout {
            config.tcp_user_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("n_users");
        }
        config.connect_timeout(*config.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT));
        config.keepalives(true).keepalives_idle(Duration::from_secs(15)).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
        let settings = settings(config.get_options(), self.statement_timeout);
        config.options(settings);
        Ok(Target { config, tls: tls::connector(verified, parsed.root_file.as_deref())? })
    }
}

/// What every session is to hold; the URL's own `options` come first, so ours win.
///
/// A generic plan prunes the partitions when it runs; left to choose, the planner would plan every prepared statement
/// anew, which costs twice its execution. Compiling at run time never pays for statements as short as ours, nor do processes of their
/// own for a statement's parts: to start them took 3 to 5 ms a look at ten million profiles, where a generic plan expects a hundred
/// thousand rows of each.
fn settings(own: Option<&str>, statement_timeout: Duration) -> String {
    let own = own.map(|own| format!("{own} ")).unwrap_or_default();
    format!(
        "{own}-c statement_timeout={} -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} \
         -c default_transaction_isolation=read\\ committed -c plan_cache_mode=force_generic_plan -c jit=off \
         -c max_parallel_workers_per_gather=0",
        milliseconds(statement_timeout)
    )
}

/// With 1, PostgreSQL's default up to 17, the next page of those that an index led to is looked up twice, first to have the system
/// read it: that took a sixteenth of a search, and gained nothing where the page was not in memory (docs/search-history.md). Whoever has chosen
/// another value keeps it.
pub(super) const PREFETCH_NO_PAGE: &str =
    "SELECT set_config('effective_io_concurrency', '0', false) WHERE current_setting('effective_io_concurrency') = '1'";

/// For `statement_timeout`, where 0 would mean none.
pub(super) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).clamp(1, i32::MAX as u32)
}

fn split(url: &str) -> Result<Parsed> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(invalid("the database URL must start with postgres://".to_owned()));
    }
    let (base, query) = url.rsplit_once('?').unwrap_or((url, ""));
    let mut parsed = Parsed { url: base.to_owned(), ssl_mode: None, root_file: None, names_session: false, names_user_timeout: false };
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "sslmode" => parsed.ssl_mode = Some(value()),
            "sslrootcert" => parsed.root_file = Some(value()).filter(|file| file != "system"),
            _ => {
                parsed.names_session |= name == "target_session_attrs";
                parsed.names_user_timeout |= name == "tcp_user_timeout";
                kept.push(pair);
            }
        }
    }
    if !kept.is_empty() {
        parsed.url = format!("{base}?{}", kept.join("&"));
    }
    Ok(parsed)
}

/// Whether the server's certificate is to be verified.
fn apply_ssl_mode(config: &mut Config, name: Option<&str>) -> Result<bool> {
    let (mode, verified) = match name {
        Some("disable") => (SslMode::Disable, false),
        None | Some("allow" | "prefer") => (SslMode::Prefer, false),
        Some("require" | "verify-ca" | "verify-full") => (SslMode::Require, true),
        Some(_) => {
            return Err(invalid(
                "sslmode in the database URL must be disable, allow, prefer, require, verify-ca or verify-full".to_owned(),
            ));
        }
    };
    config.ssl_mode(mode);
    Ok(verified)
}

/// What tokio-postgres found wrong; its words name a parameter, never a value.
fn cause(e: &tokio_postgres::Error) -> String {
    std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string)
}

fn invalid(reason: String) -> StoreError {
    StoreError::internal(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target> {
        let options = PostgresOptions {
            url: url.into(),
            pool_size: 1,
            shared_clients: 1,
            search_budget: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(5),
        };
        options.target()
    }

    #[test]
    fn libpq_names_of_ssl_modes_are_understood() {
        let mode = |url: &str| target(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://u@h/d"), SslMode::Prefer);
        assert_eq!(mode("postgres://u@h/d?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@h/d?connect_timeout=9&sslmode=verify-full"), SslMode::Require);
        assert!(target("postgres://u@h/d?sslmode=maybe").is_err());
        assert!(target("postgres://u@h/d?sslmode=require&sslrootcert=%2Fno%2Fsuch%2Ffile").is_err());
    }

    #[test]
    fn what_the_url_says_is_kept() {
        let url = "postgresql://u:p%3F@h:6432/d?options=-c%20search_path%3Dx&application_name=mine&target_session_attrs=any";
        let config = target(url).unwrap().config;
        assert!(config.get_options().unwrap().starts_with("-c search_path=x -c statement_timeout=5000 "));
        assert_eq!(config.get_application_name(), Some("mine"));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::Any);
        assert_eq!(config.get_password(), Some("p?".as_bytes()));
    }

    #[test]
    fn a_url_that_cannot_be_right_is_refused_without_its_password() {
        for url in ["", "sqlite://x", "postgres://", "postgres://u:hunter2@h/d?nonsense=1", "postgres://u:hunter2@h:port/d"] {
            let Err(e) = target(url) else { panic!("{url} was taken") };
            assert!(!format!("{e} {e:?}").contains("hunter2"));
        }
    }
}
