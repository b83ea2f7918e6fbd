//! The claims of an access token (RFC 9068 §2.2), and what of them makes a `Caller`.

use super::Refusal;
use crate::domain::caller::{Caller, Scope, TenantAccess};
use crate::domain::tenant::TenantName;
use crate::domain::text::clean;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The longest subject; it is kept with every change.
const MAX_SUBJECT_LENGTH: usize = 255;

/// The claims by name, as a JWT or an introspection answer has them.
pub type Claims = Map<String, Value>;

/// How an issuer's claims are read, and what they may at most say.
#[derive(Debug, Clone)]
pub struct Mandate {
    pub issuer: Arc<str>,
    pub tenant_claim: String,
    /// Stands in for a tenant claim that is missing.
    pub tenant: Option<TenantName>,
    pub tenants: TenantAccess,
    pub scopes: Vec<Scope>,
}

impl Mandate {
    /// The caller. Scopes that mean nothing here, or that the issuer may not give, are passed over.
    pub fn caller(&self, claims: &Claims) -> Result<Caller, Refusal> {
        let words = words(claims.get("scope"))?;
        let scopes = self.scopes.iter().copied().filter(|scope| words.contains(&scope.as_str())).collect();
        let tenants = self.named_tenants(claims)?.intersect(&self.tenants);
        if tenants.is_nobody() {
            return Err(Refusal::invalid("the token's issuer may not speak for the tenant that it names"));
        }
        Ok(Caller { issuer: self.issuer.clone(), subject: subject(claims)?, scopes, tenants })
    }

    fn named_tenants(&self, claims: &Claims) -> Result<TenantAccess, Refusal> {
        let claim = claims.get(&self.tenant_claim).unwrap_or(&Value::Null);
        match (claim, &self.tenant) {
            (Value::Null, Some(tenant)) => Ok(TenantAccess::Only(vec![tenant.clone()])),
            (claim, _) => tenants(claim).ok_or_else(|| {
                let name: String = self.tenant_claim.chars().take(128).collect();
                Refusal::invalid(format!("the token has no tenant claim ({name}): a tenant's name, a list of names, or *"))
            }),
        }
    }
}

/// The subject must be what the service would keep: two subjects that differ in spaces or in their Unicode form must not
/// become one.
fn subject(claims: &Claims) -> Result<String, Refusal> {
    let Some(Value::String(subject)) = claims.get("sub") else {
        return Err(Refusal::invalid("the token has no subject (sub)"));
    };
    let cleaned = clean(subject, MAX_SUBJECT_LENGTH).map_err(|detail| Refusal::invalid(format!("the token's subject (sub) {detail}")))?;
    if cleaned != *subject {
        return Err(Refusal::invalid("the token's subject (sub) must have no spaces around it and be in Unicode NFC"));
    }
    Ok(cleaned)
}

/// Scopes, separated by spaces (RFC 8693 §4.2).
fn words(scope: Option<&Value>) -> Result<Vec<&str>, Refusal> {
    match scope {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.split_ascii_whitespace().collect()),
        Some(_) => Err(Refusal::invalid("the token's scope must be text: scopes separated by spaces")),
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

    fn mandate() -> Mandate {
        let (tenants, scopes) = (TenantAccess::All, Scope::ALL.to_vec());
        Mandate { issuer: "i".into(), tenant_claim: "tenant".into(), tenant: None, tenants, scopes }
    }

    fn only(names: &[&str]) -> TenantAccess {
        TenantAccess::Only(names.iter().map(|name| TenantName::parse(name).unwrap()).collect())
    }

    fn caller_of(mandate: &Mandate, claims: Value) -> Result<Caller, Refusal> {
        let mut all = json!({"sub": "me", "scope": "profiles:read openid", "tenant": "acme"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        mandate.caller(all.as_object().unwrap())
    }

    fn caller(claims: Value) -> Result<Caller, Refusal> {
        caller_of(&mandate(), claims)
    }

    #[test]
    fn tenants_are_a_name_a_list_or_all() {
        assert_eq!(caller(json!({})).unwrap().tenants, only(&["acme"]));
        assert_eq!(caller(json!({"tenant": ["acme", "beta"]})).unwrap().tenants, only(&["acme", "beta"]));
        assert_eq!(caller(json!({"tenant": "*"})).unwrap().tenants, TenantAccess::All);
        for nobody in [json!(null), json!([]), json!(""), json!("ACME"), json!(7), json!(["acme", 7]), json!({})] {
            assert!(caller(json!({"tenant": nobody})).is_err(), "{nobody} stood for a tenant");
        }
    }

    #[test]
    fn an_issuer_speaks_for_its_own_tenants_only() {
        let restricted = Mandate { tenants: only(&["acme", "apex"]), ..mandate() };
        assert_eq!(caller_of(&restricted, json!({"tenant": "acme"})).unwrap().tenants, only(&["acme"]));
        assert_eq!(caller_of(&restricted, json!({"tenant": ["beta", "apex"]})).unwrap().tenants, only(&["apex"]));
        assert_eq!(caller_of(&restricted, json!({"tenant": "*"})).unwrap().tenants, only(&["acme", "apex"]));
        assert!(caller_of(&restricted, json!({"tenant": "beta"})).unwrap_err().to_string().contains("may not speak"));
    }

    #[test]
    fn a_fixed_tenant_stands_in_for_a_missing_claim_and_not_for_a_wrong_one() {
        let fixed = Mandate { tenant: TenantName::parse("acme").ok(), ..mandate() };
        assert_eq!(caller_of(&fixed, json!({"tenant": null})).unwrap().tenants, only(&["acme"]));
        assert_eq!(caller_of(&fixed, json!({"tenant": "beta"})).unwrap().tenants, only(&["beta"]));
        assert!(caller_of(&fixed, json!({"tenant": 7})).is_err());
    }

    #[test]
    fn the_claims_name_can_be_chosen() {
        let named = Mandate { tenant_claim: "https://n.example/t".into(), ..mandate() };
        assert_eq!(caller_of(&named, json!({"https://n.example/t": "beta"})).unwrap().tenants, only(&["beta"]));
        assert!(caller_of(&named, json!({})).unwrap_err().to_string().contains("https://n.example/t"));
    }

    #[test]
    fn unknown_scopes_and_scopes_beyond_the_mandate_give_nothing() {
        assert_eq!(caller(json!({"scope": "profiles:read profiles:everything"})).unwrap().scopes, [Scope::ProfilesRead]);
        assert_eq!(caller(json!({"scope": ""})).unwrap().scopes, []);
        assert_eq!(caller(json!({"scope": null})).unwrap().scopes, []);
        assert!(caller(json!({"scope": ["profiles:read"]})).is_err());
        let narrow = Mandate { scopes: vec![Scope::SelfRead], ..mandate() };
        assert_eq!(caller_of(&narrow, json!({"scope": "self:read tenants:admin"})).unwrap().scopes, [Scope::SelfRead]);
    }

    #[test]
    fn a_subject_must_be_text_that_can_be_kept() {
        for wrong in [json!(""), json!("a\u{0}b"), json!("a".repeat(256)), json!(null), json!(7), json!(" me"), json!("e\u{301}")] {
            assert!(caller(json!({"sub": wrong})).is_err(), "{wrong} stood for a subject");
        }
    }
}
