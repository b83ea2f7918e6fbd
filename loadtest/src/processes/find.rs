//! Finds the server by the port that it listens on, and the database by the server's connections to it.

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process, all_processes};
use serde::Serialize;
use std::collections::HashSet;
use std::net::SocketAddr;

/// Where something runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Place {
    ThisMachine {
        pid: i32,
    },
    /// The database is a file of the server's.
    InTheServer,
    NotOnThisMachine,
}

impl Place {
    pub fn pid(&self) -> Option<i32> {
        match self {
            Self::ThisMachine { pid } => Some(*pid),
            Self::InTheServer | Self::NotOnThisMachine => None,
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::ThisMachine { pid } => format!("process {pid}"),
            Self::InTheServer => "in the server".to_owned(),
            Self::NotOnThisMachine => "not on this machine".to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Places {
    pub server: Place,
    pub database: Place,
}

impl Places {
    /// `database_pid` names the database's first process where it cannot be found, as behind a Unix socket.
    pub fn find(server: SocketAddr, database_pid: Option<i32>) -> Self {
        let server = if server.ip().is_loopback() || is_own_address(server) { listener(server.port()) } else { None };
        let Some(pid) = server else {
            let database = database_pid.map_or(Place::NotOnThisMachine, |pid| Place::ThisMachine { pid });
            return Self { server: Place::NotOnThisMachine, database };
        };
        let database = match database_pid {
            Some(pid) => Place::ThisMachine { pid },
            None => database_of(pid),
        };
        Self { server: Place::ThisMachine { pid }, database }
    }
}

fn is_own_address(address: SocketAddr) -> bool {
    std::net::UdpSocket::bind((address.ip(), 0)).is_ok()
}

fn connections() -> Vec<TcpNetEntry> {
    let mut all = procfs::net::tcp().unwrap_or_default();
    all.extend(procfs::net::tcp6().unwrap_or_default());
    all
}

/// The process that listens on a port: the first one, if it has passed its socket on to children.
fn listener(port: u16) -> Option<i32> {
    let listens = |entry: &&TcpNetEntry| entry.state == TcpState::Listen && entry.local_address.port() == port;
    let sockets: HashSet<u64> = connections().iter().filter(listens).map(|entry| entry.inode).collect();
    let has_one = |process: &Process| sockets_of(process).iter().any(|inode| sockets.contains(inode));
    all_processes().ok()?.flatten().filter(has_one).map(|process| process.pid).min()
}

fn sockets_of(process: &Process) -> Vec<u64> {
    let Ok(files) = process.fd() else { return Vec::new() };
    let inode = |target: FDTarget| if let FDTarget::Socket(inode) = target { Some(inode) } else { None };
    files.flatten().filter_map(|file| inode(file.target)).collect()
}

/// Who listens where the server is connected to, and is PostgreSQL.
fn database_of(server: i32) -> Place {
    let Ok(process) = Process::new(server) else { return Place::NotOnThisMachine };
    let sockets: HashSet<u64> = sockets_of(&process).into_iter().collect();
    let connections = connections();
    let listening: HashSet<u16> =
        connections.iter().filter(|entry| entry.state == TcpState::Listen).map(|entry| entry.local_address.port()).collect();
    let own_ports: HashSet<u16> = connections
        .iter()
        .filter(|entry| entry.state == TcpState::Listen && sockets.contains(&entry.inode))
        .map(|entry| entry.local_address.port())
        .collect();
    let outgoing: Vec<&TcpNetEntry> = connections
        .iter()
        .filter(|entry| entry.state == TcpState::Established && sockets.contains(&entry.inode))
        .filter(|entry| !own_ports.contains(&entry.local_address.port()))
        .collect();
    let candidates: HashSet<u16> =
        outgoing.iter().map(|entry| entry.remote_address.port()).filter(|port| listening.contains(port)).collect();
    let is_postgres = |pid: &i32| Process::new(*pid).and_then(|process| process.stat()).is_ok_and(|stat| stat.comm == "postgres");
    match candidates.into_iter().filter_map(listener).find(is_postgres) {
        Some(pid) => Place::ThisMachine { pid },
        None if outgoing.is_empty() && holds_database_file(&process) => Place::InTheServer,
        None => Place::NotOnThisMachine,
    }
}

fn holds_database_file(process: &Process) -> bool {
    let Ok(files) = process.fd() else { return false };
    // SQLite's write-ahead log stands beside its database under this name.
    files.flatten().any(|file| matches!(&file.target, FDTarget::Path(path) if path.to_string_lossy().ends_with("-wal")))
}
