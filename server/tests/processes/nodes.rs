//! Several nodes on one database are one service.

use crate::process::{Place, Service, run};
use crate::support::client::path_of;
use crate::support::{Backend, json};

#[test]
fn eight_start_at_once_on_an_empty_database() {
    run(async {
        let place = Place::new(Backend::Postgres).await.with("DATABASE_POOL_SIZE", "4").with("DRAIN_MS", "0");
        let mut nodes: Vec<Service> = (0..8).map(|_| place.launch()).collect();
        nodes.iter_mut().for_each(Service::wait_until_ready);
        // One key for tokens, one secret for cursors, one first tenant.
        let first = nodes[0].client();
        for number in 0..4 {
            first.profile(json!({"full_name": format!("Ada {number}"), "user_id": format!("u{number}")})).await;
        }
        let cursor = first.get("/profiles?limit=2&sort_by=full_name").expect(200).await.json()["next_cursor"].as_str().unwrap().to_owned();
        for node in &nodes {
            node.anonymous().get("/health/ready").expect(200).await;
            let client = node.anonymous().with_token(first.token()).in_tenant("default");
            assert_eq!(client.names(&format!("limit=2&sort_by=full_name&cursor={cursor}")).await, ["Ada 2", "Ada 3"]);
            assert_eq!(client.get("/v1/tenants").expect(200).await.json()["tenants"].as_array().unwrap().len(), 1);
        }
        for node in &mut nodes {
            node.signal("TERM");
        }
        for node in &mut nodes {
            assert_eq!(node.wait_for_exit(std::time::Duration::from_secs(10)).code(), Some(0));
        }
    });
}

#[test]
fn what_one_node_wrote_the_other_sees_at_once() {
    run(async {
        let place = Place::new(Backend::Postgres).await;
        let nodes = [place.start(), place.start()];
        let clients = nodes.each_ref().map(Service::client);
        for round in 0..20 {
            let (writer, reader) = (&clients[round % 2], &clients[(round + 1) % 2]);
            let profile = writer.profile(json!({"full_name": format!("Round{round}"), "user_id": format!("r{round}")})).await;
            let path = path_of(&profile);
            assert_eq!(reader.get(&path).expect(200).await.json(), profile);
            assert_eq!(reader.names(&format!("query=round{round}")).await.len(), 1);
            let patched = writer.patch(&path, &json!({"full_name": format!("Changed{round}")})).expect(200).await.json();
            assert_eq!(reader.get(&path).expect(200).await.json(), patched);
            assert!(reader.names(&format!("query=round{round}")).await.is_empty());
            writer.put(&format!("/users/r{round}/preferences/p"), &json!(round)).expect(201).await;
            assert_eq!(reader.get(&format!("/users/r{round}/preferences/p")).expect(200).await.json(), json!(round));
            writer.delete(&path).expect(204).await;
            reader.get(&path).expect(404).await;
            assert!(reader.names(&format!("query=changed{round}")).await.is_empty());
        }
    });
}
