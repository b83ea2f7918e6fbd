//! The OpenAPI document: made from the handlers themselves; only what they share is added here.

use super::problem::{FaultBody, ProblemBody};
use super::{AppState, health, v1};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

const DESCRIPTION: &str =
    "The user directory that is right at once: a new user is in the search results at once, and a duplicate is impossible.

Every request but those for health needs an access token (press *Authorize*). All errors are `application/problem+json` (RFC 9457).";

/// The resources, in the order in which a reader wants them.
const TAGS: [(&str, &str); 6] = [
    ("profiles", "A user's faces, and search over them"),
    ("images", "A profile's image, in three sizes"),
    ("users", "A user as a whole"),
    ("preferences", "Any JSON of a user, by key"),
    ("tenants", "Administration; needs the scope tenants:admin"),
    ("health", "For supervisors and load balancers; no token"),
];

/// Every documented route.
pub fn documented_routes() -> OpenApiRouter<AppState> {
    let info = InfoBuilder::new().title("n_users").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION)).build();
    let tags = TAGS.map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build());
    let document = OpenApiBuilder::new().info(info).tags(Some(tags)).build();
    OpenApiRouter::with_openapi(document).merge(v1::router()).merge(health::router())
}

/// The document, complete.
pub fn document() -> OpenApi {
    finish(documented_routes().into_openapi())
}

/// Adds what all operations share: the bearer token, and the shape of problems.
pub fn finish(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.security_schemes.insert("token".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
    components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
    components.schemas.insert(FaultBody::name().into_owned(), FaultBody::schema());
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    for item in document.paths.paths.values_mut() {
        describe_problems(item);
    }
    document
}

fn describe_problems(item: &mut PathItem) {
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    for operation in operations.into_iter().flatten() {
        let is_open = operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == "health"));
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response
                && status.starts_with(['4', '5'])
                && response.content.is_empty()
            {
                response.content.insert("application/problem+json".to_owned(), RefOr::T(content()));
            }
        }
        if !is_open {
            for (status, description) in [
                ("401", "No valid access token"),
                ("403", "The token lacks the scope, or the tenant is suspended"),
                ("429", "Over the limit of this client or tenant, where one is configured: try again after Retry-After"),
                ("503", "Not now: try again after Retry-After"),
            ] {
                let response = ResponseBuilder::new().description(description).content("application/problem+json", content()).build();
                operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_is_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json");
        let now = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        if kept != now {
            std::fs::write(path, &now).unwrap();
        }
        assert!(kept == now, "openapi.json was not the API's document; it has been written anew: look at its diff and commit it");
    }
}
