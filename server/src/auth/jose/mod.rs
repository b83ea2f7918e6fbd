//! The form of a JWT (RFC 7519 §7.2, RFC 7515 §5.2): pure, strict, and before anything is believed. A member that
//! stands twice, at any depth, is refused (RFC 7515 §4), because two readers would see two tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest key id.
const MAX_KID_BYTES: usize = 512;

/// Header parameters by which a token would bring its own key (RFC 8725 §3.10), or that change how it is read.
const REFUSED_PARAMETERS: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "enc", "zip"];

/// A JWT taken apart, not yet verified.
#[derive(Debug)]
pub struct Jwt<'a> {
    pub alg: String,
    pub typ: Option<String>,
    pub kid: Option<String>,
    pub claims: Map<String, Value>,
    /// What is signed: header and claims as sent.
    pub signed: &'a str,
    /// base64url, in its one canonical form.
    pub signature: &'a str,
}

/// What kind of token a string is.
#[derive(Debug)]
pub enum Token<'a> {
    Jwt(Jwt<'a>),
    /// Means something to its issuer only.
    Opaque,
}

/// What is wrong with a token's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the token is longer than 8 KiB")]
    TooLong,
    #[error("the token has characters that no access token has")]
    Characters,
    #[error("the token's header is not valid: alg, typ and kid must be text, and no member may stand twice")]
    Header,
    #[error("the token's header has a parameter that is refused here (jwk, jku, x5u, x5c, crit, b64, enc or zip)")]
    Parameter,
    #[error("the token's claims are not a JSON object in base64url without padding in which no member stands twice")]
    Claims,
    #[error("the token's signature is not base64url without padding, or is missing")]
    Signature,
}

/// Takes a token apart. A string whose first of three parts is no JSON object is opaque.
pub fn parse(token: &str) -> Result<Token<'_>, Malformed> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Malformed::TooLong);
    }
    if !is_b64token(token) {
        return Err(Malformed::Characters);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Ok(Token::Opaque);
    };
    let Some(header_json) = decode(header).filter(|json| json.trim_ascii_start().starts_with(b"{")) else { return Ok(Token::Opaque) };
    let mut members = object(&header_json).ok_or(Malformed::Header)?;
    if REFUSED_PARAMETERS.iter().any(|name| members.contains_key(*name)) {
        return Err(Malformed::Parameter);
    }
    let alg = text(&mut members, "alg")?.ok_or(Malformed::Header)?;
    let typ = text(&mut members, "typ")?;
    let kid = text(&mut members, "kid")?;
    if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
        return Err(Malformed::Header);
    }
    let signed = &token[..header.len() + 1 + claims.len()];
    let claims = decode(claims).and_then(|json| object(&json)).ok_or(Malformed::Claims)?;
    if decode(signature).is_none_or(|bytes| bytes.is_empty()) {
        return Err(Malformed::Signature);
    }
    Ok(Token::Jwt(Jwt { alg, typ, kid, claims, signed, signature }))
}

/// The characters of RFC 6750 §2.1.
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Malformed> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed::Header),
    }
}

/// A JSON object in which no member stands twice.
pub fn object(json: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(json) {
        Ok(Strict(Value::Object(members))) => Some(members),
        _ => None,
    }
}

/// Any JSON value without double members.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON in which no member stands twice")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests;
