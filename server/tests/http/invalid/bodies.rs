//! Bodies that are no JSON object, too large, or of another type.

use crate::harness::{Server, cases};
use crate::support::client::path_of;
use crate::support::json;
use reqwest::Method;

cases! {
    what_is_not_json_is_malformed,
    json_that_is_no_object_is_invalid,
    only_json_is_taken,
    a_body_too_large_is_refused_before_it_is_read,
    an_answer_that_ends_the_connection_says_so,
    a_body_too_large_is_refused_though_no_length_was_announced,
    a_body_that_breaks_off_writes_nothing,
    a_body_in_chunks_is_read,
    wrong_idempotency_keys_are_named,
}

async fn what_is_not_json_is_malformed(server: &Server) {
    let tenant = server.tenant().await;
    let path = path_of(&tenant.profile(json!({})).await);
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"{",
        b"{]",
        b"{\"full_name\":}",
        b"{'full_name':'A'}",
        b"{\"full_name\":\"A\"} x",
        b"{\"full_name\":\"A\",}",
        b"{\"full_name\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":01}",
        b"NaN",
    ];
    for body in bodies {
        let answers = [
            tenant.call(Method::POST, "/profiles").raw_json(body).expect(400).await,
            tenant.call(Method::PATCH, &path).raw_json(body).expect(400).await,
            tenant.call(Method::POST, "/profiles/search").raw_json(body).expect(400).await,
            tenant.call(Method::PUT, "/users/u/preferences/p").raw_json(body).expect(400).await,
            server.root().call(Method::POST, "/v1/tenants").raw_json(body).expect(400).await,
        ];
        assert!(answers.iter().all(|answer| answer.problem() == "malformed-body"), "{answers:?}");
    }
    // A control character as it is belongs in no JSON text.
    tenant.call(Method::POST, "/profiles").raw_json(b"{\"user_id\":\"u\",\"full_name\":\"a\x00b\"}".as_slice()).expect(400).await;
}

async fn json_that_is_no_object_is_invalid(server: &Server) {
    let tenant = server.tenant().await;
    for body in ["[]", "null", "7", "\"text\"", "true", "[{\"full_name\":\"A\"}]"] {
        tenant.call(Method::POST, "/profiles").raw_json(body).expect_faults(&[""]).await;
        tenant.call(Method::POST, "/profiles/search").raw_json(body).expect_faults(&[""]).await;
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    tenant.call(Method::POST, "/profiles").raw_json(deep).expect_faults(&[""]).await;
}

async fn only_json_is_taken(server: &Server) {
    let tenant = server.tenant().await;
    let body = r#"{"user_id":"u","full_name":"A"}"#;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonx", "image/png", "json", ""] {
        let answer = tenant.call(Method::POST, "/profiles").body(media_type, body).expect(415).await;
        assert_eq!(answer.problem(), "unsupported-media-type");
    }
    let request = format!(
        "POST {}/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        tenant.prefix(),
        tenant.token(),
        body.len()
    );
    assert_eq!(server.raw(request.as_bytes()).await.status, 415, "no media type at all");
    tenant.get("/users/u").expect(404).await;
}

async fn a_body_too_large_is_refused_before_it_is_read(server: &Server) {
    let tenant = server.tenant().await;
    // Announced, and never sent: the answer must not wait for it.
    let request = format!(
        "POST {}/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n",
        tenant.prefix(),
        tenant.token()
    );
    let answer = server.raw(request.as_bytes()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "body-too-large"));
    let large = format!("{{\"user_id\":\"u\",\"full_name\":\"A\"{}}}", " ".repeat(300_000));
    tenant.call(Method::POST, "/profiles").raw_json(large).expect(413).await;
    // On a new connection: see `an_answer_that_ends_the_connection_says_so`.
    let tenant = crate::support::Client::new(&format!("http://{}", server.address)).with_token(tenant.token()).in_tenant(&tenant.name);
    tenant.get("/users/u").expect(404).await;
    let fitting = format!("{{\"user_id\":\"u\",\"full_name\":\"A\"{}}}", " ".repeat(200_000));
    tenant.call(Method::POST, "/profiles").raw_json(fitting).expect(201).await;
}

/// A client, or a balancer, that is not told would send its next request on a connection that is already gone.
async fn an_answer_that_ends_the_connection_says_so(server: &Server) {
    use crate::support::raw;
    use tokio::io::AsyncWriteExt;
    let tenant = server.tenant().await;
    let early = [
        (format!("{}/profiles", tenant.prefix()), format!("Authorization: Bearer {}\r\n", tenant.token()), 413),
        (format!("{}/profiles", tenant.prefix()), String::new(), 401),
        ("/v1/tenants/nobody/profiles".to_owned(), format!("Authorization: Bearer {}\r\n", tenant.token()), 404),
    ];
    let mut untold = Vec::new();
    for (path, token, status) in early {
        let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\n{token}Content-Type: application/json\r\nContent-Length: 300000\r\n\r\n");
        // The answer may come, and the connection end, before all of it is sent.
        let _ = stream.write_all(&[head.into_bytes(), vec![b' '; 300_000]].concat()).await;
        let answer = raw::read_answer(&mut stream).await.unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
        if answer.header("connection") == "close" {
            continue;
        }
        let _ = stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let next = raw::read_answer(&mut stream).await;
        if next.is_none_or(|next| next.status != 200) {
            untold.push(answer);
        }
    }
    assert!(untold.is_empty(), "the connection ended, and these answers did not say so: {untold:?}");
}

async fn a_body_too_large_is_refused_though_no_length_was_announced(server: &Server) {
    let tenant = server.tenant().await;
    let head = format!(
        "POST {}/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        tenant.prefix(),
        tenant.token()
    );
    let mut request = head.into_bytes();
    for _ in 0..9 {
        request.extend(b"8000\r\n");
        request.extend(vec![b' '; 0x8000]);
        request.extend(b"\r\n");
    }
    assert_eq!(server.raw(&request).await.status, 413);
}

async fn a_body_that_breaks_off_writes_nothing(server: &Server) {
    use tokio::io::AsyncWriteExt;
    let tenant = server.tenant().await;
    let head = format!(
        "POST {}/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n",
        tenant.prefix(),
        tenant.token()
    );
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"{\"user_id\":\"u\",\"full_name\":\"A\"}").await.unwrap();
    drop(stream);
    tenant.get("/users/u").expect(404).await;
}

async fn a_body_in_chunks_is_read(server: &Server) {
    let tenant = server.tenant().await;
    let request = format!(
        "POST {}/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         f\r\n{{\"user_id\":\"u\",\r\n10\r\n\"full_name\":\"A\"}}\r\n0\r\n\r\n",
        tenant.prefix(),
        tenant.token()
    );
    assert_eq!(server.raw(request.as_bytes()).await.status, 201);
    tenant.get("/users/u").expect(200).await;
}

async fn wrong_idempotency_keys_are_named(server: &Server) {
    let tenant = server.tenant().await;
    let body = json!({"user_id": "u", "full_name": "A"});
    for key in ["", &"k".repeat(256), "schlüssel"] {
        tenant.post("/profiles", &body).key(key).expect_faults(&["Idempotency-Key"]).await;
    }
    tenant.post("/profiles", &body).key("one").key("two").expect_faults(&["Idempotency-Key"]).await;
    tenant.get("/users/u").expect(404).await;
    tenant.post("/profiles", &body).key(&"k".repeat(255)).expect(201).await;
}
