//! A filter as SQL. SQL's logic has three values and the filter's two: a term that comes out NULL counts as false where
//! it stands under `and` and `or`, and `not` asks `IS NOT TRUE`. So a comparison stays as plain as an index needs it.

use crate::domain::filter::{AttributeCondition, Condition, Field, Filter, IntegerField, NumberField, Order, TextField, TextOp};
use crate::domain::geo::Circle;
use crate::domain::text::behind_beginning;
use rusqlite::types::Value;

/// SQL text with the values of its numbered parameters. Values are never part of the text.
#[derive(Debug, Clone, Default)]
pub(super) struct Sql {
    pub text: String,
    pub values: Vec<Value>,
}

impl Sql {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a parameter with this value.
    pub fn bind(&mut self, value: impl Into<Value>) {
        let parameter = self.parameter(value);
        self.push(&parameter);
    }

    /// A parameter with this value, for text that mentions it more than once.
    fn parameter(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// Adds a term that is true where the filter holds, and false or NULL elsewhere.
    pub fn push_filter(&mut self, filter: &Filter) {
        match filter {
            Filter::All(all) => self.push_list(all, " AND "),
            Filter::Any(any) => self.push_list(any, " OR "),
            Filter::Not(inner) => {
                self.push("(");
                self.push_filter(inner);
                self.push(") IS NOT TRUE");
            }
            Filter::Condition(condition) => self.push_condition(condition),
        }
    }

    fn push_list(&mut self, filters: &[Filter], separator: &str) {
        for (i, filter) in filters.iter().enumerate() {
            self.push(if i == 0 { "(" } else { separator });
            self.push("(");
            self.push_filter(filter);
            self.push(")");
        }
        self.push(")");
    }

    fn push_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Present(field) => self.push_present(field),
            Condition::Text { field, op, value } => self.push_text(text_column(*field), *op, &field.comparison_form(value)),
            Condition::Integer { field, op, value } => self.push_order(integer_column(*field), *op, *value),
            Condition::Number { field, op, value } => self.push_order(number_column(*field), *op, *value),
            Condition::BirthDate { op, value } => self.push_order("birth_date", *op, value.to_string()),
            Condition::ProfileId { equal, value } => self.push_order("profile_id", equality(*equal), value.0.as_bytes().to_vec()),
            Condition::Active { equal, value } => self.push_order("active", equality(*equal), i64::from(*value)),
            Condition::Attribute(condition) => self.push_attribute(condition),
            Condition::Near(circle) => {
                self.push_distance(circle);
                self.push(" <= ");
                self.bind(circle.millimetres());
            }
        }
    }

    /// How far from the circle's centre, in millimetres.
    pub fn push_distance(&mut self, circle: &Circle) {
        self.push("distance_mm(latitude, longitude, ");
        self.bind(circle.latitude);
        self.push(", ");
        self.bind(circle.longitude);
        self.push(")");
    }

    fn push_present(&mut self, field: &Field) {
        match field {
            Field::Text(field) => self.push(text_column(*field)),
            Field::Integer(field) => self.push(integer_column(*field)),
            Field::Number(field) => self.push(number_column(*field)),
            Field::BirthDate => self.push("birth_date"),
            Field::ProfileId => self.push("profile_id"),
            Field::Active => self.push("active"),
            // A member that is null has no value.
            Field::Attribute(path) => {
                self.push("nullif(json_type(attributes, ");
                self.bind(json_path(path));
                self.push("), 'null')");
            }
        }
        self.push(" IS NOT NULL");
    }

    /// The attribute as an expression that is NULL unless its value is of the literal's type.
    fn push_attribute(&mut self, condition: &AttributeCondition) {
        match condition {
            AttributeCondition::Text { path, op, value } => {
                let path = self.parameter(json_path(path));
                let text = format!("CASE json_type(attributes, {path}) WHEN 'text' THEN json_extract(attributes, {path}) END");
                self.push_text(&text, *op, value);
            }
            AttributeCondition::Number { path, op, value } => {
                let path = self.parameter(json_path(path));
                let number = format!(
                    "CASE WHEN json_type(attributes, {path}) IN ('integer', 'real') \
                     THEN CAST(json_extract(attributes, {path}) AS REAL) END"
                );
                self.push_order(&number, *op, *value);
            }
            AttributeCondition::Boolean { path, equal, value } => {
                let path = self.parameter(json_path(path));
                self.push_order(&format!("json_type(attributes, {path})"), equality(*equal), value.to_string());
            }
        }
    }

    fn push_order(&mut self, subject: &str, op: Order, value: impl Into<Value>) {
        self.push(subject);
        self.push(match op {
            Order::Eq => " = ",
            // True of a missing value too.
            Order::Ne => " IS NOT ",
            Order::Greater => " > ",
            Order::GreaterOrEqual => " >= ",
            Order::Less => " < ",
            Order::LessOrEqual => " <= ",
        });
        self.bind(value);
    }

    fn push_text(&mut self, subject: &str, op: TextOp, value: &str) {
        match (op, op.as_order()) {
            (_, Some(order)) => self.push_order(subject, order, value.to_owned()),
            (TextOp::StartsWith, _) => self.push_prefix(subject, value),
            // The last no characters would be all of them.
            (TextOp::EndsWith, _) if !value.is_empty() => self.push_suffix(subject, value),
            _ => {
                self.push("instr(");
                self.push(subject);
                self.push(", ");
                self.bind(value.to_owned());
                self.push(") > 0");
            }
        }
    }

    /// Text begins with a prefix where it stands between that and the next text which does not: a range of an index.
    fn push_prefix(&mut self, subject: &str, prefix: &str) {
        self.push_order(subject, Order::GreaterOrEqual, prefix.to_owned());
        if let Some(behind) = behind_beginning(prefix) {
            self.push(" AND ");
            self.push_order(subject, Order::Less, behind);
        }
    }

    /// By bytes: characters would be counted from the end, and only up to a NUL.
    fn push_suffix(&mut self, subject: &str, suffix: &str) {
        let bytes = suffix.as_bytes().to_vec();
        self.push("substr(CAST(");
        self.push(subject);
        self.push(" AS BLOB), ");
        self.bind(i64::try_from(bytes.len()).map_or(i64::MIN, |length| -length));
        self.push(") = ");
        self.bind(bytes);
    }
}

fn equality(equal: bool) -> Order {
    if equal { Order::Eq } else { Order::Ne }
}

/// `$."a"."b"`: member names, never places in an array.
fn json_path(path: &[String]) -> String {
    path.iter().fold("$".to_owned(), |whole, name| whole + ".\"" + name + "\"")
}

/// The column that holds the form in which the field is compared.
fn text_column(field: TextField) -> &'static str {
    match field {
        TextField::FullName => "full_name_key",
        TextField::EmailId => "email_key",
        other => other.as_str(),
    }
}

fn integer_column(field: IntegerField) -> &'static str {
    field.as_str()
}

fn number_column(field: NumberField) -> &'static str {
    field.as_str()
}
