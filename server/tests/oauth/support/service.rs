//! `n_users serve`, as it is shipped, on a database of its own.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub struct Service {
    pub url: String,
    http: reqwest::Client,
    data: tempfile::TempDir,
    /// Killed with this struct.
    process: Child,
}

impl Drop for Service {
    /// Asks it to end: where coverage is measured, it then writes which lines it ran.
    fn drop(&mut self) {
        let Some(id) = self.process.id() else { return };
        let asked = std::process::Command::new("kill").arg(id.to_string()).status();
        for _ in 0..100 {
            if asked.is_err() || !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

impl Service {
    /// Starts it with these variables; returns once it answers.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_n_users"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--drain-ms", "0"])
            .current_dir(data.path())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("the service ended");
            if let Some((_, url)) = line.split_once("Address   ") {
                break url.to_owned();
            }
        };
        // What it prints later has to go somewhere.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { url, http: reqwest::Client::new(), data, process }
    }

    /// Adds a tenant, as an administrator at the machine does.
    pub async fn create_tenant(&self, name: &str) {
        let command = ["tenant", "create", name];
        let output = Command::new(env!("CARGO_BIN_EXE_n_users")).args(command).current_dir(self.data.path()).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::read(self.request(Method::GET, path, Some(token)).send().await.unwrap()).await
    }

    pub async fn send(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        Answer::read(self.request(method, path, Some(token)).json(&body).send().await.unwrap()).await
    }

    /// Creates a profile; its id.
    pub async fn create_profile(&self, tenant: &str, token: &str, user_id: &str) -> String {
        let body = json!({"full_name": format!("Name of {user_id}"), "user_id": user_id});
        let answer = self.send(Method::POST, &format!("/v1/tenants/{tenant}/profiles"), token, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["profile_id"].as_str().unwrap().to_owned()
    }

    /// The status of a search in this tenant.
    pub async fn search(&self, tenant: &str, token: &str) -> u16 {
        self.get(&format!("/v1/tenants/{tenant}/profiles"), token).await.status
    }

    /// The status, and what is said of the issuer, of readiness.
    pub async fn readiness(&self) -> (u16, Value) {
        let answer = Answer::read(self.request(Method::GET, "/health/ready", None).send().await.unwrap()).await;
        (answer.status, answer.body["dependencies"]["issuer"].clone())
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}
