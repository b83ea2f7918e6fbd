//! Which database, and how much of it one node takes.

use clap::Args;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Clone, Args)]
pub struct DatabaseConfig {
    /// sqlite://PATH, or postgres://USER:PASSWORD@HOST/DATABASE [default: sqlite://DATA_DIR/n_users.db]
    ///
    /// Also taken from POSTGRE_URL_VALUE.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, hide_default_value = true, value_name = "URL", global = true)]
    pub database_url: Option<SecretString>,

    /// Connections to PostgreSQL for writes and searches
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value_t = 16, value_name = "N", global = true)]
    pub database_pool_size: usize,

    /// Connections to PostgreSQL that all single-row reads share
    #[arg(long, env = "DATABASE_SHARED_CLIENTS", default_value_t = 2, value_name = "N", global = true)]
    pub database_shared_clients: usize,

    /// Connections to SQLite for reads
    #[arg(long, env = "DATABASE_READERS", default_value_t = 8, value_name = "N", global = true)]
    pub database_readers: usize,

    /// A statement that takes longer is stopped
    #[arg(long, env = "STATEMENT_TIMEOUT_MS", default_value_t = 5_000, value_name = "MS", global = true)]
    pub statement_timeout_ms: u64,

    /// A search that takes longer is refused as too broad
    #[arg(long, env = "SEARCH_BUDGET_MS", default_value_t = 2_000, value_name = "MS", global = true)]
    pub search_budget_ms: u64,
}

/// The database that is meant.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(SecretString),
}

impl DatabaseConfig {
    /// The error says what is expected, without the URL: it may hold a password.
    pub fn url(&self, data_dir: &Path) -> Result<DatabaseUrl, String> {
        use secrecy::ExposeSecret;
        let Some(secret) = &self.database_url else { return Ok(DatabaseUrl::Sqlite(data_dir.join("n_users.db"))) };
        let url = secret.expose_secret();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(secret.clone()));
        }
        match url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            Some(path) if !path.is_empty() && !path.contains(":memory:") && !path.contains('?') => {
                Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
            }
            _ => Err("DATABASE_URL must be sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE".to_owned()),
        }
    }

    pub fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms)
    }

    pub fn search_budget(&self) -> Duration {
        Duration::from_millis(self.search_budget_ms)
    }
}
