//! Birth dates: `YYYY-MM-DD`, not before 1900; that they are not in the future is checked against the clock.

use super::clock::TimestampMs;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

/// A day from 1900-01-01 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BirthDate(Date);

impl BirthDate {
    pub fn parse(text: &str) -> Result<Self, String> {
        let shaped =
            text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        let date: Option<Date> = if shaped { text.parse().ok() } else { None };
        match date {
            Some(date) if date.year() >= 1900 => Ok(Self(date)),
            Some(_) => Err("must not be before 1900-01-01".to_owned()),
            None => Err("must be a date like 1990-12-31".to_owned()),
        }
    }

    /// So many days after 1970-01-01; `None` before 1900, and where there is no such day.
    pub fn from_unix_day(day: i32) -> Option<Self> {
        let date = date(1970, 1, 1).checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
        (date.year() >= 1900).then_some(Self(date))
    }

    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// Whether this day has not yet begun anywhere in UTC terms at `now`.
    pub fn is_after(self, now: TimestampMs) -> bool {
        let today = jiff::Timestamp::from_millisecond(now.0).map(|t| jiff::tz::Offset::UTC.to_datetime(t).date());
        today.is_ok_and(|today| self.0 > today)
    }
}

impl std::fmt::Display for BirthDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

crate::from_json_text!(BirthDate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let text = |day| BirthDate::from_unix_day(day).map(|date| date.to_string());
        assert_eq!(text(0).as_deref(), Some("1970-01-01"));
        assert_eq!(text(-25_567).as_deref(), Some("1900-01-01"));
        assert_eq!(text(7_670).as_deref(), Some("1991-01-01"));
        assert_eq!((text(-25_568), text(i32::MAX), text(i32::MIN)), (None, None, None));
    }
}
