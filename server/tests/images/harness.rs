//! The program and an S3 server, each a process of its own, and a client that knows both.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_n_users");
pub const BUCKET: &str = "pictures";
pub const PREFIX: &str = "some/prefix";
pub const TENANT: &str = "default";

/// Expands each case into a test per place where images may lie.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod folder {
            $( #[tokio::test] async fn $name() { super::$name($crate::harness::World::on_folder(&[]).await).await } )+
        }
        mod s3 {
            $( #[tokio::test] async fn $name() { super::$name($crate::harness::World::on_s3(&[]).await).await } )+
        }
    };
}
pub(crate) use on_both;

/// Ended when dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An S3 server on a folder.
pub struct S3 {
    process: Option<Process>,
    port: u16,
    folder: TempDir,
}

impl S3 {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut s3 = Self { process: None, port, folder };
        s3.resume().await;
        s3
    }

    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it (again) where it was.
    pub async fn resume(&mut self) {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/s3s-fs");
        let process = Command::new(&program)
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--access-key", "test-key", "--secret-key", "test-secret"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = process else { panic!("{} is missing: scripts/test.sh installs it", program.display()) };
        self.process = Some(Process(process));
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the S3 server does not answer");
    }
}

/// One running service with its data and its images.
pub struct World {
    service: Option<Process>,
    pub address: String,
    data: TempDir,
    pub s3: Option<S3>,
    settings: Vec<(String, String)>,
    token: String,
    client: reqwest::Client,
}

impl World {
    pub async fn on_folder(settings: &[(&str, &str)]) -> Self {
        Self::start(None, settings).await
    }

    pub async fn on_s3(settings: &[(&str, &str)]) -> Self {
        Self::start(Some(S3::start().await), settings).await
    }

    async fn start(s3: Option<S3>, settings: &[(&str, &str)]) -> Self {
        let mut settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if let Some(s3) = &s3 {
            let endpoint = format!("http://127.0.0.1:{}", s3.port);
            let url = format!("s3://{BUCKET}/{PREFIX}");
            // The second names, so that they are tried too.
            let s3 = [
                ("IMAGES_URL", url.as_str()),
                ("AWS_ENDPOINT_URL", &endpoint),
                ("AWS_SECRET_ID", "test-key"),
                ("AWS_SECRET", "test-secret"),
            ];
            settings.extend(s3.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let client =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0).build().unwrap();
        let data = tempfile::tempdir().unwrap();
        let mut world = Self { service: None, address: String::new(), data, s3, settings, token: String::new(), client };
        world.restart();
        world.token = world.mint(TENANT, "profiles:read profiles:write profiles:admin tenants:admin", "tester");
        world
    }

    /// Starts the service; one that runs is killed, without a warning.
    pub fn restart(&mut self) {
        self.service = None;
        let mut command = self.command(&[]);
        let mut child = command.env("LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let banner = BufReader::new(child.stdout.take().unwrap());
        self.service = Some(Process(child));
        let address =
            banner.lines().map_while(Result::ok).find_map(|line| line.trim().strip_prefix("Address   http://").map(str::to_owned));
        self.address = address.unwrap();
    }

    pub fn kill(&mut self) {
        self.service = None;
    }

    pub fn pid(&self) -> u32 {
        self.service.as_ref().unwrap().0.id()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        // In a folder of its own: no n_users.toml of the developer is read.
        command
            .args(arguments)
            .env("DATA_DIR", self.data.path())
            .env("LOG", "error")
            .current_dir(self.data.path())
            .stderr(Stdio::inherit());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command of the program beside the service; what it prints.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn mint(&self, tenant: &str, scope: &str, subject: &str) -> String {
        self.run(&["token", "--tenant", tenant, "--scope", scope, "--subject", subject]).trim().to_owned()
    }

    /// Where the objects lie as files.
    pub fn objects(&self) -> PathBuf {
        match &self.s3 {
            Some(s3) => s3.folder.path().join(BUCKET).join(PREFIX),
            None => self.data.path().join("images"),
        }
    }

    /// The objects that there are, by their keys.
    pub fn keys(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.objects(), &mut found);
        let mut keys: Vec<_> = found.iter().map(|path| path.strip_prefix(self.objects()).unwrap().to_str().unwrap().to_owned()).collect();
        keys.sort();
        keys
    }

    pub fn database(&self) -> PathBuf {
        self.data.path().join("n_users.db")
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_by(&self.token, method, path)
    }

    pub fn request_by(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address)).bearer_auth(token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(method, path).header("content-type", "application/json").body(body.to_string())).await
    }

    /// A new profile's path.
    pub async fn profile(&self, user_id: &str) -> String {
        self.profile_in(TENANT, user_id).await
    }

    pub async fn profile_in(&self, tenant: &str, user_id: &str) -> String {
        let body = json!({"full_name": "Ada Lovelace", "user_id": user_id});
        let answer = self.send(Method::POST, &format!("/v1/tenants/{tenant}/profiles"), &body).await.expect(201);
        format!("/v1/tenants/{tenant}/profiles/{}", answer.json()["profile_id"].as_str().unwrap())
    }

    pub fn put(&self, profile: &str, media_type: &str, file: Vec<u8>) -> RequestBuilder {
        self.request(Method::PUT, &format!("{profile}/image")).header("content-type", media_type).body(file)
    }

    pub async fn upload(&self, profile: &str, file: Vec<u8>) -> Answer {
        Answer::of(self.put(profile, "image/jpeg", file)).await
    }

    /// The three pictures of a profile, each of which must be whole.
    pub async fn pictures(&self, profile: &str) -> [image::DynamicImage; 3] {
        let mut pictures = Vec::new();
        for size in ["original", "256", "64"] {
            let answer = self.get(&format!("{profile}/image?size={size}")).await.expect(200);
            pictures.push(image::load_from_memory(&answer.body).unwrap());
        }
        pictures.try_into().unwrap()
    }

    /// Waits for what is done behind an answer.
    pub async fn eventually(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < Duration::from_secs(20), "{what}: {:?}", self.keys());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(headers.contains_key("retry-after"));
        }
        Self { status: status.as_u16(), headers, body: response.bytes().await.unwrap().to_vec() }
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The kind of a problem, and its sentence.
    #[track_caller]
    pub fn problem(&self) -> (String, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        let kind = json["type"].as_str().unwrap().trim_start_matches("urn:n_users:problem:").to_owned();
        (kind, json["detail"].as_str().unwrap().to_owned())
    }
}
