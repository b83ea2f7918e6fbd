//! What a local folder needs beyond an object store's methods: uploads that a crash broke off lie in it as
//! `NAME#N`, and no listing of objects shows them.

use object_store::local::LocalFileSystem;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The folder as a store; made if it is not there. What it has acknowledged survives a loss of power.
pub fn open(folder: &Path) -> Result<LocalFileSystem, String> {
    let wrong = |reason: &dyn std::fmt::Display| format!("the folder of images {}: {reason}", folder.display());
    std::fs::create_dir_all(folder).map_err(|e| wrong(&e))?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| wrong(&e))?;
    Ok(store.with_fsync(true).with_automatic_cleanup(true))
}

/// A file that was being written, now or before a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    pub path: PathBuf,
    pub bytes: u64,
    pub modified_ms: i64,
}

/// All of them, at the depth where images are: tenant / profile / image.
pub fn staged(folder: &Path) -> io::Result<Vec<Staged>> {
    let mut found = Vec::new();
    for tenant in folders(folder)? {
        for profile in folders(&tenant)? {
            for image in folders(&profile)? {
                for file in entries(&image)? {
                    found.extend(staged_file(file));
                }
            }
        }
    }
    Ok(found)
}

fn staged_file(path: PathBuf) -> Option<Staged> {
    let (_, suffix) = path.file_name()?.to_str()?.split_once('#')?;
    let is_staged = !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit());
    let metadata = std::fs::metadata(&path).ok().filter(|metadata| is_staged && metadata.is_file())?;
    let age = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Staged { path, bytes: metadata.len(), modified_ms: i64::try_from(age.as_millis()).unwrap_or(i64::MAX) })
}

/// Removes a file, and the folders that are empty without it.
pub fn remove(folder: &Path, path: &Path) -> io::Result<()> {
    gone(std::fs::remove_file(path))?;
    remove_empty_parents(folder, path);
    Ok(())
}

/// Removes a folder with all that is in it, and the folders that are empty without it.
pub fn erase(folder: &Path, path: &Path) -> io::Result<()> {
    gone(std::fs::remove_dir_all(path))?;
    remove_empty_parents(folder, path);
    Ok(())
}

fn remove_empty_parents(folder: &Path, path: &Path) {
    for parent in path.ancestors().skip(1).take_while(|parent| *parent != folder && parent.starts_with(folder)) {
        if std::fs::remove_dir(parent).is_err() {
            break;
        }
    }
}

fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        // Removed by somebody else meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}
