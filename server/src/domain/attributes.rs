//! The tenant's own fields: a JSON object, kept in one canonical form so that every store gives back the same.

use super::document::{FromJson, expected};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The most that attributes, or a preference's value, may take as compact JSON.
pub const MAX_JSON_BYTES: usize = 16 * 1024;
const MAX_DEPTH: usize = 32;

/// A JSON object of at most 16 KiB; member names are in order, each once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Box<RawValue>);

impl Attributes {
    pub fn from_value(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err(expected("an object", &value));
        }
        canonical(value).map(Self)
    }

    /// What a store kept of attributes that were parsed before.
    pub fn from_stored(text: String) -> Self {
        RawValue::from_string(text).map_or_else(|_| Self::default(), Self)
    }

    /// The same, already known to be JSON.
    pub fn from_raw(json: Box<RawValue>) -> Self {
        Self(json)
    }

    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    pub fn to_value(&self) -> Value {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// The value at a path of member names, if there is one.
    pub fn at(&self, path: &[String]) -> Option<Value> {
        let mut value = self.to_value();
        for name in path {
            value = value.get_mut(name)?.take();
        }
        Some(value)
    }
}

impl Default for Attributes {
    fn default() -> Self {
        Self(serde_json::value::to_raw_value(&serde_json::Map::new()).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// A patch of attributes is a JSON object, with `null` for what is to go; bounded once it is merged.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributesPatch(pub serde_json::Map<String, Value>);

impl FromJson for AttributesPatch {
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            other => Err(expected("an object", &other)),
        }
    }
}

/// The compact form of a value: at most 16 KiB, at most 32 levels deep, no negative zero.
pub fn canonical(mut value: Value) -> Result<Box<RawValue>, String> {
    if depth(&value) > MAX_DEPTH {
        return Err(format!("must not be nested more than {MAX_DEPTH} levels deep"));
    }
    drop_negative_zero(&mut value);
    let raw = serde_json::value::to_raw_value(&value).map_err(|e| e.to_string())?;
    match raw.get().len() {
        length if length > MAX_JSON_BYTES => Err(format!("must be at most {MAX_JSON_BYTES} bytes as compact JSON (it has {length})")),
        _ => Ok(raw),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn drop_negative_zero(value: &mut Value) {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|n| n == 0.0 && n.is_sign_negative()) => *value = Value::from(0),
        Value::Array(items) => items.iter_mut().for_each(drop_negative_zero),
        Value::Object(members) => members.values_mut().for_each(drop_negative_zero),
        _ => {}
    }
}
