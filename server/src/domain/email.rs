//! E-mail addresses: shown as given, compared case-insensitively with the domain as IDNA.

use super::search_text::fold;
use super::text::clean;
use email_address::{EmailAddress as Checked, Options};
use serde::{Deserialize, Serialize};

const MAX_LENGTH: usize = 254;

/// An address of RFC 5321/6531 without a display name or an address literal; its domain has at least two labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = clean(text, MAX_LENGTH)?;
        match ascii_form(&text) {
            Some(_) => Ok(Self(text)),
            None => Err("must be an e-mail address like name@example.com".to_owned()),
        }
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two equal addresses share: the local part case-folded, the domain in its ASCII form (RFC 5890).
    pub fn key(&self) -> String {
        email_key(&self.0)
    }
}

/// The comparison form of text that may or may not be an address (a filter may ask for a part of one).
pub fn email_key(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
            format!("{}@{domain}", fold(local))
        }
        None => fold(text),
    }
}

/// The address with an ASCII domain, if it is one.
fn ascii_form(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let address = format!("{local}@{domain}");
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    Checked::parse_with_options(&address, options).ok().map(|_| address)
}

crate::from_json_text!(EmailAddress);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_that_differ_in_case_or_in_the_form_of_the_domain_are_equal() {
        let key = |text: &str| EmailAddress::parse(text).unwrap().key();
        assert_eq!(key("Jo.Smith@EXAMPLE.com"), key("jo.smith@example.COM"));
        assert_eq!(key("jo@bücher.example"), key("JO@xn--bcher-kva.example"));
        assert_ne!(key("jo.smith@example.com"), key("josmith@example.com"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "jo",
            "@example.com",
            "jo@",
            "jo@localhost",
            "jo smith@example.com",
            "Jo <jo@example.com>",
            "jo@[127.0.0.1]",
            "jo@exa mple.com",
            "jo@-x-.com",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?} was taken for an address");
        }
        assert!(EmailAddress::parse(&format!("jo@{}.com", "a".repeat(260))).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC{0,40}(@\\PC{0,40})?") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let again = EmailAddress::parse(address.as_str()).unwrap();
                prop_assert_eq!(again.key(), address.key());
            }
        }

        #[test]
        fn case_never_tells_two_addresses_apart(local in "[a-zA-Z0-9]{1,20}", domain in "[a-zA-Z]{1,20}\\.(com|ORG)") {
            let lower = EmailAddress::parse(&format!("{local}@{domain}").to_lowercase()).unwrap();
            let upper = EmailAddress::parse(&format!("{local}@{domain}").to_uppercase()).unwrap();
            prop_assert_eq!(lower.key(), upper.key());
        }
    }
}
