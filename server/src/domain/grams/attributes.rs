//! The grams of a tenant's own fields: one for each member of `attributes` with its value, wherever it stands.

use super::{Fact, Grams, fnv};
use crate::domain::attributes::Attributes;
use serde_json::Value;

/// Attributes with more values than this have one gram that tells so.
const MOST_ATTRIBUTES: usize = 32;

/// A value of an attribute that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    Text(&'a str),
    Number(f64),
    Boolean(bool),
}

impl Grams {
    pub(super) fn extend_by_attributes(self, grams: &mut Vec<i32>, attributes: &Attributes) {
        let attributes = attributes.to_value();
        let mut members = Vec::new();
        if for_each_scalar(&attributes, &mut Vec::new(), &mut |path, value| {
            members.push(self.gram(Fact::Attribute(path, value)));
            members.len() <= MOST_ATTRIBUTES
        }) {
            grams.extend(members);
        } else {
            grams.push(self.gram(Fact::ManyAttributes));
        }
    }

    /// Grams of which every profile has one whose `attributes` have this value at this path.
    pub fn of_attribute(self, path: &[String], value: Scalar<'_>) -> [i32; 2] {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        [self.gram(Fact::Attribute(&path, value)), self.gram(Fact::ManyAttributes)]
    }
}

/// Calls for the values in an object and in the objects within it, as long as it is told to go on; whether it was to the end.
fn for_each_scalar<'a>(value: &'a Value, path: &mut Vec<&'a str>, each: &mut impl FnMut(&[&str], Scalar<'a>) -> bool) -> bool {
    let scalar = match value {
        Value::Object(members) => {
            return members.iter().all(|(name, value)| {
                path.push(name);
                let to_the_end = for_each_scalar(value, path, each);
                path.pop();
                to_the_end
            });
        }
        Value::String(text) => Scalar::Text(text),
        Value::Number(number) => Scalar::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(value) => Scalar::Boolean(*value),
        Value::Array(_) | Value::Null => return true,
    };
    each(path, scalar)
}

/// Where one text ends and the next begins. U+0000 counts as U+0001, because a store may keep it so.
fn of_text(hash: u64, text: &str) -> u64 {
    let hash = text.bytes().fold(hash, |hash, byte| fnv(hash, &[byte.max(1)]));
    fnv(hash, &[0])
}

/// The hash of a member at this path that has this value.
pub(super) fn hash(kind: u64, path: &[&str], value: Scalar<'_>) -> u64 {
    let hash = path.iter().fold(kind, |hash, name| of_text(hash, name));
    match value {
        Scalar::Text(text) => of_text(fnv(hash, b"t"), text),
        // Zero has two forms that are equal.
        Scalar::Number(number) => fnv(fnv(hash, b"n"), &(number + 0.0).to_be_bytes()),
        Scalar::Boolean(value) => fnv(fnv(hash, b"b"), &[u8::from(value)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tenant::TenantName;
    use serde_json::json;

    fn of(attributes: Value) -> Vec<i32> {
        let mut grams = Vec::new();
        tenant().extend_by_attributes(&mut grams, &Attributes::from_value(attributes).unwrap());
        grams
    }

    fn tenant() -> Grams {
        Grams::of(&TenantName::from_stored("acme".to_owned()))
    }

    fn is_found(attributes: Value, path: &[&str], value: Scalar<'_>) -> bool {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        let stored = of(attributes);
        tenant().of_attribute(&path, value).iter().any(|gram| stored.contains(gram))
    }

    #[test]
    fn a_member_is_found_by_its_path_and_its_value() {
        let attributes = json!({"plan": "pro", "deep": {"er": {"seats": 5}}, "beta": true, "list": ["x"], "none": null});
        for (path, value, found) in [
            (&["plan"][..], Scalar::Text("pro"), true),
            (&["plan"], Scalar::Text("free"), false),
            (&["deep", "er", "seats"], Scalar::Number(5.0), true),
            (&["deep", "er", "seats"], Scalar::Text("5"), false),
            (&["deeper", "seats"], Scalar::Number(5.0), false),
            (&["beta"], Scalar::Boolean(true), true),
            (&["list", "0"], Scalar::Text("x"), false),
        ] {
            assert_eq!(is_found(attributes.clone(), path, value), found, "{path:?} {value:?}");
        }
        assert_eq!(of(attributes).len(), 3);
    }

    #[test]
    fn what_compares_equal_has_the_same_gram() {
        assert!(is_found(json!({"n": 0}), &["n"], Scalar::Number(-0.0)));
        assert!(is_found(json!({"n": 9_007_199_254_740_993_u64}), &["n"], Scalar::Number(9_007_199_254_740_992.0)));
        assert!(is_found(json!({"t": "a\u{0}b"}), &["t"], Scalar::Text("a\u{1}b")));
    }

    #[test]
    fn any_value_may_stand_among_very_many_members() {
        let many: serde_json::Map<String, Value> = (0..=MOST_ATTRIBUTES).map(|number| (format!("m{number}"), json!(number))).collect();
        assert_eq!(of(Value::Object(many.clone())).len(), 1);
        assert!(is_found(Value::Object(many), &["m7"], Scalar::Number(7.0)));
    }
}
