//! What a search asks for and what it finds.

use super::filter::Filter;
use super::geo::Circle;
use super::profile::{Profile, ProfileId};
use super::search_text::fold;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most words a query may have, and the most characters.
pub const MAX_QUERY_WORDS: usize = 16;
pub const MAX_QUERY_LENGTH: usize = 256;
pub const MAX_LIMIT: u32 = 200;
pub const DEFAULT_LIMIT: u32 = 20;
pub const MAX_OFFSET: u32 = 10_000;
/// Counting stops here.
pub const MAX_TOTAL: u32 = 1_000;

/// Sorts by the distance from the centre of the filter's one `near`.
pub const DISTANCE: &str = "distance";

macro_rules! sort_fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum SortField {
            $($variant,)+
            /// How far away from the circle's centre.
            Distance(Circle),
        }

        impl SortField {
            /// Those that a profile has by itself.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Distance(_) => DISTANCE,
                }
            }
        }
    };
}

sort_fields! {
    FullName = "full_name",
    CreatedAt = "created_at",
    UpdatedAt = "updated_at",
    BirthDate = "birth_date",
    CityId = "city_id",
    CountryId = "country_id",
    EmailId = "email_id",
    UserId = "user_id",
}

/// A strict order: the field, then `profile_id`, both in the same direction. What has no value stands last when
/// ascending and first when descending (RFC 7644 §3.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sort {
    pub field: SortField,
    pub descending: bool,
}

impl Sort {
    /// Newest first.
    pub const DEFAULT: Self = Self { field: SortField::CreatedAt, descending: true };

    /// `field` or `-field`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_around(text, &[])
    }

    /// The same, or `distance` where there is one circle to measure from.
    pub fn parse_around(text: &str, circles: &[Circle]) -> Result<Self, String> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let field = match (name, circles) {
            (DISTANCE, [circle]) => SortField::Distance(*circle),
            (DISTANCE, _) => return Err("distance needs a filter with exactly one near(latitude, longitude, kilometres)".to_owned()),
            _ => *SortField::ALL.iter().find(|field| field.as_str() == name).ok_or_else(|| {
                let names: Vec<_> = SortField::ALL.iter().map(|field| field.as_str()).collect();
                format!("must be one of {} or distance, with a leading - for descending", names.join(", "))
            })?,
        };
        Ok(Self { field, descending })
    }

    /// Where a profile stands in this order.
    pub fn position_of(self, profile: &Profile) -> Position {
        let text = |text: Option<String>| text.map_or(SortKey::Missing, SortKey::Text);
        let key = match self.field {
            SortField::FullName => SortKey::Text(fold(profile.full_name.as_str())),
            SortField::CreatedAt => SortKey::Integer(profile.created_at.0),
            SortField::UpdatedAt => SortKey::Integer(profile.updated_at.0),
            SortField::BirthDate => text(profile.birth_date.map(|date| date.to_string())),
            SortField::CityId => text(profile.city_id.as_ref().map(|city| city.as_str().to_owned())),
            SortField::CountryId => text(profile.country_id.as_ref().map(|country| country.as_str().to_owned())),
            SortField::EmailId => text(profile.email_id.as_ref().map(super::email::EmailAddress::key)),
            SortField::UserId => SortKey::Text(profile.user_id.as_str().to_owned()),
            SortField::Distance(from) => match profile.latitude.zip(profile.longitude) {
                Some((latitude, longitude)) => SortKey::Integer(from.millimetres_to(latitude, longitude)),
                None => SortKey::Missing,
            },
        };
        Position { key, profile_id: profile.profile_id }
    }
}

/// The value that a profile is sorted by. `full_name` is compared folded, all text by its UTF-8 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    Integer(i64),
    Text(String),
    // Last, so that the derived order puts what is missing behind every value.
    Missing,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub key: SortKey,
    pub profile_id: ProfileId,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    Offset(u32),
    /// Behind this position.
    After(Position),
}

impl Start {
    /// How many hits there are in all, if a page from here with so many of them tells; `more` is whether others follow it.
    pub fn total_seen(&self, on_page: usize, more: bool) -> Option<i64> {
        match self {
            Self::Offset(offset) if !more && (on_page > 0 || *offset == 0) => Some(i64::from(*offset) + i64::try_from(on_page).ok()?),
            _ => None,
        }
    }
}

/// A search within one tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Each must be a substring of the profile's search text (see `search_text`).
    pub needles: Vec<String>,
    pub filter: Option<Filter>,
    pub sort: Sort,
    pub limit: u32,
    pub start: Start,
    pub include_deleted: bool,
}

/// A page of profiles in the order that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub profiles: Vec<Profile>,
    /// Whether more follow behind the last one.
    pub more: bool,
    pub total: Total,
    pub route: Route,
}

impl Found {
    /// `counted` as in `Total::of_counted`.
    pub fn new(profiles: Vec<Profile>, more: bool, counted: i64, steps: Vec<RouteStep>) -> Self {
        Self { profiles, more, total: Total::of_counted(counted), route: Route(steps) }
    }
}

/// The steps by which a search was answered, for whoever asks why it took its time.
#[derive(Debug, Clone, Default)]
pub struct Route(pub Vec<RouteStep>);

/// How something was found is no part of what was found.
impl PartialEq for Route {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RouteStep {
    pub step: &'static str,
    /// How many hits there should have been in all.
    pub expected: u64,
    /// How many rows were read.
    pub read: i64,
}

impl RouteStep {
    pub fn new(step: &'static str, expected: f64, read: i64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let expected = expected.round() as u64;
        Self { step, expected, read }
    }
}

/// How many there are in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// Exact up to 1,000.
    pub value: u32,
    /// Whether that is all (`eq`), or counting stopped there (`gte`).
    pub relation: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    Eq,
    Gte,
}

impl Total {
    /// From a count that stopped at `MAX_TOTAL + 1`.
    pub fn of_counted(counted: i64) -> Self {
        match u32::try_from(counted) {
            Ok(value) if value <= MAX_TOTAL => Self { value, relation: Relation::Eq },
            _ => Self { value: MAX_TOTAL, relation: Relation::Gte },
        }
    }
}
