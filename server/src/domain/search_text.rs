//! The text that search compares: case, accents and width away, vowel signs of Indic scripts kept.
//!
//! A *search text* is the words of its source with a space before each place where a word begins: after white space,
//! after punctuation inside a token, and before every character of a script that writes without spaces. A query
//! word, brought to the same form, matches where it is a substring: it then stands at the beginning of a word, or
//! anywhere within a run of such a script. Text stays linear in its source, and wildcards have no meaning in it.

use super::mobile::national_part;
use super::profile::Profile;
use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};

/// Compatibility decomposition, case folding, and away with the general combining marks (U+0300–U+036F) only: the
/// marks of Indic, Arabic and Thai script carry meaning and stay.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    let bare: String = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(folded.chars())
        .filter(|c| !matches!(c, '\u{300}'..='\u{36F}') && !is_invisible(*c))
        .collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&bare).into_owned()
}

/// Joiners and variation selectors, which change how text looks and not what it says.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{AD}')
}

/// The search text of one field.
pub fn search_text(text: &str) -> String {
    let folded = fold(text);
    let mut out = String::with_capacity(folded.len() + 8);
    for token in folded.split_whitespace().map(trim_separators) {
        push_token(&mut out, token);
    }
    out
}

/// The needles of a query: one for each of its words, in the form in which it stands in a search text.
pub fn needles(query: &str) -> Vec<String> {
    let mut needles = needles_in_order(query);
    needles.sort_unstable();
    needles.dedup();
    needles
}

/// The word of which this is the needle, if it is plain: whatever name or e-mail address begins with it, folded, has
/// the needle in its search text.
pub fn plain_word(needle: &str) -> Option<String> {
    let word = needle.replace(' ', "");
    let is_plain = !word.is_empty() && word.chars().all(|c| matches!(classify(c), Class::Word | Class::Unspaced));
    is_plain.then_some(word)
}

/// The same as `needles` in the order of the words, and as often as they stand there.
pub fn needles_in_order(query: &str) -> Vec<String> {
    let tokens = fold(&phone_as_one_word(query));
    let needle = |token| {
        let mut needle = String::with_capacity(tokens.len() + 4);
        push_token(&mut needle, token);
        needle
    };
    tokens.split_whitespace().map(trim_separators).map(needle).collect()
}

/// All that search looks at in a profile; a line per field, so that no needle reaches from one into the next.
pub fn search_doc(profile: &Profile) -> String {
    let mobile = profile.mobile.as_ref().map(|mobile| mobile_words(mobile.as_str()));
    let fields = [
        Some(profile.full_name.as_str()),
        profile.email_id.as_ref().map(|email| email.as_str()),
        Some(profile.user_id.as_str()),
        profile.city_id.as_ref().map(|city| city.as_str()),
        mobile.as_deref(),
    ];
    let lines: Vec<String> = fields.into_iter().flatten().map(search_text).collect();
    lines.join("\n")
}

/// A number is found by its beginning with and without `+`, and by that of its national part.
fn mobile_words(e164: &str) -> String {
    match national_part(e164) {
        Some(national) => format!("{e164} {national} 0{national}"),
        None => e164.to_owned(),
    }
}

/// "+91 98765-43210" is one word, as it is stored.
fn phone_as_one_word(query: &str) -> String {
    let trimmed = query.trim();
    let looks_like_phone = trimmed.starts_with('+') && trimmed.chars().skip(1).all(|c| c.is_ascii_digit() || " -().".contains(c));
    if looks_like_phone { trimmed.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect() } else { query.to_owned() }
}

/// "Smith, John": separators are no part of a word, unless they are all there is.
fn trim_separators(token: &str) -> &str {
    let trimmed = token.trim_matches([',', ';', '、', '،']);
    if trimmed.is_empty() { token } else { trimmed }
}

fn push_token(out: &mut String, token: &str) {
    let mut previous = Class::Boundary;
    for (at, c) in token.char_indices() {
        let class = classify(c);
        let begins = match class {
            Class::Mark => false,
            Class::Unspaced => true,
            Class::Word => previous != Class::Word,
            Class::Boundary => false,
        };
        if begins || at == 0 {
            out.push(' ');
        }
        out.push(c);
        if class != Class::Mark {
            previous = class;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters and digits of scripts that put spaces between words.
    Word,
    /// A character that is a place to begin by itself: scripts without spaces, emoji.
    Unspaced,
    /// Continues what came before it.
    Mark,
    /// Punctuation and symbols.
    Boundary,
}

/// Whether this begins with a character of a script without spaces.
pub fn begins_unspaced(text: &str) -> bool {
    text.chars().next().is_some_and(|c| !c.is_ascii() && classify(c) == Class::Unspaced)
}

/// The word that a segment of a search text begins with: without the punctuation behind it, and empty where the script
/// has no spaces.
pub fn word_of(segment: &str) -> &str {
    let end = segment.char_indices().find(|(_, c)| !matches!(classify(*c), Class::Word | Class::Mark));
    &segment[..end.map_or(segment.len(), |(at, _)| at)]
}

/// The letters and vowel signs of a character's script that stand near it in Unicode, as search texts have them; none
/// for ASCII.
pub fn letters_beside(c: char) -> impl Iterator<Item = char> {
    let script = SCRIPTS.get(c);
    let block = if c.is_ascii() { 0..0 } else { (u32::from(c) & !0x7F)..(u32::from(c) | 0x7F) + 1 };
    block.filter_map(char::from_u32).filter(move |near| {
        let is_letter = matches!(classify(*near), Class::Word | Class::Mark) && !near.is_numeric();
        is_letter && SCRIPTS.get(*near) == script && fold(near.encode_utf8(&mut [0; 4])).chars().eq([*near])
    })
}

const CATEGORIES: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::<GeneralCategory>::new();
const SCRIPTS: CodePointMapDataBorrowed<'static, Script> = CodePointMapData::<Script>::new();

fn classify(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Word } else { Class::Boundary };
    }
    let category = CATEGORIES.get(c);
    if GeneralCategoryGroup::Mark.contains(category) {
        return Class::Mark;
    }
    if category == GeneralCategory::OtherSymbol {
        return Class::Unspaced;
    }
    if GeneralCategoryGroup::Letter.contains(category) || GeneralCategoryGroup::Number.contains(category) {
        return if is_unspaced(SCRIPTS.get(c)) { Class::Unspaced } else { Class::Word };
    }
    Class::Boundary
}

/// Scripts in which a word's beginning cannot be seen. Korean has spaces, but a given name follows without one.
fn is_unspaced(script: Script) -> bool {
    [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Bopomofo,
        Script::Hangul,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ]
    .contains(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str, text: &str) -> bool {
        let text = search_text(text);
        let needles = needles(query);
        !needles.is_empty() && needles.iter().all(|needle| text.contains(needle.as_str()))
    }

    #[test]
    fn words_are_found_by_their_beginnings() {
        assert!(found("jo smi", "John Smith"));
        assert!(found("smith, john", "John Smith"));
        assert!(found("claire", "Marie-Claire O'Neill"));
        assert!(found("neill", "Marie-Claire O'Neill"));
        assert!(found("smith@ex", "john.smith@example.com"));
        assert!(!found("mith", "John Smith"));
        assert!(!found("jo smy", "John Smith"));
    }

    #[test]
    fn case_accents_and_width_do_not_matter() {
        assert!(found("muller", "Jürgen MÜLLER"));
        assert!(found("ＪＯＨＮ", "john"));
        assert!(found("strasse", "Straße"));
        assert!(found("nguyen", "Nguyễn Văn"));
        assert!(found("ανδρεασ", "Ανδρέας"));
    }

    #[test]
    fn vowel_signs_of_indic_scripts_do() {
        assert!(found("कि", "किरण"));
        assert!(!found("की", "किरण"));
        assert!(!found("रण", "किरण"));
    }

    #[test]
    fn runs_of_scripts_without_spaces_are_found_anywhere() {
        assert!(found("伟明", "张伟明"));
        assert!(found("明", "张伟明"));
        assert!(!found("张明", "张伟明"));
        assert!(found("太郎", "山田太郎"));
        assert!(found("ชาย", "สมชาย"));
        assert!(found("민준", "김민준"));
        assert!(found("🎉", "Ana🎉"));
    }

    #[test]
    fn wildcards_and_query_syntax_are_text() {
        for query in ["%", "_", "j%", "j_hn", "\"john\"", "john*", "john OR", "-john", "\\", "'"] {
            assert!(!found(query, "John Smith"), "{query:?} found somebody");
        }
        assert!(found("100%", "Mr 100%"));
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        assert!(found("+91 98765", &mobile_words("+919876543210")));
        assert!(found("98765", &mobile_words("+919876543210")));
        assert!(found("919876543210", &mobile_words("+919876543210")));
    }

    proptest::proptest! {
        #[test]
        fn a_name_that_begins_with_a_plain_word_is_found_by_it(name in "(\\PC|[a-e0-2 .@-]|[張伟明太郎กิカ가]){1,12}", length in 1_usize..6) {
            let folded = fold(&name);
            let beginning: String = folded.chars().take(length).collect();
            for needle in needles(&beginning) {
                if let Some(word) = plain_word(&needle).filter(|word| folded.starts_with(word.as_str())) {
                    proptest::prop_assert!(search_text(&name).contains(&needle), "{word:?} begins {name:?}");
                }
            }
        }
    }
}
