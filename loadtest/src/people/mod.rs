//! People as directories have them: names at their natural frequency, places that are crowded and places that are not.

pub mod locale;
pub mod names;
pub mod random;
pub mod residents;
pub mod words;

use locale::Locale;
use n_users::domain::attributes::Attributes;
use n_users::domain::birth_date::BirthDate;
use n_users::domain::clock::TimestampMs;
use n_users::domain::email::EmailAddress;
use n_users::domain::mobile::Mobile;
use n_users::domain::profile::{Profile, ProfileId, ProfileType, UserId};
use n_users::domain::search_text::fold;
use n_users::domain::tenant::TenantName;
use n_users::domain::text::Text;
use n_users::domain::version::Version;
use random::Random;
use uuid::Uuid;

/// The tenant that has half of all.
pub const LARGE_TENANT: &str = "large";
/// When the first one was created.
const FIRST_MS: u64 = 1_600_000_000_000;
const DOMAINS: &[&str] =
    &["gmail.com", "example.com", "outlook.com", "yahoo.com", "icloud.com", "qq.com", "mail.ru", "gmx.de", "acme.io", "company.co.uk"];

/// The person at a place of the list of all: the same for the same seed.
pub fn person(seed: u64, at: u64) -> Profile {
    let mut random = Random::new(seed ^ at.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let random = &mut random;
    let locale = Locale::of(random);
    let woman = random.chance(0.5);
    let first = locale.name(if woman { locale.female } else { locale.male }, 0.12, random);
    let family = locale.name(locale.family, 0.3, random);
    let full_name = match (locale.family_first, random.chance(0.06)) {
        (true, _) => format!("{family}{}{first}", locale.space),
        (false, true) => format!("{first} {} {family}", locale.name(if woman { locale.female } else { locale.male }, 0.2, random)),
        (false, false) => format!("{first} {family}"),
    };
    let (country, dialling, latitude, longitude, cities) = locale.countries[random.zipf(locale.countries.len())];
    // Most live in a city that many live in; some in one of hundreds of towns.
    let town = random.chance(0.25);
    let place = if town { 100 + random.index(700) } else { random.zipf(cities.len()) };
    let city = if town { format!("{}-{place}", country.to_lowercase()) } else { cities[place].to_owned() };
    let mut of_place = Random::new(place as u64 * 7919 + country.bytes().map(u64::from).sum::<u64>());
    let center = (latitude + of_place.unit() * 8.0 - 4.0, longitude + of_place.unit() * 10.0 - 5.0);
    let near = |random: &mut Random, degrees: f64| (random.unit() + random.unit() - 1.0) * degrees;
    let (at_latitude, at_longitude) = (center.0 + near(random, 0.25), center.1 + near(random, 0.35));
    let local = fold(&first).replace([' ', '\''], "");
    let ascii_local = if local.is_ascii() { local } else { format!("user{}", random.below(1_000_000)) };
    let ascii_family = fold(&family).replace([' ', '\''], "");
    let number = at % 10_000_000;
    let email = match (random.below(3), ascii_family.is_ascii()) {
        (0, true) => format!("{ascii_local}.{ascii_family}{number}"),
        (1, true) => format!("{ascii_family}{number}"),
        _ => format!("{ascii_local}{number}"),
    };
    let user_number = random.number();
    let created = TimestampMs(i64::try_from(FIRST_MS + at * 20_000 + random.below(20_000)).unwrap_or(i64::MAX));
    Profile {
        tenant_name: tenant(random),
        profile_id: ProfileId(id(created, random)),
        profile_type: ProfileType::default(),
        user_id: UserId::from_stored(format!("auth0|{user_number:016x}{:08x}", at & 0xffff_ffff)),
        full_name: Text::from_stored(full_name),
        gender: random.chance(0.85).then(|| text(if woman { "female" } else { "male" })),
        email_id: random.chance(0.95).then(|| EmailAddress::from_stored(format!("{email}@{}", DOMAINS[random.zipf(DOMAINS.len())]))),
        mobile: random.chance(0.8).then(|| Mobile::from_stored(format!("+{dialling}{:03}{:07}", 200 + random.below(790), at % 10_000_000))),
        birth_date: random
            .chance(0.8)
            .then(|| {
                let date =
                    format!("{}-{:02}-{:02}", 1940 + random.below(40) + random.below(30), 1 + random.below(12), 1 + random.below(28));
                BirthDate::parse(&date).ok()
            })
            .flatten(),
        city_id: random.chance(0.9).then(|| text(&city)),
        country_id: random.chance(0.95).then(|| text(country)),
        address: random.chance(0.5).then(|| Text::from_stored(format!("{} Main Street, {city}", 1 + random.below(999)))),
        latitude: Some(round(at_latitude)),
        longitude: Some(round(at_longitude)),
        profile_image_url: None,
        attributes: Attributes::from_stored(format!(
            r#"{{"plan":"{}","seats":{}}}"#,
            ["free", "pro", "team"][random.zipf(3)],
            random.below(50)
        )),
        active: random.chance(0.95),
        created_by: "loader".to_owned(),
        updated_by: "loader".to_owned(),
        deleted_by: None,
        created_at: created,
        updated_at: created,
        deleted_at: None,
        version: Version::FIRST,
    }
}

fn round(degrees: f64) -> f64 {
    (degrees * 1e5).round() / 1e5
}

/// Half in one tenant, a tenth in ten of the middle, the rest in some tens of thousands of small ones.
fn tenant(random: &mut Random) -> TenantName {
    let name = match random.below(10) {
        0..5 => LARGE_TENANT.to_owned(),
        5 => format!("middle-{}", random.below(10)),
        _ => format!("small-{}", random.below(SMALL_TENANTS)),
    };
    TenantName::from_stored(name)
}

pub const SMALL_TENANTS: u64 = 40_000;

/// Every tenant that `person` may name.
pub fn tenants() -> impl Iterator<Item = String> {
    let middle = (0..10).map(|i| format!("middle-{i}"));
    std::iter::once(LARGE_TENANT.to_owned()).chain(middle).chain((0..SMALL_TENANTS).map(|i| format!("small-{i}")))
}

fn id(created: TimestampMs, random: &mut Random) -> Uuid {
    let time = u128::from(created.0.unsigned_abs()) << 80;
    let rest = (u128::from(random.number()) << 64 | u128::from(random.number())) & ((1 << 80) - 1);
    let versioned = (time | rest) & !(0xf << 76) | (7 << 76);
    Uuid::from_u128(versioned & !(0x3 << 62) | (0x2 << 62))
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::from_stored(text.to_owned())
}
