//! Version 1 of the API: a file per resource.

pub mod image;
pub mod preferences;
pub mod profiles;
pub mod respond;
pub mod schema;
pub mod search;
pub mod tenants;
pub mod users;

use super::AppState;
use utoipa_axum::router::OpenApiRouter;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(profiles::router())
        .merge(image::router())
        .merge(search::router())
        .merge(users::router())
        .merge(preferences::router())
        .merge(tenants::router())
}
