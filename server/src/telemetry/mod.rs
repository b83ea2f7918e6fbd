//! What the service says of itself.

pub mod buffer;
pub mod logs;
pub mod metrics;
mod process;
mod traceparent;
pub mod traces;
pub mod wait;

use http::Method;

/// The target of the lines that tell of requests.
pub const ACCESS: &str = "access";

/// The method's name, if it is one that HTTP APIs use: clients may make up others, of any text.
pub fn known_method(method: &Method) -> Option<&'static str> {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.iter().zip(names).find_map(|(known, name)| (known == method).then_some(name))
}
