//! The statements fit the schema, and PostgreSQL runs them as they are meant to be run.

use super::super::testing::{admin, connect, fresh_url, migrated};
use super::super::{
    changes, derive, frequencies, growth, idempotency, lanes, last_words, locks, maintenance, preferences, profiles, purge as purging,
    search as searching, spelling, tenants, users,
};
use super::*;
use crate::store::{IdempotencyStore, Maintenance, StoreError, TenantStore, Uniqueness};
use tokio_postgres::Client;

pub(super) const TEXTS: &[&str] = &[
    changes::READ_CHANGES,
    idempotency::FORGET_OUTDATED,
    idempotency::RECORD,
    idempotency::SWEEP,
    locks::TAKE_LOCKS,
    maintenance::HAS_HISTORY,
    maintenance::READ_HISTORY,
    maintenance::WRITE_HISTORY,
    maintenance::CREATE_DEFAULT_TENANT,
    maintenance::OFFER_SECRET,
    maintenance::READ_SECRET,
    preferences::LIST_PREFERENCES,
    preferences::PUT_PREFERENCE,
    preferences::DELETE_PREFERENCE,
    profiles::CREATE_PROFILE_IN[0],
    profiles::REPLACE_PROFILE_IN[0],
    derive::READ_WITHOUT_GRAMS,
    derive::WRITE_GRAMS,
    frequencies::READ_STATE,
    frequencies::READ_FREQUENCIES,
    last_words::READ_LAST_WORDS,
    searching::OPEN_TENANT,
    searching::READ_CHANGES_IN[0],
    searching::READ_GRAMS_IN[0],
    searching::READ_PAGE_IN[0],
    spelling::SAMPLE_NEWEST,
    purging::PURGE_PROFILE,
    purging::FORGET_USER,
    tenants::CREATE_TENANT,
    tenants::REPLACE_TENANT,
    tenants::DELETE_TENANT,
    tenants::LIST_TENANTS,
    tenants::HOLD_TENANT,
    tenants::HAS_LIVE_PROFILE,
    tenants::ERASE_PROFILES,
    tenants::ERASE_PREFERENCES,
    tenants::ERASE_RECORDED,
    users::READ_STATE,
    users::READ_PROFILES,
    users::READ_PREFERENCES,
];

async fn migrated_client() -> Client {
    let url = fresh_url().await;
    connect(&url).migrate(TimestampMs(1)).await.unwrap();
    admin(&url).await
}

#[tokio::test]
async fn every_text_prepares_on_the_migrated_schema() {
    let client = migrated_client().await;
    let by_partition = [profiles::CREATE_PROFILE_IN, profiles::REPLACE_PROFILE_IN].concat();
    for sql in TEXTS
        .iter()
        .copied()
        .chain(by_partition)
        .chain(spelling::SAMPLE_BY_GRAMS)
        .chain(spelling::FIND_GRAMS)
        .chain(growth::READ_NEWER_IN)
        .chain(lanes::Read::all().map(lanes::Read::sql))
    {
        client.prepare(sql).await.unwrap_or_else(|e| panic!("{sql}\n{:?}", e.as_db_error()));
    }
}

async fn plan(client: &Client, sql: &str) -> String {
    let rows = client.query(&format!("EXPLAIN {sql}"), &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// A text with NULL, or what is given, in the place of its parameters.
fn filled(sql: &str, given: &[(usize, &str)]) -> String {
    (1..=40).rev().fold(sql.to_owned(), |sql, n| {
        let value = given.iter().find(|(at, _)| *at == n).map_or("NULL", |(_, value)| value);
        sql.replace(&format!("${n}"), value)
    })
}

#[tokio::test]
async fn locks_are_taken_before_a_row_is_looked_at() {
    let client = migrated_client().await;
    let id = "'00000000-0000-7000-8000-000000000001'";
    let sql = filled(profiles::REPLACE_PROFILE_IN[0], &[(1, "'default'"), (9, id), (11, "'u'"), (36, "1")]);
    let plan = plan(&client, &sql).await;
    let gate = plan.find("One-Time Filter").unwrap_or_else(|| panic!("no gate in\n{plan}"));
    assert!(gate < plan.find("Index Scan").unwrap(), "{plan}");
    assert!(plan.contains("InitPlan"), "{plan}");
}

/// As many as a session may meet that made its plans when it was a second old; nothing is analysed.
const SOME_ROWS: &str = "\
ALTER TABLE profiles DISABLE TRIGGER USER;
INSERT INTO profiles (tenant_name, profile_id, profile_type, user_id, full_name, email_id, mobile, attributes, active, created_by,
    updated_by, created_at, updated_at, version, full_name_key, email_key, search_doc)
SELECT 'default', gen_random_uuid(), 'default', 'u' || i, 'Jo', i || '@example.com', '+' || i, '{}', true, 'x', 'x', i, i, 1, 'jo',
    i || '@example.com', ' jo' FROM generate_series(1, 2000) AS i";

#[tokio::test]
async fn hot_lookups_use_the_index_that_answers_them() {
    let client = migrated_client().await;
    client.batch_execute(SOME_ROWS).await.unwrap();
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let lookups = [
        ("email_key = $2 AND deleted_at IS NULL AND user_id <> 'u'", "email_key = $2"),
        ("mobile = $2 AND deleted_at IS NULL AND user_id <> 'u'", "mobile = $2"),
        ("user_id = $2", "user_id = $2"),
        ("user_id = $2 AND deleted_at IS NULL", "user_id = $2"),
    ];
    for (n, (asked, indexed)) in lookups.iter().enumerate() {
        let prepare = format!("PREPARE p{n} (text, text) AS SELECT FROM profiles WHERE tenant_name = $1 AND {asked}");
        client.batch_execute(&prepare).await.unwrap();
        let plan = plan(&client, &format!("EXECUTE p{n} ('default', 'x')")).await;
        assert!(plan.contains("Subplans Removed: 7"), "{plan}");
        assert!(plan.contains(&format!("Index Cond: ((tenant_name = $1) AND ({indexed}))")), "{plan}");
    }
}

#[tokio::test]
async fn a_profile_is_given_back_as_it_was_stored() {
    let store = migrated().await;
    let mut full = with_email("Ünï-1", "Jo.Smith@Example.com");
    full.mobile = Some(crate::domain::mobile::Mobile::from_stored("+919876543210".to_owned()));
    full.birth_date = Some(crate::domain::birth_date::BirthDate::parse("1990-12-31").unwrap());
    full.city_id = Some(Text::parse("BLR").unwrap());
    (full.latitude, full.longitude) = (Some(12.971_598_7), Some(-0.1));
    full.attributes = crate::domain::attributes::Attributes::from_value(serde_json::json!({"a": "\u{0}", "b": [1, 2.50]})).unwrap();
    create(&store, &full).await;
    assert_eq!(store.read_profile(&tenant(), full.profile_id).await.unwrap(), Some(full.clone()));

    let next = replacement(&full);
    assert!(store.replace_profiles(&tenant(), std::slice::from_ref(&next), None).await.unwrap());
    assert!(!store.replace_profiles(&tenant(), std::slice::from_ref(&next), None).await.unwrap());
    let user_rows = store.read_user(&tenant(), &full.user_id).await.unwrap();
    assert_eq!(user_rows.profiles, [next.profile]);
    let elsewhere = TenantName::parse("nowhere").unwrap();
    assert!(matches!(store.read_profile(&elsewhere, full.profile_id).await, Err(StoreError::TenantUnknown)));
    assert!(matches!(store.create_profile(&elsewhere, &full, &created(&full), None).await, Err(StoreError::TenantUnknown)));
}

#[tokio::test]
async fn a_purge_erases_answers_and_preferences_but_its_own_record() {
    let store = migrated().await;
    let profile = profile_of("u");
    let shown = Written::Profile { created: true, profile: Box::new(profile.clone()) };
    let first = record("create", 10, Concerns::Profile(profile.profile_id), shown);
    store.create_profile(&tenant(), &profile, &created(&profile), Some(&first)).await.unwrap();
    assert_eq!(put(&store, "u", "theme", "\"dark\"").await, PreferenceOutcome::Created);
    assert_eq!(put(&store, "u", "theme", "\"light\"").await, PreferenceOutcome::Replaced);
    assert_eq!(put(&store, "nobody", "theme", "1").await, PreferenceOutcome::NoUser);

    let last = record("purge", 20, Concerns::Profile(profile.profile_id), Written::Gone);
    assert!(store.purge_profiles(&tenant(), &[purge(&profile)], Some(&last)).await.unwrap());
    assert_eq!(store.read_user(&tenant(), &user("u")).await.unwrap(), Default::default());
    let erased = store.read_recorded(&tenant(), &first.attempt).await.unwrap().unwrap();
    assert_eq!(erased.answer_json, None);
    let kept = store.read_recorded(&tenant(), &last.attempt).await.unwrap().unwrap();
    assert_eq!(kept.answer_json.as_deref(), Some("\"gone\""));
}

#[tokio::test]
async fn a_key_is_used_once_within_its_time() {
    let store = migrated().await;
    let at = 100_000_000_000;
    let write = async |user_id: &str, at: i64| {
        let profile = profile_of(user_id);
        let record = record("k", at, Concerns::Profile(profile.profile_id), Written::Gone);
        store.create_profile(&tenant(), &profile, &created(&profile), Some(&record)).await
    };
    write("a", at).await.unwrap();
    let kept = crate::domain::idempotency::KEPT_FOR_MS;
    assert!(matches!(write("b", at + kept).await, Err(StoreError::Duplicate(Uniqueness::IdempotencyKey))));
    assert!(store.read_user(&tenant(), &user("b")).await.unwrap().profiles.is_empty());
    write("c", at + kept + 1).await.unwrap();
    assert_eq!(store.sweep_recorded(TimestampMs(at + kept + 2)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_tenant_goes_with_what_is_left_of_it() {
    let store = migrated().await;
    let profile = profile_of("u");
    create(&store, &profile).await;
    put(&store, "u", "theme", "1").await;
    let gone = Change::of_tenant(ChangeKind::TenantDeleted, &tenant(), Version(1), "tester", TimestampMs(9));
    assert!(!store.delete_tenant(&tenant(), Version(7), &gone, None).await.unwrap());
    assert!(matches!(store.delete_tenant(&tenant(), Version(1), &gone, None).await, Err(StoreError::TenantInUse)));

    let mut deleted = replacement(&profile);
    deleted.profile = profile.clone().deleted("tester", TimestampMs(5));
    assert!(store.replace_profiles(&tenant(), &[deleted], None).await.unwrap());
    let record = record("delete", 10, Concerns::Tenant, Written::Gone);
    assert!(store.delete_tenant(&tenant(), Version(1), &gone, Some(&record)).await.unwrap());
    assert_eq!(store.read_tenant(&tenant()).await.unwrap(), None);
    assert!(store.read_recorded(&tenant(), &record.attempt).await.unwrap().is_some());
    assert!(matches!(store.delete_tenant(&tenant(), Version(1), &gone, None).await, Err(StoreError::TenantUnknown)));
}

#[tokio::test]
async fn sessions_read_no_page_ahead_unless_somebody_has_chosen_how_many() {
    let url = fresh_url().await;
    for (chosen, kept) in [("", "0"), ("?options=-c%20effective_io_concurrency%3D32", "32")] {
        let store = connect(&format!("{url}{chosen}"));
        let rows = store.pool.query("SHOW effective_io_concurrency", &[]).await.unwrap();
        assert_eq!(rows[0].get::<_, String>(0), kept);
    }
}

#[tokio::test]
async fn no_statement_is_shared_out_among_processes() {
    let url = fresh_url().await;
    connect(&url).migrate(TimestampMs(0)).await.unwrap();
    let free = ["parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"].map(|cost| format!("-c%20{cost}%3D0"));
    let store = connect(&format!("{url}?options={}", free.join("%20")));
    let rows = store.pool.query("EXPLAIN SELECT count(*) FROM profiles", &[]).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(plan.iter().all(|line| !line.contains("Gather")), "{plan:#?}");
}
