//! Readers beside a writer: what they see, and what becomes of their mapping.
#![cfg(target_os = "linux")]

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const MAPPED: &str = "PRAGMA mmap_size = 1073741824";
const ROWS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO t (text) SELECT hex(randomblob(200)) FROM n";

/// A file with so many rows, and who writes to it.
fn written(rows: u32) -> (TempDir, PathBuf, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)").unwrap();
    writer.execute(ROWS, [rows]).unwrap();
    checkpoint(&writer);
    (folder, path, writer)
}

fn reader(path: &Path) -> Connection {
    mapped_vfs::register().unwrap();
    let reader = Connection::open_with_flags_and_vfs(path, OpenFlags::SQLITE_OPEN_READ_WRITE, mapped_vfs::NAME).unwrap();
    reader.query_row(MAPPED, [], |_| Ok(())).unwrap();
    reader
}

fn count(reader: &Connection) -> i64 {
    reader.query_row("SELECT count(*) FROM t WHERE length(text) > 0", [], |row| row.get(0)).unwrap()
}

fn checkpoint(writer: &Connection) {
    let (busy, log, done): (i64, i64, i64) =
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!((busy, log), (0, done));
}

/// Where the process has the file mapped.
fn mappings(path: &Path) -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let of_file = |line: &&str| line.ends_with(path.to_str().unwrap());
    maps.lines().filter(of_file).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// How many pages this thread had to be given so far.
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    stat.rsplit(')').next().unwrap().split_whitespace().nth(7).unwrap().parse().unwrap()
}

#[test]
fn a_reader_is_not_given_its_pages_again_after_each_commit() {
    let (_folder, path, writer) = written(20_000);
    let after_commits = |reader: &Connection| {
        let commit_and_count = || {
            writer.execute("UPDATE t SET text = text || '.' WHERE id = 7", []).unwrap();
            assert_eq!(count(reader), 20_000);
        };
        (0..5).for_each(|_| commit_and_count());
        let before = faults();
        (0..50).for_each(|_| commit_and_count());
        faults() - before
    };
    let by_itself = Connection::open(&path).unwrap();
    by_itself.query_row(MAPPED, [], |_| Ok(())).unwrap();
    let (ours, without) = (after_commits(&reader(&path)), after_commits(&by_itself));
    assert!(ours * 10 < without, "{ours} page faults, and without this VFS {without}");
}

#[test]
fn a_reader_sees_every_commit_at_once_and_keeps_its_mapping() {
    let (_folder, path, writer) = written(2_000);
    let reader = reader(&path);
    assert_eq!(count(&reader), 2_000);
    writer.execute(ROWS, [1]).unwrap();
    assert_eq!(count(&reader), 2_001);
    let mapped = mappings(&path);
    assert_eq!(mapped.len(), 1);
    for round in 2..300 {
        writer.execute(ROWS, [1]).unwrap();
        writer.execute("UPDATE t SET text = text || '.' WHERE id = ?1", [round * 5]).unwrap();
        if round % 50 == 0 {
            checkpoint(&writer);
        }
        assert_eq!(count(&reader), 2_000 + round);
        let dotted: i64 = reader.query_row("SELECT count(*) FROM t WHERE text LIKE '%.'", [], |row| row.get(0)).unwrap();
        assert_eq!(dotted, round - 1);
    }
    assert_eq!(mappings(&path), mapped);
}

#[test]
fn a_file_that_grows_is_mapped_anew_and_one_that_shrinks_is_read_to_its_end() {
    let (_folder, path, writer) = written(1_000);
    let reader = reader(&path);
    assert_eq!(count(&reader), 1_000);
    writer.execute(ROWS, [1]).unwrap();
    assert_eq!(count(&reader), 1_001);
    let small = mappings(&path);
    writer.execute(ROWS, [50_000]).unwrap();
    checkpoint(&writer);
    writer.execute(ROWS, [1]).unwrap();
    assert_eq!(count(&reader), 51_002);
    let large = mappings(&path);
    assert_ne!(large, small);
    writer.execute_batch("DELETE FROM t WHERE id > 900; VACUUM").unwrap();
    checkpoint(&writer);
    assert_eq!(count(&reader), 900);
    writer.execute(ROWS, [3]).unwrap();
    assert_eq!(count(&reader), 903);
    let check: String = reader.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn many_readers_beside_a_writer_each_see_whole_transactions() {
    let (_folder, path, writer) = written(500);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = reader(&path);
                let mut last = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let now = count(&reader);
                    assert!(now >= last && now % 10 == 0, "{now} after {last}");
                    last = now;
                }
            });
        }
        for round in 0..400 {
            writer.execute(ROWS, [10]).unwrap();
            if round % 40 == 0 {
                writer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(count(&reader(&path)), 4_500);
}
