//! The log: a line for every request; and nobody's data, neither there nor in traces.

use crate::process::{Place, Service, cases};
use crate::support::client::path_of;
use crate::support::collector::Collector;
use crate::support::{Backend, Client, Value, json};
use reqwest::Method;
use std::time::Duration;

cases! {
    every_request_has_a_line,
    nobodys_data_is_in_it_or_in_traces_however_much_is_logged,
}

fn events(service: &Service) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|e| panic!("a line that is not JSON: {e}: {line}"));
    service.log().iter().map(parse).collect()
}

fn access(service: &Service) -> Vec<Value> {
    events(service).into_iter().filter(|event| event["target"] == "access").collect()
}

async fn every_request_has_a_line(backend: Backend) {
    let place = Place::new(backend).await.with("DRAIN_MS", "0");
    let mut service = place.start();
    let client = service.client();
    let path = path_of(&client.profile(json!({"user_id": "u"})).await);
    client.get(&path).header("X-Request-Id", "my-id").expect(200).await;
    client.patch(&path, &json!({"nothing": 1})).expect(422).await;
    client.get("/users/u/preferences/none").expect(404).await;
    client.in_tenant("nobody").get("/profiles").expect(404).await;
    service.anonymous().in_tenant("default").get("/profiles").expect(401).await;
    service.anonymous().get("/no/such/path").expect(404).await;
    service.anonymous().call(Method::DELETE, "/docs").expect(405).await;
    service.anonymous().get("/health/ready").expect(200).await;
    service.signal("TERM");
    service.wait_for_exit(Duration::from_secs(10));
    let lines = access(&service);
    let all = "/v1/tenants/{tenant_name}/profiles";
    let one = format!("{all}/{{profile_id}}");
    let preference = "/v1/tenants/{tenant_name}/users/{user_id}/preferences/{preference_key}";
    let expected = [
        ("POST", all, 201, Some("default"), Some("tester")),
        ("GET", &one, 200, Some("default"), Some("tester")),
        ("PATCH", &one, 422, Some("default"), Some("tester")),
        ("GET", preference, 404, Some("default"), Some("tester")),
        ("GET", all, 404, Some("nobody"), Some("tester")),
        ("GET", all, 401, None, None),
        ("GET", "unmatched", 404, None, None),
        ("DELETE", "/docs", 405, None, None),
    ];
    assert_eq!(lines.len(), expected.len(), "one each, and probes are not worth a line: {lines:?}");
    for (line, (method, route, status, tenant, subject)) in lines.iter().zip(expected) {
        assert_eq!((&line["method"], &line["route"], &line["status"]), (&json!(method), &json!(route), &json!(status)), "{line}");
        assert_eq!((line.get("tenant").and_then(Value::as_str), line.get("subject").and_then(Value::as_str)), (tenant, subject), "{line}");
        assert!(line["duration_ms"].as_f64().is_some_and(|duration| (0.0..10_000.0).contains(&duration)), "{line}");
        assert!(line["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
        assert!(line["timestamp"].is_string() && line["level"] == "INFO", "{line}");
    }
    assert_eq!(lines[1]["request_id"], "my-id");
}

/// Uses every way in which a person's data can reach the service; gives what must not be found.
async fn use_it_all(client: &Client, anonymous: &Client) -> Vec<String> {
    let person = json!({
        "full_name": "Sentinelname Lovelace", "user_id": "u", "gender": "sentinelgender", "email_id": "sentinelmail@example.com", "mobile": "+14155559876",
        "birth_date": "1987-06-05", "city_id": "sentinelcity", "country_id": "sentinelcountry", "address": "sentineladdress", "latitude": 12.345678, "longitude": 98.765432,
        "attributes": {"sentinelkey": "sentinelattribute"},
    });
    let path = path_of(&client.post("/profiles", &person).key("k").expect(201).await.json());
    client.post("/profiles", &person).key("k").expect(201).await;
    client.post("/profiles", &person).expect(409).await;
    let mut other = person.clone();
    other["user_id"] = json!("another");
    client.post("/profiles", &other).expect(409).await;
    other["birth_date"] = json!("sentinelbirth");
    other["sentinelfield"] = json!("sentinelvalue");
    client.post("/profiles", &other).expect(422).await;
    client.call(Method::POST, "/profiles").raw_json("{\"full_name\": \"sentinelmalformed").expect(400).await;
    client.patch(&path, &json!({"full_name": "Sentinelpatched"})).expect(200).await;
    client.patch(&format!("{path}?filter=full_name%20eq%20%22sentinelcondition%22"), &json!({"city_id": "sentineltown"})).expect(412).await;
    client.get("/profiles?query=sentinelquery&filter=email_id%20co%20%22sentinelfilter%22").expect(200).await;
    client.get("/profiles?filter=sentinelunknown%20eq%201&cursor=sentinelcursor").expect(422).await;
    client.post("/profiles/search", &json!({"query": "sentinelwords", "filter": "mobile sw \"+14155559876\""})).expect(200).await;
    client.put("/users/u/preferences/theme", &json!({"sentinelpreference": "sentinelpreferred"})).key("p").expect(201).await;
    client.get("/users/u").expect(200).await;
    client.get("/users/sentinelmail@example.com").expect(404).await;
    anonymous.get("/sentinelpath/sentinelmail@example.com?token=sentinelparameter").expect(404).await;
    anonymous
        .get("/v1/tenants/sentinelTENANT/profiles")
        .header("X-Request-Id", "sentinel request")
        .header("User-Agent", "sentinelagent")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("tracestate", "sentinel=sentinelstate")
        .expect(401)
        .await;
    anonymous.call(Method::from_bytes(b"SENTINELMETHOD").unwrap(), "/v1/tenants").expect(405).await;
    anonymous.with_token("sentineltoken.sentineltoken.sentineltoken").get("/v1/tenants").expect(401).await;
    client.delete(&path).expect(204).await;
    client.call(Method::POST, &format!("{path}/restore")).expect(200).await;
    client.delete("/users/u?purge=true").expect(204).await;
    let token: Vec<_> = client.token().split('.').collect();
    let mut secrets =
        vec!["sentinel".to_owned(), "4155559876".to_owned(), "1987-06-05".to_owned(), "12.345678".to_owned(), "98.765432".to_owned()];
    secrets.extend([token[1].to_lowercase(), token[2].to_lowercase()]);
    secrets
}

async fn nobodys_data_is_in_it_or_in_traces_however_much_is_logged(backend: Backend) {
    for level in ["info", "trace"] {
        let place = Place::new(backend).await.with("LOG", level).with("DRAIN_MS", "0");
        let collector = Collector::start(place.folder()).await;
        let place = place.with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
        let mut service = place.start();
        let secrets = use_it_all(&service.client(), &service.anonymous()).await;
        service.signal("TERM");
        service.wait_for_exit(Duration::from_secs(10));
        assert!(access(&service).len() >= 20);
        let spans = collector.spans_with(1, "DELETE /v1/tenants/{tenant_name}/users/{user_id}").await;
        assert!(spans.len() >= 40, "{spans:#?}");
        let taken = collector.log();
        for line in service.log().iter().map(String::as_str).chain(taken.lines()) {
            let told = secrets.iter().find(|secret| line.to_lowercase().contains(*secret));
            assert!(told.is_none(), "LOG={level} tells {told:?}: {line}");
        }
        assert!(!service.banner().join("\n").to_lowercase().contains("sentinel"));
    }
}
