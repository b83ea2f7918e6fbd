//! Filters as SQL. Values are parameters, always; names of columns come from the filter's own enums.
//!
//! Logic has two values in a filter and three in SQL. A condition may be NULL here where it is false there: under
//! `AND` and `OR` alone the two select the same rows, so conditions stay as plain as indexes need them, and `not` is
//! `IS NOT TRUE`, which takes NULL for false.

use crate::domain::filter::{AttributeCondition, Condition, Field, Filter, Order, TextField, TextOp};
use crate::domain::geo::{Circle, EARTH_DIAMETER_MM, LEAST_DEGREES, settled};
use crate::domain::text::behind_beginning;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

/// A value that a text refers to as `$n`.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Id(Uuid),
    Ids(Vec<Uuid>),
    Grams(Vec<i32>),
}

impl Value {
    pub(super) fn as_param(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(text) => (text, Type::TEXT),
            Self::Integer(integer) => (integer, Type::INT8),
            Self::Number(number) => (number, Type::FLOAT8),
            Self::Boolean(boolean) => (boolean, Type::BOOL),
            Self::Id(id) => (id, Type::UUID),
            Self::Ids(ids) => (ids, Type::UUID_ARRAY),
            Self::Grams(grams) => (grams, Type::INT4_ARRAY),
        }
    }
}

/// The values of a statement that is being made.
#[derive(Debug, Default)]
pub(super) struct Values(pub Vec<Value>);

impl Values {
    pub(super) fn bind(&mut self, value: Value) -> String {
        self.0.push(value);
        format!("${}", self.0.len())
    }

    /// PostgreSQL's text has no U+0000. No column has U+0001 either, so that it compares like U+0000 would.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.bind(Value::Text(text.replace('\0', "\u{1}")))
    }
}

/// The condition on a row of `profiles p`.
pub(super) fn condition(filter: &Filter, values: &mut Values) -> String {
    match filter {
        Filter::All(all) => joined(all, " AND ", values),
        Filter::Any(any) => joined(any, " OR ", values),
        Filter::Not(inner) => negated(&condition(inner, values)),
        Filter::Condition(single) => comparison(single, values),
    }
}

fn joined(filters: &[Filter], with: &str, values: &mut Values) -> String {
    let parts: Vec<String> = filters.iter().map(|filter| condition(filter, values)).collect();
    format!("({})", parts.join(with))
}

fn negated(sql: &str) -> String {
    format!("(({sql}) IS NOT TRUE)")
}

fn comparison(condition: &Condition, values: &mut Values) -> String {
    match condition {
        Condition::Present(field) => presence(field, values),
        Condition::Text { field, op, value } => {
            let value = field.comparison_form(value);
            // The range within which a beginning stands: what an index can look up.
            let range = match (op, behind_beginning(&value)) {
                (TextOp::StartsWith, Some(behind)) => {
                    let (column, from, to) = (text_column(*field), values.text(&value), values.text(&behind));
                    format!("{column} >= {from} AND {column} < {to} AND ")
                }
                _ => String::new(),
            };
            let value = values.text(&value);
            format!("({range}{})", text(text_column(*field), *op, &value))
        }
        Condition::Integer { field, op, value } => {
            let value = values.bind(Value::Integer(*value));
            order(&format!("p.{}", field.as_str()), *op, &value)
        }
        Condition::Number { field, op, value } => {
            let value = values.bind(Value::Number(*value));
            order(&format!("p.{}", field.as_str()), *op, &value)
        }
        Condition::BirthDate { op, value } => {
            let value = values.text(&value.to_string());
            order("p.birth_date", *op, &format!("{value}::date"))
        }
        Condition::ProfileId { equal, value } => {
            let value = values.bind(Value::Id(value.0));
            equality("p.profile_id", *equal, &value)
        }
        Condition::Active { equal, value } => {
            let value = values.bind(Value::Boolean(*value));
            equality("p.active", *equal, &value)
        }
        Condition::Attribute(condition) => attribute(condition, values),
        Condition::Near(circle) => {
            let distance = distance(circle, values);
            order(&distance, Order::LessOrEqual, &values.bind(Value::Integer(circle.millimetres())))
        }
    }
}

/// How far from the circle's centre, in millimetres: step by step as `Circle::millimetres_to`. `least` takes no notice
/// of NULL, so it must not come to that.
pub(super) fn distance(circle: &Circle, values: &mut Values) -> String {
    let latitude = values.bind(Value::Number(settled(circle.latitude)));
    let longitude = values.bind(Value::Number(settled(circle.longitude)));
    let of_row = |column: &str| format!("(CASE WHEN abs(p.{column}) < {LEAST_DEGREES:?}::float8 THEN 0::float8 ELSE p.{column} END)");
    let (row_latitude, row_longitude) = (of_row("latitude"), of_row("longitude"));
    format!(
        "(CASE WHEN p.latitude IS NOT NULL AND p.longitude IS NOT NULL THEN round({EARTH_DIAMETER_MM:?}::float8 * asin(least(1::float8, sqrt(\
         sin(radians({row_latitude} - {latitude}) * 0.5::float8) * sin(radians({row_latitude} - {latitude}) * 0.5::float8) \
         + cos(radians({latitude})) * cos(radians({row_latitude})) \
         * sin(radians({row_longitude} - {longitude}) * 0.5::float8) * sin(radians({row_longitude} - {longitude}) * 0.5::float8)))))::bigint END)"
    )
}

fn presence(field: &Field, values: &mut Values) -> String {
    let has_value = |column: &str| format!("p.{column} IS NOT NULL");
    match field {
        Field::Text(field) => has_value(field.as_str()),
        Field::Integer(field) => has_value(field.as_str()),
        Field::Number(field) => has_value(field.as_str()),
        Field::BirthDate => has_value("birth_date"),
        Field::ProfileId | Field::Active => "true".to_owned(),
        Field::Attribute(path) => format!("json_typeof({}) <> 'null'", member(path, values)),
    }
}

/// The column that keeps the form in which the field is compared.
fn text_column(field: TextField) -> &'static str {
    match field {
        TextField::ProfileType => "p.profile_type",
        TextField::UserId => "p.user_id",
        TextField::FullName => "p.full_name_key",
        TextField::Gender => "p.gender",
        TextField::EmailId => "p.email_key",
        TextField::Mobile => "p.mobile",
        TextField::CityId => "p.city_id",
        TextField::CountryId => "p.country_id",
        TextField::Address => "p.address",
        TextField::ProfileImageUrl => "p.profile_image_url",
        TextField::CreatedBy => "p.created_by",
        TextField::UpdatedBy => "p.updated_by",
        TextField::DeletedBy => "p.deleted_by",
    }
}

fn text(found: &str, op: TextOp, value: &str) -> String {
    match op {
        TextOp::Eq => order(found, Order::Eq, value),
        TextOp::Ne => order(found, Order::Ne, value),
        TextOp::Greater => order(found, Order::Greater, value),
        TextOp::GreaterOrEqual => order(found, Order::GreaterOrEqual, value),
        TextOp::Less => order(found, Order::Less, value),
        TextOp::LessOrEqual => order(found, Order::LessOrEqual, value),
        TextOp::Contains => format!("strpos({found}, {value}) > 0"),
        TextOp::StartsWith => format!("starts_with({found}, {value})"),
        TextOp::EndsWith => format!("right({found}, length({value})) = {value}"),
    }
}

fn order(found: &str, op: Order, value: &str) -> String {
    let operator = match op {
        Order::Eq => "=",
        Order::Ne => return negated(&order(found, Order::Eq, value)),
        Order::Greater => ">",
        Order::GreaterOrEqual => ">=",
        Order::Less => "<",
        Order::LessOrEqual => "<=",
    };
    format!("{found} {operator} {value}")
}

fn equality(found: &str, equal: bool, value: &str) -> String {
    order(found, if equal { Order::Eq } else { Order::Ne }, value)
}

fn attribute(condition: &AttributeCondition, values: &mut Values) -> String {
    match condition {
        AttributeCondition::Text { path, op: TextOp::Ne, value } => {
            negated(&attribute(&AttributeCondition::Text { path: path.clone(), op: TextOp::Eq, value: value.clone() }, values))
        }
        AttributeCondition::Text { path, op, value } => {
            let (member, value) = (member(path, values), values.text(value));
            let found = format!("(({member}) #>> '{{}}') COLLATE \"C\"");
            of_type("string", &member, &text(&found, *op, &value))
        }
        AttributeCondition::Number { path, op: Order::Ne, value } => {
            negated(&attribute(&AttributeCondition::Number { path: path.clone(), op: Order::Eq, value: *value }, values))
        }
        AttributeCondition::Number { path, op, value } => {
            let (member, value) = (member(path, values), values.bind(Value::Number(*value)));
            of_type("number", &member, &order(&format!("(({member}) #>> '{{}}')::float8"), *op, &value))
        }
        AttributeCondition::Boolean { path, equal: false, value } => {
            negated(&attribute(&AttributeCondition::Boolean { path: path.clone(), equal: true, value: *value }, values))
        }
        AttributeCondition::Boolean { path, value, .. } => {
            let (member, value) = (member(path, values), values.bind(Value::Boolean(*value)));
            of_type("boolean", &member, &format!("(({member}) #>> '{{}}')::boolean = {value}"))
        }
    }
}

/// Only `CASE` fixes what is evaluated first: a cast of another type's value would end the statement.
fn of_type(json_type: &str, member: &str, comparison: &str) -> String {
    format!("(CASE json_typeof({member}) WHEN '{json_type}' THEN {comparison} END)")
}

/// Attributes in which PostgreSQL can look for members. It refuses to look into JSON with an escaped U+0000 anywhere;
/// for these (an odd number of backslashes tells them from an escaped backslash) U+0001 stands in, as in `Values`.
const ATTRIBUTES: &str = r"(CASE WHEN strpos(p.attributes::text, '\u0000') = 0 THEN p.attributes
ELSE regexp_replace(p.attributes::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\u0001', 'g')::json END)";

/// The value at a path of member names. `->` with text looks into objects only, as the path means it.
fn member(path: &[String], values: &mut Values) -> String {
    path.iter().fold(ATTRIBUTES.to_owned(), |value, name| format!("{value} -> {}", values.text(name)))
}
