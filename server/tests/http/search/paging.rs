//! Pages: no row twice, none skipped, however many come and go in between.

use crate::harness::{Server, Tenant, cases};
use crate::support::client::path_of;
use crate::support::{Value, json};

cases! {
    cursors_lead_through_all_in_every_order,
    rows_that_come_and_go_disturb_no_other,
    offset_and_limit_cut_a_page_out,
    a_cursor_is_good_for_its_own_search_only,
    a_cursor_tells_nothing,
    the_limit_may_change_on_the_way,
    counting_stops_at_a_thousand,
}

fn ids(page: &Value) -> Vec<String> {
    page["profiles"].as_array().unwrap().iter().map(|p| p["profile_id"].as_str().unwrap().to_owned()).collect()
}

async fn people(tenant: &Tenant<'_>, count: usize) -> Vec<Value> {
    let mut people = Vec::new();
    for number in 0..count {
        // Ties and gaps, so that the order depends on both parts of a position.
        let city = (number % 3 != 0).then(|| format!("C{}", number % 2));
        people.push(tenant.profile(json!({"full_name": format!("Ada {}", number % 4), "city_id": city})).await);
    }
    people
}

async fn page(tenant: &Tenant<'_>, search: &str, cursor: Option<&str>) -> Value {
    let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    tenant.get(&format!("/profiles?{search}{cursor}")).expect(200).await.json()
}

async fn cursors_lead_through_all_in_every_order(server: &Server) {
    let tenant = server.tenant().await;
    people(&tenant, 17).await;
    for sort in [
        "full_name",
        "-full_name",
        "city_id",
        "-city_id",
        "birth_date",
        "-birth_date",
        "created_at",
        "-updated_at",
        "email_id",
        "-user_id",
        "country_id",
    ] {
        let whole = ids(&page(&tenant, &format!("sort_by={sort}&limit=200"), None).await);
        assert_eq!(whole.len(), 17);
        let search = format!("sort_by={sort}&limit=4&query=ada");
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = page(&tenant, &search, cursor.as_deref()).await;
            assert_eq!(page["total"], json!({"value": 17, "relation": "eq"}));
            found.extend(ids(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(found, whole, "{sort}");
    }
}

async fn rows_that_come_and_go_disturb_no_other(server: &Server) {
    let tenant = server.tenant().await;
    let there = people(&tenant, 12).await;
    let mut staying: Vec<String> = Vec::new();
    let search = "sort_by=full_name&limit=3";
    let first = page(&tenant, search, None).await;
    let mut found = ids(&first);
    let mut cursor = first["next_cursor"].as_str().map(str::to_owned);
    // The last row of the page goes, one that was still to come goes, and others come before and behind.
    let last_seen = found.last().unwrap().clone();
    tenant.delete(&format!("/profiles/{last_seen}")).expect(204).await;
    let unseen = there.iter().rfind(|profile| !found.contains(&profile["profile_id"].as_str().unwrap().to_owned())).unwrap();
    tenant.delete(&path_of(unseen)).expect(204).await;
    tenant.profile(json!({"full_name": "Aaa"})).await;
    tenant.profile(json!({"full_name": "Zzz"})).await;
    while let Some(next) = cursor {
        let page = page(&tenant, search, Some(&next)).await;
        found.extend(ids(&page));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    for profile in &there {
        if profile["profile_id"] != unseen["profile_id"] {
            staying.push(profile["profile_id"].as_str().unwrap().to_owned());
        }
    }
    for id in &staying {
        assert_eq!(found.iter().filter(|found| *found == id).count(), 1, "{id}");
    }
    assert_eq!(found.len(), staying.len() + 1, "one came behind; what came before is not seen");
}

async fn offset_and_limit_cut_a_page_out(server: &Server) {
    let tenant = server.tenant().await;
    people(&tenant, 7).await;
    let whole = ids(&page(&tenant, "sort_by=created_at", None).await);
    let middle = page(&tenant, "sort_by=created_at&offset=2&limit=3", None).await;
    assert_eq!(ids(&middle), whole[2..5]);
    assert_eq!(middle["total"]["value"], 7);
    let rest = page(&tenant, "sort_by=created_at&limit=3", middle["next_cursor"].as_str()).await;
    assert_eq!(ids(&rest), whole[5..]);
    let beyond = page(&tenant, "sort_by=created_at&offset=50", None).await;
    assert_eq!((ids(&beyond).len(), &beyond["next_cursor"], &beyond["total"]["value"]), (0, &json!(null), &json!(7)));
    let exact = page(&tenant, "sort_by=created_at&limit=7", None).await;
    assert_eq!(exact["next_cursor"], json!(null), "nothing follows");
}

async fn a_cursor_is_good_for_its_own_search_only(server: &Server) {
    let tenant = server.tenant().await;
    people(&tenant, 4).await;
    let other = server.tenant().await;
    people(&other, 4).await;
    let search = "query=ada&sort_by=full_name&filter=active%20eq%20true&limit=2";
    let cursor = page(&tenant, search, None).await["next_cursor"].as_str().unwrap().to_owned();
    page(&tenant, search, Some(&cursor)).await;
    let others = [
        "sort_by=full_name&filter=active%20eq%20true",
        "query=ad&sort_by=full_name&filter=active%20eq%20true",
        "query=ada&sort_by=-full_name&filter=active%20eq%20true",
        "query=ada&sort_by=full_name",
        "query=ada&sort_by=full_name&filter=active%20eq%20true&include_deleted=true",
    ];
    for other_search in others {
        tenant.get(&format!("/profiles?{other_search}&cursor={cursor}")).expect_faults(&["cursor"]).await;
    }
    other.get(&format!("/profiles?{search}&cursor={cursor}")).expect_faults(&["cursor"]).await;
    tenant.get(&format!("/profiles?{search}&offset=1&cursor={cursor}")).expect_faults(&["offset"]).await;
    let mut tampered = cursor.clone();
    tampered.replace_range(3..4, if &cursor[3..4] == "A" { "B" } else { "A" });
    tenant.get(&format!("/profiles?{search}&cursor={tampered}")).expect_faults(&["cursor"]).await;
    // A token that reaches one user only is another search too.
    let own = tenant.client("self:read", "somebody");
    own.get(&format!("/profiles?{search}&cursor={cursor}")).expect_faults(&["cursor"]).await;
}

async fn a_cursor_tells_nothing(server: &Server) {
    use base64::Engine;
    let tenant = server.tenant().await;
    for _ in 0..2 {
        tenant.profile(json!({"full_name": "Verysecretname"})).await;
    }
    let cursor = page(&tenant, "sort_by=full_name&limit=1", None).await["next_cursor"].as_str().unwrap().to_owned();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).to_lowercase().contains("secret"));
}

async fn the_limit_may_change_on_the_way(server: &Server) {
    let tenant = server.tenant().await;
    people(&tenant, 6).await;
    let whole = ids(&page(&tenant, "", None).await);
    let first = page(&tenant, "limit=2", None).await;
    let second = page(&tenant, "limit=200", first["next_cursor"].as_str()).await;
    assert_eq!([ids(&first), ids(&second)].concat(), whole);
}

async fn counting_stops_at_a_thousand(server: &Server) {
    let tenant = server.tenant().await;
    let bodies: Vec<_> = (0..1001).map(|n| json!({"full_name": "Many", "user_id": format!("u{n}")})).collect();
    for some in bodies.chunks(32) {
        let answers = futures::future::join_all(some.iter().map(|body| tenant.post("/profiles", body).send())).await;
        assert!(answers.iter().all(|answer| answer.status == 201));
    }
    let total = |page: Value| page["total"].clone();
    assert_eq!(total(page(&tenant, "query=many&limit=1", None).await), json!({"value": 1000, "relation": "gte"}));
    assert_eq!(total(page(&tenant, "limit=1&filter=user_id%20ne%20%22u0%22", None).await), json!({"value": 1000, "relation": "eq"}));
}
