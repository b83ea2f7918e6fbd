//! `loadtest`: see `cli` for what it takes, and docs/performance.md for what its figures mean.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::Parser;
use loadtest::cli::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    // One thread drives all: handing requests from thread to thread would cost more than the requests do.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("loadtest: {error}");
            return ExitCode::from(2);
        }
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let outcome = runtime.block_on(async {
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = stop.send(true);
            }
            // Dropped, it would tell the load to end.
            std::future::pending::<()>().await;
        });
        loadtest::run::run(&options, &stopped).await
    });
    match outcome.map(|report| report.and_then(|report| report.errors_in_words())) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(errors)) => {
            eprintln!("loadtest: there were errors: {errors}");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("loadtest: {failure}");
            ExitCode::from(2)
        }
    }
}
