//! A database that was just filled, brought to rest: on PostgreSQL `VACUUM (ANALYZE)` does it, on SQLite this.

use rusqlite::Connection;

/// Merges the segments of the grams' index at once, which a service does a little at a time while nobody waits for a write.
pub fn merge(path: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    loop {
        let before = connection.total_changes();
        connection.execute("INSERT INTO profile_grams (profile_grams, rank) VALUES ('merge', 1000)", [])?;
        // The statement itself is one change; what FTS5 changes in its tables is more.
        if connection.total_changes() - before <= 1 {
            break;
        }
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
