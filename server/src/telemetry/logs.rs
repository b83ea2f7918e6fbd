//! Logs on standard error: JSON for machines, lines for a person at a terminal. No personal data, no token.

use super::buffer::{Buffered, Flush};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Libraries that, below this level, log parameters of statements or headers of requests: people's data.
const TELL_DATA: [&str; 2] = ["tokio_postgres=warn", "h2=info"];

/// Starts logging, which ends when the result is dropped. `filter` is a level, or directives as `tracing` knows them; the
/// error says what is wrong with it.
pub fn start(filter: &str) -> Result<Flush, String> {
    let mut filter = EnvFilter::try_new(filter).map_err(|e| format!("LOG is not a level or a tracing filter: {e}"))?;
    for quiet in TELL_DATA {
        filter = filter.add_directive(quiet.parse().map_err(|e| format!("{quiet}: {e}"))?);
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    if std::io::stderr().is_terminal() {
        builder.with_target(false).with_writer(std::io::stderr).try_init().map_err(|e| e.to_string())?;
        return Ok(Flush::nothing());
    }
    let (writer, flush) = Buffered::start(Box::new(std::io::stderr())).map_err(|e| format!("the log cannot be started: {e}"))?;
    let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false).with_writer(writer);
    builder.try_init().map_err(|e| e.to_string())?;
    Ok(flush)
}
