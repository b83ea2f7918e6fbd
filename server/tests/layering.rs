//! The layout of section 6 of the design, held against the code: who may use whom, and how long a file may be.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each layer and what it may use. What is not listed here does not exist: a new folder needs a line.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("telemetry", &["domain"]),
    ("store", &["domain", "config", "telemetry"]),
    ("images", &["domain", "config", "telemetry"]),
    ("auth", &["domain", "config", "telemetry"]),
    ("service", &["domain", "store", "images"]),
    ("api", &["service", "domain", "auth", "telemetry", "config"]),
    ("cli", &["service", "domain", "config", "app"]),
    ("lifecycle", &["config"]),
    ("app", &["api", "auth", "cli", "config", "domain", "images", "lifecycle", "service", "store", "telemetry"]),
];

const MAX_LINES: usize = 500;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The layer of a file: its top folder, or its name at the top.
fn layer_of(path: &Path) -> String {
    let relative = path.strip_prefix(source_root()).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The layers that a text names through `crate::`, in a path or in a braced list.
fn used_layers(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut used = BTreeSet::new();
    for after in text.split("crate::").skip(1) {
        if let Some(list) = after.strip_prefix('{') {
            let mut depth = 1;
            let mut name = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    c if depth == 1 && is_name(c) => name.push(c),
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') || (c == ':' && depth == 1 && !name.is_empty()) {
                    used.insert(std::mem::take(&mut name));
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            used.insert(after.chars().take_while(|c| is_name(*c)).collect());
        }
    }
    used.retain(|name| LAYERS.iter().any(|(layer, _)| layer == name));
    used
}

#[test]
fn layers_use_only_what_they_may() {
    let mut files = Vec::new();
    sources(&source_root(), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let layer = layer_of(&file);
        if ["lib", "main"].contains(&layer.as_str()) {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("{}: the layer {layer} is not in the table", file.display()));
            continue;
        };
        for used in used_layers(&fs::read_to_string(&file).unwrap()) {
            if used != layer && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: {layer} must not use {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_composition_root_names_a_backend() {
    let mut files = Vec::new();
    sources(&source_root(), &mut files);
    for file in files {
        let layer = layer_of(&file);
        if layer == "store" || layer == "app" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for backend in ["store::postgres", "store::sqlite", "tokio_postgres::", "deadpool_postgres::", "rusqlite::"] {
            assert!(!text.contains(backend), "{} names {backend}", file.display());
        }
    }
}

#[test]
fn the_two_backends_do_not_know_each_other() {
    for (folder, other) in [("store/postgres", "sqlite"), ("store/sqlite", "postgres")] {
        let mut files = Vec::new();
        sources(&source_root().join(folder), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains(&format!("store::{other}")) && !text.contains(&format!("super::super::{other}")), "{}", file.display());
        }
    }
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let mut files = Vec::new();
    sources(&source_root(), &mut files);
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut files);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", file.display());
    }
}

#[test]
fn the_table_finds_what_is_used() {
    let used = used_layers("use crate::domain::x; use crate::{api, service::Y, store::{Z, W}}; fn f() { crate::cli::main() }");
    assert_eq!(used.into_iter().collect::<Vec<_>>(), ["api", "cli", "domain", "service", "store"]);
}
