//! The reference evaluator: whether a profile fulfils a filter. Conditional updates are judged by it.

use super::{AttributeCondition, Condition, Field, Filter, IntegerField, NumberField, TextField, TextOp};
use crate::domain::email::EmailAddress;
use crate::domain::mobile::Mobile;
use crate::domain::profile::Profile;
use crate::domain::text::Text;
use serde_json::Value;

impl Filter {
    pub fn matches(&self, profile: &Profile) -> bool {
        match self {
            Self::All(all) => all.iter().all(|filter| filter.matches(profile)),
            Self::Any(any) => any.iter().any(|filter| filter.matches(profile)),
            Self::Not(inner) => !inner.matches(profile),
            Self::Condition(condition) => condition.matches(profile),
        }
    }
}

impl Condition {
    fn matches(&self, profile: &Profile) -> bool {
        match self {
            Self::Present(field) => is_present(field, profile),
            Self::Text { field, op, value } => {
                op.holds_for(text_of(*field, profile).map(|text| field.comparison_form(text)).as_deref(), &field.comparison_form(value))
            }
            Self::Integer { field, op, value } => match integer_of(*field, profile) {
                Some(found) => op.holds(&found, value),
                None => *op == super::Order::Ne,
            },
            Self::Number { field, op, value } => match number_of(*field, profile) {
                Some(found) => op.holds(&found, value),
                None => *op == super::Order::Ne,
            },
            Self::BirthDate { op, value } => match profile.birth_date {
                Some(found) => op.holds(&found, value),
                None => *op == super::Order::Ne,
            },
            Self::ProfileId { equal, value } => (profile.profile_id == *value) == *equal,
            Self::Active { equal, value } => (profile.active == *value) == *equal,
            Self::Attribute(condition) => condition.matches(profile),
            Self::Near(circle) => {
                profile.latitude.zip(profile.longitude).is_some_and(|(latitude, longitude)| circle.holds(latitude, longitude))
            }
        }
    }
}

impl AttributeCondition {
    fn matches(&self, profile: &Profile) -> bool {
        match self {
            Self::Text { path, op, value } => match profile.attributes.at(path) {
                Some(Value::String(found)) => op.holds_for(Some(&found), value),
                _ => *op == TextOp::Ne,
            },
            Self::Number { path, op, value } => match profile.attributes.at(path) {
                Some(Value::Number(found)) => op.holds(&found.as_f64().unwrap_or(f64::NAN), value),
                _ => *op == super::Order::Ne,
            },
            Self::Boolean { path, equal, value } => {
                let holds = profile.attributes.at(path) == Some(Value::Bool(*value));
                holds == *equal
            }
        }
    }
}

impl TextOp {
    fn holds_for(self, found: Option<&str>, value: &str) -> bool {
        let Some(found) = found else { return self == Self::Ne };
        match self {
            Self::Contains => found.contains(value),
            Self::StartsWith => found.starts_with(value),
            Self::EndsWith => found.ends_with(value),
            ordered => ordered.as_order().is_some_and(|order| order.holds(&found, &value)),
        }
    }
}

fn is_present(field: &Field, profile: &Profile) -> bool {
    match field {
        Field::Text(field) => text_of(*field, profile).is_some(),
        Field::Integer(field) => integer_of(*field, profile).is_some(),
        Field::Number(field) => number_of(*field, profile).is_some(),
        Field::BirthDate => profile.birth_date.is_some(),
        Field::ProfileId | Field::Active => true,
        Field::Attribute(path) => profile.attributes.at(path).is_some_and(|value| !value.is_null()),
    }
}

fn text_of(field: TextField, profile: &Profile) -> Option<&str> {
    match field {
        TextField::ProfileType => Some(profile.profile_type.as_str()),
        TextField::UserId => Some(profile.user_id.as_str()),
        TextField::FullName => Some(profile.full_name.as_str()),
        TextField::Gender => profile.gender.as_ref().map(Text::as_str),
        TextField::EmailId => profile.email_id.as_ref().map(EmailAddress::as_str),
        TextField::Mobile => profile.mobile.as_ref().map(Mobile::as_str),
        TextField::CityId => profile.city_id.as_ref().map(Text::as_str),
        TextField::CountryId => profile.country_id.as_ref().map(Text::as_str),
        TextField::Address => profile.address.as_ref().map(Text::as_str),
        TextField::ProfileImageUrl => profile.profile_image_url.as_deref(),
        TextField::CreatedBy => Some(&profile.created_by),
        TextField::UpdatedBy => Some(&profile.updated_by),
        TextField::DeletedBy => profile.deleted_by.as_deref(),
    }
}

fn integer_of(field: IntegerField, profile: &Profile) -> Option<i64> {
    match field {
        IntegerField::CreatedAt => Some(profile.created_at.0),
        IntegerField::UpdatedAt => Some(profile.updated_at.0),
        IntegerField::DeletedAt => profile.deleted_at.map(|at| at.0),
        IntegerField::Version => Some(profile.version.0),
    }
}

fn number_of(field: NumberField, profile: &Profile) -> Option<f64> {
    match field {
        NumberField::Latitude => profile.latitude,
        NumberField::Longitude => profile.longitude,
    }
}
