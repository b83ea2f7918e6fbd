//! Whatever is searched for, a store answers as the reference does: `Filter::matches`, the search text, the order.

use super::fixtures::{World, everybody};
use super::population::{DATES, DEGREES, MEMBERS, NAMES, PLACES, settle};
use super::reference::found_among;
use crate::domain::birth_date::BirthDate;
use crate::domain::filter::{AttributeCondition, Condition, Field, Filter, IntegerField, NumberField, Order, TextField, TextOp};
use crate::domain::geo::Circle;
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::search::{Found, Search, Sort, SortField, Start, Total};
use crate::domain::search_text::needles;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::sync::Arc;

const POPULATION: usize = 60;
const TEXT_OPS: [TextOp; 9] = [
    TextOp::Eq,
    TextOp::Ne,
    TextOp::Contains,
    TextOp::StartsWith,
    TextOp::EndsWith,
    TextOp::Greater,
    TextOp::GreaterOrEqual,
    TextOp::Less,
    TextOp::LessOrEqual,
];
const ORDERS: [Order; 6] = [Order::Eq, Order::Ne, Order::Greater, Order::GreaterOrEqual, Order::Less, Order::LessOrEqual];
const NUMBERS: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    0.300_000_000_000_000_04,
    1e100,
    -1e308,
    5e-324,
    f64::MAX,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_807.0,
    -9_223_372_036_854_775_808.0,
    18_446_744_073_709_551_615.0,
    123_456_789.125,
    2.5,
];

/// The people, and the values that occur among them.
pub(super) struct Known {
    pub profiles: Vec<Profile>,
    texts: Vec<Vec<String>>,
    words: Vec<String>,
}

impl Known {
    pub async fn settled(world: &World) -> Arc<Self> {
        let profiles = settle(world, POPULATION).await;
        let text = |value: serde_json::Value| value.as_str().map(str::to_owned);
        let rows: Vec<_> = profiles.iter().map(|profile| serde_json::to_value(profile).unwrap()).collect();
        let of_field = |field: &TextField| {
            let mut texts: Vec<String> = rows.iter().filter_map(|row| text(row[field.as_str()].clone())).collect();
            texts.extend(["", "a", "%", "_", "\\", "é", "É", "@", "\u{10ffff}", "a\u{10ffff}"].map(str::to_owned));
            texts.sort_unstable();
            texts.dedup();
            texts
        };
        let texts = TextField::ALL.iter().map(of_field).collect();
        let mut words: Vec<String> = NAMES.iter().flat_map(|name| name.split(' ')).map(str::to_owned).collect();
        words.extend(["u1", "jo", "+1415", "415555", "blr", "example.com", "xn", "nobody"].map(str::to_owned));
        Arc::new(Self { profiles, texts, words })
    }

    fn texts_of(&self, field: TextField) -> &[String] {
        &self.texts[TextField::ALL.iter().position(|other| *other == field).unwrap()]
    }
}

pub(super) fn seen(found: &Found) -> (Vec<ProfileId>, bool, Total) {
    (found.profiles.iter().map(|profile| profile.profile_id).collect(), found.more, found.total)
}

async fn assert_agrees(world: &World, known: &Known, condition: Condition) {
    assert_filter_agrees(world, known, Filter::Condition(condition)).await;
}

async fn assert_filter_agrees(world: &World, known: &Known, filter: Filter) {
    let search = Search { filter: Some(filter.clone()), include_deleted: true, ..everybody() };
    let found = world.search(&search).await;
    assert_eq!(seen(&found), seen(&found_among(&known.profiles, &search)), "{filter}");
}

pub async fn every_operator_on_every_field_agrees_with_the_reference(world: World) {
    let known = Known::settled(&world).await;
    let fields = TextField::ALL.iter().map(|field| Field::Text(*field));
    let fields = fields.chain(IntegerField::ALL.iter().map(|field| Field::Integer(*field)));
    let fields = fields.chain(NumberField::ALL.iter().map(|field| Field::Number(*field)));
    for field in fields.chain([Field::BirthDate, Field::ProfileId, Field::Active]) {
        assert_agrees(&world, &known, Condition::Present(field)).await;
    }
    for field in TextField::ALL {
        let texts = known.texts_of(*field);
        for op in TEXT_OPS {
            // A few spread over all that occur, the empty text first.
            for value in texts.iter().step_by(texts.len().div_ceil(6)) {
                assert_agrees(&world, &known, Condition::Text { field: *field, op, value: value.clone() }).await;
            }
        }
    }
    for op in ORDERS {
        for field in IntegerField::ALL {
            for value in [i64::MIN, 0, 1, 2, 3, 1_700_000_000_001, 1_700_000_000_500, i64::MAX] {
                assert_agrees(&world, &known, Condition::Integer { field: *field, op, value }).await;
            }
        }
        for field in NumberField::ALL {
            for value in DEGREES.into_iter().chain([-0.0, 1e300]) {
                assert_agrees(&world, &known, Condition::Number { field: *field, op, value }).await;
            }
        }
        for value in DATES {
            assert_agrees(&world, &known, Condition::BirthDate { op, value: BirthDate::parse(value).unwrap() }).await;
        }
    }
    for equal in [true, false] {
        for value in [known.profiles[0].profile_id, world.new_id()] {
            assert_agrees(&world, &known, Condition::ProfileId { equal, value }).await;
        }
        for value in [true, false] {
            assert_agrees(&world, &known, Condition::Active { equal, value }).await;
        }
    }
}

fn paths() -> Vec<Vec<String>> {
    let mut paths: Vec<Vec<String>> = MEMBERS.iter().map(|member| vec![(*member).to_owned()]).collect();
    for (outer, inner) in [("deep", "tier"), ("deep", "0"), ("list", "0"), ("tier", "n"), ("flag", "tier"), ("nothing", "tier"), ("n", "n")]
    {
        paths.push(vec![outer.to_owned(), inner.to_owned()]);
    }
    paths.push(["deep", "deep", "n"].map(str::to_owned).to_vec());
    paths
}

pub async fn attributes_are_compared_within_their_own_type(world: World) {
    let known = Known::settled(&world).await;
    for path in paths() {
        assert_agrees(&world, &known, Condition::Present(Field::Attribute(path.clone()))).await;
        for op in TEXT_OPS {
            for value in ["gold", "", "1", "true", "null", "é", "%", "line\nbreak", "\u{ffff}"] {
                let condition = AttributeCondition::Text { path: path.clone(), op, value: value.to_owned() };
                assert_agrees(&world, &known, Condition::Attribute(condition)).await;
            }
        }
        for op in ORDERS {
            for value in NUMBERS {
                let condition = AttributeCondition::Number { path: path.clone(), op, value };
                assert_agrees(&world, &known, Condition::Attribute(condition)).await;
            }
        }
        for (equal, value) in [(true, true), (true, false), (false, true), (false, false)] {
            let condition = AttributeCondition::Boolean { path: path.clone(), equal, value };
            assert_agrees(&world, &known, Condition::Attribute(condition)).await;
        }
    }
}

pub async fn those_born_in_a_countrys_years_are_found(world: World) {
    let known = Known::settled(&world).await;
    let text = |field, value: &str| Filter::Condition(Condition::Text { field, op: TextOp::Eq, value: value.to_owned() });
    let born = |op, date| Filter::Condition(Condition::BirthDate { op, value: BirthDate::parse(date).unwrap() });
    for country in PLACES {
        for gender in [None, Some(PLACES[0]), Some(PLACES[1])] {
            for (from, to) in [(Order::GreaterOrEqual, Order::Less), (Order::Greater, Order::LessOrEqual), (Order::Eq, Order::Ne)] {
                let years = [("1969-12-31", "2000-01-01"), ("1984-02-29", "1999-12-31"), ("1900-01-01", "1900-01-01")];
                for (first, last) in years {
                    let mut all = vec![text(TextField::CountryId, country), born(from, first), born(to, last)];
                    all.extend(gender.map(|gender| text(TextField::Gender, gender)));
                    assert_filter_agrees(&world, &known, Filter::All(all)).await;
                }
            }
        }
    }
}

/// A value that occurs, or a part of it, or the same in other letters.
fn varied(texts: &[String], which: Index, cut: Index, form: u8) -> String {
    let text = which.get(texts);
    let at = text.char_indices().map(|(at, _)| at).nth(cut.index(text.chars().count().max(1))).unwrap_or(0);
    match form {
        0 => text[..at].to_owned(),
        1 => text[at..].to_owned(),
        2 => text.to_uppercase(),
        _ => text.clone(),
    }
}

fn conditions(known: &Arc<Known>) -> impl Strategy<Value = Condition> + use<> {
    let text_ops = || select(TEXT_OPS.as_slice());
    let orders = || select(ORDERS.as_slice());
    let of_known = Arc::clone(known);
    let texts =
        (select(TextField::ALL), text_ops(), any::<Index>(), any::<Index>(), 0..6u8).prop_map(move |(field, op, which, cut, form)| {
            Condition::Text { field, op, value: varied(of_known.texts_of(field), which, cut, form) }
        });
    let ids: Vec<ProfileId> = known.profiles.iter().map(|profile| profile.profile_id).collect();
    let dates = select(DATES.as_slice()).prop_map(|date| BirthDate::parse(date).unwrap());
    let attributes = select(vec!["gold", "Gold", "", "1", "true", "é", "a%b", "q\"\\", "\u{ffff}"]).prop_map(str::to_owned);
    let numbers = prop_oneof![3 => select(NUMBERS.as_slice()), 1 => -1000.0..1000.0];
    let integers = prop_oneof![0..4i64, 1_699_999_999_999..1_700_000_000_600i64, any::<i64>()];
    prop_oneof![
        6 => texts,
        1 => (select(TextField::ALL), text_ops(), "[^\0]{0,3}").prop_map(|(field, op, value)| Condition::Text { field, op, value }),
        1 => select(TextField::ALL).prop_map(|field| Condition::Present(Field::Text(field))),
        1 => select(paths()).prop_map(|path| Condition::Present(Field::Attribute(path))),
        2 => (select(IntegerField::ALL), orders(), integers).prop_map(|(field, op, value)| Condition::Integer { field, op, value }),
        2 => (select(NumberField::ALL), orders(), select(DEGREES.as_slice()))
            .prop_map(|(field, op, value)| Condition::Number { field, op, value }),
        1 => (orders(), dates).prop_map(|(op, value)| Condition::BirthDate { op, value }),
        1 => (any::<bool>(), select(ids)).prop_map(|(equal, value)| Condition::ProfileId { equal, value }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(equal, value)| Condition::Active { equal, value }),
        1 => circles().prop_map(Condition::Near),
        2 => (select(paths()), text_ops(), prop_oneof![3 => attributes, 1 => "[^\0]{0,3}"])
            .prop_map(|(path, op, value)| Condition::Attribute(AttributeCondition::Text { path, op, value })),
        2 => (select(paths()), orders(), numbers)
            .prop_map(|(path, op, value)| Condition::Attribute(AttributeCondition::Number { path, op, value })),
        1 => (select(paths()), any::<bool>(), any::<bool>())
            .prop_map(|(path, equal, value)| Condition::Attribute(AttributeCondition::Boolean { path, equal, value })),
    ]
}

fn circles() -> impl Strategy<Value = Circle> {
    let degrees = || select(DEGREES.as_slice());
    let kilometres = prop_oneof![0.0..20_000.0, Just(0.0)];
    (degrees(), degrees(), kilometres).prop_map(|(latitude, longitude, kilometres)| Circle { latitude, longitude, kilometres })
}

fn filters(known: &Arc<Known>) -> impl Strategy<Value = Filter> + use<> {
    conditions(known).prop_map(Filter::Condition).prop_recursive(4, 24, 3, |inner| {
        let not_all = inner.clone().prop_filter("flat", |filter| !matches!(filter, Filter::All(_)));
        let not_any = inner.clone().prop_filter("flat", |filter| !matches!(filter, Filter::Any(_)));
        prop_oneof![
            prop::collection::vec(not_all, 2..4).prop_map(Filter::All),
            prop::collection::vec(not_any, 2..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

pub(super) fn searches(known: &Arc<Known>) -> impl Strategy<Value = Search> + use<> {
    let of_known = Arc::clone(known);
    let word = (any::<Index>(), any::<Index>(), 0..4u8).prop_map(move |(which, cut, form)| varied(&of_known.words, which, cut, form));
    let query = prop::collection::vec(word, 0..3).prop_map(|words| needles(&words.join(" ")));
    let filter = prop::option::weighted(0.4, filters(known));
    let field = prop_oneof![8 => select(SortField::ALL), 1 => circles().prop_map(SortField::Distance)];
    let sort = (field, any::<bool>()).prop_map(|(field, descending)| Sort { field, descending });
    let profiles = known.profiles.clone();
    (query, filter, sort, 1..25u32, any::<bool>(), prop::option::of(any::<Index>()), 0..POPULATION).prop_map(
        move |(needles, filter, sort, limit, include_deleted, after, offset)| {
            let start = match after {
                // The position of somebody, who may not be among those that are asked for.
                Some(after) => Start::After(sort.position_of(after.get(&profiles))),
                None => Start::Offset(u32::try_from(offset / 2).unwrap()),
            };
            Search { needles, filter, sort, limit, start, include_deleted }
        },
    )
}

/// Asks the store and the reference the same `cases` times. The same store serves all: what is found does not change it.
fn assert_always_agrees(world: &World, known: &Known, cases: u32, searches: &impl Strategy<Value = Search>) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() });
    let agree = |search: Search| {
        let found = tokio::runtime::Handle::current().block_on(world.search(&search));
        let expected = found_among(&known.profiles, &search);
        let filter = search.filter.as_ref().map(Filter::to_string);
        prop_assert_eq!(seen(&found), seen(&expected), "{:?}", filter);
        Ok(())
    };
    // The runner knows nothing of tasks, and so blocks the thread that it runs on.
    if let Err(disagreement) = tokio::task::block_in_place(|| runner.run(searches, agree).map_err(|e| e.to_string())) {
        panic!("{disagreement}");
    }
}

pub async fn any_filter_agrees_with_the_reference(world: World) {
    let known = Known::settled(&world).await;
    let searches = (filters(&known), any::<bool>()).prop_map(|(filter, include_deleted)| Search {
        filter: Some(filter),
        include_deleted,
        ..everybody()
    });
    assert_always_agrees(&world, &known, 600, &searches);
}

pub async fn any_search_agrees_with_the_reference(world: World) {
    let known = Known::settled(&world).await;
    let searches = searches(&known);
    assert_always_agrees(&world, &known, 600, &searches);
}
