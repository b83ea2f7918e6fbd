//! From the first connection to the last: accept, serve, drain, stop within a bounded time.

use crate::config::server::ServerConfig;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// After a failed accept (no file descriptors, say): a moment for others to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// SIGTERM from a supervisor, or SIGINT from a person at the terminal.
pub struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

/// Who asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    Supervisor,
    Person,
}

impl StopSignal {
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub async fn received(&mut self) -> StoppedBy {
        tokio::select! {
            _ = self.terminate.recv() => StoppedBy::Supervisor,
            _ = self.interrupt.recv() => StoppedBy::Person,
        }
    }
}

/// Serves until a signal comes; then says "not ready" while a load balancer turns away, and then lets running
/// requests finish. Returns within `drain_ms` + `shutdown_timeout_ms`; a second signal cuts both short.
pub async fn run(listener: TcpListener, router: Router, config: &ServerConfig, draining: &AtomicBool, mut stop: StopSignal) {
    let server = Server { builder: builder(config), router, connections: GracefulShutdown::new() };
    let stopped_by = tokio::select! {
        () = server.accept(&listener) => return,
        stopped_by = stop.received() => stopped_by,
    };
    draining.store(true, Ordering::Relaxed);
    tracing::info!(?stopped_by, "stopping");
    if stopped_by == StoppedBy::Supervisor {
        tokio::select! {
            () = server.accept(&listener) => {}
            () = tokio::time::sleep(config.drain()) => {}
            _ = stop.received() => {}
        }
    }
    drop(listener);
    tokio::select! {
        () = server.connections.shutdown() => {}
        () = tokio::time::sleep(config.shutdown_timeout()) => tracing::warn!("requests that did not finish in time were cut off"),
        _ = stop.received() => tracing::warn!("requests were cut off"),
    }
}

struct Server {
    builder: Builder<TokioExecutor>,
    router: Router,
    connections: GracefulShutdown,
}

fn builder(config: &ServerConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(config.header_timeout());
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30))).max_concurrent_streams(256);
    builder
}

impl Server {
    async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.serve(stream),
                Err(error) => {
                    tracing::warn!(cause = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream) {
        // Answers are small and whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(self.router.clone());
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = self.connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(cause = %error, "a connection ended early");
            }
        });
    }
}
