//! How a connection is opened: the settings that every promise of durability and isolation rests on.

use super::grams::CREATE_NOTES;
use crate::domain::geo::Circle;
use crate::store::{Result, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a statement waits for another process that holds a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const ALWAYS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
/// All static statements and the recent shapes of searches.
const CACHED_STATEMENTS: usize = 256;

/// Deletes overwrite what they delete, because a purge is for good.
const WRITER_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
     PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864";
const CHECKPOINT_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864";
/// Pages are read where the system has them in memory: copies of one's own are worth nothing after the next write, which
/// makes a connection forget them all. As far as SQLite was compiled to (.cargo/config.toml); what lies behind is copied.
const READER_SETTINGS: &str = "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;
     PRAGMA mmap_size = 1099511627776";

/// Opens the file for writing, and makes it and the folders above it if they are not there.
pub(super) fn open_writer(path: &Path) -> Result<Connection> {
    let path = as_file(path)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(StoreError::unavailable)?;
    }
    let connection = open(&path, OpenFlags::SQLITE_OPEN_CREATE)?;
    use_wal(&connection)?;
    connection.execute_batch(WRITER_SETTINGS)?;
    connection.execute_batch(CREATE_NOTES)?;
    Ok(connection)
}

/// Opens a file that `open_writer` has opened before, to do checkpoints.
pub(super) fn open_aside(path: &Path) -> Result<Connection> {
    let connection = open(&as_file(path)?, OpenFlags::empty())?;
    connection.execute_batch(CHECKPOINT_SETTINGS)?;
    Ok(connection)
}

/// Opens a file that `open_writer` has opened before. Its mapping of the file outlives the commits of others.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    mapped_vfs::register().map_err(|code| StoreError::internal(rusqlite::ffi::Error::new(code)))?;
    let connection = prepared(Connection::open_with_flags_and_vfs(as_file(path)?, ALWAYS, mapped_vfs::NAME)?)?;
    connection.execute_batch(READER_SETTINGS)?;
    Ok(connection)
}

/// SQLite gives a meaning to names like `:memory:` and `file:…`; an absolute path is only ever a file.
fn as_file(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(StoreError::unavailable)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    prepared(Connection::open_with_flags(path, flags | ALWAYS)?)
}

fn prepared(connection: Connection) -> Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Else a statement whose plan has looked at a parameter's value is planned anew with each value, which takes several
    // times as long as a read by id does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    add_distance(&connection)?;
    Ok(connection)
}

/// `distance_mm(latitude, longitude, from_latitude, from_longitude)`: NULL where the place is not known.
fn add_distance(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("distance_mm", 4, flags, |arguments| {
        let place: (Option<f64>, Option<f64>) = (arguments.get(0)?, arguments.get(1)?);
        let center = Circle { latitude: arguments.get(2)?, longitude: arguments.get(3)?, kilometres: 0.0 };
        Ok(place.0.zip(place.1).map(|(latitude, longitude)| center.millimetres_to(latitude, longitude)))
    })?;
    Ok(())
}

/// The busy timeout does not cover the change to WAL, so processes that make the file together take turns here.
fn use_wal(connection: &Connection) -> Result<()> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(StoreError::unavailable(format!("the file cannot be used with WAL, only with {mode}"))),
            Err(error) => match StoreError::from(error) {
                StoreError::Unavailable(_) if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(5)),
                error => return Err(error),
            },
        }
    }
}
