//! Statements on SQLite in a bare loop, each a transaction of its own, on a copy of all profiles without our indexes
//! and triggers.

use crate::serve::{COLUMNS, MAPPED_BYTES};
use crate::{failed, write_json};
use clap::Args;
use loadtest::failure::Result;
use loadtest::processes::usage::of_process;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct SqliteOptions {
    /// The service's database, from which profiles are copied
    #[arg(long)]
    from: PathBuf,
    /// A new file for the copy
    #[arg(long)]
    file: PathBuf,
    /// Where the ids of some copies are written, one per line
    #[arg(long)]
    ids: PathBuf,
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    #[arg(long)]
    json: PathBuf,
}

/// So many are read and updated: as many as the load test knows.
const ACTIVE: u32 = 30_000;
const COPY: &str = "INSERT INTO bare_profiles SELECT * FROM origin.profiles WHERE tenant_name = 'load'";
const IDS: &str = "SELECT profile_id FROM bare_profiles ORDER BY random() LIMIT ?1";
const INSERT: &str = "INSERT INTO bare_profiles SELECT * FROM template";
const UPDATE: &str = "UPDATE bare_profiles SET city_id = ?1, version = version + 1 WHERE tenant_name = 'load' AND profile_id = ?2";

pub fn run(options: &SqliteOptions) -> Result<()> {
    let wrong = |e: rusqlite::Error| failed("SQLite", e);
    let connection = copied(&options.from, &options.file).map_err(wrong)?;
    let ids = ids(&connection).map_err(wrong)?;
    let text: String = ids.iter().map(|id| format!("{}\n", uuid::Uuid::from_bytes(*id))).collect();
    std::fs::write(&options.ids, text).map_err(|e| failed("the ids", e))?;
    let time = Duration::from_secs(options.seconds);
    let read = format!("SELECT {COLUMNS} FROM bare_profiles WHERE tenant_name = 'load' AND profile_id = ?1");
    connection.pragma_update(None, "mmap_size", MAPPED_BYTES).map_err(wrong)?;
    let select = measured(time, |number| {
        let mut statement = connection.prepare_cached(&read)?;
        statement.query_row([&ids[number % ids.len()]], |row| row.get::<_, String>(4)).map(|_| ())
    });
    let update = measured(time, |number| {
        let mut statement = connection.prepare_cached(UPDATE)?;
        statement.execute((format!("city-{number}"), &ids[number % ids.len()])).map(|_| ())
    });
    let insert = measured(time, |number| {
        let id = uuid::Uuid::from_u128(u128::MAX - number as u128);
        connection.prepare_cached("UPDATE template SET profile_id = ?1")?.execute([id.as_bytes()])?;
        connection.prepare_cached(INSERT)?.execute([]).map(|_| ())
    });
    let (select, update, insert) = (select.map_err(wrong)?, update.map_err(wrong)?, insert.map_err(wrong)?);
    println!("bare SQLite, CPU us: select {select:.1}, update {update:.1}, insert {insert:.1}");
    write_json(&options.json, &serde_json::json!({ "select_cpu_us": select, "update_cpu_us": update, "insert_cpu_us": insert }))
}

/// A table of the same columns with its primary key and nothing else.
fn copied(from: &Path, to: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(to)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY")?;
    connection.execute("ATTACH ?1 AS origin", [from.display().to_string()])?;
    connection.execute_batch("CREATE TABLE bare_profiles AS SELECT * FROM origin.profiles LIMIT 0")?;
    connection.execute(COPY, [])?;
    connection.execute_batch(
        "CREATE UNIQUE INDEX bare_profiles_pkey ON bare_profiles (tenant_name, profile_id);
         CREATE TEMP TABLE template AS SELECT * FROM bare_profiles LIMIT 1;
         DETACH origin",
    )?;
    Ok(connection)
}

fn ids(connection: &Connection) -> rusqlite::Result<Vec<[u8; 16]>> {
    connection.prepare(IDS)?.query_map([ACTIVE], |row| row.get(0))?.collect()
}

/// Microseconds of CPU that each call takes.
fn measured(time: Duration, mut call: impl FnMut(usize) -> rusqlite::Result<()>) -> rusqlite::Result<f64> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let cpu_s = || of_process(own).map_or(0.0, |usage| usage.cpu_s);
    let (before, started, mut calls) = (cpu_s(), Instant::now(), 0_usize);
    while started.elapsed() < time {
        call(calls)?;
        calls += 1;
    }
    Ok((cpu_s() - before) * 1e6 / f64::from(u32::try_from(calls).unwrap_or(u32::MAX)))
}
