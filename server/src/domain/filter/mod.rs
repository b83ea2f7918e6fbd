//! The filter language: SCIM's (RFC 7644 §3.4.2.2) over the fields of a profile, and `near(latitude, longitude,
//! kilometres)`. One parser, one typed form.
//!
//! Logic has two values: a comparison with a field that has no value is false, and so its `not` is true; `ne` is the
//! `not` of `eq`. Text is compared exactly, by its UTF-8 bytes, but for `full_name` (compared as search compares:
//! without case, accents and width) and `email_id` (compared as addresses are). Every evaluator, in SQL or here,
//! keeps to this; `matches` is the reference.

mod display;
mod lexer;
mod matches;
mod parse;
#[cfg(test)]
mod tests;

pub use parse::{FilterError, parse};

use super::birth_date::BirthDate;
use super::email::email_key;
use super::geo::Circle;
use super::profile::ProfileId;
use super::search_text::fold;

/// The longest filter, in characters.
pub const MAX_LENGTH: usize = 4096;
/// The deepest nesting of parentheses and `not`.
pub const MAX_DEPTH: usize = 16;
/// The most comparisons in one filter.
pub const MAX_CONDITIONS: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one holds; at least two, none of them an `All`.
    All(Vec<Filter>),
    /// At least one holds; at least two, none of them an `Any`.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Condition(Condition),
}

impl Filter {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut all = Vec::new();
        for filter in [self, other] {
            match filter {
                Self::All(inner) => all.extend(inner),
                single => all.push(single),
            }
        }
        Self::All(all)
    }

    /// The circles that it asks for, wherever they stand in it.
    pub fn circles(&self) -> Vec<Circle> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().flat_map(Self::circles).collect(),
            Self::Not(inner) => inner.circles(),
            Self::Condition(Condition::Near(circle)) => vec![*circle],
            Self::Condition(_) => Vec::new(),
        }
    }

    /// Profiles of this user only.
    pub fn of_user(user_id: &super::profile::UserId) -> Self {
        Self::Condition(Condition::Text { field: TextField::UserId, op: TextOp::Eq, value: user_id.as_str().to_owned() })
    }
}

/// One comparison, its value already of the field's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The field has a value.
    Present(Field),
    Text {
        field: TextField,
        op: TextOp,
        value: String,
    },
    /// Versions and times (Unix milliseconds).
    Integer {
        field: IntegerField,
        op: Order,
        value: i64,
    },
    Number {
        field: NumberField,
        op: Order,
        value: f64,
    },
    BirthDate {
        op: Order,
        value: BirthDate,
    },
    ProfileId {
        equal: bool,
        value: ProfileId,
    },
    Active {
        equal: bool,
        value: bool,
    },
    Attribute(AttributeCondition),
    /// The place is known and lies in the circle, its rim included: `near(latitude, longitude, kilometres)`.
    Near(Circle),
}

/// A comparison with a member of `attributes`: it holds only for a value of the literal's own type.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeCondition {
    Text { path: Vec<String>, op: TextOp, value: String },
    Number { path: Vec<String>, op: Order, value: f64 },
    Boolean { path: Vec<String>, equal: bool, value: bool },
}

macro_rules! field_names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in filters, and of the column.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

field_names!(TextField {
    ProfileType = "profile_type",
    UserId = "user_id",
    FullName = "full_name",
    Gender = "gender",
    EmailId = "email_id",
    Mobile = "mobile",
    CityId = "city_id",
    CountryId = "country_id",
    Address = "address",
    ProfileImageUrl = "profile_image_url",
    CreatedBy = "created_by",
    UpdatedBy = "updated_by",
    DeletedBy = "deleted_by",
});

field_names!(IntegerField {
    CreatedAt = "created_at",
    UpdatedAt = "updated_at",
    DeletedAt = "deleted_at",
    Version = "version",
});

field_names!(NumberField {
    Latitude = "latitude",
    Longitude = "longitude",
});

impl TextField {
    /// The form in which this field is compared; a store keeps it for `full_name` and `email_id`.
    pub fn comparison_form(self, value: &str) -> String {
        match self {
            Self::FullName => fold(value),
            Self::EmailId => email_key(value),
            _ => value.to_owned(),
        }
    }
}

/// A field that `pr` can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    Text(TextField),
    Integer(IntegerField),
    Number(NumberField),
    BirthDate,
    ProfileId,
    Active,
    Attribute(Vec<String>),
}

const ATTRIBUTES: &str = "attributes";

impl Field {
    /// The name of the field; of a member, that of `attributes`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Text(field) => field.as_str(),
            Self::Integer(field) => field.as_str(),
            Self::Number(field) => field.as_str(),
            Self::BirthDate => "birth_date",
            Self::ProfileId => "profile_id",
            Self::Active => "active",
            Self::Attribute(_) => ATTRIBUTES,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextOp {
    Eq,
    Ne,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Eq,
    Ne,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl TextOp {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    /// The same comparison for values that have an order and no parts.
    pub fn as_order(self) -> Option<Order> {
        Some(match self {
            Self::Eq => Order::Eq,
            Self::Ne => Order::Ne,
            Self::Greater => Order::Greater,
            Self::GreaterOrEqual => Order::GreaterOrEqual,
            Self::Less => Order::Less,
            Self::LessOrEqual => Order::LessOrEqual,
            Self::Contains | Self::StartsWith | Self::EndsWith => return None,
        })
    }
}

impl Order {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }
}
