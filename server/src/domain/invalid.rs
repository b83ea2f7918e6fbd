//! What is wrong with an input: every fault at once, each with the place where it stands.

use serde::Serialize;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) into the body, or the name of a query parameter or header.
    #[serde(flatten)]
    pub place: Place,
    /// A sentence for a person that says what is expected.
    pub detail: String,
}

/// Where a fault stands, in the words of RFC 9457's example extension and of JSON:API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Pointer(String),
    Parameter(String),
    Header(String),
}

/// All faults of one input. Empty means valid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// A fault in the body's member `field`.
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add_field(field, detail);
        faults
    }

    /// A fault in the query parameter `name`.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add(Place::Parameter(name.to_owned()), detail);
        faults
    }

    /// A fault in the request header `name`.
    pub fn header(name: &str, detail: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add(Place::Header(name.to_owned()), detail);
        faults
    }

    pub fn add(&mut self, place: Place, detail: impl Into<String>) {
        self.0.push(Fault { place, detail: detail.into() });
    }

    pub fn add_field(&mut self, field: &str, detail: impl Into<String>) {
        self.add(Place::Pointer(pointer(field)), detail);
    }

    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a fault of the body's member `field` is among them.
    pub fn mentions(&self, field: &str) -> bool {
        let place = Place::Pointer(pointer(field));
        self.0.iter().any(|fault| fault.place == place)
    }

    /// `Ok` when nothing was found.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }
}

/// The JSON Pointer of a member of the body (RFC 6901 §3: `~` and `/` are escaped); "" is the whole body.
fn pointer(field: &str) -> String {
    if field.is_empty() {
        return String::new();
    }
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}
