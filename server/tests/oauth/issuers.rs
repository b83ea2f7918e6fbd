//! Several issuers, each within what it may speak for; and what a client that has no token is told.

use crate::support::own::OwnIssuer;
use crate::support::service::{Answer, Service};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_customers_own_issuer_reaches_its_own_tenant_only() {
    let (ours, customers, keyless) = (OwnIssuer::start().await, OwnIssuer::start().await, OwnIssuer::start().await);
    let list = json!([
        {"issuer": customers.url, "audience": "acme-users", "tenants": ["acme", "apex"], "tenant": "acme"},
        {"issuer": keyless.url, "tenants": ["default"]},
    ])
    .to_string();
    keyless.publish_only(&[]);
    let service = Service::start(&[("OAUTH_ISSUER", &ours.url), ("OAUTH_ISSUERS", &list)]).await;
    for tenant in ["acme", "apex", "beta"] {
        service.create_tenant(tenant).await;
    }
    let of = |tenant: serde_json::Value| customers.token(json!({"aud": "acme-users", "tenant": tenant}));
    let reach = async |token: &str| {
        let mut statuses = Vec::new();
        for tenant in ["acme", "apex", "beta", "default"] {
            statuses.push(service.search(tenant, token).await);
        }
        statuses
    };
    assert_eq!(reach(&of(json!("acme"))).await, [200, 404, 404, 404]);
    assert_eq!(reach(&of(json!("*"))).await, [200, 200, 404, 404], "all means all of its own");
    assert_eq!(reach(&of(json!(["apex", "beta"]))).await, [404, 200, 404, 404]);
    assert_eq!(reach(&of(json!(null))).await, [200, 404, 404, 404], "the fixed tenant");
    assert_eq!(reach(&of(json!("beta"))).await, [401, 401, 401, 401]);
    assert_eq!(reach(&customers.token(json!({"tenant": "acme"}))).await, [401; 4], "the audience of our issuer");
    assert_eq!(reach(&ours.token(json!({"tenant": "*"}))).await, [200; 4]);
    assert_eq!(reach(&ours.token(json!({"tenant": "*", "iss": customers.url}))).await, [401; 4], "signed by another's key");

    // It gives itself any scope that it likes; administering tenants is not its to give.
    let suspend = service.send(Method::PATCH, "/v1/tenants/acme", &of(json!("acme")), json!({"suspended": true})).await;
    assert_eq!(suspend.status, 403, "{suspend:?}");
    assert_eq!(service.get("/v1/tenants", &of(json!("*"))).await.status, 403);
}

#[tokio::test]
async fn issuers_may_stand_in_the_configuration_file_as_tables() {
    let issuer = OwnIssuer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    std::fs::write(&file, format!("[[oauth_issuers]]\nissuer = \"{}\"\ntenants = [\"default\"]\n", issuer.url)).unwrap();
    let service = Service::start(&[("N_USERS_CONFIG", file.to_str().unwrap())]).await;
    assert_eq!(service.search("default", &issuer.token(json!({}))).await, 200);
}

#[tokio::test]
async fn readiness_does_not_depend_on_a_customers_issuer() {
    let ours = OwnIssuer::start().await;
    let list = json!([{"issuer": "http://127.0.0.1:9", "tenants": ["acme"]}]).to_string();
    let service = Service::start(&[("OAUTH_ISSUER", &ours.url), ("OAUTH_ISSUERS", &list)]).await;
    assert_eq!(service.search("default", &ours.token(json!({}))).await, 200);
    assert_eq!(service.readiness().await, (200, json!("up")));
}

#[tokio::test]
async fn a_client_without_a_token_learns_whose_is_needed() {
    let (ours, customers) = (OwnIssuer::start().await, OwnIssuer::start().await);
    let list = json!([{"issuer": customers.url, "tenants": ["acme"]}]).to_string();
    let service = Service::start(&[("OAUTH_ISSUER", &ours.url), ("OAUTH_ISSUERS", &list)]).await;
    let get = async |path: &str| Answer::read(service.request(Method::GET, path, None).send().await.unwrap()).await;
    let refused = get("/v1/tenants/default/profiles").await;
    let challenge = refused.header("www-authenticate").to_owned();
    let metadata_url = format!("{}/.well-known/oauth-protected-resource", service.url);
    assert_eq!((refused.status, challenge), (401, format!("Bearer realm=\"n_users\", resource_metadata=\"{metadata_url}\"")));
    let metadata = get("/.well-known/oauth-protected-resource").await;
    assert_eq!(metadata.status, 200);
    assert_eq!(metadata.body["resource"], json!(service.url));
    assert_eq!(metadata.body["authorization_servers"], json!([ours.url]), "customers are nobody's business");
    assert_eq!(metadata.body["bearer_methods_supported"], json!(["header"]));
    assert!(metadata.body["scopes_supported"].as_array().unwrap().contains(&json!("self:read")));

    let behind_proxy = Service::start(&[("OAUTH_ISSUER", &ours.url), ("PUBLIC_URL", "https://u.example/")]).await;
    let answer = Answer::read(behind_proxy.request(Method::GET, "/v1/tenants", None).send().await.unwrap()).await;
    assert!(answer.header("www-authenticate").contains("\"https://u.example/.well-known/oauth-protected-resource\""), "{answer:?}");
}

#[tokio::test]
async fn wrong_settings_are_told_at_start_and_no_secret_with_them() {
    for (variables, expected) in [
        (vec![("OAUTH_ISSUER", "http://id.example")], "OAUTH_ISSUER must begin with https://"),
        (
            vec![("OAUTH_ISSUERS", "[{\"issuer\":\"https://a.example\",\"introspection_client_secret\":\"hush\"}]")],
            "introspection_client_id",
        ),
        (vec![("OAUTH_ISSUER", "https://a.example"), ("OAUTH_ISSUERS", "[{\"issuer\":\"https://a.example\"}]")], "twice"),
        (vec![("OAUTH_ISSUER", "https://a.example"), ("OAUTH_INTROSPECTION_CLIENT_SECRET", "hush")], "OAUTH_INTROSPECTION_CLIENT_ID"),
        (vec![("OAUTH_ISSUER", "https://a.example"), ("PUBLIC_URL", "u.example")], "PUBLIC_URL"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_n_users"));
        let output = program.args(["serve", "--listen", "127.0.0.1:0"]).envs(variables).current_dir(folder.path()).output().await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(expected) && !told.contains("hush"), "{expected}: {told}");
    }
}
