//! The command line. `serve` is what runs when no command is named.

mod images;
mod migrate;
mod serve;
mod tenant;
mod token;

use crate::config::{
    self, DataConfig, auth::AuthConfig, database::DatabaseConfig, images::ImagesConfig, server::ServerConfig, traces::TracesConfig,
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The user directory that is right at once.
///
/// Without a command the service starts, as with `serve`. Every setting is a flag, an environment variable (shown
/// beside it), or a line in a TOML file (the flag's name with _ for -); flags win over the environment, and that over
/// the file.
#[derive(Debug, Parser)]
#[command(name = "n_users", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    serve: ServeOptions,

    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, clap::Args)]
struct ServeOptions {
    #[command(flatten)]
    server: ServerConfig,

    #[command(flatten)]
    traces: TracesConfig,
}

/// What all commands share.
#[derive(Debug, clap::Args)]
struct Shared {
    /// A TOML file of settings; n_users.toml in this folder is read by itself
    #[arg(long, env = "N_USERS_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    #[command(flatten)]
    data: DataConfig,

    #[command(flatten)]
    database: DatabaseConfig,

    #[command(flatten)]
    images: ImagesConfig,

    #[command(flatten)]
    auth: AuthConfig,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service (the default)
    Serve(Box<ServeOptions>),
    /// Bring the database's schema to this version
    Migrate,
    /// Print an access token for local development
    Token(token::TokenOptions),
    /// Administer tenants
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Look after the image store
    #[command(subcommand)]
    Images(images::ImagesCommand),
    /// Print the version
    Version,
}

/// What a command ends with when it fails: a sentence for the person at the terminal.
type Outcome = Result<(), String>;

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(reason) => return fail(&reason),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(&reason),
    }
}

fn parse() -> Result<Cli, String> {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let command = config::with_defaults(Cli::command(), &arguments).map_err(|e| e.to_string())?;
    let matches = command.get_matches();
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit()))
}

fn run(cli: Cli) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| format!("the runtime cannot start: {e}"))?;
    let shared = cli.shared;
    runtime.block_on(async {
        match cli.command {
            None => serve::run(cli.serve, shared).await,
            Some(Command::Serve(options)) => serve::run(*options, shared).await,
            Some(Command::Migrate) => migrate::run(&shared).await,
            Some(Command::Token(options)) => token::run(&options, &shared),
            Some(Command::Tenant(command)) => tenant::run(command, &shared).await,
            Some(Command::Images(command)) => images::run(command, &shared).await,
            Some(Command::Version) => print_line(&format!("n_users {}", env!("CARGO_PKG_VERSION"))),
        }
    })
}

/// A line on standard output; a closed pipe is no fault of ours.
fn print_line(line: &str) -> Outcome {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the end of a command")]
fn fail(reason: &str) -> ExitCode {
    eprintln!("n_users: {reason}");
    ExitCode::FAILURE
}
