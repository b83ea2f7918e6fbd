//! One HTTP/1.1 connection that carries one request at a time and is opened anew when it was closed.

use super::Target;
use bytes::Bytes;
use http::header::HOST;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    /// What kind of refusal it is: the status, and the last part of the problem's type.
    pub fn kind(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = problem["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default();
        format!("{} {kind}", self.status.as_u16()).trim_end().to_owned()
    }

    /// The same with all that the answer says.
    pub fn describe(&self) -> String {
        format!("{} {}", self.status.as_u16(), String::from_utf8_lossy(&self.body))
    }
}

pub struct Connection {
    target: Target,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub fn new(target: Target) -> Self {
        Self { target, sender: None }
    }

    pub async fn open(&mut self) -> Result<(), String> {
        let opened = async {
            let stream = TcpStream::connect(self.target.address).await.map_err(|e| e.to_string())?;
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
            tokio::spawn(connection);
            Ok(sender)
        };
        let opened: Result<_, String> =
            tokio::time::timeout(self.target.timeout, opened).await.unwrap_or_else(|_| Err("no connection in time".to_owned()));
        self.sender = Some(opened?);
        Ok(())
    }

    /// Sends a request and reads the whole answer. The error is its kind, short enough for a table.
    pub async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let timeout = self.target.timeout;
        match tokio::time::timeout(timeout, self.try_exchange(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kind)) => {
                self.sender = None;
                Err(kind)
            }
            Err(_) => {
                self.sender = None;
                Err("timeout".to_owned())
            }
        }
    }

    async fn try_exchange(&mut self, mut request: Request<Full<Bytes>>) -> Result<Answer, String> {
        request.headers_mut().insert(HOST, self.target.host.clone());
        // A server may close a connection between two requests; one that nothing was sent of is sent on another.
        for _ in 0..2 {
            if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
                self.open().await.map_err(|_| "no connection".to_owned())?;
            }
            let Some(sender) = &mut self.sender else { break };
            if sender.ready().await.is_err() {
                self.sender = None;
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    let body = body.collect().await.map_err(|_| "answer cut short".to_owned())?.to_bytes();
                    return Ok(Answer { status: parts.status, body });
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) => {
                        self.sender = None;
                        request = unsent;
                    }
                    None => break,
                },
            }
        }
        Err("connection closed".to_owned())
    }
}
