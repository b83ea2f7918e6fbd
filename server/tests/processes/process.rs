//! The n_users binary as a child process, ended with its owner.

use crate::support::token::{ALL_SCOPES, claims, sign};
use crate::support::{Backend, Client, TestDatabase};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_n_users");

/// Longer than any start or stop that is still in order, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs one case on a runtime of its own.
pub fn run<F: Future<Output = ()>>(case: F) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(case);
}

/// Expands each case into a test per backend.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $( #[test] fn $name() { $crate::process::run(super::$name($crate::support::Backend::Sqlite)); } )+
        }
        mod postgres {
            $( #[test] fn $name() { $crate::process::run(super::$name($crate::support::Backend::Postgres)); } )+
        }
    };
}
pub(crate) use cases;

/// A folder and a database for one or several processes.
pub struct Place {
    folder: TempDir,
    pub database: TestDatabase,
    settings: Vec<(String, String)>,
}

impl Place {
    pub async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(backend, folder.path()).await;
        Self { folder, database, settings: Vec::new() }
    }

    /// With a variable of the environment for every process that is started here.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The program with nothing of this machine's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.folder(), arguments);
        command.env("DATABASE_URL", &self.database.url).env("DATA_DIR", self.data_dir()).env("LISTEN", "127.0.0.1:0");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a service, which may not be ready yet.
    pub fn launch(&self) -> Service {
        Service::launch(&mut self.command(&[]), &self.data_dir())
    }

    /// Starts a service and waits until it is ready.
    pub fn start(&self) -> Service {
        let mut service = self.launch();
        service.wait_until_ready();
        service
    }
}

/// The program in this folder, with no setting at all.
#[expect(clippy::disallowed_methods, reason = "this is no setting of the service")]
pub fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    // Where coverage is measured: else it writes into the folder.
    command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)));
    command
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Output {
    command.output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running service.
pub struct Service {
    child: Child,
    data_dir: PathBuf,
    stdout: mpsc::Receiver<String>,
    banner: Vec<String>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub fn launch(command: &mut Command, data_dir: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, stdout) = mpsc::channel();
        read_lines(child.stdout.take().unwrap(), move |line| drop(sender.send(line)));
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        read_lines(child.stderr.take().unwrap(), move |line| kept.lock().unwrap().push(line));
        Self { child, data_dir: data_dir.to_owned(), stdout, banner: Vec::new(), log }
    }

    /// Waits for the whole banner, which the program prints once it is ready.
    pub fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.banner.iter().any(|line| line.trim().starts_with("curl ")) {
            match self.stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.banner.push(line),
                Err(_) => panic!("the service did not become ready: {:?}\n{}", self.banner, self.log().join("\n")),
            }
        }
    }

    pub fn banner(&self) -> &[String] {
        &self.banner
    }

    /// From the banner, or, before it is ready, from the log.
    pub fn address(&self) -> String {
        if let Some(address) = self.banner.iter().find_map(|line| line.trim().strip_prefix("Address   http://")) {
            return address.to_owned();
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.log().iter().find_map(|line| {
                let event: serde_json::Value = serde_json::from_str(line).ok()?;
                (event["message"] == "listening").then(|| event["address"].as_str().map(str::to_owned))?
            });
            match found {
                Some(address) => return address,
                None => assert!(Instant::now() < deadline, "the service does not say where it listens: {:?}", self.log()),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn anonymous(&self) -> Client {
        Client::new(&format!("http://{}", self.address()))
    }

    /// A client with all rights, in the tenant `default`.
    pub fn client(&self) -> Client {
        self.client_with(ALL_SCOPES)
    }

    pub fn client_with(&self, scope: &str) -> Client {
        self.anonymous().with_token(&sign(&self.data_dir, &claims("*", scope, "tester"))).in_tenant("default")
    }

    /// What was written to standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "no signal could be sent");
    }

    /// As a power cut would: nothing of the program runs any more.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The end, which must come within this time.
    pub fn wait_for_exit(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the service is still there after {within:?}: {}", self.log().join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stream: impl Read + Send + 'static, take: impl FnMut(String) + Send + 'static) {
    std::thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).for_each(take));
}

/// Runs a line of shell in this folder, with a path to find programs and nothing else.
pub fn bash(folder: &Path, line: &str) -> Output {
    let search_path: &OsStr = OsStr::new("/usr/local/bin:/usr/bin:/bin");
    Command::new("/bin/bash").arg("-c").arg(line).current_dir(folder).env_clear().env("PATH", search_path).output().unwrap()
}

/// Asks again until the answer is as it should be.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
