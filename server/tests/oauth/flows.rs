//! What works: tokens of the certified server, of every accepted algorithm; scopes; the end user's own token.

use crate::support::keys::TestKey;
use crate::support::own::OwnIssuer;
use crate::support::real::RealIssuer;
use crate::support::service::Service;
use jsonwebtoken::Algorithm;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn client_credentials_tokens_of_a_certified_server_are_accepted() {
    let issuer = RealIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    service.create_tenant("acme").await;
    service.create_tenant("beta").await;
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"] {
        let token = issuer.token("acme", &format!("urn:jwt:{algorithm}"), "profiles:read profiles:write").await;
        assert_eq!(service.search("acme", &token).await, 200, "{algorithm}");
    }
    let acme = issuer.token("acme", "urn:jwt", "profiles:read profiles:write").await;
    let id = service.create_profile("acme", &acme, "ada").await;
    let read = service.get(&format!("/v1/tenants/acme/profiles/{id}"), &acme).await;
    assert_eq!((read.status, &read.body["created_by"]), (200, &json!("acme")));
    assert_eq!(service.search("beta", &acme).await, 404);
    let both = issuer.token("both", "urn:jwt", "profiles:read").await;
    assert_eq!((service.search("acme", &both).await, service.search("beta", &both).await), (200, 200));
    assert_eq!(service.search("default", &both).await, 404);
    let all = issuer.token("all", "urn:jwt", "profiles:read").await;
    assert_eq!(service.search("default", &all).await, 200);
}

#[tokio::test]
async fn a_developer_reads_what_is_wrong() {
    let issuer = RealIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    for (client, resource, expected) in [
        ("acme", "urn:other", "for another audience"),
        ("lost", "urn:jwt", "no tenant claim (tenant)"),
        ("acme", "urn:opaque", "not a JWT"),
    ] {
        let token = issuer.token(client, resource, "profiles:read").await;
        let answer = service.get("/v1/tenants/default/profiles", &token).await;
        assert_eq!(answer.status, 401);
        assert!(answer.detail().contains(expected), "{answer:?}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer:?}");
    }
    let token = issuer.token("all", "urn:jwt", "profiles:read").await;
    let answer = service.send(Method::POST, "/v1/tenants/default/profiles", &token, json!({"full_name": "A", "user_id": "a"})).await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("www-authenticate").contains("error=\"insufficient_scope\", scope=\"profiles:write\""), "{answer:?}");
}

#[tokio::test]
async fn an_end_users_token_reaches_that_user_and_no_other() {
    let issuer = OwnIssuer::start().await;
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url)]).await;
    let admin = issuer.token(json!({}));
    let ada = service.create_profile("default", &admin, "ada").await;
    let bob = service.create_profile("default", &admin, "bob").await;
    let own = issuer.token(json!({"sub": "ada", "scope": "openid self:read self:write"}));
    let path = |id: &str| format!("/v1/tenants/default/profiles/{id}");
    assert_eq!(service.get(&path(&ada), &own).await.status, 200);
    assert_eq!(service.get(&path(&bob), &own).await.status, 404);
    assert_eq!(service.send(Method::PATCH, &path(&ada), &own, json!({"city_id": "LON"})).await.status, 200);
    assert_eq!(service.send(Method::PATCH, &path(&bob), &own, json!({"city_id": "LON"})).await.status, 404);
    assert_eq!(service.get("/v1/tenants/default/users/ada", &own).await.status, 200);
    assert_eq!(service.get("/v1/tenants/default/users/bob", &own).await.status, 404);
    let found = service.get("/v1/tenants/default/profiles", &own).await;
    let users: Vec<_> = found.body["profiles"].as_array().into_iter().flatten().map(|profile| profile["user_id"].clone()).collect();
    assert!(users.iter().all(|user| user == "ada"), "{found:?}");
    let reader = issuer.token(json!({"sub": "ada", "scope": "self:read"}));
    assert_eq!(service.send(Method::PATCH, &path(&ada), &reader, json!({"city_id": "PAR"})).await.status, 403);
    assert_eq!(service.get(&format!("{}?include_deleted=true", path(&ada)), &own).await.status, 403);
    assert_eq!(service.get("/v1/tenants", &own).await.status, 403);
}

#[tokio::test]
async fn the_tenant_claim_can_have_another_name_and_the_media_type_its_long_form() {
    let issuer = OwnIssuer::start().await;
    let other_key = TestKey::new("rsa", Algorithm::PS256);
    issuer.publish(&[other_key.jwk(None)]);
    let claim = "https://n_users.example/tenant";
    let service = Service::start(&[("OAUTH_ISSUER", &issuer.url), ("OAUTH_AUDIENCE", "the-api"), ("OAUTH_TENANT_CLAIM", claim)]).await;
    let mut claims = json!({"aud": ["x", "the-api"], "tenant": null});
    claims[claim] = json!(["default"]);
    assert_eq!(service.search("default", &issuer.token(claims)).await, 200);
    let answer = service.get("/v1/tenants/default/profiles", &issuer.token(json!({"aud": "the-api"}))).await;
    assert!(answer.detail().contains(claim), "{answer:?}");
    let mut header = other_key.header();
    header["typ"] = json!("application/AT+JWT");
    let mut claims = issuer.claims();
    claims["aud"] = json!("the-api");
    claims[claim] = json!("*");
    assert_eq!(service.search("default", &other_key.token(&header, &claims)).await, 200);
}

#[tokio::test]
async fn with_an_issuer_local_tokens_are_neither_made_nor_taken() {
    let issuer = OwnIssuer::start().await;
    let local = Service::start(&[]).await;
    let program = || tokio::process::Command::new(env!("CARGO_BIN_EXE_n_users"));
    let folder = tempfile::tempdir().unwrap();
    let minted = program().args(["token", "--tenant", "default"]).current_dir(folder.path()).output().await.unwrap();
    let token = String::from_utf8(minted.stdout).unwrap();
    let list = format!("[{{\"issuer\":\"{}\",\"tenants\":[\"default\"]}}]", issuer.url);
    for variable in [("OAUTH_ISSUER", issuer.url.as_str()), ("OAUTH_ISSUERS", list.as_str())] {
        let service = Service::start(&[variable, ("DATA_DIR", folder.path().join("data").to_str().unwrap())]).await;
        let answer = service.get("/v1/tenants/default/profiles", token.trim()).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        let refused = program().args(["token", "--tenant", "default"]).envs([variable]).current_dir(folder.path()).output().await.unwrap();
        assert!(!refused.status.success() && refused.stdout.is_empty());
        assert!(String::from_utf8_lossy(&refused.stderr).contains(&issuer.url));
    }
    assert_eq!(local.readiness().await.1, json!(null));
}
