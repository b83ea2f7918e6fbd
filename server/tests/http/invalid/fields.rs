//! Fields that are wrong, each as a row: what is sent, and where the fault stands.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::{Value, json};

cases! {
    each_wrong_field_is_named_on_create_and_on_patch,
    text_that_no_library_would_send_is_named_too,
    all_faults_are_told_at_once,
    fields_of_the_service_cannot_be_set,
    unknown_fields_are_named_and_escaped,
    a_member_given_twice_is_named,
    the_limits_themselves_are_valid,
    attributes_have_bounds,
    a_detail_never_repeats_what_was_sent,
}

/// A field and a value that it cannot have.
fn wrong_values() -> Vec<(&'static str, Value)> {
    let mut rows = Vec::new();
    let texts = [("full_name", 256), ("user_id", 128), ("gender", 32), ("city_id", 64), ("country_id", 64), ("address", 1024)];
    for (field, max) in texts {
        rows.extend([
            (field, json!("x".repeat(max + 1))),
            (field, json!("")),
            (field, json!("   ")),
            (field, json!("a\nb")),
            (field, json!("a\tb")),
            (field, json!("a\u{0}b")),
            (field, json!("a\u{7f}b")),
            (field, json!("a\u{85}b")),
            (field, json!(7)),
            (field, json!(true)),
            (field, json!([])),
            (field, json!({})),
        ]);
    }
    for slug in ["", "Work", "my work", "work_1", "wörk", &"w".repeat(33)] {
        rows.push(("profile_type", json!(slug)));
    }
    let long_address = format!("a@{}.com", "b".repeat(260));
    for email in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada b@example.com",
        "Ada <ada@example.com>",
        "a@[127.0.0.1]",
        "a@example..com",
        "a\u{0}@example.com",
        long_address.as_str(),
    ] {
        rows.push(("email_id", json!(email)));
    }
    for mobile in
        ["", "12", "+", "+1", "call me", "98765 43210", "+999123456789", "+1415555010012345", "++14155550100", "+1415\u{0}5550100"]
    {
        rows.push(("mobile", json!(mobile)));
    }
    for date in [
        "",
        "yesterday",
        "1990-13-01",
        "1990-02-30",
        "1990-1-1",
        "10.12.1990",
        "1990-12-10T00:00:00Z",
        "1899-12-31",
        "9999-12-31",
        "2999-01-01",
    ] {
        rows.push(("birth_date", json!(date)));
    }
    for value in [json!(7), json!(true), json!([]), json!({})] {
        rows.extend(["profile_type", "email_id", "mobile", "birth_date"].map(|field| (field, value.clone())));
    }
    for value in [json!(7), json!("a"), json!([1]), json!(true)] {
        rows.push(("attributes", value));
    }
    for value in [json!(1), json!("true"), json!([]), json!({})] {
        rows.push(("active", value));
    }
    rows
}

async fn each_wrong_field_is_named_on_create_and_on_patch(server: &Server) {
    let tenant = server.tenant().await;
    let old = tenant.profile(json!({"user_id": "somebody"})).await;
    for (field, value) in wrong_values() {
        let mut body = json!({"full_name": "Ada", "user_id": "new"});
        body[field] = value.clone();
        let pointer = format!("/{field}");
        tenant.post("/profiles", &body).expect_faults(&[&pointer]).await;
        tenant.patch(&path_of(&old), &json!({field: value})).expect_faults(&[&pointer]).await;
    }
    let coordinates = [
        (json!({"latitude": 90.001, "longitude": 0}), "/latitude"),
        (json!({"latitude": -91, "longitude": 0}), "/latitude"),
        (json!({"latitude": 0, "longitude": 180.5}), "/longitude"),
        (json!({"latitude": 0, "longitude": -1e300}), "/longitude"),
        (json!({"latitude": "1", "longitude": 2}), "/latitude"),
        (json!({"latitude": 1}), "/longitude"),
        (json!({"longitude": 1}), "/latitude"),
        (json!({"latitude": 1, "longitude": null}), "/longitude"),
    ];
    for (fields, pointer) in coordinates {
        let mut body = json!({"full_name": "Ada", "user_id": "new"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        tenant.post("/profiles", &body).expect_faults(&[pointer]).await;
    }
    tenant.get("/users/new").expect(404).await;
    assert_eq!(tenant.get(&path_of(&old)).expect(200).await.json(), old);
}

async fn text_that_no_library_would_send_is_named_too(server: &Server) {
    let tenant = server.tenant().await;
    let rows = [
        (r#"{"user_id":"u","full_name":"\ud800"}"#, "/full_name"),
        (r#"{"user_id":"u","full_name":"\udc00\ud800"}"#, "/full_name"),
        (r#"{"user_id":"u","full_name":"A","address":"\ud83d alone"}"#, "/address"),
        (r#"{"user_id":"u","full_name":"A","attributes":{"a":["\udfff"]}}"#, "/attributes"),
        (r#"{"user_id":"u","full_name":"A","attributes":{"\ud800":1}}"#, "/attributes"),
        (r#"{"user_id":"u","full_name":"A","attributes":{"a":"\u0000"}}"#, "/attributes"),
        (r#"{"user_id":"u","full_name":"A","attributes":{"a\u0000":1}}"#, "/attributes"),
        (r#"{"user_id":"u","full_name":"A","attributes":{"a":1e999}}"#, "/attributes"),
        (r#"{"user_id":"u","full_name":"A","latitude":1e999,"longitude":1}"#, "/latitude"),
        (r#"{"user_id":"u","full_name":"A","latitude":1,"longitude":-1e999}"#, "/longitude"),
    ];
    for (body, pointer) in rows {
        tenant.call(reqwest::Method::POST, "/profiles").raw_json(body).expect_faults(&[pointer]).await;
    }
    // The same characters, written as a pair, are text like any other.
    let paired = r#"{"user_id":"u","full_name":"\ud83c\udf89"}"#;
    let profile = tenant.call(reqwest::Method::POST, "/profiles").raw_json(paired).expect(201).await.json();
    assert_eq!(profile["full_name"], "🎉");
}

async fn all_faults_are_told_at_once(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "", "email_id": "nobody", "mobile": "x", "birth_date": "2999-01-01", "latitude": 100, "town": "LON",
        "version": 3, "attributes": [], "active": "yes", "user_id": 5});
    let places = [
        "/full_name",
        "/email_id",
        "/mobile",
        "/birth_date",
        "/latitude",
        "/longitude",
        "/town",
        "/version",
        "/attributes",
        "/active",
        "/user_id",
    ];
    let answer = tenant.post("/profiles", &body).expect_faults(&places).await;
    assert_eq!(answer.problem(), "invalid");
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("11 things"), "{answer:?}");
}

async fn fields_of_the_service_cannot_be_set(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({})).await;
    let names = [
        "tenant_name",
        "profile_id",
        "profile_image_url",
        "created_by",
        "updated_by",
        "deleted_by",
        "created_at",
        "updated_at",
        "deleted_at",
        "version",
    ];
    for name in names {
        // Even as it is: a client that sends it believes that it counts.
        let value = profile[name].clone();
        tenant.patch(&path_of(&profile), &json!({name: value})).expect_faults(&[&format!("/{name}")]).await;
        let body = json!({"full_name": "A", "user_id": "u", name: value});
        tenant.post("/profiles", &body).expect_faults(&[&format!("/{name}")]).await;
    }
}

async fn unknown_fields_are_named_and_escaped(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"full_name": "A", "user_id": "u", "fullName": "A", "a/b~c": 1, "__proto__": {}, "": 1});
    let answer = tenant.post("/profiles", &body).expect(422).await;
    let places = answer.fault_places();
    for place in ["/fullName", "/a~1b~0c", "/__proto__"] {
        assert!(places.iter().any(|found| found == place), "{answer:?}");
    }
    assert_eq!(places.len(), 4, "{answer:?}");
}

async fn a_member_given_twice_is_named(server: &Server) {
    let tenant = server.tenant().await;
    let body = r#"{"user_id":"u","full_name":"A","city_id":"LON","city_id":"PAR"}"#;
    tenant.call(reqwest::Method::POST, "/profiles").raw_json(body).expect_faults(&["/city_id"]).await;
    // However it is spelt.
    let body = r#"{"user_id":"u","full_name":"A","full\u005fname":"B"}"#;
    tenant.call(reqwest::Method::POST, "/profiles").raw_json(body).expect_faults(&["/full_name"]).await;
}

async fn the_limits_themselves_are_valid(server: &Server) {
    let tenant = server.tenant().await;
    let local = "l".repeat(64);
    let domain = format!("{}.{}.{}.com", "d".repeat(60), "e".repeat(60), "f".repeat(60));
    let profile = tenant
        .profile(json!({
            "full_name": "é".repeat(256), "user_id": "u".repeat(128), "profile_type": "t".repeat(32), "gender": "g".repeat(32),
            "email_id": format!("{local}@{domain}"), "birth_date": "1900-01-01", "city_id": "c".repeat(64), "country_id": "k".repeat(64),
            "address": "a".repeat(1024), "latitude": -90, "longitude": 180,
        }))
        .await;
    assert_eq!(tenant.get(&path_of(&profile)).expect(200).await.json(), profile);
    let today = jiff::Timestamp::from_second(crate::support::token::now_seconds()).unwrap();
    let today = today.to_string()[..10].to_owned();
    tenant.profile(json!({"birth_date": today})).await;
}

async fn attributes_have_bounds(server: &Server) {
    let tenant = server.tenant().await;
    // {"a":"..."} takes 8 bytes beside the text.
    let of_length = |length: usize| json!({"attributes": {"a": "x".repeat(length - 8)}});
    let profile = tenant.profile(of_length(16_384)).await;
    tenant.patch(&path_of(&profile), &of_length(16_385)).expect_faults(&["/attributes"]).await;
    let nested = |levels: usize| {
        let text = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        format!("{{\"user_id\":\"u{levels}\",\"full_name\":\"A\",\"attributes\":{text}}}")
    };
    let post = |body: String| tenant.call(reqwest::Method::POST, "/profiles").raw_json(body);
    post(nested(32)).expect(201).await;
    for levels in [33, 127, 128, 200, 20_000] {
        post(nested(levels)).expect_faults(&["/attributes"]).await;
    }
    let exact = r#"{"user_id":"n","full_name":"A","attributes":{"big":9007199254740993,"small":1e-7,"zero":-0.0,"half":0.5}}"#;
    let kept = post(exact.to_owned()).expect(201).await.json()["attributes"].clone();
    assert_eq!(kept["big"], json!(9_007_199_254_740_993_i64));
    assert_eq!((kept["small"].as_f64(), kept["half"].as_f64(), kept["zero"].as_f64()), (Some(1e-7), Some(0.5), Some(0.0)));
}

async fn a_detail_never_repeats_what_was_sent(server: &Server) {
    let tenant = server.tenant().await;
    let secret = "s3cr3t";
    let body = json!({"full_name": format!("{secret}\n"), "email_id": secret, "mobile": secret, "birth_date": secret, "gender": format!("{secret}\u{1}x"),
        "attributes": secret, "active": secret, "latitude": secret});
    let answer = tenant.post("/profiles", &body).expect(422).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains(secret), "{answer:?}");
}
