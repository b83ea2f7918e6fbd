//! Query parameters, read strictly: a name that is not known is a fault, so that a misspelt one is not passed over.

use crate::api::problem::Problem;
use crate::domain::invalid::{Faults, Place};
use axum::extract::FromRequestParts;
use http::request::Parts;
use std::convert::Infallible;

/// The parameters that nobody has taken yet, and the faults found so far.
#[derive(Debug)]
pub struct Params {
    pairs: Vec<(String, String)>,
    faults: Faults,
}

/// Where a parameter stands in the request.
pub fn place(name: &str) -> Place {
    Place::Parameter(name.to_owned())
}

impl Params {
    fn parse(query: &str) -> Self {
        Self { pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(), faults: Faults::default() }
    }

    /// The value of a parameter that may be given once.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let (taken, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pairs).into_iter().partition(|(key, _)| key == name);
        self.pairs = rest;
        if taken.len() > 1 {
            self.faults.add(place(name), "is given more than once");
        }
        taken.into_iter().next().map(|(_, value)| value)
    }

    pub fn take_bool(&mut self, name: &str) -> bool {
        match self.take(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.faults.add(place(name), "must be true or false");
                false
            }
        }
    }

    pub fn take_integer(&mut self, name: &str) -> Option<i64> {
        let value = self.take(name)?;
        match value.parse() {
            Ok(number) => Some(number),
            Err(_) => {
                self.faults.add(place(name), "must be a whole number");
                None
            }
        }
    }

    /// The faults found so far, unknown names included.
    pub fn into_faults(mut self) -> Faults {
        for (name, _) in &self.pairs {
            self.faults.add(place(name), "is not a parameter of this request");
        }
        self.faults
    }

    /// Refuses the request if anything is wrong with its parameters.
    pub fn finish(self) -> Result<(), Problem> {
        Ok(self.into_faults().into_result()?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}
