//! `n_users migrate`.

use super::{Outcome, Shared, print_line};
use crate::app;

pub async fn run(shared: &Shared) -> Outcome {
    let (_, report, store) = app::directory(&shared.data, &shared.database, &shared.images).await.map_err(|e| e.to_string())?;
    store.close().await;
    for name in &report.applied {
        print_line(&format!("applied {name}"))?;
    }
    print_line(&format!("the schema is at version {}", report.version))
}
