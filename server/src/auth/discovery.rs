//! An issuer's endpoints: OpenID Connect Discovery 1.0 §4, else RFC 8414 §3. What the metadata say is only believed when
//! they name the issuer exactly as it is configured (RFC 8414 §3.3).

use super::outbound::{FetchError, Outbound};
use crate::config::issuer::is_safe;
use arc_swap::ArcSwapOption;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How long endpoints are believed before the metadata are read again.
const TRUSTED_FOR: Duration = Duration::from_secs(3600);

/// Where an issuer answers what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub keys: Option<Url>,
    pub introspection: Option<Url>,
}

/// One issuer's metadata, read when they are needed.
#[derive(Debug)]
pub struct Discovery {
    http: Outbound,
    issuer: String,
    url: Url,
    found: ArcSwapOption<(Endpoints, Instant)>,
}

impl Discovery {
    pub fn new(http: Outbound, issuer: &str, url: &Url) -> Self {
        Self { http, issuer: issuer.to_owned(), url: url.clone(), found: ArcSwapOption::empty() }
    }

    /// The endpoints, from memory where they are not too old.
    pub async fn endpoints(&self) -> Result<Endpoints, FetchError> {
        if let Some(found) = self.found.load_full()
            && found.1.elapsed() < TRUSTED_FOR
        {
            return Ok(found.0.clone());
        }
        let endpoints = self.discover().await?;
        self.found.store(Some(Arc::new((endpoints.clone(), Instant::now()))));
        Ok(endpoints)
    }

    /// Reads the metadata again at the next need: an endpoint did not answer as it should.
    pub fn forget(&self) {
        self.found.store(None);
    }

    /// The published keys, as they are. An issuer that publishes none has opaque tokens only.
    pub async fn keys(&self) -> Result<Vec<Map<String, Value>>, FetchError> {
        let Some(url) = self.endpoints().await?.keys else { return Ok(Vec::new()) };
        let set = self.http.get(&url).await.inspect_err(|_| self.forget())?;
        match set.get("keys") {
            Some(Value::Array(keys)) => Ok(keys.iter().filter_map(Value::as_object).cloned().collect()),
            _ => Err(FetchError { url: url.to_string(), reason: "the answer is no JWKS".to_owned(), status: None }),
        }
    }

    async fn discover(&self) -> Result<Endpoints, FetchError> {
        let [oidc, rfc8414] = metadata_urls(&self.url);
        let (url, metadata) = match self.http.get(&oidc).await {
            Ok(metadata) => (oidc, metadata),
            // It answers, but not there.
            Err(error) if error.status.is_some() => {
                let metadata = self
                    .http
                    .get(&rfc8414)
                    .await
                    .map_err(|second| FetchError { reason: format!("{}; {error}", second.reason), ..second })?;
                (rfc8414, metadata)
            }
            Err(error) => return Err(error),
        };
        endpoints(&metadata, &self.issuer).map_err(|reason| FetchError { url: url.to_string(), reason, status: None })
    }
}

/// OIDC appends to the issuer's path, RFC 8414 puts itself before it; a final slash falls away in both.
fn metadata_urls(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    [at(format!("{path}/.well-known/openid-configuration")), at(format!("/.well-known/oauth-authorization-server{path}"))]
}

fn endpoints(metadata: &Map<String, Value>, issuer: &str) -> Result<Endpoints, String> {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    match text("issuer") {
        Some(named) if named == issuer => {}
        named => return Err(format!("the metadata are of the issuer {}, not of {issuer} as configured", named.unwrap_or("(none)"))),
    }
    let url = |name: &str| match text(name).map(Url::parse) {
        None => Ok(None),
        Some(Ok(url)) if is_safe(&url) => Ok(Some(url)),
        Some(_) => Err(format!("{name} is not an https URL")),
    };
    let endpoints = Endpoints { keys: url("jwks_uri")?, introspection: url("introspection_endpoint")? };
    if endpoints.keys.is_none() && endpoints.introspection.is_none() {
        return Err("the metadata name neither jwks_uri nor introspection_endpoint".to_owned());
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_places_are_known_with_and_without_a_path() {
        let urls = |issuer: &str| metadata_urls(&Url::parse(issuer).unwrap()).map(|url| url.to_string());
        let root = ["https://a.example/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server"];
        assert_eq!(urls("https://a.example"), root);
        assert_eq!(urls("https://a.example/"), root);
        let path = [
            "https://a.example/realms/b/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server/realms/b",
        ];
        assert_eq!(urls("https://a.example/realms/b"), path);
        assert_eq!(urls("https://a.example/realms/b/"), path);
    }

    #[test]
    fn metadata_must_be_of_the_issuer_and_name_safe_endpoints() {
        let read = |changes: Value| {
            let mut metadata = json!({"issuer": "https://a.example/", "jwks_uri": "https://a.example/keys"});
            metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            endpoints(metadata.as_object().unwrap(), "https://a.example/")
        };
        assert!(read(json!({})).unwrap().keys.is_some());
        for wrong in [
            json!({"issuer": "https://a.example"}),
            json!({"issuer": "https://b.example/"}),
            json!({"issuer": null}),
            json!({"jwks_uri": "http://a.example/keys"}),
            json!({"jwks_uri": "file:///etc/passwd"}),
            json!({"jwks_uri": null}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
