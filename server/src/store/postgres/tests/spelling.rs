//! Samples, where they depend on statistics and on time.

use super::super::Postgres;
use super::super::frequencies::Frequencies;
use super::super::testing::{admin, connect, fresh_url, migrated, options};
use super::*;
use crate::domain::grams::Grams;
use crate::domain::spelling::{Probe, Shown};
use crate::store::{Maintenance, StoreError, TenantStore};
use std::time::Duration;

async fn create_named(store: &Postgres, tenant: &TenantName, user_id: &str, name: &str, at: i64) -> Profile {
    let mut profile = profile_of(user_id);
    profile.tenant_name = tenant.clone();
    profile.full_name = Text::parse(name).unwrap();
    profile.created_at = TimestampMs(at);
    store.create_profile(tenant, &profile, &created(&profile), None).await.unwrap();
    profile
}

#[tokio::test]
async fn what_is_common_is_taken_from_the_newest_and_of_this_tenant_only() {
    let store = migrated().await;
    let other = TenantName::parse("other").unwrap();
    let row = crate::domain::tenant::Tenant { tenant_name: other.clone(), ..store.read_tenant(&tenant()).await.unwrap().unwrap() };
    let change = Change::of_tenant(ChangeKind::TenantCreated, &other, Version(1), "tester", TimestampMs(1));
    store.create_tenant(&row, &change, None).await.unwrap();
    create_named(&store, &other, "u", "Smith Elsewhere", 9_000).await;
    for (at, name) in [(1_000, "Smith Old"), (2_000, "Smith Middle"), (3_000, "Smith New"), (4_000, "Rare"), (5_000, "Smyth")] {
        create_named(&store, &tenant(), name, name, at).await;
    }
    let deleted = create_named(&store, &tenant(), "gone", "Smith Gone", 8_000).await;
    let mut gone = replacement(&deleted);
    gone.profile = deleted.deleted("tester", TimestampMs(8_500));
    assert!(store.replace_profiles(&tenant(), &[gone], None).await.unwrap());

    let beginnings = ["smith", "rare", "sm_th", "smitz"].map(str::to_owned).to_vec();
    let probe = Probe { beginnings, wanted: 2, examined: 300, shown: Shown::Always, include_deleted: false };
    let gram = |needle: &str| Grams::of(&tenant()).of_needle(needle)[0];
    let known = Frequencies::listing([(gram(" smith"), 500_000.0), (gram(" sm_th"), 500_000.0), (gram(" rare"), 700.0)]);
    let samples = store.sample_guided(&tenant(), &probe, &known).await.unwrap();
    let told: Vec<_> = samples.iter().map(|sample| (sample.docs.len(), sample.holders)).collect();
    assert_eq!(told, [(2, 500_000), (1, 700), (0, 500_000), (0, 0)]);
    assert!(samples[0].docs[0].starts_with(" smith new") && samples[0].docs[1].starts_with(" smith middle"), "{samples:?}");
    // Whom statistics list has somebody: of a longer word only those are known who begin like it.
    let beginnings = ["smith", "rare", "smitz", "rarelybee"].map(str::to_owned).to_vec();
    let known = Frequencies::listing([(gram(" smith"), 50_000.0), (gram(" rare"), 10.0), (gram(" rarelybee"), 10.0)]);
    let samples = store.sample_guided(&tenant(), &Probe { beginnings, shown: Shown::Whether, ..probe }, &known).await.unwrap();
    let told: Vec<_> = samples.iter().map(|sample| (sample.docs.len(), sample.holders)).collect();
    assert_eq!(told, [(0, 50_000), (0, 10), (0, 0), (0, 0)]);
}

#[tokio::test]
async fn of_a_long_list_some_are_drawn_from_all_of_it() {
    let url = fresh_url().await;
    let store = connect(&url);
    store.migrate(TimestampMs(1)).await.unwrap();
    create_named(&store, &tenant(), "first", "Smith", 1_000).await;
    let copies = "ALTER TABLE profiles DISABLE TRIGGER USER; INSERT INTO profiles SELECT (jsonb_populate_record(p, jsonb_build_object( \
         'profile_id', gen_random_uuid(), 'user_id', n::text, 'created_at', n, 'search_doc', ' smith' || repeat(' late', n / 2001)))).* \
         FROM profiles p, generate_series(1, 4000) n";
    admin(&url).await.batch_execute(copies).await.unwrap();
    let probe = Probe { beginnings: vec!["smith".to_owned()], wanted: 80, examined: 80, shown: Shown::Always, include_deleted: false };
    let mut probed = store.sample_profiles(&tenant(), &probe).await.unwrap();
    // The first eighty of all would be of the first half; that none of those drawn is of the second is next to impossible.
    let drawn = probed[0].docs.len();
    assert!((20..=80).contains(&drawn), "{drawn}");
    assert!(probed[0].docs.iter().any(|doc| doc.ends_with("late")), "{probed:?}");
    // Who asks for all who have a word sees them all.
    let all = Probe { wanted: 4_001, examined: 4_001, shown: Shown::AllOrNone, ..probe };
    probed = store.sample_profiles(&tenant(), &all).await.unwrap();
    assert_eq!(probed[0].docs.len(), 4_001);
}

#[tokio::test]
async fn in_a_large_tenant_changes_that_hardly_anybody_begins_with_are_not_tried() {
    let store = migrated().await;
    create_named(&store, &tenant(), "u", "Kowalski Wolkski", 1_000).await;
    let gram = |needle: &str| Grams::of(&tenant()).of_needle(needle)[0];
    let of = |rows: f64| Frequencies::even(&tenant(), rows, 100.0).but(gram(" kowa"), 900.0);
    let beginnings = ["kowalsk", "wolkski", "wol"].map(str::to_owned).to_vec();
    for (rows, shown, expected) in
        [(900_000.0, Shown::WhereLikely, [1, 0, 1]), (900_000.0, Shown::Always, [1, 1, 1]), (9_000.0, Shown::WhereLikely, [1, 1, 1])]
    {
        let probe = Probe { beginnings: beginnings.clone(), wanted: 2, examined: 300, shown, include_deleted: false };
        let samples = store.sample_guided(&tenant(), &probe, &of(rows)).await.unwrap();
        assert_eq!(samples.iter().map(|sample| sample.docs.len()).collect::<Vec<_>>(), expected, "{rows} {shown:?}");
    }
}

#[tokio::test]
async fn a_sample_that_takes_too_long_is_given_up() {
    let url = fresh_url().await;
    connect(&url).migrate(TimestampMs(1)).await.unwrap();
    let mut hasty = options(&url);
    hasty.search_budget = Duration::from_millis(800);
    let store = Postgres::connect(hasty).unwrap();
    let probe = Probe { beginnings: vec!["smith".to_owned()], wanted: 1, examined: 1, shown: Shown::Always, include_deleted: false };
    store.sample_profiles(&tenant(), &probe).await.unwrap();
    let somebody = admin(&url).await;
    somebody.batch_execute("BEGIN; LOCK TABLE profiles IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert!(matches!(store.sample_profiles(&tenant(), &probe).await, Err(StoreError::TooSlow(_))));
    somebody.batch_execute("ROLLBACK").await.unwrap();
    store.sample_profiles(&tenant(), &probe).await.unwrap();
}

#[tokio::test]
async fn of_many_beginnings_those_that_somebody_has_are_found() {
    let store = migrated().await;
    for (at, name) in [(1_000, "Word007 Anna"), (2_000, "Word019"), (3_000, "Else")] {
        create_named(&store, &tenant(), name, name, at).await;
    }
    let beginnings: Vec<String> = (0..100).map(|number| format!("word{number:03}")).collect();
    let probe = Probe { beginnings, wanted: 2, examined: 300, shown: Shown::Always, include_deleted: false };
    let samples = store.sample_guided(&tenant(), &probe, &Frequencies::default()).await.unwrap();
    let found: Vec<_> = samples.iter().enumerate().filter(|(_, sample)| !sample.docs.is_empty()).map(|(at, _)| at).collect();
    assert_eq!(found, [7, 19]);
    assert_eq!(samples.len(), 100);
}

#[tokio::test]
async fn what_statistics_tell_is_not_asked_of_the_database() {
    // Nobody listens there.
    let store = connect("postgres://nobody@127.0.0.1:1/nothing");
    let smith = Grams::of(&tenant()).of_needle(" smith")[0];
    let known = Frequencies::listing([(smith, 700.0)]);
    let probe = Probe { beginnings: vec!["smith".to_owned()], wanted: 1, examined: 300, shown: Shown::Whether, include_deleted: false };
    let samples = store.sample_guided(&tenant(), &probe, &known).await.unwrap();
    assert_eq!((samples[0].docs.len(), samples[0].holders), (0, 700));
    let unknown = Probe { beginnings: vec!["smith".to_owned(), "jones".to_owned()], ..probe };
    assert!(matches!(store.sample_guided(&tenant(), &unknown, &known).await, Err(StoreError::Unavailable(_))));
}
