//! The claims of an access token (RFC 9068 §2.2), and what of them makes a `Caller`.

use super::Refusal;
use crate::domain::caller::{Caller, Scope, TenantAccess};
use crate::domain::tenant::TenantName;
use crate::domain::text::clean;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest subject; it is kept with every change.
const MAX_SUBJECT_LENGTH: usize = 255;

#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: Value,
    pub sub: String,
    pub exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Scopes, separated by spaces (RFC 8693 §4.2).
    #[serde(default)]
    pub scope: String,
    /// The tenants that the token is for: a name, a list of names, or `*`.
    #[serde(default)]
    pub tenant: Value,
}

impl Claims {
    /// The caller. Scopes that mean nothing here are passed over.
    pub fn into_caller(self) -> Result<Caller, Refusal> {
        let subject =
            clean(&self.sub, MAX_SUBJECT_LENGTH).map_err(|detail| Refusal::Invalid(format!("the token's subject (sub) {detail}")))?;
        let words: Vec<&str> = self.scope.split_ascii_whitespace().collect();
        let scopes = Scope::ALL.into_iter().filter(|scope| words.contains(&scope.as_str())).collect();
        let tenants = tenants(&self.tenant)
            .ok_or_else(|| Refusal::Invalid("the token has no tenant claim: a tenant's name, a list of names, or *".to_owned()))?;
        Ok(Caller { subject, scopes, tenants })
    }
}

fn tenants(claim: &Value) -> Option<TenantAccess> {
    let name = |value: &Value| TenantName::parse(value.as_str()?).ok();
    match claim {
        Value::String(all) if all == "*" => Some(TenantAccess::All),
        Value::String(_) => Some(TenantAccess::Only(vec![name(claim)?])),
        Value::Array(names) if names.iter().any(|name| name == "*") => Some(TenantAccess::All),
        Value::Array(names) => names.iter().map(name).collect::<Option<Vec<_>>>().filter(|names| !names.is_empty()).map(TenantAccess::Only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller(claims: Value) -> Result<Caller, Refusal> {
        let mut all = json!({"iss": "i", "aud": "a", "sub": "me", "exp": 1, "scope": "profiles:read openid", "tenant": "acme"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        serde_json::from_value::<Claims>(all).unwrap().into_caller()
    }

    #[test]
    fn tenants_are_a_name_a_list_or_all() {
        let acme = TenantName::parse("acme").unwrap();
        let beta = TenantName::parse("beta").unwrap();
        assert_eq!(caller(json!({})).unwrap().tenants, TenantAccess::Only(vec![acme.clone()]));
        assert_eq!(caller(json!({"tenant": ["acme", "beta"]})).unwrap().tenants, TenantAccess::Only(vec![acme, beta]));
        assert_eq!(caller(json!({"tenant": "*"})).unwrap().tenants, TenantAccess::All);
        for nobody in [json!(null), json!([]), json!(""), json!("ACME"), json!(7), json!(["acme", 7]), json!({})] {
            assert!(caller(json!({"tenant": nobody})).is_err(), "{nobody} stood for a tenant");
        }
    }

    #[test]
    fn unknown_scopes_give_nothing() {
        assert_eq!(caller(json!({"scope": "profiles:read profiles:everything"})).unwrap().scopes, [Scope::ProfilesRead]);
        assert_eq!(caller(json!({"scope": ""})).unwrap().scopes, []);
    }

    #[test]
    fn a_subject_must_be_text_that_can_be_kept() {
        assert!(caller(json!({"sub": ""})).is_err());
        assert!(caller(json!({"sub": "a\u{0}b"})).is_err());
        assert!(caller(json!({"sub": "a".repeat(256)})).is_err());
    }
}
