//! `/docs`, `/openapi.json` and health: what is there without a token.

use crate::harness::{Server, cases};
use crate::support::{Value, json};
use std::collections::BTreeSet;

cases! {
    the_page_and_all_that_it_names_are_served_from_here,
    the_document_is_openapi_3_1,
    every_operation_has_a_name_of_its_own,
    every_reference_leads_somewhere,
    every_operation_describes_its_parameters_and_answers,
    health_needs_no_token,
}

async fn the_page_and_all_that_it_names_are_served_from_here(server: &Server) {
    for path in ["/docs", "/docs/"] {
        let page = server.anonymous().get(path).expect(200).await;
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.header("content-security-policy").contains("default-src 'self'"));
        let html = String::from_utf8(page.body).unwrap();
        let assets: Vec<_> =
            ["src=\"", "href=\""].iter().flat_map(|mark| html.split(mark).skip(1)).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(assets.len() >= 3, "{html}");
        for asset in assets {
            assert!(asset.starts_with('/') && !asset.starts_with("//"), "{asset} is elsewhere");
            let answer = server.anonymous().get(asset).expect(200).await;
            let expected = [(".js", "javascript"), (".css", "css"), (".png", "png")];
            let (_, kind) = expected.iter().find(|(end, _)| asset.ends_with(end)).unwrap();
            assert!(answer.header("content-type").contains(kind), "{answer:?}");
            assert!(!answer.body.is_empty());
        }
        assert!(!html.contains("://"), "the page names another host");
    }
    let start = server.anonymous().get("/docs/start.js").expect(200).await;
    let start = String::from_utf8(start.body).unwrap();
    assert!(start.contains("/openapi.json") && !start.contains("://"), "{start}");
    // Validators and fonts of elsewhere are the usual leaks of such pages.
    let css = server.anonymous().get("/docs/swagger-ui.css").expect(200).await;
    let css = String::from_utf8(css.body).unwrap();
    assert!(!css.contains("@import") && !css.contains("url(http") && !css.contains("url(\"http"));
}

async fn document(server: &Server) -> Value {
    let answer = server.anonymous().get("/openapi.json").expect(200).await;
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

async fn the_document_is_openapi_3_1(server: &Server) {
    let document = document(server).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    for (name, scheme) in [("type", "http"), ("scheme", "bearer")] {
        assert_eq!(document["components"]["securitySchemes"]["token"][name], scheme);
    }
    assert_eq!(document["security"], json!([{"token": []}]));
    for path in [
        "/v1/tenants/{tenant_name}/profiles",
        "/v1/tenants/{tenant_name}/users/{user_id}/preferences/{preference_key}",
        "/v1/tenants",
        "/health/ready",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if ["get", "put", "post", "patch", "delete"].contains(&method.as_str()) {
                operations.push((format!("{method} {path}"), operation.clone()));
            }
        }
    }
    operations
}

async fn every_operation_has_a_name_of_its_own(server: &Server) {
    let document = document(server).await;
    let mut names = BTreeSet::new();
    let operations = operations(&document);
    assert!(operations.len() >= 20);
    for (at, operation) in operations {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId"));
        assert!(names.insert(name.to_owned()), "{at}: {name} is the name of another operation too");
    }
}

async fn every_reference_leads_somewhere(server: &Server) {
    let document = document(server).await;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads elsewhere"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

async fn every_operation_describes_its_parameters_and_answers(server: &Server) {
    for (at, operation) in operations(&document(server).await) {
        let (_, path) = at.split_once(' ').unwrap();
        let in_path: BTreeSet<_> = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let described = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(described.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), in_path, "{at}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{at}");
        if !path.starts_with("/health") {
            for status in ["401", "403", "503"] {
                assert!(answers.contains_key(status), "{at} does not say {status}");
            }
        }
        for (status, answer) in answers {
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{at} {status}");
            if status.starts_with('4') {
                assert!(answer["content"]["application/problem+json"].is_object(), "{at} {status}");
            }
        }
    }
}

async fn health_needs_no_token(server: &Server) {
    assert_eq!(server.anonymous().get("/health/live").expect(200).await.json(), json!({"status": "live"}));
    let ready = server.anonymous().get("/health/ready").expect(200).await.json();
    assert_eq!(ready, json!({"status": "ready", "dependencies": {"database": "up", "images": "up"}}));
    // A token that is not good does not make it ill.
    server.anonymous().with_token("rubbish").get("/health/ready").expect(200).await;
}
