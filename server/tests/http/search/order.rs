//! The order of a page: strict, in both directions, by every field that can be asked for.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;

cases! {
    newest_first_where_nothing_is_asked,
    every_sort_field_orders_in_both_directions,
    what_has_no_value_stands_last_and_descending_first,
    names_are_ordered_without_case_and_accents,
    ties_are_broken_by_the_id,
}

async fn newest_first_where_nothing_is_asked(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["A", "B", "C"] {
        tenant.profile(json!({"full_name": name})).await;
    }
    assert_eq!(tenant.names("").await, ["C", "B", "A"]);
}

async fn every_sort_field_orders_in_both_directions(server: &Server) {
    let tenant = server.tenant().await;
    let people = [
        json!({"full_name": "C", "user_id": "a", "email_id": "b@example.com", "birth_date": "1990-01-02", "city_id": "Z", "country_id": "DE"}),
        json!({"full_name": "A", "user_id": "c", "email_id": "a@example.com", "birth_date": "1990-01-03", "city_id": "X", "country_id": "FR"}),
        json!({"full_name": "B", "user_id": "b", "email_id": "c@example.com", "birth_date": "1990-01-01", "city_id": "Y", "country_id": "AT"}),
    ];
    let mut paths = Vec::new();
    for person in people {
        paths.push(path_of(&tenant.profile(person).await));
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    // Updated last is created first.
    tenant.patch(&paths[0], &json!({"gender": "x"})).expect(200).await;
    let rows = [
        ("full_name", "ABC"),
        ("created_at", "CAB"),
        ("updated_at", "ABC"),
        ("birth_date", "BCA"),
        ("city_id", "ABC"),
        ("country_id", "BCA"),
        ("email_id", "ACB"),
        ("user_id", "CBA"),
    ];
    for (field, order) in rows {
        assert_eq!(tenant.names(&format!("sort_by={field}")).await.concat(), order, "{field}");
        let reversed: String = order.chars().rev().collect();
        assert_eq!(tenant.names(&format!("sort_by=-{field}")).await.concat(), reversed, "-{field}");
    }
}

async fn what_has_no_value_stands_last_and_descending_first(server: &Server) {
    let tenant = server.tenant().await;
    for (name, city) in [("A", Some("X")), ("B", None), ("C", Some("Y"))] {
        tenant.profile(json!({"full_name": name, "city_id": city})).await;
    }
    assert_eq!(tenant.names("sort_by=city_id").await, ["A", "C", "B"]);
    assert_eq!(tenant.names("sort_by=-city_id").await, ["B", "C", "A"]);
}

async fn names_are_ordered_without_case_and_accents(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["Zoe", "émile", "Adam", "Emil", "eva"] {
        tenant.profile(json!({"full_name": name})).await;
    }
    assert_eq!(tenant.names("sort_by=full_name").await, ["Adam", "Emil", "émile", "eva", "Zoe"]);
}

async fn ties_are_broken_by_the_id(server: &Server) {
    let tenant = server.tenant().await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(tenant.profile(json!({"full_name": "Same", "city_id": "LON"})).await["profile_id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    for (sort, descending) in [("full_name", false), ("city_id", false), ("-city_id", true), ("birth_date", false), ("-birth_date", true)] {
        let page = tenant.get(&format!("/profiles?sort_by={sort}")).expect(200).await.json();
        let mut found: Vec<_> = page["profiles"].as_array().unwrap().iter().map(|p| p["profile_id"].as_str().unwrap().to_owned()).collect();
        if descending {
            found.reverse();
        }
        assert_eq!(found, ids, "{sort}");
    }
}
