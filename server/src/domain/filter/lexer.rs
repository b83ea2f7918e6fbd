//! The tokens of the filter language.

use super::parse::FilterError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    /// A keyword, an operator or a field: told apart by where it stands.
    Word(String),
    Text(String),
    Number(serde_json::Number),
}

/// A token and the character at which it begins, counted from 1 as a person would.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub at: usize,
    pub token: Token,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, FilterError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let at = text[..text.len() - rest.len()].chars().count() + 1;
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '"' => string(rest, at)?,
            '-' | '0'..='9' => number(rest, at)?,
            _ => word(rest, at)?,
        };
        tokens.push(Spanned { at, token });
        rest = &rest[length..];
    }
}

/// A JSON string (RFC 7644 takes its values from RFC 8259).
fn string(rest: &str, at: usize) -> Result<(Token, usize), FilterError> {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find_map(|(i, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(i + 1)
    });
    let end = end.ok_or_else(|| FilterError::new(at, "this text has no closing \""))?;
    let value: String = serde_json::from_str(&rest[..end])
        .map_err(|_| FilterError::new(at, "this is not a JSON string: write \\\\ for a backslash and \\\" for a quote"))?;
    if value.contains('\0') {
        return Err(FilterError::new(at, "text must not contain the character U+0000"));
    }
    Ok((Token::Text(value), end))
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), FilterError> {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
    match serde_json::from_str(&rest[..end]) {
        Ok(number) => Ok((Token::Number(number), end)),
        Err(_) => Err(FilterError::new(at, "this is not a number; text stands in double quotes")),
    }
}

fn word(rest: &str, at: usize) -> Result<(Token, usize), FilterError> {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).unwrap_or(rest.len());
    match end {
        0 => {
            Err(FilterError::new(at, format!("{:?} has no meaning here; text stands in double quotes", rest.chars().next().unwrap_or(' '))))
        }
        end => Ok((Token::Word(rest[..end].to_owned()), end)),
    }
}
