//! One trusted issuer: whose tokens, for which audience, and which tenants and scopes they may speak for.

use crate::domain::caller::{Scope, TenantAccess};
use crate::domain::tenant::TenantName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::Ipv4Addr;
use url::{Host, Url};

#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// Exactly as its tokens name it in `iss`.
    pub issuer: String,
    pub url: Url,
    pub audience: String,
    pub tenant_claim: String,
    /// Stands in for a claim that its tokens lack.
    pub tenant: Option<TenantName>,
    /// Outside of these its tokens reach nothing.
    pub tenants: TenantAccess,
    /// What its tokens may allow.
    pub scopes: Vec<Scope>,
    pub introspection: Option<IntrospectionClient>,
}

/// The client as which an issuer is asked about opaque tokens.
#[derive(Debug, Clone)]
pub struct IntrospectionClient {
    pub id: String,
    pub secret: SecretString,
}

/// An entry of OAUTH_ISSUERS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    audience: Option<String>,
    tenant_claim: Option<String>,
    tenant: Option<String>,
    tenants: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    introspection_client_id: Option<String>,
    introspection_client_secret: Option<SecretString>,
}

/// Reads OAUTH_ISSUERS. The errors name the entry, never its values: a secret may stand among them.
pub fn parse_issuers(list: &SecretString, audience: &str, tenant_claim: &str) -> Result<Vec<IssuerConfig>, String> {
    let list = list.expose_secret().trim();
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Vec<Entry> =
        serde_json::from_str(list).map_err(|e| format!("OAUTH_ISSUERS must be a JSON list of issuers: {}", reason(&e)))?;
    let parse =
        |(i, entry): (usize, Entry)| entry.parse(audience, tenant_claim).map_err(|e| format!("OAUTH_ISSUERS, entry {}: {e}", i + 1));
    entries.into_iter().enumerate().map(parse).collect()
}

/// What serde says of a wrong type may quote the value.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("invalid type") || text.starts_with("invalid value") {
        format!("a value has the wrong type at line {} column {}", error.line(), error.column())
    } else {
        text
    }
}

impl IssuerConfig {
    /// An issuer that may speak for any tenant. The error begins with "must".
    pub fn new(issuer: &str, audience: &str, tenant_claim: &str) -> Result<Self, String> {
        if audience.is_empty() || tenant_claim.is_empty() {
            return Err("must come with an audience and a tenant claim that are not empty".to_owned());
        }
        Ok(Self {
            url: issuer_url(issuer)?,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            tenant_claim: tenant_claim.to_owned(),
            tenant: None,
            tenants: TenantAccess::All,
            scopes: Scope::ALL.to_vec(),
            introspection: None,
        })
    }

    pub fn set_introspection(&mut self, id: Option<String>, secret: Option<SecretString>) -> Result<(), String> {
        self.introspection = match (id, secret) {
            (Some(id), Some(secret)) => Some(IntrospectionClient { id, secret }),
            (None, None) => None,
            (Some(_), None) => return Err("INTROSPECTION_CLIENT_SECRET is missing beside the client's id".to_owned()),
            (None, Some(_)) => return Err("INTROSPECTION_CLIENT_ID is missing beside the client's secret".to_owned()),
        };
        Ok(())
    }
}

impl Entry {
    fn parse(self, audience: &str, tenant_claim: &str) -> Result<IssuerConfig, String> {
        let audience = self.audience.as_deref().unwrap_or(audience);
        let tenant_claim = self.tenant_claim.as_deref().unwrap_or(tenant_claim);
        let mut issuer = IssuerConfig::new(&self.issuer, audience, tenant_claim).map_err(|e| format!("issuer {e}"))?;
        if let Some(names) = self.tenants {
            issuer.tenants = TenantAccess::Only(names.iter().map(|name| tenant("tenants", name)).collect::<Result<_, _>>()?);
            // A customer's own provider must not lift the suspension of its tenant, unless the list says that it may.
            issuer.scopes.retain(|scope| *scope != Scope::TenantsAdmin);
        }
        if let Some(name) = self.tenant {
            let name = tenant("tenant", &name)?;
            if !issuer.tenants.covers(&name) {
                return Err("tenant must be one of tenants".to_owned());
            }
            issuer.tenant = Some(name);
        }
        if let Some(names) = self.scopes {
            issuer.scopes = names.iter().map(|name| scope(name)).collect::<Result<_, _>>()?;
        }
        issuer.set_introspection(self.introspection_client_id, self.introspection_client_secret).map_err(|e| e.to_lowercase())?;
        Ok(issuer)
    }
}

fn tenant(field: &str, name: &str) -> Result<TenantName, String> {
    TenantName::parse(name).map_err(|e| format!("{field}: {name:?} {e}"))
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::ALL.into_iter().find(|scope| scope.as_str() == name).ok_or_else(|| format!("scopes: {name:?} is not one of this service"))
}

/// An issuer's identifier (RFC 8414 §2): https, without query or fragment. Plain http is for loopback alone.
fn issuer_url(issuer: &str) -> Result<Url, String> {
    let url = Url::parse(issuer).map_err(|e| format!("must be a URL: {e}"))?;
    if !is_safe(&url) {
        return Err("must begin with https:// (http:// is taken for a loopback address only)".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must have no query, no fragment and no password".to_owned());
    }
    Ok(url)
}

/// Whether nobody on the way can change what is fetched from there.
pub fn is_safe(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.octets()[0] == Ipv4Addr::LOCALHOST.octets()[0],
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuers(json: &str) -> Result<Vec<IssuerConfig>, String> {
        parse_issuers(&SecretString::from(json.to_owned()), "n_users", "tenant")
    }

    #[test]
    fn an_entry_needs_no_more_than_its_issuer() {
        let found = issuers(r#"[{"issuer": "https://id.example/realms/a"}]"#).unwrap();
        assert_eq!((found[0].issuer.as_str(), found[0].audience.as_str()), ("https://id.example/realms/a", "n_users"));
        assert_eq!((found[0].tenants.clone(), found[0].scopes.len()), (TenantAccess::All, Scope::ALL.len()));
        assert!(issuers("").unwrap().is_empty());
    }

    #[test]
    fn an_issuer_of_some_tenants_administers_none_unless_it_is_said() {
        let found = issuers(r#"[{"issuer": "https://a.example", "tenants": ["acme"], "tenant": "acme"}]"#).unwrap();
        assert!(!found[0].scopes.contains(&Scope::TenantsAdmin));
        let found = issuers(r#"[{"issuer": "https://a.example", "tenants": ["acme"], "scopes": ["tenants:admin"]}]"#).unwrap();
        assert_eq!(found[0].scopes, [Scope::TenantsAdmin]);
    }

    #[test]
    fn what_is_wrong_is_named_without_values_that_could_be_secret() {
        for (json, expected) in [
            ("{}", "must be a JSON list"),
            (r#"[{"issuer": "https://a.example", "tennants": []}]"#, "tennants"),
            (r#"[{"issuer": "http://id.example"}]"#, "https://"),
            (r#"[{"issuer": "ftp://id.example"}]"#, "https://"),
            (r#"[{"issuer": "https://id.example?x=1"}]"#, "no query"),
            (r#"[{"issuer": "https://a.example", "tenants": ["ACME"]}]"#, "ACME"),
            (r#"[{"issuer": "https://a.example", "tenants": ["acme"], "tenant": "beta"}]"#, "one of tenants"),
            (r#"[{"issuer": "https://a.example", "scopes": ["admin"]}]"#, "admin"),
            (r#"[{"issuer": "https://a.example", "introspection_client_id": "x"}]"#, "introspection_client_secret"),
        ] {
            let error = issuers(json).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let error = issuers(r#"[{"issuer": "https://a.example", "introspection_client_secret": ["hush"]}]"#).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for (url, safe) in [
            ("http://localhost:3000", true),
            ("http://127.0.0.1:3000", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:3000", true),
            ("https://id.example", true),
            ("http://id.example", false),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), safe, "{url}");
        }
    }
}
