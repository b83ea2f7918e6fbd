//! `/v1/tenants`: administration.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::token::ALL_SCOPES;
use crate::support::{json, unique};

cases! {
    the_default_tenant_is_there_from_the_first_start,
    create_read_update_delete,
    names_have_a_form,
    a_name_is_given_once,
    updates_can_be_conditional,
    a_suspended_tenant_answers_403_until_it_is_brought_back,
    a_tenant_with_live_users_is_not_deleted,
    a_deleted_tenant_leaves_nothing,
    a_list_leads_through_all_by_name,
    a_token_for_some_tenants_administers_those_only,
    administration_needs_its_own_right,
}

async fn the_default_tenant_is_there_from_the_first_start(server: &Server) {
    let tenant = server.root().get("/v1/tenants/default").expect(200).await.json();
    assert_eq!(
        (&tenant["tenant_name"], &tenant["suspended"], &tenant["created_by"]),
        (&json!("default"), &json!(false), &json!("n_users"))
    );
}

async fn create_read_update_delete(server: &Server) {
    let root = server.root();
    let name = unique("crud");
    let answer = root.post("/v1/tenants", &json!({"tenant_name": name, "display_name": " Acme Ltd "})).expect(201).await;
    let created = answer.json();
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("location"), format!("/v1/tenants/{name}"));
    assert_eq!((&created["display_name"], &created["suspended"], &created["version"]), (&json!("Acme Ltd"), &json!(false), &json!(1)));
    assert_eq!((&created["created_by"], &created["updated_by"]), (&json!("root"), &json!("root")));
    let path = format!("/v1/tenants/{name}");
    assert_eq!(root.get(&path).expect(200).await.json(), created);
    root.get(&path).header("If-None-Match", "\"1\"").expect(304).await;
    let updated = root.patch(&path, &json!({"display_name": null})).expect(200).await.json();
    assert_eq!((&updated["display_name"], &updated["version"]), (&json!(null), &json!(2)));
    let unchanged = root.patch(&path, &json!({"suspended": false})).expect(200).await.json();
    assert_eq!(unchanged, updated);
    root.delete(&path).expect(204).await;
    root.get(&path).expect(404).await;
    root.delete(&path).expect(404).await;
    root.patch(&path, &json!({})).expect(404).await;
}

async fn names_have_a_form(server: &Server) {
    let root = server.root();
    for name in [json!(""), json!("ACME"), json!("a b"), json!("a_b"), json!("ä"), json!("a".repeat(64)), json!(7), json!(null)] {
        root.post("/v1/tenants", &json!({"tenant_name": name})).expect_faults(&["/tenant_name"]).await;
    }
    let body = json!({"display_name": "x".repeat(257), "suspended": "no", "plan": 1});
    root.post("/v1/tenants", &body).expect_faults(&["/tenant_name", "/display_name", "/suspended", "/plan"]).await;
    let tenant = server.tenant().await;
    let own = format!("/v1/tenants/{}", tenant.name);
    root.patch(&own, &json!({"tenant_name": "other", "version": 1})).expect_faults(&["/tenant_name", "/version"]).await;
    let longest = format!("{}{}", unique("n"), "x".repeat(63));
    root.post("/v1/tenants", &json!({"tenant_name": longest[..63]})).expect(201).await;
}

async fn a_name_is_given_once(server: &Server) {
    let root = server.root();
    let body = json!({"tenant_name": unique("once")});
    let answers = futures::future::join_all((0..8).map(|_| root.post("/v1/tenants", &body).send())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    let refused = root.post("/v1/tenants", &body).expect(409).await;
    assert_eq!((refused.problem().as_str(), refused.fault_places()), ("duplicate", vec!["/tenant_name".to_owned()]));
}

async fn updates_can_be_conditional(server: &Server) {
    let tenant = server.tenant().await;
    let own = format!("/v1/tenants/{}", tenant.name);
    let root = server.root();
    root.patch(&own, &json!({"display_name": "A"})).header("If-Match", "\"2\"").expect(412).await;
    root.patch(&own, &json!({"display_name": "A"})).header("If-Match", "\"1\"").expect(200).await;
    root.delete(&own).header("If-Match", "\"1\"").expect(412).await;
    root.delete(&own).header("If-Match", "\"2\"").expect(204).await;
}

async fn a_suspended_tenant_answers_403_until_it_is_brought_back(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"user_id": "u"})).await;
    let path = path_of(&profile);
    let own = format!("/v1/tenants/{}", tenant.name);
    tenant.patch(&own, &json!({"suspended": true})).expect(200).await;
    let calls = [
        tenant.get(&path),
        tenant.get("/profiles"),
        tenant.post("/profiles/search", &json!({})),
        tenant.get("/users/u"),
        tenant.get("/users/u/preferences"),
        tenant.get("/users/u/preferences/p"),
        tenant.put("/users/u/preferences/p", &json!(1)),
        tenant.patch(&path, &json!({"city_id": "X"})),
        tenant.delete(&path),
        tenant.delete(&format!("{path}?purge=true")),
        tenant.delete("/users/u"),
        tenant.delete("/users/u?purge=true"),
        tenant.post("/profiles", &json!({"full_name": "A", "user_id": "new"})),
        tenant.delete("/users/u/preferences/p"),
    ];
    for call in calls {
        assert_eq!(call.expect(403).await.problem(), "tenant-suspended");
    }
    assert_eq!(tenant.get(&own).expect(200).await.json()["suspended"], true);
    tenant.patch(&own, &json!({"suspended": false})).expect(200).await;
    assert_eq!(tenant.get(&path).expect(200).await.json(), profile);
    tenant.get("/users/new").expect(404).await;
}

async fn a_tenant_with_live_users_is_not_deleted(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let own = format!("/v1/tenants/{}", tenant.name);
    assert_eq!(tenant.delete(&own).expect(409).await.problem(), "tenant-in-use");
    tenant.get(&path).expect(200).await;
    tenant.delete(&path).expect(204).await;
    tenant.delete(&own).expect(204).await;
}

async fn a_deleted_tenant_leaves_nothing(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"user_id": "u", "email_id": "a@example.com"})).await;
    tenant.put("/users/u/preferences/p", &json!(1)).key("one").expect(201).await;
    tenant.delete("/users/u").expect(204).await;
    let own = format!("/v1/tenants/{}", tenant.name);
    tenant.delete(&own).expect(204).await;
    tenant.get("/profiles").expect(404).await;
    server.root().post("/v1/tenants", &json!({"tenant_name": tenant.name})).expect(201).await;
    assert!(tenant.names("include_deleted=true").await.is_empty());
    tenant.get(&format!("{}?include_deleted=true", path_of(&profile))).expect(404).await;
    tenant.profile(json!({"user_id": "u", "email_id": "a@example.com"})).await;
    assert_eq!(tenant.get("/users/u/preferences").expect(200).await.json(), json!({}));
    // The key is free again too: what it had answered is of another life.
    tenant.put("/users/u/preferences/p", &json!(2)).key("one").expect(201).await;
}

async fn a_list_leads_through_all_by_name(server: &Server) {
    let names: Vec<String> = (0..7).map(|n| unique(&format!("list-{n}"))).collect();
    for name in names.iter().rev() {
        server.root().post("/v1/tenants", &json!({"tenant_name": name})).expect(201).await;
    }
    let client = server.client(names.clone(), "tenants:admin", "admin");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/tenants?limit=3{cursor}")).expect(200).await.json();
        let tenants = page["tenants"].as_array().unwrap();
        assert!(tenants.len() <= 3);
        found.extend(tenants.iter().map(|tenant| tenant["tenant_name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, names);
    let all = server.root().get("/v1/tenants?limit=200").expect(200).await.json();
    assert!(all["tenants"].as_array().unwrap().len() > 7);
}

async fn a_token_for_some_tenants_administers_those_only(server: &Server) {
    let (one, two) = (server.tenant().await, server.tenant().await);
    let unborn = unique("unborn");
    let client = server.client(vec![one.name.clone(), unborn.clone()], ALL_SCOPES, "some");
    let listed = client.get("/v1/tenants").expect(200).await.json();
    let names: Vec<_> = listed["tenants"].as_array().unwrap().iter().map(|tenant| tenant["tenant_name"].clone()).collect();
    assert_eq!(names, [json!(one.name)]);
    let other = format!("/v1/tenants/{}", two.name);
    client.get(&other).expect(404).await;
    client.patch(&other, &json!({"suspended": true})).expect(404).await;
    client.delete(&other).expect(404).await;
    client.post("/v1/tenants", &json!({"tenant_name": unique("strange")})).expect(403).await;
    // Nor is it told whether there is one of this name.
    client.post("/v1/tenants", &json!({"tenant_name": two.name})).expect(403).await;
    client.post("/v1/tenants", &json!({"tenant_name": unborn})).expect(201).await;
    assert_eq!(server.root().get(&other).expect(200).await.json()["version"], 1);
}

async fn administration_needs_its_own_right(server: &Server) {
    let tenant = server.tenant().await;
    let client = tenant.client("profiles:read profiles:write profiles:admin", "plain");
    let own = format!("/v1/tenants/{}", tenant.name);
    for call in [
        client.get("/v1/tenants"),
        client.get(&own),
        client.patch(&own, &json!({})),
        client.delete(&own),
        client.post("/v1/tenants", &json!({"tenant_name": "x"})),
    ] {
        assert!(call.expect(403).await.header("www-authenticate").contains("scope=\"tenants:admin\""));
    }
    tenant.client("tenants:admin", "administrator").get("/profiles").expect(403).await;
}
