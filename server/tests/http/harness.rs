//! One service per backend for all tests of this binary; a tenant of its own for each test.

use crate::support::token::{ALL_SCOPES, claims, sign};
use crate::support::{Backend, Client, TestDatabase, json, raw, unique};
use clap::Parser;
use n_users::config::DataConfig;
use n_users::config::auth::AuthConfig;
use n_users::config::database::DatabaseConfig;
use n_users::config::images::ImagesConfig;
use n_users::config::server::ServerConfig;
use n_users::config::traces::TracesConfig;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, mpsc};

/// Expands each case into a test per backend. A case that is not listed is dead code, which the lints refuse.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $( #[test] fn $name() { $crate::harness::run($crate::support::Backend::Sqlite, super::$name); } )+
        }
        mod postgres {
            $( #[test] fn $name() { $crate::harness::run($crate::support::Backend::Postgres, super::$name); } )+
        }
    };
}
pub(crate) use cases;

/// Runs one case against the service of this backend.
pub fn run<C: AsyncFnOnce(&Server)>(backend: Backend, case: C) {
    let running = running(backend);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server {
            // Connections belong to the runtime that made them, and so does the client.
            client: Client::new(&format!("http://{}", running.address)),
            address: running.address.clone(),
            data_dir: running.data_dir.clone(),
        };
        case(&server).await;
    });
}

/// The service as one test sees it.
pub struct Server {
    client: Client,
    pub address: String,
    pub data_dir: PathBuf,
}

impl Server {
    /// Without a token.
    pub fn anonymous(&self) -> &Client {
        &self.client
    }

    /// A client for these tenants (a name, a list, `*`) with these scopes.
    pub fn client(&self, tenants: impl Into<Value>, scope: &str, subject: &str) -> Client {
        self.client.with_token(&sign(&self.data_dir, &claims(tenants, scope, subject)))
    }

    /// All rights over all tenants.
    pub fn root(&self) -> Client {
        self.client("*", ALL_SCOPES, "root")
    }

    /// A fresh tenant.
    pub async fn tenant(&self) -> Tenant<'_> {
        let name = unique("tenant");
        self.root().post("/v1/tenants", &json!({"tenant_name": name})).expect(201).await;
        let client = self.client(name.as_str(), ALL_SCOPES, "tester").in_tenant(&name);
        Tenant { server: self, name, client }
    }

    /// Sends bytes as they are, and holds the answer to what holds for every answer.
    pub async fn raw(&self, request: &[u8]) -> crate::support::Answer {
        let answer = raw::exchange(&self.address, request).await;
        answer.check();
        answer
    }
}

/// A tenant, and a client of it with all rights.
pub struct Tenant<'s> {
    server: &'s Server,
    pub name: String,
    client: Client,
}

impl std::ops::Deref for Tenant<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Tenant<'_> {
    /// Another client of this tenant.
    pub fn client(&self, scope: &str, subject: &str) -> Client {
        self.server.client(self.name.as_str(), scope, subject).in_tenant(&self.name)
    }
}

struct Running {
    address: String,
    data_dir: PathBuf,
}

fn running(backend: Backend) -> &'static Running {
    static SQLITE: OnceLock<Running> = OnceLock::new();
    static POSTGRES: OnceLock<Running> = OnceLock::new();
    match backend {
        Backend::Sqlite => &SQLITE,
        Backend::Postgres => &POSTGRES,
    }
    .get_or_init(|| start(backend))
}

/// The settings of the service, read as the program reads them.
#[derive(Parser)]
pub struct Settings {
    #[command(flatten)]
    server: ServerConfig,
    #[command(flatten)]
    pub data: DataConfig,
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(flatten)]
    pub images: ImagesConfig,
    #[command(flatten)]
    pub auth: AuthConfig,
}

/// The settings that these flags give, whatever the environment says of issuers.
pub fn settings(flags: impl IntoIterator<Item = OsString>) -> Settings {
    let common = ["n_users", "--oauth-issuer", "", "--oauth-audience", "n_users"].map(OsString::from);
    Settings::try_parse_from(common.into_iter().chain(flags)).unwrap()
}

fn start(backend: Backend) -> Running {
    let data_dir = fresh_folder(backend);
    let (announced, address) = mpsc::channel();
    let folder = data_dir.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            // Lives as long as the service, which is as long as the process.
            let database = TestDatabase::create(backend, &folder).await;
            let flags = ["--listen", "127.0.0.1:0", "--database-url", &database.url, "--data-dir"];
            let flags = flags.iter().map(|flag| (*flag).into()).chain([folder.into_os_string()]);
            let Settings { server, data, database: config, images, auth } = settings(flags);
            let announce = move |address: std::net::SocketAddr| announced.send(address.to_string()).unwrap();
            n_users::app::serve(server, TracesConfig::default(), data, config, images, auth, announce).await.unwrap();
        });
    });
    let address = address.recv().expect("the service did not start: its thread says above why");
    Running { address, data_dir }
}

/// Nobody is there at the end of a test binary to remove it, so the next one does.
fn fresh_folder(backend: Backend) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http");
    for old in std::fs::read_dir(&root).into_iter().flatten().flatten() {
        let pid = old.file_name().to_string_lossy().split('-').next().unwrap_or_default().to_owned();
        if !Path::new("/proc").join(pid).exists() {
            let _ = std::fs::remove_dir_all(old.path());
        }
    }
    let folder = root.join(format!("{}-{backend:?}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
