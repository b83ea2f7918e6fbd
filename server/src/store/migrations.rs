//! The schema's history, embedded: what is to be applied, and whether what was applied is what is embedded here.

use super::error::{Result, StoreError};

/// One file of `migrations/`: the same numbers and names in both backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    pub version: u32,
    pub name: &'static str,
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),+ $(,)?) => {
        pub const POSTGRES: &[Migration] = &[$(migration!("postgres" $version $name)),+];
        pub const SQLITE: &[Migration] = &[$(migration!("sqlite" $version $name)),+];
    };
}

macro_rules! migration {
    ($backend:literal $version:literal $name:literal) => {
        Migration { version: $version, name: $name, sql: include_str!(concat!("../../../migrations/", $backend, "/", $name, ".sql")) }
    };
}

migrations! {
    1 "0001_directory",
    2 "0002_row_level_security",
    3 "0003_search",
    4 "0004_search_paths",
    5 "0005_name_order_grams",
    6 "0006_placed_grams",
    7 "0007_words_of_names",
    8 "0008_country_words_and_merges",
    9 "0009_longer_numbers_and_words_of_cities",
    10 "0010_exact_grams",
}

/// A row of the table `schema_migrations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    pub name: String,
    pub checksum: String,
}

impl Migration {
    /// SHA-256 of the file, in hexadecimal.
    pub fn checksum(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.sql.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What is still to be applied, in order. Refuses a history that is not a beginning of the embedded one.
pub fn pending<'a>(embedded: &'a [Migration], applied: &[Applied]) -> Result<&'a [Migration]> {
    if applied.len() > embedded.len() {
        let known = embedded.len();
        let found = applied.len();
        return Err(refused(format!("the schema is at version {found}, this program knows {known}: run a newer n_users")));
    }
    for (migration, row) in embedded.iter().zip(applied) {
        if row.version != i64::from(migration.version) || row.name != migration.name || row.checksum != migration.checksum() {
            let Applied { version, name, .. } = row;
            return Err(refused(format!(
                "migration {version} ({name}) was applied with another content than this program's {}",
                migration.name
            )));
        }
    }
    Ok(&embedded[applied.len()..])
}

fn refused(reason: String) -> StoreError {
    StoreError::internal(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(migration: &Migration) -> Applied {
        Applied { version: migration.version.into(), name: migration.name.to_owned(), checksum: migration.checksum() }
    }

    #[test]
    fn both_backends_have_the_same_numbers_and_names() {
        let names = |migrations: &[Migration]| migrations.iter().map(|m| (m.version, m.name)).collect::<Vec<_>>();
        assert_eq!(names(POSTGRES), names(SQLITE));
        for (i, migration) in POSTGRES.iter().enumerate() {
            assert_eq!(migration.version as usize, i + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
    }

    #[test]
    fn a_changed_or_newer_history_is_refused() {
        let all: Vec<_> = SQLITE.iter().map(applied).collect();
        assert!(pending(SQLITE, &all).unwrap().is_empty());
        assert_eq!(pending(SQLITE, &[]).unwrap(), SQLITE);
        let mut changed = all.clone();
        changed[0].checksum = "0".repeat(64);
        assert!(pending(SQLITE, &changed).is_err());
        let mut newer = all;
        newer.push(Applied { version: 999, name: "0999_later".to_owned(), checksum: String::new() });
        assert!(pending(SQLITE, &newer).is_err());
    }
}
