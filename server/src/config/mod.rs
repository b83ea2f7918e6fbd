//! Configuration: a TOML file, then the environment, then flags; the later wins.
//!
//! There is one list of settings, the flags. The file's values and the second names of variables become the flags'
//! defaults, so that `--help` is the whole documentation and shows what is in force.

#![allow(rustdoc::bare_urls, reason = "the docstrings of settings are the text of --help")]

pub mod auth;
pub mod database;
pub mod images;
pub mod issuer;
pub mod limits;
pub mod server;
pub mod traces;

use clap::{Args, Command};
use std::path::{Path, PathBuf};

/// Where what the service keeps on disk is kept, shared by all commands.
#[derive(Debug, Clone, Args)]
pub struct DataConfig {
    /// Folder of the embedded database, of images, and of the local signing key
    #[arg(long, env = "DATA_DIR", default_value = "./data", global = true)]
    pub data_dir: PathBuf,
}

/// The file that is read when there is one and `--config` names no other.
const DEFAULT_FILE: &str = "n_users.toml";

/// Variables that are also known by another name.
const SECOND_NAMES: [(&str, &str); 3] =
    [("database_url", "POSTGRE_URL_VALUE"), ("aws_access_key_id", "AWS_SECRET_ID"), ("aws_secret_access_key", "AWS_SECRET")];

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration file {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("the configuration file {path} has a setting {key} that is not known; see n_users serve --help")]
    UnknownSetting { path: String, key: String },
}

/// The command line with the defaults that the file and second names give.
pub fn with_defaults(mut command: Command, arguments: &[String]) -> Result<Command, ConfigError> {
    if let Some(path) = config_file(arguments) {
        for (key, value) in read_file(&path)? {
            if !knows(&command, &key) {
                return Err(ConfigError::UnknownSetting { path: path.display().to_string(), key });
            }
            command = set_default(command, &key, value);
        }
    }
    for (key, variable) in SECOND_NAMES {
        if let Some(value) = variable_named(variable) {
            command = set_default(command, key, value);
        }
    }
    Ok(command)
}

fn config_file(arguments: &[String]) -> Option<PathBuf> {
    let flag = arguments.iter().position(|argument| argument == "--config").and_then(|at| arguments.get(at + 1).cloned());
    let flag = flag.or_else(|| arguments.iter().find_map(|argument| argument.strip_prefix("--config=").map(str::to_owned)));
    let named = flag.or_else(|| variable_named("N_USERS_CONFIG"));
    named.map(PathBuf::from).or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()))
}

fn read_file(path: &Path) -> Result<Vec<(String, String)>, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| unreadable(e.to_string()))?;
    table
        .into_iter()
        .map(|(key, value)| match value {
            toml::Value::String(text) => Ok((key, text)),
            toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Float(_) => Ok((key, value.to_string())),
            // OAUTH_ISSUERS is JSON elsewhere; in the file it may as well be a list of tables.
            toml::Value::Array(list) if list.iter().all(toml::Value::is_table) => {
                serde_json::to_string(&list).map(|json| (key, json)).map_err(|e| unreadable(e.to_string()))
            }
            _ => Err(unreadable(format!("{key} must be text, a number, true or false, or a list of tables"))),
        })
        .collect()
}

fn knows(command: &Command, key: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_id() == key) || command.get_subcommands().any(|sub| knows(sub, key))
}

fn set_default(command: Command, key: &str, value: String) -> Command {
    let command = if command.get_arguments().any(|argument| argument.get_id() == key) {
        let value = value.clone();
        command.mut_arg(key, move |argument| argument.default_value(value))
    } else {
        command
    };
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |sub| set_default(sub, key, value.clone())))
}

#[expect(clippy::disallowed_methods, reason = "configuration is read here")]
fn variable_named(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
