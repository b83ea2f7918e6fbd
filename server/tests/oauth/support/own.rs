//! An issuer whose keys the tests hold, in this process.

use super::keys::{TestKey, now, with};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const ALL_SCOPES: &str = "profiles:read profiles:write profiles:admin tenants:admin";

pub struct OwnIssuer {
    pub url: String,
    /// Its ordinary key: the one that signs `token`.
    pub key: TestKey,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    metadata: Mutex<Value>,
    jwks: Mutex<Vec<Value>>,
    /// What is said of an opaque token; any other is not active.
    opaque: Mutex<HashMap<String, Value>>,
    key_fetches: AtomicUsize,
    introspections: AtomicUsize,
}

impl OwnIssuer {
    pub async fn start() -> Self {
        let key = TestKey::new("own", Algorithm::EdDSA);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/keys"), "introspection_endpoint": format!("{url}/introspect")});
        *shared.metadata.lock().unwrap() = metadata;
        let issuer = Self { url, key, shared: shared.clone() };
        issuer.publish(&[]);
        // Only at RFC 8414's place, so that both are tried.
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata_of))
            .route("/keys", get(keys_of))
            .route("/introspect", post(introspect))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    /// Publishes these keys beside the ordinary one.
    pub fn publish(&self, others: &[Value]) {
        let mut keys = vec![self.key.jwk(Some("EdDSA"))];
        keys.extend_from_slice(others);
        *self.shared.jwks.lock().unwrap() = keys;
    }

    /// Publishes these keys and no others.
    pub fn publish_only(&self, keys: &[Value]) {
        *self.shared.jwks.lock().unwrap() = keys.to_vec();
    }

    /// What it says of an opaque token from now on.
    pub fn knows(&self, opaque: &str, answer: Value) {
        self.shared.opaque.lock().unwrap().insert(opaque.to_owned(), answer);
    }

    pub fn key_fetches(&self) -> usize {
        self.shared.key_fetches.load(Ordering::SeqCst)
    }

    pub fn introspections(&self) -> usize {
        self.shared.introspections.load(Ordering::SeqCst)
    }

    pub fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": self.url, "aud": "n_users", "sub": "tester", "client_id": "tester", "jti": "1",
            "iat": now, "exp": now + 600, "scope": ALL_SCOPES, "tenant": "default",
        })
    }

    /// A good token, but for these claims.
    pub fn token(&self, changes: Value) -> String {
        self.key.token(&self.key.header(), &with(&self.claims(), changes))
    }
}

async fn metadata_of(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.metadata.lock().unwrap().clone())
}

async fn keys_of(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.key_fetches.fetch_add(1, Ordering::SeqCst);
    Json(json!({"keys": *shared.jwks.lock().unwrap()}))
}

async fn introspect(State(shared): State<Arc<Shared>>, headers: http::HeaderMap, body: String) -> Result<Json<Value>, StatusCode> {
    shared.introspections.fetch_add(1, Ordering::SeqCst);
    // "asker:se cret/", each form-encoded, in base64.
    if headers.get("authorization").is_none_or(|value| value != "Basic YXNrZXI6c2UrY3JldCUyRg==") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let form: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let answer = shared.opaque.lock().unwrap().get(&form["token"]).cloned();
    Ok(Json(answer.unwrap_or(json!({"active": false}))))
}
