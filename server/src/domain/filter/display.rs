//! `Filter` back to text that parses to the same.

use super::{AttributeCondition, Condition, Field, Filter};
use crate::domain::geo::Circle;
use std::fmt::{Display, Formatter, Result};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::All(all) => list(f, all, " and "),
            Self::Any(any) => list(f, any, " or "),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Condition(condition) => condition.fmt(f),
        }
    }
}

fn list(f: &mut Formatter<'_>, filters: &[Filter], separator: &str) -> Result {
    for (i, filter) in filters.iter().enumerate() {
        if i > 0 {
            f.write_str(separator)?;
        }
        match filter {
            Filter::All(_) | Filter::Any(_) => write!(f, "({filter})")?,
            _ => filter.fmt(f)?,
        }
    }
    Ok(())
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let equality = |equal: bool| if equal { "eq" } else { "ne" };
        match self {
            Self::Present(field) => write!(f, "{field} pr"),
            Self::Text { field, op, value } => write!(f, "{} {} {}", field.as_str(), op.as_str(), quoted(value)),
            Self::Integer { field, op, value } => write!(f, "{} {} {value}", field.as_str(), op.as_str()),
            Self::Number { field, op, value } => write!(f, "{} {} {value:?}", field.as_str(), op.as_str()),
            Self::BirthDate { op, value } => write!(f, "birth_date {} \"{value}\"", op.as_str()),
            Self::ProfileId { equal, value } => write!(f, "profile_id {} \"{value}\"", equality(*equal)),
            Self::Active { equal, value } => write!(f, "active {} {value}", equality(*equal)),
            Self::Attribute(AttributeCondition::Text { path, op, value }) => {
                write!(f, "{} {} {}", attribute(path), op.as_str(), quoted(value))
            }
            Self::Attribute(AttributeCondition::Number { path, op, value }) => write!(f, "{} {} {value:?}", attribute(path), op.as_str()),
            Self::Attribute(AttributeCondition::Boolean { path, equal, value }) => {
                write!(f, "{} {} {value}", attribute(path), equality(*equal))
            }
            Self::Near(Circle { latitude, longitude, kilometres }) => write!(f, "near({latitude:?}, {longitude:?}, {kilometres:?})"),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Attribute(path) => f.write_str(&attribute(path)),
            field => f.write_str(field.as_str()),
        }
    }
}

fn attribute(path: &[String]) -> String {
    format!("attributes.{}", path.join("."))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
