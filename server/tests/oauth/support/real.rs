//! The certified authorization server, a process of its own.

use super::free_port;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const STARTS: usize = 3;
const START_WITHIN: Duration = Duration::from_secs(20);

pub struct RealIssuer {
    pub url: String,
    port: u16,
    http: reqwest::Client,
    running: Option<Running>,
}

struct Running {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(port: u16) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oauth/issuer");
        assert!(folder.join("node_modules").exists(), "run scripts/test.sh, or npm ci in {}", folder.display());
        let mut process = Command::new("node")
            .args(["issuer.mjs", &port.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node 20 or newer is needed");
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()).lines());
        Self { process, input, output }
    }

    /// Waits for this line; `false` when the issuer ended before.
    async fn says(&mut self, expected: &str) -> bool {
        while let Some(line) = self.output.next_line().await.unwrap() {
            if line == expected {
                return true;
            }
        }
        false
    }
}

impl RealIssuer {
    /// It is not there yet, but its address is known.
    pub fn down() -> Self {
        let port = free_port();
        Self { url: format!("http://127.0.0.1:{port}"), port, http: reqwest::Client::new(), running: None }
    }

    pub async fn start() -> Self {
        let mut issuer = Self::down();
        issuer.come_up().await;
        issuer
    }

    pub async fn come_up(&mut self) {
        // Node was seen to hang before it ran a line; a start takes less than a second otherwise.
        for _ in 0..STARTS {
            let mut running = Running::start(self.port);
            if let Ok(true) = tokio::time::timeout(START_WITHIN, running.says("ready")).await {
                self.running = Some(running);
                return;
            }
            let _ = running.process.kill().await;
        }
        panic!("the issuer did not start on port {}, {STARTS} times within {START_WITHIN:?} each", self.port);
    }

    pub async fn stop(&mut self) {
        let mut running = self.running.take().unwrap();
        running.process.kill().await.unwrap();
    }

    /// New keys sign from now on; the old ones stay published.
    pub async fn rotate(&mut self) {
        let running = self.running.as_mut().unwrap();
        running.input.write_all(b"rotate\n").await.unwrap();
        assert!(running.says("done rotate").await, "the issuer ended");
    }

    /// A token for the client of this name (`acme`, `both`, `all` or `lost`: the tenants that its tokens name).
    pub async fn token(&self, client: &str, resource: &str, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
        let answer = self.post("token", client, &form).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub async fn revoke(&self, client: &str, token: &str) {
        self.post("token/revocation", client, &[("token", token)]).await;
    }

    async fn post(&self, path: &str, client: &str, form: &[(&str, &str)]) -> Value {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(format!("{}/{path}", self.url)).basic_auth(client, Some(format!("{client}%20secret")));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}
