//! Create and update as a whole: what is refused together, what a patch leaves alone, and that no body panics.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

/// 2026-01-02T03:04:05Z
const NOW: TimestampMs = TimestampMs(1_767_323_045_000);

fn read(body: &Value) -> ProfilePatch {
    ProfilePatch::read(Document::parse(body.to_string().as_bytes()).unwrap())
}

fn create(body: &Value) -> Result<Profile, Faults> {
    read(body).create(TenantName::parse("acme").unwrap(), ProfileId(Uuid::from_u128(7)), "me", NOW)
}

fn pointers(faults: &Faults) -> Vec<String> {
    let mut pointers: Vec<String> = faults
        .as_slice()
        .iter()
        .map(|fault| match &fault.place {
            crate::domain::invalid::Place::Pointer(pointer) => pointer.clone(),
            other => format!("{other:?}"),
        })
        .collect();
    pointers.sort();
    pointers
}

fn ada() -> Profile {
    create(&json!({
        "full_name": "Ada Lovelace", "user_id": "ada", "email_id": "Ada@Example.com", "mobile": "+44 20 7946 0958", "country_id": "GB",
        "city_id": "LON", "latitude": 51.5, "longitude": -0.12, "attributes": {"plan": "pro", "limits": {"seats": 3, "disk": 1}}
    }))
    .unwrap()
}

#[test]
fn every_fault_is_told_at_once_and_once() {
    let faults = create(&json!({
        "full_name": 7, "email_id": "nobody", "mobile": "12", "birth_date": "2999-01-01", "latitude": 91, "version": 3, "nickname": "x",
        "attributes": [], "active": "yes", "profile_image_url": "http://x"
    }))
    .unwrap_err();
    let expected = [
        "/active",
        "/attributes",
        "/birth_date",
        "/email_id",
        "/full_name",
        "/latitude",
        "/longitude",
        "/mobile",
        "/nickname",
        "/profile_image_url",
        "/version",
    ];
    assert_eq!(pointers(&faults), expected);
}

#[test]
fn a_profile_that_nothing_would_tell_from_its_repeat_is_refused() {
    assert_eq!(pointers(&create(&json!({"full_name": "Ada"})).unwrap_err()), [""]);
    for identifier in [json!({"user_id": "a"}), json!({"email_id": "a@b.cd"}), json!({"mobile": "+442079460958"})] {
        let mut body = json!({"full_name": "Ada"});
        merge(&mut body, identifier);
        assert!(create(&body).is_ok());
    }
}

#[test]
fn without_a_user_id_the_profile_id_becomes_one() {
    let profile = create(&json!({"full_name": "Ada", "email_id": "a@b.cd", "user_id": null})).unwrap();
    assert_eq!(profile.user_id.as_str(), profile.profile_id.to_string());
}

#[test]
fn text_is_trimmed_and_composed() {
    let profile = create(&json!({"full_name": "  Jose\u{301} ", "user_id": "a"})).unwrap();
    assert_eq!(profile.full_name.as_str(), "José");
}

#[test]
fn a_national_number_takes_the_country_that_stands_after_the_patch() {
    let body = json!({"mobile": "98765 43210", "country_id": "IN"});
    let changed = read(&body).apply(&ada(), "me", NOW).unwrap().unwrap();
    assert_eq!(changed.mobile.as_ref().map(Mobile::as_str), Some("+919876543210"));
    let stored_country = read(&json!({"mobile": "020 7946 0001"})).apply(&ada(), "me", NOW).unwrap().unwrap();
    assert_eq!(stored_country.mobile.as_ref().map(Mobile::as_str), Some("+442079460001"));
}

#[test]
fn one_coordinate_cannot_be_cleared_alone() {
    assert_eq!(pointers(&read(&json!({"latitude": null})).apply(&ada(), "me", NOW).unwrap_err()), ["/latitude"]);
    assert!(read(&json!({"latitude": null, "longitude": null})).apply(&ada(), "me", NOW).is_ok());
    assert!(read(&json!({"latitude": 1})).apply(&ada(), "me", NOW).is_ok());
}

#[test]
fn what_must_be_there_cannot_be_cleared() {
    assert_eq!(
        pointers(&read(&json!({"full_name": null, "user_id": null})).apply(&ada(), "me", NOW).unwrap_err()),
        ["/full_name", "/user_id"]
    );
}

#[test]
fn attributes_are_merged_in_depth() {
    let patch = json!({"attributes": {"plan": null, "limits": {"seats": 4}}});
    let changed = read(&patch).apply(&ada(), "me", NOW).unwrap().unwrap();
    assert_eq!(changed.attributes.as_str(), r#"{"limits":{"disk":1,"seats":4}}"#);
    assert_eq!(ada().changed_fields(&changed), ["attributes"]);
}

#[test]
fn today_is_not_the_future() {
    assert!(create(&json!({"full_name": "A", "user_id": "a", "birth_date": "2026-01-02"})).is_ok());
    assert!(create(&json!({"full_name": "A", "user_id": "a", "birth_date": "2026-01-03"})).is_err());
    assert!(create(&json!({"full_name": "A", "user_id": "a", "birth_date": "1899-12-31"})).is_err());
}

/// Bodies of valid fields in all three states.
fn patches() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![Just(Value::Null), "[\\p{L}][\\p{L} ]{0,10}".prop_map(Value::from)];
    let optional = |strategy: BoxedStrategy<Value>| prop::option::of(strategy);
    (
        optional("[\\p{L}]{1,20}".prop_map(Value::from).boxed()),
        optional(text().boxed()),
        optional(prop_oneof![Just(Value::Null), "[a-z]{1,8}@[a-z]{1,8}\\.com".prop_map(Value::from)].boxed()),
        optional(prop_oneof![Just(Value::Null), (1900..2026).prop_map(|year| json!(format!("{year}-02-03")))].boxed()),
        optional(prop_oneof![Just(json!(null)), Just(json!({"a": 1})), Just(json!({"a": null, "b": {"c": []}}))].boxed()),
        optional(any::<bool>().prop_map(Value::from).boxed()),
    )
        .prop_map(|(full_name, gender, email_id, birth_date, attributes, active)| {
            let fields = [
                ("full_name", full_name),
                ("gender", gender),
                ("email_id", email_id),
                ("birth_date", birth_date),
                ("attributes", attributes),
                ("active", active),
            ];
            Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
        })
}

proptest! {
    #[test]
    fn a_patch_changes_what_it_names_and_once(body in patches()) {
        let old = ada();
        let Some(new) = read(&body).apply(&old, "you", TimestampMs(NOW.0 + 5)).unwrap() else { return Ok(()) };
        for field in old.changed_fields(&new) {
            prop_assert!(body.get(field).is_some(), "{} changed by {}", field, body);
        }
        prop_assert_eq!(new.version, old.version.next());
        prop_assert_eq!((new.updated_by.as_str(), new.updated_at), ("you", TimestampMs(NOW.0 + 5)));
        prop_assert_eq!((&new.created_by, new.created_at, new.profile_id), (&old.created_by, old.created_at, old.profile_id));
        prop_assert_eq!(read(&body).apply(&new, "you", NOW).unwrap(), None);
    }

    #[test]
    fn what_was_created_survives_its_own_json(body in patches()) {
        let mut body = body;
        merge(&mut body, json!({"user_id": "u", "full_name": "Ada"}));
        let profile = create(&body).unwrap();
        let json = serde_json::to_string(&profile).unwrap();
        prop_assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
    }

    #[test]
    fn no_body_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), name in "full_name|mobile|attributes|latitude|birth_date|user_id", raw in "\\PC{0,20}") {
        let _ = Document::parse(&bytes).map(ProfilePatch::read);
        if let Ok(document) = Document::parse(format!("{{\"{name}\":{raw}}}").as_bytes()) {
            let _ = ProfilePatch::read(document).create(TenantName::parse("a").unwrap(), ProfileId(Uuid::nil()), "me", NOW);
        }
    }
}
