//! Suggestions: what is close to a word is found through its beginnings, among the tenant's own profiles only.

use super::fixtures::World;
use super::search_grams::{WORD, colliding_tenants};
use crate::domain::spelling::{Correction, Look, Probe, Sample, Shown};
use serde_json::json;

fn probe(beginnings: &[&str]) -> Probe {
    Probe {
        beginnings: beginnings.iter().map(|text| (*text).to_owned()).collect(),
        wanted: 2,
        examined: 300,
        shown: Shown::Always,
        include_deleted: false,
    }
}

async fn sampled(world: &World, probe: &Probe) -> Vec<Sample> {
    let samples = world.store.sample_profiles(&world.tenant, probe).await.unwrap();
    assert_eq!(samples.len(), probe.beginnings.len());
    assert!(samples.iter().all(|sample| sample.holders >= sample.docs.len() as u64));
    samples
}

/// How many were sampled for each.
async fn counts(world: &World, probe: &Probe) -> Vec<usize> {
    sampled(world, probe).await.iter().map(|sample| sample.docs.len()).collect()
}

async fn suggested(world: &World, word: &str) -> Vec<String> {
    let mut correction = Correction::of(word.to_owned());
    for look in Look::ALL {
        let probe = look.probe(correction.look_for(look), false);
        let samples = sampled(world, &probe).await;
        correction.learn(look, probe.beginnings, samples);
    }
    correction.suggestions()
}

async fn create_named(world: &World, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        world.create(json!({"full_name": name, "user_id": format!("#{number}")})).await;
    }
}

pub async fn whether_anybody_has_a_word_is_known_at_once(world: World) {
    create_named(&world, &["Anna Kowalski", "Christopher Lee"]).await;
    let words = ["kowalski", "kowalsky", "ann", "christopher", "christophel", "nobody"];
    let whether = Probe { wanted: 1, shown: Shown::Whether, ..probe(&words) };
    let are_held = async || sampled(&world, &whether).await.iter().map(|sample| sample.holders > 0).collect::<Vec<_>>();
    assert_eq!(are_held().await, [true, false, true, true, false, false]);
    world.create(json!({"full_name": "Nobody", "user_id": "n"})).await;
    assert_eq!(are_held().await, [true, false, true, true, false, true]);
}

pub async fn a_typo_of_each_kind_finds_the_word(world: World) {
    create_named(&world, &["Anna Kowalski", "Christopher Łukasz", "Kurt Koch", "Marie-Claire O'Neill"]).await;
    for (typo, word) in [
        ("kowlski", "kowalski"),
        ("kowaalski", "kowalski"),
        ("kowakski", "kowalski"),
        ("kwoalski", "kowalski"),
        ("owalski", "kowalski"),
        ("kowlsk", "kowalski"),
        ("kowalskx", "kowalski"),
        ("koawlsik", "kowalski"),
        ("cristopher", "christopher"),
        ("christophre", "christopher"),
        ("lukasz", "łukasz"),
        ("claier", "claire"),
        ("niell", "neill"),
    ] {
        assert_eq!(suggested(&world, typo).await, [word], "{typo}");
    }
    for gibberish in ["xqzwvy", "koqqqq", "kow4l5k1z9z"] {
        assert_eq!(suggested(&world, gibberish).await, [""; 0], "{gibberish}");
    }
}

pub async fn every_script_with_spaces_is_corrected(world: World) {
    create_named(&world, &["Иван Петров", "Ελένη", "محمد علي", "किरण शर्मा", "张伟明"]).await;
    for (typo, word) in [("птеров", "петров"), ("ελνη", "ελενη"), ("محمظ", "محمد"), ("किरन", "किरण")]
    {
        assert_eq!(suggested(&world, typo).await, [word], "{typo}");
    }
}

pub async fn frequent_words_come_before_rare_ones(world: World) {
    create_named(&world, &["Marta", "Maria", "Maria", "Maria", "Marla", "Marla", "Marianne"]).await;
    assert_eq!(suggested(&world, "marja").await, ["maria", "marla", "marta"]);
}

pub async fn what_begins_otherwise_is_no_sample(world: World) {
    // The same first eight characters, and so the same gram.
    create_named(&world, &["Christopherson", "Christophorus", "Xmith"]).await;
    let probe = probe(&["christophers", "christopho", "christopher", "christophx", "mith", "xmith", ""]);
    assert_eq!(counts(&world, &probe).await[..6], [1, 1, 1, 0, 0, 1]);
}

pub async fn no_more_is_sampled_than_was_asked_for(world: World) {
    create_named(&world, &["Ada A", "Ada B", "Ada C", "Ada D", "Bob"]).await;
    assert_eq!(counts(&world, &probe(&["ada", "bob", "eve"])).await, [2, 1, 0]);
    assert_eq!(counts(&world, &Probe { wanted: 3, ..probe(&["ada"]) }).await, [3]);
    assert_eq!(counts(&world, &Probe { wanted: 3, examined: 1, ..probe(&["ada"]) }).await, [1]);
    assert_eq!(counts(&world, &probe(&[])).await, [0; 0]);
}

pub async fn of_all_or_none_what_few_have_is_shown_whole(world: World) {
    create_named(&world, &["Ada A", "Ada B", "Ada C", "Bob"]).await;
    let probe = Probe { wanted: 4, shown: Shown::AllOrNone, ..probe(&["ada", "bob", "eve"]) };
    assert_eq!(counts(&world, &probe).await, [3, 1, 0]);
}

pub async fn words_of_deleted_profiles_are_sampled_only_when_asked_for(world: World) {
    let profile = world.create(json!({"full_name": "Kowalski", "user_id": "u"})).await;
    let live = probe(&["kowal"]);
    let any = Probe { include_deleted: true, ..live.clone() };
    assert_eq!((counts(&world, &live).await, counts(&world, &any).await), (vec![1], vec![1]));
    let profile = world.delete(&profile).await;
    assert_eq!((counts(&world, &live).await, counts(&world, &any).await), (vec![0], vec![1]));
    world.purge(&[&profile]).await;
    assert_eq!(counts(&world, &any).await, [0]);
}

pub async fn words_of_another_tenant_are_never_sampled(world: World) {
    let other = world.with_tenant("other").await;
    create_named(&other, &["Kowalski"]).await;
    assert_eq!(suggested(&world, "kowlski").await, [""; 0]);
    assert_eq!(suggested(&other, "kowlski").await, ["kowalski"]);
}

pub async fn tenants_whose_grams_collide_are_told_no_words_of_each_other(world: World) {
    for (one, other) in colliding_tenants() {
        let (one, other) = (world.with_tenant(&one).await, world.with_tenant(&other).await);
        create_named(&other, &[WORD, WORD]).await;
        create_named(&one, &["somebody else"]).await;
        assert_eq!(counts(&one, &probe(&[WORD])).await, [0]);
        assert_eq!(counts(&other, &probe(&[WORD])).await, [2]);
    }
}

pub async fn signs_of_query_languages_are_text_in_a_sample(world: World) {
    create_named(&world, &["John Smith", "100% under_score"]).await;
    let signs = ["%", "_ohn", "j%", "j_hn", "john*", "\"john\"", "john OR smith", "-john", "\\", "'", "^john", "(john)", "{1,2}"];
    assert_eq!(counts(&world, &probe(&signs)).await, [0; 13]);
    assert_eq!(counts(&world, &probe(&["100%", "under_", "under_ s", "john"])).await, [1; 4]);
}
