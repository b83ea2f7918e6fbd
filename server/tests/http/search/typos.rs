//! What a query may have meant that finds nobody.

use crate::harness::{Server, Tenant, cases};
use crate::support::client::path_of;
use crate::support::{Value, encoded, json};

cases! {
    a_typo_is_answered_with_words_of_this_tenant,
    a_body_is_answered_with_the_same,
    where_somebody_is_found_there_is_no_suggestion,
    only_words_that_find_nobody_are_corrected,
    a_filter_need_not_hold,
    words_of_deleted_profiles_are_for_those_who_may_see_them,
    an_own_token_is_told_nothing_of_others,
    only_the_first_page_suggests,
}

async fn page(tenant: &Tenant<'_>, search: &str) -> Value {
    tenant.get(&format!("/profiles?{search}")).expect(200).await.json()
}

/// What is suggested for a query; `null` where the member is absent.
async fn suggested(tenant: &Tenant<'_>, query: &str) -> Value {
    page(tenant, &format!("query={}", encoded(query))).await["did_you_mean"].clone()
}

async fn a_typo_is_answered_with_words_of_this_tenant(server: &Server) {
    let (tenant, other) = (server.tenant().await, server.tenant().await);
    for name in ["Anna Kowalski", "Łukasz Müller", "Иван Петров", "张伟明"] {
        tenant.profile(json!({"full_name": name})).await;
    }
    other.profile(json!({"full_name": "Kowalewski Sandoval"})).await;
    let rows = [
        ("kowlski", json!(["kowalski"])),
        ("KOWALKSI", json!(["kowalski"])),
        ("kowlsk", json!(["kowalski"])),
        ("koawlsik", json!(["kowalski"])),
        ("lukasz", json!(["łukasz"])),
        ("mullre", json!(["muller"])),
        ("птеров", json!(["петров"])),
        ("xqzwv", Value::Null),
        ("sandovla", Value::Null),
        ("张明", Value::Null),
        ("kowlsk%", json!(["kowalski"])),
        ("%", Value::Null),
    ];
    for (query, suggestions) in rows {
        assert_eq!(suggested(&tenant, query).await, suggestions, "{query}");
    }
    assert_eq!(suggested(&other, "sandovla").await, json!(["sandoval"]));
}

async fn a_body_is_answered_with_the_same(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"full_name": "Anna Kowalski"})).await;
    let answer = tenant.post("/profiles/search", &json!({"query": "kowlski"})).expect(200).await.json();
    assert_eq!(answer["did_you_mean"], json!(["kowalski"]));
    assert_eq!(answer["profiles"], json!([]));
    assert_eq!(answer["total"], json!({"value": 0, "relation": "eq"}));
}

async fn where_somebody_is_found_there_is_no_suggestion(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["Anna Kowalski", "Anna Kowlski"] {
        tenant.profile(json!({"full_name": name})).await;
    }
    for search in ["query=kowlski", "query=kow", "", "filter=city_id%20eq%20%22X%22"] {
        assert!(page(&tenant, search).await.get("did_you_mean").is_none(), "{search}");
    }
}

async fn only_words_that_find_nobody_are_corrected(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["Anna Kowalski", "Jan Nowak", "Marie-Claire Dupont"] {
        tenant.profile(json!({"full_name": name})).await;
    }
    let rows = [
        ("anna kowlski", json!(["kowalski"])),
        ("kowlski anna", json!(["kowalski"])),
        // Together they find nobody, but each by itself does.
        ("anna nowak", Value::Null),
        ("nowka kowlski", json!(["nowak", "kowalski"])),
        ("kowlski nowka", json!(["kowalski", "nowak"])),
        ("marie-calire", json!(["claire"])),
        ("anna 98765", Value::Null),
    ];
    for (query, suggestions) in rows {
        assert_eq!(suggested(&tenant, query).await, suggestions, "{query}");
    }
}

async fn a_filter_need_not_hold(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"full_name": "Anna Kowalski", "city_id": "LON"})).await;
    let elsewhere = "filter=city_id%20eq%20%22PAR%22";
    assert_eq!(page(&tenant, &format!("query=kowlski&{elsewhere}")).await["did_you_mean"], json!(["kowalski"]));
    assert_eq!(page(&tenant, &format!("query=kowalski&{elsewhere}")).await["did_you_mean"], Value::Null);
}

async fn words_of_deleted_profiles_are_for_those_who_may_see_them(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"full_name": "Anna Kowalski"})).await);
    tenant.delete(&path).expect(204).await;
    assert_eq!(suggested(&tenant, "kowlski").await, Value::Null);
    assert_eq!(page(&tenant, "query=kowlski&include_deleted=true").await["did_you_mean"], json!(["kowalski"]));
}

async fn an_own_token_is_told_nothing_of_others(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"full_name": "Anna Kowalski", "user_id": "other"})).await;
    let own = tenant.client("self:read", "me");
    let answer = own.get("/profiles?query=kowlski").expect(200).await.json();
    assert_eq!((&answer["total"]["value"], answer.get("did_you_mean")), (&json!(0), None));
}

async fn only_the_first_page_suggests(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"full_name": "Anna Kowalski"})).await;
    assert_eq!(page(&tenant, "query=kowlski&offset=1").await["did_you_mean"], Value::Null);
    assert_eq!(page(&tenant, "query=kowlski&offset=0").await["did_you_mean"], json!(["kowalski"]));
}
