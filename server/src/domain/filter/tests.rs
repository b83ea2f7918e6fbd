//! The language itself: what parses to what, what is refused and where, and that text and form are each other's.

use super::*;
use crate::domain::geo::Circle;
use proptest::prelude::*;

fn error(text: &str) -> FilterError {
    parse(text).expect_err(text)
}

#[test]
fn and_binds_tighter_than_or() {
    let written = parse(r#"gender eq "f" or city_id eq "BLR" and active eq true"#).unwrap();
    let bracketed = parse(r#"gender eq "f" or (city_id eq "BLR" and active eq true)"#).unwrap();
    assert_eq!(written, bracketed);
    assert_ne!(written, parse(r#"(gender eq "f" or city_id eq "BLR") and active eq true"#).unwrap());
}

#[test]
fn keywords_and_fields_may_be_written_in_any_case() {
    assert_eq!(parse(r#"City_Id EQ "BLR" AND NOT (active Eq true)"#), parse(r#"city_id eq "BLR" and not (active eq true)"#));
}

#[test]
fn null_is_absence() {
    assert_eq!(parse("mobile eq null"), parse("not (mobile pr)"));
    assert_eq!(parse("mobile ne null"), parse("mobile pr"));
}

#[test]
fn a_time_may_be_written_for_people() {
    assert_eq!(parse(r#"created_at ge "1970-01-01T00:00:01Z""#), parse("created_at ge 1000"));
}

#[test]
fn near_is_a_circle() {
    let circle = Circle { latitude: 51.5, longitude: -0.12, kilometres: 10.0 };
    assert_eq!(parse("NEAR(51.5,-0.12, 10)"), Ok(Filter::Condition(Condition::Near(circle))));
    assert_eq!(parse("not (near(51.5, -0.12, 10) or active eq true)").unwrap().circles(), [circle]);
    assert_eq!(error("near(91, 0, 1)").at, 6);
    assert_eq!(error("near(1, 181, 1)").at, 9);
    assert_eq!(error("near(1, 2, -1)").at, 12);
    assert_eq!(error("near(1, 2)").at, 10);
    assert_eq!(error("near(1, 2, 3").at, 13);
    assert_eq!(error("near eq 1").at, 1);
}

#[test]
fn errors_say_what_and_where() {
    assert_eq!(error("").at, 1);
    assert_eq!(error("city_id eq").at, 11);
    assert_eq!(error("nickname eq \"x\"").at, 1);
    assert!(error("nickname eq \"x\"").detail.contains("nickname is not a field"));
    assert_eq!(error(r#"city_id is "BLR""#).at, 9);
    assert_eq!(error("city_id eq BLR").at, 12);
    assert_eq!(error(r#"city_id eq "BLR"#).at, 12);
    assert_eq!(error("version co 1").at, 9);
    assert_eq!(error("latitude gt \"north\"").at, 13);
    assert_eq!(error("birth_date gt \"1990-02-30\"").at, 15);
    assert_eq!(error("(active eq true").at, 16);
    assert_eq!(error("active eq true)").at, 15);
    assert_eq!(error("not active eq true").at, 5);
    assert!(error(&"a".repeat(MAX_LENGTH + 1)).detail.contains("at most 4096 characters"));
    assert!(error(&format!("{}active eq true{}", "(".repeat(17), ")".repeat(17))).detail.contains("16 levels"));
    assert!(error(&vec!["active eq true"; 65].join(" and ")).detail.contains("64 comparisons"));
}

fn text_ops() -> impl Strategy<Value = TextOp> {
    prop::sample::select(vec![
        TextOp::Eq,
        TextOp::Ne,
        TextOp::Contains,
        TextOp::StartsWith,
        TextOp::EndsWith,
        TextOp::Greater,
        TextOp::GreaterOrEqual,
        TextOp::Less,
        TextOp::LessOrEqual,
    ])
}

fn orders() -> impl Strategy<Value = Order> {
    text_ops().prop_filter_map("has an order", TextOp::as_order)
}

fn paths() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zA-Z_][a-zA-Z0-9_-]{0,8}", 1..3)
}

fn conditions() -> impl Strategy<Value = Condition> {
    let text = "[^\0]{0,12}";
    let finite = prop::num::f64::NORMAL | prop::num::f64::ZERO;
    prop_oneof![
        prop::sample::select(TextField::ALL).prop_map(|field| Condition::Present(Field::Text(field))),
        paths().prop_map(|path| Condition::Present(Field::Attribute(path))),
        (prop::sample::select(TextField::ALL), text_ops(), text).prop_map(|(field, op, value)| Condition::Text { field, op, value }),
        (prop::sample::select(IntegerField::ALL), orders(), any::<i64>()).prop_map(|(field, op, value)| Condition::Integer {
            field,
            op,
            value
        }),
        (prop::sample::select(NumberField::ALL), orders(), finite).prop_map(|(field, op, value)| Condition::Number { field, op, value }),
        (orders(), 1900..2030, 1..13, 1..29)
            .prop_map(|(op, y, m, d)| { Condition::BirthDate { op, value: BirthDate::parse(&format!("{y}-{m:02}-{d:02}")).unwrap() } }),
        (any::<bool>(), any::<u128>()).prop_map(|(equal, id)| Condition::ProfileId { equal, value: ProfileId(uuid::Uuid::from_u128(id)) }),
        (any::<bool>(), any::<bool>()).prop_map(|(equal, value)| Condition::Active { equal, value }),
        (paths(), text_ops(), text).prop_map(|(path, op, value)| Condition::Attribute(AttributeCondition::Text { path, op, value })),
        (paths(), orders(), finite).prop_map(|(path, op, value)| Condition::Attribute(AttributeCondition::Number { path, op, value })),
        (-90.0..=90.0_f64, -180.0..=180.0_f64, 0.0..=20_000.0_f64).prop_map(|(latitude, longitude, kilometres)| Condition::Near(Circle {
            latitude,
            longitude,
            kilometres
        })),
        (paths(), any::<bool>(), any::<bool>()).prop_map(|(path, equal, value)| Condition::Attribute(AttributeCondition::Boolean {
            path,
            equal,
            value
        })),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    conditions().prop_map(Filter::Condition).prop_recursive(4, 24, 3, |inner| {
        let not_all = inner.clone().prop_filter("flat", |filter| !matches!(filter, Filter::All(_)));
        let not_any = inner.clone().prop_filter("flat", |filter| !matches!(filter, Filter::Any(_)));
        prop_oneof![
            prop::collection::vec(not_all, 2..4).prop_map(Filter::All),
            prop::collection::vec(not_any, 2..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_written_out_parses_to_itself(filter in filters()) {
        let text = filter.to_string();
        prop_assume!(text.chars().count() <= MAX_LENGTH);
        prop_assert_eq!(parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn no_input_panics(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_arrangement_of_tokens_panics(tokens in prop::collection::vec(prop::sample::select(vec![
        "(", ")", ",", "near", "and", "or", "not", "pr", "eq", "co", "city_id", "version", "attributes.x", "attributes.", "\"x\"", "\"", "1", "-", "1e999", "true", "null", "\\",
    ]), 0..12)) {
        if let Ok(filter) = parse(&tokens.join(" ")) {
            prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
        }
    }
}
