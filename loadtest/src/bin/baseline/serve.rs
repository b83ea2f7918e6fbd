//! The barest servers that do what `GET …/profiles/{id}` does: no token, no tenant, no log, no ETag.

use crate::failed;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::Args;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use loadtest::failure::Result;
use n_users::domain::profile::Profile;
use n_users::domain::tenant::TenantName;
use rusqlite::Connection;
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

/// The same for all: as text, so that neither driver converts a date or a JSON document.
pub const COLUMNS: &str = "tenant_name, profile_id, profile_type, user_id, full_name, gender, email_id, mobile, CAST(birth_date AS text), \
    city_id, country_id, address, latitude, longitude, profile_image_url, CAST(attributes AS text), active, created_by, updated_by, \
    deleted_by, created_at, updated_at, deleted_at, version";

#[derive(Args)]
pub struct ServeOptions {
    #[arg(long)]
    listen: SocketAddr,
    #[command(flatten)]
    kind: Kind,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Kind {
    /// Answer every request with the same profile
    #[arg(long)]
    constant: bool,
    /// Read it from `bare_profiles`, over two clients that all requests share
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Read it from `bare_profiles`, on the thread that has the request
    #[arg(long, value_name = "FILE")]
    sqlite: Option<PathBuf>,
}

pub async fn run(options: ServeOptions) -> Result<()> {
    let router = match (options.kind.postgres, options.kind.sqlite) {
        (Some(url), _) => postgres(&url).await?,
        (None, Some(file)) => Router::new().route("/profiles/{id}", get(read_sqlite)).with_state(Arc::new(file)),
        (None, None) => constant(),
    };
    let listener = tokio::net::TcpListener::bind(options.listen).await.map_err(|e| failed("cannot listen", e))?;
    axum::serve(listener, router).await.map_err(|e| failed("cannot serve", e))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], Body::from(bytes)).into_response()
}

/// The size of a profile's answer is that of a real one.
fn constant() -> Router {
    let profile = loadtest::people::residents::resident(&TenantName::from_stored("load".to_owned()), 1);
    let bytes = bytes::Bytes::from(serde_json::to_vec(&profile as &Profile).unwrap_or_default());
    Router::new().route("/profiles/{id}", get(move || async move { ([(CONTENT_TYPE, "application/json")], Body::from(bytes)) }))
}

struct Shared {
    clients: [(Client, Statement); 2],
}

async fn postgres(url: &str) -> Result<Router> {
    let shared = Shared { clients: [client(url).await?, client(url).await?] };
    Ok(Router::new().route("/profiles/{id}", get(read_postgres)).with_state(Arc::new(shared)))
}

async fn client(url: &str) -> Result<(Client, Statement)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|e| failed("PostgreSQL", e))?;
    tokio::spawn(connection);
    let statement = client.prepare(&format!("SELECT {COLUMNS} FROM bare_profiles WHERE tenant_name = 'load' AND profile_id = $1")).await;
    Ok((client, statement.map_err(|e| failed("PostgreSQL", e))?))
}

async fn read_postgres(State(shared): State<Arc<Shared>>, Path(id): Path<Uuid>) -> Response {
    let (client, statement) = &shared.clients[usize::from(id.as_bytes()[15] & 1)];
    match client.query_opt(statement, &[&id]).await {
        Ok(Some(row)) => json(serde_json::to_vec(&of_row(&row)).unwrap_or_default()),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

thread_local! {
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// All of the file, as the service's own readers have it.
pub const MAPPED_BYTES: i64 = 1 << 40;

async fn read_sqlite(State(file): State<Arc<PathBuf>>, Path(id): Path<Uuid>) -> Response {
    let read = CONNECTION.with_borrow_mut(|connection| {
        if connection.is_none() {
            let opened = Connection::open(&*file)?;
            opened.pragma_update(None, "mmap_size", MAPPED_BYTES)?;
            *connection = Some(opened);
        }
        let Some(connection) = connection else { return Ok(Vec::new()) };
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM bare_profiles WHERE tenant_name = 'load' AND profile_id = ?1"))?;
        statement.query_row([id.as_bytes()], |row| Ok(serde_json::to_vec(&of_sqlite(row)?).unwrap_or_default()))
    });
    match read {
        Ok(bytes) => json(bytes),
        Err(rusqlite::Error::QueryReturnedNoRows) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A profile as it is written, without any of its types.
#[derive(serde::Serialize)]
struct Shown<'r> {
    tenant_name: &'r str,
    profile_id: Uuid,
    profile_type: &'r str,
    user_id: &'r str,
    full_name: &'r str,
    gender: Option<&'r str>,
    email_id: Option<&'r str>,
    mobile: Option<&'r str>,
    birth_date: Option<&'r str>,
    city_id: Option<&'r str>,
    country_id: Option<&'r str>,
    address: Option<&'r str>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    profile_image_url: Option<&'r str>,
    attributes: Option<&'r RawValue>,
    active: bool,
    created_by: &'r str,
    updated_by: &'r str,
    deleted_by: Option<&'r str>,
    created_at: i64,
    updated_at: i64,
    deleted_at: Option<i64>,
    version: i64,
}

/// Both drivers' rows in the same way: the second argument is how a column is read.
macro_rules! shown {
    ($get:ident, $id:expr, $text:ident) => {
        Shown {
            tenant_name: $text!(0),
            profile_id: $id,
            profile_type: $text!(2),
            user_id: $text!(3),
            full_name: $text!(4),
            gender: $get!(5),
            email_id: $get!(6),
            mobile: $get!(7),
            birth_date: $get!(8),
            city_id: $get!(9),
            country_id: $get!(10),
            address: $get!(11),
            latitude: $get!(12),
            longitude: $get!(13),
            profile_image_url: $get!(14),
            attributes: serde_json::from_str($text!(15)).ok(),
            active: $get!(16),
            created_by: $text!(17),
            updated_by: $text!(18),
            deleted_by: $get!(19),
            created_at: $get!(20),
            updated_at: $get!(21),
            deleted_at: $get!(22),
            version: $get!(23),
        }
    };
}

fn of_row(row: &Row) -> Shown<'_> {
    macro_rules! get {
        ($at:literal) => {
            row.get($at)
        };
    }
    shown!(get, row.get(1), get)
}

fn of_sqlite<'r>(row: &'r rusqlite::Row<'_>) -> rusqlite::Result<Shown<'r>> {
    /// A column that is there or not, borrowed where it is text.
    trait Column<'r>: Sized {
        fn read(row: &'r rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Self>;
    }
    impl<'r> Column<'r> for Option<&'r str> {
        fn read(row: &'r rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Self> {
            Ok(row.get_ref(at)?.as_str_or_null()?)
        }
    }
    macro_rules! owned {
        ($($column:ty),+) => { $( impl<'r> Column<'r> for $column {
            fn read(row: &'r rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Self> { row.get(at) }
        } )+ };
    }
    owned!(Option<f64>, Option<i64>, i64, bool);
    macro_rules! get {
        ($at:literal) => {
            Column::read(row, $at)?
        };
    }
    macro_rules! text {
        ($at:literal) => {
            row.get_ref($at)?.as_str()?
        };
    }
    Ok(shown!(get, Uuid::from_bytes(row.get(1)?), text))
}
