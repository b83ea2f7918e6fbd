//! A JSON object as a client sends it: syntax first, then field by field, with every fault at once.
//!
//! Members are kept raw until a field's type asks for them, because a lone surrogate or a number out of range is the
//! fault of one field, while broken syntax is the fault of the whole.

use super::invalid::Faults;
use super::patch::Patch;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Why a body could not be read as a JSON object.
#[derive(Debug)]
pub enum DocumentError {
    /// Not JSON at all; the text says where.
    Malformed(String),
    /// JSON, but not an object, or with a member twice.
    Invalid(Faults),
}

/// A type that is parsed from one member of a document.
pub trait FromJson: Sized {
    /// The error says what is expected.
    fn from_json(value: Value) -> Result<Self, String>;
}

/// The members that have not been taken yet, and the faults found so far.
#[derive(Debug, Default)]
pub struct Document {
    members: BTreeMap<String, Box<RawValue>>,
    faults: Faults,
}

impl Document {
    pub fn parse(body: &[u8]) -> Result<Self, DocumentError> {
        let malformed = |e: &dyn std::fmt::Display| DocumentError::Malformed(format!("the body is not valid JSON: {e}"));
        let text = std::str::from_utf8(body).map_err(|e| malformed(&e))?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|e| malformed(&e))?;
        if !raw.get().starts_with('{') {
            return Err(DocumentError::Invalid(Faults::field("", "must be a JSON object")));
        }
        let mut faults = Faults::default();
        let members = serde_json::Deserializer::from_str(raw.get()).deserialize_map(Members(&mut faults)).map_err(|e| malformed(&e))?;
        Ok(Self { members, faults })
    }

    /// Takes a member: absent is `Keep`, `null` is `Clear`. A value of the wrong kind is noted and read as `Keep`.
    pub fn take<T: FromJson>(&mut self, name: &str) -> Patch<T> {
        let Some(raw) = self.members.remove(name) else { return Patch::Keep };
        match parse_value(raw.get()).and_then(|value| match value {
            Value::Null => Ok(Patch::Clear),
            value => T::from_json(value).map(Patch::Set),
        }) {
            Ok(patch) => patch,
            Err(detail) => {
                self.faults.add_field(name, detail);
                Patch::Keep
            }
        }
    }

    /// Notes a fault if the member is there.
    pub fn refuse(&mut self, name: &str, detail: &str) {
        if self.members.remove(name).is_some() {
            self.faults.add_field(name, detail);
        }
    }

    pub fn add_fault(&mut self, name: &str, detail: &str) {
        self.faults.add_field(name, detail);
    }

    pub fn has_fault(&self, name: &str) -> bool {
        self.faults.mentions(name)
    }

    /// Every fault found, what nobody took included.
    pub fn finish(mut self) -> Result<(), Faults> {
        for name in self.members.keys() {
            self.faults.add_field(name, "is not a known field");
        }
        self.faults.into_result()
    }
}

/// Parses one JSON value and refuses what no store could keep: NUL, lone surrogates, numbers out of range.
pub fn parse_value(raw: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(raw).map_err(|e| {
        let reason = e.to_string();
        if reason.contains("surrogate") || reason.contains("hex escape") {
            "must be valid Unicode: it contains a lone surrogate".to_owned()
        } else if reason.contains("recursion") {
            "is nested too deeply".to_owned()
        } else if reason.contains("out of range") {
            "contains a number that is out of range".to_owned()
        } else {
            format!("is not valid: {reason}")
        }
    })?;
    if contains_nul(&value) {
        return Err("must not contain the character U+0000".to_owned());
    }
    Ok(value)
}

fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(contains_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || contains_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

struct Members<'a>(&'a mut Faults);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = BTreeMap<String, Box<RawValue>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if members.contains_key(&name) {
                self.0.add_field(&name, "is given twice");
            }
            members.insert(name, value);
        }
        Ok(members)
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| expected("true or false", &value))
    }
}

impl FromJson for i64 {
    fn from_json(value: Value) -> Result<Self, String> {
        value.as_i64().ok_or_else(|| expected("a whole number", &value))
    }
}

impl FromJson for f64 {
    fn from_json(value: Value) -> Result<Self, String> {
        value.as_f64().ok_or_else(|| expected("a number", &value))
    }
}

/// "must be …, not …".
pub fn expected(what: &str, found: &Value) -> String {
    let kind = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    format!("must be {what}, not {kind}")
}

/// The text of a member, for types that parse themselves from text.
pub fn parse_text<T>(value: &Value, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, String> {
    match value {
        Value::String(text) => parse(text),
        other => Err(expected("a string", other)),
    }
}

/// `FromJson` for types with a `parse(&str)`.
#[macro_export]
macro_rules! from_json_text {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::domain::document::FromJson for $type {
            fn from_json(value: serde_json::Value) -> Result<Self, String> {
                $crate::domain::document::parse_text(&value, Self::parse)
            }
        }
    )+};
}

from_json_text!(super::tenant::TenantName);

impl<const MAX: usize> FromJson for super::text::Text<MAX> {
    fn from_json(value: Value) -> Result<Self, String> {
        parse_text(&value, Self::parse)
    }
}
