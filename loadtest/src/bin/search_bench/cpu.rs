//! What processes have computed so far, from /proc.

use std::fs;

/// Nanoseconds that these processes, or threads of this one, have run.
pub fn nanoseconds(tasks: &[String]) -> u64 {
    let of_task = |path: &String| fs::read_to_string(path).ok()?.split(' ').next()?.parse::<u64>().ok();
    tasks.iter().filter_map(of_task).sum()
}

/// The processes that serve a PostgreSQL database.
pub fn backends(database: &str) -> Vec<String> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    let named = format!(" {database} ");
    folder
        .flatten()
        .filter(|entry| {
            let title = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let title = String::from_utf8_lossy(&title);
            title.starts_with("postgres: ") && title.contains(&named)
        })
        .map(|entry| format!("{}/schedstat", entry.path().display()))
        .collect()
}

/// The threads of this process.
pub fn own_threads() -> Vec<String> {
    let Ok(folder) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    folder.flatten().map(|entry| format!("{}/schedstat", entry.path().display())).collect()
}
