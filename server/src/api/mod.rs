//! The HTTP API: a router per resource, one layer around all, problems for errors.

pub mod context;
pub mod docs;
pub mod extract;
pub mod health;
pub mod layer;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod public_url;
pub mod resource;
mod unread;
pub mod v1;

use crate::auth::TokenVerifier;
use crate::domain::clock::Clock;
use crate::service::Directory;
use axum::Router;
use axum::response::IntoResponse;
use limits::Limits;
use problem::{Kind, Problem};
use public_url::PublicUrl;
use resource::ProtectedResource;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// What every handler can reach. It is cloned several times for each request, so it is one pointer.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

impl From<Parts> for AppState {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What the API works with.
pub struct Parts {
    /// Set once the database has been reached and its schema is right.
    pub directory: Arc<OnceLock<Directory>>,
    pub verifier: Arc<dyn TokenVerifier>,
    pub resource: ProtectedResource,
    pub limits: Limits,
    pub clock: Arc<dyn Clock>,
    /// Requests at work at once.
    pub in_flight: Semaphore,
    pub request_deadline: Duration,
    /// The same for a request that uploads a file, which takes the time that its sender's line takes.
    pub upload_deadline: Duration,
    pub max_body_bytes: usize,
    pub max_image_bytes: usize,
    pub public_url: PublicUrl,
    /// Set when the node is about to stop: readiness then says no.
    pub draining: Arc<AtomicBool>,
}

impl Parts {
    /// The directory; 503 while the database has not been reached since the start.
    pub fn directory(&self) -> Result<&Directory, Problem> {
        self.directory
            .get()
            .ok_or_else(|| Problem::new(Kind::Unavailable, "The service is starting and waits for its database: try again shortly."))
    }
}

/// The whole API.
pub fn router(state: AppState) -> Router {
    let (routes, document) = openapi::documented_routes().split_for_parts();
    routes
        .merge(docs::router(&openapi::finish(document)))
        .merge(resource::router())
        .fallback(|| async { Problem::new(Kind::NotFound, "There is nothing at this path: /docs shows what there is.").into_response() })
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::MethodNotAllowed, "This path knows other methods: the header Allow names them.").into_response()
        })
        .layer(axum::middleware::from_fn_with_state(state.clone(), layer::around))
        .with_state(state)
}
