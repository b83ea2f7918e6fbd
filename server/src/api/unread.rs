//! A request's body that may stay unread: the connection then ends with the answer, and the answer should say so.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::Frame;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// Whether a body was read to its end.
#[derive(Clone)]
pub struct ReadToEnd(Arc<AtomicBool>);

impl ReadToEnd {
    pub fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The same request, its body watched.
pub fn watched(request: Request) -> (Request, ReadToEnd) {
    let (parts, body) = request.into_parts();
    let read = ReadToEnd(Arc::new(AtomicBool::new(body.is_end_stream())));
    if read.holds() {
        return (Request::from_parts(parts, body), read);
    }
    let watched = Watched { body, read: read.0.clone() };
    (Request::from_parts(parts, Body::new(watched)), read)
}

struct Watched {
    body: Body,
    read: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if self.body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            self.read.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
