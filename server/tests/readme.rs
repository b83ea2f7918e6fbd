//! The README's tour, run as written: what a newcomer sees is what it shows.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const README: &str = include_str!("../../README.md");
const PROGRAM: &str = env!("CARGO_BIN_EXE_n_users");
const ADDRESS_IN_README: &str = "127.0.0.1:8085";

/// A command and what it prints.
struct Step {
    command: String,
    shown: String,
}

/// The `console` blocks: a line that starts with `$ ` is a command, what follows is its output.
fn tour() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in README.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            line if inside => match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step { command: command.to_owned(), shown: String::new() }),
                None => {
                    let shown = &mut steps.last_mut().unwrap().shown;
                    shown.push_str(line);
                    shown.push('\n');
                }
            },
            _ => {}
        }
    }
    steps
}

struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(data_dir: &std::path::Path) -> Self {
        let mut process = Command::new(PROGRAM)
            .env("DATA_DIR", data_dir)
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let banner = BufReader::new(process.stdout.take().unwrap());
        let address =
            banner.lines().map_while(Result::ok).find_map(|line| line.trim().strip_prefix("Address   http://").map(str::to_owned));
        Self { process, address: address.unwrap() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Ids and times differ from run to run: every digit and letter of one becomes `x`.
fn masked(text: &str) -> String {
    let is_id = |word: &str| {
        let hex = word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let time = word.len() == 13 && word.chars().all(|c| c.is_ascii_digit());
        time || (hex && (word.len() == 36 || word.len() == 32))
    };
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
            continue;
        }
        if is_id(&word) {
            word = "x".to_owned();
        }
        out.push_str(&word);
        out.push(c);
        word.clear();
    }
    out.trim_end().to_owned()
}

#[test]
fn the_tour_prints_what_the_readme_shows() {
    let steps = tour();
    assert!(steps.len() > 15, "the tour was not found in the README");
    let data_dir = tempfile::tempdir().unwrap();
    let service = Service::start(data_dir.path());
    let mut script = String::new();
    for step in &steps {
        let command = step.command.replace("./target/release/n_users", PROGRAM).replace(ADDRESS_IN_README, &service.address);
        script.push_str(&format!("{command}\necho '@@end of step'\n"));
    }
    let run = Command::new("bash").args(["-c", &script]).env("DATA_DIR", data_dir.path()).output().unwrap();
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).unwrap();
    for (step, printed) in steps.iter().zip(printed.split("@@end of step\n")) {
        assert_eq!(masked(printed), masked(&step.shown), "$ {}", step.command);
    }
}
