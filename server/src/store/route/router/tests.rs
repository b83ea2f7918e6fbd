use super::*;

const COSTS: Costs = Costs::PLAIN;
const NOTHING: Expected =
    Expected { tenant_rows: None, conjuncts: Vec::new(), narrower: false, told: 1.0, keyed: false, by_creation: false, counted: false };
const LARGE: Option<f64> = Some(5_000_000.0);

fn router(tenant_rows: Option<f64>, conjuncts: &[Option<f64>]) -> Router {
    Router::new(COSTS, Expected { tenant_rows, conjuncts: listed(conjuncts), ..NOTHING }, 21)
}

fn listed(conjuncts: &[Option<f64>]) -> Vec<Listed> {
    conjuncts.iter().map(|rows| Listed { rows: *rows, share: None, lists: 1.0 }).collect()
}

#[test]
fn a_small_tenant_is_scanned() {
    assert!(matches!(router(Some(900.0), &[Some(3.0)]).next_step(), Step::Scan { rows } if rows > 900));
}

#[test]
fn a_rare_word_goes_by_grams_and_a_common_one_by_a_scan() {
    assert!(matches!(router(LARGE, &[Some(400.0)]).next_step(), Step::Grams { .. }));
    assert!(matches!(router(LARGE, &[Some(250_000.0)]).next_step(), Step::Scan { rows } if rows < 2_000));
    assert!(matches!(router(LARGE, &[]).next_step(), Step::Scan { .. }));
}

#[test]
fn the_shortest_list_tells_how_often_others_are_looked_into() {
    // Twenty are left by the first two, which would be worth a third look each, but not the five thousand that it takes.
    let conjuncts = listed(&[Some(5_000.0), Some(20_000.0), Some(300_000.0)]);
    let router = Router::new(Costs::PASSING, Expected { tenant_rows: LARGE, conjuncts, ..NOTHING }, 21);
    assert_eq!(router.by_grams_only().unwrap().0, [0, 1]);
}

#[test]
fn a_scan_that_finds_little_gives_way_to_the_grams() {
    let mut router = router(LARGE, &[Some(60_000.0), Some(2_000_000.0)]);
    let mut scanned = 0;
    for _ in 0..10 {
        match router.next_step() {
            step @ Step::Scan { rows } => {
                scanned += rows;
                router.note(&step, Outcome::Short { found: 0 });
            }
            Step::Grams { .. } => {
                assert!((500..200_000).contains(&scanned), "{scanned}");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the scan went on for {scanned} rows");
}

#[test]
fn grams_that_find_too_many_give_way_to_a_scan_until_that_costs_more() {
    let mut router = router(LARGE, &[Some(500.0)]);
    let mut steps = Vec::new();
    for _ in 0..12 {
        let step = router.next_step();
        let outcome = if matches!(step, Step::Scan { .. }) { Outcome::Short { found: 0 } } else { Outcome::Overflow };
        router.note(&step, outcome);
        steps.push(step);
    }
    let caps: Vec<u32> = steps.iter().filter_map(|step| if let Step::Grams { cap, .. } = step { Some(*cap) } else { None }).collect();
    assert!(matches!(caps.as_slice(), [first, second] if second > first), "{steps:?}");
    assert!(matches!(steps[1], Step::Scan { rows } if rows < 100_000), "{steps:?}");
    assert!(matches!(steps[11], Step::Scan { rows } if f64::from(rows) == MOST_SCAN), "{steps:?}");
}

#[test]
fn nothing_known_begins_with_a_short_scan() {
    let mut router = router(None, &[None]);
    let step = router.next_step();
    assert_eq!(step, Step::Scan { rows: 1_000 });
    router.note(&step, Outcome::Short { found: 0 });
    assert!(matches!(router.next_step(), Step::Grams { .. }));
}

#[test]
fn what_has_an_index_of_its_own_is_tried_first() {
    let expected = Expected { tenant_rows: LARGE, keyed: true, ..NOTHING };
    let mut router = Router::new(COSTS, expected, 21);
    let step = router.next_step();
    assert!(matches!(step, Step::Keyed { .. }));
    router.note(&step, Outcome::Overflow);
    assert!(matches!(router.next_step(), Step::Scan { .. }));
}

#[test]
fn a_long_list_is_left_out_where_it_spares_little() {
    let router = router(LARGE, &[Some(20.0), Some(4_900_000.0)]);
    assert_eq!(router.by_grams().conjuncts, [0]);
    let router = self::router(LARGE, &[Some(20_000.0), Some(30_000.0)]);
    assert_eq!(router.by_grams().conjuncts, [0, 1]);
}

#[test]
fn a_thousand_of_a_very_common_word_are_counted_by_a_scan() {
    assert_eq!(router(LARGE, &[Some(4_000_000.0)]).to_count(), Count::Scan);
}

#[test]
fn a_thousand_of_many_are_counted_in_a_part_of_the_time() {
    assert!(matches!(router(LARGE, &[Some(900_000.0)]).to_count(), Count::Grams { share: Some(share), .. } if share < 0.03));
    assert!(matches!(router(LARGE, &[Some(900.0)]).to_count(), Count::Grams { share: None, .. }));
}

#[test]
fn what_many_have_is_looked_for_among_the_newest_first() {
    let expected = Expected { tenant_rows: LARGE, conjuncts: listed(&[Some(9_000.0)]), by_creation: true, ..NOTHING };
    let mut router = Router::new(COSTS, expected, 21);
    let mut looked = 0.0;
    loop {
        match router.next_step() {
            step @ Step::Period { share } => {
                assert!(share > looked);
                looked = share;
                router.note(&step, Outcome::Short { found: 0 });
            }
            Step::Grams { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(looked > 0.004, "{looked}");
}

#[test]
fn in_the_order_of_names_marks_lead_to_where_names_begin_with_the_word() {
    let mut router = router(LARGE, &[Some(40_000.0)]);
    let mut looked = Vec::new();
    for parts_left in [60, 50, 10] {
        router.stands_at(Some(Place::Apart { parts_left, foreign: 0, lists: 1 }), None);
        match router.next_step() {
            step @ Step::Names { parts, .. } => {
                assert!(parts <= parts_left);
                looked.push(parts);
                router.note(&step, Outcome::Short { found: 0 });
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(looked[1] > looked[0], "{looked:?}");
    router.stands_at(Some(Place::Together), None);
    assert!(matches!(router.next_step(), Step::Scan { rows } if rows < 500));
}

#[test]
fn what_few_have_is_read_whole_in_any_order() {
    let mut router = router(LARGE, &[Some(300.0)]);
    router.stands_at(Some(Place::Apart { parts_left: 100, foreign: 0, lists: 1 }), None);
    assert!(matches!(router.next_step(), Step::Grams { .. }));
}

#[test]
fn looks_by_names_end_when_they_took_as_much_as_grams_would() {
    let mut router = router(LARGE, &[Some(40_000.0)]);
    router.stands_at(Some(Place::Apart { parts_left: 60, foreign: 0, lists: 1 }), None);
    assert!(matches!(router.next_step(), Step::Names { .. }));
    router.spend(router.by_grams().cost);
    assert!(!matches!(router.next_step(), Step::Names { .. }));
}

#[test]
fn conditions_that_hang_together_are_not_multiplied() {
    // Of two words that 100,000 and 80,000 have, 2,000 have both; so do all hits, but a tenth.
    let expected = Expected {
        tenant_rows: LARGE,
        conjuncts: [(100_000.0, Some(0.9)), (80_000.0, Some(1.0)), (2_000.0, None)]
            .map(|(rows, share)| Listed { rows: Some(rows), share, lists: 1.0 })
            .into(),
        ..NOTHING
    };
    let router = Router::new(COSTS, expected, 21);
    assert!((router.expected_hits() - 1_800.0).abs() < 1.0, "{}", router.expected_hits());
    assert_eq!(router.by_grams().conjuncts, [2]);
}

#[test]
fn a_long_list_that_is_passed_over_quickly_is_met_even_where_it_may_spare_nothing() {
    // Ten thousand have the word, half of the tenant the gender; but nobody has both.
    let costs = Costs::PASSING;
    let expected = Expected { tenant_rows: LARGE, conjuncts: listed(&[Some(10_000.0), Some(2_500_000.0)]), ..NOTHING };
    assert_eq!(Router::new(costs, expected, 21).by_grams().conjuncts, [0, 1]);
}

#[test]
fn a_part_that_is_full_is_read_off_for_as_long_as_that_finds_hits() {
    let mut router = router(LARGE, &[Some(40_000.0)]);
    let apart = Some(Place::Apart { parts_left: 60, foreign: 0, lists: 1 });
    router.stands_at(apart, None);
    let look = router.next_step();
    assert!(matches!(look, Step::Names { .. }));
    router.stands_at(apart, Some(0.3));
    let step = router.next_step();
    assert!(matches!(step, Step::Scan { rows } if rows < 1_000), "{step:?}");
    router.note(&step, Outcome::Short { found: 0 });
    assert!(matches!(router.next_step(), Step::Names { .. }));
    router.stands_at(apart, None);
    router.note(&Step::Names { parts: 1, cap: 300 }, Outcome::Overflow);
    assert!(matches!(router.next_step(), Step::Scan { rows } if rows < 1_000));
}

#[test]
fn a_full_part_is_read_off_while_that_takes_less_than_what_could_not_be_read() {
    let next = |found| {
        let mut router = router(LARGE, &[Some(40_000.0)]);
        router.stands_at(Some(Place::Apart { parts_left: 60, foreign: 0, lists: 1 }), None);
        router.note(&Step::Names { parts: 1, cap: 3_000 }, Outcome::Overflow);
        let scan = router.next_step();
        assert!(matches!(scan, Step::Scan { rows } if rows < 1_000), "{scan:?}");
        router.note(&scan, Outcome::Short { found });
        router.next_step()
    };
    assert!(matches!(next(5), Step::Scan { rows } if rows < 3_000), "one in a hundred has it: {:?}", next(5));
    assert!(matches!(next(0), Step::Names { parts: 1, .. }), "{:?}", next(0));
}

#[test]
fn a_part_that_was_full_is_forgotten_behind_it() {
    let mut router = router(LARGE, &[Some(40_000.0)]);
    let apart = |parts_left| Some(Place::Apart { parts_left, foreign: 0, lists: 1 });
    router.stands_at(apart(60), None);
    router.note(&Step::Names { parts: 1, cap: 3_000 }, Outcome::Overflow);
    router.stands_at(apart(60), None);
    let scan = router.next_step();
    router.note(&scan, Outcome::Short { found: 5 });
    router.stands_at(apart(60), None);
    assert!(matches!(router.next_step(), Step::Scan { .. }));
    router.stands_at(apart(59), None);
    assert!(matches!(router.next_step(), Step::Names { .. }));
}

#[test]
fn conditions_that_exclude_one_another_are_met_once_that_shows() {
    // Half of those who have the word should be men, and none of the first are.
    let mut router = Router::new(
        Costs::PASSING,
        Expected { tenant_rows: LARGE, conjuncts: listed(&[Some(34_000.0), Some(2_500_000.0)]), ..NOTHING },
        21,
    );
    router.stands_at(Some(Place::Together), None);
    let step = router.next_step();
    assert!(matches!(step, Step::Scan { .. }), "{step:?}");
    router.note(&step, Outcome::Short { found: 0 });
    assert!(matches!(router.next_step(), Step::Grams { conjuncts, .. } if conjuncts == [0, 1]));
}

/// Of a word that so many have, nearly all of them at the ends of their names.
fn by_words(hits: f64, elsewhere: f64, in_order: bool, by_creation: bool) -> Router {
    by_words_and_marks(hits, elsewhere, in_order, by_creation, false)
}

fn by_words_and_marks(hits: f64, elsewhere: f64, in_order: bool, by_creation: bool, marked: bool) -> Router {
    let costs = Costs { words: 60.0, ..Costs::PASSING };
    let expected = Expected { tenant_rows: LARGE, conjuncts: listed(&[Some(hits)]), by_creation, ..NOTHING };
    let in_names = InNames { told: hits - elsewhere, longer: 0.0, passed: 0.0, entries: elsewhere, rows: elsewhere, in_order, marked };
    let mut router = Router::new(costs, expected, 21).with_words(Some(in_names));
    router.stands_at(in_order.then_some(Place::Apart { parts_left: 160, foreign: 0, lists: 1 }), None);
    router
}

#[test]
fn some_hundreds_are_told_by_the_words_of_names_and_of_thousands_only_a_thousand() {
    for in_order in [false, true] {
        assert!(matches!(by_words(700.0, 50.0, in_order, !in_order).next_step(), Step::Words { cap: 2_000.. }));
    }
    let many = by_words(40_000.0, 100.0, false, true);
    assert!(matches!(many.next_step(), Step::Period { .. }));
    assert_eq!(many.to_count(), Count::Words);
    assert!(matches!(by_words(40_000.0, 100.0, true, false).next_step(), Step::WordsInOrder { .. }));
}

#[test]
fn words_that_most_have_elsewhere_go_by_their_grams() {
    for in_order in [false, true] {
        assert!(matches!(by_words(5.0, 4.0, in_order, !in_order).next_step(), Step::Grams { .. }));
        let elsewhere = by_words(30_000.0, 29_500.0, in_order, !in_order);
        assert!(!matches!(elsewhere.next_step(), Step::Words { .. } | Step::WordsInOrder { .. }));
        assert_ne!(elsewhere.to_count(), Count::Words);
    }
}

#[test]
fn those_who_have_a_word_elsewhere_are_read_only_as_far_as_the_page_goes_where_marks_tell_how_far() {
    let goes_by_words =
        |marked| matches!(by_words_and_marks(40_000.0, 20_000.0, true, false, marked).next_step(), Step::WordsInOrder { .. });
    assert!(goes_by_words(true) && !goes_by_words(false));
    // A page that is most of the order is not worth it.
    assert!(!matches!(by_words_and_marks(60.0, 30.0, true, false, true).next_step(), Step::WordsInOrder { .. }));
}

#[test]
fn where_next_to_nobody_has_the_words_at_the_ends_of_names_these_are_not_gone_through_by_marks_too() {
    let costs = Costs { words: 60.0, ..Costs::PASSING };
    let conjuncts = listed(&[Some(100_000.0), Some(2_000_000.0)]);
    let expected = Expected { tenant_rows: LARGE, conjuncts, ..NOTHING };
    let in_names = InNames { told: 98_000.0, longer: 0.0, passed: 0.0, entries: 2_000.0, rows: 2_000.0, in_order: true, marked: true };
    let mut router = Router::new(costs, expected, 21).with_words(Some(in_names));
    router.stands_at(Some(Place::Apart { parts_left: 160, foreign: 0, lists: 1 }), None);
    let step = router.next_step();
    assert!(matches!(step, Step::WordsInOrder { .. }), "{step:?}");
    router.note(&step, Outcome::Short { found: 0 });
    assert!(matches!(router.next_step(), Step::Grams { .. } | Step::Scan { .. }));
}

#[test]
fn more_names_than_expected_give_way_to_another_way_and_are_not_looked_at_again() {
    let mut router = by_words(700.0, 50.0, false, true);
    let step = router.next_step();
    router.note(&step, Outcome::Overflow);
    assert!(router.expected_hits() >= 2_000.0);
    assert!(!matches!(router.next_step(), Step::Words { .. }));
}
