//! The grams of profiles, in an FTS5 table: written in the transaction of the row, read by searches.
//!
//! FTS5 writes out what it holds at every savepoint, and each job of the writer has one: a segment for every profile.
//! So jobs note what is to be written in a table of this connection alone, which a job that is undone undoes too, and
//! the whole group's notes are written at once before the commit.

use crate::domain::grams::{Fact, Grams};
use crate::domain::profile::Profile;
use crate::domain::tenant::TenantName;
use crate::store::Result;
use crate::store::route::Conjunct;
use rusqlite::{Connection, params};

/// The words are NULL where the profile is gone.
pub(super) const CREATE_NOTES: &str = "CREATE TEMP TABLE noted_grams (profile_number INTEGER NOT NULL PRIMARY KEY, words TEXT) STRICT";

statements! {
    NOTE = "INSERT OR REPLACE INTO temp.noted_grams (profile_number, words) VALUES (?1, ?2)";
    NOTE_TENANT = "INSERT OR REPLACE INTO temp.noted_grams (profile_number, words)
        SELECT profile_number, NULL FROM profiles WHERE tenant_name = ?1";
    ANY_NOTED = "SELECT EXISTS (SELECT 1 FROM temp.noted_grams)";
    REMOVE_NOTED = "DELETE FROM profile_grams WHERE rowid IN (SELECT profile_number FROM temp.noted_grams WHERE words IS NULL)";
    /// Ascending: FTS5 writes out what it holds whenever a number is below the one before.
    WRITE_NOTED = "INSERT OR REPLACE INTO profile_grams (rowid, words)
        SELECT profile_number, words FROM temp.noted_grams WHERE words IS NOT NULL ORDER BY profile_number";
    FORGET_NOTED = "DELETE FROM temp.noted_grams";
}

const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The word of one gram.
pub(super) fn word(gram: i32) -> String {
    let mut word = String::with_capacity(7);
    push_word(&mut word, gram);
    word
}

/// Seven digits to the base of 32.
fn push_word(words: &mut String, gram: i32) {
    let bits = gram.cast_unsigned();
    for shift in [30, 25, 20, 15, 10, 5, 0] {
        let digit = usize::try_from(bits >> shift & 31).unwrap_or_default();
        words.push(char::from(DIGITS[digit]));
    }
}

/// All words of a profile whose search text is `doc`: those of its grams, and its tenant's.
pub(super) fn words_of(profile: &Profile, doc: &str) -> String {
    let grams = Grams::of(&profile.tenant_name).of_profile(profile, doc);
    let mut words = tenant_word(&profile.tenant_name);
    words.reserve(grams.len() * 8);
    for gram in grams {
        words.push(' ');
        push_word(&mut words, gram);
    }
    words
}

/// What all profiles of a tenant have: longer than any gram's word. Nothing is found by it, only counted.
pub(super) fn tenant_word(tenant: &TenantName) -> String {
    let mut word = "t".to_owned();
    push_word(&mut word, Grams::of(tenant).gram(Fact::Beginning("")));
    word
}

/// Who has one of these grams, in the language of FTS5.
pub(super) fn any_of(conjunct: &Conjunct) -> String {
    let mut expression = String::with_capacity(conjunct.any_of.len() * 11);
    for gram in &conjunct.any_of {
        if !expression.is_empty() {
            expression.push_str(" OR ");
        }
        push_word(&mut expression, *gram);
    }
    expression
}

/// Who has a gram of each.
pub(super) fn all_of(conjuncts: &[&Conjunct]) -> String {
    conjuncts.iter().map(|conjunct| format!("({})", any_of(conjunct))).collect::<Vec<_>>().join(" AND ")
}

/// Notes what a profile has from now on.
pub(super) fn note(connection: &Connection, profile_number: i64, words: Option<&str>) -> Result<()> {
    connection.prepare_cached(NOTE)?.execute(params![profile_number, words])?;
    Ok(())
}

/// Notes that the tenant's profiles are about to go.
pub(super) fn note_tenant_gone(connection: &Connection, tenant: &TenantName) -> Result<()> {
    connection.prepare_cached(NOTE_TENANT)?.execute([tenant.as_str()])?;
    Ok(())
}

/// Writes what was noted; called within the transaction and outside any savepoint.
pub(super) fn write_noted(connection: &Connection) -> Result<()> {
    let any: bool = connection.prepare_cached(ANY_NOTED)?.query_row([], |row| row.get(0))?;
    if any {
        for sql in [REMOVE_NOTED, WRITE_NOTED, FORGET_NOTED] {
            connection.prepare_cached(sql)?.execute([])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gram_has_a_word_of_its_own() {
        assert_eq!((word(0), word(-1), word(33)), ("0000000".to_owned(), "3vvvvvv".to_owned(), "0000011".to_owned()));
        assert_ne!(word(i32::MIN), word(i32::MAX));
    }
}
