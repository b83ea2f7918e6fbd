//! What a client says of a profile, on create and on update: read once, field by field, then judged as a whole.

use super::attributes::{Attributes, AttributesPatch};
use super::birth_date::BirthDate;
use super::clock::TimestampMs;
use super::document::Document;
use super::email::EmailAddress;
use super::invalid::Faults;
use super::mobile::{Mobile, MobileInput};
use super::patch::{Patch, merge};
use super::profile::{Profile, ProfileId, ProfileType, UserId};
use super::tenant::TenantName;
use super::text::Text;
use super::version::Version;
use serde_json::Value;

/// Fields that only the service sets.
const READ_ONLY: [&str; 10] = [
    "tenant_name",
    "profile_id",
    "created_by",
    "updated_by",
    "deleted_by",
    "created_at",
    "updated_at",
    "deleted_at",
    "version",
    "profile_image_url",
];

/// The client's fields, each parsed by itself, and the faults that were found on the way.
#[derive(Debug, Clone, Default)]
pub struct ProfilePatch {
    profile_type: Patch<ProfileType>,
    user_id: Patch<UserId>,
    full_name: Patch<Text<256>>,
    gender: Patch<Text<32>>,
    email_id: Patch<EmailAddress>,
    mobile: Patch<MobileInput>,
    birth_date: Patch<BirthDate>,
    city_id: Patch<Text<64>>,
    country_id: Patch<Text<64>>,
    address: Patch<Text<1024>>,
    latitude: Patch<f64>,
    longitude: Patch<f64>,
    attributes: Patch<AttributesPatch>,
    active: Patch<bool>,
    faults: Faults,
}

impl ProfilePatch {
    /// Reads every member; faults are kept for `create` and `apply`, which add what only the whole can tell.
    pub fn read(mut document: Document) -> Self {
        for name in READ_ONLY {
            let detail = if name == "profile_image_url" { "is set by the image endpoint only" } else { "is set by the service only" };
            document.refuse(name, detail);
        }
        let mut patch = Self {
            profile_type: document.take("profile_type"),
            user_id: document.take("user_id"),
            full_name: document.take("full_name"),
            gender: document.take("gender"),
            email_id: document.take("email_id"),
            mobile: document.take("mobile"),
            birth_date: document.take("birth_date"),
            city_id: document.take("city_id"),
            country_id: document.take("country_id"),
            address: document.take("address"),
            latitude: document.take("latitude"),
            longitude: document.take("longitude"),
            attributes: document.take("attributes"),
            active: document.take("active"),
            faults: Faults::default(),
        };
        patch.faults = document.finish().err().unwrap_or_default();
        patch
    }

    /// What is wrong with the members by themselves.
    pub fn into_faults(self) -> Faults {
        self.faults
    }

    /// A new profile. Without a `user_id` the profile's own id becomes one.
    pub fn create(mut self, tenant_name: TenantName, profile_id: ProfileId, by: &str, at: TimestampMs) -> Result<Profile, Faults> {
        if !matches!(self.full_name, Patch::Set(_)) && !self.faults.mentions("full_name") {
            self.faults.add_field("full_name", "is required: text of 1 to 256 characters");
            self.full_name = Patch::Keep;
        }
        if self.identifies_nobody() {
            self.faults.add_field(
                "",
                "must give a user_id, an email_id or a mobile: without one, nothing would tell this profile from its repeat",
            );
        }
        if self.user_id == Patch::Clear {
            self.user_id = Patch::Keep;
        }
        let blank = Profile {
            tenant_name,
            profile_id,
            profile_type: ProfileType::default(),
            user_id: UserId::from_stored(profile_id.to_string()),
            full_name: Text::from_stored(String::new()),
            gender: None,
            email_id: None,
            mobile: None,
            birth_date: None,
            city_id: None,
            country_id: None,
            address: None,
            latitude: None,
            longitude: None,
            profile_image_url: None,
            attributes: Attributes::default(),
            active: true,
            created_by: by.to_owned(),
            updated_by: by.to_owned(),
            deleted_by: None,
            created_at: at,
            updated_at: at,
            deleted_at: None,
            version: Version::FIRST,
        };
        self.set_on(blank, at)
    }

    /// The profile with this patch applied, or `None` when that would change nothing.
    pub fn apply(self, old: &Profile, by: &str, at: TimestampMs) -> Result<Option<Profile>, Faults> {
        let mut new = self.set_on(old.clone(), at)?;
        if new == *old {
            return Ok(None);
        }
        new.touch(by, at);
        Ok(Some(new))
    }

    fn identifies_nobody(&self) -> bool {
        let given = |set: bool, field: &str| set || self.faults.mentions(field);
        !given(matches!(self.user_id, Patch::Set(_)), "user_id")
            && !given(matches!(self.email_id, Patch::Set(_)), "email_id")
            && !given(matches!(self.mobile, Patch::Set(_)), "mobile")
    }

    fn set_on(self, mut profile: Profile, at: TimestampMs) -> Result<Profile, Faults> {
        let mut faults = self.faults;
        required(self.full_name, &mut profile.full_name, "full_name", &mut faults);
        required(self.user_id, &mut profile.user_id, "user_id", &mut faults);
        match self.profile_type {
            Patch::Keep => {}
            Patch::Clear => profile.profile_type = ProfileType::default(),
            Patch::Set(profile_type) => profile.profile_type = profile_type,
        }
        self.gender.apply_to(&mut profile.gender);
        self.email_id.apply_to(&mut profile.email_id);
        self.city_id.apply_to(&mut profile.city_id);
        self.country_id.apply_to(&mut profile.country_id);
        self.address.apply_to(&mut profile.address);
        set_mobile(self.mobile, &mut profile, &mut faults);
        if matches!(self.birth_date, Patch::Set(date) if date.is_after(at)) {
            faults.add_field("birth_date", "must not be in the future");
        }
        self.birth_date.apply_to(&mut profile.birth_date);
        set_coordinates(self.latitude, self.longitude, &mut profile, &mut faults);
        set_attributes(self.attributes, &mut profile, &mut faults);
        match self.active {
            Patch::Keep => {}
            Patch::Clear => profile.active = true,
            Patch::Set(active) => profile.active = active,
        }
        faults.into_result().map(|()| profile)
    }
}

fn required<T>(patch: Patch<T>, field: &mut T, name: &str, faults: &mut Faults) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => faults.add_field(name, "cannot be cleared"),
        Patch::Set(value) => *field = value,
    }
}

fn set_mobile(patch: Patch<MobileInput>, profile: &mut Profile, faults: &mut Faults) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => profile.mobile = None,
        Patch::Set(input) => match Mobile::read(&input, profile.country_id.as_ref().map(Text::as_str)) {
            Ok(mobile) => profile.mobile = Some(mobile),
            Err(detail) => faults.add_field("mobile", detail),
        },
    }
}

fn set_coordinates(latitude: Patch<f64>, longitude: Patch<f64>, profile: &mut Profile, faults: &mut Faults) {
    set_degrees(latitude, 90.0, &mut profile.latitude, "latitude", faults);
    set_degrees(longitude, 180.0, &mut profile.longitude, "longitude", faults);
    let (half, other) = match (profile.latitude, profile.longitude) {
        (Some(_), None) => ("longitude", "latitude"),
        (None, Some(_)) => ("latitude", "longitude"),
        _ => return,
    };
    if !faults.mentions(half) {
        faults.add_field(half, format!("is missing: give both latitude and longitude or neither ({other} is there)"));
    }
}

fn set_degrees(patch: Patch<f64>, bound: f64, field: &mut Option<f64>, name: &str, faults: &mut Faults) {
    if matches!(patch, Patch::Set(degrees) if !(-bound..=bound).contains(&degrees)) {
        faults.add_field(name, format!("must be from -{bound} to {bound} degrees"));
    }
    patch.apply_to(field);
    // Zero has one sign, here as in every store.
    *field = field.map(|degrees| degrees + 0.0);
}

fn set_attributes(patch: Patch<AttributesPatch>, profile: &mut Profile, faults: &mut Faults) {
    let merged = match patch {
        Patch::Keep => return,
        Patch::Clear => Value::Object(serde_json::Map::new()),
        Patch::Set(AttributesPatch(members)) => {
            let mut value = profile.attributes.to_value();
            merge(&mut value, Value::Object(members));
            value
        }
    };
    match Attributes::from_value(merged) {
        Ok(attributes) => profile.attributes = attributes,
        Err(detail) => faults.add_field("attributes", detail),
    }
}

#[cfg(test)]
mod tests;
