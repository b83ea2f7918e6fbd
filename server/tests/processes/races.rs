//! Races between nodes on one database: never a duplicate, never a lost change.

use crate::process::{Place, Service, run};
use crate::support::client::path_of;
use crate::support::{Backend, Client, Value, json};

const TASKS: usize = 16;
const CHANGES_PER_TASK: usize = 10;

async fn two_nodes() -> (Place, [Service; 2]) {
    let place = Place::new(Backend::Postgres).await;
    let nodes = [place.launch(), place.launch()].map(|mut node| {
        node.wait_until_ready();
        node
    });
    (place, nodes)
}

/// How many answers there are of each of two statuses; any other fails.
async fn at_once(clients: &[Client], path: &str, bodies: impl Iterator<Item = Value>) -> (usize, usize) {
    let bodies: Vec<_> = bodies.collect();
    let calls = bodies.iter().enumerate().map(|(number, body)| clients[number % clients.len()].post(path, body).send());
    let answers = futures::future::join_all(calls).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    let (created, refused) = (count(201), count(409));
    assert_eq!(created + refused, answers.len(), "{answers:?}");
    (created, refused)
}

#[test]
fn of_64_creates_over_two_nodes_exactly_one_wins() {
    run(async {
        let (_place, nodes) = two_nodes().await;
        let clients = nodes.each_ref().map(Service::client);
        let claims = |number: usize| {
            [
                json!({"full_name": format!("Racer {number}"), "email_id": (if number.is_multiple_of(2) { "race@example.com" } else { "RACE@Example.COM" })}),
                json!({"full_name": format!("Racer {number}"), "mobile": "+14155550100", "user_id": format!("m{number}")}),
                json!({"full_name": format!("Racer {number}"), "user_id": "racer", "email_id": format!("u{number}@example.com")}),
            ]
        };
        for kind in 0..3 {
            let outcome = at_once(&clients, "/profiles", (0..64).map(|number| claims(number)[kind].clone())).await;
            assert_eq!(outcome, (1, 63), "{kind}");
        }
        for client in &clients {
            assert_eq!(client.names("query=racer&include_deleted=true").await.len(), 3);
        }
        let tenants = at_once(&clients, "/v1/tenants", (0..16).map(|_| json!({"tenant_name": "race"}))).await;
        assert_eq!(tenants, (1, 15));
    });
}

#[test]
fn a_retry_through_another_node_gets_the_first_answer() {
    run(async {
        let (_place, nodes) = two_nodes().await;
        let clients = nodes.each_ref().map(Service::client);
        let body = json!({"full_name": "Ada", "email_id": "a@example.com"});
        let calls = (0..16).map(|number| clients[number % 2].post("/profiles", &body).key("one").send());
        let answers = futures::future::join_all(calls).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (201, &answers[0].body), "{answer:?}");
        }
        assert_eq!(clients[0].names("include_deleted=true").await.len(), 1);
    });
}

/// Every task changes a field of its own and reads back nothing: what it wrote last must be there in the end.
async fn no_change_is_lost(clients: &[Client]) {
    let path = path_of(&clients[0].profile(json!({"user_id": "contended"})).await);
    let tasks = (0..TASKS).map(|task| {
        let (client, path) = (clients[task % clients.len()].clone(), path.clone());
        tokio::spawn(async move {
            for change in 1..=CHANGES_PER_TASK {
                client.patch(&path, &json!({"attributes": {format!("task{task}"): change}})).expect(200).await;
            }
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap();
    }
    let expected: serde_json::Map<_, _> = (0..TASKS).map(|task| (format!("task{task}"), json!(CHANGES_PER_TASK))).collect();
    for client in clients {
        let last = client.get(&path).expect(200).await.json();
        assert_eq!(last["version"], 1 + TASKS * CHANGES_PER_TASK);
        assert_eq!(last["attributes"], Value::Object(expected.clone()));
    }
}

#[test]
fn no_change_is_lost_on_sqlite() {
    run(async {
        let place = Place::new(Backend::Sqlite).await;
        let node = place.start();
        no_change_is_lost(&[node.client()]).await;
    });
}

#[test]
fn no_change_is_lost_over_two_nodes() {
    run(async {
        let (_place, nodes) = two_nodes().await;
        no_change_is_lost(&nodes.each_ref().map(Service::client)).await;
    });
}
