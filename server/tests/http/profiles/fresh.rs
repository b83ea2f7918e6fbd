//! Right at once: every read after a write sees it, search included.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{encoded, json};
use reqwest::Method;

cases! {
    search_shows_each_change_at_once,
    search_shows_every_searchable_field_as_it_is_now,
}

async fn search_shows_each_change_at_once(server: &Server) {
    let tenant = server.tenant().await;
    // Several rounds, because a stale answer may come only now and then.
    for round in 0..10 {
        let name = format!("Round{round}");
        let path = path_of(&tenant.profile(json!({"full_name": name})).await);
        assert_eq!(tenant.names(&format!("query={name}")).await, [name.as_str()]);
        tenant.patch(&path, &json!({"full_name": format!("Changed{round}")})).expect(200).await;
        assert!(tenant.names(&format!("query={name}")).await.is_empty());
        assert_eq!(tenant.names(&format!("query=changed{round}")).await, [format!("Changed{round}")]);
        tenant.delete(&path).expect(204).await;
        assert!(tenant.names(&format!("query=changed{round}")).await.is_empty());
        tenant.call(Method::POST, &format!("{path}/restore")).expect(200).await;
        assert_eq!(tenant.names(&format!("query=changed{round}")).await.len(), 1);
        tenant.delete(&format!("{path}?purge=true")).expect(204).await;
        assert!(tenant.names(&format!("query=changed{round}&include_deleted=true")).await.is_empty());
    }
}

async fn search_shows_every_searchable_field_as_it_is_now(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({"user_id": "first", "full_name": "Ada"})).await);
    let changes = [
        ("user_id", "second-id", "second"),
        ("full_name", "Grace", "grace"),
        ("email_id", "hopper@navy.example", "hopper"),
        ("city_id", "NYC", "nyc"),
        ("mobile", "+14155550142", "4155550142"),
    ];
    for (field, value, query) in changes {
        assert!(tenant.names(&format!("query={query}")).await.is_empty(), "{field}");
        tenant.patch(&path, &json!({field: value})).expect(200).await;
        assert_eq!(tenant.names(&format!("query={query}")).await.len(), 1, "{field}");
        let by_filter = encoded(&format!("{field} eq \"{value}\""));
        assert_eq!(tenant.names(&format!("filter={by_filter}")).await.len(), 1, "{field}");
    }
}
