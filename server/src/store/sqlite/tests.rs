//! What is special to this backend; what it has in common with the other is in the conformance suite.

mod filters;
mod grams;
mod groups;
mod plans;
mod smoke;
mod stores;

use super::{Sqlite, SqliteOptions};
use crate::domain::attributes::Attributes;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::clock::TimestampMs;
use crate::domain::profile::{Profile, ProfileId, ProfileType, UserId};
use crate::domain::search::{Search, Sort, Start};
use crate::domain::tenant::{DEFAULT_TENANT, TenantName};
use crate::domain::text::Text;
use crate::domain::version::Version;
use crate::store::{Maintenance, ProfileStore, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const AT: TimestampMs = TimestampMs(1_700_000_000_000);

/// A folder that is gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("n_users-sqlite-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn file(&self) -> PathBuf {
        self.0.join("below").join("directory.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> Sqlite {
    with_budget(path, Duration::from_secs(10))
}

fn with_budget(path: &Path, search_budget: Duration) -> Sqlite {
    Sqlite::open(SqliteOptions { path: path.to_owned(), readers: 2, search_budget }).unwrap()
}

async fn migrated() -> (Folder, Sqlite) {
    let folder = Folder::new();
    let store = open(&folder.file());
    store.migrate(AT).await.unwrap();
    (folder, store)
}

fn tenant() -> TenantName {
    TenantName::parse(DEFAULT_TENANT).unwrap()
}

/// A live profile of the user of this number.
fn profile(number: u32) -> Profile {
    Profile {
        tenant_name: tenant(),
        profile_id: ProfileId(uuid::Uuid::from_u128(number.into())),
        profile_type: ProfileType::default(),
        user_id: UserId::parse(&format!("user-{number}")).unwrap(),
        full_name: Text::parse(&format!("Person {number}")).unwrap(),
        gender: None,
        email_id: None,
        mobile: None,
        birth_date: None,
        city_id: None,
        country_id: None,
        address: None,
        latitude: None,
        longitude: None,
        profile_image_url: None,
        attributes: Attributes::default(),
        active: true,
        created_by: "test".to_owned(),
        updated_by: "test".to_owned(),
        deleted_by: None,
        created_at: AT,
        updated_at: AT,
        deleted_at: None,
        version: Version::FIRST,
    }
}

async fn create(store: &Sqlite, profile: Profile) -> Result<()> {
    let change = Change::of_profile(ChangeKind::ProfileCreated, &profile, Vec::new());
    store.create_profile(&tenant(), &profile, &change, None).await
}

fn everything() -> Search {
    Search { needles: Vec::new(), filter: None, sort: Sort::DEFAULT, limit: 200, start: Start::Offset(0), include_deleted: true }
}
