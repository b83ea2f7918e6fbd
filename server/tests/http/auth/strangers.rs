//! Those who have no token, none that is good, or one for another tenant.

use super::routes::{Somebody, all};
use crate::harness::{Server, cases};
use crate::support::token::{ALL_SCOPES, claims, now_seconds, sign};
use crate::support::{Client, Value, json};

cases! {
    the_routes_work_for_those_who_may,
    without_a_token_nothing_is_answered,
    a_token_that_is_no_good_is_no_token,
    a_token_without_the_scope_is_told_which,
    a_token_of_another_tenant_reaches_nothing,
    a_suspended_tenant_is_closed_on_every_route,
}

/// Everything that a tenant holds, as its own administrator sees it.
async fn export(client: &Client, tenant: &str) -> Value {
    let profiles = client.get("/profiles?include_deleted=true&limit=200&sort_by=created_at").expect(200).await.json();
    let mut users = Vec::new();
    for profile in profiles["profiles"].as_array().unwrap() {
        let path = format!("/users/{}", profile["user_id"].as_str().unwrap());
        users.push(client.get(&path).send().await.json());
    }
    let tenant = client.get(&format!("/v1/tenants/{tenant}")).expect(200).await.json();
    json!({"tenant": tenant, "profiles": profiles, "users": users})
}

/// Without this, a request that is refused for a fault of its own would pass for one that is refused for its token.
async fn the_routes_work_for_those_who_may(server: &Server) {
    for route in all(server).await {
        let tenant = server.tenant().await;
        let somebody = Somebody::create(&tenant, &tenant.name, "somebody").await;
        // The example's name may be taken by another run of this very test.
        let root = server.client("*", ALL_SCOPES, "root").in_tenant(&tenant.name);
        let answer = route.call(&root, &somebody).send().await;
        let in_use = route.administers_tenants() && answer.status == 409;
        assert!(answer.status < 300 || in_use, "{route:?}: {answer:?}");
        assert!(route.describes(answer.status), "{route:?} does not describe {}", answer.status);
    }
}

async fn without_a_token_nothing_is_answered(server: &Server) {
    let tenant = server.tenant().await;
    let somebody = Somebody::create(&tenant, &tenant.name, "somebody").await;
    let before = export(&tenant, &tenant.name).await;
    for route in all(server).await {
        let answer = route.call(server.anonymous(), &somebody).expect(401).await;
        assert_eq!(answer.problem(), "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"n_users\"", "{route:?}");
    }
    assert_eq!(export(&tenant, &tenant.name).await, before);
}

async fn a_token_that_is_no_good_is_no_token(server: &Server) {
    let tenant = server.tenant().await;
    let somebody = Somebody::create(&tenant, &tenant.name, "somebody").await;
    let before = export(&tenant, &tenant.name).await;
    let mut old = claims(tenant.name.as_str(), ALL_SCOPES, "me");
    old["exp"] = json!(now_seconds() - 60);
    let no_good = ["rubbish".to_owned(), sign(&server.data_dir, &old)].map(|token| server.anonymous().with_token(&token));
    for route in all(server).await {
        for client in &no_good {
            let answer = route.call(client, &somebody).expect(401).await;
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{route:?}: {answer:?}");
        }
    }
    assert_eq!(export(&tenant, &tenant.name).await, before);
}

async fn a_token_without_the_scope_is_told_which(server: &Server) {
    let tenant = server.tenant().await;
    let somebody = Somebody::create(&tenant, &tenant.name, "somebody").await;
    let before = export(&tenant, &tenant.name).await;
    // To read is not to write, and to administer the one is not to administer the other.
    let (none, reader) = (tenant.client("openid email", "none"), tenant.client("profiles:read tenants:read", "reader"));
    let (writer, administrator) =
        (tenant.client("profiles:write profiles:admin", "writer"), tenant.client("tenants:admin", "administrator"));
    for route in all(server).await {
        let mut refused = vec![&none];
        if route.administers_tenants() {
            refused.extend([&reader, &writer]);
        } else {
            refused.push(&administrator);
            refused.push(if route.writes() { &reader } else { &writer });
        }
        for client in refused {
            let answer = route.call(client, &somebody).expect(403).await;
            assert_eq!(answer.problem(), "insufficient-scope", "{route:?}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\""), "{route:?}: {challenge}");
        }
    }
    assert_eq!(export(&tenant, &tenant.name).await, before);
}

async fn a_token_of_another_tenant_reaches_nothing(server: &Server) {
    let (own, other) = (server.tenant().await, server.tenant().await);
    Somebody::create(&own, &own.name, "somebody").await;
    let somebody = Somebody::create(&other, &other.name, "somebody").await;
    let before = export(&other, &other.name).await;
    let mut covered = 0;
    for route in all(server).await {
        let answer = route.call(&own, &somebody).send().await;
        if route.names_tenant() {
            assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{route:?}: {answer:?}");
            covered += 1;
        }
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        for secret in [&other.name, &somebody.profile_id, "somebody@example.com"] {
            assert!(!told.contains(secret), "{route:?} tells of {secret}: {told}");
        }
    }
    assert!(covered >= 16);
    // Its own name in the path does not help with the ids of others.
    let smuggled = Somebody { tenant: own.name.clone(), user_id: "nobody".to_owned(), ..somebody };
    for route in all(server).await.iter().filter(|route| route.names_user()) {
        assert_eq!(route.call(&own, &smuggled).send().await.status, 404, "{route:?}");
    }
    assert_eq!(export(&other, &other.name).await, before);
}

async fn a_suspended_tenant_is_closed_on_every_route(server: &Server) {
    let tenant = server.tenant().await;
    let somebody = Somebody::create(&tenant, &tenant.name, "somebody").await;
    let before = export(&tenant, &tenant.name).await;
    let path = format!("/v1/tenants/{}", tenant.name);
    tenant.patch(&path, &json!({"suspended": true})).expect(200).await;
    for route in all(server).await.iter().filter(|route| !route.administers_tenants()) {
        let answer = route.call(&tenant, &somebody).expect(403).await;
        assert_eq!(answer.problem(), "tenant-suspended", "{route:?}");
    }
    tenant.patch(&path, &json!({"suspended": false})).expect(200).await;
    let after = export(&tenant, &tenant.name).await;
    assert_eq!((&after["profiles"], &after["users"]), (&before["profiles"], &before["users"]));
}
