//! Query parameters, and the members of a search in a body, that are wrong.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{Value, encoded, json};
use reqwest::Method;

cases! {
    each_wrong_parameter_of_a_search_is_named,
    each_wrong_member_of_a_search_in_a_body_is_named,
    all_wrong_parameters_are_told_at_once,
    unknown_parameters_are_refused_on_every_route,
    a_parameter_given_twice_is_named,
    wrong_parameters_of_a_list_of_tenants_are_named,
    the_limits_of_a_search_are_valid,
}

/// A parameter of a search, and a value that it cannot have.
fn wrong_values() -> Vec<(&'static str, Value)> {
    let mut rows: Vec<(&'static str, Value)> = Vec::new();
    rows.extend([-1, 0, 201, i64::MAX, i64::MIN].map(|limit| ("limit", json!(limit))));
    rows.extend([-1, 10_001, i64::MAX].map(|offset| ("offset", json!(offset))));
    rows.extend(["", "name", "-", "--full_name", "full_name desc", "attributes.plan", "FULL_NAME"].map(|sort| ("sort_by", json!(sort))));
    rows.extend(["", "x", "AAAA", "null", "ümläut", "\u{0}"].map(|cursor| ("cursor", json!(cursor))));
    rows.extend(
        [json!("x".repeat(257)), json!("a\u{0}b"), json!("a\u{1b}b"), json!("a b c d e f g h i j k l m n o p q")]
            .map(|query| ("query", query)),
    );
    let filters = [
        String::new(),
        "city_id".to_owned(),
        "city_id eq 'LON'".to_owned(),
        "city_id == \"LON\"".to_owned(),
        "nothing eq 1".to_owned(),
        "birth_date gt \"soon\"".to_owned(),
        "profile_id eq \"7\"".to_owned(),
        "created_at gt \"yesterday\"".to_owned(),
        "latitude eq \"1\"".to_owned(),
        "city_id eq \"a\\u0000b\" or (".to_owned(),
        format!("{}city_id pr{}", "(".repeat(17), ")".repeat(17)),
        vec!["city_id pr"; 65].join(" or "),
        format!("city_id eq \"{}\"", "x".repeat(4096)),
    ];
    rows.extend(filters.map(|filter| ("filter", json!(filter))));
    rows
}

async fn each_wrong_parameter_of_a_search_is_named(server: &Server) {
    let tenant = server.tenant().await;
    for (name, value) in wrong_values() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        tenant.get(&format!("/profiles?{name}={}", encoded(&text))).expect_faults(&[name]).await;
    }
    for (name, text) in [("limit", "ten"), ("limit", "1.5"), ("limit", ""), ("offset", "99999999999999999999"), ("include_deleted", "1")] {
        tenant.get(&format!("/profiles?{name}={text}")).expect_faults(&[name]).await;
    }
}

async fn each_wrong_member_of_a_search_in_a_body_is_named(server: &Server) {
    let tenant = server.tenant().await;
    let types = [
        ("limit", json!("10")),
        ("limit", json!(1.5)),
        ("limit", json!(1e30)),
        ("offset", json!([])),
        ("include_deleted", json!("true")),
        ("query", json!(7)),
        ("filter", json!({})),
        ("sort_by", json!(["full_name"])),
        ("cursor", json!(1)),
        ("words", json!("x")),
    ];
    for (name, value) in wrong_values().into_iter().chain(types) {
        tenant.post("/profiles/search", &json!({name: value})).expect_faults(&[&format!("/{name}")]).await;
    }
    tenant.post("/profiles/search?limit=5", &json!({})).expect_faults(&["limit"]).await;
}

async fn all_wrong_parameters_are_told_at_once(server: &Server) {
    let tenant = server.tenant().await;
    let query = "limit=0&offset=-1&sort_by=x&filter=x&cursor=x&query=%00&include_deleted=maybe&page=2";
    let names = ["limit", "offset", "sort_by", "filter", "cursor", "query", "include_deleted", "page"];
    let answer = tenant.get(&format!("/profiles?{query}")).expect(422).await;
    for name in names {
        assert!(answer.fault_places().iter().any(|place| place == name), "{name}: {answer:?}");
    }
}

async fn unknown_parameters_are_refused_on_every_route(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"user_id": "u"})).await;
    let path = path_of(&profile);
    let own = format!("/v1/tenants/{}", tenant.name);
    let routes = [
        (Method::GET, "/profiles".to_owned()),
        (Method::POST, "/profiles".to_owned()),
        (Method::POST, "/profiles/search".to_owned()),
        (Method::GET, path.clone()),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/restore")),
        (Method::GET, "/users/u".to_owned()),
        (Method::DELETE, "/users/u".to_owned()),
        (Method::GET, "/users/u/preferences".to_owned()),
        (Method::GET, "/users/u/preferences/p".to_owned()),
        (Method::PUT, "/users/u/preferences/p".to_owned()),
        (Method::DELETE, "/users/u/preferences/p".to_owned()),
        (Method::GET, "/v1/tenants".to_owned()),
        (Method::POST, "/v1/tenants".to_owned()),
        (Method::GET, own.clone()),
        (Method::PATCH, own.clone()),
        (Method::DELETE, own),
    ];
    for (method, route) in routes {
        tenant.call(method, &format!("{route}?Purge=true")).json(&json!({})).expect_faults(&["Purge"]).await;
    }
    assert_eq!(tenant.get(&path).expect(200).await.json(), profile);
}

async fn a_parameter_given_twice_is_named(server: &Server) {
    let tenant = server.tenant().await;
    tenant.get("/profiles?limit=1&limit=2").expect_faults(&["limit"]).await;
    tenant.get("/profiles?query=a&query=b").expect_faults(&["query"]).await;
    let path = path_of(&tenant.profile(json!({})).await);
    tenant.delete(&format!("{path}?purge=false&purge=true")).expect_faults(&["purge"]).await;
    tenant.get(&path).expect(200).await;
}

async fn wrong_parameters_of_a_list_of_tenants_are_named(server: &Server) {
    for (name, value) in [("limit", "0"), ("limit", "201"), ("limit", "x"), ("cursor", "x"), ("cursor", ""), ("offset", "1")] {
        server.root().get(&format!("/v1/tenants?{name}={value}")).expect_faults(&[name]).await;
    }
    let tenant = server.tenant().await;
    tenant.profile(json!({})).await;
    tenant.profile(json!({})).await;
    let of_profiles = tenant.get("/profiles?limit=1").expect(200).await.json()["next_cursor"].as_str().unwrap().to_owned();
    server.root().get(&format!("/v1/tenants?cursor={of_profiles}")).expect_faults(&["cursor"]).await;
}

async fn the_limits_of_a_search_are_valid(server: &Server) {
    let tenant = server.tenant().await;
    let query = "x".repeat(256);
    let filter = encoded(&format!("{}city_id pr{}", "(".repeat(16), ")".repeat(16)));
    for parameters in [
        "limit=1",
        "limit=200",
        "offset=0",
        "offset=10000",
        "query=",
        "query=%20%20",
        &format!("query={query}"),
        &format!("filter={filter}"),
    ] {
        tenant.get(&format!("/profiles?{parameters}")).expect(200).await;
    }
    tenant.post("/profiles/search", &json!({"query": null, "filter": null, "limit": null, "cursor": null})).expect(200).await;
}
