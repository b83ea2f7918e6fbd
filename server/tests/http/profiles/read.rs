//! Reading a profile, and not reading it again.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;
use reqwest::Method;

cases! {
    shows_the_profile_with_its_version,
    the_version_that_the_client_has_is_not_sent_again,
    head_answers_as_get_but_for_the_body,
    an_id_that_cannot_exist_is_as_unknown_as_one_that_does_not,
    works_over_http_2,
}

async fn shows_the_profile_with_its_version(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({"full_name": "Ada"})).await;
    let path = path_of(&profile);
    let answer = tenant.get(&path).expect(200).await;
    assert_eq!(answer.json(), profile);
    assert_eq!(answer.header("etag"), "\"1\"");
    tenant.patch(&path, &json!({"full_name": "Ada L."})).expect(200).await;
    assert_eq!(tenant.get(&path).expect(200).await.header("etag"), "\"2\"");
}

async fn the_version_that_the_client_has_is_not_sent_again(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let answer = tenant.get(&path).header("If-None-Match", known).expect(304).await;
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), "\"1\"");
    }
    for unknown in ["\"2\"", "\"01x\"", "1"] {
        tenant.get(&path).header("If-None-Match", unknown).expect(200).await;
    }
    tenant.patch(&path, &json!({"city_id": "LON"})).expect(200).await;
    let answer = tenant.get(&path).header("If-None-Match", "\"1\"").expect(200).await;
    assert_eq!(answer.json()["city_id"], "LON");
}

async fn head_answers_as_get_but_for_the_body(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let get = tenant.get(&path).expect(200).await;
    let head = tenant.call(Method::HEAD, &path).expect(200).await;
    assert!(head.body.is_empty());
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    tenant.call(Method::HEAD, "/profiles/00000000-0000-7000-8000-000000000000").expect(404).await;
}

async fn an_id_that_cannot_exist_is_as_unknown_as_one_that_does_not(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({})).await;
    let id = profile["profile_id"].as_str().unwrap();
    let bare = id.replace('-', "");
    let braced = format!("%7B{id}%7D");
    for id in ["00000000-0000-7000-8000-000000000000", "1", "abc", "%00", "%FF", "%20", &bare, &braced, "../profiles"] {
        tenant.get(&format!("/profiles/{}", id.replace('/', "%2F"))).expect(404).await;
        tenant.patch(&format!("/profiles/{}", id.replace('/', "%2F")), &json!({"city_id": "X"})).expect(404).await;
        tenant.delete(&format!("/profiles/{}", id.replace('/', "%2F"))).expect(404).await;
    }
    tenant.get(&format!("/profiles/{}", id.to_uppercase())).expect(200).await;
}

async fn works_over_http_2(server: &Server) {
    let tenant = server.tenant().await;
    let profile = tenant.profile(json!({})).await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}{}{}", server.address, tenant.prefix(), path_of(&profile));
    let response = http.get(url).bearer_auth(tenant.token()).send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    assert_eq!(response.json::<serde_json::Value>().await.unwrap(), profile);
}
