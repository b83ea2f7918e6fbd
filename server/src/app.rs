//! The composition root: start-up read from top to bottom, and the only place that names the two stores.

use crate::api;
use crate::api::limits::Limits;
use crate::api::public_url::PublicUrl;
use crate::api::resource::ProtectedResource;
use crate::auth::TokenVerifier;
use crate::auth::local::LocalKey;
pub use crate::auth::local::LocalTokenRequest;
use crate::auth::verifier::Issuers;
use crate::config::DataConfig;
use crate::config::auth::AuthConfig;
use crate::config::database::{DatabaseConfig, DatabaseUrl};
use crate::config::images::ImagesConfig;
use crate::config::issuer::IssuerConfig;
use crate::config::server::ServerConfig;
use crate::config::traces::TracesConfig;
use crate::domain::caller::TenantAccess;
use crate::domain::clock::{Clock, SystemClock};
use crate::images::ImageStore;
use crate::lifecycle::{self, StopSignal};
use crate::service::Directory;
use crate::store::postgres::{Postgres, PostgresOptions};
use crate::store::sqlite::{Sqlite, SqliteOptions};
use crate::store::traced::Traced;
use crate::store::{MigrationReport, Store};
use crate::telemetry::buffer::Flush;
use crate::telemetry::traces::{TraceOptions, Traces};
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Why the service does not start. The text is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Config(String),
    #[error("the database: {0}")]
    Store(String),
    #[error("{address} cannot be listened on: {reason}")]
    Listen { address: SocketAddr, reason: std::io::Error },
}

impl From<crate::store::StoreError> for StartError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Store(crate::domain::cause::chain(&error))
    }
}

/// How often recorded answers are looked through for expired ones.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long start-up waits between attempts to reach the database.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Runs the service until it is told to stop. `announce` is called once it answers.
pub async fn serve(
    server: ServerConfig,
    traces: TracesConfig,
    data: DataConfig,
    database: DatabaseConfig,
    images: ImagesConfig,
    auth: AuthConfig,
    announce: impl FnOnce(SocketAddr),
) -> Result<(), StartError> {
    let issuers = auth.issuers().map_err(StartError::Config)?;
    let resource = protected_resource(&server, &issuers)?;
    let verifier = token_verifier(&server, &data, &auth, issuers)?;
    let public_url = PublicUrl::new(resource.public_url.as_deref());
    let image_store = ImageStore::open(&images, &data.data_dir).map_err(StartError::Config)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let traces = start_traces(&traces, &*clock)?;
    let store = open_store(&data, &database, traces.is_some())?;
    let listener = TcpListener::bind(server.listen).await.map_err(|reason| StartError::Listen { address: server.listen, reason })?;
    let address = listener.local_addr().map_err(|reason| StartError::Listen { address: server.listen, reason })?;
    let metrics = listen_for_metrics(&server).await?;
    let stop = StopSignal::listen().map_err(|e| StartError::Config(format!("signals cannot be listened for: {e}")))?;
    let directory = Arc::new(OnceLock::new());
    let draining = Arc::new(AtomicBool::new(false));
    let parts = api::Parts {
        directory: directory.clone(),
        verifier,
        resource,
        limits: Limits::new(&server.limits),
        clock: clock.clone(),
        in_flight: Semaphore::new(server.max_in_flight),
        request_deadline: server.request_deadline(),
        upload_deadline: server.upload_deadline(),
        max_body_bytes: server.max_body_bytes,
        max_image_bytes: images.max_image_bytes,
        public_url,
        draining: draining.clone(),
    };
    let router = api::router(parts.into());
    tracing::info!(%address, "listening");
    tokio::task::spawn_blocking(crate::domain::mobile::warm_up);
    let opened = async {
        let opened = open_directory(store.clone(), image_store, clock).await?;
        let directory = directory.get_or_init(|| opened);
        announce(address);
        sweep(directory).await
    };
    let ended = tokio::select! {
        failed = opened => failed,
        () = tell_metrics(metrics) => Ok(()),
        () = lifecycle::run(listener, router, &server, &draining, stop) => Ok(()),
    };
    store.close().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    tracing::info!("stopped");
    ended
}

/// Traces, if an endpoint for them is set.
fn start_traces(config: &TracesConfig, clock: &dyn Clock) -> Result<Option<Traces>, StartError> {
    let Some(url) = config.url().map_err(StartError::Config)? else { return Ok(None) };
    let sampling = config.sampling().map_err(StartError::Config)?;
    let endpoint = url.origin().ascii_serialization();
    let options = TraceOptions {
        url: url.into(),
        timeout: config.timeout().map_err(StartError::Config)?,
        takes_up_traceparent: config.takes_up_traceparent(),
        share: sampling.share,
        follows_caller: sampling.follows_caller,
        service_name: config.service_name().map(str::to_owned),
        instance_id: clock.new_id().to_string(),
    };
    let traces = Traces::start(&options).map_err(StartError::Config)?;
    tracing::info!(endpoint, share = options.share, follows_caller = options.follows_caller, "traces are sent");
    Ok(Some(traces))
}

/// The listener of METRICS_LISTEN, if it is set.
async fn listen_for_metrics(server: &ServerConfig) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = server.metrics_listen().map_err(StartError::Config)? else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|reason| StartError::Listen { address, reason })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "metrics are told");
    }
    Ok(Some(listener))
}

/// Does not end by itself: metrics are told while the service drains, too.
async fn tell_metrics(listener: Option<TcpListener>) {
    if let Some(listener) = listener
        && let Err(error) = axum::serve(listener, api::metrics::router()).await
    {
        tracing::warn!(cause = %error, "metrics are no longer told");
    }
    std::future::pending().await
}

/// The directory on a database that may still be on its way: waits for it, but not for a schema that is wrong.
async fn open_directory(store: Arc<dyn Store>, images: ImageStore, clock: Arc<dyn Clock>) -> Result<Directory, StartError> {
    loop {
        match prepare(&*store, &*clock).await {
            Ok((_, secret)) => return Ok(Directory::new(store, images, clock, &secret)),
            Err(error @ crate::store::StoreError::Unavailable(_)) => {
                tracing::warn!(cause = crate::domain::cause::chain(&error), "waiting for the database");
                tokio::time::sleep(RETRY_EVERY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Migrates, and reads the secret that all nodes share.
async fn prepare(store: &dyn Store, clock: &dyn Clock) -> crate::store::Result<(MigrationReport, [u8; 32])> {
    let report = store.migrate(clock.now()).await?;
    let mut candidate = [0; 32];
    aws_lc_rs::rand::fill(&mut candidate).map_err(|_| crate::store::StoreError::internal("no random bytes"))?;
    let secret = store.shared_secret(candidate).await?;
    Ok((report, secret))
}

/// The directory for a command that does one thing and ends.
pub async fn directory(
    data: &DataConfig,
    database: &DatabaseConfig,
    images: &ImagesConfig,
) -> Result<(Directory, MigrationReport, Arc<dyn Store>), StartError> {
    let images = ImageStore::open(images, &data.data_dir).map_err(StartError::Config)?;
    let store = open_store(data, database, false)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (report, secret) = prepare(&*store, &*clock).await?;
    Ok((Directory::new(store.clone(), images, clock, &secret), report, store))
}

fn open_store(data: &DataConfig, database: &DatabaseConfig, is_traced: bool) -> Result<Arc<dyn Store>, StartError> {
    let (store, system): (Arc<dyn Store>, _) = match database.url(&data.data_dir).map_err(StartError::Config)? {
        DatabaseUrl::Sqlite(path) => {
            let options = SqliteOptions { path, readers: database.database_readers, search_budget: database.search_budget() };
            (Arc::new(Sqlite::open(options)?), "sqlite")
        }
        DatabaseUrl::Postgres(url) => {
            let options = PostgresOptions {
                url,
                pool_size: database.database_pool_size,
                shared_clients: database.database_shared_clients,
                search_budget: database.search_budget(),
                statement_timeout: database.statement_timeout(),
            };
            (Arc::new(Postgres::connect(options)?), "postgresql")
        }
    };
    Ok(if is_traced { Arc::new(Traced::new(store, system)) } else { store })
}

/// Tokens of the issuers, or, where there are none, local ones; never both.
fn token_verifier(
    server: &ServerConfig,
    data: &DataConfig,
    auth: &AuthConfig,
    issuers: Vec<IssuerConfig>,
) -> Result<Arc<dyn TokenVerifier>, StartError> {
    if !issuers.is_empty() {
        return Ok(Arc::new(Issuers::start(issuers, auth, Arc::new(SystemClock)).map_err(StartError::Config)?));
    }
    if !server.listen.ip().is_loopback() {
        return Err(StartError::Config(format!(
            "without OAUTH_ISSUER the service trusts local tokens, and so listens on a loopback address only, not on {}: set OAUTH_ISSUER, or LISTEN=127.0.0.1:8085",
            server.listen
        )));
    }
    Ok(Arc::new(local_key(data, auth)?))
}

fn protected_resource(server: &ServerConfig, issuers: &[IssuerConfig]) -> Result<ProtectedResource, StartError> {
    let general = issuers.iter().filter(|issuer| issuer.tenants == TenantAccess::All);
    Ok(ProtectedResource {
        public_url: server.public_url().map_err(StartError::Config)?,
        issuers: general.map(|issuer| issuer.issuer.clone()).collect(),
    })
}

fn local_key(data: &DataConfig, auth: &AuthConfig) -> Result<LocalKey, StartError> {
    LocalKey::load_or_create(&data.data_dir, &auth.oauth_audience).map_err(|e| StartError::Config(format!("the local signing key: {e}")))
}

/// Whether a service has been started with this data directory, so that there is a key to mint tokens with.
pub fn has_local_key(data: &DataConfig) -> bool {
    LocalKey::is_in(&data.data_dir)
}

/// Mints a token for local development; refuses where an issuer is configured, because nobody would accept it.
pub fn local_token(data: &DataConfig, auth: &AuthConfig, request: LocalTokenRequest) -> Result<String, StartError> {
    if let Some(issuer) = auth.issuers().map_err(StartError::Config)?.first() {
        let issuer = &issuer.issuer;
        return Err(StartError::Config(format!("OAUTH_ISSUER is set: tokens come from {issuer}, and local ones are not accepted")));
    }
    let token = local_key(data, auth)?.mint(request, SystemClock.now());
    token.map_err(|e| StartError::Config(format!("the token could not be signed: {e}")))
}

/// Starts the log that `server` asks for; it ends when the result is dropped.
pub fn start_logs(server: &ServerConfig) -> Result<Flush, String> {
    crate::telemetry::logs::start(&server.log)
}

/// Forgets expired answers, again and again: it ends only with the process.
async fn sweep(directory: &Directory) -> Result<(), StartError> {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        match directory.sweep().await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "removed expired idempotency keys"),
            Err(error) => tracing::warn!(cause = crate::domain::cause::chain(&error), "expired idempotency keys could not be removed"),
        }
    }
}
