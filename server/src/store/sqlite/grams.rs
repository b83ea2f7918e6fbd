//! The grams of profiles, in an FTS5 table: written in the transaction of the row, read by searches.
//!
//! FTS5 writes out what it holds at every savepoint, and each job of the writer has one: a segment for every profile.
//! So jobs note what a profile had and is to have in a table of this connection alone, which a job that is undone undoes too,
//! and what the whole group makes of it is written at once before the commit.
//!
//! Only words that come or go are written. FTS5 is told exactly which go (its command `delete`), because of a table that may
//! delete by number alone each search has to look up for every entry whether it is deleted.

use crate::domain::grams::{Fact, Grams};
use crate::domain::profile::Profile;
use crate::domain::search_text::search_doc;
use crate::domain::tenant::TenantName;
use crate::store::route::Conjunct;
use crate::store::{Result, StoreError};
use rusqlite::{Connection, Row, params};
use std::collections::HashSet;

/// `before` is NULL where the profile had no words when the group began, `words` where it is gone.
pub(super) const CREATE_NOTES: &str =
    "CREATE TEMP TABLE noted_grams (profile_number INTEGER NOT NULL PRIMARY KEY, before TEXT, words TEXT) STRICT";

statements! {
    NOTE = "INSERT INTO temp.noted_grams (profile_number, before, words) VALUES (?1, ?2, ?3)
        ON CONFLICT (profile_number) DO UPDATE SET words = excluded.words";
    /// One row if it had none yet.
    FORGET_WITHOUT_GRAMS = "DELETE FROM profiles_without_grams WHERE profile_number = ?1";
    /// Ascending: FTS5 writes out what it holds whenever a number is below the one before.
    READ_NOTED = "SELECT profile_number, before, words FROM temp.noted_grams ORDER BY profile_number";
    REMOVE_WORDS = "INSERT INTO profile_grams (profile_grams, rowid, words) VALUES ('delete', ?1, ?2)";
    ADD_WORDS = "INSERT INTO profile_grams (rowid, words) VALUES (?1, ?2)";
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

/// All words of a profile: those of its grams, and its tenant's.
///
/// The index is told by these what a profile had. Where they are to be others for the same profile, a migration empties the index
/// (`delete-all`) and has all derived again, or what they were stays in it.
pub(super) fn words_of(profile: &Profile) -> String {
    words_by_text(profile, &search_doc(profile))
}

/// The same, where the profile's search text is there already.
pub(super) fn words_by_text(profile: &Profile, doc: &str) -> String {
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

/// Notes what a profile had, if it was there, and what it has from now on, if it still is. A profile that was still without
/// grams had none.
pub(super) fn note(connection: &Connection, profile_number: i64, before: Option<&str>, words: Option<&str>) -> Result<()> {
    let had_none = connection.prepare_cached(FORGET_WITHOUT_GRAMS)?.execute([profile_number])? > 0;
    connection.prepare_cached(NOTE)?.execute(params![profile_number, before.filter(|_| !had_none), words])?;
    Ok(())
}

/// Writes what was noted; called within the transaction and outside any savepoint.
pub(super) fn write_noted(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare_cached(READ_NOTED)?;
    let mut noted = statement.query([])?;
    let mut any = false;
    while let Some(row) = noted.next()? {
        any = true;
        let (number, before, words) = (row.get::<_, i64>(0)?, text(row, 1)?, text(row, 2)?);
        if before == words {
            continue;
        }
        // Both, even without a word: FTS5 counts its rows, and takes one too many that goes for a broken index.
        if let Some(before) = before {
            connection.prepare_cached(REMOVE_WORDS)?.execute(params![number, without(before, words)])?;
        }
        if let Some(words) = words {
            connection.prepare_cached(ADD_WORDS)?.execute(params![number, without(words, before)])?;
        }
    }
    drop(noted);
    if any {
        connection.prepare_cached(FORGET_NOTED)?.execute([])?;
    }
    Ok(())
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<&'r str>> {
    row.get_ref(column)?.as_str_or_null().map_err(StoreError::internal)
}

/// Those words that are none of the others.
fn without(words: &str, others: Option<&str>) -> String {
    let others: HashSet<&str> = others.unwrap_or_default().split(' ').collect();
    words.split(' ').filter(|word| !others.contains(word)).collect::<Vec<_>>().join(" ")
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
