//! A proxy between the service and PostgreSQL, which can be cut, be silent, and come back under the same address.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub struct Proxy {
    address: String,
    target: String,
    silent: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy that lets nothing through yet.
    pub async fn cut_off(target: &str) -> Self {
        // The port is kept by nobody until `restore`: others take ports from the kernel, which does not hand this out again soon.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        Self { address, target: target.to_owned(), silent: Arc::default(), running: None }
    }

    pub async fn open(target: &str) -> Self {
        let mut proxy = Self::cut_off(target).await;
        proxy.restore().await;
        proxy
    }

    /// A database's URL, by way of this proxy.
    pub fn url(&self, direct: &str) -> String {
        direct.replace(&self.target, &self.address)
    }

    pub async fn restore(&mut self) {
        self.silent.store(false, Ordering::Relaxed);
        let listener = TcpListener::bind(&self.address).await.unwrap();
        self.running = Some(tokio::spawn(accept(listener, self.target.clone(), self.silent.clone())));
    }

    /// Ends all connections and refuses new ones.
    pub async fn cut(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// Keeps all connections and lets nothing through, as a network does that drops packets.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    pub fn speak(&self) {
        self.silent.store(false, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

/// The connections end with this task, because it owns them.
async fn accept(listener: TcpListener, target: String, silent: Arc<AtomicBool>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let Ok(server) = TcpStream::connect(&target).await else { continue };
        let silent = silent.clone();
        connections.spawn(async move {
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // Either end closes both.
            tokio::select! {
                () = forward(from_client, to_server, &silent) => {}
                () = forward(from_server, to_client, &silent) => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn forward(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf, silent: &AtomicBool) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else { return };
        while silent.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
