//! Random requests at every route: whatever comes, the answer is well-formed and never the service's own fault.

use crate::harness::{Server, Tenant, cases};
use crate::support::client::path_of;
use crate::support::json;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

cases! {
    no_request_makes_the_service_fail,
}

const REQUESTS: usize = 300;

/// Text that has broken parsers before.
fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 -]{0,12}",
        "\\PC{0,12}",
        "[%_*?'\"\\\\;(){}\\[\\]<>&|$#@!~^`:,./+=-]{0,10}",
        Just("\u{0}".to_owned()),
        Just("\u{202e}\u{feff}\u{1f469}\u{200d}\u{1f467}".to_owned()),
        Just("' OR 1=1 --".to_owned()),
        Just("${jndi:ldap://x}".to_owned()),
        Just("9".repeat(400)),
        Just("-0".to_owned()),
        Just("NaN".to_owned()),
        Just("é".repeat(3000)),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
    ]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|v| json!(v)),
        any::<i64>().prop_map(|v| json!(v)),
        any::<u64>().prop_map(|v| json!(v)),
        any::<f64>().prop_map(|v| json!(v)),
        awkward().prop_map(|v| json!(v)),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|v| json!(v)),
            proptest::collection::btree_map(awkward(), inner, 0..5).prop_map(|v| json!(v)),
        ]
    })
}

const FIELDS: [&str; 22] = [
    "full_name",
    "user_id",
    "profile_type",
    "gender",
    "email_id",
    "mobile",
    "birth_date",
    "city_id",
    "country_id",
    "address",
    "latitude",
    "longitude",
    "attributes",
    "active",
    "query",
    "filter",
    "sort_by",
    "limit",
    "offset",
    "cursor",
    "include_deleted",
    "tenant_name",
];

/// A body that is nearly right, or not at all.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let member = (proptest::sample::select(&FIELDS[..]), value());
    let object = proptest::collection::vec(member, 0..6).prop_map(|members| {
        let members: serde_json::Map<_, _> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        serde_json::to_vec(&members).unwrap()
    });
    let object = object.boxed();
    let person = (awkward(), awkward()).prop_map(|(name, id)| {
        let members = json!({"full_name": name, "user_id": id});
        members.as_object().cloned().unwrap()
    });
    prop_oneof![
        3 => object.clone(),
        3 => (person, object.clone()).prop_map(|(person, more)| {
            let mut members: serde_json::Map<_, _> = serde_json::from_slice(&more).unwrap();
            if members.len() > 2 {
                members.clear();
            }
            members.extend(person);
            serde_json::to_vec(&members).unwrap()
        }),
        2 => value().prop_map(|value| serde_json::to_vec(&value).unwrap()),
        1 => proptest::collection::vec(any::<u8>(), 0..64),
        // Cut somewhere, with a byte changed.
        2 => (object, any::<proptest::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, byte)| {
            let at = at.index(bytes.len().max(1));
            bytes.truncate(at + 1);
            if let Some(last) = bytes.last_mut() {
                *last = byte;
            }
            bytes
        }),
    ]
}

/// Percent-encodes some of it and leaves the rest as it is, as far as a request line can carry it.
fn in_path(text: &str, whole: bool) -> String {
    text.bytes()
        .map(|byte| {
            let plain = byte.is_ascii_alphanumeric() || (!whole && b"-._~/%:@!$&'()*+,;=".contains(&byte));
            if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect()
}

fn request(tenant: &Tenant<'_>, profile: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let base = tenant.prefix().to_owned();
    let known = [
        ("POST", format!("{base}/profiles")),
        ("POST", format!("{base}/profiles")),
        ("GET", format!("{base}/profiles")),
        ("POST", format!("{base}/profiles/search")),
        ("GET", format!("{base}{profile}")),
        ("PATCH", format!("{base}{profile}")),
        ("POST", format!("{base}{profile}/restore")),
        ("GET", format!("{base}/users/u")),
        ("GET", format!("{base}/users/u/preferences")),
        ("PUT", format!("{base}/users/u/preferences/p")),
        ("DELETE", format!("{base}/users/u/preferences/p")),
        ("PATCH", base.clone()),
        ("POST", "/v1/tenants".to_owned()),
        ("GET", "/v1/tenants".to_owned()),
    ];
    let known = proptest::sample::select(known.map(|(method, route)| (method.to_owned(), route)).to_vec());
    // Nothing here deletes what the other requests are about.
    let any_method = proptest::sample::select(&["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "BREW"][..]).prop_map(str::to_owned);
    let strange_path = prop_oneof![
        (known.clone(), awkward(), any::<bool>()).prop_map(|((_, route), text, whole)| format!("{route}/{}", in_path(&text, whole))),
        (Just(base), awkward(), awkward()).prop_map(|(base, user, key)| format!(
            "{base}/users/{}/preferences/{}",
            in_path(&user, true),
            in_path(&key, true)
        )),
        (awkward(), any::<bool>()).prop_map(|(text, whole)| format!("/{}", in_path(&text, whole))),
        proptest::sample::select(&["/openapi.json", "/docs", "/health/ready"][..]).prop_map(str::to_owned),
    ];
    let target = prop_oneof![7 => known, 2 => (any_method, strange_path)];
    let parameter =
        (proptest::sample::select(&FIELDS[14..21]), awkward()).prop_map(|(name, text)| format!("{name}={}", in_path(&text, true)));
    let query = prop_oneof![
        6 => Just(String::new()),
        3 => proptest::collection::vec(parameter, 1..4).prop_map(|all| format!("?{}", all.join("&"))),
        1 => awkward().prop_map(|text| format!("?{}", in_path(&text, false))),
        1 => filter().prop_map(|text| format!("?filter={}", in_path(&text, true))),
    ];
    let header = (
        proptest::sample::select(
            &["If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id", "Content-Type", "Accept", "Range", "Cookie", "Authorization"]
                [..],
        ),
        prop_oneof![awkward(), Just("\"1\"".to_owned()), Just("*".to_owned()), Just("application/json".to_owned())],
    )
        .prop_map(|(name, text)| {
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            format!("{name}: {text}\r\n")
        });
    let token = tenant.token().to_owned();
    (target, query, proptest::collection::vec(header, 0..3), body(), proptest::bool::weighted(0.9)).prop_map(
        move |((method, route), query, headers, body, with_basics)| {
            let mut head =
                format!("{method} {route}{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            if with_basics && !headers.iter().any(|line| line.starts_with("Authorization")) {
                head.push_str(&format!("Authorization: Bearer {token}\r\n"));
            }
            if with_basics && !headers.iter().any(|line| line.starts_with("Content-Type")) {
                head.push_str("Content-Type: application/json\r\n");
            }
            headers.iter().for_each(|line| head.push_str(line));
            head.push_str("\r\n");
            [head.into_bytes(), body].concat()
        },
    )
}

/// Filters that are mostly right, with values that are not.
fn filter() -> impl Strategy<Value = String> {
    let field = proptest::sample::select(
        &[
            "full_name",
            "email_id",
            "mobile",
            "birth_date",
            "latitude",
            "version",
            "created_at",
            "profile_id",
            "active",
            "attributes.a.b",
            "town",
        ][..],
    );
    let op = proptest::sample::select(&["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr", "is"][..]);
    let literal = prop_oneof![
        awkward().prop_map(|text| json!(text).to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("\"1990-12-10\"".to_owned()),
        Just("\"-009999-01-01T00:00:00Z\"".to_owned()),
    ];
    let condition = (field, op, literal).prop_map(
        |(field, op, literal)| {
            if op == "pr" { format!("{field} pr") } else { format!("{field} {op} {literal}") }
        },
    );
    condition.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or {b}")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

async fn no_request_makes_the_service_fail(server: &Server) {
    let tenant = server.tenant().await;
    let profile = path_of(&tenant.profile(json!({"user_id": "u"})).await);
    let requests = request(&tenant, &profile);
    // The same requests in every run: what fails here fails again.
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..REQUESTS {
        let request = requests.new_tree(&mut runner).unwrap().current();
        let answer = server.raw(&request).await;
        assert!(answer.status < 500, "{answer:?} to {:?}", String::from_utf8_lossy(&request));
        *seen.entry(answer.status).or_default() += 1;
    }
    // Requests that are all refused at the door would prove nothing.
    for status in [200, 201, 400, 401, 404, 405, 422] {
        assert!(seen.contains_key(&status), "no answer {status}: {seen:?}");
    }
}
