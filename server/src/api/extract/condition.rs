//! Conditional requests (RFC 9110 §13): the ETag of a resource is its version in quotes.

use crate::domain::invalid::Faults;
use crate::domain::version::{Expected, Version};
use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

/// The ETag of a version.
pub fn etag(version: Version) -> String {
    format!("\"{}\"", version.0)
}

/// The condition of `If-Match`. Weak tags never match here (§13.1.1).
pub fn if_match(headers: &HeaderMap) -> Result<Expected, Faults> {
    let Some(tags) = tags(headers, &IF_MATCH)? else { return Ok(Expected::Any) };
    if tags.iter().any(|tag| tag == "*") {
        return Ok(Expected::Any);
    }
    Ok(Expected::OneOf(tags.iter().filter_map(|tag| version_of(tag)).collect()))
}

/// Whether `If-None-Match` names this version, so that the client has it already.
pub fn is_known(headers: &HeaderMap, version: Version) -> bool {
    let tags = tags(headers, &IF_NONE_MATCH).ok().flatten().unwrap_or_default();
    tags.iter().any(|tag| tag == "*" || version_of(tag.strip_prefix("W/").unwrap_or(tag)) == Some(version))
}

/// Whether `If-None-Match` names this tag, in quotes.
pub fn names(headers: &HeaderMap, etag: &str) -> bool {
    let tags = tags(headers, &IF_NONE_MATCH).ok().flatten().unwrap_or_default();
    tags.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn version_of(tag: &str) -> Option<Version> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok().map(Version)
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Vec<String>>, Faults> {
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            if tag != "*" && !(opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"')) {
                return Err(Faults::header(name.as_str(), "must be an ETag in double quotes, like \"3\", a list of them, or *"));
            }
            tags.push(tag.to_owned());
        }
    }
    Ok(if headers.contains_key(name) { Some(tags) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, http::HeaderValue::from_static(value))])
    }

    #[test]
    fn if_match_takes_tags_lists_and_a_star() {
        let one_of = |versions: &[i64]| Expected::OneOf(versions.iter().copied().map(Version).collect());
        assert_eq!(if_match(&HeaderMap::new()), Ok(Expected::Any));
        assert_eq!(if_match(&headers(IF_MATCH, "*")), Ok(Expected::Any));
        assert_eq!(if_match(&headers(IF_MATCH, "\"3\"")), Ok(one_of(&[3])));
        assert_eq!(if_match(&headers(IF_MATCH, "\"3\", \"4\"")), Ok(one_of(&[3, 4])));
        assert_eq!(if_match(&headers(IF_MATCH, "\"abc\", W/\"3\"")), Ok(one_of(&[])));
        assert!(if_match(&headers(IF_MATCH, "3")).is_err());
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for tags in ["\"3\"", "W/\"3\"", "*", "\"1\", \"3\""] {
            assert!(is_known(&headers(IF_NONE_MATCH, tags), Version(3)), "{tags}");
        }
        assert!(!is_known(&headers(IF_NONE_MATCH, "\"2\""), Version(3)));
        assert!(!is_known(&HeaderMap::new(), Version(3)));
    }
}
