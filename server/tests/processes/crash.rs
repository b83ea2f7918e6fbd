//! Killed in the middle of writing: what was acknowledged is there, and nothing is there by half.

use crate::process::{Place, Service, cases};
use crate::support::{Backend, Client, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

cases! {
    killed_while_writing_it_keeps_what_it_acknowledged,
}

const ROUNDS: usize = 4;
const WRITERS: usize = 6;

/// How far a user had come, as far as the service said so.
#[derive(Debug, Clone)]
struct Written {
    user_id: String,
    created: bool,
    patched: bool,
    preferred: bool,
    deleted: bool,
}

/// Writes until the service is gone.
async fn write(client: Client, prefix: String, written: Arc<Mutex<Vec<Written>>>) {
    for number in 0.. {
        let user_id = format!("{prefix}-{number}");
        let mut user = Written { user_id: user_id.clone(), created: false, patched: false, preferred: false, deleted: false };
        let gone = steps(&client, &mut user, number % 5 == 4).await.is_none();
        written.lock().unwrap().push(user);
        if gone {
            return;
        }
    }
}

/// One user's life; `None` as soon as a step gets no answer.
async fn steps(client: &Client, user: &mut Written, to_delete: bool) -> Option<()> {
    let id = &user.user_id;
    let body = json!({"full_name": format!("Name {id}"), "user_id": id, "email_id": format!("{id}@example.com"), "attributes": {"id": id}});
    let created = client.post("/profiles", &body).try_send().await.ok()?;
    assert_eq!(created.status, 201, "{created:?}");
    user.created = true;
    let path = crate::support::client::path_of(&created.json());
    let patched = client.patch(&path, &json!({"city_id": "LON", "attributes": {"patched": id}})).try_send().await.ok()?;
    assert_eq!(patched.status, 200, "{patched:?}");
    user.patched = true;
    let preferred = client.put(&format!("/users/{id}/preferences/p"), &json!(id)).try_send().await.ok()?;
    assert_eq!(preferred.status, 201, "{preferred:?}");
    user.preferred = true;
    if to_delete {
        let deleted = client.delete(&path).try_send().await.ok()?;
        assert_eq!(deleted.status, 204, "{deleted:?}");
        user.deleted = true;
    }
    Some(())
}

async fn check(client: &Client, user: &Written, may_be_deleted: bool) {
    let id = &user.user_id;
    let answer = client.get(&format!("/users/{id}")).send().await;
    if user.deleted || (answer.status == 404 && (may_be_deleted || !user.created)) {
        assert_eq!(answer.status, 404, "{user:?}: {answer:?}");
        return;
    }
    assert_eq!(answer.status, 200, "{user:?} was acknowledged: {answer:?}");
    let found = answer.json();
    let profile = &found["profiles"][0];
    let is_patched = profile["version"] == 2;
    assert!(is_patched || !user.patched, "{user:?}: {found}");
    // Whole, whether acknowledged or not: all fields of a step or none.
    assert_eq!(profile["email_id"], format!("{id}@example.com"));
    assert_eq!(profile["city_id"], if is_patched { json!("LON") } else { json!(null) }, "{found}");
    assert_eq!(profile["attributes"], if is_patched { json!({"id": id, "patched": id}) } else { json!({"id": id}) }, "{found}");
    let preference = &found["preferences"]["p"];
    assert!(preference == id.as_str() || (preference.is_null() && !user.preferred), "{user:?}: {found}");
    // The index that search uses belongs to the same transaction.
    assert_eq!(client.names(&format!("query={id}@example.com")).await, [format!("Name {id}")]);
}

async fn killed_while_writing_it_keeps_what_it_acknowledged(backend: Backend) {
    let place = Place::new(backend).await;
    let all = Arc::new(Mutex::new(Vec::<Written>::new()));
    let mut service: Service = place.start();
    for round in 0..ROUNDS {
        let before = all.lock().unwrap().len();
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write(service.client(), format!("r{round}w{writer}"), all.clone()))).collect();
        // Once it is well under way, and not always at the same moment of a write.
        crate::process::eventually("users are written", async || (all.lock().unwrap().len() >= before + 4 * WRITERS).then_some(())).await;
        tokio::time::sleep(Duration::from_millis(37 * round as u64)).await;
        service.kill();
        for writer in writers {
            writer.await.unwrap();
        }
        let written = all.lock().unwrap()[before..].to_vec();
        service = place.start();
        let client = service.client();
        for user in &written {
            // Of the one that was under way nobody knows how far it came.
            let under_way = !user.preferred || user.user_id.rsplit('-').next().unwrap().parse::<usize>().unwrap() % 5 == 4;
            check(&client, user, under_way).await;
        }
        client.profile(json!({"full_name": "After", "user_id": format!("after-{round}")})).await;
    }
    let users = all.lock().unwrap().clone();
    let client = service.client();
    // What the first rounds wrote has outlived the later kills too.
    for user in users.iter().filter(|user| user.preferred).step_by(7) {
        check(&client, user, user.user_id.rsplit('-').next().unwrap().parse::<usize>().unwrap() % 5 == 4).await;
    }
}
