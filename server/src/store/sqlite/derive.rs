//! Profiles that were written before grams were: they get theirs. Until the last one has, searches are scans.

use super::Sqlite;
use super::grams::{note, words_of};
use super::rows;
use super::writer::Verdict;
use crate::store::Result;
use rusqlite::Connection;

/// So many at once: other writes wait for less than a tenth of a second.
const PROFILES: u32 = 1_000;

statements! {
    READ_WITHOUT_GRAMS = concat!("SELECT ", profile_columns!(), ", profile_number
        FROM profiles_without_grams CROSS JOIN profiles USING (profile_number) ORDER BY profile_number LIMIT ?1");
    /// Those that are gone by now.
    FORGET_ALL_WITHOUT_GRAMS = "DELETE FROM profiles_without_grams";
    ANY_WITHOUT_GRAMS = "SELECT EXISTS (SELECT 1 FROM profiles_without_grams)";
}

/// Whether there are profiles that cannot be found by grams yet.
pub(super) fn any_without_grams(connection: &Connection) -> Result<bool> {
    Ok(connection.prepare_cached(ANY_WITHOUT_GRAMS)?.query_row([], |row| row.get(0))?)
}

impl Sqlite {
    /// Until every profile has its grams.
    pub(super) async fn derive_grams(&self) -> Result<()> {
        while self.read(|connection| any_without_grams(connection)).await? {
            self.write(|connection| derive_some(connection).map(Verdict::Keep)).await?;
        }
        Ok(())
    }
}

fn derive_some(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare_cached(READ_WITHOUT_GRAMS)?;
    let profiles = statement.query_map([PROFILES], rows::numbered_profile)?;
    let profiles = profiles.collect::<rusqlite::Result<Vec<_>>>()?;
    for (number, profile) in &profiles {
        note(connection, *number, None, Some(&words_of(profile)))?;
    }
    if profiles.is_empty() {
        connection.prepare_cached(FORGET_ALL_WITHOUT_GRAMS)?.execute([])?;
    }
    Ok(())
}
