//! What a query finds, and what it does not.

use crate::harness::{Server, cases};
use crate::support::{encoded, json};

cases! {
    every_word_must_begin_a_word,
    words_may_stand_in_different_fields,
    case_accents_and_width_do_not_matter,
    each_script_is_found_in_its_own_way,
    signs_of_query_languages_are_text,
    a_number_is_found_however_it_is_written,
    a_filter_narrows_a_query,
    a_body_finds_the_same_as_a_query_string,
    nothing_asked_finds_all,
    another_tenants_people_are_not_found,
}

async fn every_word_must_begin_a_word(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["John Smith", "Joan Smithers", "Jon Snow", "Major Blacksmith"] {
        tenant.profile(json!({"full_name": name})).await;
    }
    let rows: [(&str, &[&str]); 7] = [
        ("jo smi", &["Joan Smithers", "John Smith"]),
        ("smi jo", &["Joan Smithers", "John Smith"]),
        ("john", &["John Smith"]),
        ("smith", &["Joan Smithers", "John Smith"]),
        ("ohn", &[]),
        ("jo sno", &["Jon Snow"]),
        ("john snow", &[]),
    ];
    for (query, found) in rows {
        assert_eq!(tenant.names(&format!("sort_by=full_name&query={}", encoded(query))).await, found, "{query}");
    }
}

async fn words_may_stand_in_different_fields(server: &Server) {
    let tenant = server.tenant().await;
    tenant
        .profile(
            json!({"full_name": "Ada Lovelace", "user_id": "auth0|abc-77", "email_id": "countess@analytical.example", "city_id": "LON",
            "mobile": "+442079460958", "address": "hidden street", "gender": "secretgender", "attributes": {"a": "hiddenattribute"}}),
        )
        .await;
    for query in ["ada countess", "lon lovelace", "abc", "auth0", "77 analytical", "442079460958 ada"] {
        assert_eq!(tenant.names(&format!("query={}", encoded(query))).await.len(), 1, "{query}");
    }
    for query in ["hidden", "secretgender", "hiddenattribute", "ada paris"] {
        assert!(tenant.names(&format!("query={}", encoded(query))).await.is_empty(), "{query}");
    }
}

async fn case_accents_and_width_do_not_matter(server: &Server) {
    let tenant = server.tenant().await;
    let rows = [
        ("Jürgen MÜLLER", "muller"),
        ("Małgorzata Żebrowska-Gęś", "zebrowska ges"),
        ("Nguyễn Văn", "nguyen van"),
        ("José Núñez", "JOSÉ"),
        ("Straße", "STRASSE"),
        ("Ανδρέας", "ανδρεας"),
        ("Ёлкин Пётр", "петр"),
        ("ＷＩＤＥ", "wide"),
        ("Zoe\u{308}", "zoë"),
        ("İbrahim", "ibrahim"),
    ];
    for (name, query) in rows {
        tenant.profile(json!({"full_name": name})).await;
        let found = tenant.names(&format!("query={}", encoded(query))).await;
        assert_eq!(found.len(), 1, "{query} for {name}: {found:?}");
    }
}

async fn each_script_is_found_in_its_own_way(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["张伟明", "山田太郎", "ヤマダ", "สมชาย ใจดี", "किरण देसाई", "محمد العربي", "김민준", "Ana🎉"]
    {
        tenant.profile(json!({"full_name": name})).await;
    }
    let rows = [
        // Without spaces between words: any run within the name.
        ("张伟", 1),
        ("伟明", 1),
        ("明", 1),
        ("张明", 0),
        ("太郎", 1),
        ("田太", 1),
        ("マダ", 1),
        ("ชาย", 1),
        ("민준", 1),
        ("🎉", 1),
        // With them: the beginning of a word; vowel signs tell words apart.
        ("कि", 1),
        ("की", 0),
        ("देस", 1),
        ("रण", 0),
        ("محم", 1),
        ("العر", 1),
        ("عربي", 0),
    ];
    for (query, found) in rows {
        assert_eq!(tenant.names(&format!("query={}", encoded(query))).await.len(), found, "{query}");
    }
}

async fn signs_of_query_languages_are_text(server: &Server) {
    let tenant = server.tenant().await;
    for name in ["John Smith", "Mr 100%", "under_score", "Back\\slash", "O'Brien"] {
        tenant.profile(json!({"full_name": name, "user_id": name})).await;
    }
    for query in [
        "%",
        "_",
        "j%",
        "j_hn",
        "john*",
        "\"john\"",
        "john OR",
        "john AND smith",
        "-john",
        "NEAR(john smith)",
        "full_name:john",
        "^john",
        "\\",
        "'; --",
        "{john}",
        "(john)",
    ] {
        let found = tenant.names(&format!("query={}", encoded(query))).await;
        assert!(!found.contains(&"John Smith".to_owned()), "{query} found {found:?}");
    }
    for (query, name) in
        [("100%", "Mr 100%"), ("under_s", "under_score"), ("back\\s", "Back\\slash"), ("o'br", "O'Brien"), ("brien", "O'Brien")]
    {
        assert_eq!(tenant.names(&format!("query={}", encoded(query))).await, [name], "{query}");
    }
    for (filter, name) in [
        ("full_name co \"%\"", "Mr 100%"),
        ("user_id co \"_\"", "under_score"),
        ("user_id co \"\\\\\"", "Back\\slash"),
        ("full_name co \"'\"", "O'Brien"),
    ] {
        assert_eq!(tenant.names(&format!("filter={}", encoded(filter))).await, [name], "{filter}");
    }
}

async fn a_number_is_found_however_it_is_written(server: &Server) {
    let tenant = server.tenant().await;
    tenant.profile(json!({"full_name": "Ravi", "mobile": "+919876543210"})).await;
    for query in ["+919876543210", "919876543210", "+91 98765", "98765", "9876543210"] {
        assert_eq!(tenant.names(&format!("query={}", encoded(query))).await, ["Ravi"], "{query}");
    }
    assert!(tenant.names("query=76543210").await.is_empty());
}

async fn a_filter_narrows_a_query(server: &Server) {
    let tenant = server.tenant().await;
    for (name, city, seats) in [("Ada One", "LON", 1), ("Ada Two", "PAR", 5), ("Bob", "LON", 9)] {
        tenant.profile(json!({"full_name": name, "city_id": city, "attributes": {"seats": seats}})).await;
    }
    let rows: [(&str, &str, &[&str]); 4] = [
        ("ada", "city_id eq \"LON\"", &["Ada One"]),
        ("ada", "attributes.seats gt 3", &["Ada Two"]),
        ("", "full_name co \"two\" or city_id eq \"LON\"", &["Ada One", "Ada Two", "Bob"]),
        ("bob", "not (city_id eq \"LON\")", &[]),
    ];
    for (query, filter, found) in rows {
        let parameters = format!("sort_by=full_name&query={query}&filter={}", encoded(filter));
        assert_eq!(tenant.names(&parameters).await, found, "{query} {filter}");
    }
}

async fn a_body_finds_the_same_as_a_query_string(server: &Server) {
    let tenant = server.tenant().await;
    for number in 0..5 {
        tenant.profile(json!({"full_name": format!("Ada {number}"), "city_id": if number % 2 == 0 { "LON" } else { "PAR" }})).await;
    }
    let by_query =
        tenant.get("/profiles?query=ada&filter=city_id%20eq%20%22LON%22&sort_by=-full_name&limit=2&offset=0").expect(200).await.json();
    let asked = json!({"query": "ada", "filter": "city_id eq \"LON\"", "sort_by": "-full_name", "limit": 2, "offset": 0});
    let by_body = tenant.post("/profiles/search", &asked).expect(200).await.json();
    assert_eq!((&by_query["profiles"], &by_query["total"]), (&by_body["profiles"], &by_body["total"]));
    assert_eq!(by_body["total"], json!({"value": 3, "relation": "eq"}));
    // A cursor of the one goes on with the other.
    let mut next = asked;
    next.as_object_mut().unwrap().remove("offset");
    next["cursor"] = by_query["next_cursor"].clone();
    let rest = tenant.post("/profiles/search", &next).expect(200).await.json();
    assert_eq!(rest["profiles"][0]["full_name"], "Ada 0");
    assert_eq!(rest["next_cursor"], json!(null));
}

async fn nothing_asked_finds_all(server: &Server) {
    let tenant = server.tenant().await;
    let empty = tenant.get("/profiles").expect(200).await.json();
    assert_eq!(empty, json!({"profiles": [], "next_cursor": null, "total": {"value": 0, "relation": "eq"}}));
    let profile = tenant.profile(json!({"full_name": "Ada"})).await;
    let page = tenant.post("/profiles/search", &json!({})).expect(200).await.json();
    assert_eq!(page, json!({"profiles": [profile], "next_cursor": null, "total": {"value": 1, "relation": "eq"}}));
}

async fn another_tenants_people_are_not_found(server: &Server) {
    let (one, two) = (server.tenant().await, server.tenant().await);
    one.profile(json!({"full_name": "Ada One"})).await;
    two.profile(json!({"full_name": "Ada Two"})).await;
    assert_eq!(one.names("query=ada").await, ["Ada One"]);
    assert_eq!(two.names("filter=full_name%20co%20%22ada%22").await, ["Ada Two"]);
}
