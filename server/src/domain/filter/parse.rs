//! Text to `Filter`, by recursive descent; `and` binds tighter than `or`, as in RFC 7644 §3.4.2.2.

use super::lexer::{Spanned, Token, tokens};
use super::{
    AttributeCondition, Condition, Field, Filter, IntegerField, MAX_CONDITIONS, MAX_DEPTH, MAX_LENGTH, NumberField, Order, TextField,
    TextOp,
};
use crate::domain::birth_date::BirthDate;
use crate::domain::geo::{Circle, MAX_KILOMETRES};
use crate::domain::profile::ProfileId;
use serde_json::Number;

/// What is wrong with a filter, and at which character (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} (at character {at})")]
pub struct FilterError {
    pub at: usize,
    pub detail: String,
}

impl FilterError {
    pub(super) fn new(at: usize, detail: impl Into<String>) -> Self {
        Self { at, detail: detail.into() }
    }
}

/// Parses a filter of at most `MAX_LENGTH` characters, `MAX_CONDITIONS` comparisons and `MAX_DEPTH` levels.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    let length = text.chars().count();
    if length > MAX_LENGTH {
        return Err(FilterError::new(MAX_LENGTH, format!("a filter has at most {MAX_LENGTH} characters, this one has {length}")));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: length + 1, depth: 0, conditions: 0 };
    let filter = parser.any()?;
    match parser.peek() {
        None => Ok(filter),
        Some(Token::Close) => Err(parser.error("this ) closes nothing")),
        Some(_) => Err(parser.error("expected and, or, or the end of the filter")),
    }
}

struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    end: usize,
    depth: usize,
    conditions: usize,
}

enum Literal {
    Text(String),
    Number(Number),
    Boolean(bool),
    Null,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|spanned| &spanned.token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |spanned| spanned.at)
    }

    fn error(&self, detail: impl Into<String>) -> FilterError {
        FilterError::new(self.at(), detail)
    }

    fn next_word(&mut self, expected: &str) -> Result<String, FilterError> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.error(format!("expected {expected}"))),
        }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut any = vec![self.all()?];
        while self.takes("or") {
            any.push(self.all()?);
        }
        Ok(joined(any, Filter::Any, |filter| match filter {
            Filter::Any(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut all = vec![self.factor()?];
        while self.takes("and") {
            all.push(self.factor()?);
        }
        Ok(joined(all, Filter::All, |filter| match filter {
            Filter::All(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn factor(&mut self) -> Result<Filter, FilterError> {
        if self.takes("not") {
            if self.peek() != Some(&Token::Open) {
                return Err(self.error("expected ( after not"));
            }
            return Ok(Filter::Not(Box::new(self.group()?)));
        }
        if self.peek() == Some(&Token::Open) { self.group() } else { self.condition() }
    }

    fn group(&mut self) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("a filter nests at most {MAX_DEPTH} levels deep")));
        }
        self.next += 1;
        let inner = self.any()?;
        if self.peek() != Some(&Token::Close) {
            return Err(self.error("expected )"));
        }
        self.next += 1;
        self.depth -= 1;
        Ok(inner)
    }

    fn condition(&mut self) -> Result<Filter, FilterError> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(self.error(format!("a filter has at most {MAX_CONDITIONS} comparisons")));
        }
        let field_at = self.at();
        let name = self.next_word("a field, like city_id")?;
        if name.eq_ignore_ascii_case("near") && self.peek() == Some(&Token::Open) {
            return self.near();
        }
        let field = field_named(&name).ok_or_else(|| FilterError::new(field_at, unknown_field(&name)))?;
        let op_at = self.at();
        let op = self.next_word("an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr")?.to_ascii_lowercase();
        if op == "pr" {
            return Ok(Filter::Condition(Condition::Present(field)));
        }
        let op = text_op(&op).ok_or_else(|| FilterError::new(op_at, "expected an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr"))?;
        let value_at = self.at();
        match (self.literal()?, op) {
            (Literal::Null, TextOp::Eq) => Ok(Filter::Not(Box::new(Filter::Condition(Condition::Present(field))))),
            (Literal::Null, TextOp::Ne) => Ok(Filter::Condition(Condition::Present(field))),
            (Literal::Null, _) => Err(FilterError::new(value_at, "null can only be compared with eq and ne")),
            (literal, op) => typed(field, op, literal, op_at, value_at).map(Filter::Condition),
        }
    }

    /// `(latitude, longitude, kilometres)`.
    fn near(&mut self) -> Result<Filter, FilterError> {
        self.next += 1;
        let latitude = self.number("a latitude from -90 to 90", -90.0..=90.0)?;
        self.expect(&Token::Comma, ",")?;
        let longitude = self.number("a longitude from -180 to 180", -180.0..=180.0)?;
        self.expect(&Token::Comma, ",")?;
        let kilometres = self.number("kilometres, from 0 to half the girth of the Earth", 0.0..=MAX_KILOMETRES)?;
        self.expect(&Token::Close, ")")?;
        Ok(Filter::Condition(Condition::Near(Circle { latitude, longitude, kilometres })))
    }

    fn expect(&mut self, token: &Token, name: &str) -> Result<(), FilterError> {
        if self.peek() != Some(token) {
            return Err(self.error(format!("expected {name}, as in near(latitude, longitude, kilometres)")));
        }
        self.next += 1;
        Ok(())
    }

    fn number(&mut self, expected: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, FilterError> {
        let number = match self.peek() {
            Some(Token::Number(number)) => number.as_f64().filter(|number| range.contains(number)),
            _ => None,
        };
        let number = number.ok_or_else(|| self.error(format!("expected {expected}")))?;
        self.next += 1;
        Ok(number)
    }

    fn literal(&mut self) -> Result<Literal, FilterError> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(number.clone()),
            Some(Token::Word(word)) if word == "true" => Literal::Boolean(true),
            Some(Token::Word(word)) if word == "false" => Literal::Boolean(false),
            Some(Token::Word(word)) if word == "null" => Literal::Null,
            _ => return Err(self.error("expected a value: text in double quotes, a number, true, false or null")),
        };
        self.next += 1;
        Ok(literal)
    }
}

/// One filter stays itself; several become a list, which takes in lists of its own kind.
fn joined(filters: Vec<Filter>, list: fn(Vec<Filter>) -> Filter, unwrap: fn(Filter) -> Result<Vec<Filter>, Filter>) -> Filter {
    let single = filters.len() == 1;
    let mut flat = Vec::new();
    for filter in filters {
        match unwrap(filter) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    match flat.pop() {
        Some(only) if single && flat.is_empty() => only,
        Some(last) => {
            flat.push(last);
            list(flat)
        }
        None => list(flat),
    }
}

fn text_op(word: &str) -> Option<TextOp> {
    [
        TextOp::Eq,
        TextOp::Ne,
        TextOp::Contains,
        TextOp::StartsWith,
        TextOp::EndsWith,
        TextOp::Greater,
        TextOp::GreaterOrEqual,
        TextOp::Less,
        TextOp::LessOrEqual,
    ]
    .into_iter()
    .find(|op| op.as_str() == word)
}

fn field_named(name: &str) -> Option<Field> {
    let lower = name.to_ascii_lowercase();
    let text = TextField::ALL.iter().find(|field| field.as_str() == lower).map(|field| Field::Text(*field));
    let integer = || IntegerField::ALL.iter().find(|field| field.as_str() == lower).map(|field| Field::Integer(*field));
    let number = || NumberField::ALL.iter().find(|field| field.as_str() == lower).map(|field| Field::Number(*field));
    let other = || match lower.as_str() {
        "birth_date" => Some(Field::BirthDate),
        "profile_id" => Some(Field::ProfileId),
        "active" => Some(Field::Active),
        _ => attribute_path(name).map(Field::Attribute),
    };
    text.or_else(integer).or_else(number).or_else(other)
}

/// `attributes.a.b`: the names of members are compared exactly.
fn attribute_path(name: &str) -> Option<Vec<String>> {
    let path: Vec<String> = name.strip_prefix("attributes.")?.split('.').map(str::to_owned).collect();
    path.iter().all(|part| !part.is_empty()).then_some(path)
}

fn unknown_field(name: &str) -> String {
    let mut names: Vec<&str> = TextField::ALL.iter().map(|field| field.as_str()).collect();
    names.extend(IntegerField::ALL.iter().map(|field| field.as_str()));
    names.extend(NumberField::ALL.iter().map(|field| field.as_str()));
    names.extend(["birth_date", "profile_id", "active"]);
    format!("{name} is not a field that a filter knows; it knows {} and attributes.<name>", names.join(", "))
}

fn typed(field: Field, op: TextOp, literal: Literal, op_at: usize, value_at: usize) -> Result<Condition, FilterError> {
    let wrong_value = |expected: &str| FilterError::new(value_at, format!("expected {expected}"));
    let order = || op.as_order().ok_or_else(|| FilterError::new(op_at, "co, sw and ew compare text only"));
    let equal = || match op {
        TextOp::Eq => Ok(true),
        TextOp::Ne => Ok(false),
        _ => Err(FilterError::new(op_at, "this field can only be compared with eq, ne and pr")),
    };
    Ok(match (field, literal) {
        (Field::Text(field), Literal::Text(value)) => Condition::Text { field, op, value },
        (Field::Text(_), _) => return Err(wrong_value("text in double quotes")),
        (Field::Integer(field), literal) => {
            Condition::Integer { field, op: order()?, value: integer(field, &literal).map_err(|e| wrong_value(&e))? }
        }
        (Field::Number(field), Literal::Number(number)) => {
            Condition::Number { field, op: order()?, value: number.as_f64().unwrap_or_default() }
        }
        (Field::Number(_), _) => return Err(wrong_value("a number")),
        (Field::BirthDate, Literal::Text(text)) => {
            let value = BirthDate::parse(&text).map_err(|_| wrong_value("a date from 1900 on, like \"1990-12-31\""))?;
            Condition::BirthDate { op: order()?, value }
        }
        (Field::BirthDate, _) => return Err(wrong_value("a date in double quotes, like \"1990-12-31\"")),
        (Field::ProfileId, Literal::Text(text)) => {
            let value = ProfileId::parse(&text).ok_or_else(|| wrong_value("a profile's id, which is a UUID"))?;
            Condition::ProfileId { equal: equal()?, value }
        }
        (Field::ProfileId, _) => return Err(wrong_value("a profile's id in double quotes")),
        (Field::Active, Literal::Boolean(value)) => Condition::Active { equal: equal()?, value },
        (Field::Active, _) => return Err(wrong_value("true or false")),
        (Field::Attribute(path), Literal::Text(value)) => Condition::Attribute(AttributeCondition::Text { path, op, value }),
        (Field::Attribute(path), Literal::Number(number)) => {
            Condition::Attribute(AttributeCondition::Number { path, op: order()?, value: number.as_f64().unwrap_or_default() })
        }
        (Field::Attribute(path), Literal::Boolean(value)) => {
            Condition::Attribute(AttributeCondition::Boolean { path, equal: equal()?, value })
        }
        (Field::Attribute(_), Literal::Null) => return Err(wrong_value("a value")),
    })
}

fn integer(field: IntegerField, literal: &Literal) -> Result<i64, String> {
    let expected = match field {
        IntegerField::Version => "a whole number",
        _ => "Unix time in milliseconds, or a time like \"2026-01-31T12:00:00Z\"",
    };
    match literal {
        Literal::Number(number) => number.as_i64(),
        Literal::Text(text) if field != IntegerField::Version => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
        _ => None,
    }
    .ok_or_else(|| expected.to_owned())
}

/// Comparisons of values that have an order.
impl Order {
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}
