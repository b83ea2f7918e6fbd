//! Requests byte by byte: what no client library would send must be answered too.

use super::{Answer, Client};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any deadline of the service.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends the bytes and reads one answer. The request must ask for `Connection: close`.
pub async fn exchange(address: &str, request: &[u8]) -> Answer {
    let what = String::from_utf8_lossy(request).split('\r').next().unwrap_or_default().to_owned();
    let (status, headers, body) = tokio::time::timeout(PATIENCE, bytes_of_answer(address, request))
        .await
        .unwrap_or_else(|_| panic!("no answer to {:?}", String::from_utf8_lossy(request)));
    Answer::of_raw(what, status, headers, body)
}

async fn bytes_of_answer(address: &str, request: &[u8]) -> (u16, HeaderMap, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The service may answer, and close, before it has read all of it.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    parse(&answer)
        .unwrap_or_else(|| panic!("not an answer: {:?} to {:?}", String::from_utf8_lossy(&answer), String::from_utf8_lossy(request)))
}

/// Status, headers and body of an answer in HTTP/1.1.
pub fn parse(answer: &[u8]) -> Option<(u16, HeaderMap, Vec<u8>)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some((status, headers, answer[end + 4..].to_vec()))
}

/// The head of a create, with the request id `of-a-create`, whose body of so many bytes is yet to come.
pub fn head_of_create(version: &str, client: &Client, length: usize) -> String {
    let token = client.token();
    format!(
        "POST /v1/tenants/default/profiles {version}\r\nHost: n\r\nX-Request-Id: of-a-create\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// One answer of a connection that may go on; `None` when the connection ends instead.
pub async fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let reading = async {
        let mut bytes = Vec::new();
        loop {
            if let Some((status, headers, body)) = parse(&bytes) {
                let length = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
                if body.len() >= length {
                    return Some(Answer::of_raw("raw".to_owned(), status, headers, body));
                }
            }
            let mut some = [0; 4096];
            match stream.read(&mut some).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend_from_slice(&some[..count]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("neither an answer nor an end")
}
