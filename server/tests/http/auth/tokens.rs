//! Tokens that are not accepted, and how one is sent.

use crate::harness::{Server, Tenant, cases};
use crate::support::token::{ALL_SCOPES, claims, now_seconds, sign, sign_as};
use crate::support::{Answer, Value, json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use std::time::Duration;

cases! {
    each_wrong_claim_is_refused,
    tokens_that_others_signed_are_refused,
    a_token_is_sent_in_one_header_only,
    a_list_of_tenants_opens_each_of_them,
    the_programs_own_tokens_are_good,
    a_refusal_does_not_repeat_the_token,
}

async fn with(server: &Server, tenant: &Tenant<'_>, token: &str) -> Answer {
    server.anonymous().with_token(token).in_tenant(&tenant.name).get("/profiles").send().await
}

async fn each_wrong_claim_is_refused(server: &Server) {
    let tenant = server.tenant().await;
    let good = claims(tenant.name.as_str(), ALL_SCOPES, "me");
    assert_eq!(with(server, &tenant, &sign(&server.data_dir, &good)).await.status, 200);
    let now = now_seconds();
    let wrong = [
        ("exp", json!(now - 60)),
        ("exp", json!(0)),
        ("exp", json!("never")),
        ("exp", Value::Null),
        ("nbf", json!(now + 600)),
        ("iss", json!("somebody")),
        ("iss", Value::Null),
        ("aud", json!("another-service")),
        ("aud", json!(["a", "b"])),
        ("aud", Value::Null),
        ("sub", json!("")),
        ("sub", Value::Null),
        ("sub", json!("a\u{0}b")),
        ("tenant", Value::Null),
        ("tenant", json!([])),
        ("tenant", json!("")),
        ("tenant", json!(7)),
    ];
    for (claim, value) in wrong {
        let mut claims = good.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        } else {
            claims[claim] = value.clone();
        }
        let answer = with(server, &tenant, &sign(&server.data_dir, &claims)).await;
        assert_eq!(answer.status, 401, "{claim} {value}: {answer:?}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer:?}");
    }
    let expired = {
        let mut claims = good.clone();
        claims["exp"] = json!(now - 3600);
        claims
    };
    let answer = with(server, &tenant, &sign(&server.data_dir, &expired)).await;
    assert!(answer.json()["detail"].as_str().unwrap().contains("expired"), "{answer:?}");
    // An identity token says who somebody is, not what this service is to allow.
    for typ in ["JWT", "id+jwt", ""] {
        assert_eq!(with(server, &tenant, &sign_as(&server.data_dir, &good, typ)).await.status, 401, "{typ}");
    }
    let listed = {
        let mut claims = good;
        claims["aud"] = json!(["another", "n_users"]);
        claims
    };
    assert_eq!(with(server, &tenant, &sign(&server.data_dir, &listed)).await.status, 200);
}

async fn tokens_that_others_signed_are_refused(server: &Server) {
    let tenant = server.tenant().await;
    let good = claims(tenant.name.as_str(), ALL_SCOPES, "me");
    let token = sign(&server.data_dir, &good);
    let parts: Vec<_> = token.split('.').collect();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = part(json!({"alg": "none", "typ": "at+jwt"}));
    let elevated = part({
        let mut claims = good.clone();
        claims["tenant"] = json!("*");
        claims
    });
    let pem = std::fs::read_to_string(server.data_dir.join("local_signing_key.pem")).unwrap();
    let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) };
    // The well-known confusion: a symmetric signature made with what the service holds as a key.
    let confused = jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(pem.as_bytes())).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    n_users::auth::local::LocalKey::load_or_create(elsewhere.path(), "n_users").unwrap();
    let foreign = sign(elsewhere.path(), &good);
    let tokens = [
        String::new(),
        ".".to_owned(),
        "a.b.c".to_owned(),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{elevated}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}."),
        confused,
        foreign,
        "x".repeat(7000),
    ];
    for token in tokens {
        let answer = with(server, &tenant, &token).await;
        assert_eq!(answer.status, 401, "{token}: {answer:?}");
    }
}

async fn a_token_is_sent_in_one_header_only(server: &Server) {
    let tenant = server.tenant().await;
    let anonymous = server.anonymous().in_tenant(&tenant.name);
    let token = tenant.token();
    anonymous.get("/profiles").header("Authorization", &format!("bearer {token}")).expect(200).await;
    let (plain, basic) = (token.to_owned(), format!("Basic {token}"));
    for header in [plain.as_str(), basic.as_str(), "Bearer", "Bearer ", "Token abc"] {
        anonymous.get("/profiles").header("Authorization", header).expect(401).await;
    }
    let twice = tenant.get("/profiles").header("Authorization", &format!("Bearer {token}")).expect(401).await;
    assert_eq!(twice.problem(), "unauthorized");
    // Not in the URL, where logs and histories keep it.
    anonymous.get(&format!("/profiles?access_token={token}")).expect(401).await;
    anonymous.get("/profiles").header("Cookie", &format!("access_token={token}")).expect(401).await;
}

async fn a_list_of_tenants_opens_each_of_them(server: &Server) {
    let (one, two, three) = (server.tenant().await, server.tenant().await, server.tenant().await);
    let client = server.client(vec![one.name.clone(), two.name.clone()], "profiles:read", "me");
    for (tenant, status) in [(&one, 200), (&two, 200), (&three, 404)] {
        client.in_tenant(&tenant.name).get("/profiles").expect(status).await;
    }
    server.client("*", "profiles:read", "me").in_tenant(&three.name).get("/profiles").expect(200).await;
}

async fn the_programs_own_tokens_are_good(server: &Server) {
    let tenant = server.tenant().await;
    let request = n_users::app::LocalTokenRequest {
        subject: "me".to_owned(),
        tenant: tenant.name.clone(),
        scope: "profiles:read".to_owned(),
        ttl: Duration::from_secs(60),
    };
    let settings = crate::harness::settings(["--data-dir".into(), server.data_dir.clone().into_os_string()]);
    let token = n_users::app::local_token(&settings.data, &settings.auth, request).unwrap();
    assert_eq!(with(server, &tenant, &token).await.status, 200);
}

async fn a_refusal_does_not_repeat_the_token(server: &Server) {
    let tenant = server.tenant().await;
    let answer = with(server, &tenant, "s3cr3t-t0ken").await;
    assert!(!format!("{answer:?}").contains("s3cr3t"), "{answer:?}");
}
