//! Profiles as lines of PostgreSQL's COPY.

use n_users::domain::email::EmailAddress;
use n_users::domain::grams::Grams;
use n_users::domain::profile::Profile;
use n_users::domain::search_text::{fold, search_doc};
use n_users::domain::text::Text;
use std::fmt::{Display, Write};

/// The columns in the order in which `push_row` writes them.
pub const COLUMNS: &str = "tenant_name, profile_id, profile_type, user_id, full_name, gender, email_id, mobile, birth_date, city_id, \
    country_id, address, latitude, longitude, attributes, active, created_by, updated_by, created_at, updated_at, version, full_name_key, \
    email_key, search_doc, grams";

pub fn push_row(out: &mut String, profile: &Profile) {
    let doc = search_doc(profile);
    let grams = Grams::of(&profile.tenant_name).all_of_profile(profile, &doc);
    let grams = grams.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let p = profile;
    field(out, Some(p.tenant_name.as_str()));
    field(out, Some(p.profile_id));
    field(out, Some(p.profile_type.as_str()));
    field(out, Some(p.user_id.as_str()));
    field(out, Some(p.full_name.as_str()));
    field(out, p.gender.as_ref().map(Text::as_str));
    field(out, p.email_id.as_ref().map(EmailAddress::as_str));
    field(out, p.mobile.as_ref().map(|mobile| mobile.as_str()));
    field(out, p.birth_date);
    field(out, p.city_id.as_ref().map(Text::as_str));
    field(out, p.country_id.as_ref().map(Text::as_str));
    field(out, p.address.as_ref().map(Text::as_str));
    field(out, p.latitude);
    field(out, p.longitude);
    field(out, Some(p.attributes.as_str()));
    field(out, Some(p.active));
    field(out, Some(&p.created_by));
    field(out, Some(&p.updated_by));
    field(out, Some(p.created_at.0));
    field(out, Some(p.updated_at.0));
    field(out, Some(p.version.0));
    field(out, Some(fold(p.full_name.as_str())));
    field(out, p.email_id.as_ref().map(EmailAddress::key));
    field(out, Some(doc));
    field(out, Some(format!("{{{grams}}}")));
    out.pop();
    out.push('\n');
}

fn field(out: &mut String, value: Option<impl Display>) {
    match value {
        None => out.push_str("\\N"),
        Some(value) => {
            let from = out.len();
            // A string takes whatever is written.
            let _ = write!(out, "{value}");
            if out[from..].contains(['\\', '\n', '\r', '\t']) {
                let escaped = out[from..].replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
                out.truncate(from);
                out.push_str(&escaped);
            }
        }
    }
    out.push('\t');
}
