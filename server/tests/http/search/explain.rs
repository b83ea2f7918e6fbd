//! How a search was answered, for whoever asks why it took its time.

use crate::harness::{Server, cases};
use crate::support::{Value, json};

cases! {
    each_step_of_a_search_is_told_to_admins,
    only_admins_are_told,
}

async fn each_step_of_a_search_is_told_to_admins(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"full_name": "Anna Kowalski"})).await;
    let asked = tenant.get("/profiles?query=anna&explain=true").expect(200).await.json();
    let by_body = tenant.post("/profiles/search", &json!({"query": "anna", "explain": true})).expect(200).await.json();
    assert_eq!(asked["profiles"], by_body["profiles"]);
    for answer in [asked, by_body] {
        let steps = answer["explain"].as_array().unwrap();
        assert!(!steps.is_empty(), "{answer}");
        for step in steps {
            let told = step["step"].is_string() && step["expected"].is_u64() && step["read"].is_i64();
            assert!(told, "{step}");
        }
    }
    let plain = tenant.get("/profiles?query=anna").expect(200).await.json();
    assert_eq!(plain.get("explain"), None::<&Value>);
}

async fn only_admins_are_told(server: &Server) {
    let tenant = server.tenant().await;
    let reader = tenant.client("profiles:read", "reader");
    assert_eq!(reader.get("/profiles?query=anna&explain=true").expect(403).await.problem(), "insufficient-scope");
    reader.post("/profiles/search", &json!({"explain": true})).expect(403).await;
}
