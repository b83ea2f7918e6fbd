//! Words that the indexes over names answer: in a small tenant that is taken for a large one, held against the reference.

use super::super::Postgres;
use super::super::frequencies::Frequencies;
use super::super::testing::{admin, connect, fresh_url};
use super::*;
use crate::domain::filter::parse;
use crate::domain::grams::{Fact, Grams, Home};
use crate::domain::search::{Search, Sort, Start};
use crate::domain::search_text::needles;
use crate::store::Maintenance;
use crate::store::conformance::reference::found_among;
use crate::store::route::Costs;
use futures::{StreamExt, stream};

/// More than are looked for at once have the words at both ends of their names, and some have one of them elsewhere.
const MANY: i64 = 2_100;

fn people() -> Vec<Profile> {
    let others = [
        ("Smith Joe", None),
        ("Joe Maria Smith", None),
        ("Joel Smithson", Some("joe@example.com")),
        ("Smith", Some("joe.smith@example.com")),
        ("Joe", Some("smithers@example.com")),
        ("Ann Lee", Some("joe.smith1@example.com")),
        ("Иван Smith Lee", Some("joe-lee@example.com")),
        ("Joe  Lee, Smith", None),
        ("Lee, Joe", Some("smi@example.com")),
        ("O'Joe Mac-Smith", None),
    ];
    let named = |at: i64, (name, email): (&str, Option<&str>)| {
        let mut profile = profile_of(&format!("user-{at:04}"));
        profile.full_name = Text::parse(name).unwrap();
        profile.email_id = email.map(|email| EmailAddress::parse(email).unwrap());
        profile.created_at = TimestampMs(1_700_000_000_000 + at * 7 % 1_000);
        profile
    };
    let mut people: Vec<Profile> = (0..MANY).map(|at| named(at, ("Joe Smith", None))).collect();
    people.extend(others.iter().zip(MANY..).map(|(other, at)| named(at, *other)));
    let longer = ('a'..='z').flat_map(|letter| [format!("Joe Smith{letter}s"), format!("Smith{letter} Joe"), format!("Ann Joe{letter}s")]);
    people.extend(longer.zip(MANY + 100..).map(|(name, at)| named(at, (&name, None))));
    // All along the order of names there are some who have the words in their addresses.
    let elsewhere = ('a'..='z').map(|letter| (format!("{letter}iva Bond"), format!("joe.smith-{letter}@example.com")));
    people.extend(elsewhere.zip(MANY + 200..).map(|((name, email), at)| named(at, (&name, Some(&email)))));
    for gone in people.iter_mut().step_by(250) {
        *gone = gone.clone().deleted("tester", TimestampMs(1_700_000_001_000));
    }
    people
}

/// So many of five million have each gram, and next to nobody has a word of these elsewhere than at an end of the name.
fn rarely_elsewhere(each: f64, queries: &[&str]) -> Frequencies {
    elsewhere(each, 1.0, queries)
}

/// So many have a word of these elsewhere.
fn elsewhere(each: f64, elsewhere: f64, queries: &[&str]) -> Frequencies {
    let words = queries.iter().flat_map(|query| query.split(' ')).filter_map(|word| Grams::of(&tenant()).of_word_elsewhere(word));
    words.flatten().fold(Frequencies::even(&tenant(), 5_000_000.0, each), |all, gram| all.but(gram, elsewhere))
}

async fn taken_for_large(url: &str, people: &[Profile], frequencies: Frequencies) -> Postgres {
    let store = connect(url).with_frequencies(frequencies);
    store.migrate(TimestampMs(1)).await.unwrap();
    stream::iter(people.iter().map(|profile| create(&store, profile))).buffer_unordered(16).collect::<Vec<()>>().await;
    store
}

/// Whether a step of this name was taken for each of the queries, in whatever order and from wherever the page begins.
async fn all_go_by(step: &str, store: &Postgres, people: &[Profile], queries: &[&str]) {
    for query in queries {
        let mut steps = Vec::new();
        for (sort, offset, include_deleted) in [
            ("-created_at", 0, false),
            ("created_at", 3, false),
            ("full_name", 0, true),
            ("-full_name", 0, false),
            ("updated_at", 0, false),
        ] {
            let (needles, sort) = (needles(query), Sort::parse(sort).unwrap());
            let mut search = Search { needles, filter: None, sort, limit: 4, start: Start::Offset(offset), include_deleted };
            for page in 0..3 {
                let found = store.search_profiles(&tenant(), &search).await.unwrap();
                assert_eq!(found, found_among(people, &search), "page {page} of {search:?} by {:?}", found.route);
                steps.extend(found.route.0.iter().map(|step| step.step));
                let Some(last) = found.profiles.last().filter(|_| found.more) else { break };
                search.start = Start::After(search.sort.position_of(last));
            }
        }
        assert!(steps.contains(&step), "no search for {query} went by {step}: {steps:?}");
    }
}

#[tokio::test]
async fn who_has_a_word_at_an_end_of_the_name_or_elsewhere_is_found_once() {
    let people = people();
    let few = ["lee", "maria", "smithson", "smith lee", "lee joe", "joe smithers", "joel smith", "smith1", "joe mac", "nobody"];
    // More have these than was expected: the look is given up, and the page is found otherwise.
    let many = ["smith", "joe", "smi", "joe smith", "smit joe"];
    let store = taken_for_large(&fresh_url().await, &people, rarely_elsewhere(300.0, &[few.as_slice(), &many].concat())).await;
    let store = store.with_costs(Costs::BY_WORDS);
    all_go_by("words", &store, &people, &few).await;
    all_go_by("words", &store, &people, &many).await;
}

#[tokio::test]
async fn whoever_is_common_is_counted_by_the_words_of_names() {
    let (people, common) = (people(), ["smith", "joe"]);
    let store = taken_for_large(&fresh_url().await, &people, rarely_elsewhere(100_000.0, &common).ending(&common, 50_000.0)).await;
    all_go_by("count by words", &store, &people, &common).await;
    all_go_by("words in order", &store, &people, &common).await;
}

/// The words that names end with and that are longer are gone through one by one, as long as they are not more than was thought.
#[tokio::test]
async fn whoever_ends_with_a_longer_word_is_found_however_many_words_these_are() {
    let (people, queries) = (people(), ["smith", "joe", "smi", "joe smith", "smith joe", "joe smi"]);
    // To read all who have the words is dear, and a page of them is not.
    let in_order = Costs { name: 1e27, ..Costs::BY_WORDS };
    for (each_ending, each_elsewhere, queries) in
        [(50_000.0, 1.0, &queries[..]), (2_000.0, 1.0, &queries), (300.0, 1.0, &queries[..3]), (50_000.0, 9_000.0, &queries[..3])]
    {
        let frequencies = elsewhere(100_000.0, each_elsewhere, queries).ending(&["smithson", "joes"], each_ending);
        let store = taken_for_large(&fresh_url().await, &people, frequencies).await.with_costs(in_order);
        all_go_by("words in order", &store, &people, queries).await;
        let store = store.with_costs(Costs::BY_WORDS);
        all_go_by("words", &store, &people, queries).await;
    }
}

/// Two thousand have the word, and in the country that is asked for one or nobody: these alone are read.
#[tokio::test]
async fn a_word_of_a_country_or_a_city_is_found_by_those_who_have_both() {
    let mut people = people();
    for (at, person) in people.iter_mut().enumerate() {
        person.country_id = Some(Text::parse(if at == 7 { "IN" } else { "US" }).unwrap());
        person.city_id = Some(Text::parse(if at == 14 { "Pune" } else { "Boston" }).unwrap());
    }
    let grams = Grams::of(&tenant());
    let homes = [Home::Country("IN"), Home::Country("CN"), Home::City("Pune"), Home::City("Wuhan")];
    let frequencies = homes.into_iter().fold(rarely_elsewhere(100_000.0, &["smith"]), |frequencies, home| {
        frequencies.but(grams.of_words_of_home(&needles("smith"), home)[0].any_of[0], 5.0)
    });
    let store = taken_for_large(&fresh_url().await, &people, frequencies).await.with_costs(Costs::BY_GRAMS);
    for home in ["country_id eq \"IN\"", "country_id eq \"CN\"", "city_id eq \"Pune\"", "city_id eq \"Wuhan\""] {
        let filter = Some(parse(home).unwrap());
        let search =
            Search { needles: needles("smith"), filter, sort: Sort::DEFAULT, limit: 4, start: Start::Offset(0), include_deleted: false };
        let found = store.search_profiles(&tenant(), &search).await.unwrap();
        assert_eq!(found, found_among(&people, &search), "{home}");
        assert!(matches!(found.route.0.as_slice(), [step] if step.step == "grams" && step.read < 40), "{:?}", found.route);
    }
}

/// Names as long as any may be, and longer in the index: each character becomes four.
#[tokio::test]
async fn the_longest_names_fit_into_the_indexes() {
    let store = taken_for_large(&fresh_url().await, &[], Frequencies::default()).await;
    for (number, name) in ["㌀", "𝕏", "ﷺ", "x"].iter().map(|c| c.repeat(256)).chain([long_name()]).enumerate() {
        let mut profile = profile_of(&format!("user-{number}"));
        profile.full_name = Text::parse(&name).unwrap();
        create(&store, &profile).await;
    }
}

/// 256 characters that no compression makes shorter.
fn long_name() -> String {
    (0..256_u32).filter_map(|number| char::from_u32(0x20000 + number * 7_919 % 0xa000)).collect()
}

/// Rows of the program before have no grams that tell of words elsewhere: they are found all the same, and get theirs.
#[tokio::test]
async fn rows_of_the_program_before_are_found_by_their_words() {
    let (people, url) = (people()[MANY as usize - 50..].to_vec(), fresh_url().await);
    let queries = ["lee", "smith", "smith lee", "joe smith", "joe smithers"];
    let store = taken_for_large(&url, &people, rarely_elsewhere(300.0, &queries)).await.with_costs(Costs::BY_WORDS);
    let client = admin(&url).await;
    client.batch_execute("UPDATE profiles SET grams = NULL WHERE user_id > 'user-2090'").await.unwrap();
    all_go_by("words", &store, &people, &queries).await;
    store.migrate(TimestampMs(1)).await.unwrap();
    let outside = format!("SELECT count(*) FROM profiles WHERE grams @> '{{{}}}'", Grams::of(&tenant()).gram(Fact::Outside("mar")));
    assert_eq!(client.query_one(&outside, &[]).await.unwrap().get::<_, i64>(0), 1);
    all_go_by("words", &store, &people, &queries).await;
}
