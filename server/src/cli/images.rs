//! `n_users images gc`: what crashes left in the image store.

use super::{Outcome, Shared, print_line};
use crate::app;
use crate::domain::cause::chain;
use crate::service::images_gc::{Collected, LEAST_AGE};
use std::time::Duration;

#[derive(Debug, clap::Subcommand)]
pub enum ImagesCommand {
    /// Find objects that no profile points to; with --delete, remove them. Safe while the service runs
    Gc {
        /// Remove them; without it, nothing is changed
        #[arg(long)]
        delete: bool,

        /// Leave alone what is younger: it may belong to an upload that is not finished. At least 10m
        #[arg(long, default_value = "1h", value_parser = age, value_name = "TIME")]
        older_than: Duration,
    },
}

pub async fn run(command: ImagesCommand, shared: &Shared) -> Outcome {
    let ImagesCommand::Gc { delete, older_than } = command;
    let (directory, _, store) = app::directory(&shared.data, &shared.database, &shared.images).await.map_err(|e| e.to_string())?;
    let verb = if delete { "removing" } else { "would remove" };
    let collected = directory
        .collect_images(older_than, delete, |listed| {
            let kind = if listed.is_staged() { "  (an unfinished upload)" } else { "" };
            let _ = print_line(&format!("{verb} {}/{}/{}/{}{kind}", listed.tenant, listed.profile_id, listed.image, listed.file));
        })
        .await;
    store.close().await;
    print_line(&summary(&collected.map_err(|e| chain(&e))?, delete))
}

fn summary(collected: &Collected, delete: bool) -> String {
    let Collected { in_use, young, suspended, foreign, garbage, garbage_bytes } = collected;
    let what = if delete { "removed" } else { "would remove" };
    let mut lines = format!("{what} {garbage} objects of {garbage_bytes} bytes; kept {in_use} in use and {young} too young to judge");
    if *suspended > 0 {
        lines.push_str(&format!(", {suspended} of suspended tenants"));
    }
    if *foreign > 0 {
        lines.push_str(&format!(", {foreign} that are not ours"));
    }
    if !delete && *garbage > 0 {
        lines.push_str("\nnothing was changed: add --delete to remove them");
    }
    lines
}

fn age(text: &str) -> Result<Duration, String> {
    let age = humantime::parse_duration(text).map_err(|e| e.to_string())?;
    if age < LEAST_AGE {
        return Err(format!("must be at least {}: an upload may take a while", humantime::format_duration(LEAST_AGE)));
    }
    Ok(age)
}
