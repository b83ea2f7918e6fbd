//! Mobile numbers in E.164; a national number is read with a country as region.

use phonenumber::{Mode, PhoneNumber, country};
use serde::{Deserialize, Serialize};

const MAX_INPUT_LENGTH: usize = 64;
const EXPECTED: &str = "must be a phone number like +14155550100";

/// A number as the client wrote it. What it means may depend on the profile's country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MobileInput(String);

impl MobileInput {
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = super::text::clean(text, MAX_INPUT_LENGTH)?;
        let plausible = |(at, c): (usize, char)| c.is_ascii_digit() || " -().".contains(c) || (c == '+' && at == 0);
        if text.char_indices().all(plausible) { Ok(Self(text)) } else { Err(format!("{EXPECTED}: digits, spaces and + - ( ) . only")) }
    }
}

/// A phone number in E.164: `+`, the country code and the national number, at most 15 digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mobile(String);

impl Mobile {
    /// Reads a number. Without a leading `+` it is national to `country_id` (ISO 3166-1 alpha-2).
    ///
    /// Accepted is what has a known country code and a length that occurs there; whether the number is assigned is
    /// not judged, because numbering plans change faster than any table of them.
    pub fn read(input: &MobileInput, country_id: Option<&str>) -> Result<Self, String> {
        let text = input.0.as_str();
        let region: Option<country::Id> = country_id.and_then(|id| id.to_ascii_uppercase().parse().ok());
        if !text.starts_with('+') && region.is_none() {
            return Err("must start with + and the country code, or come with a country_id (ISO 3166-1 alpha-2)".to_owned());
        }
        let number = phonenumber::parse(region, text).map_err(|_| EXPECTED.to_owned())?;
        if !has_possible_length(&number) {
            return Err(format!("{EXPECTED}: no number of its country has this many digits"));
        }
        let e164 = number.format().mode(Mode::E164).to_string();
        // Each reading may take a digit for a trunk prefix; of a number that means something, none is left to take.
        if phonenumber::parse(None, &e164).ok().as_ref().map(PhoneNumber::national) != Some(number.national()) {
            return Err(format!("{EXPECTED}: without a trunk prefix before the number of its country"));
        }
        Ok(Self(e164))
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What follows the country code of a number in E.164. No country code begins with another one.
pub fn national_part(e164: &str) -> Option<&str> {
    let digits = e164.strip_prefix('+')?;
    (1..=3).find_map(|length| {
        let code = digits.get(..length)?.parse().ok()?;
        phonenumber::metadata::DATABASE.by_code(&code).and(digits.get(length..))
    })
}

/// Reads the tables of numbering plans, which the first number would otherwise wait for.
pub fn warm_up() {
    let _ = phonenumber::metadata::DATABASE.by_id("US");
}

fn has_possible_length(number: &PhoneNumber) -> bool {
    let digits = u16::try_from(number.national().to_string().len()).unwrap_or(u16::MAX);
    let Some(regions) = phonenumber::metadata::DATABASE.by_code(&number.code().value()) else { return false };
    regions.iter().any(|region| {
        let lengths = region.descriptors().general().possible_length();
        if lengths.is_empty() { (4..=14).contains(&digits) } else { lengths.contains(&digits) }
    })
}

crate::from_json_text!(MobileInput);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, country_id: Option<&str>) -> Result<String, String> {
        MobileInput::parse(text).and_then(|input| Mobile::read(&input, country_id)).map(|m| m.0)
    }

    #[test]
    fn numbers_come_out_as_e164() {
        assert_eq!(read("+91 98765 43210", None).unwrap(), "+919876543210");
        assert_eq!(read("098765 43210", Some("IN")).unwrap(), "+919876543210");
        assert_eq!(read("(415) 555-0100", Some("us")).unwrap(), "+14155550100");
        assert_eq!(read("+44 20 7946 0958", Some("US")).unwrap(), "+442079460958");
        assert_eq!(read("+39 06 1234 5678", None).unwrap(), "+390612345678");
        assert_eq!(read("+31 0 6 12345678", None).unwrap(), "+31612345678");
    }

    #[test]
    fn what_is_no_number_is_refused_with_a_hint() {
        assert!(read("98765 43210", None).unwrap_err().contains("country_id"));
        assert!(read("98765 43210", Some("nowhere")).unwrap_err().contains("country_id"));
        for text in
            ["+", "+1", "+999123456789", "12", "call me", "+1415555010012345", "++14155550100", "+31000001", "+7888000", "+780 00", "٣٤٥"]
        {
            assert!(read(text, Some("US")).is_err(), "{text:?} was taken for a number");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_what_comes_out_reads_the_same(text in "[+]?[0-9 ().+-]{0,24}", region in prop::option::of("[A-Z]{2}")) {
            if let Ok(number) = read(&text, region.as_deref()) {
                prop_assert!(number.starts_with('+') && number.len() <= 16);
                prop_assert_eq!(read(&number, None), Ok(number));
            }
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in "\\PC{0,70}") {
            let _ = read(&text, Some("DE"));
        }
    }

    proptest! {
        #[test]
        fn the_national_part_is_what_a_parser_reads(number in r"\+[1-9][0-9]{6,13}") {
            if let Ok(number) = read(&number, None) {
                let parsed: PhoneNumber = number.parse().unwrap();
                prop_assert_eq!(national_part(&number).map(str::to_owned), Some(parsed.national().to_string()));
            }
        }
    }
}
