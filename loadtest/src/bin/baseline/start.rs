//! How long a service takes from its start to its first answer.

use crate::{failed, write_json};
use clap::Args;
use loadtest::failure::Result;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct StartOptions {
    /// Where the service will listen
    #[arg(long)]
    listen: SocketAddr,
    /// What it must answer with 200, like /v1/tenants/load/profiles?limit=1
    #[arg(long)]
    path: String,
    /// A file with the token to send along
    #[arg(long)]
    token: PathBuf,
    #[arg(long, default_value_t = 3)]
    times: u32,
    #[arg(long)]
    json: PathBuf,
    /// The program and its arguments, behind --
    #[arg(last = true, required = true)]
    program: Vec<String>,
}

pub fn run(options: &StartOptions) -> Result<()> {
    let token = std::fs::read_to_string(&options.token).map_err(|e| failed("the token", e))?;
    let request =
        format!("GET {} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", options.path, token.trim());
    let mut times_ms = Vec::new();
    for _ in 0..options.times {
        times_ms.push(once(options, &request)?);
    }
    times_ms.sort_by(f64::total_cmp);
    let median_ms = times_ms[times_ms.len() / 2];
    println!("start to first answer: {median_ms:.0} ms (of {times_ms:.0?})");
    write_json(&options.json, &serde_json::json!({ "first_answer_ms": median_ms, "all_ms": times_ms }))
}

fn once(options: &StartOptions, request: &str) -> Result<f64> {
    let started = Instant::now();
    let mut command = Command::new(&options.program[0]);
    let mut child = command
        .args(&options.program[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| failed("the service", e))?;
    let answered = loop {
        if answers(options.listen, request) {
            break Ok(started.elapsed().as_secs_f64() * 1e3);
        }
        if started.elapsed() > Duration::from_secs(60) {
            break Err(failed("the service", "did not answer within a minute"));
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let _ = child.kill();
    let _ = child.wait();
    answered
}

fn answers(address: SocketAddr, request: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = Vec::new();
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    sent.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}
