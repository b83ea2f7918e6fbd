//! Logs on standard error: JSON for machines, lines for a person at a terminal. No personal data, no token.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Libraries that, below this level, log parameters of statements or headers of requests: people's data.
const TELL_DATA: [&str; 2] = ["tokio_postgres=warn", "h2=info"];

/// Starts logging. `filter` is a level, or directives as `tracing` knows them; the error says what is wrong with it.
pub fn start(filter: &str) -> Result<(), String> {
    let mut filter = EnvFilter::try_new(filter).map_err(|e| format!("LOG is not a level or a tracing filter: {e}"))?;
    for quiet in TELL_DATA {
        filter = filter.add_directive(quiet.parse().map_err(|e| format!("{quiet}: {e}"))?);
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|e| e.to_string())
}
