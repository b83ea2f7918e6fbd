//! Every route of the OpenAPI document with every kind of token that must not do: 401, 401, 401, 403, 404, and nothing
//! written.

use crate::support::keys::now;
use crate::support::own::{ALL_SCOPES, OwnIssuer};
use crate::support::service::{Answer, Service};
use reqwest::Method;
use serde_json::{Value, json};

/// A route with its path filled in.
struct Route {
    method: Method,
    path: String,
    names_a_tenant: bool,
}

/// What the document lists, but for what needs no token.
async fn routes(service: &Service, profile_id: &str) -> Vec<Route> {
    let document = Answer::read(service.request(Method::GET, "/openapi.json", None).send().await.unwrap()).await.body;
    let mut routes = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"].as_array().is_some_and(|needed| needed.iter().all(|one| one == &json!({}))) {
                continue;
            }
            let path = template
                .replace("{tenant_name}", "default")
                .replace("{profile_id}", profile_id)
                .replace("{user_id}", "ada")
                .replace("{preference_key}", "theme");
            assert!(!path.contains('{'), "the test does not know a parameter of {template}");
            let names_a_tenant = template.contains("{tenant_name}");
            routes.push(Route { method: method.to_uppercase().parse().unwrap(), path, names_a_tenant });
        }
    }
    routes
}

impl Route {
    /// A request that would be carried out, were it allowed.
    async fn call(&self, service: &Service, token: Option<&str>) -> Answer {
        let body = match (self.method.as_str(), self.path.as_str()) {
            ("POST", "/v1/tenants") => json!({"tenant_name": "intruder"}),
            ("PATCH", "/v1/tenants/default") => json!({"display_name": "intruder"}),
            ("POST", path) if path.ends_with("/search") => json!({}),
            ("PUT", _) => json!("intruder"),
            _ => json!({"full_name": "intruder", "user_id": "intruder"}),
        };
        let request = service.request(self.method.clone(), &self.path, token);
        let request = if self.method == Method::GET || self.method == Method::DELETE { request } else { request.json(&body) };
        Answer::read(request.send().await.unwrap()).await
    }
}

/// All that could have been written.
async fn contents(service: &Service, admin: &str) -> Vec<Value> {
    let mut contents = Vec::new();
    for path in ["/v1/tenants", "/v1/tenants/default/profiles?include_deleted=true", "/v1/tenants/default/users/ada"] {
        let answer = service.get(path, admin).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        contents.push(answer.body);
    }
    contents
}

#[tokio::test]
async fn no_route_does_anything_for_a_token_that_must_not() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    let admin = issuer.token(json!({"tenant": "*"}));
    let profile_id = service.create_profile("default", &admin, "ada").await;
    let theme = service.send(Method::PUT, "/v1/tenants/default/users/ada/preferences/theme", &admin, json!("dark")).await;
    assert_eq!(theme.status, 201);
    let before = contents(&service, &admin).await;

    let routes = routes(&service, &profile_id).await;
    assert!(routes.len() >= 18, "{} routes", routes.len());
    let expired = issuer.token(json!({"exp": now() - 60}));
    let elsewhere = issuer.token(json!({"aud": "another-api"}));
    let powerless = issuer.token(json!({"scope": "openid profile"}));
    let stranger = issuer.token(json!({"tenant": "beta", "scope": ALL_SCOPES}));
    for route in &routes {
        let expect = async |token: Option<&str>, status: u16, detail: &str| {
            let answer = route.call(&service, token).await;
            assert_eq!(answer.status, status, "{} {}: {answer:?}", route.method, route.path);
            assert!(answer.detail().contains(detail), "{} {}: {answer:?}", route.method, route.path);
            let has_challenge = answer.header("www-authenticate").starts_with("Bearer realm=\"n_users\"");
            assert_eq!(has_challenge, status != 404, "{} {}: {answer:?}", route.method, route.path);
        };
        expect(None, 401, "Send an access token").await;
        expect(Some(&expired), 401, "expired").await;
        expect(Some(&elsewhere), 401, "audience").await;
        expect(Some(&powerless), 403, "scope").await;
        if route.names_a_tenant {
            expect(Some(&stranger), 404, "no such").await;
        }
    }
    // The two routes without a tenant keep to the token's own.
    let listed = service.get("/v1/tenants", &stranger).await;
    assert_eq!((listed.status, &listed.body["tenants"]), (200, &json!([])));
    let created = service.send(Method::POST, "/v1/tenants", &stranger, json!({"tenant_name": "gamma"})).await;
    assert!([403, 404].contains(&created.status), "{created:?}");

    assert_eq!(contents(&service, &admin).await, before, "something was written");
}

#[tokio::test]
async fn a_token_is_taken_from_one_authorization_header_and_from_nowhere_else() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    let token = issuer.token(json!({}));
    let path = "/v1/tenants/default/profiles";
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let plain = |path: &str| service.request(Method::GET, path, None);
    assert_eq!(status(plain(path).header("authorization", format!("bEARER {token}"))).await, 200);
    assert_eq!(status(plain(&format!("{path}?access_token={token}"))).await, 401);
    assert_eq!(status(plain(path).header("authorization", format!("Basic {token}"))).await, 401);
    assert_eq!(status(plain(path).header("authorization", token.clone())).await, 401);
    assert_eq!(status(plain(path).header("authorization", "Bearer ")).await, 401);
    let twice = plain(path).header("authorization", format!("Bearer {token}")).header("authorization", format!("Bearer {token}"));
    assert_eq!(status(twice).await, 401);
}
