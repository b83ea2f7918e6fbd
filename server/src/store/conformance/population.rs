//! Some sixty people of every kind, always the same ones, and the dice that make them.

use super::fixtures::{World, at_once};
use crate::domain::attributes::Attributes;
use crate::domain::change::ChangeKind;
use crate::domain::clock::TimestampMs;
use crate::domain::profile::Profile;
use crate::domain::version::Version;
use serde_json::{Map, Value, json};

/// Chance that repeats itself: the same seed throws the same numbers (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// One of `0..sides`.
    pub fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % sides
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.throw(from.len())]
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.throw(times) == 0
    }
}

pub const NAMES: [&str; 24] = [
    "John Smith",
    "JOHN SMYTHE",
    "Jo Smith-Jones",
    "Marie-Claire O'Neill",
    "Jürgen Müller",
    "Jurgen Muller",
    "Straße Strasse",
    "İbrahim Işık",
    "Nguyễn Thị Ánh",
    "Ελένη Ανδρέας",
    "Наталья Ёлкина",
    "محمد بن سلمان",
    "किरण शर्मा",
    "தமிழ்ச்செல்வி",
    "สมชาย ใจดี",
    "张伟明",
    "山田太郎 ヤマダ",
    "김민준",
    "Ana 🎉 Zoë",
    "100% _under_ back\\slash",
    "\"quoted\" 'single'",
    "ＦＵＬＬ Ｗｉｄｔｈ",
    "ﬁnn ǆ",
    "a",
];
pub const PLACES: [&str; 14] =
    ["BLR", "blr", "Ｂ", "São Paulo", "sao paulo", "100%", "a_b", "a\\b", "京都", "𠮷", "\u{fffd}", "z", "it's", "\"q\""];
const SUBJECTS: [&str; 5] = ["admin", "Admin", "sub|1", "é", "%"];
pub const DATES: [&str; 6] = ["1900-01-01", "1969-12-31", "1970-01-01", "1984-02-29", "1999-12-31", "2000-01-01"];
pub const DEGREES: [f64; 9] = [0.0, 5e-324, -5e-324, 0.1, 1.0 / 3.0, -45.5, 89.999_999_999_999_99, 90.0, -90.0];
/// What a path in a filter can name; `list.0` is there to be no element of the array `list`.
pub const MEMBERS: [&str; 10] = ["tier", "Tier", "n", "flag", "a-b", "_x", "list", "0", "deep", "nothing"];

fn scalar(dice: &mut Dice) -> Value {
    let text = ["gold", "Gold", "", "1", "true", "null", "é", "e\u{301}", "a%b", "a_b", "line\nbreak", "q\"\\", "𠮷", "\u{ffff}", "NaN"];
    let numbers = [
        "0",
        "1",
        "1.0",
        "-1",
        "0.1",
        "0.30000000000000004",
        "1e100",
        "-1e308",
        "5e-324",
        "9007199254740991",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551615",
        "123456789.125",
    ];
    match dice.throw(8) {
        0..3 => json!(dice.pick(&text)),
        3..6 => serde_json::from_str(dice.pick(&numbers)).unwrap(),
        6 => json!(dice.once_in(2)),
        _ => Value::Null,
    }
}

fn attributes(dice: &mut Dice) -> Attributes {
    let mut members = Map::new();
    for _ in 0..dice.throw(7) {
        let value = match dice.throw(6) {
            0 => json!([scalar(dice), scalar(dice)]),
            1 => json!({"tier": scalar(dice), "n": scalar(dice), "0": scalar(dice)}),
            _ => scalar(dice),
        };
        members.insert(dice.pick(&MEMBERS).to_owned(), value);
    }
    if dice.once_in(3) {
        // Names that no filter can ask for must not disturb those that it can.
        members.insert("a.b \"c\" 'd' $[0]".to_owned(), scalar(dice));
    }
    if dice.once_in(6) {
        members.extend((0..40).map(|number| (format!("m{number}"), scalar(dice))));
    }
    Attributes::from_value(Value::Object(members)).unwrap()
}

fn person(world: &World, dice: &mut Dice, number: usize) -> Profile {
    let user = number - number % 3 / 2;
    let mut fields = json!({"full_name": dice.pick(&NAMES), "user_id": format!("{}{user}", ["u", "U", "%", "é"][user % 4])});
    fields["profile_type"] = json!(["work", "home"][number - user]);
    if dice.once_in(2) {
        fields["email_id"] = json!(format!("{}{user}@{}", ["Zo.", "jo_", "É%"][user % 3], ["Bücher.example", "EXAMPLE.com"][user % 2]));
    }
    if dice.once_in(3) {
        fields["mobile"] = json!(format!("+1415555{:04}", user));
    }
    for name in ["gender", "city_id", "country_id", "address"] {
        if dice.once_in(2) {
            fields[name] = json!(dice.pick(&PLACES));
        }
    }
    if dice.once_in(2) {
        fields["birth_date"] = json!(dice.pick(&DATES));
    }
    fields["active"] = json!(!dice.once_in(3));
    let mut profile = world.draft(fields);
    if dice.once_in(2) {
        (profile.latitude, profile.longitude) = (Some(dice.pick(&DEGREES)), Some(dice.pick(&DEGREES)));
    }
    if dice.once_in(4) {
        profile.profile_image_url = Some(format!("https://img.example/{number}?a=%20_b"));
    }
    profile.attributes = attributes(dice);
    dice.pick(&SUBJECTS).clone_into(&mut profile.created_by);
    dice.pick(&SUBJECTS).clone_into(&mut profile.updated_by);
    profile.created_at = TimestampMs([0, 1, 1_700_000_000_000, 1_700_000_000_001][dice.throw(4)] + i64::from(dice.once_in(2)));
    profile.updated_at = profile.created_at;
    profile
}

/// Fills the store; a fifth of the profiles are deleted, others were changed several times.
pub async fn settle(world: &World, count: usize) -> Vec<Profile> {
    let mut dice = Dice::new(7);
    let mut stories = Vec::new();
    for number in 0..count {
        let first = person(world, &mut dice, number);
        let mut last = first.clone();
        if dice.once_in(5) {
            last = last.deleted(dice.pick(&SUBJECTS), TimestampMs(1_700_000_000_500));
        } else if dice.once_in(2) {
            last.touch(dice.pick(&SUBJECTS), TimestampMs(1_700_000_000_400));
        }
        last.version = Version(last.version.0 + i64::try_from(dice.throw(3)).unwrap());
        stories.push((first, last));
    }
    at_once(count, |number| {
        let (world, (first, last)) = (world.clone(), stories[number].clone());
        async move {
            world.insert(&first).await.unwrap();
            if first != last {
                assert!(world.replace(&first, &last, ChangeKind::ProfileUpdated).await.unwrap());
            }
            last
        }
    })
    .await
}
