//! The trace that a caller is within: of a single well-formed `traceparent` (W3C Trace Context, 3.2), and nothing of its `tracestate`,
//! which is whatever the caller makes it.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: &str = "traceparent";

/// With the caller's span, or with none.
pub(super) fn context_of(headers: &HeaderMap) -> Context {
    let Some(given) = traceparent_of(headers) else { return Context::new() };
    TraceContextPropagator::new().extract_with_context(&Context::new(), &given)
}

struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

fn traceparent_of(headers: &HeaderMap) -> Option<Traceparent<'_>> {
    let mut all = headers.get_all(TRACEPARENT).iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    only.to_str().ok().filter(|text| is_traceparent(text)).map(Traceparent)
}

/// Whether it has the form; whether the ids may be, the SDK knows. Versions to come may have more behind a `-`.
fn is_traceparent(text: &str) -> bool {
    let is_hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut parts = text.splitn(5, '-');
    let fields = [2, 32, 16, 2].map(|length| parts.next().is_some_and(|part| is_hex(part, length)));
    fields == [true; 4] && (parts.next().is_none() || !text.starts_with("00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_has_one_form() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(good));
        assert!(is_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes"));
        for bad in [
            "",
            "00-1-2-01",
            "0-+a-+b-1",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, good.parse().unwrap());
        assert!(traceparent_of(&headers).is_some());
        headers.append(TRACEPARENT, good.parse().unwrap());
        assert!(traceparent_of(&headers).is_none(), "whose it is, cannot be told");
    }
}
